"""Topics at the desk: roles, faults at their field, acts on record."""

import re
from collections.abc import Iterator
from html import unescape
from pathlib import Path

import pytest
from support.desk import signed_in
from support.reading_house import Reading, reading_house

from service.flows.topics import get_topic, list_topics
from service.store.staff import list_audit

pytestmark = pytest.mark.usefixtures("cheap_passwords")


@pytest.fixture
def house(tmp_path: Path) -> Iterator[Reading]:
    with reading_house(tmp_path, papers=False) as made:
        yield made


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
    long = client.post(
        "/admin/topics/robots",
        data=form | {"kind": "keywords", "text": "robots", "title": "x" * 121},
    )
    assert long.status_code == 422
    assert "The title has 121 characters; 120 fit. Shorten it" in unescape(long.text)
    assert "x" * 121 in long.text, "what was typed is there, whole"
    kept = get_topic(house.rt, "robots")
    client.post("/admin/topics/robots/remove", data={"token": token})
    assert list_topics(house.rt) == []
    assert "Bring it back" in client.get("/admin/topics").text
    client.post("/admin/topics/robots/restore", data={"token": token})
    assert get_topic(house.rt, "robots") == kept
    assert "Bring it back" not in client.get("/admin/topics").text
    again = client.post("/admin/topics/robots/restore", data={"token": token})
    assert again.status_code == 422
    assert 'href="/admin/topics?sort=title"' in again.text, "its headings lead to the list"
    acts = [(row.who, row.what) for row in house.rt.db.read(list_audit)][::-1]
    assert [act for act in acts if "topic" in act[1]] == [
        ("ann-editor", "add topic"),
        ("ann-editor", "change topic"),
        ("ann-editor", "remove topic"),
        ("ann-editor", "restore topic"),
    ]


def test_a_viewer_looks_and_changes_nothing(house: Reading) -> None:
    client, token = signed_in(house, "viewer")
    assert client.get("/admin/topics").status_code == 200
    assert client.get("/admin/topics/add").status_code == 403
    form = {"token": token, "name": "robots", "kind": "keywords", "text": "robots"}
    assert client.post("/admin/topics/add", data=form).status_code == 403
    assert client.post("/admin/topics/add", data=form | {"token": "x"}).status_code == 403
    assert list_topics(house.rt) == []
