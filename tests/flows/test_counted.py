"""What a mail says was checked covers the days that it covers."""

from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest
from support.house import Clock, add, ingest_items, open_house, paper_item, rows

from service.delivery.phrases import headline
from service.digest.model import from_json
from service.flows.daily import plan_daily, plan_due
from service.flows.letter import digest_of
from service.flows.runtime import Runtime
from service.flows.source_days import day_sign
from service.store import deliveries as deliveries_store
from service.store.db import Session
from service.store.tables import SourceDayRow

WEDNESDAY = date(2026, 11, 18)


def heads(rt: Runtime) -> dict[str, str]:
    """First line of the newest digest of each reader."""
    texts = rt.catalogs.texts("en")

    def load(session: Session) -> dict[str, str]:
        return {
            row.rcpt or "": headline(from_json(row.content["digest"]), texts)
            for row in deliveries_store.list_deliveries(session)
            if row.content and "digest" in row.content
        }

    return rt.db.read(load)


@pytest.mark.slow
def test_a_weekly_mail_counts_its_week_and_a_day_without_papers_counts_nothing(
    tmp_path: Path,
) -> None:
    clock = Clock()
    with open_house(tmp_path, clock=clock) as house:
        rt = house.runtime
        add(rt, "week@example.org", "adapters", cadence="weekly")
        add(rt, "trend@example.org")
        for back, number in ((1, 10), (0, 20)):
            items = [paper_item(number + n, f"Adapters number {number + n}") for n in range(3)]
            ingest_items(rt, tmp_path, items, on=WEDNESDAY - timedelta(days=back))
        plan_daily(rt, WEDNESDAY)
        clock.go(days=1)
        more = [paper_item(30 + n, f"Sheep number {n}", votes=1) for n in range(14)]
        ingest_items(rt, tmp_path, more, on=WEDNESDAY + timedelta(days=1))
        plan_daily(rt, WEDNESDAY + timedelta(days=1))
        clock.go(days=1)
        plan_daily(rt, WEDNESDAY + timedelta(days=2))
        found = heads(rt)
        assert found["week@example.org"] == "20 new papers checked, 6 contain your words."
        assert found["trend@example.org"].endswith("are trending.")
        assert "checked" not in found["trend@example.org"], "no paper was new on Friday"


def test_the_sign_of_a_day_is_no_alarm_for_what_is_usual() -> None:
    today = WEDNESDAY

    def sign(kind: str, day: date, state: str, *, expected: bool = True, items: int = 0) -> str:
        row = SourceDayRow(source_id=1, day=day, state=state, expected=expected, items=items)
        return day_sign(kind, row, today)

    past = today - timedelta(days=1)
    assert sign("hf_daily", past, "open", items=26) == "complete"
    assert sign("hf_daily", past, "open") == "late"
    assert sign("hf_daily", today, "open", items=9) == "", "it still grows"
    assert sign("arxiv_rss", past, "open", items=300) == "late", "yesterday's batch was shown again"
    assert sign("arxiv_rss", past, "complete") == "complete"
    assert sign("arxiv_rss", past, "none", expected=False) == "empty"
    assert sign("arxiv_rss", past, "stale") == "late"
    assert sign("hf_daily", past, "history") == "complete"
    assert sign("hf_daily", past, "wanted") == ""
    assert sign("feed", past, "open", expected=False) == "empty"
    feed = SourceDayRow(source_id=1, day=past, state="open", expected=False, items=40, new=2)
    assert day_sign("feed", feed, today) == "complete"
    assert sign("hf_daily", past, "failed") == "failed"


@pytest.mark.slow
def test_what_came_after_the_last_mail_is_counted_wherever_the_reader_is(tmp_path: Path) -> None:
    """In Tokyo eight in the morning is yesterday in UTC; lists grow after every reader's hour."""
    clock = Clock(datetime(2026, 11, 17, 3, tzinfo=UTC))
    with open_house(tmp_path, clock=clock) as house:
        rt = house.runtime
        zones = {"Asia/Tokyo": "8", "Europe/Zurich": "8", "America/Los_Angeles": "20"}
        for number, (zone, hour) in enumerate(zones.items()):
            add(rt, f"r{number}@example.org", "adapters", tz=zone, hour=hour)
        for number in range(10, 70, 10):
            items = [paper_item(number, "Adapters"), paper_item(number + 1, "Sheep")]
            ingest_items(rt, tmp_path, items)
            clock.go(hours=8, seconds=-1)
            plan_due(rt)
            clock.go(seconds=1)
        mails = [made for row in rows(rt) if (made := digest_of(row)) is not None]
        assert len(mails) == 5
        assert [mail.checked for mail in mails] == [2 * mail.matched for mail in mails]
