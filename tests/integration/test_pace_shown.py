"""What limits mails is shown: by the flow, on the command line, by the doctor; and forgotten."""

import asyncio
import json
import re
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from fastapi.testclient import TestClient
from support.house import Clock, add, ingest_items, open_house, paper_item
from support.smtp_server import SmtpServer, reply

from service.app import make_app
from service.cli import doctor_checks, doctor_ledger, pace_commands
from service.delivery.breakers import Breaker
from service.flows import staff, tokens
from service.flows.daily import plan_daily
from service.flows.runtime import Runtime
from service.flows.send import send_ready
from service.flows.send_state import read_limits
from service.flows.tidy import tidy
from service.store import rests
from service.store.instance import set_setting
from service.store.routes import groups_of, keep_route
from service.wiring import House

pytestmark = [pytest.mark.usefixtures("cheap_passwords"), pytest.mark.slow]
PASSWORD = "correct horse battery"


@pytest.fixture
def server() -> Iterator[SmtpServer]:
    with SmtpServer() as made:
        yield made


@pytest.fixture
def house(tmp_path: Path, server: SmtpServer) -> Iterator[House]:
    second = f"smtp://127.0.0.1:{server.port}"
    with open_house(tmp_path, smtp_port=server.port, smtp_url_2=second, clock=Clock()) as made:
        ingest_items(made.runtime, tmp_path, [paper_item(1, "Sparse attention")])
        for n in range(4):
            add(made.runtime, f"r{n}@{'a' if n else 'b'}.example")
        yield made


def limit(rt: Runtime, **values: int) -> None:
    for name, value in values.items():
        rt.db.write(lambda s, n=name, v=value: set_setting(s, n, str(v)))


def facts(rt: Runtime) -> list[tuple[object, ...]]:
    return [
        (
            one.kind,
            one.name,
            dict(one.had),
            dict(one.most),
            one.at_once,
            bool(one.until),
            one.waiting,
        )
        for one in read_limits(rt)
    ]


def printed(capsys: pytest.CaptureFixture[str], house: House, *, as_json: bool) -> str:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(pace_commands, "runtime", lambda: _Opened(house))
        pace_commands.deliveries_pace(as_json=as_json)
    return capsys.readouterr().out


class _Opened:
    def __init__(self, house: House) -> None:
        self._rt = house.runtime

    def __enter__(self) -> Runtime:
        return self._rt

    def __exit__(self, *_: object) -> None:
        return None


def test_nothing_limits_mails_at_first(house, capsys):
    assert read_limits(house.runtime) == []
    assert printed(capsys, house, as_json=False).startswith("Nothing limits mails")
    assert doctor_ledger.pace(house).says == "nothing waits"


def test_who_had_how_many_and_who_waits_for_what(house, server, capsys):
    rt = house.runtime
    limit(rt, mails_a_day=3, domain_an_hour=2)
    plan_daily(rt)
    asyncio.run(send_ready(rt))
    add(rt, "late@a.example")
    plan_daily(rt)
    rest = Breaker(cause="rate", until=rt.clock() + timedelta(minutes=10), at_once=1)
    rt.db.write(lambda s: rests.write(s, rests.DOMAIN, {"b.example": rest}))
    account = f"127.0.0.1:{server.port}"
    assert facts(rt) == [
        ("account", account, {"day": 3}, {"day": 3}, None, True, 2),
        ("domain", "a.example", {"hour": 2}, {"hour": 2}, None, True, 2),
        ("domain", "b.example", {"hour": 1}, {"hour": 2}, 1, True, 0),
    ]
    told = printed(capsys, house, as_json=False)
    assert "3 of 3 a day" in told
    assert "2 of 2 an hour" in told
    assert "the limit of 3 mails a day is reached" in " ".join(told.split())
    found = json.loads(printed(capsys, house, as_json=True))
    assert [one["waiting"] for one in found] == [2, 2, 0]
    check = doctor_ledger.pace(house)
    assert check.level == "warn"
    assert "2 reasons to wait; 2 mails wait until" in check.says
    limit(rt, mails_a_day=0, domain_an_hour=0)
    assert [one.name for one in read_limits(rt)] == ["b.example"]


def desk(house: House, role: str = "viewer") -> TestClient:
    """A browser of one of the staff."""
    rt = house.runtime
    client = TestClient(make_app(rt, house.settings), base_url="http://127.0.0.1:8000")
    link = staff.create_admin(rt, "vera", role, by="cli")
    staff.redeem(rt, link.rpartition("/")[2], PASSWORD)
    client.cookies.set("paperpost", staff.log_in(rt, "vera", PASSWORD, "127.0.0.1", "tests"))
    return client


def words_of(client: TestClient) -> str:
    page = client.get("/admin/deliveries/pace").text
    return " ".join(re.sub(r"<[^>]+>", " ", page).split())


def test_the_page_tells_limits_counts_rests_and_who_waits(house, server):
    rt, client = house.runtime, desk(house)
    said = words_of(client)
    assert "Nothing was counted, and nobody rests." in said
    assert said.count("no limit") == 8
    limit(rt, mails_a_day=30, domain_an_hour=2)
    plan_daily(rt)
    asyncio.run(send_ready(rt))
    rest = Breaker(cause="rate", until=rt.clock() + timedelta(minutes=10), at_once=1, words="<i>")
    rt.db.write(lambda s: rests.write(s, rests.DOMAIN, {"b.example": rest}))
    said = words_of(client)
    assert said.count("no limit") == 6
    assert f"127.0.0.1:{server.port} account" in said
    assert "3 of 30 a day" in said
    assert "2 of 2 an hour" in said
    assert "b.example mail service ◐ waits until 18 Nov 09:10" in said
    assert "a.example mail service ◐ waits until" in said
    assert "the limit of 2 mails an hour to a.example is reached" in said
    assert "Try one mail now" not in said  # a viewer only looks
    assert "<i>" not in client.get("/admin/deliveries/pace").text
    told = client.get("/admin/deliveries/pace", params={"sort": "-name", "q": "example"}).text
    assert told.index("b.example") < told.index("a.example")
    assert f"127.0.0.1:{server.port}<br>" not in told


def test_programs_ask_for_the_same(house):
    rt = house.runtime
    limit(rt, domain_an_hour=2)
    plan_daily(rt)
    asyncio.run(send_ready(rt))
    client = TestClient(make_app(rt, house.settings), base_url="http://127.0.0.1:8000")
    assert client.get("/api/v1/deliveries/pace").status_code == 401
    made = tokens.make_token(rt, "a monitor", ["deliveries:read"], by="cli")
    header = {"Authorization": f"Bearer {made['token']}"}
    found = client.get("/api/v1/deliveries/pace", headers=header).json()
    assert [(one["name"], one["had"], one["most"]) for one in found] == [
        ("a.example", {"hour": 2}, {"hour": 2}),
        ("b.example", {"hour": 1}, {"hour": 2}),
    ]
    assert found[0]["until"] is not None


def test_the_doctor_speaks_to_the_second_relay_too(house, server):
    server.on("CONNECT", reply("554 5.7.1 no service"), times=1)
    found = {check.name: check for check in doctor_checks.inside(house)}
    assert found["relay"].level == "fail"
    assert found["second relay"].level == "ok"
    assert found["pace"].level == "ok"


def test_what_was_counted_and_looked_up_is_forgotten(house):
    rt = house.runtime
    limit(rt, mails_a_day=100, domain_an_hour=100)
    plan_daily(rt)
    asyncio.run(send_ready(rt))
    until = rt.clock() + timedelta(days=7)
    rt.db.write(lambda s: keep_route(s, "a.example", "mx.example", now=rt.clock(), until=until))
    rt.clock.go(days=31)
    removed = tidy(rt).removed
    assert (removed["send_counts"], removed["routes"]) == (3, 1)
    assert rt.db.read(lambda s: groups_of(s, ["a.example"])) == {"a.example": "a.example"}


def test_who_may_send_tries_one_mail_is_tried_of_who_rests(house, capsys, monkeypatch):
    rt = house.runtime
    plan_daily(rt)
    rest = Breaker(cause="policy", until=rt.clock() + timedelta(minutes=30), at_once=1, times=1)
    rt.db.write(lambda s: rests.write(s, rests.DOMAIN, {"a.example": rest}))
    assert [(one.name, one.rests) for one in read_limits(rt)] == [("a.example", True)]
    assert words_of(desk(house, "sender")).count("Try one mail now") == 2  # and what it does
    monkeypatch.setattr(pace_commands, "runtime", lambda: _Opened(house))
    pace_commands.deliveries_try("a.example", as_json=False)
    assert capsys.readouterr().out.count("One mail of 3 goes now.") == 1
    assert [(one.name, one.rests) for one in read_limits(rt)] == [("a.example", False)]
