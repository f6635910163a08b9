"""What a reader changes: one digest per local date all the same, and no digging in the past."""

import asyncio
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from support.house import ingest_items, paper_item
from support.reading_house import Reading, reading_house

from service.flows import manage, manage_interests
from service.flows.daily import plan_due
from service.flows.interests import InterestChange, InterestError, read_form
from service.flows.manage_link import manage_token
from service.flows.next_mail import next_mail_at
from service.flows.send import send_ready
from service.store.deliveries import list_deliveries
from service.store.subscribers import list_profile_rows
from service.subscribers.cadence import local_date
from service.subscribers.model import Cadence

EVERY_DAY = frozenset(range(7))


@pytest.fixture
def house(tmp_path: Path) -> Iterator[Reading]:
    with reading_house(tmp_path) as made:
        made.subscribe("ada@uni.example", "adapters")
        yield made


def token(house: Reading) -> str:
    return manage_token(house.rt, house.reader("ada@uni.example"), house.clock())


@pytest.mark.parametrize(
    "zone",
    [
        "Pacific/Kiritimati",
        *(
            pytest.param(zone, marks=pytest.mark.slow)  # the farthest one is for every day
            for zone in ("UTC", "Pacific/Pago_Pago", "Asia/Kolkata")
        ),
    ],
)
def test_changing_hour_or_zone_brings_no_second_digest_on_a_date(
    house: Reading, tmp_path: Path, zone: str
) -> None:
    """Four days, a change every five hours, a new paper every hour."""
    reader = house.reader("ada@uni.example")
    zones = ("Europe/Zurich", zone)
    for hour in range(96):
        house.clock.go(hours=1)
        paper = paper_item(2000 + hour, f"Adapters, part {hour}")
        ingest_items(house.rt, tmp_path, [paper], on=house.clock().date())
        if hour % 5 == 0:
            when = manage.Choices(
                hour=(hour * 7) % 24, zone=zones[hour // 5 % 2], weekdays=EVERY_DAY
            )
            manage.choose(house.rt, token(house), when)
        plan_due(house.rt)
    rows = house.rt.db.read(lambda s: list_deliveries(s, subscriber_id=reader.id))
    editions = [row.edition_id for row in rows if row.kind in ("digest", "first")]
    assert 3 <= len(editions) == len(set(editions)) <= 6


def test_a_wider_query_does_not_dig_up_the_past(house: Reading) -> None:
    reader = house.reader("ada@uni.example")
    row = house.rt.db.read(lambda s: list_profile_rows(s, reader.id or 0))[0]
    before = row.since
    change = InterestChange(
        wanted=read_form("adapters, robots"),
        name="",
        cadence=Cadence.DAILY,
        weekday=4,
        cap=None,
    )
    manage_interests.change_wanted(house.rt, token(house), row.id or 0, lambda _: change)
    after = house.rt.db.read(lambda s: list_profile_rows(s, reader.id or 0))[0]
    assert after.since == before == local_date(house.clock(), "UTC") - timedelta(days=1)
    assert after.matched_at is None, "it meets the papers that are new"


def test_interests_are_bounded(house: Reading) -> None:
    for number in range(19):
        more = InterestChange(wanted=read_form(f"word{number}"))
        manage_interests.add_wanted(house.rt, token(house), more)
    with pytest.raises(InterestError, match="20 are the most"):
        manage_interests.add_wanted(
            house.rt, token(house), InterestChange(wanted=read_form("one more"))
        )


def test_a_pause_brings_no_mail_and_the_next_date_is_said(house: Reading, tmp_path: Path) -> None:
    until = local_date(house.clock(), "UTC") + timedelta(days=5)
    manage.pause(house.rt, token(house), until)
    reader = house.reader("ada@uni.example")
    due = house.rt.db.read(lambda s: next_mail_at(house.rt, s, reader))
    assert due is not None
    assert local_date(due, "UTC") == until
    for _ in range(4):
        house.clock.go(days=1)
        ingest_items(house.rt, tmp_path, [paper_item(3000 + house.clock().day, "Adapters again")])
        plan_due(house.rt)
    house.rt.clock.go(minutes=10)
    assert asyncio.run(send_ready(house.rt)).accepted == 0
    house.clock.go(days=1)
    plan_due(house.rt)
    house.rt.clock.go(minutes=10)
    assert asyncio.run(send_ready(house.rt)).accepted == 1


def test_feedback_is_one_word_per_paper(house: Reading) -> None:
    reader = house.reader("ada@uni.example")
    for sign in (1, -1):
        manage.tune(house.rt, reader.id or 0, 1, sign)
    rows = house.tables()["feedback"]
    assert len(rows) == 1
    assert -1 in rows[0]
    manage.tune(house.rt, reader.id or 0, 1, 0)
    assert house.tables()["feedback"] == []
