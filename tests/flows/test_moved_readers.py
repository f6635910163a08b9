"""Who changes zone or hour around midnight, over the pages' own flow and the clock's: never two
mails of one date, and none is left out."""

from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest
from support.house import Clock, add, ingest_items, open_house, paper_item, rows

from service.flows import manage
from service.flows.daily import plan_due
from service.flows.manage import Choices
from service.flows.manage_link import manage_token
from service.flows.next_mail import next_mail_at
from service.flows.runtime import Runtime
from service.store.editions import list_editions
from service.store.subscribers import get_subscriber_row

pytestmark = pytest.mark.slow  # days by quarter hours

EVERY_DAY = frozenset(range(7))
AUCKLAND, HONOLULU = "Pacific/Auckland", "Pacific/Honolulu"  # 23 hours apart in November


@pytest.fixture
def rt(tmp_path: Path) -> Iterator[Runtime]:
    with open_house(tmp_path, clock=Clock(datetime(2026, 11, 16, tzinfo=UTC))) as house:
        yield house.runtime


def utc(text: str) -> datetime:
    return datetime.fromisoformat(f"2026-11-{text}").replace(tzinfo=UTC)


def move(rt: Runtime, zone: str, hour: int, days: frozenset[int] = EVERY_DAY) -> None:
    row = rt.db.read(lambda s: get_subscriber_row(s, email_key="ada@example.org"))
    assert row is not None
    token = manage_token(rt, row, rt.clock())
    manage.choose(rt, token, Choices(hour=hour, zone=zone, weekdays=days))


def dates(rt: Runtime) -> list[tuple[int, str]]:
    """(day, when it was planned) of each row."""
    slots = {e.id: date.fromisoformat(e.slot).day for e in rt.db.read(list_editions)}
    return [(slots[row.edition_id], f"{row.planned_at:%dT%H:%M}") for row in rows(rt)]


@pytest.mark.parametrize(
    ("begins", "moves", "until", "planned"),
    [
        pytest.param(
            (HONOLULU, 8),
            [("18T20:00", AUCKLAND, 8)],  # Thursday morning there, after eight
            "20T20:00",
            [
                (17, "17T18:00"),
                (18, "18T18:00"),
                (19, "18T20:00"),
                (20, "19T19:00"),
                (21, "20T19:00"),
            ],
            id="east over the date line",
        ),
        pytest.param(
            (AUCKLAND, 8),
            [("18T11:01", HONOLULU, 8)],  # the 19th, 00:01, becomes the 18th, 01:01
            "20T20:00",
            [(17, "16T19:00"), (18, "17T19:00"), (19, "19T18:00"), (20, "20T18:00")],
            id="west over it",
        ),
        pytest.param(
            (AUCKLAND, 8),
            [("18T10:59", HONOLULU, 8), ("19T09:59", AUCKLAND, 8)],
            "20T20:00",
            [
                (17, "16T19:00"),
                (18, "17T19:00"),
                (19, "19T09:59"),
                (20, "19T19:00"),
                (21, "20T19:00"),
            ],
            id="there and back, each a minute before midnight",
        ),
        pytest.param(
            ("UTC", 8),
            [("18T07:59", "UTC", 12), ("18T12:00", "UTC", 8), ("18T12:01", "UTC", 23)],
            "19T23:00",
            [(16, "16T08:00"), (17, "17T08:00"), (18, "18T12:00"), (19, "19T23:00")],
            id="an hour chosen again and again",
        ),
        pytest.param(
            ("UTC", 23),
            [("17T23:59", "UTC", 0), ("18T00:01", "UTC", 23)],
            "19T00:00",
            [(16, "16T23:00"), (17, "17T23:00"), (18, "18T00:00")],
            id="from the end of the day to its beginning, and back",
        ),
        pytest.param(
            ("UTC", 8),
            [("17T08:00", "UTC", 8)],  # saved in the minute in which the mail is due
            "17T09:00",
            [(16, "16T08:00"), (17, "17T08:00")],
            id="saved unchanged at the hour",
        ),
    ],
)
def test_every_date_once(rt, begins, moves, until, planned) -> None:
    zone, hour = begins
    add(
        rt,
        "ada@example.org",
        "adapters",
        tz=zone,
        hour=str(hour),
        weekdays="mon,tue,wed,thu,fri,sat,sun",
    )
    at, end = utc("16T07:00"), utc(until)
    steps = {utc(moment): (there, then) for moment, there, then in moves}
    ticks = sorted({at + timedelta(minutes=30) * n for n in range(300)} | set(steps))
    for tick in ticks:
        if tick > end:
            break
        rt.clock.at = tick
        if tick in steps:
            move(rt, *steps[tick])
        plan_due(rt)
    assert [pair for pair in dates(rt) if pair[0] != 16] == [p for p in planned if p[0] != 16]


def test_what_is_due_by_a_move_is_told_as_the_next_mail(rt, tmp_path) -> None:
    add(rt, "ada@example.org", "adapters", tz=HONOLULU, hour="8")
    rt.clock.at = utc("18T18:00")
    plan_due(rt)
    rt.clock.go(hours=2)
    ingest_items(rt, tmp_path, [paper_item(1, "Adapters of the morning")])
    move(rt, AUCKLAND, 8)
    row = rt.db.read(lambda s: get_subscriber_row(s, email_key="ada@example.org"))
    assert rt.db.read(lambda s: next_mail_at(rt, s, row)) == rt.clock()
    assert plan_due(rt).ready == 1
    row = rt.db.read(lambda s: get_subscriber_row(s, email_key="ada@example.org"))
    assert rt.db.read(lambda s: next_mail_at(rt, s, row)) == utc("19T19:00")


@pytest.mark.parametrize(("until", "back"), [("2026-11-22", 23), ("2026-11-20", 20)])
def test_a_pause_that_ends_on_a_day_without_mail_ends_with_the_next(rt, until, back) -> None:
    add(rt, "ada@example.org", "adapters", hour="8", paused_until=until)
    for day in range(16, 25):
        rt.clock.at = utc(f"{day}T08:00")
        plan_due(rt)
    first = next(r for r in rows(rt) if r.reason != "paused")
    assert first.planned_at == utc(f"{back}T08:00")
    assert len(rows(rt)) == 7
