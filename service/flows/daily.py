"""The daily: who is due, planned into the edition of their local date, composed.

``plan_due`` is the clock's: readers whose hour has come. ``plan_daily`` is a person's: every
reader for whom the date is a mail day with a free slot, whatever the hour.
"""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta

from service.defaults import FIXED
from service.errors import PaperpostError
from service.flows.compose import ComposeReport, compose_planned
from service.flows.epoch import need, standing
from service.flows.lapse import plan_missed, tell_missed
from service.flows.match import match_new
from service.flows.planning import begins_at, digest_edition, plan_readers
from service.flows.quiet import plan_quiet
from service.flows.release import free_days, gate_for, plan_unreleased, wake
from service.flows.runtime import Runtime
from service.flows.waiting import wait_until, waiting_readers, was_held
from service.flows.watch import mark_late
from service.store import audience as audience_store
from service.store import deliveries as deliveries_store
from service.store import many_readers
from service.store import subscribers as subscribers_store
from service.store.db import Priority, Session
from service.store.releases import UNRELEASED, end_waits, set_waits, waits_for
from service.store.tables import SubscriberRow
from service.subscribers.cadence import (
    CadenceError,
    due_slot,
    is_mail_day,
    latest_slot,
    local_date,
    missed_days,
    next_slot,
    slot_at,
)

CHUNK = 100
PART = 500
"""Readers whose rows are looked at together, to see who is due."""

Due = tuple[int, date]
"""A reader, and the local date meant for them."""


class DateError(PaperpostError):
    """A date for which nothing can be sent or taken yet."""


@dataclass(kw_only=True)
class DailyReport:
    """editions: ids touched · planned: rows added or opened again · composed: what became of
    them."""

    editions: list[int] = field(default_factory=list)
    planned: int = 0
    ready: int = 0
    skipped: dict[str, int] = field(default_factory=dict)

    def add(self, composed: ComposeReport) -> None:
        self.ready += composed.ready
        for reason, n in composed.skipped.items():
            self.skipped[reason] = self.skipped.get(reason, 0) + n


def plan_due(rt: Runtime) -> DailyReport:
    """The clock's tick: readers whose hour has come get their row, digests are composed.

    After an outage only the newest slot is used: one catch-up mail, not three; the days before it
    get a row that says so (``lapse``). A database that must not send (``epoch``) plans nothing
    either.
    """
    report = DailyReport()
    if standing(rt).held:
        return report
    wake(rt)
    dates: dict[date, int] = {}
    missed: Counter[date] = Counter()
    now = rt.clock()
    if rt.db.read(lambda s: subscribers_store.list_due(s, now, 1)):
        mark_late(rt)  # also where no poll did: a mail says what is late
    while due := rt.db.read(lambda s: subscribers_store.list_due(s, now, CHUNK)):
        ids = [row.id for row in due if row.id is not None]
        planned, lapsed = rt.db.write(
            lambda s, i=ids: _plan_chunk(rt, s, i, now),  # type: ignore[misc]
            Priority.MAIL,
        )
        missed.update(lapsed)
        for on, (edition_id, rows) in planned.items():
            dates[on] = edition_id
            report.planned += rows
    tell_missed(rt, missed, now)
    if dates:
        match_new(rt)
    for on, edition_id in sorted(dates.items()):
        report.editions.append(edition_id)
        report.add(compose_planned(rt, edition_id, on))
    if report.skipped.get("nothing_new"):
        plan_quiet(rt)
    if report.planned:
        rt.log("daily", planned=report.planned, ready=report.ready)
        rt.engine.enqueue("send")
    return report


def _plan_chunk(
    rt: Runtime, session: Session, ids: list[int], now: datetime
) -> tuple[dict[date, tuple[int, int]], dict[date, int]]:
    """What was planned, (edition, rows) by date, and how many mails of each date nobody made while
    it was their time."""
    limits = rt.defaults()
    rows = subscribers_store.list_subscriber_rows(session, ids=ids, state="active")
    found = _Found()
    waits = waits_for(session, ids)
    asked = _slots_of(rt, rows, waits, now, found)
    free = gate_for(rt, session, {one.on for one in asked}, waits.values(), now)
    waiting = waiting_readers(session, rows, limits, now)
    for one in asked:
        row, before = one.row, waits.get(one.row_id)
        if before is not None and before > one.on:
            continue  # a new clock of theirs, by which the hour of that date is still to come
        if before is not None and before < one.on and not _is_paused(row, before):
            over = found.lapsed if before in free else found.unreleased
            over.setdefault(before, []).append(row)
        if one.on not in free:
            found.held[one.row_id] = one.on
            continue
        if one.row_id in waiting:
            again = wait_until(one.at, limits, now)
            if again is not None:
                found.nexts[one.row_id] = min(again, found.nexts[one.row_id])
                continue
        found.due.setdefault(one.on, []).append(row)
        begin = begins_at(one.at, row.email_key, limits.spread_minutes, now)
        is_held = one.row_id in waiting and was_held(one.at, limits, now)
        if begin is not None and not is_held:
            found.begins[one.row_id] = begin
    many_readers.set_next_digests(session, found.nexts)
    end_waits(session, waits.keys() - found.held.keys())
    set_waits(session, found.held, now)
    planned: dict[date, tuple[int, int]] = {}
    for on, readers in sorted(found.due.items()):
        edition = digest_edition(session, on, now)
        made = plan_readers(
            rt, session, edition, readers, kind="digest", now=now,
            deadline=timedelta(hours=limits.digest_deadline_hours), not_before=found.begins,
        )  # fmt: skip
        if made and edition.id is not None:
            planned[on] = edition.id, len(made)
    plan_unreleased(rt, session, found.unreleased, now)
    return planned, plan_missed(rt, session, found.lapsed, now)


@dataclass(frozen=True, slots=True)
class _Asked:
    """A reader and the slot they are due for."""

    row: SubscriberRow
    row_id: int
    on: date
    at: datetime


@dataclass(slots=True)
class _Found:
    """What becomes of a chunk. due: by date, begins: not before · nexts: when they are due again ·
    lapsed, unreleased: dates that are over without a mail · held: the date each waits for."""

    due: dict[date, list[SubscriberRow]] = field(default_factory=dict)
    begins: dict[int, datetime] = field(default_factory=dict)
    nexts: dict[int, datetime] = field(default_factory=dict)
    lapsed: dict[date, list[SubscriberRow]] = field(default_factory=dict)
    unreleased: dict[date, list[SubscriberRow]] = field(default_factory=dict)
    held: dict[int, date] = field(default_factory=dict)


def _slots_of(
    rt: Runtime,
    rows: Sequence[SubscriberRow],
    held: Mapping[int, date],
    now: datetime,
    found: _Found,
) -> list[_Asked]:
    """The slots of readers who are due, with the dates before them that nobody planned. held: the
    date for whose release each waits; they may be due long after their hour."""
    asked = []
    waits = timedelta(minutes=rt.defaults().late_wait_minutes)
    for row in rows:
        assert row.id is not None
        try:
            reader = subscribers_store.to_subscriber(row)
            due_at = row.next_digest_at or now
            slot = latest_slot(reader, now)
            if row.id not in held:
                slot = due_slot(reader, due_at, now, waits=waits)
            found.nexts[row.id] = next_slot(reader, now)[1]
            if slot is not None:
                for on in missed_days(reader, due_at, slot[0], waits=waits, most=FIXED.missed_days):
                    found.lapsed.setdefault(on, []).append(row)
                asked.append(_Asked(row, row.id, *slot))
        except (CadenceError, ValueError, KeyError, OSError) as error:
            # a clock that cannot be read harms nobody else, and is looked at again tomorrow
            rt.log("clock_failed", reader=row.id, error=f"{type(error).__name__}: {error}"[:200])
            found.nexts[row.id] = now + timedelta(days=1)
    return asked


def _is_paused(row: SubscriberRow, on: date) -> bool:
    return row.paused_until is not None and on < row.paused_until


def check_date(rt: Runtime, on: date | None) -> None:
    """What is sent or taken may lie in the past (replay) or be tomorrow's. Raises DateError."""
    if on is None:
        return
    today = local_date(rt.clock(), rt.zone)
    if on > today + timedelta(days=1):
        raise DateError(
            f"{on} is later than tomorrow.",
            "--on",
            f"The latest date is {today + timedelta(days=1)}.",
        )


def due_readers(
    rt: Runtime,
    session: Session,
    on: date | None,
    email_key: str | None,
    pressed: datetime | None = None,
) -> list[Due]:
    """Every active reader with the date meant for them, where it is a mail day: without ``on``,
    their own at the instant of the press, or now. Their rows are read by parts and let go: there
    may be very many."""
    now = pressed or rt.clock()
    found = []
    ids = subscribers_store.list_active_ids(session, email_key=email_key)
    for start in range(0, len(ids), PART):
        part = ids[start : start + PART]
        for row in subscribers_store.list_subscriber_rows(session, ids=part, state="active"):
            try:
                reader = subscribers_store.to_subscriber(row)
                meant = on or local_date(now, reader.zone)
                if is_mail_day(reader, meant):
                    found.append((reader.id, meant))
            except (ValueError, KeyError, OSError) as error:
                said = f"{type(error).__name__}: {error}"[:200]
                rt.log("clock_failed", reader=row.id, error=said)
    return found


def released_readers(
    rt: Runtime,
    session: Session,
    on: date | None,
    email_key: str | None,
    pressed: datetime | None = None,
) -> tuple[list[Due], list[Due]]:
    """``due_readers``: those whose date may go, and those whose date waits for its release."""
    readers = due_readers(rt, session, on, email_key, pressed)
    free = free_days(rt, session, {meant for _, meant in readers})
    return [x for x in readers if x[1] in free], [x for x in readers if x[1] not in free]


def still_active(session: Session, part: Sequence[Due]) -> list[tuple[SubscriberRow, date]]:
    """The readers of a part as they are now; who left or was erased meanwhile is left out."""
    rows = subscribers_store.list_subscriber_rows(
        session, ids=[reader_id for reader_id, _ in part], state="active"
    )
    now = {row.id: row for row in rows}
    return [(now[reader_id], meant) for reader_id, meant in part if reader_id in now]


def plan_daily(
    rt: Runtime, on: date | None = None, *, email_key: str | None = None, created_by: str = "cli"
) -> DailyReport:
    """A person's send: plan and compose at once. The same again plans only the rest; readers whose
    date waits for its release are left out, and counted.

    Raises DateError for a date later than tomorrow, InstanceHeld.
    """
    check_date(rt, on)
    need(rt)
    rt.read_templates()
    match_new(rt)
    report = DailyReport()
    readers, held = rt.db.read(lambda s: released_readers(rt, s, on, email_key))
    if held:
        report.skipped[UNRELEASED] = len(held)
    dates: dict[date, int] = {}
    for start in range(0, len(readers), CHUNK):
        part = readers[start : start + CHUNK]
        made = rt.db.write(
            lambda s, p=part: _plan_now(rt, s, p, created_by),  # type: ignore[misc]
            Priority.MAIL,
        )
        report.planned += made[0]
        dates.update(made[1])
    rt.db.write(lambda s: _at_once(s, dates.values(), rt.clock(), email_key), Priority.MAIL)
    for meant, edition_id in sorted(dates.items()):
        report.editions.append(edition_id)
        report.add(compose_planned(rt, edition_id, meant, by_hand=True))
    rt.log("daily", planned=report.planned, ready=report.ready, by=created_by)
    return report


def _at_once(
    session: Session, editions: Iterable[int], now: datetime, email_key: str | None
) -> None:
    """A person's send does not wait for what the clock has spread over its minutes."""
    for edition_id in editions:
        ids = None
        if email_key is not None:
            row = deliveries_store.find_delivery(session, edition_id, email_key)
            ids = [row.id] if row is not None and row.id is not None else []
        audience_store.set_wait(session, edition_id, None, ids=ids, after=now)


def _plan_now(
    rt: Runtime, session: Session, part: Sequence[Due], created_by: str
) -> tuple[int, dict[date, int]]:
    now = rt.clock()
    deadline = timedelta(hours=rt.defaults().digest_deadline_hours)
    planned, dates = 0, {}
    by_date: dict[date, list[SubscriberRow]] = {}
    for row, meant in still_active(session, part):
        by_date.setdefault(meant, []).append(row)
    for meant, rows in sorted(by_date.items()):
        edition = digest_edition(session, meant, now, created_by)
        assert edition.id is not None
        dates[meant] = edition.id
        made = plan_readers(
            rt, session, edition, rows, kind="digest", now=now, deadline=deadline, reopen=True
        )
        planned += len(made)
        _is_done_for(session, rows, meant, now)
    return planned, dates


def _is_done_for(
    session: Session, rows: Sequence[SubscriberRow], meant: date, now: datetime
) -> None:
    """Who has a row of a date is due for the next one: where a person's send (cron) is all that is
    at work, nobody is overdue for it."""
    nexts = {}
    for row in rows:
        reader = subscribers_store.to_subscriber(row)
        at = slot_at(meant, reader.hour, reader.zone)
        if row.id is not None and row.next_digest_at is not None and row.next_digest_at <= at:
            nexts[row.id] = next_slot(reader, max(at, now))[1]
    many_readers.set_next_digests(session, nexts)
