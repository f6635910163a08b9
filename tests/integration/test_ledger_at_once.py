"""Two processes write one day of the ledger at the same moment: no row twice, no count lost."""

from collections.abc import Iterator
from contextlib import ExitStack
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from support.meanwhile import at_once
from support.polling import Clock, arxiv_feed, lead_home, poll, polling_house, source
from support.web_site import WebSite

from service.flows import poll as poll_flow
from service.flows import taking, watch
from service.flows.runtime import Runtime
from service.flows.sources import add_source
from service.flows.watch import mark_late, record_day
from service.store import sources as sources_store
from service.store.db import Priority, Session
from service.store.tables import SourceDayRow

MONDAY = date(2026, 11, 16)
NOW = datetime(2026, 11, 16, 9, tzinfo=UTC)


@pytest.fixture
def two(tmp_path: Path, database_url: str) -> Iterator[tuple[Runtime, Runtime]]:
    """Two houses on one database."""
    with ExitStack() as stack:
        houses = [
            stack.enter_context(
                polling_house(tmp_path, Clock("2026-11-16T09:00:00"), database_url=database_url)
            )
            for _ in range(2)
        ]
        add_source(houses[0].runtime, "arxiv_rss", "cs.CL", history_days=0)
        yield houses[0].runtime, houses[1].runtime


def row_of(rt: Runtime, day: date = MONDAY) -> SourceDayRow:
    (row,) = [
        x for x in rt.db.read(lambda s: sources_store.list_source_days(s, day, 1)) if x.day == day
    ]
    return row


def test_what_two_polls_bring_is_added_up(two: tuple[Runtime, Runtime]) -> None:
    days = [MONDAY - timedelta(days=n) for n in range(12)]

    def poll(rt: Runtime) -> None:
        for day in days:

            def note(session: Session, day: date = day) -> None:
                source = sources_store.get_source(session, 1)
                assert source is not None
                record_day(session, source, day, now=NOW, new=3, known=1, state="open")

            rt.db.write(note, Priority.BULK)

    assert at_once(*(lambda rt=rt: poll(rt) for rt in two)) == []  # type: ignore[misc]
    assert {(row_of(two[0], day).new, row_of(two[0], day).known) for day in days} == {(6, 2)}


def test_a_batch_that_is_there_is_not_called_late_by_who_looked_before(
    two: tuple[Runtime, Runtime], monkeypatch: pytest.MonkeyPatch
) -> None:
    def complete(session: Session) -> None:
        source = sources_store.get_source(session, 1)
        assert source is not None
        source.first_polled = True
        record_day(session, source, MONDAY, now=NOW, items=9, new=9, state="complete")

    two[0].db.write(complete, Priority.BULK)
    monkeypatch.setattr(watch, "is_settled", lambda *args: False)  # it had looked just before
    assert mark_late(two[1]) == []
    assert row_of(two[1]).state == "complete"


def test_who_looks_between_the_papers_and_the_ledger_of_another_does_not_call_it_stale(
    two: tuple[Runtime, Runtime], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The second poll sees only papers that the first has just taken, and is the last to write."""
    batch, reschedule = taking._batch, poll_flow.reschedule
    left: list[Any] = []

    def meanwhile(*args: Any) -> Any:
        monkeypatch.setattr(taking, "_batch", batch)
        (row,) = poll(two[1], two[1].clock, 1)  # type: ignore[arg-type]
        assert (row["new"], row["known"]) == (0, 1)
        return batch(*args)

    def not_yet(rt: Runtime, session: Session, *args: Any, **more: Any) -> None:
        monkeypatch.setattr(poll_flow, "reschedule", reschedule)
        assert args[2] == "stale"
        left.append(lambda s: reschedule(rt, s, *args, **more))

    with WebSite() as site:
        lead_home(site, monkeypatch)
        monkeypatch.setattr(taking, "_batch", meanwhile)
        monkeypatch.setattr(poll_flow, "reschedule", not_yet)
        site.at["/rss/cs.CL"] = (200, {}, arxiv_feed("cs.CL", [("2611.00001", "Monday", "new")]))
        (row,) = poll(two[0], two[0].clock, 1)  # type: ignore[arg-type]
    assert row["new"] == 1
    two[1].db.write(left.pop(), Priority.BULK)
    assert row_of(two[0]).state == "complete"
    assert source(two[0]).state == "ok"
    assert source(two[0]).next_poll_at == two[1].clock() + timedelta(hours=6)
