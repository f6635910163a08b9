"""Other programs are told of events: in the cause's transaction, signed, tried again, given up."""

import asyncio
import json
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from support.hook_server import HookServer
from support.house import Clock, add, ingest_items, open_house, paper_item
from support.smtp_server import SmtpServer

from service.flows import hook_calls, hook_lists, hooks
from service.flows.alarms import Alarm, end_alarm, raise_alarm
from service.flows.daily import plan_daily
from service.flows.hook_calls import STEPS, call_due, signature
from service.flows.hook_lists import HookError, NoHookError
from service.flows.leave import erase, unsubscribe
from service.flows.runtime import Runtime
from service.flows.send import send_ready
from service.flows.settle import settle_editions
from service.flows.tidy import tidy
from service.store import alarms as alarms_store
from service.store import hooks as store
from service.store.staff import list_audit
from service.store.subscribers import get_subscriber_row
from service.wiring import House

pytestmark = pytest.mark.slow  # each opens a house and a server


@pytest.fixture
def server() -> Iterator[HookServer]:
    with HookServer() as made:
        yield made


@pytest.fixture
def house(tmp_path: Path) -> Iterator[House]:
    with SmtpServer() as smtp, open_house(tmp_path, smtp_port=smtp.port, clock=Clock()) as made:
        yield made


@pytest.fixture
def rt(house: House) -> Runtime:
    return house.runtime


def hook(rt: Runtime, url: str, *events: str, **more: bool) -> dict:
    return hook_lists.add_hook(rt, "crm", url, events or [*hooks.EVENTS], by="ann", **more)


def call(rt: Runtime):
    return asyncio.run(call_due(rt))


def calls(rt: Runtime) -> list[dict]:
    return rt.db.read(lambda s: hook_lists.log_of(s, 1))


def test_a_readers_life_is_told_signed_and_without_an_address(
    rt: Runtime, server: HookServer
) -> None:
    made = hook(rt, server.url, "reader.joined", "reader.left")
    assert made["secret"].startswith("whsec_")
    number = add(rt, "ada@example.org", "adapters")
    row = rt.db.read(lambda s: get_subscriber_row(s, id=number))
    unsubscribe(rt, row.unsubscribe_token)
    assert erase(rt, row.email_key)
    assert server.heard == []  # nothing is posted in a transaction
    assert call(rt).done == 2
    joined, left = sorted(server.heard, key=lambda one: json.loads(one.body)["type"])
    assert json.loads(joined.body) == {
        "type": "reader.joined",
        "timestamp": rt.clock().isoformat(),
        "data": {"reader": number, "how": "added"},
    }
    assert json.loads(left.body)["data"] == {"reader": number, "how": "left"}
    for one in server.heard:
        at, event_id = int(one.headers["webhook-timestamp"]), one.headers["webhook-id"]
        assert at == int(rt.clock().timestamp())
        assert one.headers["webhook-signature"] == signature(made["secret"], event_id, at, one.body)
        assert b"ada@" not in one.body
    assert joined.headers["webhook-id"] != left.headers["webhook-id"]
    assert call(rt).calls == 0
    for sort, first in (
        ("event", "reader.joined"),
        ("-event", "reader.left"),
        ("at", "reader.joined"),
    ):
        listed = rt.db.read(lambda s, o=sort: hook_lists.log_of(s, 1, sort=o))  # type: ignore[misc]
        assert listed[0]["event"] == first


def test_the_known_answer_of_standard_webhooks() -> None:
    # the example of the reference libraries
    made = signature(
        "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw",
        "msg_p5jXN8AQM9LWM0D4loKWxJek",
        1614265330,
        b'{"test": 2432232314}',
    )
    assert made == "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="


def test_addresses_are_told_where_the_operator_said_so_and_go_with_the_reader(
    rt: Runtime, server: HookServer
) -> None:
    hook(rt, server.url, "reader.joined", tells_address=True)
    number = add(rt, "ada@example.org", "adapters")
    assert json.loads(calls(rt)[0]["body"])["data"]["email"] == "ada@example.org"
    row = rt.db.read(lambda s: get_subscriber_row(s, id=number))
    erase(rt, row.email_key)
    assert "ada@" not in calls(rt)[0]["body"]


def test_what_the_house_does_is_told(rt: Runtime, server: HookServer, tmp_path: Path) -> None:
    hook(rt, server.url)
    add(rt, "ada@example.org", "adapters")
    ingest_items(rt, tmp_path, [paper_item(1, "Adapters that forget less")])
    plan_daily(rt)
    asyncio.run(send_ready(rt))
    rt.clock.go(days=4)
    settle_editions(rt)
    said = Alarm(kind="disk", key="1", what="It fails.", place="here", next_step="Look.")
    rt.db.write(lambda s: raise_alarm(rt, s, said))
    rt.db.write(lambda s: raise_alarm(rt, s, said))
    rt.db.write(lambda s: end_alarm(rt, s, "disk", "1"))
    call(rt)
    told = [json.loads(one.body) for one in server.heard]
    names = [one["type"] for one in told]
    assert names.count("alarm.raised") == names.count("alarm.over") == 1
    done = next(one["data"] for one in told if one["type"] == "edition.done")
    assert done["kind"] == "digest"
    assert done["planned"] == 1
    assert done["states"] == {"accepted": 1}


def test_nothing_is_told_of_what_was_undone(rt: Runtime, server: HookServer) -> None:
    hook(rt, server.url, "alarm.raised")

    def broken(session) -> None:
        hooks.tell(session, rt.clock(), "alarm.raised", {"alarm": 1})
        session.flush()
        raise RuntimeError("after the telling")

    with pytest.raises(RuntimeError):
        rt.db.write(broken)
    assert calls(rt) == []


def test_a_program_that_fails_is_asked_for_three_days_then_given_up(
    rt: Runtime, server: HookServer
) -> None:
    hook(rt, server.url, "reader.joined")
    add(rt, "ada@example.org", "adapters")
    server.answer(500, "out of order")
    begun = rt.clock()
    for _ in range(len(STEPS) + 1):
        assert call(rt).calls == 1
        one = calls(rt)[0]
        if one["state"] == "waiting":
            assert call(rt).calls == 0  # not before its time
            rt.clock.at = max(rt.clock.at, store_next(rt))
    assert one["state"] == "failed"
    assert len(one["tries"]) == len(STEPS) + 1
    assert one["tries"][0]["code"] == 500
    assert one["tries"][0]["words"] == "out of order"
    assert timedelta(hours=70) < rt.clock() - begun < timedelta(hours=80)
    assert len({h.headers["webhook-id"] for h in server.heard}) == 1
    assert len({h.body for h in server.heard}) == 1
    server.answer(200)
    hook_lists.send_again(rt, one["id"], by="ann")
    assert call(rt).done == 1
    with pytest.raises(NoHookError):
        hook_lists.send_again(rt, 99, by="ann")


def test_a_call_that_waits_for_hours_is_tried_now(rt: Runtime, server: HookServer) -> None:
    hook(rt, server.url, "reader.joined")
    add(rt, "ada@example.org", "adapters")
    server.answer(500)
    for _ in range(2):
        with pytest.raises(HookError, match="within 2 minutes"):  # seconds away
            hook_lists.send_again(rt, 1, by="ann")
        call(rt)
        rt.clock.at = max(rt.clock.at, min(store_next(rt), rt.clock() + timedelta(seconds=10)))
    assert store_next(rt) - rt.clock() > timedelta(minutes=3)
    assert hook_lists.send_again(rt, 1, by="ann")["next_at"] == rt.clock().isoformat()
    with pytest.raises(HookError, match="is being made"):  # twice at once is once
        hook_lists.send_again(rt, 1, by="ann")
    assert call(rt).calls == 1
    assert store_next(rt) - rt.clock() < timedelta(seconds=10), "the waits begin anew"
    assert [one.get("again", False) for one in calls(rt)[0]["tries"]] == [False, False, True, False]
    act = rt.db.read(list_audit)[0]
    assert (act.who, act.what) == ("ann", "call webhook again")
    rt.clock.go(seconds=10)
    server.answer(200)
    assert call(rt).done == 1


def store_next(rt: Runtime):
    return rt.db.read(lambda s: store.list_calls(s, 1)[0].next_at)


def test_an_end_is_told_by_410_or_by_five_days_without_an_answer(
    rt: Runtime, server: HookServer
) -> None:
    hook(rt, server.url, "reader.joined")
    add(rt, "ada@example.org", "adapters")
    server.answer(410)
    call(rt)
    found = rt.db.read(lambda s: hook_lists.get_facts(s, 1))
    assert "410" in found["ended_why"]
    assert rt.db.read(alarms_store.list_open) == []  # as it wished
    second = hook(rt, server.url, "reader.joined")
    server.answer(503)
    for name in ("ben", "cy"):
        add(rt, f"{name}@example.org", "adapters")
        call(rt)
        rt.clock.go(days=5, hours=1)
    call(rt)
    found = rt.db.read(lambda s: hook_lists.get_facts(s, second["id"]))
    assert "tries failed" in found["ended_why"]
    assert found["calls"]["waiting"] == 0
    assert [row.kind for row in rt.db.read(alarms_store.list_open)] == ["webhook"]
    add(rt, "dan@example.org", "adapters")
    assert call(rt).calls == 0


def test_a_redirect_and_a_slow_one_are_refusals(rt: Runtime, server: HookServer) -> None:
    hook(rt, server.url, "reader.joined")
    add(rt, "ada@example.org", "adapters")
    server.answer(302, headers={"Location": server.url + "/else"})
    call(rt)
    assert calls(rt)[0]["tries"][0]["code"] == 302
    assert len(server.heard) == 1
    server.answer(429, headers={"Retry-After": "900"})
    rt.clock.at = store_next(rt)
    call(rt)
    assert store_next(rt) - rt.clock() >= timedelta(minutes=15)


def test_a_new_secret_signs_beside_the_old_one_for_a_day(rt: Runtime, server: HookServer) -> None:
    old = hook(rt, server.url, "reader.joined")
    new = hook_lists.rotate_secret(rt, old["id"], by="ann")
    hook_lists.try_hook(rt, old["id"], by="ann")
    call(rt)
    rt.clock.go(hours=25)
    hook_lists.try_hook(rt, old["id"], by="ann")
    call(rt)
    first, later = (one.headers["webhook-signature"].split() for one in server.heard)
    assert len(first) == 2
    assert len(later) == 1
    heard = server.heard[0]
    at = int(heard.headers["webhook-timestamp"])
    for secret, said in zip((new["secret"], old["secret"]), first, strict=True):
        assert said == signature(secret, heard.headers["webhook-id"], at, heard.body)
    assert json.loads(heard.body)["type"] == "webhook.test"
    acts = [row.what for row in rt.db.read(lambda s: list_audit(s, limit=9))]
    assert acts.count("test webhook") == 2
    assert acts.count("rotate webhook") == 1


def test_two_processes_make_a_call_once_and_a_dead_ones_again(
    tmp_path: Path, database_url: str, server: HookServer
) -> None:
    with open_house(tmp_path, clock=Clock(), database_url=database_url) as house:
        rt = house.runtime
        hook(rt, server.url, "reader.joined")
        add(rt, "ada@example.org", "adapters")
        taken = rt.db.write(lambda s: hook_calls._claim(rt, s))
        assert len(taken) == 1
        assert call(rt).calls == 0  # the other one has it
        rt.clock.go(minutes=3)  # and died before it wrote down what was answered
        assert call(rt).done == 1
        assert len(server.heard) == 1


@pytest.mark.parametrize(
    ("url", "private"),
    [
        ("http://example.org/hook", False),
        ("https://127.0.0.1/hook", False),
        ("https://localhost/hook", False),
        ("https://169.254.169.254/latest", False),
        ("https://[::1]/", False),
        ("https://example.org:22/", False),
        ("https://ann:secret@example.org/", False),
        ("ftp://example.org/", True),
        ("https://", True),
        ("https://example.org/a b", True),
        ("nothing", True),
    ],
)
def test_addresses_that_are_never_called(url: str, private: bool) -> None:
    with pytest.raises(HookError):
        hook_lists.read_url(url, private=private)


def test_what_is_over_is_thrown_away(rt: Runtime, server: HookServer) -> None:
    hook(rt, server.url, "reader.joined")
    add(rt, "ada@example.org", "adapters")
    call(rt)
    rt.clock.go(days=31)
    assert tidy(rt).removed["webhook_calls"] == 1
