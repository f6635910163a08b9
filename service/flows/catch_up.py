"""Days of a source that are missing: which, what they would count as, and brought in by hand."""

from dataclasses import dataclass
from datetime import date, timedelta

from service.flows.history import want_history, wanted_days
from service.flows.runtime import Runtime
from service.flows.source_acts import SourceError, ask_now, asked_kind, held_source
from service.flows.source_days import NoSourceError
from service.flows.staff import write_audit
from service.flows.watch import missed_days
from service.sources.calendar import expected, source_day
from service.sources.registry import ADAPTERS
from service.store import source_desk
from service.store import sources as sources_store
from service.store.db import Priority, Session
from service.store.tables import SourceRow

LOOK_BACK = 90
MOST_DAYS = 400


@dataclass(frozen=True, slots=True, kw_only=True)
class Missing:
    """missed: announcements of the last days that never came, which count as new · lost: older days
    of which nothing is there, which can be had as known · wanted: days that are being brought in,
    as known · can_ask: the past of this source can be asked for · done: brought in before.
    Days are those of the source's own calendar, oldest first."""

    missed: tuple[date, ...] = ()
    lost: tuple[date, ...] = ()
    wanted: tuple[date, ...] = ()
    can_ask: bool = False
    done: int = 0

    @property
    def any(self) -> bool:
        return bool(self.missed or self.lost or self.wanted)


def read_missing(rt: Runtime, source_id: int) -> Missing:
    """What is missing of a source. Raises NoSourceError."""
    most = rt.defaults().catchup_days

    def load(session: Session) -> Missing:
        source = sources_store.get_source(session, source_id)
        if source is None:
            raise NoSourceError(source_id)
        return missing_of(session, source, source_day(source.kind, rt.clock()), most)

    return rt.db.read(load)


def missing_of(session: Session, source: SourceRow, today: date, most: int) -> Missing:
    """The same within a reading. most: days of an outage that are caught up as new."""
    made = ADAPTERS.get(source.kind)
    if made is None or source.id is None:
        return Missing()
    can_ask = bool(made.history_kind)
    missed = []
    if made.is_batch and source.first_polled and (made.missed_kind or can_ask):
        missed = missed_days(session, source, today, most)
    first = max(today - timedelta(days=LOOK_BACK), source_day(source.kind, source.created_at))
    rows = {row.day: row for row in sources_store.list_source_days(session, first, source.id)}
    lost = []
    if can_ask and made.rhythm.lists:
        for n in range((today - first).days):
            day = first + timedelta(days=n)
            row = rows.get(day)
            is_gone = row is None or (row.state in ("failed", "late", "stale") and not row.items)
            if is_gone and expected(source.kind, day) and day not in missed:
                lost.append(day)
    done = sources_store.list_source_days(session, today - timedelta(days=500), source.id)
    return Missing(
        missed=tuple(missed),
        lost=tuple(lost),
        wanted=tuple(sorted(wanted_days(session, source.id, today))),
        can_ask=can_ask,
        done=sum(row.state == "history" for row in done),
    )


def bring_in(rt: Runtime, source_id: int, *, days: int = 0, by: str, address: str = "") -> Missing:
    """Bring in what is missing, at the pace of all; with ``days`` also so many days of the past, as
    known. Returns what is wanted now. Raises NoSourceError, SourceError."""
    most = rt.defaults().catchup_days

    def work(session: Session) -> tuple[Missing, int]:
        source, now = held_source(session, source_id), rt.clock()
        asked_kind(source)
        today = source_day(source.kind, now)
        before = missing_of(session, source, today, most)
        if source.state in ("paused", "gone"):
            raise SourceError(f"{source.title} is not asked now.", "days", "Resume it first.")
        if days and not before.can_ask:
            raise SourceError(
                f"The past of {source.title} cannot be asked for.", "days", "Leave the days out."
            )
        if not 0 <= days <= MOST_DAYS:
            raise SourceError(
                f"This is no number of days from 1 to {MOST_DAYS}.", "days", "Correct it."
            )
        source_desk.want_days(session, source_id, list(before.lost))
        more = want_history(session, source, days, today) if days else 0
        if not before.any and not more:
            raise SourceError("Nothing is missing.", "days", "Say how many days of the past.")
        write_audit(
            session, now, who=by, what="bring in days", target=str(source_id),
            before={"missed": len(before.missed), "lost": len(before.lost)},
            after={"title": source.title, "days": days, "wanted": more + len(before.lost)},
            address=address,
        )  # fmt: skip
        return missing_of(session, source, today, most), more

    made, _ = rt.db.write(work, Priority.WEB)
    ask_now(rt, source_id, by=by, address=address)
    return made
