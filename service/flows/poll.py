"""Ask the sources that are due: fetch, parse, store, match, and wake whoever mails.

load (due sources) -> decide (adapter, novelty, schedule) -> act (fetch) -> record (papers, ledger,
when to ask again). One bad source never stops the others.
"""

import asyncio
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from service.errors import PaperpostError
from service.flows.alerts import plan_alerts
from service.flows.appointment import postpone, reschedule
from service.flows.asking import Sleep, Visit, visit
from service.flows.crosscheck import cross_check
from service.flows.history import bring_wanted
from service.flows.match import match_new
from service.flows.missed import catch_up
from service.flows.runtime import Runtime
from service.flows.taking import PollReport, known_of, take_visit
from service.flows.watch import mark_late
from service.sources.adapter import Adapter, Parsed, Request
from service.sources.calendar import source_day
from service.sources.fetch import Fetcher
from service.sources.outcome import Failed, NotModified
from service.sources.registry import adapter
from service.sources.schedule import Batch
from service.store import source_desk
from service.store import sources as sources_store
from service.store.db import Priority, Session
from service.store.tables import SourceRow

AT_ONCE = 24
"""Visits that begin together. One that takes longer than SLOT goes on, but others begin."""

SUSPECTS_AT_ONCE = 4
"""The same for sources that failed the last time: they have a lane of their own."""

SLOT = 3.0
LOOK_AGAIN = 15.0
"""Seconds; while slow visits go on, what was brought is matched, and who is due by now is asked."""

LEASE = timedelta(minutes=10)
"""Nobody else asks a source while it is being asked; after a crash it is due again then."""


class PollError(PaperpostError):
    """A poll that was asked for and cannot be done."""


async def poll_due(
    rt: Runtime, only: int | None = None, *, sleep: Sleep = asyncio.sleep
) -> list[dict[str, Any]]:
    """Ask every source whose time has come (or one, now); one row each.

    outcome: read, unchanged, postponed (the source asks us to wait), paused, gone, failed.
    Raises PollError when ``only`` names no source.
    """
    sources = await rt.db.awrite(lambda s: _claim(s, rt.clock(), only), Priority.BULK)
    reports: list[PollReport] = []
    if sources:
        async with rt.open_fetcher() as fetcher:
            reports = await _round(rt, fetcher, sources, only, sleep)
    else:
        await _tell(rt, [])
    return [report.row() for report in reports]


async def _round(
    rt: Runtime, fetcher: Fetcher, sources: list[SourceRow], only: int | None, sleep: Sleep
) -> list[PollReport]:
    """Ask all of them; whoever becomes due while the slowest are still asked is asked, too."""
    usual, suspects = asyncio.Semaphore(AT_ONCE), asyncio.Semaphore(SUSPECTS_AT_ONCE)
    begun: list[asyncio.Task[PollReport]] = []
    asked: dict[asyncio.Task[PollReport], int] = {}
    try:
        while sources or asked:
            for source in sources:
                lane = suspects if source.failures else usual
                begun.append(asyncio.create_task(_in_lane(rt, fetcher, source, lane, sleep)))
                asked[begun[-1]] = source.id or 0
            done, _ = await asyncio.wait(asked, timeout=LOOK_AGAIN)
            for task in done:
                del asked[task]
            await _tell(rt, [task.result() for task in done])
            sources = []
            if asked and only is None:
                busy = frozenset(asked.values())
                sources = await rt.db.awrite(
                    lambda s, b=busy: _claim(s, rt.clock(), None, b),  # type: ignore[misc]
                    Priority.BULK,
                )
    finally:
        for task in asked:
            task.cancel()
        await asyncio.gather(*asked, return_exceptions=True)
    return [task.result() for task in begun]


async def _tell(rt: Runtime, reports: Sequence[PollReport]) -> None:
    """Match what came and wake whoever mails it."""
    await asyncio.to_thread(mark_late, rt)
    if any(report.new for report in reports):
        await asyncio.to_thread(match_new, rt)
        await asyncio.to_thread(plan_alerts, rt)
        rt.engine.enqueue("send")
    if reports:
        rt.log(
            "poll",
            sources=len(reports),
            new=sum(r.new for r in reports),
            failed=sum(r.outcome in ("failed", "gone") for r in reports),
        )


def _claim(
    session: Session, now: datetime, only: int | None, busy: frozenset[int] = frozenset()
) -> list[SourceRow]:
    """Lease the sources that are due (or one). busy: being asked here; their leases go on."""
    if only is None:
        soon = sources_store.list_due_sources(session, now + LEASE / 2 if busy else now)
        sources = [x for x in soon if x.id in busy or (x.next_poll_at and x.next_poll_at <= now)]
    else:
        one = sources_store.get_source(session, only)
        if one is None:
            raise PollError(f"There is no source {only}.", "", "paperpost sources list")
        sources = [one]
    for source in sources:
        if source.state != "paused":
            source.next_poll_at = now + LEASE
            session.add(source)
    session.flush()
    for source in sources:
        session.expunge(source)
    return [source for source in sources if source.id not in busy]


async def _in_lane(
    rt: Runtime, fetcher: Fetcher, source: SourceRow, lane: asyncio.Semaphore, sleep: Sleep
) -> PollReport:
    """Visit a source when its lane has room; a slow visit makes room before it ends."""
    assert source.id is not None
    report = PollReport(source=source.id, title=source.title)
    if source.state == "paused":
        report.outcome, report.error = "paused", "This source is paused."
        return report
    async with lane:
        visiting = asyncio.create_task(_guarded(rt, fetcher, source, report, sleep))
        try:
            await asyncio.wait({visiting}, timeout=SLOT)
        except asyncio.CancelledError:
            visiting.cancel()
            await asyncio.gather(visiting, return_exceptions=True)
            raise
    await visiting
    answer = {**report.row(), "at": rt.clock().isoformat()}
    await rt.db.awrite(lambda s: source_desk.set_answer(s, report.source, answer), Priority.BULK)
    return report


async def _guarded(
    rt: Runtime, fetcher: Fetcher, source: SourceRow, report: PollReport, sleep: Sleep
) -> None:
    try:
        await _poll_one(rt, fetcher, source, report, sleep)
    except asyncio.CancelledError:  # broken off by a stop: due again at once
        rt.db.write(lambda s: postpone(s, source, rt.clock(), spread=0.0), Priority.MAIL)
        raise
    except Exception as error:  # a fault of ours in one source must not stop the others
        report.outcome, report.error = "failed", f"{type(error).__name__}: {error}"[:300]
        failed = Failed(reason=report.error)
        await rt.db.awrite(
            lambda s: reschedule(rt, s, source, Visit(outcome=failed)), Priority.BULK
        )
        rt.log("poll_failed", source=source.id, error=report.error)


async def _poll_one(
    rt: Runtime, fetcher: Fetcher, source: SourceRow, report: PollReport, sleep: Sleep
) -> None:
    made, requests = _requests(rt, source)
    plain = len(requests) == 1

    async def has_news(parsed: Parsed) -> bool:
        _, shown = await asyncio.to_thread(
            rt.db.read, lambda s: known_of(s, source.id or 0, parsed.sightings)
        )
        return not all(shown)

    seen = await visit(
        rt,
        fetcher,
        made,
        requests,
        etag=source.etag if plain else "",
        last_modified=source.last_modified if plain else "",
        has_news=has_news if made.newest_first else None,
        sleep=sleep,
    )
    # what is asked until a page is known is taken whole or not at all, the oldest page first:
    # else a visit that was broken off would hide what it had not read
    is_whole = made.newest_first or not source.first_polled
    if made.newest_first:
        seen.pages.reverse()
    if seen.postponed_until is not None and (not seen.pages or is_whole):
        until = seen.postponed_until
        report.outcome = "postponed"
        report.error = f"{made.title} asks us to wait until {until.astimezone(UTC):%H:%M} UTC."
        await rt.db.awrite(lambda s: postpone(s, source, until), Priority.BULK)
        return
    is_first = not source.first_polled
    batch: Batch = ""
    if not isinstance(seen.outcome, Failed) or (seen.pages and not is_whole):
        batch = await asyncio.to_thread(take_visit, rt, source, seen, report)
    await rt.db.awrite(
        lambda s: reschedule(rt, s, source, seen, batch, new=report.new), Priority.BULK
    )
    if isinstance(seen.outcome, Failed):
        report.outcome = "gone" if seen.outcome.gone else "failed"
        report.error = seen.outcome.reason
        return
    if isinstance(seen.outcome, NotModified) and not seen.pages and not seen.quiet:
        report.outcome = "unchanged"
    if made.is_batch and not is_first:
        await catch_up(rt, fetcher, source, report, sleep)
        await cross_check(rt, fetcher, source, report, sleep)
    past = await bring_wanted(rt, fetcher, source, sleep=sleep)
    report.history = past.papers
    report.error = report.error or (past.error and f"history: {past.error}")


def _requests(rt: Runtime, source: SourceRow) -> tuple[Adapter, Sequence[Request]]:
    """What to ask now; lists by day are asked back to the last visit after an outage."""
    made = adapter(source.kind)
    params = made.checked(source.params)
    today = source_day(source.kind, rt.clock())
    usual = made.requests(params, today=today)
    days = {request.day for request in usual if request.day is not None}
    if not days or source.last_poll_at is None:
        return made, usual
    first = max(
        source_day(source.kind, source.last_poll_at),
        today - timedelta(days=rt.defaults().catchup_days),
    )
    missed = {first + timedelta(days=n) for n in range((today - first).days + 1)} - days
    if not missed:
        return made, usual
    return made, made.requests(params, today=today, days=tuple(sorted(days | missed, reverse=True)))
