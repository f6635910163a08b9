"""Caps on mails that strangers can have sent: dropped by address, put off by network."""

from datetime import timedelta

import pytest
import sqlalchemy as sa

from service.flows.caps import LINK, UNASKED, Most, Place, take_place
from service.flows.tidy import tidy
from service.store.house_tables import PaceRow
from service.subscribers.address import cap_key, read_address

MOST = Most(a_day=1, a_month=3, a_network=2, in_all=5)


@pytest.fixture
def ask(rt):
    def place(hashed, network="203.0.113.0/24", kind=UNASKED) -> Place:
        return rt.db.write(
            lambda s: take_place(s, kind, MOST, hashed=hashed, network=network, now=rt.clock())
        )

    return place


def test_one_a_day_and_three_a_month(rt, ask):
    days = {}
    for day in range(31):
        days[day] = [ask("ada").dropped for _ in range(3)]
        rt.clock.go(days=1)
    sent = [day for day, dropped in days.items() if dropped == [False, True, True]]
    assert sent == [0, 1, 2, 30]
    assert all(all(days[day]) for day in days if day not in sent)


def test_a_network_waits_by_the_hour_and_another_does_not(rt, ask):
    rt.clock.go(minutes=20)  # 9:20
    hours = [ask(f"r{n}").hours for n in range(5)]
    assert hours == [0, 0, 1, 1, 2]
    assert ask("r9").wait == timedelta(hours=1, minutes=40)
    assert ask("other", "198.51.100.0/24").hours == 0


def test_addresses_of_one_network_count_together(rt, ask):
    hours = [ask(f"r{n}", f"203.0.113.{n}").hours for n in range(4)]
    assert hours == [0, 0, 1, 1]
    rt.clock.go(hours=2)
    assert [ask(f"s{n}", f"2001:db8::{n}").hours for n in range(3)] == [0, 0, 1]
    assert ask("s9", "2001:db8:0:1::").hours == 0
    assert ask("t", "").hours == 0, "where it cannot be told all count together"


def test_all_together_wait_too(ask):
    hours = [ask(f"r{n}", f"198.51.{n}.0/24").hours for n in range(12)]
    assert hours == [0] * 5 + [1] * 5 + [2] * 2


def test_what_a_day_has_no_room_for_is_not_taken(rt, ask):
    places = [ask(f"r{n}") for n in range(52)]
    assert [p.full for p in places] == [False] * 50 + [True] * 2
    assert places[50].dropped
    assert ask("r0").full  # the same is said whatever the address
    rt.clock.go(hours=1)
    assert not ask("r51").dropped


def test_repeats_take_no_place_and_kinds_are_apart(ask):
    assert [ask("ada").dropped for _ in range(9)] == [False] + [True] * 8
    assert ask("bea").hours == 0
    assert ask("cyd").hours == 1
    assert ask("ada", kind=LINK) == Place(False, timedelta(), 0, False)


def test_rows_go_when_they_count_no_more(rt, ask):
    ask("ada")
    rt.clock.go(days=31)
    tidy(rt)
    assert rt.db.read(lambda s: s.execute(sa.select(PaceRow.key)).all()) == []


@pytest.mark.parametrize(
    ("written", "counted"),
    [
        ("v.ictim+shop@gmail.com", "victim@gmail.com"),
        ("Vic.Tim@GoogleMail.com", "victim@gmail.com"),
        ("v.i.c.t.i.m@uni.example", "victim@uni.example"),
        ("victim+a+b@uni.example", "victim@uni.example"),
        ("victim@b.uni.example", "victim@b.uni.example"),
        ("+x@uni.example", "+x@uni.example"),
    ],
)
def test_tags_and_dots_are_folded_for_counting_alone(written, counted):
    address = read_address(written)
    assert cap_key(address.key) == counted
    assert address.key == written.lower()
