"""An act of the staff stands as a whole with its row on record, or not at all: by desk, by program,
on the command line."""

from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from fastapi.testclient import TestClient
from support.desk import signed_in
from support.house import Clock, House, add, open_house

from service.app import make_app
from service.flows import imports
from service.flows.runtime import Runtime
from service.flows.tokens import make_token
from service.store.staff import list_audit
from service.store.subscribers import get_subscriber_row
from service.store.tables import SubscriberRow

pytestmark = pytest.mark.usefixtures("cheap_passwords")
BASE = "http://127.0.0.1:8000"
WRITE = "readers:write"


@pytest.fixture
def house(tmp_path: Path) -> Iterator[House]:
    with open_house(tmp_path, clock=Clock()) as made:
        add(made.runtime, "ada@example.org", "adapters")
        add(made.runtime, "ben@example.org", "robots")
        yield made


@pytest.fixture
def rt(house: House) -> Runtime:
    return house.runtime


@pytest.fixture
def program(house: House) -> TestClient:
    return of_scopes(house, "readers:read", "readers:write")


def of_scopes(house: House, *scopes: str) -> TestClient:
    """A program whose token is for these."""
    token = make_token(house.runtime, "-".join(scopes), scopes, by="cli")
    headers = {"Authorization": f"Bearer {token['token']}"}
    return TestClient(make_app(house.runtime, house.settings), base_url=BASE, headers=headers)


def reader(rt: Runtime, email: str) -> SubscriberRow:
    row = rt.db.read(lambda s: get_subscriber_row(s, email_key=email))
    assert row is not None
    return row


def acts(rt: Runtime, *but: str) -> list[str]:
    """What is on record, oldest first, beside what the test itself needed."""
    rows = rt.db.read(lambda s: list_audit(s, limit=100))
    passed = {"make token", "admin link", "password set", "log in", "add reader", *but}
    return [row.what for row in reversed(rows) if row.what not in passed]


def test_a_program_changes_all_of_a_reader_or_nothing(rt: Runtime, program: TestClient) -> None:
    ada = reader(rt, "ada@example.org")
    wanted: dict[str, Any] = {"hour": 21, "name": "Ada Ek", "reason": "asked"}
    taken = program.patch(f"/api/v1/readers/{ada.id}", json=wanted | {"email": "ben@example.org"})
    assert (taken.status_code, taken.json()["error"]["where"]) == (409, "email")
    now = reader(rt, "ada@example.org")
    assert (now.hour, now.name, acts(rt)) == (ada.hour, ada.name, [])
    made = program.patch(f"/api/v1/readers/{ada.id}", json=wanted | {"email": "ek@example.org"})
    assert made.status_code == 200, made.text
    now = reader(rt, "ek@example.org")
    assert (now.hour, now.name) == (21, "Ada Ek")
    assert acts(rt) == ["schedule", "change name", "change address"]


@pytest.mark.slow
def test_the_desk_changes_all_of_a_person_or_nothing(rt: Runtime) -> None:
    browser, token = signed_in(SimpleNamespace(rt=rt), "editor")  # type: ignore[arg-type]
    ada, ben = (reader(rt, f"{name}@example.org") for name in ("ada", "ben"))
    form = {"token": token, "email": ada.email, "name": "Ada Ek", "reason": "asked"}
    browser.post(f"/admin/readers/{ada.id}/person", data=form)
    assert acts(rt) == ["change name"]
    form |= {"email": ben.email, "name": "Ada Lo"}
    page = browser.post(f"/admin/readers/{ada.id}/person", data=form)
    assert "a subscription of its own" in page.text
    assert (reader(rt, "ada@example.org").name, acts(rt)) == ("Ada Ek", ["change name"])


@pytest.mark.slow
def test_who_may_write_sees_samples_of_their_own_lists_alone(
    rt: Runtime, house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(imports, "is_small", lambda *_: False)  # the samples stay: nothing is done
    theirs, ours = of_scopes(house, "readers:read", "readers:write"), of_scopes(house, WRITE)
    new = {"lists": [{"text": "email\nnew@example.org\n"}], "basis": "institution"}

    def samples(looks: TestClient, presses: TestClient) -> int:
        number = looks.post("/api/v1/imports", json=new).json()["id"]
        pressed = presses.post(f"/api/v1/imports/{number}/press", json={})
        assert pressed.status_code == 202, pressed.text
        return len(pressed.json()["look"]["samples"])

    assert (samples(ours, ours), samples(ours, theirs), samples(theirs, ours)) == (1, 1, 0)
