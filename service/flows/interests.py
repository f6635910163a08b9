"""A reader's interests: read from what was typed, named, stored with their compiled form."""

import re
from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from typing import Any

from service.defaults import DAYS, FIXED
from service.delivery.plain import clipped
from service.errors import Sentence, SpokenError, counted, quoted
from service.matching.compiled import COMPILED_VERSION, compile_query
from service.matching.own import own_people, without_own
from service.matching.parse import (
    parse_keywords,
    parse_people,
    parse_query,
    read_again,
    read_words,
)
from service.matching.query import Query, QueryError
from service.store import subscribers as subscribers_store
from service.store.db import Session
from service.store.tables import ProfileRow
from service.subscribers.model import Cadence, ProfileKind
from service.subscribers.options import LateSignals, Options, read_options, write_options
from service.text.clean import collapse

MOST_CAP = 40
MOST_SCORE = 1000.0
MOST_NAME = 80
GOOD_NAME = 60
"""Letters of a name that is made: a heading of one line, of two on a phone."""


class InterestError(SpokenError):
    """An interest that cannot be had or changed like this; ``where`` is the field."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """What a reader asks for. query is None for trending."""

    kind: ProfileKind
    text: str
    query: Query | None

    @property
    def name(self) -> str:
        """A name made of the first words, whole ones, and how many follow: "LoRA · PEFT + 4"."""
        if self.query is None:
            return "Trending"
        terms = self.query.terms
        if not terms:
            return clipped(self.text, MOST_NAME) or "Papers"
        shown = 1
        while shown < min(3, len(terms)) and len(" · ".join(terms[: shown + 1])) <= GOOD_NAME:
            shown += 1
        rest = f" + {len(terms) - shown}" if len(terms) > shown else ""
        return clipped(" · ".join(terms[:shown]), MOST_NAME - len(rest)) + rest


def read_form(words: str) -> Wanted:
    """A form's text: empty = the day's trending papers; operators = a query; else keywords.

    Raises QueryError with the position.
    """
    if not words.strip():
        return Wanted(ProfileKind.TRENDING, "", None)
    query = read_words(words)
    return Wanted(ProfileKind(query.kind), words.strip(), query)


def read_people(people: str) -> Wanted | None:
    """The field *People*: names and organisations, one a line; None where it is empty. Raises
    QueryError with ``where`` people."""
    try:
        return read_kind(ProfileKind.FOLLOW.value, people) if people.strip() else None
    except QueryError as error:
        error.where = "people"
        raise


def read_kind(kind: str, text: str) -> Wanted:
    """A text of a stated kind: keywords, query, follow or trending. Raises QueryError."""
    chosen = ProfileKind(kind)
    if chosen is ProfileKind.TRENDING:
        return Wanted(chosen, "", None)
    read = {
        ProfileKind.KEYWORDS: parse_keywords,
        ProfileKind.QUERY: parse_query,
        ProfileKind.FOLLOW: parse_people,
    }[chosen]
    return Wanted(chosen, text.strip(), read(text))


@dataclass(frozen=True, slots=True, kw_only=True)
class InterestChange:
    """An interest as it is to be. name: "" = of its first words · weekday: 0 = Monday, for weekly
    ones · cap: papers in full at most, None = the mail's own · threshold: least score · own: the
    name whose papers are left out, "" = nobody's · signals: later news of papers that came; votes:
    from how many on, None = as the installation says."""

    wanted: Wanted
    name: str = ""
    cadence: Cadence = Cadence.DAILY
    weekday: int = DAYS.index(FIXED.weekly_day)
    cap: int | None = None
    threshold: float = 0.0
    own: str = ""
    signals: bool = False
    votes: int | None = None


def change_of(row: ProfileRow, wanted: Wanted | None = None) -> InterestChange:
    """An interest as it is, a change that changes nothing; or with other words. Words that would
    not be taken any more can stay. Raises QueryError: they cannot even be read."""
    options = read_options(row.options)
    return InterestChange(
        wanted=wanted or _stored(row),
        name=row.name,
        cadence=Cadence(row.cadence),
        weekday=row.weekday,
        cap=row.cap,
        threshold=row.threshold,
        own=options.own,
        signals=options.signals is not None,
        votes=options.signals.votes if options.signals else None,
    )


def _stored(row: ProfileRow) -> Wanted:
    kind = ProfileKind(row.kind)
    query = None if kind is ProfileKind.TRENDING else read_again(row.kind, row.text)
    return Wanted(kind, row.text, query)


def read_cap(text: str) -> int | None:
    """Papers in full at most; "" = all. Raises InterestError."""
    return _number(text, "cap", 1, MOST_CAP, Sentence("Leave it empty for all."))


def read_votes(text: str) -> int | None:
    """Votes from which on they are news; "" = as the installation says. Raises InterestError."""
    return _number(text, "votes", 1, 1_000_000, Sentence("Leave it empty for the usual number."))


def _number(text: str, where: str, low: int, high: int, step: Sentence) -> int | None:
    typed = text.strip()
    if typed and not (
        typed.isdecimal() and typed.isascii() and len(typed) <= 7 and low <= int(typed) <= high
    ):
        what = Sentence("This is no whole number from %(low)s to %(high)s.", low=low, high=high)
        raise InterestError(what, where, step)
    return int(typed) if typed else None


def read_threshold(text: str) -> float:
    """The least score of a paper; "" = every match. Raises InterestError."""
    typed = text.strip().replace(",", ".")
    try:
        number = float(typed or 0)
    except ValueError:
        number = -1.0
    if not 0 <= number <= MOST_SCORE:
        raise InterestError(
            Sentence("This is no score: a number from 0 to %(high)s.", high=int(MOST_SCORE)),
            "threshold",
            Sentence("Leave it empty for every paper that matches."),
        )
    return round(number, 2)


def read_own(text: str, known: str = "") -> str:
    """The name whose papers are left out. known: of the reader, taken where nothing is typed.

    Raises QueryError with ``where`` own_name: nobody knows it, or it is no whole name.
    """
    names = "; ".join(collapse(part) for part in (text.strip() or known).splitlines())[:200]
    try:
        own_people(names)
    except QueryError as error:
        error.where = "own_name"
        raise
    return names


def add_interest(
    session: Session,
    subscriber_id: int,
    wanted: Wanted,
    now: datetime,
    *,
    name: str = "",
    cadence: Cadence = Cadence.DAILY,
    since: date | None = None,
    weekday: int = DAYS.index(FIXED.weekly_day),
    taken: set[str] | None = None,
) -> ProfileRow:
    """Store one interest; the next match run compares it with the papers that are still new.

    taken: as in ``add_profile``.
    """
    change = InterestChange(wanted=wanted, name=name, cadence=cadence, weekday=weekday)
    return add_whole(session, subscriber_id, change, now, since=since, taken=taken)


def add_whole(
    session: Session,
    subscriber_id: int,
    change: InterestChange,
    now: datetime,
    *,
    since: date | None = None,
    taken: set[str] | None = None,
) -> ProfileRow:
    """Store an interest with all that was chosen for it."""
    options = _options(change, Options(), now)
    return subscribers_store.add_profile(
        session,
        subscriber_id=subscriber_id,
        name=collapse(change.name)[:80] or change.wanted.name,
        kind=change.wanted.kind.value,
        text=change.wanted.text,
        now=now,
        compiled=_compiled(change.wanted, options),
        fold_version=COMPILED_VERSION,
        cadence=change.cadence.value,
        weekday=change.weekday,
        cap=change.cap,
        threshold=change.threshold,
        since=since,
        options=write_options({}, options),
        taken=taken,
    )


def _compiled(wanted: Wanted, options: Options) -> dict[str, Any] | None:
    """The stored query: what is wanted, less the reader's own papers."""
    if wanted.query is None:
        return None
    return compile_query(without_own(wanted.query, options.own))


def _options(change: InterestChange, before: Options, now: datetime) -> Options:
    """News count from the opt-in on; a changed number of votes keeps its instant."""
    signals = None
    if change.signals and change.wanted.query is not None:
        signals = replace(before.signals or LateSignals(now), votes=change.votes)
    return Options(change.own, signals)


def add_one_more(
    session: Session,
    subscriber_id: int,
    change: InterestChange,
    now: datetime,
    *,
    since: date | None,
    most: int,
) -> ProfileRow:
    """Add an interest to those that a reader has. Raises InterestError: above ``most``, one that
    is there already, or a name that another has."""
    rows = subscribers_store.list_profile_rows(session, subscriber_id)
    if len(rows) >= most:
        what = counted(
            "You have %(num)s interest; %(most)s are the most.",
            "You have %(num)s interests; %(most)s are the most.",
            len(rows),
            most=most,
        )
        raise InterestError(what, "words", Sentence("Remove one first."))
    _check_new(change.wanted, rows)
    if change.name:
        _check_name(collapse(change.name)[:MOST_NAME], rows)
    return add_whole(session, subscriber_id, change, now, since=since)


def apply_change(session: Session, row: ProfileRow, change: InterestChange, now: datetime) -> None:
    """Make an interest what it is to be. Raises InterestError: another one has its name."""
    others = [
        other
        for other in subscribers_store.list_profile_rows(session, row.subscriber_id)
        if other.id != row.id
    ]
    name = collapse(change.name)[:MOST_NAME] or change.wanted.name
    _check_name(name, others)
    if (change.wanted.kind.value, change.wanted.text) != (row.kind, row.text):
        _check_new(change.wanted, others)
    before = read_options(row.options)
    options = _options(change, before, now)
    if options.own != before.own:
        row.kind = ""  # another query, though the words are the same
    row.options = write_options(row.options, options)
    change_interest(
        session, row, now, wanted=change.wanted, name=name, cadence=change.cadence.value,
        weekday=change.weekday, cap=change.cap, threshold=change.threshold,
    )  # fmt: skip


def _check_name(name: str, others: Iterable[ProfileRow]) -> None:
    if name in {other.name for other in others}:
        what = Sentence("Another interest has this name.")
        raise InterestError(what, "name", Sentence("Choose another."))


def _check_new(wanted: Wanted, others: Iterable[ProfileRow]) -> None:
    """The same asked for twice would bring nothing more: a paper rides once."""
    asked = _asked(wanted.kind.value, wanted.text)
    for other in others:
        if asked == _asked(other.kind, other.text):
            what = Sentence(
                "Your interest %(name)s asks for this already.", name=quoted(other.name)
            )
            raise InterestError(what, "words", Sentence("Change that one, or other words here."))


def _asked(kind: str, text: str) -> tuple[str, frozenset[str]]:
    """What tells two interests apart: of lists neither order nor capitals."""
    if kind == ProfileKind.QUERY.value:
        return kind, frozenset({collapse(text)})
    parts = re.split(r"[\n;]" if kind == ProfileKind.FOLLOW.value else r"[\n,;]", text)
    return kind, frozenset(filter(None, (collapse(part).casefold() for part in parts)))


def change_interest(
    session: Session,
    row: ProfileRow,
    now: datetime,
    *,
    wanted: Wanted | None = None,
    **values: Any,
) -> None:
    """Edit an interest. ``since`` stays: a wider query does not dig up the past."""
    if wanted is not None and (wanted.text, wanted.kind.value) != (row.text, row.kind):
        row.kind, row.text = wanted.kind.value, wanted.text
        row.compiled = _compiled(wanted, read_options(row.options))
        row.fold_version = COMPILED_VERSION
        row.matched_at = None
    for name, value in values.items():
        setattr(row, name, value)
    row.changed_at = now
    session.add(row)


def pause_interest(session: Session, row: ProfileRow, now: datetime, *, paused: bool) -> None:
    """Let an interest rest, or take it up again: what came meanwhile is not dug up, and it meets
    the papers that are new now."""
    if not paused and row.paused:
        row.matched_at = None
        today = now.date() - timedelta(days=1)
        row.since = max(row.since or today, today)
    change_interest(session, row, now, paused=paused)


def remove_interest(session: Session, row: ProfileRow, *, has_trending: bool) -> None:
    """Remove an interest; the last one stays (leaving is another act). Raises InterestError."""
    rows = subscribers_store.list_profile_rows(session, row.subscriber_id)
    if len(rows) < 2 and not has_trending:
        raise InterestError(
            Sentence("This is your only interest."),
            "",
            Sentence("Add another first, pause it, or leave."),
        )
    session.delete(row)
