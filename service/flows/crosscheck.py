"""A batch that does not come: the kind that knows the past is asked whether there was one.

A feed can be stale without a sign, and a day can be a holiday that no calendar names. What the
cross-check names is noted in the ledger; the papers themselves come with the feed, or as missed
ones on the day after.
"""

import asyncio
from collections.abc import Sequence
from datetime import date, timedelta

from service.defaults import FIXED
from service.flows.announcements import ask_announced
from service.flows.asking import Sleep
from service.flows.runtime import Runtime
from service.flows.taking import PollReport, known_of
from service.flows.watch import find_day
from service.papers.model import Sighting
from service.sources.calendar import source_day
from service.sources.days import day_state, wants_crosscheck
from service.sources.fetch import Fetcher
from service.sources.registry import adapter
from service.store import sources as sources_store
from service.store.db import Priority, Session
from service.store.tables import SourceRow


async def cross_check(
    rt: Runtime, fetcher: Fetcher, source: SourceRow, report: PollReport, sleep: Sleep
) -> int | None:
    """Ask whether today was announced, where the ledger has waited for it long enough.

    Returns how many papers the past names that this source did not show; None when nothing was
    asked, or no answer came (then the next poll asks again).
    """
    own = adapter(source.kind)
    day = source_day(source.kind, rt.clock())
    if not (own.missed_kind or own.history_kind):
        return None
    if not await rt.db.aread(lambda s: _is_wanted(rt, s, source, day)):
        return None
    found = await ask_announced(rt, fetcher, source, [day], sleep)
    announced = await asyncio.to_thread(_count_unseen, rt, source, found.by_day[day])
    if found.error and not announced:
        report.error = report.error or f"cross-check: {found.error}"
        return None
    await rt.db.awrite(lambda s: _note(rt, s, source, day, announced), Priority.BULK)
    rt.log("cross_checked", source=source.id, day=day.isoformat(), announced=announced)
    return announced


def _is_wanted(rt: Runtime, session: Session, source: SourceRow, day: date) -> bool:
    row = find_day(session, source.id or 0, day)
    if row is None or not wants_crosscheck(
        source.kind,
        row.state,  # type: ignore[arg-type]
        late_polls=row.late_polls,
        after=FIXED.crosscheck_polls,
        announced=row.announced,
    ):
        return False
    again = timedelta(minutes=FIXED.crosscheck_minutes)
    return row.crosschecked_at is None or rt.clock() - row.crosschecked_at >= again


def _count_unseen(rt: Runtime, source: SourceRow, announced: Sequence[Sighting]) -> int:
    """How many of the papers this source has never shown: what its list lacks."""
    _, is_seen = rt.db.read(lambda s: known_of(s, source.id or 0, announced))
    return is_seen.count(False)


def _note(rt: Runtime, session: Session, source: SourceRow, day: date, announced: int) -> None:
    now = rt.clock()
    held = sources_store.hold_source(session, source.id or 0)  # before its days, as a poll does
    row = sources_store.get_source_day(session, source.id or 0, day)
    row.announced, row.crosschecked_at = announced, now
    row.state = day_state(
        source.kind, day, now, held="", before=row.state, announced=announced  # type: ignore[arg-type]
    )  # fmt: skip
    session.add(row)
    if row.state == "none" and held is not None and held.state in ("late", "stale"):
        held.state = "ok"  # nothing was to come
        session.add(held)
