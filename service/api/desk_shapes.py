"""What answers about readers, imports and the pace of mails look like. Fields may be added; none is
renamed."""

from datetime import date
from typing import Any

from service.api.shapes import Shape
from service.api.values import Instant, Moment


class Interest(Shape):
    """What a reader asks for. kind: keywords, query, follow or trending."""

    name: str
    kind: str
    text: str
    cadence: str
    paused: bool


class NumberedInterest(Interest):
    """The same with its number."""

    id: int


class Reader(Shape):
    """A reader with interests and tags. state: pending, active, left or bounced · rests_until: no
    mail before then, since the last ones came back."""

    id: int
    email: str | None
    name: str
    state: str
    interests: list[Interest]
    zone: str
    hour: int
    weekdays: str
    locale: str
    next_digest_at: Instant | None
    paused_until: str | None
    created_at: Instant | None
    confirmed_at: Instant | None
    tags: list[str]
    rests_until: Instant | None


class Readers(Shape):
    """A page of a list."""

    total: int
    offset: int
    readers: list[Reader]


class Event(Shape):
    """One event of a reader's story. kind: consent, interest, mail, report, mark or act · what,
    more: in words."""

    kind: str
    id: int
    at: Instant


class Story(Shape):
    """A page of it."""

    total: int
    offset: int
    events: list[Event]


class DayOfReader(Shape):
    """One local date. state: of its mail, "" = none was planned · delivery: its number · says: what
    it was, or why there was none."""

    on: date
    state: str
    delivery: int | None
    says: str


class Mail(Shape):
    """A reader's mail of a date. says: which mail it is, or why there is none · stored: the one
    that was planned or sent, not composed now · subject, text, html: empty where there is none."""

    email: str
    on: date | None
    says: str
    stored: bool
    subject: str
    text: str
    html: str


class Tag(Shape):
    """A tag with the number of its readers."""

    tag: str
    readers: int


class Import(Shape):
    """A list that was brought in. state: looking, refused, tried, wanted, running, stopped, done
    or undoing · rows: of the files · done: what it did, by name · undone: readers erased by its
    undoing · undo: how far the last one is, readers (at the press), gone (erased) and seen (gone,
    or kept since a mail went to them meanwhile); empty where there was none."""

    id: int
    at: Instant
    by: str
    state: str
    form: str
    files: list[str]
    rows: int
    done: dict[str, Any]
    done_at: Instant | None
    undone: int
    undo: dict[str, int]
    has_problems: bool


class Imports(Shape):
    """A page of a list."""

    total: int
    offset: int
    imports: list[Import]


class Bar(Shape):
    """An address that is never mailed, as a code. by: who or what brought the bar · why: in their
    words, or the mail server's."""

    code: str
    reason: str
    since: Instant
    by: str
    why: str


class Bars(Shape):
    """A page of a list."""

    total: int
    offset: int
    suppressions: list[Bar]


class Limited(Shape):
    """An account, or a group of receiving domains. had, most: mails by window · until: nothing goes
    before then · rests: one mail can be tried before."""

    kind: str
    name: str
    had: dict[str, int]
    most: dict[str, int]
    at_once: int | None
    until: Moment | None
    rests: bool
    why: str
    waiting: int


class TriedRest(Shape):
    """until: when the rest would have ended · waiting: mails that may go now."""

    name: str
    until: Moment
    waiting: int


class Resent(Shape):
    """Counted with dry_run: mails, left_out, examples (numbers of deliveries). Sent: edition,
    planned, left_out, is_new."""

    left_out: dict[str, int]


class CountAsked(Shape):
    """counted: the count before, null = none yet."""

    counted: dict[str, Any] | None
