"""What answers about papers and mails look like. Fields may be added; none is renamed."""

from typing import Any

from pydantic import BaseModel, ConfigDict

from service.api.values import Instant


class Shape(BaseModel):
    """Fields that there may be more of."""

    model_config = ConfigDict(extra="allow")


class Paper(Shape):
    """One paper. scheme, value: its name, as in the addresses of pages · link: where it is read ·
    submitted_by: the reader who proposed it, "" = none · votes_here: of this house's readers."""

    scheme: str
    value: str
    title: str
    authors: list[str]
    link: str
    withdrawn: bool


class Found(Shape):
    """Papers for words. reading: how the words were understood · basis: papers looked at · unread:
    papers that are still being read in · related: like these, without the words."""

    reading: str
    basis: int
    unread: int
    total: int
    papers: list[Paper]
    related: list[Paper]


class DayOfSource(Shape):
    """How many papers of the day one source listed."""

    source: int
    title: str
    papers: int


class PapersOfDay(Shape):
    """A day's list. whole: papers without the choice · previous, next: days with papers · note,
    picks: the editors'."""

    on: str
    total: int
    whole: int
    previous: str | None
    next: str | None
    sources: list[DayOfSource]
    note: str
    papers: list[Paper]


class Basis(Shape):
    """What an estimate was counted on; ``says`` in words."""

    papers: int
    days: int
    says: str


class Estimate(Shape):
    """What an interest would have brought. per_day: by day · per_term: by word · dead_terms: words
    that brought nothing."""

    reading: str
    basis: Basis
    per_weekday: float
    total: int
    per_day: dict[str, int]
    dead_terms: list[str]
    warning: str


class Word(Shape):
    """A word for an interest, with what it would have brought."""

    term: str
    papers: int
    per_weekday: float


class Words(Shape):
    """Words out of a text. stored: the text is that of a stored paper."""

    title: str
    stored: bool
    basis: Basis
    words: list[Word]


class Topic(Shape):
    """A saved search with a page of its own. kind: how ``text`` is read · likes: seed papers."""

    name: str
    title: str
    about: str
    kind: str
    text: str
    likes: list[str]


class TopicWithPapers(Topic):
    """The same with its papers, newest first. fresh: of the last days."""

    total: int
    fresh: int
    papers: list[Paper]


class Alarm(Shape):
    """What is wrong until it is over. count: how often it was seen · told_at: when the staff was
    mailed."""

    id: int
    kind: str
    key: str
    state: str
    what: str
    where: str
    next_step: str
    since: Instant
    seen_at: Instant
    count: int
    told_at: Instant | None
    ended_at: Instant | None


class Delivery(Shape):
    """One mail to one reader. email: "" once erased · code, enhanced, words: of the server's last
    answer · meaning: what that was about · kind: of mail."""

    id: int
    edition: int
    email: str
    kind: str
    state: str
    code: int | None
    enhanced: str
    reason: str
    words: str
    meaning: str
    attempts: int
    message_id: str
    planned_at: Instant
    not_before: Instant | None
    accepted_at: Instant | None


class Deliveries(Shape):
    """A page of a list."""

    total: int
    offset: int
    deliveries: list[Delivery]


class SendTry(Shape):
    """One try, with the server's words. phase: how far the conversation came · relay_id: the name
    the server gave the mail."""

    n: int
    at: Instant
    phase: str
    code: int | None
    enhanced: str
    text: str
    relay_id: str


class Step(Shape):
    """at: null where no instant is kept."""

    at: Instant | None
    words: str


class Report(Shape):
    """A report that came back. said: what followed from it."""

    id: int
    inbound: int
    at: Instant
    kind: str
    reason: str
    status: str
    code: int | None
    words: str
    recipient: str
    domain: str
    said: str
    delivery: int | None


class DeliveryStory(Delivery):
    """One mail with its whole way. steps, story: in words · ahead: what happens to it next by
    itself · answers: what may be said of it while it is held."""

    domain: str
    says: str
    deadline_at: Instant | None
    tries: list[SendTry]
    came_back: list[Report]
    steps: list[Step]
    story: str
    ahead: Step | None
    answers: list[str]


class Group(Shape):
    """Mails that were answered alike. name: a word of meaning · resend, again, done: whether
    sending again makes sense, for how many, and how many were."""

    name: str
    meaning: str
    advice: str
    count: int
    states: dict[str, int]
    words: list[dict[str, Any]]
    domains: list[dict[str, Any]]
    examples: list[int]
    resend: bool
    again: int
    done: int


class Settled(Shape):
    """What became of a held mail."""

    id: int
    before: str
    state: str


class HeldMany(Shape):
    """Held mails of which one thing is, or was, said."""

    answer: str
    mails: int


class Reports(Shape):
    """A page of a list."""

    total: int
    offset: int
    bounces: list[Report]


class MailIn(Shape):
    """A mail that came in, with what was understood of each recipient."""

    id: int
    at: Instant
    way: str
    sender: str
    subject: str
    size: int
    state: str
    decision: str
    reports: list[Report]


class Rate(Shape):
    """Counts of a day or a domain, with shares of what was accepted in percent."""

    name: str
    accepted: int
    hard: int
    soft: int
    policy: int
    content: int
    complaints: int
    hard_percent: float | None
    complaints_percent: float | None
    above: list[str]


class Rates(Shape):
    """What came back. limits: in percent, of the providers."""

    limits: dict[str, float]
    all: Rate
    days: list[Rate]
    domains: list[Rate]


class Edition(Shape):
    """A sending occasion with its balance: mails by state, and what is missing. so_far: more may
    be added."""

    id: int
    kind: str
    slot: str
    title: str
    state: str
    planned: int
    accepted: int
    deferred: int
    failed: int
    skipped: int
    held: int
    waiting: int
    missing: int
    so_far: bool
    opened_at: Instant
    not_before: Instant | None


class OneEdition(Edition):
    """The same with how it goes. mails: rows that are, or were, to be sent · ended: rows with an
    end · reasons: of those without a mail, by state · put_off: the servers' words, put_off_until:
    so long the last of them is tried again · refused: by what it means · first: the first few,
    null without · late: readers who came later · rate, left_s: mails a second and seconds left,
    null where nothing moves · undo_s, undo_key: so long it can be taken back, of a daily by this
    key · movable: its time may be another · tested: {address: mails} that went there in test mode ·
    minutes: [minute, accepted]."""

    mails: int
    ended: int
    segment: str
    equation: str
    reasons: dict[str, dict[str, int]]
    put_off: list[dict[str, Any]]
    put_off_until: Instant | None
    refused: list[Group]
    first: dict[str, Any] | None
    late: int
    rate: float | None
    left_s: float | None
    undo_s: int
    undo_key: str
    movable: bool
    tested: dict[str, int]
    minutes: list[list[Any]]


class Editions(Shape):
    """A page of a list."""

    total: int
    offset: int
    editions: list[Edition]
