"""What comes between the hour of one mail and the end of its day rides in the next, also where that
is a week later, and where the day ends hours after midnight in UTC."""

import asyncio
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import pytest
from support.house import Clock, add, ingest_items, paper_item, rows

from service.flows import manage
from service.flows.daily import plan_due
from service.flows.interests import apply_change, change_of
from service.flows.leave import undo, unsubscribe
from service.flows.letter import digest_of
from service.flows.manage import Choices
from service.flows.manage_link import manage_token
from service.flows.send import send_ready
from service.store.subscribers import get_subscriber_row, list_profile_rows
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


def drop_fridays(rt):
    row = rt.db.read(lambda s: get_subscriber_row(s, email_key="ada@example.org"))
    token = manage_token(rt, row, rt.clock())
    manage.choose(rt, token, Choices(hour=8, zone=row.zone, weekdays=frozenset(range(4))))


def choose_wednesday(rt):
    def edit(session):
        row = list_profile_rows(session, 1)[0]
        apply_change(session, row, replace(change_of(row), weekday=2), rt.clock())

    rt.db.write(edit)


def pause_a_day(rt):
    row = rt.db.read(lambda s: get_subscriber_row(s, email_key="ada@example.org"))
    manage.pause(rt, manage_token(rt, row, rt.clock()), date(2026, 11, 26))
    drop_fridays(rt)


@pytest.mark.parametrize(
    ("change", "rides_on", "days"),
    [
        (drop_fridays, 26, range(13, 26)),  # it rides on the last mail day of the week
        (choose_wednesday, 25, range(13, 25)),
        (pause_a_day, 26, range(18, 26)),  # a pause leaves the rest to the daily pages
    ],
)
@pytest.mark.slow  # two weeks of papers and rounds
def test_a_weekly_mail_that_moved_to_an_earlier_day_holds_what_came_since_the_last(
    rt, tmp_path, change, rides_on, days
):
    """Fridays until the 13th; chosen anew on a Thursday, after its hour."""
    rt.clock.at = datetime(2026, 11, 12, 9, tzinfo=UTC)
    add(rt, "ada@example.org", "adapters", hour="8", cadence="weekly")
    for day in range(12, rides_on + 1):
        rt.clock.at = datetime(2026, 11, day, 8, tzinfo=UTC)
        plan_due(rt)
        rt.clock.go(hours=1)
        asyncio.run(send_ready(rt))
        if day == 19:
            change(rt)
        rt.clock.go(hours=1)
        ingest_items(rt, tmp_path, [paper_item(day, f"Adapters {day}")])
    last = digest_of(rows(rt)[-1])
    shown = [*last.entries(), *(line for s in last.sections for line in s.lines)]
    assert sorted(int(one.title.text.split()[-1]) for one in shown) == list(days)
    assert last.since == date(2026, 11, 18 if change is pause_a_day else 13)


@pytest.mark.parametrize("away", ["an outage", "left"])
def test_whose_first_mails_are_missed_loses_nothing_since_they_were_added(rt, tmp_path, away):
    rt.clock.at = datetime(2026, 11, 5, 9, tzinfo=UTC)
    ingest_items(rt, tmp_path, [paper_item(4, "Adapters 4")], on=date(2026, 11, 4))
    add(rt, "ada@example.org", "adapters", hour="8", weekdays="wed")
    ingest_items(rt, tmp_path, [paper_item(5, "Adapters 5")])
    token = rt.db.read(lambda s: get_subscriber_row(s, id=1)).unsubscribe_token
    rt.clock.at = datetime(2026, 11, 11, 7, tzinfo=UTC)
    if away == "left":
        unsubscribe(rt, token)
        rt.clock.go(days=1)
        assert undo(rt, token)
    rt.clock.at = datetime(2026, 11, 18, 8, tzinfo=UTC)
    plan_due(rt)
    assert titles(rt) == [["Adapters 5"]]
