"""The staff's pages of sources: a form made of declarations, what would come in, acts on record."""

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from fastapi import FastAPI
from fastapi.testclient import TestClient
from sqlmodel import Session
from support.desk import token_in
from support.house import paper_item
from support.polling import Clock, Wakes, polling_house, rss_feed
from support.web_site import WebSite

from service import admin
from service.flows import staff
from service.flows.ingest import ingest_files
from service.flows.runtime import Runtime
from service.pages.front import furnish
from service.pages.templates import Pages, PageSite
from service.sources.adapter import Adapter, Parameter, Parsed
from service.sources.registry import ADAPTERS
from service.store.runs import count_papers
from service.store.sources import list_sources
from service.store.staff import list_audit
from service.store.tables import PaperRow, SightingRow, SourceRow

pytestmark = pytest.mark.usefixtures("cheap_passwords")
PASSWORD = "correct horse battery"
BASE = "http://127.0.0.1:8000"


@dataclass
class Desk:
    """An editor at the desk, without JavaScript."""

    rt: Runtime
    clock: Clock
    client: TestClient
    token: str

    def page(self, path: str) -> str:
        answer = self.client.get(f"/admin/sources{path}")
        assert answer.status_code == 200
        return answer.text

    def press(self, path: str, act: str = "add", *, file: bytes = b"", **fields: Any) -> Any:
        """Send a form; ``param_url`` stands for the field param-url."""
        data = {name.replace("param_", "param-"): value for name, value in fields.items()}
        return self.client.post(
            f"/admin/sources{path}",
            data={"token": self.token, "act": act, **data},
            files={"file": ("capture.xml", file)} if file else None,
        )

    def sources(self) -> list[SourceRow]:
        return self.rt.db.read(list_sources)

    def acts(self) -> list[tuple[str, str]]:
        return [(row.who, row.what) for row in self.rt.db.read(list_audit)][::-1]


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Desk]:
    clock = Clock()
    with polling_house(tmp_path, clock) as house:
        rt = house.runtime
        rt.engine = Wakes()
        pages = Pages(PageSite(base_url=BASE), rt.catalogs)
        app = FastAPI(docs_url=None, redoc_url=None, openapi_url=None)
        app.include_router(admin.router(rt, pages))
        furnish(app, pages, statuses=admin.STATUSES)
        with TestClient(app, base_url=BASE) as client:
            link = staff.create_admin(rt, "mia", "editor", by="cli").removeprefix(BASE)
            data = {"password": PASSWORD, "again": PASSWORD}
            client.post(link, data={"token": token_in(client.get(link).text), **data})
            data = {"name": "mia", "password": PASSWORD}
            data["token"] = token_in(client.get("/admin/login").text)
            yield Desk(rt, clock, client, token_in(client.post("/admin/login", data=data).text))


def text_of(html: str) -> str:
    """What is read: without tags, blanks single."""
    return " ".join(re.sub(r"<[^>]+>", " ", html).split())


def test_the_form_is_made_of_what_an_adapter_declares(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Invented(Adapter):
        kind, title, about = "invented", "Invented journals", "A kind of this test."
        parameters = (
            Parameter("shelf", "the shelf", "a-12", pattern=r"[a-z]-\d+", hint="Look at it."),
            Parameter("size", "size", "big", required=False, default="big",
                      choices=(("big", "all of it"), ("small", "a part"))),
        )  # fmt: skip

        def requests(self, params: Any, **_: Any) -> Any:
            return ()

        def parse(self, body: bytes, **_: Any) -> Parsed:
            return Parsed(0, ())

    monkeypatch.setitem(ADAPTERS, "invented", Invented())
    assert "A kind of this test." in desk.page("/add")
    form = desk.page("/add/invented")
    assert "The shelf" in form
    assert "Look at it. Like a-12" in form
    assert '<option value="small">a part</option>' in form
    assert 'name="history"' not in form, "its past cannot be asked for"
    wrong = desk.press("/add/invented", param_shelf="nowhere", param_size="small", title="Mine")
    assert wrong.status_code == 422
    at_field = wrong.text.partition('id="param-shelf"')[2]
    assert 'id="param-shelf-fault"' in at_field.partition("</div>")[0]
    assert 'value="nowhere"' in wrong.text
    assert '<option value="small" selected>' in wrong.text
    assert 'value="Mine"' in wrong.text
    desk.press("/add/invented", param_shelf="a-1", param_size="small", title="Mine")
    (row,) = desk.sources()
    assert (row.kind, row.params, row.title) == (
        "invented",
        {"shelf": "a-1", "size": "small"},
        "Mine",
    )


def test_what_would_come_in_is_shown_and_nothing_is_stored(desk: Desk) -> None:
    items = [(f"p{n}", f"Paper number {n}", "2026-11-18") for n in range(12)]
    items.append(("old", "An old paper", "2026-01-02"))
    with WebSite() as site:
        site.at["/feed"] = (200, {}, rss_feed(items, "Journal of &amp; Tests"))
        address = f"{site.base}/feed"
        shown = desk.press("/add/feed", "try", param_url=address, title="Mine")
    said = text_of(shown.text)
    assert "13 entries came from Journal of &amp; Tests; nothing is stored." in said
    assert "12 would count as new and 1 as known; 0 are in the lists already." in said
    assert "The first 10 of 13 papers" in said
    assert "Paper number 9" in shown.text
    assert "Paper number 10" not in shown.text
    assert "Left empty by every entry: " in said
    assert f'value="{address}"' in shown.text
    assert 'value="Mine"' in shown.text
    assert (desk.sources(), desk.rt.db.read(count_papers)) == ([], 0)
    made = desk.press("/add/feed", "add", param_url=address, title="Mine")
    assert made.url.path == "/admin/sources/1"
    assert "Added." in made.text
    assert "published more than 30 days ago waits for you" in text_of(made.text)
    assert desk.acts()[-1] == ("mia", "add source")
    again = desk.press("/add/feed", "add", param_url=address)
    assert "here already" in again.text


def test_problems_stand_apart_and_another_year_is_said(desk: Desk) -> None:
    items = [("a", "Of this year", "2026-11-18"), ("b", "Of another", "2019-11-17"),
             ("c", "", "2026-11-18")]  # fmt: skip
    shown = desk.press("/add/feed", "try", file=rss_feed(items))
    said = text_of(shown.text)
    assert "0 are in the lists already. 1 problem stands below." in said
    assert ">18 Nov</time>" in shown.text
    assert ">17 Nov 2019</time>" in shown.text


def test_a_capture_is_read_instead_of_asking(desk: Desk) -> None:
    body = rss_feed([("a", "From a file", "2026-11-18")])
    shown = desk.press("/add/feed", "try", file=body)
    assert "1 entry came from capture.xml" in text_of(shown.text)
    assert "From a file" in shown.text
    desk.clock.turn(seconds=30)
    wrong = desk.press("/add/hf_daily", "try", file=b"<html>no list</html>")
    assert wrong.status_code == 422
    assert 'id="file-fault"' in wrong.text
    assert desk.sources() == []


def test_papers_that_another_source_shows_are_told_with_its_name(
    desk: Desk, tmp_path: Path
) -> None:
    file = tmp_path / "day.json"
    file.write_text(json.dumps([paper_item(1, "Folded towels")]), encoding="utf-8")
    ingest_files(desk.rt, "hf_daily", [file])
    shown = text_of(desk.press("/add/hf_daily", "try", file=file.read_bytes()).text)
    assert "1 is in the lists already: 1 by Hugging Face Daily Papers." in shown


def test_a_source_that_cannot_be_asked_says_so_at_its_field(desk: Desk) -> None:
    with WebSite() as site:
        failed = desk.press("/add/feed", "try", param_url=f"{site.base}/nothing")
        assert failed.status_code == 422
        assert "There is nothing at its address any more (the server answered 404" in failed.text
        soon = desk.press("/add/feed", "try", param_url=f"{site.base}/nothing")
        assert "You tried a source a moment ago. Wait 5 seconds" in soon.text
        assert site.count("/nothing") == 1
        desk.clock.turn(seconds=30)
        desk.rt.private_sources = False
        refused = desk.press("/add/feed", "try", param_url=f"{site.base}/inside")
        assert refused.status_code == 422
        assert "would never be asked" in refused.text
        assert site.count("/inside") == 0


def test_a_form_without_our_token_does_nothing(desk: Desk) -> None:
    desk.token = "forged"
    for path, act in (
        ("/add/feed", "try"),
        ("/add/feed", "add"),
        ("/fields", ""),
        ("/1/pause", ""),
    ):
        assert desk.press(path, act, param_url="https://a.example/x").status_code == 403
    assert desk.sources() == []
    assert desk.client.get("/admin/sources/add/nothing").status_code == 404
    assert desk.client.get("/admin/sources/99").status_code == 404


def test_the_sources_of_a_field_are_ticked_and_added_in_one_go(desk: Desk) -> None:
    page = desk.page("/add")
    assert page.count('value="arXiv stat.AP" checked') == 1
    made = desk.press("/fields", field="statistics", source=["arXiv stat.AP", "arXiv stat.CO"])
    assert made.url.path == "/admin/sources"
    assert [row.title for row in desk.sources()] == ["arXiv stat.AP", "arXiv stat.CO"]
    assert desk.acts()[-2:] == [("mia", "add source")] * 2
    assert 'value="arXiv stat.AP"' not in desk.page("/add"), "it is asked already"
    none = desk.press("/fields", field="statistics")
    assert (none.status_code, "No source is ticked." in none.text) == (422, True)
    assert desk.press("/fields", field="nothing", source="x").status_code == 404


def test_pausing_removing_and_deciding_are_on_record(desk: Desk) -> None:
    desk.press("/add/feed", param_url="https://a.example/rss", title="Burst Letters")
    at = datetime(2026, 11, 18, tzinfo=UTC)

    def hold(session: Session) -> None:
        paper = PaperRow(first_seen_at=at, listed_on=at.date(), title="One of many")
        session.add(paper)
        session.flush()
        day = at.date()
        session.add(
            SightingRow(
                source_id=1, paper_id=paper.id or 0, listed_on=day, held=True, first_seen_at=at
            )
        )

    desk.rt.db.write(hold)
    page = text_of(desk.page(""))
    assert "1 paper came at once, far more than usual, and is held back." in page
    assert "papers held" in page
    assert "Paused." in desk.press("/1/pause").text
    assert "not asked now" in desk.page("")
    assert "Resumed." in desk.press("/1/resume").text
    assert "held back" not in desk.press("/1/take-known").text
    assert desk.press("/1/explode").status_code == 404
    assert "Removed." in desk.press("/1/remove").text
    assert desk.sources() == []
    assert [what for _, what in desk.acts()][-5:] == [
        "add source", "pause source", "resume source", "take-known source", "remove source",
    ]  # fmt: skip


def test_a_source_shows_its_days_and_where_its_pace_stands(desk: Desk) -> None:
    with WebSite() as site:
        site.at["/feed"] = (200, {}, rss_feed([("a", "A paper", "2026-11-18")]))
        desk.press("/add/feed", "try", param_url=f"{site.base}/feed")
        desk.press("/add/feed", "add", param_url=f"{site.base}/feed", title="Letters")
    one = text_of(desk.page("/1"))
    assert "It was not asked yet today." in one
    assert "127.0.0.1: 1 request today, at least 1 s apart" in one
    assert "127.0.0.1 1 86,400 one request in 1 s" in text_of(desk.page(""))
