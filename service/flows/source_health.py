"""The health of the sources, as everybody may see it."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta
from typing import Any
from urllib.parse import urlsplit

from service.defaults import FIXED
from service.errors import Sentence
from service.flows.runtime import Runtime
from service.flows.source_days import NoSourceError, SourceDay, lay_days
from service.flows.usual import find_usual_ends
from service.flows.watch import choose_gaps
from service.sources.adapter import ParameterError
from service.sources.calendar import source_day
from service.sources.registry import ADAPTERS
from service.sources.trouble import Trouble, trouble_of
from service.store import audience as audience_store
from service.store import listing
from service.store import sources as sources_store
from service.store.db import Session
from service.store.pace import PaceState, list_paces
from service.store.tables import SourceDayRow, SourceRow

STRIP_DAYS = 14


@dataclass(frozen=True, slots=True, kw_only=True)
class SourceHealth:
    """One source as pages and commands show it.

    sign, word: its state · usual_end: when today's list should be complete, None without a habit.
    days: of its own calendar, oldest first · trouble: what is wrong, since when (None = today or
    unknown) · held: papers that wait for a person · pace: of its server, None before it was asked.
    old: what becomes of a paper that was published long ago, None where lists say what is new.
    what, last_error: for the staff alone (they may hold addresses).
    """

    id: int
    kind: str
    what: str
    title: str
    state: str
    sign: str
    word: Sentence
    papers: int
    newest_on: date | None
    last_poll_at: datetime | None
    next_poll_at: datetime | None
    usual_end: datetime | None
    days: tuple[SourceDay, ...]
    old: Sentence | None
    trouble: Trouble | None
    since: datetime | None
    failures: int
    last_error: str
    held: int
    pace: PaceState | None

    @property
    def paused(self) -> bool:
        """Nobody asks it."""
        return self.state in ("paused", "gone")


_STATES = {
    "ok": ("complete", Sentence("in order")),
    "late": ("late", Sentence("late")),
    "stale": ("late", Sentence("late")),
    "silent": ("late", Sentence("silent")),
    "paused": ("empty", Sentence("not asked now")),
    "failing": ("failed", Sentence("no answer")),
    "gone": ("failed", Sentence("ended")),
}


def state_of(
    state: str, *, failures: int = 0, held: int = 0, gap: bool = False
) -> tuple[str, Sentence]:
    """A source's state as a sign and words. held: papers that wait for a person.
    gap: papers may have passed by."""
    if state == "ok" and failures:
        return "late", Sentence("tried again")
    if state == "ok" and held:
        return "late", Sentence("papers held")
    if state == "ok" and gap:
        return "late", Sentence("may lack papers")
    return _STATES.get(state, ("failed", Sentence("unknown")))


@dataclass(frozen=True, slots=True, kw_only=True)
class FirstAnswer:
    """Why no paper is there yet. asking: a source is being asked for the first time · failed_at:
    it did not answer then · next_at: when a source is asked next."""

    title: str = ""
    asking: bool = False
    failed_at: datetime | None = None
    next_at: datetime | None = None


def first_answer(rt: Runtime) -> FirstAnswer:
    """What is waited for, in an installation without any paper."""
    return rt.db.read(lambda s: _first_answer(s, rt.clock()))


def _first_answer(session: Session, now: datetime) -> FirstAnswer:
    asked = listing.list_asked(session)
    for row in asked:
        if row.last_poll_at is None and not row.failures:
            return FirstAnswer(title=row.title, asking=True)
    for row in asked:
        if row.failures and row.id is not None:
            days = sources_store.list_source_days(session, source_day(row.kind, now), row.id)
            failed_at = next((d.polled_at for d in days if d.state == "failed"), None)
            if failed_at is not None:
                return FirstAnswer(title=row.title, failed_at=failed_at, next_at=row.next_poll_at)
    return FirstAnswer(next_at=asked[0].next_poll_at if asked else None)


def read_sources(rt: Runtime, *, days: int = STRIP_DAYS) -> list[SourceHealth]:
    """Every source, in the order they were added."""
    return rt.db.read(lambda s: _read_sources(s, rt.clock(), days, None))


def read_source(rt: Runtime, source_id: int, *, days: int = STRIP_DAYS) -> SourceHealth:
    """One source. Raises NoSourceError."""
    found = rt.db.read(lambda s: _read_sources(s, rt.clock(), days, source_id))
    if not found:
        raise NoSourceError(source_id)
    return found[0]


def _read_sources(
    session: Session, now: datetime, days: int, only: int | None
) -> list[SourceHealth]:
    usual = find_usual_ends(session, now)
    held = audience_store.count_held_papers(session)
    paces = {pace.key: pace for pace in _paces(session, now)}
    ledger: dict[int, dict[date, SourceDayRow]] = {}
    first = now.date() - timedelta(days=max(days, FIXED.gap_days))
    for row in sources_store.list_source_days(session, first, only):
        ledger.setdefault(row.source_id, {})[row.day] = row
    sums = {one["id"]: one for one in sources_store.summary(session)}
    return [
        _health(source, sums[source.id], now, days, ledger, usual, held.get(source.id, 0), paces)
        for source in sources_store.list_sources(session)
        if source.id is not None and only in (None, source.id)
    ]


def _health(
    source: SourceRow,
    sums: Mapping[str, Any],
    now: datetime,
    days: int,
    ledger: Mapping[int, Mapping[date, SourceDayRow]],
    usual: Mapping[int, datetime],
    held: int,
    paces: Mapping[str, PaceState],
) -> SourceHealth:
    assert source.id is not None
    today = source_day(source.kind, now)
    gaps = [r.day for r in choose_gaps(source, ledger.get(source.id, {}).values(), today)]
    sign, word = state_of(source.state, failures=source.failures, held=held, gap=bool(gaps))
    since = source.last_new_at if source.state == "silent" else None
    if source.failures or source.state == "gone":
        since = source.last_poll_at
    return SourceHealth(
        id=source.id,
        kind=source.kind,
        what=sums["what"],
        title=source.title,
        state=source.state,
        sign=sign,
        word=word,
        papers=sums["papers"],
        newest_on=date.fromisoformat(sums["newest_on"]) if sums["newest_on"] else None,
        last_poll_at=source.last_poll_at,
        next_poll_at=source.next_poll_at,
        usual_end=usual.get(source.id),
        days=tuple(lay_days(source, ledger.get(source.id, {}), today, days)),
        old=_rule_of_old(source.kind),
        trouble=trouble_of(
            source.kind,
            source.state,
            failures=source.failures,
            reason=source.last_error,
            held=held,
            gap_on=max(gaps, default=None),
            asked_every=_interval(source),
        ),
        since=since,
        failures=source.failures,
        last_error=source.last_error,
        held=held,
        pace=paces.get(pace_key(source, today)),
    )


def _interval(source: SourceRow) -> timedelta | None:
    """How long after its last answer a source is asked again."""
    if source.last_poll_at is None or source.next_poll_at is None or source.failures:
        return None
    return source.next_poll_at - source.last_poll_at


def _rule_of_old(kind: str) -> Sentence | None:
    made = ADAPTERS.get(kind)
    if made is None or made.rhythm.lists:
        return None
    if made.history_kind:
        return Sentence(
            "What was published more than %(days)s days ago is kept as known.", days=FIXED.old_days
        )
    return Sentence(
        "What was published more than %(days)s days ago waits for you; where only an earlier month"
        " or year is named, it is kept as known.",
        days=FIXED.old_days,
    )


def pace_key(source: SourceRow, today: date) -> str:
    """Whose pace a source shares: the word of its kind, or its server."""
    made = ADAPTERS.get(source.kind)
    if made is None:
        return ""
    if made.politeness:
        return made.politeness
    try:
        asked = made.requests(made.checked(source.params), today=today)
    except ParameterError:  # a source that ingest made has none
        return ""
    return urlsplit(asked[0].url).hostname or "" if asked else ""


def read_paces(rt: Runtime) -> list[PaceState]:
    """Every server that was ever asked, with today's requests (a day of UTC); ``paused_until`` is
    None once it is over."""
    return rt.db.read(lambda s: _paces(s, rt.clock()))


def _paces(session: Session, now: datetime) -> list[PaceState]:
    return [
        replace(pace, paused_until=None) if pace.paused_until and pace.paused_until <= now else pace
        for pace in list_paces(session, now.astimezone(UTC).date())
    ]
