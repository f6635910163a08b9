"""Polling a query of arXiv whose day is more than a page: all of it comes, each paper once."""

import pytest
from support.polling import Clock, arxiv_answer, papers, poll, polled_rt, source
from support.web_site import Answer, WebSite

from service.flows import taking
from service.flows.runtime import Runtime
from service.flows.sources import add_source
from service.sources import arxiv_api

pytestmark = pytest.mark.slow  # pages of answers

rt = polled_rt


class Query:
    """What arXiv has for the query, newest first; fails: pages that are not answered now."""

    def __init__(self, clock: Clock) -> None:
        self.clock = clock
        self.listed: list[tuple[str, str, str]] = []
        self.fails: dict[str, Answer] = {}
        self.starts: list[int] = []

    def announce(self, count: int) -> None:
        day, had = f"{self.clock():%Y-%m-%d}", len(self.listed)
        new = [(f"2611.{n:05}", f"Paper {n}", day) for n in range(had + 1, had + count + 1)]
        self.listed = new[::-1] + self.listed

    def __call__(self, query: dict[str, str], headers: dict[str, str]) -> Answer:
        start, size = int(query["start"]), int(query["max_results"])
        self.starts.append(start)
        if query["start"] in self.fails:
            return self.fails[query["start"]]
        body = arxiv_answer(self.listed[start : start + size]).decode()
        before, mark, rest = body.partition("<opensearch:totalResults>")
        body = f"{before}{mark}{len(self.listed)}</{rest.partition('</')[2]}"
        made_at = f"<updated>{self.clock():%Y-%m-%d}T00:00:00Z</updated>"
        return 200, {}, body.replace("<opensearch", f"{made_at}<opensearch", 1).encode()


@pytest.fixture
def clock() -> Clock:
    return Clock("2026-11-16T09:00:00")


@pytest.fixture(autouse=True)
def small_pages(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(arxiv_api, "_PAGE", 3)
    monkeypatch.setattr(arxiv_api, "_NEXT_PAGE", 5)


@pytest.fixture
def query(rt: Runtime, site: WebSite, clock: Clock) -> Query:
    """A source that was read yesterday."""
    site.at["/api/query"] = made = Query(clock)
    made.announce(20)
    add_source(rt, "arxiv_api", "cat:cs.LG", history_days=0)
    poll(rt, clock)
    clock.turn(days=1)
    made.starts.clear()
    return made


def of_today(rt: Runtime) -> set[str]:
    return {title for title, is_new in papers(rt).items() if int(title.split()[1]) > 20 and is_new}


def test_a_day_of_several_pages_comes_whole(rt: Runtime, query: Query, clock: Clock) -> None:
    query.announce(12)
    (row,) = poll(rt, clock)
    assert (row["new"], len(of_today(rt))) == (12, 12)
    assert query.starts == [0, 3, 8, 13]  # the last one holds nothing new
    query.starts.clear()
    clock.turn(hours=7)
    (row,) = poll(rt, clock)
    assert (row["new"], query.starts) == (0, [0])


@pytest.mark.parametrize("status", [500, 429])
def test_a_page_that_fails_hides_nothing(
    rt: Runtime, query: Query, clock: Clock, status: int
) -> None:
    query.announce(12)
    query.fails["8"] = (status, {"Retry-After": "7200"} if status == 429 else {}, b"")
    poll(rt, clock)
    assert of_today(rt) == set()
    query.fails.clear()
    clock.turn(hours=7)
    poll(rt, clock)
    assert len(of_today(rt)) == 12
    assert source(rt).failures == 0


def test_a_visit_that_ended_while_it_was_stored_hides_nothing(
    rt: Runtime, query: Query, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    query.announce(12)
    taken = []

    def once(*what: object) -> object:
        if taken:
            raise RuntimeError("the machine went down")
        taken.append(True)
        return take(*what)  # type: ignore[arg-type]

    take = taking.take
    with monkeypatch.context() as broken:
        broken.setattr(taking, "take", once)
        (row,) = poll(rt, clock)
        assert row["outcome"] == "failed"
    clock.turn(hours=7)
    poll(rt, clock)
    assert len(of_today(rt)) == 12
