"""Deliveries by page and by API: what was said, groups, sending them again, tokens."""

import asyncio
import re
from collections.abc import Iterator
from datetime import timedelta
from html import unescape
from pathlib import Path

import pytest
from fastapi.testclient import TestClient
from support.house import Clock, add, ingest_items, open_house, paper_item
from support.smtp_server import SmtpServer, drop, reply

from service.admin import deliveries
from service.app import make_app
from service.delivery.states import State
from service.flows import staff, tokens
from service.flows.daily import plan_daily
from service.flows.runtime import Runtime
from service.flows.send import send_ready
from service.flows.tokens import TokenNameError, end_token, keep_uses, list_tokens, make_token
from service.store.editions import list_editions
from service.store.rests import Rest
from service.store.staff import list_audit

pytestmark = pytest.mark.usefixtures("cheap_passwords")
BASE = "http://127.0.0.1:8000"
PASSWORD = "correct horse battery"


@pytest.fixture
def server() -> Iterator[SmtpServer]:
    with SmtpServer() as made:
        yield made


@pytest.fixture
def house(tmp_path: Path, server: SmtpServer):
    with open_house(tmp_path, smtp_port=server.port, clock=Clock()) as made:
        rt = made.runtime
        for name in ("ada@one", "ben@two", "cy@two"):
            add(rt, f"{name}.example", "adapters")
        ingest_items(rt, tmp_path, [paper_item(1, "Adapters that forget less")])
        yield made


@pytest.fixture
def rt(house) -> Runtime:
    return house.runtime


@pytest.fixture
def client(house) -> Iterator[TestClient]:
    app = make_app(house.runtime, house.settings)
    with TestClient(app, base_url=BASE, client=("127.0.0.1", 5)) as made:
        yield made


def log_in(rt: Runtime, client: TestClient, role: str) -> str:
    """A session of this role; returns its form token."""
    link = staff.create_admin(rt, role, role, by="cli")
    staff.redeem(rt, link.rpartition("/")[2], PASSWORD)
    client.cookies.set("paperpost", staff.log_in(rt, role, PASSWORD, "127.0.0.1", "tests"))
    found = re.search(r'name="token" value="([^"]+)"', client.get("/admin").text)
    assert found
    return found[1]


def refused(rt: Runtime, server: SmtpServer) -> None:
    """The daily of three readers: two refused by policy, one who does not exist."""
    server.on("RCPT", reply("550 5.7.1 blocked by policy"), match="two.example")
    server.on("RCPT", reply("550 5.1.1 no such user"), match="ada@")
    plan_daily(rt)
    send(rt)
    server.clear()


def send(rt: Runtime):
    return asyncio.run(send_ready(rt))


def bearer(rt: Runtime, *scopes: str, name: str = "cron") -> dict[str, str]:
    return {"Authorization": f"Bearer {make_token(rt, name, scopes, by='cli')['token']}"}


@pytest.mark.slow
def test_a_group_is_looked_at_confirmed_and_sent_again_once(rt, client, server):
    refused(rt, server)
    token = log_in(rt, client, "sender")
    page = client.get("/admin/editions/1").text
    assert "Send the refused ones again" in page  # how many now, the next page counts
    assert "550 5.7.1 blocked by policy" in page
    groups = client.get("/admin/deliveries/groups").text
    assert re.search(r"Refused because of us.*?>2<", groups, re.S)
    assert "policy: 5.7.1" not in page + groups + client.get("/admin/deliveries").text
    assert "two.example" in groups
    assert "ben@two.example" in groups
    person, policy = groups.split("Refused because of us")[0], groups
    assert "deliveries/resend" in policy
    assert "deliveries/resend" not in person  # who does not exist is not offered
    one = client.get("/admin/deliveries/2").text
    assert "Send this mail again" in one
    assert 'name="id" value="2"' in one
    assert 'name="id" value="2"' in client.get("/admin/deliveries/resend?edition=1&id=2").text
    twice = {"token": token, "edition": "1", "id": "2", "mails": "2"}
    assert "1 mail, not 2" in client.post("/admin/deliveries/resend", data=twice).text
    look = "/admin/deliveries/resend?edition=1&meaning=policy"
    page = client.get(look).text
    assert "Send again to 2" in page
    assert len(rt.db.read(list_editions)) == 1
    data = {"token": token, "edition": "1", "meaning": "policy", "mails": "3"}
    wrong = client.post("/admin/deliveries/resend", data=data)
    assert wrong.status_code == 409
    assert "2 mails, not 3" in wrong.text
    done = client.post("/admin/deliveries/resend", data={**data, "mails": "2"})
    assert done.url.path == "/admin/editions/2"
    pressed = client.post("/admin/deliveries/resend", data={**data, "mails": "2"})
    assert pressed.status_code == 409
    assert "It would be 0 mails" in pressed.text
    assert send(rt).accepted == 2
    assert "sent again already" in client.get(look).text
    assert "not sent again: sent again already" in client.get("/admin/deliveries/2").text
    assert "not sent again: address does not exist" in client.get("/admin/deliveries/1").text
    acts = [(a.what, a.target, a.after) for a in rt.db.read(list_audit) if a.what == "resend"]
    assert acts == [("resend", "edition 1", {"edition": 2, "mails": 2, "meaning": "policy"})]


@pytest.mark.slow
def test_who_rests_is_said_before_anything_is_sent_again(rt, client, server, monkeypatch):
    refused(rt, server)
    log_in(rt, client, "sender")
    later = rt.clock() + timedelta(minutes=30)
    rests = [
        Rest(scope="rest:domain", key=key, until=until, at_once=1, why=words)
        for key, until, words in (
            ("two.example", later, "20 of 20 were refused"),
            ("one.example", None, "tried with one connection"),
        )
    ]
    monkeypatch.setattr(deliveries, "list_rests", lambda _session, _now: rests)
    page = unescape(client.get("/admin/deliveries/resend?edition=1").text)
    assert "two.example, until" in page
    assert "20 of 20 were refused" in page
    assert "tried with one connection" not in page


@pytest.mark.slow
def test_who_may(rt, client, server):
    refused(rt, server)
    token = log_in(rt, client, "editor")
    assert client.get("/admin/deliveries/groups").status_code == 200
    assert "deliveries/resend" not in client.get("/admin/deliveries/groups").text
    assert client.get("/admin/deliveries/resend?edition=1").status_code == 403
    data = {"token": token, "edition": "1", "mails": "2"}
    assert client.post("/admin/deliveries/resend", data=data).status_code == 403
    assert client.get("/admin/tokens").status_code == 403
    assert client.post("/admin/tokens", data={"token": token, "name": "x"}).status_code == 403
    answer = {"token": token, "answer": "ready"}
    assert client.post("/admin/deliveries/1/resolve", data=answer).status_code == 403


@pytest.mark.slow
def test_lists_are_filtered_by_their_address(rt, client, server):
    refused(rt, server)
    log_in(rt, client, "viewer")

    def listed(query: str) -> list[str]:
        page = client.get(f"/admin/deliveries?{query}")
        assert page.status_code == 200
        return re.findall(r">(\w+)@(?:one|two)\.example<", page.text)

    assert listed("order=address") == ["ada", "ben", "cy"]
    assert listed("domain=two.example&order=address") == ["ben", "cy"]
    assert listed("meaning=person") == ["ada"]
    assert listed("words=BLOCKED&order=address") == ["ben", "cy"]
    assert listed("from=2026-11-19") == []
    assert listed("to=2026-11-18&state=failed&q=cy") == ["cy"]
    assert len(listed("state=lost&meaning=x&order=x&from=x&edition=x")) == 3
    for odd in ("%", "edition=99999999999999999999", "words=%27", "page=9"):
        assert client.get(f"/admin/deliveries?{odd}").status_code == 200
    for missing in ("deliveries?edition=99", "deliveries/groups?edition=99"):
        assert client.get(f"/admin/{missing}").status_code == 404
    assert client.get("/admin/deliveries/resend?edition=x").status_code in (403, 404)


def test_a_page_of_groups_without_any_reads_no_ledger(rt, client, monkeypatch):
    plan_daily(rt)
    send(rt)
    log_in(rt, client, "viewer")
    monkeypatch.setattr(deliveries.ledger, "delivery_facts", None)
    page = client.get("/admin/deliveries/groups")
    assert "Nothing was refused, put off or left without an answer." in page.text


@pytest.mark.slow
def test_a_held_mail_is_settled_by_a_person(rt, client, server):
    server.on("DOT", drop(record=True), times=1)
    plan_daily(rt)
    assert send(rt).held == 1
    token = log_in(rt, client, "sender")
    (held,) = re.findall(
        r"/admin/deliveries/(\d+)\"", client.get("/admin/deliveries?state=held").text
    )
    page = client.get(f"/admin/deliveries/{held}").text
    assert "It did not come: send it again" in page
    act = f"/admin/deliveries/{held}/resolve"
    wrong = client.post(act, data={"token": token, "answer": "maybe"})
    assert wrong.status_code == 409
    assert "no answer for a mail" in unescape(wrong.text)
    done = client.post(act, data={"token": token, "answer": "accepted"})
    assert done.url.path == f"/admin/deliveries/{held}"
    assert "It came" not in done.text
    assert "sender said: accepted" in done.text


def test_programs_read_and_send_again(rt, client, server):
    refused(rt, server)
    reading = bearer(rt, "deliveries:read", name="reads")
    sending = bearer(rt, "deliveries:send", name="sends")
    listed = client.get(
        "/api/v1/deliveries",
        params={"edition": 1, "meaning": "policy", "order": "address", "limit": 1},
        headers=reading,
    ).json()
    assert (listed["total"], [d["email"] for d in listed["deliveries"]]) == (2, ["ben@two.example"])
    one = client.get(f"/api/v1/deliveries/{listed['deliveries'][0]['id']}", headers=reading).json()
    assert one["tries"][0]["text"] == "5.7.1 blocked by policy"
    for path in ("deliveries", "deliveries/groups"):
        assert client.get(f"/api/v1/{path}?edition=99", headers=reading).status_code == 404
    groups = client.get("/api/v1/deliveries/groups", headers=reading).json()
    assert [(g["name"], g["count"], g["resend"]) for g in groups] == [
        ("person", 1, False), ("policy", 2, True),
    ]  # fmt: skip
    assert client.get("/api/v1/editions", headers=reading).json()["editions"][0]["failed"] == 3
    one = client.get("/api/v1/editions/1", headers=reading).json()
    assert (one["ended"], one["put_off_until"], one["first"]) == (3, None, None)
    asked = {"edition": 1, "meaning": "policy"}
    act = "/api/v1/deliveries/resend"
    dry = client.post(act, json=asked | {"dry_run": True}, headers=sending).json()
    assert dry["mails"] == 2
    assert all(isinstance(e, int) for e in dry["examples"])  # this token may not look
    refusal = client.post(act, json=asked, headers=sending)
    assert (refusal.status_code, refusal.json()["error"]["where"]) == (409, "mails")
    keyed = asked | {"mails": 2, "key": "monday"}
    made = client.post(act, json=keyed, headers=sending).json()
    assert (made["planned"], made["is_new"]) == (2, True)
    again = client.post(act, json=keyed, headers=sending).json()
    assert (again["edition"], again["is_new"]) == (made["edition"], False)
    assert send(rt).accepted == 2
    (act,) = (a for a in rt.db.read(list_audit) if a.what == "resend")
    assert (act.who, act.address) == ("token sends", "127.0.0.1")


@pytest.mark.slow
@pytest.mark.parametrize(
    ("path", "json"),
    [
        ("deliveries", None),
        ("deliveries/groups", None),
        ("deliveries/1", None),
        ("editions", None),
        ("editions/1", None),
        ("deliveries/resend", {"edition": 1, "dry_run": True}),
        ("deliveries/1/resolve", {"answer": "ready"}),
    ],
)
def test_nothing_without_a_token_for_it(rt, client, server, path, json):
    refused(rt, server)
    log_in(rt, client, "owner")  # a session is no token
    other = "deliveries:send" if json is None else "deliveries:read"
    wrong = bearer(rt, other)
    gone = bearer(rt, *tokens.SCOPES, name="gone")
    end_token(rt, "gone", by="cli")

    def ask(headers=None):
        if json is None:
            return client.get(f"/api/v1/{path}", headers=headers)
        return client.post(f"/api/v1/{path}", json=json, headers=headers)

    for headers in (None, gone, {"Authorization": "Bearer x"}, {"Authorization": "Basic eDp5"}):
        answer = ask(headers)
        assert answer.status_code == 401
        assert answer.headers["www-authenticate"].startswith("Bearer")
        assert "@" not in answer.text
    answer = ask(wrong)
    assert (answer.status_code, answer.json()["error"]["where"]) == (403, "Authorization")


@pytest.mark.slow
@pytest.mark.parametrize(
    ("query", "status"),
    [
        ("state=lost", 422),
        ("meaning=bad", 422),
        ("order=id", 422),
        ("limit=0", 422),
        ("since=yesterday", 422),
        ("edition=99", 404),
        ("edition=-1", 422),
    ],
)
def test_what_cannot_be_read_is_said_in_three_parts(rt, client, query, status):
    answer = client.get(f"/api/v1/deliveries?{query}", headers=bearer(rt, "deliveries:read"))
    assert answer.status_code == status
    error = answer.json()["error"]
    assert error["what"]
    assert ("openapi" in error["next_step"]) is (status == 422)
    if query == "state=lost":  # every word that may stand there, and no word of the library's
        assert error["where"].startswith("query.state: Input should be 'planned'")
        assert "'held'" in error["where"]


def test_the_states_that_can_be_asked_for_are_all_of_them(client):
    asked = client.get("/api/openapi.json").json()["paths"]["/api/v1/deliveries"]["get"]
    [state] = [one for one in asked["parameters"] if one["name"] == "state"]
    words = next(one["enum"] for one in state["schema"]["anyOf"] if "enum" in one)
    assert sorted(words) == sorted([*State, "held"])


@pytest.mark.slow
def test_a_delivery_that_is_not_there_cannot_be_settled(rt, client):
    headers = bearer(rt, "deliveries:send")
    answer = client.post("/api/v1/deliveries/99/resolve", json={"answer": "ready"}, headers=headers)
    assert (answer.status_code, "no delivery 99" in answer.text) == (404, True)
    true = {"answer": "ready", "edition": True}  # else it were edition 1
    assert client.post("/api/v1/deliveries/resolve", json=true, headers=headers).status_code == 422


def test_the_description_names_the_token_and_the_answers(client):
    told = client.get("/api/openapi.json").json()
    assert told["components"]["securitySchemes"]["token"]["scheme"] == "bearer"
    for path in ("/api/v1/deliveries", "/api/v1/deliveries/groups", "/api/v1/editions"):
        assert told["paths"][path]["get"]["security"] == [{"token": ["deliveries:read"]}], path
    assert told["paths"]["/api/v1/deliveries/resend"]["post"]["security"] == [
        {"token": ["deliveries:send"]}
    ]
    assert "security" not in told["paths"]["/api/v1/search"]["get"]


@pytest.mark.slow
def test_a_token_is_shown_once_and_kept_as_a_hash(rt, client, house):
    token = log_in(rt, client, "owner")
    data = {"token": token, "name": "cron", "scope": "deliveries:read"}
    page = client.post("/admin/tokens", data=data).text
    (secret,) = re.findall(r"<pre>(paperpost_[\w-]{43})</pre>", page)
    assert secret not in client.get("/admin/tokens").text
    raw = b"".join(p.read_bytes() for p in house.settings.data_dir.rglob("*") if p.is_file())
    assert b"cron" in raw
    assert secret.encode() not in raw
    asked = {"headers": {"Authorization": f"Bearer {secret}"}}
    assert client.get("/api/v1/editions", **asked).status_code == 200
    used = client.post("/admin/tokens", data=data | {"days": "7"})
    assert used.status_code == 422  # the name is in use; what was ticked and typed stays
    assert used.text.count(" checked>") == 1
    assert 'value="7"' in used.text
    nothing = client.post("/admin/tokens", data={"token": token, "name": "other"})
    assert "opens nothing" in nothing.text
    ended = client.post("/admin/tokens", data={"token": token, "name": "cron", "act": "end"})
    assert "ended" in ended.text
    assert client.get("/api/v1/editions", **asked).status_code == 401


@pytest.mark.slow
def test_the_last_use_is_written_with_the_sweep(rt, client):
    made = bearer(rt, "deliveries:read")
    assert list_tokens(rt)[0]["seen_at"] is None
    client.get("/api/v1/editions", headers=made)
    assert list_tokens(rt)[0]["seen_at"] == rt.clock()
    keep_uses(rt)
    assert rt.token_uses == {}
    assert list_tokens(rt)[0]["seen_at"] == rt.clock()


@pytest.mark.slow
@pytest.mark.parametrize(
    ("name", "scopes"),
    [("", ["deliveries:read"]), ("x" * 121, ["deliveries:read"]), ("a\x00b", ["deliveries:read"]),
     ("cron", []), ("cron", ["everything"])],
)  # fmt: skip
def test_names_and_scopes_that_cannot_be(rt, name, scopes):
    with pytest.raises(TokenNameError):
        make_token(rt, name, scopes, by="cli")
