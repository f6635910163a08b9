"""No way of writing an address leads a fetch inside: listeners on loopback count no connection."""

import asyncio
import re
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
from fastapi import FastAPI
from fastapi.testclient import TestClient
from support.command import Shell
from support.inside import ENCODED, NAMES, PUBLIC, TARGETS, Network, network
from support.polling import Clock, Wakes, poll, polling_house

from service import admin
from service.flows import staff
from service.flows.runtime import Runtime
from service.flows.sources import add_source
from service.pages.front import furnish
from service.pages.templates import Pages, PageSite
from service.sources.adapter import ParameterError
from service.sources.fetch import Fetcher
from service.sources.outcome import Failed, Fetched, Outcome
from service.store.sources import list_sources

NOW = datetime(2026, 11, 18, tzinfo=UTC)
BASE = "http://127.0.0.1:8000"


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


@pytest.mark.slow
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


@pytest.fixture
def press(rt: Runtime, cheap_passwords: None) -> Iterator[Callable[[str, str], str]]:
    """An editor's form of a new feed: ``press("try" or "add", url)`` gives the page after it."""
    pages = Pages(PageSite(base_url=BASE), rt.catalogs)
    app = FastAPI(docs_url=None, redoc_url=None, openapi_url=None)
    app.include_router(admin.router(rt, pages))
    furnish(app, pages, statuses=admin.STATUSES)
    rt.engine = Wakes()
    with TestClient(app, base_url=BASE) as client:

        def send(path: str, **data: str) -> str:
            token = re.search(r'name="token" value="([^"]+)"', client.get(path).text)
            assert token
            return client.post(path, data={"token": token[1], **data}).text

        link = staff.create_admin(rt, "mia", "editor", by="cli").removeprefix(BASE)
        password = "correct horse battery"
        send(link, password=password, again=password)
        send("/admin/login", name="mia", password=password)
        yield lambda act, url: send("/admin/sources/add/feed", act=act, **{"param-url": url})


SOME = [f"http://{name}/" for name in ENCODED[::4]] + [f"http://{name}/" for name in NAMES]


# Eighty forms, and the command a dozen times: each way in ends at the same fetcher.
@pytest.mark.slow
def test_neither_the_form_nor_its_trial_leads_inside(
    rt: Runtime, press: Callable[[str, str], str], net: Network
) -> None:
    clock = rt.clock
    assert isinstance(clock, Clock)
    said = ""
    for url in SOME:
        for act in ("try", "add"):
            clock.turn(minutes=1)  # one trial in some seconds
            page = press(act, url)
            said += page
            assert "secret" not in page
            assert net.settled() == 0, url
    assert said.count("is not a public address") >= len(SOME)
    assert "Wait" not in said
    assert net.tried == []


# As above.
@pytest.mark.slow
def test_no_command_leads_inside(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, net: Network
) -> None:
    shell = Shell(tmp_path, monkeypatch)
    for url in ("http://0x7f.1/", "http://[::1]/", "http://127.0.0.1/", "http://2130706433/"):
        said = shell.say("sources", "add", "feed", url)
        assert said.code != 0, url
        assert "is not a public address" in said.err
    assert shell.say("sources", "add", "feed", "http://user:secret@127.0.0.1/").code == 2
    for url in ("http://inside.example/", "http://both.example/", "http://mapped.example/"):
        assert shell.say("sources", "add", "feed", url).code == 0
        said = shell.say("sources", "test", "feed", url)
        assert said.code == 1
        assert "is not a public address" in said.err
    shell.say("poll")
    listed = shell.say("sources", "list", "--json").json
    assert [row["last_error"].partition(" is ")[2] for row in listed] == [
        "not a public address"
    ] * 3
    assert net.settled() == 0
    assert net.tried == []
