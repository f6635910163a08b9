"""What answers about sources and papers by hand look like. Fields may be added; none is renamed."""

from datetime import date
from typing import Any

from service.api.shapes import Shape
from service.api.values import Moment


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
