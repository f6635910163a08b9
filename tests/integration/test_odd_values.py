"""Values at the edge, by program: null bytes in any text, days at the ends of the calendar."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from fastapi.testclient import TestClient
from support.house import Clock, open_house

from service.app import make_app
from service.flows.tokens import SCOPES, make_token

BASE = "http://127.0.0.1:8000"


@pytest.fixture
def client(tmp_path: Path) -> Iterator[TestClient]:
    with open_house(tmp_path, clock=Clock()) as house:
        token = make_token(house.runtime, "t", list(SCOPES), by="cli")["token"]
        headers = {"Authorization": f"Bearer {token}"}
        app = make_app(house.runtime, house.settings)
        yield TestClient(app, base_url=BASE, headers=headers, client=("192.0.2.7", 5))


def test_no_text_has_null_bytes(client: TestClient) -> None:
    key = {"Idempotency-Key": "one"}
    for _ in range(2):
        asked = {"value": 9, "reason": "be\0fore\0"}
        assert client.put("/api/v1/settings/hour", json=asked, headers=key).json()["after"] == 9
    (act,) = client.get("/api/v1/audit?what=setting").json()["acts"]
    assert act["reason"] == "before"


@pytest.mark.parametrize("what", ["deliveries", "editions", "audit", "bounces"])
def test_lists_take_every_day_of_the_calendar(client: TestClient, what: str) -> None:
    said = client.get(f"/api/v1/{what}?since=0001-01-01&until=9999-12-31")
    assert said.status_code == 200


@pytest.mark.parametrize("at", ["9999-12-31 23:00-14:00", "0001-01-01 00:00+14:00"])
def test_nothing_begins_at_the_edge_of_the_calendar(client: TestClient, at: str) -> None:
    asked = {"kind": "newsletter", "subject": "x", "body": "x", "at": at, "dry_run": True}
    assert client.post("/api/v1/sends", json=asked).status_code == 422
