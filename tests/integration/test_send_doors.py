"""Sending by hand by a program: look first, then the number; and the hand on the brake."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
from fastapi import FastAPI
from fastapi.testclient import TestClient
from support.house import add
from support.reading_house import Reading, reading_house
from support.smtp_server import reply

from service import api
from service.defaults import FIXED
from service.flows import trial
from service.flows.suppress import suppress
from service.flows.tokens import make_token
from service.pages.front import furnish
from service.pages.templates import Pages, PageSite
from service.store.house_tables import AuditRow
from service.store.staff import list_audit
from service.subscribers.address import read_address

LETTER = {
    "kind": "newsletter", "subject": "News of the library", "body": "We open on *Sunday*.",
    "key": "letter",
}  # fmt: skip


@pytest.fixture
def house(tmp_path: Path) -> Iterator[Reading]:
    with reading_house(tmp_path, papers=False) as made:
        for n in range(3):
            add(made.rt, f"r{n}@uni.example", "adapters")
        yield made


@pytest.fixture
def program(house: Reading) -> TestClient:
    base = house.rt.site.base_url
    app = FastAPI(openapi_url=None)
    furnish(app, Pages(PageSite(base_url=base), house.rt.catalogs), statuses=api.STATUSES)
    app.include_router(api.router(house.rt))
    token = make_token(house.rt, "sender", ["deliveries:send"], by="cli")["token"]
    return TestClient(app, base_url=base, headers={"Authorization": f"Bearer {token}"})


@pytest.mark.slow  # several sends
def test_a_program_looks_first_and_sends_the_number_that_it_saw(
    house: Reading, program: TestClient
) -> None:
    looked = program.post("/api/v1/sends", json={**LETTER, "dry_run": True}).json()
    assert looked["audience"]["equation"] == "3 readers = 3 mails"
    assert looked["is_unusual"] is False
    assert {"Relay answers", "Unsubscribe works", "Links answer"} <= {
        one["name"] for one in looked["checks"]
    }
    assert "uni.example" not in str(looked), "the scope to send is not the one to look"
    assert program.post("/api/v1/sends", json=LETTER).status_code == 422
    wrong = program.post("/api/v1/sends", json={**LETTER, "mails": 4})
    assert (wrong.status_code, house.send()) == (409, 0)
    at = (house.clock.at + timedelta(hours=3)).isoformat()
    answers = [program.post("/api/v1/sends", json={**LETTER, "mails": 3, "at": at}) for _ in "12"]
    made, again = [answer.json() for answer in answers]
    assert (made["is_new"], again["is_new"]) == (True, False)
    assert (made["edition"], made["mails"], made["until"][:16]) == (again["edition"], 3, at[:16])
    edition = f"/api/v1/editions/{made['edition']}"
    assert program.get("/api/v1/sends/audience", params={"segment": "lang:de"}).json()["mails"] == 0
    assert program.post(f"{edition}/pause").json()["state"] == "paused"
    assert program.post(f"{edition}/resume").json()["state"] == "open"
    assert program.post(f"{edition}/rest").status_code == 409
    tomorrow = {"at": (house.clock.at + timedelta(days=1)).isoformat()}
    moves = [{**tomorrow, "dry_run": True}, tomorrow, tomorrow]
    meant, moved, same = [program.post(f"{edition}/move", json=one).json() for one in moves]
    assert meant == {**moved, "dry_run": True}
    assert (moved["is_new"], same["is_new"]) == (True, False)
    assert (moved["mails"], moved["before"][:16], moved["begins"][:16], moved["until"][:16]) == (
        3, at[:16], tomorrow["at"][:16], tomorrow["at"][:16],
    )  # fmt: skip
    wrong = program.post(f"{edition}/move", json={**tomorrow, "own_hour": True})
    assert (wrong.status_code, wrong.json()["error"]["where"]) == (422, "at")
    assert program.post(f"{edition}/undo").json() == {
        "edition": made["edition"], "state": "cancelled", "mails": 3,
    }  # fmt: skip
    assert program.post("/api/v1/editions/999/pause").status_code == 404
    soon = {**LETTER, "key": "soon", "mails": 3, "at_once": True}
    number = program.post("/api/v1/sends", json=soon).json()["edition"]
    assert house.send() == 3
    add(house.rt, "late@uni.example", "adapters")
    assert program.post(f"/api/v1/editions/{number}/late").json()["mails"] == 1
    sent = program.post(f"/api/v1/editions/{number}/late", params={"mails": 1}).json()
    assert (sent["is_new"], sent["mails"]) == (True, 1)
    acts = [a for a in house.rt.db.read(list_audit) if a.who == "token sender"]
    assert [a.what for a in reversed(acts)] == [
        "send newsletter", "pause", "resume", "move send", "cancel", "send newsletter",
        "send newsletter",
    ]  # fmt: skip


def test_a_program_has_a_test_sent_that_is_on_record_before_it_goes(
    house: Reading, program: TestClient
) -> None:
    suppress(house.rt, read_address("out@uni.example"), reason="complaint", by="cli")
    address, words = "/api/v1/sends/test", {k: v for k, v in LETTER.items() if k != "key"}
    unused = {**LETTER, "papers": ["arxiv/2611.00001"], "dry_run": True}
    few = {"kind": "daily", "canary": True, "mails": 0}
    for asked, where in ((unused, "papers"), (few, "canary")):
        refused = program.post("/api/v1/sends", json=asked)
        assert (refused.status_code, refused.json()["error"]["where"]) == (422, where)
    barred = program.post(address, json={**words, "addresses": ["out@uni.example"]})
    assert (barred.status_code, barred.json()["error"]["where"]) == (422, "addresses")
    assert "suppressed (complaint)" in barred.json()["error"]["what"]
    theirs = {**words, "addresses": ["me@uni.example"], "reader": "r1@uni.example"}
    assert program.post(address, json=theirs).status_code == 403, "no scope to look"
    assert house.smtp.accepted == []
    house.smtp.on("RCPT", reply("550 5.1.1 no such user"), match="you@")
    to = ["me@uni.example", "you@uni.example"]
    made = program.post(address, json={**words, "addresses": to}).json()
    assert [(one["email"], one["accepted"]) for one in made] == [(to[0], True), (to[1], False)]
    (mail,) = house.mails("me@uni.example")
    assert mail["Subject"] == "[Test] News of the library"
    (act,) = acts(house, "test mail")
    assert (act.who, act.target, act.after) == (
        "token sender", "newsletter", {"to": 2, "accepted": 1},
    )  # fmt: skip


@pytest.mark.slow
def test_a_test_mail_that_breaks_off_is_on_record_and_an_hour_has_an_end(
    house: Reading, program: TestClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    words = {k: v for k, v in LETTER.items() if k != "key"} | {"addresses": ["me@uni.example"]}
    with monkeypatch.context() as patch:
        patch.setattr(trial, "_envelope", lambda *_: 1 / 0)
        with pytest.raises(ZeroDivisionError):
            program.post("/api/v1/sends/test", json=words)
    assert [act.after for act in acts(house, "test mail")] == [{"to": 1}]
    monkeypatch.setattr(trial, "FIXED", replace(FIXED, test_mails_hour=2))
    statuses = [program.post("/api/v1/sends/test", json=words).status_code for _ in "12"]
    house.clock.go(minutes=61)
    statuses.append(program.post("/api/v1/sends/test", json=words).status_code)
    assert statuses == [200, 429, 200]


def acts(house: Reading, what: str) -> list[AuditRow]:
    return [act for act in house.rt.db.read(list_audit) if act.what == what]
