"""What answers about readers, imports, sources and papers by hand look like. Fields may be added;
none is renamed."""

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
    """A list that was brought in. state: looking, refused, tried, wanted, running, stopped or done
    · rows: of the files · done: what it did, by name · undone: readers erased by its undoing."""

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


class Parameter(Shape):
    """What a kind of source is told. choices: the values it may have, none = any."""

    name: str
    label: str
    example: str
    required: bool
    default: str
    choices: list[dict[str, str]]
    hint: str


class Kind(Shape):
    """A kind of source. past: days that one question about its past covers, 0 = it has none ·
    votes: its papers have them."""

    kind: str
    title: str
    about: str
    parameters: list[Parameter]
    example: str
    days: str
    politeness: str
    past: int
    votes: bool


class Kinds(Shape):
    """A list."""

    total: int
    offset: int
    kinds: list[Kind]


class Trial(Shape):
    """What a source would bring. items: entries read · papers: the sum of new, known, here (there
    already), updates and unwanted (left out by the parameters) · problems: entries that could not
    be read · fields: of the papers, how many have each."""

    title: str
    items: int
    papers: int
    new: int
    known: int
    here: int
    updates: int
    unwanted: int
    problems: list[dict[str, Any]]
    fields: list[dict[str, Any]]


class NewSource(Shape):
    """A source that was added. history: days of its past that come in · added: false = it was there
    already."""

    id: int
    kind: str
    title: str
    params: dict[str, str]
    history: int
    added: bool


class Source(Shape):
    """A source with its health. says: its state in a word · held: papers that wait for a decision ·
    trouble: what is wrong, null where nothing is."""

    id: int
    kind: str
    what: str
    title: str
    state: str
    says: str
    papers: int
    newest_on: date | None
    last_poll_at: Moment | None
    next_poll_at: Moment | None
    usual_end: Moment | None
    failures: int
    last_error: str
    held: int
    trouble: dict[str, str] | None


class Sources(Shape):
    """A page of a list."""

    total: int
    offset: int
    sources: list[Source]


class Poll(Shape):
    """What the newest poll came to. waits: somebody asked, and it has not answered yet."""

    id: int
    asked_at: Moment | None
    waits: bool
    at: Moment | None
    answer: dict[str, Any]
    says: str


class SourceWithPoll(Source):
    """One source, and what its newest poll brought."""

    poll: Poll


class SourceDay(Shape):
    """A day of a source's own calendar. items: of the newest answer · new, known: papers ·
    completed_at: when a batch came."""

    day: date
    expected: bool
    asked_at: Moment | None
    completed_at: Moment | None
    items: int
    new: int
    known: int
    word: str
    says: str


class SourceDays(Shape):
    """Days, newest first."""

    total: int
    offset: int
    days: list[SourceDay]


class Missing(Shape):
    """Days of which nothing is there. missed: would be new · lost: would be known · wanted: are
    being brought in · can_ask: its past can be asked for."""

    missed: list[date]
    lost: list[date]
    wanted: list[date]
    can_ask: bool


class Burst(Shape):
    """Papers that wait for a decision. usual: of a usual day · since: when the first came ·
    counted: of how many readers, matches and alerts are told."""

    id: int
    title: str
    papers: int
    usual: float | None
    since: Moment | None
    samples: list[dict[str, Any]]
    counted: int
    readers: int
    matches: int
    alerts: int


class SourceChange(Shape):
    """effects: what follows, in words; none = nothing changes."""

    id: int
    title: str
    params: dict[str, str]
    effects: list[str]


class SourceDone(Shape):
    """What was done with a source. papers: how many a decision took."""

    id: int
    title: str
    act: str
    papers: int


class Share(Shape):
    """What a source brought. alone: papers that no other source showed · only_readers: who had
    papers from nowhere else."""

    source: int
    title: str
    category: str
    papers: int
    matched: int
    alone: int
    readers: int
    only_readers: int


class Shares(Shape):
    """A page of a list."""

    total: int
    offset: int
    shares: list[Share]


class DeskPaper(Shape):
    """A paper with all that is known of it here. names: like arxiv:2611.00001 · hidden: why, "" =
    it is shown · joins: papers that were joined with it by hand."""

    id: int
    title: str
    abstract: str
    authors: list[str]
    names: list[str]
    hidden: str
    sightings: list[dict[str, Any]]
    events: list[dict[str, Any]]
    readers: int
    joins: list[dict[str, Any]]


class Joined(DeskPaper):
    """The paper that was kept. join: the number of the join, by which it can be parted again."""

    join: int


class JoinPlan(Shape):
    """What joining would make. differences: facts that are not the same in both · warnings: why
    they may be two works."""

    keep: int
    join: int
    differences: list[dict[str, Any]]
    same: list[str]
    names: list[str]
    warnings: list[str]


class Parted(Shape):
    """Two papers again."""

    kept: int
    parted: int


class FetchedAgain(Shape):
    """changed: fields that are other ones now."""

    id: int
    title: str
    changed: list[str]


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
