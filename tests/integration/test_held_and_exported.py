"""Deliveries taken away whole, told as a story, and held ones settled many at once: by desk, by
program, on the command line."""

import asyncio
import csv
import io
import json
import tracemalloc
from collections.abc import Iterator
from pathlib import Path

import pytest
import sqlalchemy as sa
from fastapi.testclient import TestClient
from support.arrows import by_hand
from support.command import Shell
from support.desk import signed_in
from support.house import Clock, add, ingest_items, open_house, paper_item
from support.smtp_server import SmtpServer, reply

from service.app import make_app
from service.flows import delivery_export, ledger, resolving
from service.flows.daily import plan_daily
from service.flows.reconcile import ResolveError
from service.flows.runtime import Runtime
from service.flows.send import send_ready
from service.flows.tokens import make_token
from service.store.delivery_lists import Chosen
from service.store.staff import list_audit
from service.store.tables import DeliveryRow

pytestmark = [pytest.mark.slow, pytest.mark.usefixtures("cheap_passwords")]
BASE = "http://127.0.0.1:8000"
NAMES = ("ada@one", "ben@two", "cy@two")


@pytest.fixture
def house(tmp_path: Path) -> Iterator:
    with SmtpServer() as smtp, open_house(tmp_path, smtp_port=smtp.port, clock=Clock()) as made:
        rt = made.runtime
        for name in NAMES:
            add(rt, f"{name}.example", "adapters")
        ingest_items(rt, tmp_path, [paper_item(1, "Adapters that forget less")])
        smtp.on("RCPT", reply("421 4.7.0 come later"), match="ada@", times=1)
        plan_daily(rt)
        asyncio.run(send_ready(rt))
        made.smtp = smtp
        yield made


@pytest.fixture
def rt(house) -> Runtime:
    return house.runtime


@pytest.fixture
def program(house) -> TestClient:
    token = make_token(house.runtime, "bench", ["deliveries:read", "deliveries:send"], by="cli")
    headers = {"Authorization": f"Bearer {token['token']}"}
    return TestClient(make_app(house.runtime, house.settings), base_url=BASE, headers=headers)


def set_state(rt: Runtime, state: str, *names: str) -> None:
    """Furnish rows by hand."""
    keys = [f"{name}.example" for name in names]
    table = DeliveryRow.__table__  # type: ignore[attr-defined]
    change = sa.update(table).where(table.c.recipient_key.in_(keys))
    with by_hand():
        rt.db.write(lambda s: s.execute(change.values(state=state, marked_at=rt.clock())))


def facts(rt: Runtime) -> list[dict]:
    return rt.db.read(lambda s: ledger.list_facts(s, Chosen()))


def story(rt: Runtime, name: str) -> dict:
    number = next(row["id"] for row in facts(rt) if row["email"].startswith(name))
    return rt.db.read(lambda s: ledger.delivery_story(rt, s, number))


def test_a_mails_way_is_told_in_words(rt: Runtime, house) -> None:
    ada = story(rt, "ada@")
    assert ada["story"].startswith("planned 2026-11-18 09:00, deferred 421 09:00, 4.7.0 come later")
    assert ada["ahead"]["at"] > rt.clock().isoformat()
    until = "until 2026-11-19 05:00 (UTC) at the latest; then it expires"
    assert ada["ahead"]["words"] == f"it is tried again then, {until}"
    rt.clock.go(hours=1)
    asyncio.run(send_ready(rt))
    ada = story(rt, "ada@")
    assert "accepted 10:00" in ada["story"]
    assert ada["ahead"] is None
    set_state(rt, "unknown", "ben@two")
    ben = story(rt, "ben@")
    assert ben["ahead"]["words"].startswith("it is presumed then")
    assert ben["ahead"]["at"] == rt.clock.go(minutes=30).isoformat()
    assert ben["answers"] == ["accepted", "presumed", "ready"]


def test_one_word_on_many_by_program(
    rt: Runtime, program: TestClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(resolving, "_PART", 1)  # one act, however many portions
    set_state(rt, "unknown", "ben@two", "cy@two")
    said = {"answer": "accepted", "domain": "two.example"}
    address = "/api/v1/deliveries/resolve"
    asked = program.post(address, json=said | {"dry_run": True}).json()
    assert asked["mails"] == 2
    assert program.post(address, json=said).status_code == 409
    assert program.post(address, json=said | {"mails": 3}).status_code == 409
    assert {row["state"] for row in facts(rt)[1:]} == {"unknown"}
    key = {"Idempotency-Key": "a"}
    made = program.post(address, json=said | {"mails": 2}, headers=key)
    assert made.json() == {"answer": "accepted", "mails": 2}
    assert program.post(address, json=said | {"mails": 2}, headers=key).json() == made.json()
    assert {row["state"] for row in facts(rt)[1:]} == {"accepted"}
    acts = [row for row in rt.db.read(lambda s: list_audit(s, limit=9)) if row.what == "resolve"]
    assert [row.after["mails"] for row in acts] == [2]
    assert acts[0].who == "token bench"


def test_presumed_ones_can_only_have_come(rt: Runtime) -> None:
    set_state(rt, "presumed", "ben@two")
    assert resolving.count_held(rt, Chosen(), "ready").mails == 0
    assert resolving.count_held(rt, Chosen(), "accepted").mails == 1
    with pytest.raises(ResolveError):
        resolving.count_held(rt, Chosen(), "maybe")


def test_one_word_on_many_at_the_desk(rt: Runtime, house) -> None:
    house.rt = rt
    browser, token = signed_in(house, "sender")
    set_state(rt, "unknown", "ben@two", "cy@two")
    page = browser.get("/admin/deliveries?state=held&domain=two.example").text
    assert "/admin/deliveries/held?answer=ready&amp;domain=two.example" in page
    confirm = browser.get("/admin/deliveries/held?answer=ready&domain=two.example").text
    assert "Say it of 2 held mails" in confirm
    form = {"token": token, "answer": "ready", "domain": "two.example"}
    refused = browser.post("/admin/deliveries/held", data=form | {"mails": "1"})
    assert refused.status_code == 409
    done = browser.post("/admin/deliveries/held", data=form | {"mails": "2"})
    assert "Decided: sent again." in done.text
    assert {row["state"] for row in facts(rt)[1:]} == {"ready"}


def test_an_export_is_whole_filtered_and_starts_no_formula(
    rt: Runtime, house, program: TestClient
) -> None:
    table = DeliveryRow.__table__  # type: ignore[attr-defined]
    evil = sa.update(table).where(table.c.recipient_key == "ben@two.example")
    rt.db.write(lambda s: s.execute(evil.values(rcpt="=cmd@two.example")))
    address = "/api/v1/deliveries/export"
    got = program.post(address, json={"domain": "two.example"})
    assert got.headers["content-type"].startswith("text/csv")
    rows = list(csv.DictReader(io.StringIO(got.text)))
    assert [row["email"] for row in rows] == ["'=cmd@two.example", "cy@two.example"]
    listed = program.post(address, json={"format": "json", "address": "ada@one"}).json()
    assert listed == facts(rt)[:1]
    assert program.post(address, json={"edition": 99}).status_code == 404
    keyed = program.post(address, json={}, headers={"Idempotency-Key": "a"})
    assert (keyed.status_code, keyed.json()["error"]["where"]) == (409, "Idempotency-Key")
    assert program.get(address).status_code in (404, 405, 422)
    house.rt = rt
    browser, token = signed_in(house, "editor")
    page = browser.get("/admin/deliveries?domain=two.example").text
    assert 'action="/admin/deliveries/export"' in page
    form = {"token": token, "domain": "two.example", "format": "csv"}
    assert browser.post("/admin/deliveries/export", data=form).text == got.text
    acts = [row for row in rt.db.read(lambda s: list_audit(s, limit=9)) if "export" in row.what]
    assert [(row.who, row.after) for row in reversed(acts)] == [
        ("token bench", {"deliveries": 2, "which": "domain two.example", "format": "csv"}),
        ("token bench", {"deliveries": 1, "which": "address given", "format": "json"}),
        ("ann-editor", {"deliveries": 2, "which": "domain two.example", "format": "csv"}),
    ]
    assert json.loads("".join(delivery_export.parts(rt, Chosen(domain="x.example"), "json"))) == []


def lay_many(rt: Runtime, count: int) -> None:
    """Further rows, like the first one."""
    number = facts(rt)[0]["id"]
    row = rt.db.read(lambda s: s.get(DeliveryRow, number)).model_dump(exclude={"id"})
    many = [
        row
        | {"recipient_key": f"{n}@x.example", "rcpt": f"{n}@x.example", "message_id": f"<{n}@x>"}
        | {"bounce_id": f"b{n}", "token": f"t{n}"}
        for n in range(count)
    ]
    with by_hand():
        rt.db.write(lambda s: s.execute(sa.insert(DeliveryRow), many))


def test_an_export_of_many_keeps_little(rt: Runtime) -> None:
    lay_many(rt, 12_000)
    for _ in delivery_export.parts(rt, Chosen(domain="one.example"), "csv"):
        pass  # what is compiled once
    tracemalloc.start()
    lines = sum(part.count("\n") for part in delivery_export.parts(rt, Chosen(), "csv"))
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert lines == 12_000 + len(NAMES) + 1
    assert peak < 24_000_000, peak


def test_the_command_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with SmtpServer() as smtp:
        shell = Shell(tmp_path, monkeypatch, SMTP_URL=f"smtp://127.0.0.1:{smtp.port}")
        assert shell.say("subscribers", "add", "ada@one.example", "--trending").code == 0
        (row,) = shell.say("deliveries", "list", "--json").json
        told = shell.say("deliveries", "show", str(row["id"]))
        assert "story: planned" in told.out
        huge = shell.say("deliveries", "show", "9" * 20)
        assert huge.code == 2
        assert "Traceback" not in huge.err
        assert shell.say("deliveries", "export", "--json").json == [row]
        assert shell.say("deliveries", "export").out.startswith("id,edition,kind,email")
        none = shell.say("deliveries", "resolve-held", "--as", "accepted")
        assert none.code == 1
        assert "0 held mails" in none.out
        done = shell.say("deliveries", "resolve-held", "--as", "accepted", "--yes", "0", "--json")
        assert done.json == {"answer": "accepted", "mails": 0}
        assert shell.say("deliveries", "resolve-held", "--as", "maybe").code == 2
        assert shell.say("bounces", "list", "--json").json == []
