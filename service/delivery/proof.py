"""Whether digests put together from kept pieces read like those that are rendered whole: tried on
made-up ones, for each language and each set of templates, before the first mail. Pure."""

from binascii import a2b_base64, a2b_qp
from collections.abc import Callable, Hashable, Iterator
from dataclasses import fields, replace
from datetime import UTC, date, datetime

from service.delivery.frame import ReaderFrame
from service.delivery.holes import Unfit
from service.delivery.printed import Part, Printed
from service.delivery.render import Renderer
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

_tried: dict[Hashable, str] = {}
_ON = date(2026, 3, 9)
_WORDS = 'One way to say <this> & "that", with a name like M\u00fcller'
_LONG = " ".join([_WORDS] * 9)


def refusal(
    renderer: Renderer, language: str, printed: Callable[[Digest, ReaderFrame], Printed]
) -> str:
    """Return why the pieces may not be used, in words for staff; "" when they read alike.

    The same templates are tried once in a process.
    """
    site = renderer.site
    there = tuple(bool(getattr(site, field.name)) for field in fields(site))
    key = (renderer.fingerprint(), language, there)
    if key not in _tried:
        _tried[key] = _refusal(renderer, language, printed)
    return _tried[key]


def _refusal(
    renderer: Renderer, language: str, printed: Callable[[Digest, ReaderFrame], Printed]
) -> str:
    for number, (digest, reader) in enumerate(_cases(renderer, language)):
        try:
            made = printed(digest, reader)
            wanted = renderer.render_digest(digest, reader)
        except Unfit as error:
            return str(error)
        except Exception as error:  # of a template; a mail that it fails for says so itself
            return f"A made-up digest cannot be rendered: {type(error).__name__}: {error}"
        told = (made.subject, read(made.text), read(made.html))
        if told != (wanted.subject, wanted.text, wanted.html.rstrip("\n") + "\n"):
            return f"The pieces do not read like the whole mail (case {number})."
    return ""


def read(part: Part) -> str:
    """Return the text of a part, its lines ended by \"\\n\"."""
    raw = a2b_base64(part.body) if part.encoding == "base64" else a2b_qp(part.body)
    return raw.decode("utf-8").replace("\r\n", "\n")


def _cases(renderer: Renderer, language: str) -> Iterator[tuple[Digest, ReaderFrame]]:
    base = renderer.site.base_url
    whole = ReaderFrame(
        locale=language,
        manage_url=f"{base}/manage/AAAAAAAAAAAAAAAAAAAAAA?a=1&b=2",
        unsubscribe_url=f"{base}/u/BBBBBBBBBBBBBBBBBBBBBB",
        view_url=f"{base}/d/CCCCCCCCCCCCCCCCCCCCCC",
        tune_base=f"{base}/tune/DDDDDDDDDDDDDDDDDDDDDD",
        papers_url=f"{base}/papers/2026-03-09",
        rest_url=f"{base}/papers/2026-03-01",
        confirmed_on=date(2026, 1, 31),
    )
    other = replace(
        whole, confirmed_on=None, weekdays=frozenset({2}), hour=17, zone="Asia/Tokyo", stars=False
    )
    other = replace(other, rest_url="", tune_base=f"{base}/tune/EEEEEEEEEEEEEEEEEEEEEE")
    bare = ReaderFrame(locale=language, papers_url=f"{base}/papers/2026-03-09")
    many = _section("Many & more", 11, lines=3, rest=2, marks=True)
    few = _section("", 1, kind="chosen", marks=False)
    two = (_section("First", 2, kind="people", marks=True), many, _news())
    daily = Digest(kind="daily", on=_ON, checked=1446, matched=13, sections=two, interests=2)
    yield daily, whole
    yield _again(daily), other
    yield daily, replace(whole, confirmed_on=None)
    yield replace(daily, note=f"{_LONG}\n\nSecond.", late=("One", "Two"), read_from=("X",)), other
    yield replace(daily, added_by=AddedBy(organisation="O & P", added_on=_ON)), whole
    yield replace(daily, rest_on=date(2026, 3, 1), sections=(*two, few)), whole
    yield replace(daily, sections=(few,), checked=1, matched=1), whole
    yield replace(daily, kind="weekly", since=date(2026, 3, 3), sections=(many, few)), bare
    yield replace(daily, kind="catchup", since=date(2026, 2, 3), subject=_WORDS), whole
    yield replace(daily, kind="first", sections=(_section(_LONG, 0, lines=1, marks=True),)), other
    yield replace(daily, kind="alert", sections=(many,)), whole
    yield replace(daily, kind="manual", sections=(_news(),), checked=0, matched=0), other
    trending = replace(many, kind="trending", name="", entries=_again(daily).sections[1].entries)
    yield replace(daily, matched=0, interests=0, sections=(trending,)), whole


def _section(
    name: str, entries: int, *, lines: int = 0, rest: int = 0, kind: str = "interest", marks: bool
) -> Section:
    return Section(
        kind=kind,  # type: ignore[arg-type]
        name=name,
        profile_id=entries,
        total=entries + lines + rest,
        entries=tuple(_entry(n, marks) for n in range(entries)),
        lines=tuple(_line(n) for n in range(lines)),
        rest=tuple(range(rest)),
    )


def _entry(n: int, marks: bool) -> Entry:
    title, text = f"{_WORDS} {n}", _LONG if n % 2 else _WORDS
    is_rich = n % 3 != 1
    return Entry(
        paper_id=n,
        scheme="arxiv",
        value=f"2603.{n:05d}",
        title=Marked(title, ((0, 3), (3, 7)) if marks else ()),
        abstract=Marked(text, ((4, 7), (21, 25)) if marks else ()) if n != 4 else Marked(""),
        authors=("Ada B. <C>", "D & E") if n != 3 else (),
        author_count=2 + n,
        dated_on=date(2025 + n % 2, 12, 30),
        place="cs.LG" if is_rich else "",
        votes=n or None,
        comments=n % 2 or None,
        links={"abs": f"https://one.example/{n}?a=1&b=2", "pdf": "https://one.example/p"}
        if is_rich
        else {},
        reasons=(Reason("this & that", "title"), Reason("name", "abstract")) if marks else (),
        also_in=("First", "Other") if n == 2 else (),
        again=n == 5,
        score=n / 7,
        parts={"votes": 0.5},
        summary_line=_WORDS if n == 6 else "",
        withdrawn=n == 7,
    )


def _line(n: int) -> Line:
    link = "https://one.example/line" if n else ""
    title = Marked(_WORDS * (1 + n), ((0, 3),) if n else ())
    return Line(
        paper_id=50 + n,
        scheme="doi",
        value="10.1/a(b)",
        title=title,
        link=link,
        again=n == 1,
        withdrawn=n == 2,
    )


def _news() -> Section:
    at = datetime(2026, 3, 8, 12, tzinfo=UTC)
    code = Happening("code", "https://code.example/x", at)
    votes = Happening("votes", "50", at)
    news = [
        Signal(
            paper_id=70 + n,
            scheme="arxiv",
            value=f"2602.{n:05d}",
            title=Marked(_LONG if n else _WORDS, ((0, 3),)),
            happenings=(code, votes) if n else (Happening("doi", "10.1/x", at),),
            had_on=date(2026, 2, 3) if n else None,
            again=bool(n),
        )
        for n in range(2)
    ]
    return Section(kind="signals", name="", total=2, signals=tuple(news))


def _again(digest: Digest) -> Digest:
    """The same papers for a reader with other words."""

    def other(entry: Entry) -> Entry:
        return replace(
            entry,
            title=Marked(entry.title.text, ((8, 11),)),
            abstract=Marked(entry.abstract.text, ()),
            reasons=(Reason("say", "title"),),
            score=9.0,
            parts={},
        )

    sections = tuple(
        replace(s, profile_id=99, entries=tuple(other(e) for e in s.entries))
        for s in digest.sections
    )
    return replace(digest, sections=sections, checked=7, matched=3)
