"""No way of writing an address leads a fetch inside: listeners on loopback count no connection."""

import asyncio
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
from support.inside import NAMES, PUBLIC, TARGETS, Network, network
from support.polling import Clock, poll, polling_house

from service.flows.runtime import Runtime
from service.flows.sources import add_source
from service.sources.adapter import ParameterError
from service.sources.fetch import Fetcher
from service.sources.outcome import Failed, Fetched, Outcome
from service.store.sources import list_sources

NOW = datetime(2026, 11, 18, tzinfo=UTC)


@pytest.fixture
def net(monkeypatch: pytest.MonkeyPatch) -> Iterator[Network]:
    with network(monkeypatch) as made:
        yield made


def fetch_all(urls: list[str], *, private: bool = False) -> list[Outcome]:
    """Fetch one after the other: what hangs or crashes is seen with its address."""

    async def each() -> list[Outcome]:
        async with Fetcher(
            "Paperpost", clock=lambda: NOW, allow_private=private, seconds=3
        ) as fetcher:
            return [await fetcher.fetch(url) for url in urls]

    return asyncio.run(each())


def test_there_are_enough_of_them() -> None:
    assert len(set(TARGETS)) == len(TARGETS) >= 150


def test_no_spelling_leads_inside(net: Network) -> None:
    outcomes = fetch_all(TARGETS)
    assert net.settled() == 0
    assert net.tried == []
    for url, outcome in zip(TARGETS, outcomes, strict=True):
        if isinstance(outcome, Failed):
            assert outcome.permanent or "is not known" in outcome.reason, (url, outcome)
        else:  # spelt so that another host is meant, and that one is public
            assert "journal.example" in url, url
    assert set(net.visits) <= {"/", "/@journal.example/"}


def test_the_listeners_would_count(net: Network) -> None:
    """The same addresses, asked by an operator who allows the inside: most of them connect."""
    fetch_all(TARGETS, private=True)
    assert net.settled() > 0.6 * len(TARGETS)
    assert {"127.0.0.1", "::1"} == set(net.counted)


def test_no_redirect_leads_inside(net: Network) -> None:
    goals = [url for url in TARGETS if url.isascii()]
    net.location = lambda path: goals[int(path[1:])] if path[1:].isdecimal() else ""
    outcomes = fetch_all([f"http://journal.example/{n}" for n in range(len(goals))])
    assert net.settled() == 0
    assert net.tried == []
    assert {path for path in net.visits if path[1:].isdecimal()} == {
        f"/{n}" for n in range(len(goals))
    }
    refused = sum(isinstance(outcome, Failed) for outcome in outcomes)
    assert refused > 0.9 * len(goals)
    for goal, outcome in zip(goals, outcomes, strict=True):
        if isinstance(outcome, Fetched):  # it stayed where it was, or went to the public host
            assert outcome.url.startswith("http://journal.example/") or "journal" in goal, goal


@pytest.mark.parametrize(
    "second", [["127.0.0.1"], ["::1"], ["169.254.169.254"], ["::ffff:127.0.0.1"], ["0.0.0.0"]]
)
def test_a_name_that_is_bound_anew_between_look_and_leap(net: Network, second: list[str]) -> None:
    """The first look-up says public; were there a second one, it would say inside."""
    for number in range(2):
        name = f"rebind{number}.journal.example"
        net.answers[name] = [[PUBLIC], second, second]
        (first,) = fetch_all([f"http://{name}/"])
        assert isinstance(first, Fetched)
        assert net.asked.count(name) == 1
        (then,) = fetch_all([f"http://{name}/"])
        assert then == Failed(reason=f"refused: {name} is not a public address", permanent=True)
    assert net.settled() == 0


def test_a_redirect_to_itself_of_a_name_that_is_bound_anew(net: Network) -> None:
    name = "rebind.journal.example"
    net.answers[name] = [[PUBLIC], ["127.0.0.1"]]
    net.location = lambda path: f"http://{name}/again" if path == "/" else ""
    (found,) = fetch_all([f"http://{name}/"])
    assert isinstance(found, Failed)
    assert net.visits == ["/"]
    assert net.settled() == 0


@pytest.fixture
def rt(tmp_path: Path) -> Iterator[Runtime]:
    clock = Clock()
    with polling_house(tmp_path, clock) as house:
        house.runtime.private_sources = False
        house.runtime.open_fetcher = lambda: Fetcher("Paperpost", clock=clock)
        yield house.runtime


def test_sources_that_lead_inside_are_not_added_or_refused_at_the_poll(
    rt: Runtime, net: Network
) -> None:
    refused: list[ParameterError] = []
    for url in TARGETS:
        try:
            add_source(rt, "feed", {"url": url})
        except ParameterError as error:
            refused.append(error)
    assert len(refused) > 0.6 * len(TARGETS)
    assert all(error.what and error.where == "url" and error.next_step for error in refused)
    clock = rt.clock
    assert isinstance(clock, Clock)
    rows = poll(rt, clock)
    added = {row.id: row.params["url"] for row in rt.db.read(list_sources)}
    assert len(rows) == len(added) >= len(NAMES) / 2
    assert net.settled() == 0
    assert net.tried == []
    for row in rows:
        assert row["outcome"] == "failed" or "journal.example" in added[row["source"]], row
