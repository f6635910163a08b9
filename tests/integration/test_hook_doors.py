"""Webhooks and tokens by desk, program and command; a process killed between a call and its
record."""

import asyncio
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from fastapi.testclient import TestClient
from support.command import Shell
from support.desk import signed_in
from support.hook_server import HookServer
from support.house import Clock, add, open_house

from service.app import make_app
from service.flows import hook_lists, tokens
from service.flows.hook_calls import LEASE, call_due
from service.flows.runtime import Runtime
from service.flows.token_pace import TokenPace
from service.store.instance import set_setting
from service.wiring import House

pytestmark = [pytest.mark.slow, pytest.mark.usefixtures("cheap_passwords")]
TESTS = Path(__file__).resolve().parents[1]
BASE = "http://127.0.0.1:8000"
CALL = """
import asyncio, sys
from pathlib import Path
from support.house import open_house
from service.flows.hook_calls import call_due
with open_house(Path(sys.argv[1])) as house:
    asyncio.run(call_due(house.runtime))
"""


@pytest.fixture
def server() -> Iterator[HookServer]:
    with HookServer() as made:
        yield made


@pytest.fixture
def house(tmp_path: Path) -> Iterator[House]:
    with open_house(tmp_path, clock=Clock()) as made:
        yield made


@pytest.fixture
def rt(house: House) -> Runtime:
    return house.runtime


def program(house: House, *scopes: str) -> TestClient:
    token = tokens.make_token(house.runtime, "bench", scopes, by="cli")["token"]
    headers = {"Authorization": f"Bearer {token}"}
    app = make_app(house.runtime, house.settings)
    return TestClient(app, base_url=BASE, headers=headers, client=("192.0.2.7", 5))


def test_a_process_killed_before_it_wrote_the_answer_calls_again_with_the_same_id(
    tmp_path: Path, server: HookServer
) -> None:
    with open_house(tmp_path) as house:
        hook_lists.add_hook(house.runtime, "crm", server.url, ["reader.joined"], by="ann")
        add(house.runtime, "ada@example.org", "adapters")
    environment = os.environ | {"PYTHONPATH": f"{TESTS.parent}:{TESTS}"}
    command = [sys.executable, "-c", CALL, str(tmp_path)]
    child = subprocess.Popen(command, env=environment, stdout=subprocess.DEVNULL)
    server.before_answer = lambda: os.kill(child.pid, signal.SIGKILL)
    assert child.wait(60) == -signal.SIGKILL
    server.before_answer = lambda: None
    clock = Clock()
    with open_house(tmp_path, clock=clock) as house:
        rt = house.runtime
        assert asyncio.run(call_due(rt)).calls == 0  # it may be under way
        clock.go(seconds=LEASE.total_seconds())
        assert asyncio.run(call_due(rt)).done == 1
        (row,) = rt.db.read(lambda s: hook_lists.log_of(s, 1))
    assert row["state"] == "done"
    assert len(row["tries"]) == 1
    assert len({heard.headers["webhook-id"] for heard in server.heard}) == 1
    assert len(server.heard) == 2


def test_by_program(house: House, rt: Runtime, server: HookServer) -> None:
    client = program(house, "settings:read", "settings:write")
    new = {"name": "crm", "url": server.url, "events": ["reader.joined"]}
    key = {"Idempotency-Key": "one"}
    made = client.post("/api/v1/webhooks", json=new, headers=key)
    assert made.json()["secret"].startswith("whsec_")
    again = client.post("/api/v1/webhooks", json=new, headers=key)
    assert again.headers["Idempotency-Replayed"] == "true"
    assert again.json() == made.json() | {"secret": None}
    kept = rt.db.read(
        lambda s: list(s.connection().exec_driver_sql("SELECT body FROM answer_kept"))
    )
    assert "whsec_" not in str(kept)
    number = made.json()["id"]
    assert client.post(f"/api/v1/webhooks/{number}/test").json()["state"] == "waiting"
    asyncio.run(call_due(rt))
    calls = client.get(f"/api/v1/webhooks/{number}/calls?state=done").json()
    assert calls["total"] == 1
    assert calls["calls"][0]["tries"][0]["code"] == 200
    call = calls["calls"][0]["id"]
    assert client.post(f"/api/v1/webhooks/calls/{call}/again").json()["state"] == "waiting"
    assert client.post(f"/api/v1/webhooks/calls/{call}/again").status_code == 422
    listed = client.get("/api/v1/webhooks").json()["webhooks"]
    assert listed[0]["calls"] == {"waiting": 1, "done": 0, "failed": 0}
    assert "secret" not in listed[0]
    assert client.post(f"/api/v1/webhooks/{number}/end").json()["ended_why"]
    assert client.post(f"/api/v1/webhooks/{number}/test").status_code == 404
    bad = client.post("/api/v1/webhooks", json=new | {"events": ["x"]})
    assert bad.status_code == 422


def test_at_the_desk(house: House, rt: Runtime, server: HookServer) -> None:
    house.rt = rt  # type: ignore[attr-defined]
    browser, token = signed_in(house, "owner")  # type: ignore[arg-type]
    form = {"token": token, "name": "crm", "url": "nothing", "event": "reader.left"}
    refused = browser.post("/admin/webhooks", data=form)
    assert refused.status_code == 422
    assert "This is no address." in refused.text
    page = browser.post("/admin/webhooks", data=form | {"url": server.url}).text
    secret = page.partition("<pre>")[2].partition("</pre>")[0]
    assert secret.startswith("whsec_")
    assert secret not in browser.get("/admin/webhooks").text
    browser.post("/admin/webhooks/1", data={"token": token, "act": "test"})
    server.answer(500, "<b>out of order</b>")
    asyncio.run(call_due(rt))
    log = browser.get("/admin/webhooks/1").text
    assert "500 &lt;b&gt;out of order&lt;/b&gt;" in log
    assert browser.get("/admin/webhooks/1?state=done").text.count("webhook.test") == 0
    assert "Try now" not in log  # it is by itself, in seconds
    rt.clock.go(seconds=10)  # type: ignore[attr-defined]
    asyncio.run(call_due(rt))
    assert "Try now" in browser.get("/admin/webhooks/1").text
    asked = browser.post("/admin/webhooks/1", data={"token": token, "act": "again", "call": "1"})
    assert "asked for by" in asked.text
    assert "Try now" not in asked.text
    new = browser.post("/admin/webhooks/1", data={"token": token, "act": "rotate"}).text
    assert "whsec_" in new
    assert secret not in new
    browser.post("/admin/webhooks/1", data={"token": token, "act": "end"})
    late = browser.post("/admin/webhooks/1", data={"token": token, "act": "test"})
    assert late.status_code == 409
    assert "has ended" in late.text


def test_by_command(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, server: HookServer) -> None:
    shell = Shell(tmp_path, monkeypatch, PRIVATE_SOURCES="true")
    made = shell.say("webhooks", "add", "crm", server.url, "--event", "all", "--json").json
    assert made["secret"].startswith("whsec_")
    assert shell.say("webhooks", "test", "1").out.startswith("done: 200: ok")
    server.answer(410)
    failed = shell.say("webhooks", "test", "1", "--json")
    assert failed.code == 1
    assert failed.json["state"] == "failed"
    assert shell.say("webhooks", "list", "--json").json[0]["ended_why"]
    assert [row["state"] for row in shell.say("webhooks", "log", "1", "--json").json] == [
        "failed", "done",
    ]  # fmt: skip
    assert shell.say("webhooks", "log", "9").code == 1
    assert shell.say("webhooks", "add", "x", server.url, "--event", "nothing").code == 2
    assert len(shell.say("webhooks", "events", "--json").json) == 8


def test_a_token_ends_gets_a_new_secret_and_says_where_it_was_used(
    house: House, rt: Runtime
) -> None:
    client = program(house, "audit:read", "deliveries:read")
    assert client.get("/api/v1/alarms").status_code == 200
    (row,) = tokens.list_tokens(rt)
    assert row["seen_from"] == "192.0.2.7"
    tokens.keep_uses(rt)
    assert tokens.list_tokens(rt)[0]["seen_from"] == "192.0.2.7"
    made = tokens.rotate_token(rt, "bench", by="ann")
    assert client.get("/api/v1/alarms").status_code == 401
    client.headers["Authorization"] = f"Bearer {made['token']}"
    assert client.get("/api/v1/alarms").status_code == 200
    short = tokens.make_token(rt, "short", ["audit:read"], by="ann", days=2)
    assert tokens.find_caller(rt, short["token"]) is not None
    rt.clock.at += timedelta(days=2)  # type: ignore[attr-defined]
    assert tokens.find_caller(rt, short["token"]) is None
    assert tokens.list_tokens(rt)[-1]["ended_at"] is not None
    assert tokens.make_token(rt, "short", ["audit:read"], by="ann")["id"] != short["id"]
    with pytest.raises(tokens.TokenNameError):
        tokens.make_token(rt, "other", ["audit:read"], by="ann", days=0)


def test_a_token_that_asks_too_often_waits(house: House, rt: Runtime) -> None:
    rt.db.write(lambda s: set_setting(s, "api_per_minute", 10))
    client = program(house, "deliveries:read")
    answers = [client.get("/api/v1/alarms") for _ in range(12)]
    assert [a.status_code for a in answers[:10]] == [200] * 10
    assert answers[11].status_code == 429
    assert 1 <= int(answers[11].headers["Retry-After"]) <= 7


def test_the_bucket_fills_evenly() -> None:
    now = [0.0]
    pace = TokenPace(lambda: now[0])
    assert [pace.take(1, 60) for _ in range(60)] == [0.0] * 60
    assert pace.take(1, 60) == pytest.approx(1.0)
    assert pace.take(2, 60) == 0.0
    now[0] = 1.0
    assert pace.take(1, 60) == 0.0
    assert pace.take(1, 60) > 0
