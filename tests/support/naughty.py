"""Digests with hostile words, and marks and links of one reader alone, for hypothesis."""

import json
from datetime import date
from pathlib import Path

from hypothesis import strategies as st
from support.digests import BASE, ON, frame

from service.delivery.frame import ReaderFrame
from service.digest.model import (
    AddedBy,
    Digest,
    Entry,
    Happening,
    Line,
    Marked,
    Reason,
    Section,
    Signal,
)

OWN = [
    "",
    " ",
    ".",
    "..",
    "From me",
    "a  b",
    "trailing ",
    "tab\tend\t",
    "= =3D =\n=20",
    "line\nline\n\n\n\nline",
    "\r\nBcc: x@example.org",
    "carriage\rreturn",
    "\x00\x07\x1b[31m",
    "\u2028\u2029\x85\x0b",
    "\u202eright to left\u202c",
    "\ufeff\u200b\u00ad",
    "lone \ud800 surrogate",
    "e\u0301" * 40,
    "{{ 7 * 7 }} {% raw %} {# x #}",
    "%(num)s %s %d %%",
    "<script>alert(1)</script>",
    "\"'><img src=x onerror=alert(1)>",
    "&amp; &lt; &#34;",
    "=?utf-8?q?fake?=",
    "大模型推理的低秩适配" * 8,
    "низкоранговая адаптация " * 6,
    "word" * 60,
    "\u00a0\u00a0glued\u00a0",
    "\u3000wide\u3000",
    "\U000f0000\U000f0100\U000f8000",
    "https://tune.invalid/0token0of0the0reader00",
    "🧪👩‍🔬🏳️‍🌈",
    "\\ ` $ ~ ^ |",
]


def strings() -> list[str]:
    """Our own hostile strings and the big list of naughty ones, where the captures are."""
    found = Path(__file__).resolve().parents[3] / "shared" / "data" / "strings" / "blns.json"
    return OWN + (json.loads(found.read_text("utf-8")) if found.exists() else [])


words = st.one_of(
    st.sampled_from(strings()),
    st.text(max_size=90),
    st.text(alphabet="abc .=\n\u00e4\u4e2d<&\u00a0", max_size=160),
    st.lists(st.sampled_from(strings()), min_size=2, max_size=4).map(" ".join),
)
names = st.one_of(st.just("Low-rank adaptation"), words)


@st.composite
def marked(draw: st.DrawFn, text: st.SearchStrategy[str] = words) -> Marked:
    shown = draw(text)
    if not shown:
        return Marked("")
    cuts = sorted(draw(st.sets(st.integers(0, len(shown)), max_size=6)))
    return Marked(shown, tuple(zip(cuts[::2], cuts[1::2], strict=False)))


links = st.dictionaries(
    st.sampled_from(["abs", "pdf", "code", "project", "discuss", "html", "doi"]),
    st.one_of(words, st.just("https://arxiv.org/abs/2611.00001?a=1&b=%C3%A4")),
    max_size=4,
)
fields = st.sampled_from(
    ["title", "abstract", "authors", "categories", "source", "organisation", "id"]
)
few = st.integers(0, 30)


@st.composite
def entries(draw: st.DrawFn) -> Entry:
    return Entry(
        paper_id=draw(few),
        scheme=draw(st.sampled_from(["arxiv", "doi"])),
        value=draw(st.one_of(st.just("2611.00001"), words)),
        title=draw(marked()),
        abstract=draw(marked()),
        authors=tuple(draw(st.lists(words, max_size=3))),
        author_count=draw(few),
        dated_on=draw(st.sampled_from([None, date(2026, 11, 19), date(2025, 1, 2)])),
        place=draw(words),
        votes=draw(st.sampled_from([None, 0, 1, 1234])),
        comments=draw(st.sampled_from([None, 1, 5])),
        links=draw(links),
        reasons=tuple(Reason(draw(words), draw(fields)) for _ in range(draw(st.integers(0, 3)))),
        also_in=tuple(draw(st.lists(names, max_size=2))),
        again=draw(st.booleans()),
        score=draw(st.floats(0, 9)),
        summary_line=draw(words),
        withdrawn=draw(st.booleans()),
    )


@st.composite
def lines(draw: st.DrawFn) -> Line:
    return Line(
        paper_id=draw(few),
        scheme="arxiv",
        value=draw(words),
        title=draw(marked()),
        link=draw(words),
        again=draw(st.booleans()),
        withdrawn=draw(st.booleans()),
    )


@st.composite
def signals(draw: st.DrawFn) -> Signal:
    kinds = draw(st.lists(st.sampled_from(["withdrawn", "code", "doi"]), min_size=1, max_size=2))
    at = draw(st.datetimes())
    return Signal(
        paper_id=draw(few),
        scheme="arxiv",
        value=draw(words),
        title=draw(marked()),
        happenings=tuple(Happening(kind, draw(words), at) for kind in kinds),
        had_on=draw(st.sampled_from([None, ON, date(2025, 2, 3)])),
        again=draw(st.booleans()),
    )


@st.composite
def sections(draw: st.DrawFn) -> Section:
    kind = draw(st.sampled_from(["people", "interest", "trending", "chosen", "signals"]))
    return Section(
        kind=kind,
        name=draw(names),
        profile_id=draw(st.sampled_from([None, 7, 12345])),
        total=draw(few),
        entries=tuple(draw(st.lists(entries(), max_size=3))),
        lines=tuple(draw(st.lists(lines(), max_size=2))),
        rest=tuple(range(draw(st.sampled_from([0, 0, 1, 14])))),
        signals=tuple(draw(st.lists(signals(), max_size=2))) if kind == "signals" else (),
    )


@st.composite
def digests(draw: st.DrawFn) -> Digest:
    return Digest(
        kind=draw(st.sampled_from(["daily", "weekly", "catchup", "first", "alert", "manual"])),
        on=ON,
        checked=draw(few),
        matched=draw(few),
        sections=tuple(draw(st.lists(sections(), max_size=3))),
        since=draw(st.sampled_from([None, ON, date(2026, 11, 9)])),
        late=tuple(draw(st.lists(words, max_size=2))),
        read_from=tuple(draw(st.lists(words, max_size=1))),
        note=draw(st.one_of(st.just(""), words)),
        subject=draw(st.one_of(st.just(""), words)),
        added_by=draw(
            st.one_of(st.none(), words.map(lambda o: AddedBy(organisation=o, added_on=ON)))
        ),
        interests=draw(st.integers(0, 3)),
        rest_on=draw(st.sampled_from([None, date(2026, 10, 1)])),
    )


tokens = st.text(
    alphabet="ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_",
    min_size=22,
    max_size=22,
)


@st.composite
def readers(draw: st.DrawFn) -> ReaderFrame:
    token = draw(tokens)
    changes = {
        "locale": draw(st.sampled_from(["en", "de", "en-XA"])),
        "manage_url": f"{BASE}/manage/{draw(tokens)}.{draw(tokens)}",
        "unsubscribe_url": draw(st.sampled_from(["", f"{BASE}/u/{draw(tokens)}"])),
        "view_url": f"{BASE}/d/{token}",
        "tune_base": draw(st.sampled_from(["", f"{BASE}/tune/{token}"])),
        "rest_url": draw(st.sampled_from(["", f"{BASE}/papers/2026-10-01?a=1&b=2"])),
        "confirmed_on": draw(st.sampled_from([None, date(2026, 1, 2)])),
        "weekdays": draw(st.frozensets(st.integers(0, 6), min_size=1)),
        "hour": draw(st.integers(0, 23)),
        "zone": draw(st.sampled_from(["UTC", "Europe/Zurich", "Asia/Tokyo"])),
        "stars": draw(st.booleans()),
    }
    return frame(**changes)
