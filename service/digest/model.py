"""The digest as data: frozen on the delivery row before the first attempt. Pure.

Sending, retry, view in browser, history and "why" read only this value, so it holds the shown
words themselves (a paper that is refreshed later does not change a mail already composed).
``to_json``/``from_json`` are versioned; a new field gets a default so that old rows still load.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, fields, replace
from datetime import date, datetime
from typing import Any, Literal

VERSION = 1

DigestKind = Literal["daily", "weekly", "catchup", "first", "alert", "manual"]
SectionKind = Literal["picks", "people", "interest", "signals", "trending", "chosen"]
HappeningKind = Literal["withdrawn", "code", "doi", "votes"]
Asks = Literal["words", "interests", "trending"]
"""What papers were compared with: words, too; people, categories and figures alone; votes alone."""
Field = Literal["title", "abstract", "authors", "categories", "source", "organisation", "id"]


@dataclass(frozen=True, slots=True)
class Marked:
    """Plain text and the half-open character ranges (start, end) to highlight, in order."""

    text: str
    marks: tuple[tuple[int, int], ...] = ()

    def pieces(self) -> Iterator[tuple[str, bool]]:
        """Yield (text, is_marked) so that the pieces joined are the whole text."""
        at = 0
        for start, end in self.marks:
            if start > at:
                yield self.text[at:start], False
            yield self.text[start:end], True
            at = end
        if at < len(self.text):
            yield self.text[at:], False


@dataclass(frozen=True, slots=True)
class Reason:
    """Why a paper is there: the reader's term as typed, and the field where it was found."""

    term: str
    where: Field


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """A paper shown in full.

    abstract: already cut to the reader's choice (short, full, none -> empty), cut places "[...]";
    summary_line: the source's machine-made line, shown in its place for who chose that.
    place: category or source by name · also_in: names of the other interests that wanted it.
    again: carried from an unconfirmed delivery: "you may have seen this".
    parts: the documented parts of the score, which add up to ``score``.
    """

    paper_id: int
    scheme: str
    value: str
    title: Marked
    abstract: Marked = Marked("")
    authors: tuple[str, ...] = ()
    author_count: int = 0
    dated_on: date | None = None
    place: str = ""
    votes: int | None = None
    comments: int | None = None
    links: Mapping[str, str] = field(default_factory=dict)
    reasons: tuple[Reason, ...] = ()
    also_in: tuple[str, ...] = ()
    again: bool = False
    score: float = 0.0
    parts: Mapping[str, float] = field(default_factory=dict)
    summary_line: str = ""
    withdrawn: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """A paper shown as one line: title and link."""

    paper_id: int
    scheme: str
    value: str
    title: Marked
    link: str = ""
    again: bool = False
    withdrawn: bool = False


@dataclass(frozen=True, slots=True)
class Happening:
    """What happened to a paper later. value: the address of the code, the DOI, or the number of
    votes that was passed; "" for withdrawn."""

    kind: HappeningKind
    value: str
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Signal:
    """A later event of a paper that the reader had: one line, whatever happened.

    had_on: the date of the mail that brought the paper · happenings: the gravest first · again: it
    was in an unconfirmed mail.
    """

    paper_id: int
    scheme: str
    value: str
    title: Marked
    happenings: tuple[Happening, ...]
    link: str = ""
    had_on: date | None = None
    again: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Section:
    """One interest (or people, trending, chosen papers), best first; or late signals; or what the
    editors picked for the day, in their order.

    total: papers of this section, shown or only counted.
    rest: ids of the papers that are only counted ("and 14 more on the web").
    signals: of a section of that kind; its papers were sent before and do not count again.
    since: the first day of its papers where it covers other days than the mail.
    """

    kind: SectionKind
    name: str
    profile_id: int | None = None
    total: int = 0
    entries: tuple[Entry, ...] = ()
    lines: tuple[Line, ...] = ()
    rest: tuple[int, ...] = ()
    signals: tuple[Signal, ...] = ()
    since: date | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class AddedBy:
    """Shown in the first digest of an imported reader."""

    organisation: str
    added_on: date


@dataclass(frozen=True, slots=True, weakref_slot=True, kw_only=True)
class Digest:
    """What one subscriber gets in one edition.

    on: the reader's local date · since: first day covered (catch-up and weekly).
    checked: how many papers were compared · matched: how many contain the reader's words.
    late: titles of sources that were late · read_from: of those that were read, told only beside
    late ones (both named in the first line).
    note: the admin's words on top (manual sends), plain text.
    interests: how many interests were compared (0 = a reader of trending papers alone).
    rest_on: after a pause (or a long outage) the first day whose papers are only on its page.
    list_on: the newest day with a list by then, where it is not ``on``.
    asks: what they were compared with; digests of before say "words".
    """

    kind: DigestKind
    on: date
    checked: int
    matched: int
    sections: tuple[Section, ...]
    since: date | None = None
    late: tuple[str, ...] = ()
    read_from: tuple[str, ...] = ()
    note: str = ""
    subject: str = ""
    added_by: AddedBy | None = None
    interests: int = 0
    rest_on: date | None = None
    list_on: date | None = None
    asks: Asks = "words"
    version: int = VERSION

    def paper_ids(self) -> tuple[int, ...]:
        """Every paper that counts as sent: in full, as a line, or only counted; no repeats."""
        seen: dict[int, None] = {}
        for section in self.sections:
            for entry in section.entries:
                seen[entry.paper_id] = None
            for line in section.lines:
                seen[line.paper_id] = None
            for paper_id in section.rest:
                seen[paper_id] = None
        return tuple(seen)

    def signals(self) -> Iterator[Signal]:
        """Every late signal, in the order of the mail."""
        for section in self.sections:
            yield from section.signals

    def entries(self) -> Iterator[Entry]:
        """Every paper shown in full, in the order of the mail."""
        for section in self.sections:
            yield from section.entries

    @property
    def is_trending_only(self) -> bool:
        """True when no interest has anything in it."""
        kinds = {section.kind for section in self.sections}
        return "trending" in kinds and kinds <= {"trending", "picks"}


def with_profiles(digest: Digest, profiles: Sequence[int | None] | None) -> Digest:
    """Return a digest with one profile's id (or None) for each section; None = as it is."""
    if profiles is None:
        return digest
    pairs = zip(digest.sections, profiles, strict=True)
    return replace(
        digest, sections=tuple(replace(section, profile_id=one) for section, one in pairs)
    )


_NAMES = {
    kind: tuple(field.name for field in fields(kind))
    for kind in (Marked, Reason, Entry, Line, Happening, Signal, Section, AddedBy, Digest)
}
_PLAIN = frozenset({str, int, float, bool, type(None)})


def to_json(digest: Digest) -> dict[str, Any]:
    """Return plain JSON values (dates as ISO strings)."""
    made = _plain(digest)
    assert isinstance(made, dict)
    return made


def _plain(value: Any) -> Any:
    """In one pass: ``dataclasses.asdict`` copies each value first and takes three times as long."""
    kind = type(value)
    if kind in _PLAIN:
        return value
    if kind is tuple or kind is list:
        return [_plain(one) for one in value]
    if names := _NAMES.get(kind):
        return {name: _plain(getattr(value, name)) for name in names}
    if isinstance(value, Mapping):
        return {name: _plain(one) for name, one in value.items()}
    return value.isoformat() if isinstance(value, date) else value


def _marked(data: Mapping[str, Any]) -> Marked:
    return Marked(data["text"], tuple([(int(a), int(b)) for a, b in data.get("marks", ())]))


def _day(value: str | None) -> date | None:
    return date.fromisoformat(value) if value else None


_OF_ENTRY = frozenset(field.name for field in fields(Entry))


def _entry(data: Mapping[str, Any]) -> Entry:
    """What an earlier version did not write has its default; what only a later one knows is left
    out. Read for every paper of every mail."""
    values = dict(data)
    if not values.keys() <= _OF_ENTRY:
        values = {name: value for name, value in data.items() if name in _OF_ENTRY}
    values["title"] = _marked(data["title"])
    if abstract := data.get("abstract"):
        values["abstract"] = _marked(abstract)
    values["authors"] = tuple(data.get("authors", ()))
    values["also_in"] = tuple(data.get("also_in", ()))
    values["dated_on"] = _day(data.get("dated_on"))
    values["links"] = dict(data.get("links", {}))
    values["parts"] = dict(data.get("parts", {}))
    values["reasons"] = tuple([Reason(r["term"], r["where"]) for r in data.get("reasons", ())])
    return Entry(**values)


def _line(data: Mapping[str, Any]) -> Line:
    return Line(
        paper_id=data["paper_id"],
        scheme=data["scheme"],
        value=data["value"],
        title=_marked(data["title"]),
        link=data.get("link", ""),
        again=data.get("again", False),
        withdrawn=data.get("withdrawn", False),
    )


def _signal(data: Mapping[str, Any]) -> Signal:
    return Signal(
        paper_id=data["paper_id"],
        scheme=data["scheme"],
        value=data["value"],
        title=_marked(data["title"]),
        happenings=tuple(
            Happening(h["kind"], h["value"], datetime.fromisoformat(h["at"]))
            for h in data["happenings"]
        ),
        link=data.get("link", ""),
        had_on=_day(data.get("had_on")),
        again=data.get("again", False),
    )


def from_json(data: Mapping[str, Any]) -> Digest:
    """Read what ``to_json`` wrote, of this or an earlier version."""
    added = data.get("added_by")
    return Digest(
        kind=data["kind"],
        on=date.fromisoformat(data["on"]),
        checked=data["checked"],
        matched=data["matched"],
        sections=tuple(
            Section(
                kind=s["kind"],
                name=s["name"],
                profile_id=s.get("profile_id"),
                total=s.get("total", 0),
                entries=tuple(_entry(e) for e in s.get("entries", ())),
                lines=tuple(_line(x) for x in s.get("lines", ())),
                rest=tuple(s.get("rest", ())),
                signals=tuple(_signal(x) for x in s.get("signals", ())),
                since=_day(s.get("since")),
            )
            for s in data["sections"]
        ),
        since=_day(data.get("since")),
        late=tuple(data.get("late", ())),
        read_from=tuple(data.get("read_from", ())),
        note=data.get("note", ""),
        subject=data.get("subject", ""),
        added_by=AddedBy(
            organisation=added["organisation"], added_on=date.fromisoformat(added["added_on"])
        )
        if added
        else None,
        interests=data.get("interests", 0),
        rest_on=_day(data.get("rest_on")),
        list_on=_day(data.get("list_on")),
        asks=data.get("asks", "words"),
        version=data.get("version", VERSION),
    )
