"""Limits, turns and the second account, seen from the relay."""

import asyncio
import threading
import time
from collections.abc import Callable, Coroutine
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from support.house import START, Clock, add, ingest_items, open_house, paper_item, rows
from support.smtp_server import hang, slow

from service.delivery.pace import Rates
from service.flows.alarms import Alarm, raise_alarm
from service.flows.daily import plan_daily
from service.flows.notice import add_notice
from service.flows.runtime import Runtime
from service.flows.send import SendReport, send_ready
from service.store import alarms as alarms_store
from service.store.instance import set_setting
from service.store.send_pace import ACCOUNT, Pace, forget_quiet, list_counts
from service.store.wire_pace import Asked, let_through


def choose(rt: Runtime, **values: int) -> None:
    for name, value in values.items():
        rt.db.write(lambda s, n=name, v=value: set_setting(s, n, str(v)))


def fill(rt: Runtime, folder: Path, readers: int) -> None:
    ingest_items(rt, folder, [paper_item(1, "Sparse attention")])
    for n in range(readers):
        add(rt, f"r{n}@example.org")
    plan_daily(rt)


def begin(run: Coroutine[Any, Any, SendReport]) -> tuple[threading.Thread, list[SendReport]]:
    reports: list[SendReport] = []
    thread = threading.Thread(target=lambda: reports.append(asyncio.run(run)))
    thread.start()
    return thread, reports


def wait_for(until: Callable[[], bool], seconds: float = 20.0) -> None:
    end = time.monotonic() + seconds
    while not until():
        assert time.monotonic() < end, "it never came to that"
        time.sleep(0.01)


@pytest.mark.slow
def test_two_senders_obey_one_limit_together(tmp_path, database_url, server):
    """Each alone would send twelve at once."""
    begun = time.monotonic()
    at: dict[str, Any] = {
        "clock": lambda: START + timedelta(seconds=time.monotonic() - begun),
        "database_url": database_url,
    }
    with (
        open_house(tmp_path, smtp_port=server.port, **at) as one,
        open_house(tmp_path, smtp_port=server.port, **at) as two,
    ):
        fill(one.runtime, tmp_path, 12)
        choose(one.runtime, mails_a_second=4)
        both = [begin(send_ready(house.runtime)) for house in (one, two)]
        for thread, _ in both:
            thread.join(30)
        assert sum(reports[0].accepted for _, reports in both) == 12
        assert {row.state for row in rows(one.runtime)} == {"accepted"}
        times = sorted(mail.at for mail in server.accepted)
        assert len({mail.recipient for mail in server.accepted}) == len(times) == 12
        late = 0.3  # by so much a busy machine may hold up one mail of a second and not the next
        assert max(sum(at <= other < at + 1 - late for other in times) for at in times) <= 4
        (account,) = one.runtime.db.read(lambda s: list_counts(s, START))
        assert (account.scope, account.key) == (ACCOUNT, f"127.0.0.1:{server.port}")


@pytest.mark.parametrize("limit", ["mails", "domain"])
def test_mails_that_meet_on_their_way_wait_just_before_the_body(rt, limit):
    """Claimed at different times, they come there at once: the wire has its limit all the same."""
    pace = Pace(account="relay:25", **{limit: Rates(second=4, minute=9)})
    waiting = [Asked((n, 1), "example.org", is_notice=False) for n in range(10)]
    begun, went = rt.clock(), []
    while waiting and rt.clock() - begun < timedelta(seconds=30):
        now = rt.clock()
        later = rt.db.write(lambda s: let_through(s, pace, waiting, now))  # noqa: B023
        went += [(now - begun).total_seconds() for one in waiting if one.lease not in later]
        waiting = [one for one in waiting if one.lease in later]
        assert all(at > now for at in later.values())
        if waiting:
            rt.clock.at = min(later.values())
    assert len(went) == 9  # and not the tenth, in this minute
    assert max(sum(at <= other < at + 1 for other in went) for at in went) == 4
    assert went[-1] < 3
    assert (rt.clock() - begun).total_seconds() > 60


@pytest.mark.slow
def test_a_small_edition_overtakes_a_large_one(rt, tmp_path, server):
    choose(rt, smtp_connections=2)
    server.on("DOT", slow(0.1))  # so that planning two more is the faster of the two
    fill(rt, tmp_path, 60)
    sending, reports = begin(send_ready(rt))
    wait_for(lambda: len(server.accepted) >= 5)
    ingest_items(rt, tmp_path, [paper_item(2, "Dense attention")], rt.clock().date())
    plan_daily(rt, rt.clock().date() + timedelta(days=1), email_key="r1@example.org")
    plan_daily(rt, rt.clock().date() + timedelta(days=1), email_key="r2@example.org")
    sending.join(30)
    assert reports[0].accepted == 62
    order = [row.edition_id for row in sorted(rows(rt), key=lambda row: row.accepted_at)]
    assert len(order) == 62
    small = max(set(order), key=lambda edition: -order.count(edition))
    by_wire = [mail.recipient for mail in server.accepted]
    seconds = [at for at, name in enumerate(by_wire) if by_wire[:at].count(name)]
    assert order.count(small) == 2
    assert len(seconds) == 2
    assert seconds[-1] < 55  # not behind the sixty of the large one


@pytest.mark.slow
def test_a_notice_does_not_wait_for_a_relay_that_hangs_over_another(rt, tmp_path, server):
    fill(rt, tmp_path, 1)
    server.on("DOT", hang(), match="r0@", times=1)
    sending, reports = begin(send_ready(rt))
    server.wait_until_hung()
    email = "ana@example.org"
    data = {"relay": "relay:25", "on": "2026-11-18"}
    rt.db.write(
        lambda s: add_notice(rt, s, "test", email=email, email_key=email, data=data, now=rt.clock())
    )
    wait_for(lambda: [mail.recipient for mail in server.accepted] == [email], 10)
    server.release()
    sending.join(20)
    assert reports[0].accepted == 2


def failovers(rt: Runtime) -> list[tuple[str, bool]]:
    found = rt.db.read(lambda s: [alarms_store.get_alarm(s, "failover", "127.0.0.1:9")])
    return [(row.what, row.ended_at is None) for row in found if row is not None]


@pytest.mark.slow
def test_the_second_account_takes_over_and_the_staff_hears_of_it(tmp_path, server):
    clock = Clock()
    second = f"smtp://127.0.0.1:{server.port}"
    with open_house(tmp_path, clock=clock, smtp_url_2=second) as house:
        rt = house.runtime
        fill(rt, tmp_path, 3)
        report = asyncio.run(send_ready(rt))
        assert (report.accepted, report.deferred) == (3, 0)
        assert failovers(rt) == [("Mails go by the second account.", True)]
        asyncio.run(send_ready(rt))  # what the staff is told goes by the second, too
        assert "papers@example.org" in [mail.recipient for mail in server.accepted]


def test_the_alarm_ends_when_the_first_takes_mails_again(tmp_path, server):
    """Also one that an earlier process raised."""
    free = {"smtp_port": server.port, "smtp_url_2": "smtp://127.0.0.1:9"}
    with open_house(tmp_path, **free) as house:
        rt = house.runtime
        name = f"127.0.0.1:{server.port}"
        alarm = Alarm(kind="failover", key=name, what="Left.", place="", next_step="")
        rt.db.write(lambda s: raise_alarm(rt, s, alarm))
        asyncio.run(send_ready(rt))
        kept = rt.db.read(lambda s: alarms_store.get_alarm(s, "failover", name))
        assert kept.ended_at is not None


def test_counts_that_no_window_holds_are_forgotten(rt, tmp_path):
    fill(rt, tmp_path, 1)
    choose(rt, mails_a_day=5, domain_a_day=5)
    assert asyncio.run(send_ready(rt)).accepted == 1
    counts = rt.db.read(lambda s: list_counts(s, rt.clock()))
    assert [(one.key, one.counts) for one in counts] == [
        (counts[0].key, {"day": 1}),
        ("example.org", {"day": 1}),
    ]
    assert rt.db.write(lambda s: forget_quiet(s, rt.clock())) == 0
    assert rt.db.write(lambda s: forget_quiet(s, rt.clock() + timedelta(days=3))) == 2
