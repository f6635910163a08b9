"""Alarms by page, by command and by API: seen, and ended by who may."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from fastapi.testclient import TestClient
from support.command import Shell
from support.house import Clock, open_house

from service.app import make_app
from service.delivery.breakers import Breaker
from service.flows import staff, tokens
from service.flows.alarms import Alarm, raise_alarm
from service.flows.runtime import Runtime
from service.store import alarms as alarms_store
from service.store import rests as rests_store
from service.store.staff import list_audit

pytestmark = [pytest.mark.usefixtures("cheap_passwords"), pytest.mark.slow]
BASE = "http://127.0.0.1:8000"
PASSWORD = "correct horse battery"
WORDS = "550 5.7.1 <script>blocked</script>"


@pytest.fixture
def house(tmp_path: Path):
    with open_house(tmp_path, clock=Clock()) as made:
        yield made


@pytest.fixture
def rt(house) -> Runtime:
    return house.runtime


@pytest.fixture
def client(house) -> Iterator[TestClient]:
    with TestClient(
        make_app(house.runtime, house.settings), base_url=BASE, client=("127.0.0.1", 5)
    ) as made:
        yield made


def up(rt: Runtime) -> int:
    alarm = Alarm(
        kind="domain",
        key="a.example",
        what="a.example refuses our mail.",
        place=f"The server said: {WORDS}",
        next_step="Mend what it names.",
    )
    rt.db.write(lambda s: raise_alarm(rt, s, alarm))
    rests = Breaker(cause="policy", until=rt.clock(), at_once=2, words=WORDS)
    rt.db.write(lambda s: rests_store.write(s, rests_store.DOMAIN, {"a.example": rests}))
    return rt.db.read(alarms_store.list_open)[0].id or 0


def log_in(rt: Runtime, client: TestClient, role: str) -> str:
    link = staff.create_admin(rt, role, role, by="cli")
    staff.redeem(rt, link.rpartition("/")[2], PASSWORD)
    client.cookies.set("paperpost", staff.log_in(rt, role, PASSWORD, "127.0.0.1", "tests"))
    found = re.search(r'name="token" value="([^"]+)"', client.get("/admin").text)
    assert found
    return found[1]


def bearer(rt: Runtime, scope: str) -> dict[str, str]:
    made = tokens.make_token(rt, scope, [scope], by="cli")
    return {"Authorization": f"Bearer {made['token']}"}


@pytest.mark.parametrize(("role", "may"), [("editor", False), ("sender", True)])
def test_the_page_says_what_to_do_and_ends_it(rt, client, role, may):
    token, number = log_in(rt, client, role), up(rt)
    page = client.get("/admin/alarms").text
    for text in ("a.example refuses our mail.", "Mend what it names.", "goes again, 2 mails"):
        assert text in page
    assert "<script>blocked" not in page
    assert "papers@example.org" in page  # whom it is mailed to
    assert ("It is over" in page) is may
    assert "a.example refuses our mail." in client.get("/admin").text
    answer = client.post(f"/admin/alarms/{number}/end", data={"token": token})
    assert answer.status_code == (200 if may else 403)
    assert bool(rt.db.read(alarms_store.list_open)) is not may
    if may:
        assert "The alarm is over. What rests goes on resting" in answer.text
        assert "a.example refuses our mail." not in client.get("/admin").text
        assert "end alarm" in {row.what for row in rt.db.read(list_audit)}
        assert client.post(f"/admin/alarms/{number}/end", data={"token": token}).status_code == 404


def test_each_button_says_to_the_ear_which_alarm_it_ends(rt, client):
    log_in(rt, client, "sender")
    up(rt)
    alarm = Alarm(kind="edition", key="4", what="Edition 4 paused by itself.", place="x",
                  next_step="y")  # fmt: skip
    rt.db.write(lambda s: raise_alarm(rt, s, alarm))
    page = client.get("/admin/alarms").text
    names = re.findall(r"<button>(It is over.*?)</button>", page)
    assert names == [
        f'It is over<span class="out-of-sight">: {what}</span>'
        for what in ("a.example refuses our mail.", "Edition 4 paused by itself.")
    ]
    assert re.findall(r'href="([^"]+)">Look at it<', page) == [
        "/admin/deliveries/groups?domain=a.example", "/admin/editions/4",
    ]  # fmt: skip


def test_programs_read_and_end_with_a_token(rt, client):
    number = up(rt)
    read, send = bearer(rt, "deliveries:read"), bearer(rt, "deliveries:send")
    assert client.get("/api/v1/alarms").status_code == 401
    assert client.get("/api/v1/alarms", headers=send).status_code == 403
    (one,) = client.get("/api/v1/alarms", headers=read).json()
    assert (one["id"], one["state"], one["next_step"]) == (number, "open", "Mend what it names.")
    assert client.post(f"/api/v1/alarms/{number}/end", headers=read).status_code == 403
    assert client.post(f"/api/v1/alarms/{number}/end", headers=send).json()["state"] == "over"
    (act,) = [row for row in rt.db.read(list_audit) if row.what == "end alarm"]
    assert act.address == "127.0.0.1"
    assert client.get("/api/v1/alarms", headers=read).json() == []
    assert len(client.get("/api/v1/alarms?every=true", headers=read).json()) == 1
    assert client.post("/api/v1/alarms/999/end", headers=send).status_code == 404


def test_commands_list_and_end(shell: Shell):
    assert shell.say("alarms", "list", "--json").json == []
    said = shell.say("alarms", "list").out
    assert "No alarm." in said
    assert "PAPERPOST_CONTACT_EMAIL" in said
    missing = shell.say("alarms", "end", "7")
    assert (missing.code, "There is no alarm 7." in missing.err) == (1, True)


def test_commands_end_what_is_listed(house, monkeypatch, tmp_path):
    number = up(house.runtime)
    shell = Shell(tmp_path, monkeypatch, DATA_DIR=str(house.settings.data_dir))
    said = shell.say("alarms", "list").out
    assert f"{number}  a.example refuses our mail." in said
    assert "next:  Mend what it names." in said
    assert shell.say("alarms", "end", str(number), "--json").json["state"] == "over"
    assert shell.say("alarms", "list", "--json").json == []
    assert len(shell.say("alarms", "list", "--all", "--json").json) == 1
