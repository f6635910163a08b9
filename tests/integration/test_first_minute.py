"""What the daily page says before the first paper is there."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from fastapi.testclient import TestClient
from sqlmodel import Session
from support.polling import Clock, Wakes, poll, polling_house
from support.reader_site import make_site
from support.web_site import WebSite

from service.flows.runtime import Runtime
from service.store import sources as sources_store

FEED = b"""<rss version="2.0"><channel><title>A lab</title><item><title>Robots fold towels</title>
<link>https://lab.example/1</link><guid>1</guid></item></channel></rss>"""


@pytest.fixture
def clock() -> Clock:
    return Clock("2026-11-18T14:02:00")


@pytest.fixture
def site() -> Iterator[WebSite]:
    with WebSite() as made:
        yield made


@pytest.fixture
def rt(tmp_path: Path, clock: Clock, site: WebSite) -> Iterator[Runtime]:
    with polling_house(tmp_path, clock) as house:
        house.runtime.engine = Wakes()
        house.runtime.db.write(
            lambda s: sources_store.add_source(
                s,
                kind="feed",
                params={"url": f"{site.base}/feed"},
                title="The lab's blog",
                now=clock(),
                next_poll_at=clock(),
            )
        )
        yield house.runtime


def said(rt: Runtime) -> str:
    client = TestClient(make_site(rt), base_url=rt.site.base_url)
    page = client.get("/papers").text
    found = re.search(r'class="nothing">([^<]*)<', page)
    return found[1].replace("&#39;", "'").strip() if found else ""


def test_it_is_being_asked(rt: Runtime) -> None:
    assert said(rt) == "Asking The lab's blog now; papers in a few seconds."


def test_it_did_not_answer_and_when_it_is_tried_again(
    rt: Runtime, clock: Clock, site: WebSite
) -> None:
    site.at["/feed"] = (503, {"Retry-After": "180"}, b"later")
    poll(rt, clock)
    assert said(rt) == "The lab's blog did not answer at 14:02. Next try 14:05."
    clock.turn(minutes=4)
    poll(rt, clock)
    assert said(rt) == "The lab's blog did not answer at 14:06. Next try 14:09."


def test_it_answered_and_had_nothing(rt: Runtime, clock: Clock, site: WebSite) -> None:
    site.at["/feed"] = (200, {}, FEED.split(b"<item>")[0] + b"</channel></rss>")
    poll(rt, clock)
    assert re.fullmatch(
        r"No paper has come in yet. The sources are asked at \d\d:\d\d.", said(rt)
    ), said(rt)


def test_papers_are_there(rt: Runtime, clock: Clock, site: WebSite) -> None:
    site.at["/feed"] = (200, {}, FEED)
    poll(rt, clock)
    assert said(rt) == ""


def test_paused_sources_are_not_waited_for(rt: Runtime) -> None:
    def pause(session: Session) -> None:
        row = sources_store.list_sources(session)[0]
        row.state, row.next_poll_at = "paused", None
        session.add(row)

    rt.db.write(pause)
    assert said(rt) == "No paper has come in yet."
