"""Counts of past days: what they are of, when they are taken, and that rates read them."""

import asyncio
from datetime import date, timedelta

import pytest
from support.house import add, ingest_items, open_house, paper_item
from support.smtp_server import reply

from service.flows.bounce_lists import read_rates
from service.flows.daily import plan_daily
from service.flows.day_figures import count_day, count_days, list_days
from service.flows.desk_overview import read_overview
from service.flows.edition_lists import keep_counts, list_page, read_wanted
from service.flows.leave import leave_row
from service.flows.send import send_ready
from service.flows.settle import settle_editions
from service.store import day_figures as store
from service.store import editions as editions_store
from service.store.edition_lists import states_of
from service.store.tables import SubscriberRow
from service.subscribers.cadence import local_date

FIRST = date(2026, 11, 18)


def a_day(rt, folder, server):
    """Three readers: one takes the mail, one is refused, one leaves."""
    for name in ("ada", "bo", "cy"):
        add(rt, f"{name}@lab.example", "adapters")
    ingest_items(rt, folder, [paper_item(1, "Adapters that forget less")])
    server.on("RCPT", reply("550 5.1.1 no such user"), match="bo@")
    plan_daily(rt)
    asyncio.run(send_ready(rt))


def kept(rt):
    return rt.db.read(lambda s: store.list_days(s, ("accepted", "refused", "joined"), FIRST, FIRST))


def test_a_day_is_counted_when_it_is_over_and_once_more_three_days_later(rt, tmp_path, server):
    a_day(rt, tmp_path, server)
    counts = rt.db.read(lambda s: count_day(rt, s, FIRST))
    assert counts == {
        "accepted": 2, "refused": 1, "papers": 1, "matches": 3, "asked": 0, "joined": 3, "left": 0,
    }  # fmt: skip
    assert count_days(rt) == 0  # it is not over
    rt.clock.go(days=1)
    assert count_days(rt) == 1
    assert kept(rt) == {FIRST: {"accepted": 2, "refused": 1, "joined": 3}}
    assert count_days(rt) == 0
    rt.clock.go(days=5)  # an outage: the days between are counted too, the first one anew
    assert count_days(rt) == 6
    assert kept(rt) == {FIRST: {"accepted": 2, "refused": 1, "joined": 3}}
    assert count_days(rt) <= 2  # those whose three days are not over yet come again later


def test_rates_and_charts_say_the_same_from_kept_days(rt, tmp_path, server):
    a_day(rt, tmp_path, server)
    rt.clock.go(days=2)
    before = read_rates(rt, FIRST, FIRST + timedelta(days=2)).as_dict()
    assert (before["all"]["accepted"], before["domains"][0]["name"]) == (2, "lab.example")
    assert count_days(rt) == 2
    assert read_rates(rt, FIRST, FIRST + timedelta(days=2)).as_dict() == before
    alone = read_rates(rt, FIRST, FIRST + timedelta(days=1), domain="lab.example")
    assert alone.all.accepted == 2
    today = local_date(rt.clock(), rt.zone)
    days = rt.db.read(lambda s: list_days(rt, s, 4, today, {"accepted": 0}))
    assert [counts.get("accepted") for _, counts in days] == [None, 2, 0, 0]


def test_days_begin_at_the_houses_midnight(tmp_path, server, clock):
    with open_house(tmp_path, smtp_port=server.port, clock=clock, timezone="Asia/Tokyo") as house:
        rt = house.runtime
        clock.go(hours=7)  # 16:00 UTC is the next day in Tokyo
        a_day(rt, tmp_path, server)
        counts = [
            rt.db.read(lambda s, d=day: count_day(rt, s, d))["accepted"]
            for day in (FIRST, FIRST + timedelta(days=1))
        ]
        assert counts == [0, 2]


def test_who_leaves_is_counted_once(rt, tmp_path, server):
    a_day(rt, tmp_path, server)
    rt.db.write(lambda s: leave_row(rt, s, s.get(SubscriberRow, 1)))
    counts = rt.db.read(lambda s: count_day(rt, s, FIRST))
    assert (counts["joined"], counts["left"]) == (3, 1)


def listed(rt, **wanted):
    found = read_wanted(**wanted)
    return rt.db.read(lambda s: list_page(s, found, dead=(), now=rt.clock()))


def test_an_edition_that_is_done_is_listed_by_what_was_taken_down(rt, tmp_path, server):
    a_day(rt, tmp_path, server)
    (live,) = listed(rt)
    assert (live["accepted"], live["failed"], live["so_far"]) == (2, 1, True)
    rt.clock.go(days=3)
    settle_editions(rt)
    row = rt.db.read(lambda s: editions_store.get_edition(s, id=live["id"]))
    assert (row.state, row.counted) == ("done", {"accepted": 2, "failed": 1})
    # what is taken down is believed while it balances, and no more
    rt.db.write(
        lambda s: editions_store.set_edition(s, live["id"], counted={"accepted": 1, "failed": 2})
    )
    assert (listed(rt)[0]["accepted"], listed(rt)[0]["failed"]) == (1, 2)
    rt.db.write(lambda s: editions_store.set_edition(s, live["id"], counted={"accepted": 7}))
    assert (listed(rt)[0]["accepted"], listed(rt)[0]["failed"]) == (2, 1)
    rt.db.write(lambda s: editions_store.set_edition(s, live["id"], counted=None))
    assert (keep_counts(rt), keep_counts(rt)) == (1, 0)
    row = rt.db.read(lambda s: editions_store.get_edition(s, id=live["id"]))
    assert row.counted == {"accepted": 2, "failed": 1}


def test_a_held_mail_that_proved_to_have_come_moves_what_was_taken_down(rt, tmp_path, server):
    a_day(rt, tmp_path, server)
    (live,) = listed(rt)
    rt.clock.go(days=3)
    settle_editions(rt)
    rt.db.write(
        lambda s: editions_store.set_edition(
            s, live["id"], counted={"accepted": 1, "failed": 1, "presumed": 1}
        )
    )
    row = rt.db.read(lambda s: editions_store.get_edition(s, id=live["id"]))
    # of the one that was presumed then, no row is presumed now
    assert rt.db.read(lambda s: states_of(s, [row])) == {
        live["id"]: {"accepted": 2, "failed": 1, "presumed": 0}
    }


@pytest.mark.parametrize(
    ("wanted", "found"),
    [({"kind": "digest"}, 1), ({"kind": "alert"}, 0), ({"state": "open"}, 1),
     ({"state": "done"}, 0), ({"words": "2026-11-1"}, 1), ({"words": "%"}, 0),
     ({"first": FIRST}, 1), ({"last": FIRST - timedelta(days=1)}, 0)],
)  # fmt: skip
def test_editions_are_chosen_by_the_database(tmp_path, server, wanted, found):
    with open_house(tmp_path, smtp_port=server.port) as house:
        add(house.runtime, "ada@lab.example", "adapters")
        ingest_items(house.runtime, tmp_path, [paper_item(1, "Adapters that forget less")])
        plan_daily(house.runtime)
        assert len(listed(house.runtime, **wanted)) == found


def test_the_overview_tells_what_waits_and_why(rt, tmp_path, server):
    add(rt, "ada@lab.example", "adapters")
    assert read_overview(rt)["queue"] is None
    ingest_items(rt, tmp_path, [paper_item(1, "Adapters that forget less")])
    plan_daily(rt)
    found = read_overview(rt)
    (edition,) = found["editions"]
    assert (found["is_moving"], edition["percent"], edition["rate"]) == (True, 0, None)
    assert found["queue"]["why"] == "others go before it"
    begins = rt.clock() + timedelta(minutes=2)
    rt.db.write(lambda s: editions_store.set_edition(s, edition["id"], not_before=begins))
    waits = read_overview(rt)["queue"]
    assert (waits["why"], waits["next_at"]) == ("its edition has not begun", begins.isoformat())
    rt.db.write(lambda s: editions_store.set_edition(s, edition["id"], not_before=None))
    server.on("RCPT", reply("451 4.7.1 later"), match="ada@")
    asyncio.run(send_ready(rt))
    found = read_overview(rt)
    assert "put off: 451" in found["queue"]["why"]
    assert found["queue"]["next_at"] > found["at"]
    assert (found["is_moving"], found["figures"]["deferred"]) == (False, 1)
    rt.db.write(lambda s: editions_store.set_edition(s, edition["id"], paused=True))
    found = read_overview(rt)
    assert (found["queue"]["why"], found["editions"][0]["state"]) == (
        "its edition is paused",
        "paused",
    )
    assert "@" not in str(found["queue"]) + str(found["put_off"])
