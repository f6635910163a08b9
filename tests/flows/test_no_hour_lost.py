"""What comes between the hour of one mail and the end of its day rides in the next, also where that
is a week later, and where the day ends hours after midnight in UTC."""

import asyncio
from datetime import UTC, date, datetime, timedelta

import pytest
from support.house import Clock, add, ingest_items, paper_item, rows

from service.flows.daily import plan_due
from service.flows.letter import digest_of
from service.flows.send import send_ready
from service.subscribers.cadence import slot_at

WEDNESDAY = date(2026, 11, 18)


@pytest.fixture
def clock():
    return Clock(datetime(2026, 11, 16, 9, tzinfo=UTC))  # a Monday


def titles(rt):
    made = [digest_of(row) for row in rows(rt)]
    return [[e.title.text for e in one.entries()] if one else [] for one in made]


@pytest.mark.parametrize("cells", [{"weekdays": "wed"}, {"weekdays": "wed", "cadence": "weekly"}])
@pytest.mark.parametrize(
    "zone", ["UTC", "Pacific/Kiritimati", pytest.param("Pacific/Honolulu", marks=pytest.mark.slow)]
)
def test_who_has_one_mail_a_week_loses_nothing_that_came_after_its_hour(rt, tmp_path, zone, cells):
    add(rt, "ada@example.org", "adapters", hour="8", tz=zone, **cells)
    slot = slot_at(WEDNESDAY, 8, zone)
    times = {"before": slot - timedelta(hours=1), "after": slot + timedelta(hours=2)}
    for n, (name, at) in enumerate(times.items()):
        if name == "after":
            rt.clock.at = slot
            plan_due(rt)
        rt.clock.at = at
        ingest_items(rt, tmp_path, [paper_item(n, f"Adapters {name}")])
        asyncio.run(send_ready(rt))
    rt.clock.at = slot + timedelta(days=7)
    plan_due(rt)
    assert titles(rt) == [["Adapters before"], ["Adapters after"]]


def test_an_outage_is_caught_up_from_the_hour_of_the_last_mail_also_in_the_east(rt, tmp_path):
    add(rt, "ada@example.org", "adapters", hour="8", tz="Pacific/Auckland")
    slot = slot_at(WEDNESDAY, 8, "Pacific/Auckland")  # Tuesday evening in UTC
    rt.clock.at = slot
    plan_due(rt)
    rt.clock.go(hours=1)
    ingest_items(rt, tmp_path, [paper_item(1, "Adapters an hour later")])
    rt.clock.at = slot + timedelta(days=9)
    plan_due(rt)
    assert titles(rt)[-1] == ["Adapters an hour later"]
