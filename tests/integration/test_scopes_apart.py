"""What a token is told on ways that are not those of looking."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from fastapi.testclient import TestClient
from support.came_back import lay
from support.house import Clock, add, open_house

from service.app import make_app
from service.flows import imports, tokens
from service.store import hooks as hooks_store
from service.wiring import House

BASE = "http://127.0.0.1:8000"


@pytest.fixture
def house(tmp_path: Path) -> Iterator[House]:
    with open_house(tmp_path, clock=Clock()) as made:
        yield made


@pytest.fixture
def program(house: House) -> Callable[..., TestClient]:
    app = make_app(house.runtime, house.settings)

    def with_scopes(*scopes: str) -> TestClient:
        token = tokens.make_token(house.runtime, " ".join(scopes), scopes, by="cli")["token"]
        headers = {"Authorization": f"Bearer {token}"}
        return TestClient(app, base_url=BASE, headers=headers, client=("192.0.2.7", 5))

    return with_scopes


def test_a_webhook_tells_addresses_to_nobody_who_may_not_look(
    house: House, program: Callable[..., TestClient]
) -> None:
    rt, settings = house.runtime, program("settings:read", "settings:write")
    new = {"name": "x", "url": "https://a.example/", "events": ["reader.joined"]}
    told = settings.post("/api/v1/webhooks", json=new | {"tells_address": True})
    assert (told.status_code, "tells_address" in told.text) == (403, True)
    both = program("settings:write", "readers:read")
    assert both.post("/api/v1/webhooks", json=new | {"tells_address": True}).status_code == 200
    add(rt, "ada@example.org", "adapters")
    body = "/api/v1/webhooks/1/calls"
    assert "ada@example.org" not in settings.get(body).text
    assert '\\"reader\\":1' in settings.get(body).text
    assert "ada@example.org" in program("settings:read", "readers:read").get(body).text
    rt.db.write(lambda s: hooks_store.fail_waiting(s, 1, rt.clock()))
    again = settings.post("/api/v1/webhooks/calls/1/again")
    assert again.status_code == 200
    assert "ada@example.org" not in again.text


def test_who_may_decide_on_a_mail_is_not_told_what_it_says(
    house: House, program: Callable[..., TestClient]
) -> None:
    rt = house.runtime
    first, second = (lay(rt, {}, state="review", subject=name) for name in ("a", "b"))
    said = program("deliveries:send").post(f"/api/v1/bounces/{first}/decide", json={"kind": "soft"})
    assert (said.status_code, "ada@" in said.text) == (200, False)
    looks = program("deliveries:send", "deliveries:read")
    both = looks.post(f"/api/v1/bounces/{second}/decide", json={"kind": "soft"})
    assert "ada@uni.example" in both.text


def test_what_takes_longer_goes_on_after_the_answer(
    house: House, program: Callable[..., TestClient]
) -> None:
    asks = program("readers:write", "readers:read")
    lists = [{"text": "email,note\n" + f"ada@example.org,{'x' * 100_000}\n" * 6}]
    given = {"lists": lists, "basis": "institution", "dry_run": False}
    begun = asks.post("/api/v1/imports", json=given)
    found = begun.json()
    assert (begun.status_code, found["state"], found["seen"]) == (202, "looking", [0, 0])
    imports.go_on(house.runtime)
    done = asks.get(f"/api/v1/imports/{found['id']}").json()
    assert (done["state"], done["done"]["readers"], done["unmailed"]) == ("done", 1, 1)
    waits = asks.post("/api/v1/imports", json={**given, "dry_run": True}).json()
    address = f"/api/v1/imports/{waits['id']}"
    assert asks.post(f"{address}/stop").json() == {"state": ""}
    assert (asks.get(address).status_code, asks.post(f"{address}/stop").status_code) == (404, 404)


def test_a_long_list_comes_in_and_nobodys_is_not_read(
    house: House, program: Callable[..., TestClient]
) -> None:
    writes = program("readers:write")
    row = f"ada@example.org,{'x' * 100_000}\n"
    lists = [{"text": "email,note\n" + 3 * row}]
    asked = {"lists": lists, "basis": "institution"}
    assert writes.post("/api/v1/imports", json=asked).status_code == 201
    key = {"Authorization": "Bearer paperpost_x"}
    assert writes.post("/api/v1/imports", content=b"{", headers=key).status_code == 401
    assert writes.post("/api/v1/words", json={"text": "x" * 300_000}).status_code == 413
