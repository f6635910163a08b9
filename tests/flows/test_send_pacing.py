"""A sender that may take nothing for now: it sits out seconds, and puts off what waits longer."""

import asyncio
from datetime import timedelta
from pathlib import Path

import pytest
from support.house import Clock, add, ingest_items, paper_item, rows

from service.defaults import Defaults
from service.delivery.breakers import Breaker
from service.flows.daily import plan_daily
from service.flows.pacing import PATIENCE, Desk, pace_of
from service.flows.runtime import Runtime
from service.store import rests


def plan(rt: Runtime, folder: Path, readers: int) -> None:
    ingest_items(rt, folder, [paper_item(1, "Sparse attention")])
    for n in range(readers):
        add(rt, f"r{n}@{'slow' if n % 2 else 'fast'}.example")
    plan_daily(rt)


class Run:
    """A sender that takes what it may and answers at once; the house's clock goes as it sleeps."""

    def __init__(self, rt: Runtime, **limits: int) -> None:
        self.rt, self.slept, self.taken = rt, 0.0, []
        self.desk = Desk(rt, Defaults(**limits), account=lambda: "relay:25", sleep=self.sleep)

    async def sleep(self, seconds: float) -> None:
        assert isinstance(self.rt.clock, Clock)
        self.slept += seconds
        self.rt.clock.go(seconds=seconds)

    async def _all(self) -> None:
        while True:
            if found := await self.desk.claim(self.rt.owner().id, 100):
                self.taken += [(self.rt.clock(), row) for row in found]
            elif not await self.desk.waits():
                return

    def __call__(self) -> list[int]:
        """How many went in each second from the start."""
        begun, at = self.rt.clock(), len(self.taken)
        asyncio.run(self._all())
        seconds = [int((at - begun).total_seconds()) for at, _ in self.taken[at:]]
        return [seconds.count(n) for n in range(max(seconds, default=-1) + 1)]


def test_without_limits_nothing_waits(rt, tmp_path):
    plan(rt, tmp_path, 3)
    run = Run(rt)
    assert run() == [3]
    assert run.slept == 0


@pytest.mark.slow
def test_a_limit_a_second_is_sat_out(rt, tmp_path):
    plan(rt, tmp_path, 7)
    run = Run(rt, mails_a_second=2)
    each = run()
    assert sum(each) == 7
    assert max(each) <= 3  # seconds that begin anywhere
    assert 3 <= run.slept < 5
    assert not run.desk.put_off


def test_what_an_hour_does_not_hold_is_put_off_and_says_why(rt, tmp_path):
    plan(rt, tmp_path, 5)
    run = Run(rt, mails_an_hour=3)
    assert run() == [3]
    left = [row for row in rows(rt) if row.state != "leased"]
    assert {(row.state, row.meaning, row.reason) for row in left} == {
        ("deferred", "rest", "the limit of 3 mails an hour is reached")
    }
    assert run.desk.put_off.total() == 2
    assert run.slept == 0
    rt.clock.go(hours=1, minutes=4)
    assert run() == [2]


def test_a_domain_that_rests_is_put_off_alone(rt, tmp_path):
    plan(rt, tmp_path, 4)
    until = rt.clock() + timedelta(minutes=10)
    rest = Breaker(cause="rate", until=until)
    rt.db.write(lambda s: rests.write(s, rests.DOMAIN, {"slow.example": rest}))
    run = Run(rt)
    assert run() == [2]
    assert {row.domain for _, row in run.taken} == {"fast.example"}
    put_off = {(r.domain, r.reason, r.not_before) for r in rows(rt) if r.state == "deferred"}
    assert put_off == {("slow.example", "slow.example asks us to go slower", until)}


@pytest.mark.slow
def test_nobody_sits_out_what_does_not_end(rt, tmp_path):
    """One at a time, and that one is in the hands of another process that says nothing."""
    plan(rt, tmp_path, 4)
    probing = Breaker(cause="rate", until=rt.clock(), at_once=1)
    rt.db.write(lambda s: rests.write(s, rests.DOMAIN, {"slow.example": probing}))
    run = Run(rt)
    assert sum(run()) == 3
    assert PATIENCE.total_seconds() - 1 <= run.slept <= PATIENCE.total_seconds() + 1
    assert run.desk.put_off.total() == 1


def test_the_settings_are_the_limits():
    mails = {"mails_a_second": 1, "mails_a_minute": 2, "mails_an_hour": 3, "mails_a_day": 4}
    domain = {"domain_a_second": 5, "domain_a_minute": 6, "domain_an_hour": 7, "domain_a_day": 8}
    limits = Defaults(**mails, **domain)
    pace = pace_of(limits, "relay:25")
    mails, domain = pace.mails, pace.domain
    assert (mails.second, mails.minute, mails.hour, mails.day) == (1, 2, 3, 4)
    assert (domain.second, domain.minute, domain.hour, domain.day) == (5, 6, 7, 8)
    assert pace.account == "relay:25"
    assert not pace_of(Defaults(), "relay:25").counts


def test_mails_that_another_account_took_count_there(rt, tmp_path):
    """The first account was left while they were on their way."""
    plan(rt, tmp_path, 6)
    limits = Defaults(mails_an_hour=4)
    account = "one:25"
    desk = Desk(rt, limits, account=lambda: account)

    async def both() -> list[int]:
        nonlocal account
        first = await desk.claim(1, 3)
        account = "two:25"
        second = await desk.claim(1, 3)
        third = await desk.claim(1, 3)
        return [len(first), len(second), len(third)]

    assert asyncio.run(both()) == [3, 1, 0]


def test_a_run_that_is_not_warm_takes_one_burst(rt, tmp_path):
    """Its first mails wait for templates and connections: what a second allows must not meet what
    the next one does."""
    plan(rt, tmp_path, 6)
    desk = Desk(rt, Defaults(mails_a_second=10), account=lambda: "relay:25")

    async def runs() -> list[int]:
        cold = [len(await desk.claim(1, 50, is_warm=False)) for _ in range(2)]
        rt.clock.go(seconds=5)
        cold.append(len(await desk.claim(1, 50, is_warm=False)))
        return [*cold, len(await desk.claim(1, 50))]

    assert asyncio.run(runs()) == [2, 0, 0, 2]
    free = Desk(rt, Defaults(), account=lambda: "relay:25")
    assert len(asyncio.run(free.claim(1, 50, is_warm=False))) == 2


@pytest.mark.slow
def test_room_that_comes_between_two_looks_ends_no_run(rt, tmp_path, monkeypatch):
    """The claim found the limit spent; when the run asks what it waits for, nothing holds any
    more."""
    plan(rt, tmp_path, 3)
    asked = []

    def later(*args, **more):
        asked.append(1)
        return []

    monkeypatch.setattr("service.flows.pacing.waiting_store.list_holds", later)
    run = Run(rt, mails_a_second=2)
    assert sum(run()) == 3
    assert asked
    assert run.slept < 3
