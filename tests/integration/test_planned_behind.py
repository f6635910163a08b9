"""A send whose planning takes longer than a page waits: its own page shows how far it is."""

import re
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from fastapi.testclient import TestClient
from support.desk import signed_in, token_in
from support.house import add
from support.reading_house import Reading, reading_house

from service.admin import begin
from service.flows import frozen, manual
from service.store.db import Priority
from service.store.processes import end_processes

pytestmark = [pytest.mark.usefixtures("cheap_passwords"), pytest.mark.slow]  # a page waits


@pytest.fixture
def house(tmp_path: Path) -> Iterator[Reading]:
    with reading_house(tmp_path, papers=False) as made:
        for n in range(3):
            add(made.rt, f"r{n}@uni.example", "adapters")
        yield made


@pytest.fixture
def gate(house: Reading, monkeypatch: pytest.MonkeyPatch) -> threading.Event:
    """A reader a part, and the second part waits for it before it is written."""
    opened, parts, write = threading.Event(), iter(range(100)), house.rt.db.write

    def gated(unit: Any, priority: Priority = Priority.BULK) -> Any:
        if priority == Priority.BULK and next(parts) == 1:
            assert opened.wait(20)
        return write(unit, priority)

    monkeypatch.setattr(frozen, "CHUNK", 1)
    monkeypatch.setattr(begin, "PATIENCE_S", 0.05)
    monkeypatch.setattr(house.rt.db, "write", gated)
    return opened


def pressed(client: TestClient, token: str) -> str:
    """The address that Send leads to."""
    letter = {"kind": "newsletter", "segment": "all", "subject": "News of the library",
              "body": "We open on Sunday.", "key": "k1", "token": token}  # fmt: skip
    page = client.post("/admin/send", data=letter).text
    data = {"token": token_in(page), "expected": "3"}
    if mark := re.search(r'name="mark" value="([^"]+)"', page):
        data["mark"] = mark[1]
    return client.post("/admin/send/k1/start", data=data, follow_redirects=False).headers[
        "location"
    ]


def test_who_pressed_is_led_to_the_page_that_says_how_far_it_is(
    house: Reading, gate: threading.Event
) -> None:
    client, token = signed_in(house, "sender")
    with client:
        try:
            address = pressed(client, token)
            for _ in range(200):  # who pressed waits no longer than until its number is known
                if "being planned: 0 of" not in (page := client.get(address).text):
                    break
                time.sleep(0.02)
            assert "being planned: 1 of 3 readers" in page
            assert "Cancel the rest" in page
            assert ">Resume<" not in page
            assert "readers are added as their hour comes" not in page
            assert house.send() == 0
            assert pressed(client, token).partition("?")[0] == address.partition("?")[0]
        finally:
            gate.set()
        for _ in range(200):
            page = client.get(address).text
            if "being planned" not in page:
                break
            time.sleep(0.02)
    assert "It begins in 120 s" in page or "It begins in 119 s" in page, "the whole time to undo"
    house.clock.go(minutes=3)
    assert house.send() == 3


def test_what_breaks_off_is_told_on_the_editions_page(
    house: Reading, gate: threading.Event, monkeypatch: pytest.MonkeyPatch
) -> None:
    client, token = signed_in(house, "sender")
    monkeypatch.setattr(frozen, "_release", lambda *_: 1 / 0)
    with client:
        try:
            address = pressed(client, token)
        finally:
            gate.set()
        house.rt.db.write(lambda s: end_processes(s, [house.rt.owner().id]))
        for _ in range(200):
            if "being planned: 3 of" in (page := client.get(address).text):
                break
            time.sleep(0.02)
        assert "being planned: 3 of 3 readers" in page
        assert "is planned to its end by itself within a minute" in page
        assert ">Resume<" not in page
        house.clock.go(minutes=21)
        page = client.get(address).text
        assert "It was not planned to its end: resume it, or cancel it" in page
        assert house.send() == 0
        monkeypatch.undo()
        token = token_in(page)
        client.post(re.sub(r"\?.*", "", address) + "/resume", data={"token": token})
        assert manual.complete_left(house.rt) == 1
        assert "It begins in 120 s" in client.get(address).text
