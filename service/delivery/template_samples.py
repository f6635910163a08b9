"""Invented mails of every kind, for trying templates: furnished with all that a mail can have, and
with nothing but what it must have. Pure.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime
from typing import Any, Literal

from service.delivery.frame import ReaderFrame
from service.delivery.notices import DIGESTS, NOTICES
from service.delivery.site import Site
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

ON = date(2026, 11, 20)
UNTIL = date(2026, 11, 27)
_NAME = "kSAMPLEsampleSAMPLEsample"
_SENTENCE = "We study why LoRA drifts when training is long, and say what helps. "


@dataclass(frozen=True, slots=True)
class Sample:
    """One mail to be tried. digest and reader, or data: what it is rendered from.

    public: as the page "view in browser" shows it · test: as a test mail.
    """

    kind: str
    name: Literal["furnished", "bare", "public", "test", "trending", "news"]
    digest: Digest | None = None
    reader: ReaderFrame | None = None
    data: Mapping[str, Any] | None = None
    public: bool = False
    test: bool = False


def samples(kind: str, base: str) -> Iterator[Sample]:
    """All samples of one kind; "furnished" first, then "bare". base: the site's address."""
    if kind not in DIGESTS:
        yield Sample(kind, "furnished", data=notice(kind, base, furnished=True))
        yield Sample(kind, "bare", data=notice(kind, base, furnished=False))
        return
    full, least = reader(base), bare_reader(base)
    digest = furnished(kind)
    yield Sample(kind, "furnished", digest, full)
    yield Sample(kind, "bare", bare(kind), least)
    yield Sample(kind, "public", digest, full, public=True)
    yield Sample(kind, "test", replace(bare(kind), subject="Read on Friday"), full, test=True)
    if kind == "digest":
        yield Sample(kind, "trending", _trending(), full)
        yield Sample(kind, "news", _news(), replace(full, stars=False, confirmed_on=None))


def site(base: str, *, furnished: bool) -> Site:
    """Who runs it; the bare one says no more than it must."""
    sender = "papers@papers.example.org"
    if not furnished:
        return Site(base_url=base, sender=sender)
    return Site(
        name="Example Papers",
        org="Example University Library",
        contact="papers@example.org",
        postal="1 Example Street, 0000 Example",
        base_url=base,
        privacy_url=f"{base}/privacy",
        sender=sender,
        reply_to="papers@example.org",
        thumbnails=True,
        inbox="leave@papers.example.org",
    )


def reader(base: str) -> ReaderFrame:
    """A reader with every link there is."""
    return ReaderFrame(
        locale="en",
        manage_url=f"{base}/manage/{_NAME}",
        unsubscribe_url=f"{base}/u/{_NAME}",
        view_url=f"{base}/d/{_NAME}",
        tune_base=f"{base}/tune/{_NAME}",
        papers_url=f"{base}/papers/{ON}",
        rest_url=f"{base}/papers/{ON}",
        cite_url=f"{base}/d/{_NAME}",
        confirmed_on=date(2026, 11, 3),
        zone="Europe/Zurich",
    )


def bare_reader(base: str) -> ReaderFrame:
    """A reader with the two links that no mail may lack."""
    return ReaderFrame(
        manage_url=f"{base}/manage/{_NAME}", unsubscribe_url=f"{base}/u/{_NAME}", zone="UTC"
    )


def entry(number: int, *, sentences: int = 2) -> Entry:
    """A paper with everything that a paper can have; its abstract has so many sentences."""
    value = f"2611.{number:05}"
    return Entry(
        paper_id=number,
        scheme="arxiv",
        value=value,
        title=Marked(f"LoRA adapters that forget less, part {number}", ((0, 4),)),
        abstract=Marked(_SENTENCE * sentences, ((13, 17),)),
        authors=("Ana Silva", "Bo Chen", "Carla Diaz"),
        author_count=7,
        dated_on=date(2026, 11, 19),
        place="cs.LG",
        votes=41,
        comments=2,
        links={
            "abs": f"https://arxiv.org/abs/{value}",
            "pdf": f"https://arxiv.org/pdf/{value}",
            "code": "https://code.example.org/adapters",
            "project": "https://adapters.example.org",
            "discuss": f"https://huggingface.co/papers/{value}",
            "thumbnail": "https://pictures.example.org/adapters.png",
        },
        reasons=(Reason("LoRA", "title"), Reason("low-rank adaptation", "abstract")),
        also_in=("Forgetting",),
        again=True,
        summary_line="Adapters that keep what a model knew.",
        withdrawn=True,
    )


def line(number: int) -> Line:
    """A paper as one line."""
    value = f"2611.{number:05}"
    title = Marked(f"Another paper on adapters, number {number}")
    return Line(
        paper_id=number,
        scheme="arxiv",
        value=value,
        title=title,
        link=f"https://arxiv.org/abs/{value}",
        again=number % 2 == 0,
        withdrawn=number % 3 == 0,
    )


def _signal(number: int) -> Signal:
    value = f"2611.{number:05}"
    at = datetime(2026, 11, 20, 6, tzinfo=UTC)
    happenings = (
        Happening("withdrawn", "", at),
        Happening("code", "https://code.example.org/later", at),
        Happening("doi", "10.1000/example", at),
        Happening("votes", "100", at),
    )
    return Signal(
        paper_id=number,
        scheme="arxiv",
        value=value,
        title=Marked(f"A paper of last week, number {number}"),
        happenings=happenings,
        link=f"https://arxiv.org/abs/{value}",
        had_on=date(2026, 11, 13),
        again=True,
    )


def _section(kind: Any, name: str, *entries: Entry, **more: Any) -> Section:
    shown = len(entries) + len(more.get("lines", ())) + len(more.get("rest", ()))
    return Section(kind=kind, name=name, total=shown, entries=entries, profile_id=1, **more)


def furnished(kind: str) -> Digest:
    """A digest with every section and every note there is."""
    rest = {
        "lines": (line(21), line(22), line(23)),
        "rest": tuple(range(100, 114)),
        "since": date(2026, 11, 14),
    }
    return Digest(
        kind="alert" if kind == "alert" else "catchup",
        on=ON,
        since=date(2026, 11, 16),
        checked=4461,
        matched=22,
        interests=2,
        sections=(
            _section("people", "Ana Silva", entry(1)),
            _section("interest", "Low-rank adaptation", entry(2), entry(3), **rest),
            _section("chosen", "", entry(4)),
            _section("signals", "", signals=(_signal(31),)),
            _section("trending", "", entry(5)),
        ),
        late=("bioRxiv", "PubMed"),
        read_from=("arXiv cs.CL",),
        note="Seminar at two.\n\nBring a question.",
        added_by=AddedBy(organisation="Example Library", added_on=date(2026, 11, 2)),
        rest_on=date(2026, 11, 9),
        list_on=date(2026, 11, 19),
    )


def bare(kind: str) -> Digest:
    """A digest of one paper that has a title and a link."""
    paper = Entry(
        paper_id=1,
        scheme="arxiv",
        value="2611.00001",
        title=Marked("LoRA adapters that forget less, part 1"),
        links={"abs": "https://arxiv.org/abs/2611.00001"},
    )
    return Digest(
        kind="alert" if kind == "alert" else "daily",
        on=ON,
        checked=446,
        matched=1,
        interests=1,
        sections=(_section("interest", "Low-rank adaptation", paper),),
    )


def largest(kind: str) -> Digest:
    """What a full day brings: 10 papers in full, 30 as lines, a number of others."""
    entries = [entry(number, sentences=6) for number in range(1, 11)]
    lines = tuple(line(number) for number in range(11, 41))
    section = _section("interest", "Low-rank adaptation", *entries, lines=lines, rest=(41, 42))
    return replace(bare(kind), matched=42, sections=(section,))


def _trending() -> Digest:
    trending = (_section("trending", "", entry(1)),)
    return replace(bare("digest"), interests=0, sections=trending, asks="trending")


def _news() -> Digest:
    section = _section("signals", "", signals=(_signal(31), _signal(32)))
    return replace(bare("digest"), matched=0, checked=0, sections=(section,))


def notice(kind: str, base: str, *, furnished: bool) -> dict[str, Any]:
    """The data of one of the other mails; lists are empty in the bare one."""
    page = f"{base}/x/{_NAME}"
    values: dict[str, Any] = {
        "link": f"{base}/confirm/{_NAME}",
        "never_link": f"{base}/never/{_NAME}",
        "manage_url": f"{base}/manage/{_NAME}",
        "unsubscribe_url": f"{base}/u/{_NAME}",
        "view_url": f"{base}/d/{_NAME}",
        "until": UNTIL,
        "on": ON,
        "days": 7,
        "checked": 3120,
        "asks": "words" if furnished else "interests",
        "words": [("LoRA", 119), ("PEFT", 1)] if furnished else [],
        "widenings": [("LoRA OR adapter", 44, page)] if furnished else [],
        "title": "Reading group in December",
        "html": "<p>The group meets on <b>Friday</b>.</p>",
        "text": "The group meets on Friday.\n\nBring a question.",
        "relay": "smtp.example.org:587",
        "edition": "Daily of 20 November",
        "planned": 1000,
        "accepted": 990,
        "groups": [("accepted", 990), ("failed", 10)] if furnished else [],
        "refused": [("mailbox full", 10, "452 4.2.2 over quota")] if furnished else [],
        "domain": "example.com",
        "status": "5.7.1",
    }
    if kind == "alarm":
        values |= {
            "what": "example.com refuses our mail.",
            "place": "12 mails were refused. The server said: 550 5.7.1 Refused by policy",
            "next_step": "Mend what the server names.",
            "since": "2026-11-20 08:10 UTC",
            "ended": "2026-11-20 09:40 UTC" if furnished else "",
            "words": "Message refused by policy",
            "refused": 12,
        }
    return {name: values[name] for name in sorted(NOTICES[kind])}
