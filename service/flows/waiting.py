"""Waiting for a batch source that is late: an hour at most, then the mail goes and names it.

Only those readers wait whose interests can want what the batch will bring, and none who chose mail
that is always on time. Due-ness stays in ``next_digest_at``: who waits is due again in a few
minutes.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from service.defaults import FIXED, Defaults
from service.errors import PaperpostError
from service.flows.live import query_of
from service.matching.query import Query
from service.matching.reach import Reach, can_want
from service.sources.calendar import source_day
from service.sources.days import SETTLED, WAITED_FOR
from service.sources.registry import ADAPTERS
from service.store import sources as sources_store
from service.store import subscribers as subscribers_store
from service.store.db import Session
from service.store.newest_days import NewestDay, list_newest_days
from service.store.tables import SourceRow, SubscriberRow
from service.subscribers.cadence import latest_slot, weekly_day
from service.subscribers.model import Cadence, Profile, ProfileKind, Subscriber


@dataclass(frozen=True, slots=True)
class Late:
    """A source whose list is due and not there. reach: what is known of the papers it will bring ·
    has_votes: they may be trending."""

    title: str
    reach: Reach
    has_votes: bool = False

    def may_bring(self, query: Query | None) -> bool:
        """Whether a query can want any of it (None: one that cannot be read; it can)."""
        return query is None or can_want(query, self.reach)


def late_batches(session: Session, now: datetime) -> list[Late]:
    """Batches of their source's own day of which the ledger says that they are not there."""
    late: list[SourceRow] = []
    done: set[str] = set()
    for source in sources_store.list_sources(session):
        made = ADAPTERS.get(source.kind)
        if made is None or not made.is_batch or source.state in ("paused", "gone"):
            continue
        day = source_day(source.kind, now)
        rows = sources_store.list_source_days(session, day, source.id)
        state = next((row.state for row in rows if row.day == day), "open")
        if state in WAITED_FOR:
            late.append(source)
        elif state in SETTLED:
            done.update(made.takes_all_of(source.params))
    return [_late(x.kind, x.params, x.title, done) for x in late]


def _late(kind: str, params: Mapping[str, str], title: str, done: set[str]) -> Late:
    made = ADAPTERS[kind]
    categories = made.categories(params)
    reach = Reach(
        categories=categories,
        without=frozenset(c.lower() for c in done.difference(categories)),
        named=f"{kind}, {title}",
        maybe_named=f"{made.title}, {made.brand}, doi",
    )
    return Late(title, reach, made.has_votes)


def lists_of(session: Session, on: date) -> tuple[list[Late], list[str]]:
    """What a digest of a date says of its sources: those that are late, and the titles of those
    that were read."""
    newest = [x for x in list_newest_days(session, on) if x.kind in ADAPTERS]
    late = [x for x in newest if x.state in WAITED_FOR]
    done: set[str] = set()
    for one in newest:
        if one.state in SETTLED:
            done.update(ADAPTERS[one.kind].takes_all_of(one.params))
    read = [x.title for x in newest if x not in late and _is_read(x)]
    return [_late(x.kind, x.params, x.title, done) for x in late], read


def _is_read(newest: NewestDay) -> bool:
    return newest.state in SETTLED or newest.items > 0


def waiting_readers(
    session: Session, rows: Sequence[SubscriberRow], limits: Defaults, now: datetime
) -> frozenset[int]:
    """Readers whose mail waits while a batch is late that an interest of theirs can want."""
    late = late_batches(session, now) if limits.late_wait_minutes else []
    asking = [row for row in rows if not row.on_time and row.id is not None]
    if not late or not asking:
        return frozenset()
    profiles = subscribers_store.list_profiles(session, [row.id for row in asking if row.id])
    return frozenset(
        row.id
        for row in asking
        if row.id and any(_waits(p, row, late, now) for p in profiles.get(row.id, ()))
    )


def _waits(profile: Profile, row: SubscriberRow, late: Sequence[Late], now: datetime) -> bool:
    if profile.kind is ProfileKind.TRENDING or profile.paused:
        return False
    if profile.cadence is Cadence.WEEKLY and not _rides_today(profile, row, now):
        return False
    query = readable_query(profile)
    return any(one.may_bring(query) for one in late)


def readable_query(profile: Profile) -> Query | None:
    """The query of an interest; None when it cannot be read (any more)."""
    try:
        return query_of(profile.kind.value, profile.text, profile.compiled, profile.options)
    except PaperpostError:
        return None


def _rides_today(profile: Profile, row: SubscriberRow, now: datetime) -> bool:
    """Whether a weekly interest rides in the mail that is due."""
    try:
        reader: Subscriber = subscribers_store.to_subscriber(row)
        slot = latest_slot(reader, now)
    except (PaperpostError, ValueError, KeyError, OSError):
        return False  # a clock that cannot be read is told where the mail is planned
    return slot is not None and weekly_day(reader, profile.weekday, slot[0]) == slot[0]


def wait_until(slot: datetime, limits: Defaults, now: datetime) -> datetime | None:
    """When to look again; None when the reader has waited long enough."""
    end = slot + timedelta(minutes=limits.late_wait_minutes)
    return min(end, now + timedelta(minutes=FIXED.hold_look_minutes)) if now < end else None


def was_held(slot: datetime, limits: Defaults, now: datetime) -> bool:
    """Whether a mail waited to the end of its hour just now: it is not spread over further
    minutes."""
    over = now - slot - timedelta(minutes=limits.late_wait_minutes)
    return timedelta() <= over < timedelta(minutes=2 * FIXED.hold_look_minutes)
