"""Values at the edge: null bytes in any text, days at the ends of the calendar, endless numbers."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from fastapi.testclient import TestClient
from support.desk import signed_in
from support.house import Clock, open_house
from support.reading_house import reading_house

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


def test_a_source_has_no_papers_at_the_ends_of_the_calendar(client: TestClient) -> None:
    for on in ("0001-01-01", "9999-12-31"):
        page = client.get(f"/api/v1/papers?source=1&on={on}")
        assert (page.status_code, page.json()["papers"]) == (200, [])


@pytest.mark.parametrize("at", ["9999-12-31 23:00-14:00", "0001-01-01 00:00+14:00"])
def test_nothing_begins_at_the_edge_of_the_calendar(client: TestClient, at: str) -> None:
    asked = {"kind": "newsletter", "subject": "x", "body": "x", "at": at, "dry_run": True}
    assert client.post("/api/v1/sends", json=asked).status_code == 422


@pytest.mark.slow
@pytest.mark.usefixtures("cheap_passwords")
def test_the_desk_takes_odd_days_numbers_and_keys(tmp_path: Path) -> None:
    with reading_house(tmp_path, reader=("ada@uni.example", "adapters")) as house:
        browser, token = signed_in(house, "editor")
        for day in ("9999-12-31", "0001-01-01"):
            assert browser.get(f"/admin/readers/1/preview?on={day}").status_code == 200
            assert browser.get(f"/admin/deliveries?from={day}&to={day}").status_code == 200
        assert browser.get("/admin/papers/99999999999999999999").status_code == 404
        form = {"token": token, "kind": "newsletter", "subject": "s", "body": "b"}
        for key in ("x" * 3000, "../settings"):
            sent = browser.post("/admin/send", data=form | {"key": key}, follow_redirects=False)
            assert re.fullmatch(r"/admin/send/[0-9a-f]{16}", sent.headers["location"])
