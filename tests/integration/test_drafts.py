"""What an editor composed and did not send yet outlives a restart; it becomes one edition."""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path

import pytest
from fastapi import FastAPI
from fastapi.testclient import TestClient
from support.desk import token_in
from support.house import Clock, add, ingest_items, open_house, paper_item

from service import admin
from service.flows import drafts, frozen, manual, staff
from service.flows.editions import EditionError, details
from service.flows.runtime import NoEngine, Runtime
from service.flows.tidy import tidy
from service.pages.front import furnish
from service.pages.templates import Pages, PageSite
from service.store.editions import list_editions

pytestmark = pytest.mark.usefixtures("cheap_passwords")
PASSWORD = "correct horse battery"
BASE = "http://127.0.0.1:8000"
LETTER = {
    "kind": "newsletter",
    "segment": "all",
    "subject": "News of the library",
    "body": "We open on **Sunday**.",
    "key": "letter",
}


class Asleep(NoEngine):
    """Stands where the engine is."""

    def enqueue(self, task: str, ids: tuple[int, ...] = (), *, priority: int = 5) -> None:
        """Do nothing."""


@contextmanager
def started(folder: Path, clock: Clock) -> Iterator[tuple[Runtime, TestClient]]:
    """The desk of one process over a database that may be older than it."""
    with open_house(folder, clock=clock) as house:
        rt = house.runtime
        rt.engine = Asleep()
        app = FastAPI(docs_url=None, redoc_url=None, openapi_url=None)
        pages = Pages(PageSite(base_url=BASE), rt.catalogs)
        app.include_router(admin.router(rt, pages))
        furnish(app, pages, statuses=admin.STATUSES)
        with TestClient(app, base_url=BASE) as client:
            yield rt, client


def log_in(rt: Runtime, client: TestClient, name: str) -> str:
    link = staff.create_admin(rt, name, "sender", by="cli").removeprefix(BASE)
    data = {"token": token_in(client.get(link).text), "password": PASSWORD, "again": PASSWORD}
    client.post(link, data=data)
    page = client.get("/admin/login").text
    answer = client.post(
        "/admin/login", data={"token": token_in(page), "name": name, "password": PASSWORD}
    )
    return token_in(answer.text)


def expected_in(page: str) -> str:
    found = re.search(r'name="expected" value="(\d+)"', page)
    assert found, page[-2000:]
    return found[1]


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def house(tmp_path: Path, clock: Clock) -> Iterator[tuple[Runtime, TestClient]]:
    with started(tmp_path, clock) as (rt, client):
        add(rt, "ada@example.org", "adapters")
        ingest_items(rt, tmp_path, [paper_item(1, "Adapters that forget less")])
        yield rt, client


def test_a_restart_between_compose_and_send_loses_nothing(
    house: tuple[Runtime, TestClient], tmp_path: Path, clock: Clock
) -> None:
    rt, client = house
    token = log_in(rt, client, "ada")
    assert "How many would get it stands here" in client.get("/admin/send").text
    assert client.post("/admin/send", data={**LETTER, "token": token}).url.path == (
        "/admin/send/letter"
    )
    assert rt.db.read(list_editions) == [], "a draft is no edition yet"
    with started(tmp_path, clock) as (rt2, later):
        token = log_in(rt2, later, "ben")
        composed = later.get("/admin/send", params={"draft": "letter"}).text
        assert "We open on **Sunday**." in composed
        page = later.get("/admin/send/letter").text
        assert "News of the library" in page
        data = {"token": token, "expected": expected_in(page)}
        first = later.post("/admin/send/letter/start", data=data)
        again = later.post("/admin/send/letter/start", data=data)
        assert first.url.path == again.url.path
        assert re.fullmatch(r"/admin/editions/\d+", first.url.path)
        assert len(rt2.db.read(list_editions)) == 1


@pytest.mark.slow
def test_the_back_button_leads_to_what_was_begun(house: tuple[Runtime, TestClient]) -> None:
    rt, client = house
    token = log_in(rt, client, "ada")
    page = client.post("/admin/send", data={**LETTER, "token": token}).text
    data = {"token": token, "expected": expected_in(page)}
    begun = client.post("/admin/send/letter/start", data=data).url.path
    assert client.get("/admin/send/letter").url.path == begun
    changed = {**LETTER, "subject": "Another letter", "token": token}
    assert client.post("/admin/send", data=changed).url.path == begun
    row = rt.db.read(list_editions)[0]
    assert (row.title, row.created_by, row.kind) == ("News of the library", "ada", "newsletter")
    composed = client.get("/admin/send", params={"draft": "letter"}).text
    assert "We open on **Sunday**." in composed, "to be composed again"
    assert 'name="key" value="letter"' not in composed, "as another edition"


@pytest.mark.slow  # several sends
def test_what_was_taken_back_can_be_mended_and_sent(house: tuple[Runtime, TestClient]) -> None:
    rt, client = house
    token = log_in(rt, client, "ada")
    page = client.post("/admin/send", data={**LETTER, "token": token}).text
    data = {"token": token, "expected": expected_in(page)}
    begun = client.post("/admin/send/letter/start", data=data).url.path
    again = client.post("/admin/send/letter/start", data=data)
    assert "was begun before" in again.text, "a second press says why it leads here"
    after = client.post(f"{begun}/cancel", data={"token": token}).text
    assert "/admin/send?draft=letter" in after, "the way to send it after all"
    # the form of Compose, still open in another tab, holds the key of what was taken back
    mended = {**LETTER, "subject": "Mended news", "token": token}
    check = client.post("/admin/send", data=mended)
    assert check.url.path not in (begun, "/admin/send/letter")
    assert "Mended news" in check.text
    data = {"token": token, "expected": expected_in(check.text)}
    assert client.post(f"{check.url.path}/start", data=data).url.path != begun
    states = {e.title: e.state for e in rt.db.read(list_editions)}
    assert states == {"News of the library": "cancelled", "Mended news": "open"}


def test_todays_digest_pressed_twice_is_one(house: tuple[Runtime, TestClient]) -> None:
    rt, client = house
    token = log_in(rt, client, "ada")
    answer = client.post("/admin/send", data={"token": token, "kind": "daily"})
    check = answer.url.path
    data = {"token": token, "expected": expected_in(answer.text)}
    first = client.post(f"{check}/start", data=data).url.path
    assert client.post(f"{check}/start", data=data).url.path == first
    assert client.get(check).url.path == first
    assert [e.kind for e in rt.db.read(list_editions)] == ["digest"]


def test_a_draft_is_kept_as_it_was_checked(house: tuple[Runtime, TestClient]) -> None:
    rt, _ = house
    plan = manual.draft(
        rt,
        papers=["arxiv/2611.00001"],
        segment="list:ada@example.org,nobody",
        subject="Ö",
        key="k",
        created_by="ada",
        canary=True,
    )
    drafts.keep(rt, plan, {"papers": "arxiv/2611.00001", "subject": "Ö"})
    found = drafts.find(rt, "k")
    assert found is not None
    assert found.plan == plan
    assert found.typed["subject"] == "Ö"
    assert drafts.find(rt, "nothing") is None
    newer = manual.draft(rt, papers=["arxiv/2611.00001"], subject="Later", key="k")
    drafts.keep(rt, newer, {"subject": "Later"})
    kept = drafts.find(rt, "k")
    assert kept is not None
    assert kept.plan.subject == "Later"
    assert [d.title for d in drafts.unsent(rt)] == ["Later"]


def test_a_send_that_a_crash_left_half_planned_goes_on(
    house: tuple[Runtime, TestClient], tmp_path: Path, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    rt, client = house
    token = log_in(rt, client, "ada")
    page = client.post("/admin/send", data={**LETTER, "token": token}).text

    def killed(*_: object, **__: object) -> int:
        raise RuntimeError("killed here")

    data = {"token": token, "expected": expected_in(page)}
    with monkeypatch.context() as patched:
        patched.setattr(frozen, "_release", killed)
        with pytest.raises(RuntimeError, match="killed here"):
            client.post("/admin/send/letter/start", data=data)
    clock.at += timedelta(minutes=21)  # the other one is still there, but nobody plans for so long
    with started(tmp_path, clock) as (rt2, later):
        token = log_in(rt2, later, "ben")
        changed = {**LETTER, "body": "Other words.", "token": token}
        data = {
            "token": token,
            "expected": expected_in(later.post("/admin/send", data=changed).text),
        }
        assert later.post("/admin/send/letter/start", data=data).url.path == "/admin/editions/1"
        row = rt2.db.read(list_editions)[0]
        assert (row.planned, row.options["body"]) == (1, "We open on **Sunday**.")


def test_a_draft_is_no_edition_and_goes_after_thirty_days(
    house: tuple[Runtime, TestClient], clock: Clock
) -> None:
    rt, client = house
    token = log_in(rt, client, "ada")
    client.post("/admin/send", data={**LETTER, "token": token})
    with pytest.raises(EditionError):
        rt.db.read(lambda s: details(s, 1))
    assert "News of the library" in client.get("/admin/send").text, "offered on Compose"
    clock.at += timedelta(days=29)
    tidy(rt)
    assert drafts.find(rt, "letter") is not None
    clock.at += timedelta(days=2)
    assert tidy(rt).removed["drafts"] == 1
    log_in(rt, client, "ben")
    answer = client.get("/admin/send/letter")
    assert answer.status_code in (404, 409, 422)
    assert "nothing was sent" in answer.text
