"""Topics at the desk: roles, faults at their field, acts on record."""

import re
from collections.abc import Iterator
from html import unescape
from pathlib import Path

import pytest
from fastapi import FastAPI
from fastapi.testclient import TestClient
from support.reading_house import Reading, reading_house

from service import admin
from service.flows import staff
from service.flows.topics import get_topic, list_topics
from service.pages.front import furnish
from service.pages.templates import Pages, PageSite
from service.store.staff import list_audit

pytestmark = pytest.mark.usefixtures("cheap_passwords")
PASSWORD = "correct horse battery"


def token_in(page: str) -> str:
    found = re.search(r'name="token" value="([^"]+)"', page)
    assert found is not None
    return found[1]


@pytest.fixture
def house(tmp_path: Path) -> Iterator[Reading]:
    with reading_house(tmp_path, papers=False) as made:
        yield made


def signed_in(house: Reading, role: str) -> tuple[TestClient, str]:
    base, name = house.rt.site.base_url, f"ann-{role}"
    link = staff.create_admin(house.rt, name, role, by="cli").removeprefix(base)
    pages = Pages(PageSite(base_url=base), house.rt.catalogs)
    app = FastAPI()
    furnish(app, pages, statuses=admin.STATUSES)
    app.include_router(admin.router(house.rt, pages))
    client = TestClient(app, base_url=base)
    data = {"token": token_in(client.get(link).text), "password": PASSWORD, "again": PASSWORD}
    client.post(link, data=data)
    data = {"name": name, "password": PASSWORD}
    data["token"] = token_in(client.get("/admin/login").text)
    return client, token_in(client.post("/admin/login", data=data).text)


def test_an_editor_keeps_topics_on_record(house: Reading) -> None:
    client, token = signed_in(house, "editor")
    form = {"token": token, "name": "robots", "title": "Robots", "about": "", "likes": ""}
    broken = client.post("/admin/topics/add", data=form | {"kind": "query", "text": "(robots"})
    assert broken.status_code == 422
    assert "is never closed" in unescape(broken.text)
    assert re.search(r'id="text"[^>]*aria-invalid="true"', broken.text)
    client.post("/admin/topics/add", data=form | {"kind": "keywords", "text": "robots, hands"})
    assert get_topic(house.rt, "robots").text == "robots, hands"
    taken = client.post("/admin/topics/add", data=form | {"kind": "keywords", "text": "x"})
    assert re.search(r'id="name"[^>]*aria-invalid="true"', taken.text)
    client.post("/admin/topics/robots", data=form | {"kind": "query", "text": "robots AND hands"})
    assert get_topic(house.rt, "robots").kind == "query"
    assert "robots AND hands" in client.get("/admin/topics").text
    client.post("/admin/topics/robots/remove", data={"token": token})
    assert list_topics(house.rt) == []
    acts = [(row.who, row.what) for row in house.rt.db.read(list_audit)][::-1]
    assert [act for act in acts if "topic" in act[1]] == [
        ("ann-editor", "add topic"),
        ("ann-editor", "change topic"),
        ("ann-editor", "remove topic"),
    ]


def test_a_viewer_looks_and_changes_nothing(house: Reading) -> None:
    client, token = signed_in(house, "viewer")
    assert client.get("/admin/topics").status_code == 200
    assert client.get("/admin/topics/add").status_code == 403
    form = {"token": token, "name": "robots", "kind": "keywords", "text": "robots"}
    assert client.post("/admin/topics/add", data=form).status_code == 403
    assert client.post("/admin/topics/add", data=form | {"token": "x"}).status_code == 403
    assert list_topics(house.rt) == []
