"""Slow and broken sources never make the others wait: places, lanes, leases, who is due then."""

import asyncio
import socket
import threading
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from support.polling import Clock, polling_house, rss_feed, source
from support.web_site import WebSite

from service.flows import poll as poll_module
from service.flows.poll import LEASE, _claim, poll_due
from service.flows.runtime import Runtime
from service.flows.sources import add_source
from service.store import sources as sources_store

FEED = (200, {}, rss_feed([("a", "One", "2026-11-17")]))


class Slow:
    """Pages that answer when they are let go; a site that tells when it was asked."""

    def __init__(self, site: WebSite) -> None:
        self.site, self.go = site, threading.Event()
        self.asked: list[str] = []

    def page(self, name: str, *, slow: bool) -> None:
        def answer(query: Any, headers: Any) -> Any:
            self.asked.append(name)
            if slow:
                self.go.wait(20)
            return FEED

        self.site.at[f"/{name}"] = answer


@pytest.fixture
def slow(monkeypatch: pytest.MonkeyPatch) -> Iterator[Slow]:
    real = socket.getaddrinfo
    monkeypatch.setattr(socket, "getaddrinfo", lambda h, *a, **k: real("127.0.0.1", *a, **k))
    with WebSite() as site:
        made = Slow(site)
        yield made
        made.go.set()


@pytest.fixture
def clock() -> Clock:
    return Clock("2026-11-18T12:00:00")


@pytest.fixture
def rt(tmp_path: Path, clock: Clock) -> Iterator[Runtime]:
    with polling_house(tmp_path, clock) as house:
        yield house.runtime


def add(rt: Runtime, slow: Slow, name: str, *, is_slow: bool = False) -> int:
    """A feed on a host of its own."""
    slow.page(name, slow=is_slow)
    port = slow.site.base.rpartition(":")[2]
    return int(add_source(rt, "feed", f"url=http://{name}.example:{port}/{name}")["id"])


async def until(condition: Any) -> None:
    for _ in range(500):
        if condition():
            return
        await asyncio.sleep(0.01)
    raise AssertionError("it did not happen in 5 seconds")


def test_a_slow_visit_gives_its_place_away(
    rt: Runtime, slow: Slow, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(poll_module, "AT_ONCE", 2)
    monkeypatch.setattr(poll_module, "SLOT", 0.05)
    names = ["slow1", "slow2", "good1", "good2", "good3"]
    ids = {name: add(rt, slow, name, is_slow=name.startswith("slow")) for name in names}

    async def story() -> list[dict[str, Any]]:
        polling = asyncio.create_task(poll_due(rt, sleep=clock.sleep))
        await until(lambda: source(rt, ids["good3"]).first_polled)
        assert not source(rt, ids["slow1"]).first_polled
        slow.go.set()
        return await polling

    reports = asyncio.run(story())
    assert [report["source"] for report in reports] == list(ids.values())
    assert {report["outcome"] for report in reports} == {"read"}


def test_those_that_failed_have_a_lane_of_their_own(
    rt: Runtime, slow: Slow, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(poll_module, "SUSPECTS_AT_ONCE", 1)
    ids = {name: add(rt, slow, name, is_slow=name != "good") for name in ("bad1", "bad2", "good")}

    def fail(session: Any) -> None:
        for name in ("bad1", "bad2"):
            row = sources_store.get_source(session, ids[name])
            assert row is not None
            row.failures = 1
            session.add(row)

    rt.db.write(fail)

    async def story() -> None:
        polling = asyncio.create_task(poll_due(rt, sleep=clock.sleep))
        await until(lambda: source(rt, ids["good"]).first_polled)
        assert sorted(slow.asked) == ["bad1", "good"]  # the second waits for the first
        slow.go.set()
        await polling

    asyncio.run(story())
    assert sorted(slow.asked) == ["bad1", "bad2", "good"]


def test_who_becomes_due_while_a_slow_one_is_asked_is_asked(
    rt: Runtime, slow: Slow, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(poll_module, "LOOK_AGAIN", 0.05)
    add(rt, slow, "slow", is_slow=True)

    async def story() -> list[dict[str, Any]]:
        polling = asyncio.create_task(poll_due(rt, sleep=clock.sleep))
        await until(lambda: slow.asked == ["slow"])
        late = await asyncio.to_thread(add, rt, slow, "late")
        await until(lambda: source(rt, late).first_polled)
        slow.go.set()
        return await polling

    reports = asyncio.run(story())
    assert [report["outcome"] for report in reports] == ["read", "read"]
    assert slow.asked == ["slow", "late"]


def test_the_lease_of_a_visit_that_goes_on_is_renewed_and_nobody_asks_twice(
    rt: Runtime, slow: Slow, clock: Clock
) -> None:
    one, two = add(rt, slow, "one"), add(rt, slow, "two")
    first = rt.db.write(lambda s: _claim(s, clock(), None))
    assert [row.id for row in first] == [one, two]
    clock.turn(minutes=6)
    busy = frozenset({one})
    assert rt.db.write(lambda s: _claim(s, clock(), None, busy)) == []
    assert source(rt, one).next_poll_at == clock() + LEASE
    assert source(rt, two).next_poll_at == clock() + LEASE - timedelta(minutes=6)
    clock.turn(minutes=5)
    assert [row.id for row in rt.db.write(lambda s: _claim(s, clock(), None, busy))] == [two]
