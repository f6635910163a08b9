"""Groups of refused mails, and sending them again: nobody gets a mail twice by it."""

import asyncio
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from pathlib import Path

import pytest
import sqlalchemy as sa
from support.house import Clock, add, ingest_items, open_house, paper_item
from support.smtp_server import SmtpServer, drop, reply

from service.flows import leave, manual
from service.flows import resend as flow
from service.flows.daily import plan_daily
from service.flows.editions import EditionError, cancel, details, pause, resume
from service.flows.groups import Group, groups, newest_groups, plainly, refusals
from service.flows.hidden import hide_paper
from service.flows.ledger import delivery_story, list_facts, read_chosen
from service.flows.letter import digest_of
from service.flows.resend import ResendError, read_wanted
from service.flows.runtime import Runtime
from service.flows.send import send_ready
from service.store import delivery_lists
from service.store.deliveries import list_deliveries
from service.store.delivery_lists import Chosen, count_chosen
from service.store.editions import count_states, get_edition, list_editions
from service.store.sent import list_sent
from service.store.subscribers import get_subscriber_row


@pytest.fixture
def rt(tmp_path: Path, database_url: str, server: SmtpServer, clock: Clock) -> Iterator[Runtime]:
    with open_house(
        tmp_path, smtp_port=server.port, database_url=database_url, clock=clock
    ) as house:
        for name in ("ada@one", "cy@one", "dan@two", "eve@two"):
            add(house.runtime, f"{name}.example", "adapters")
        items = [paper_item(1, "Adapters that forget less"), paper_item(2, "Adapters again")]
        ingest_items(house.runtime, tmp_path, items)
        yield house.runtime


def send(rt: Runtime):
    return asyncio.run(send_ready(rt))


def refuse(server: SmtpServer) -> None:
    server.on("RCPT", reply("550 5.1.1 <cy@one.example> no such user"), match="cy@")
    server.on("RCPT", reply("552 5.2.2 mailbox full"), match="dan@")
    server.on("RCPT", reply("550 5.7.1 blocked by policy"), match="eve@")


def newsletter(rt: Runtime, key: str = "n") -> int:
    plan = manual.draft(rt, kind="newsletter", subject="News", body="Hello", key=key)
    mails = manual.count(rt, plan).mails
    return manual.start(rt, plan, expected=mails, at_once=True).edition_id


def again(rt: Runtime, edition_id: int, **wanted):
    expected = wanted.pop("expected", None)
    return flow.resend(rt, read_wanted(edition_id, **wanted), by="ada", expected=expected)


def to(server: SmtpServer) -> list[str]:
    return sorted(m.recipient for m in server.accepted)


@pytest.mark.slow
def test_refused_are_grouped_by_what_it_means_and_sent_again_where_it_helps(rt, server):
    refuse(server)
    plan_daily(rt)
    assert send(rt).failed == 3
    (edition,) = rt.db.read(list_editions)
    found = {g.meaning: g for g in rt.db.read(lambda s: refusals(s, edition.id))}
    assert {m: (g.count, g.again.total()) for m, g in found.items()} == {
        "person": (1, 0), "full": (1, 1), "policy": (1, 1),
    }  # fmt: skip
    assert dict(found["full"].words) == {"552 5.2.2 mailbox full": 1}
    assert dict(found["person"].words) == {"550 5.1.1 … no such user": 1}
    assert found["policy"].domains == {"two.example": 1}
    shown = rt.db.read(lambda s: details(s, edition.id))["refused"]
    assert [(g["name"], g["resend"]) for g in shown] == [
        ("person", False), ("full", True), ("policy", True),
    ]  # fmt: skip
    server.clear()
    server.accepted.clear()
    looked = flow.count(rt, read_wanted(edition.id))
    assert (looked.mails, dict(looked.left_out)) == (2, {"address does not exist": 1})
    assert [e["email"] for e in looked.examples] == ["dan@two.example", "eve@two.example"]
    made = again(rt, edition.id)
    assert (made["planned"], made["left_out"]) == (2, {"address does not exist": 1})
    assert send(rt).accepted == 2
    assert to(server) == ["dan@two.example", "eve@two.example"]
    # what came by the resend neither rides in the next digest nor is sent a third time
    assert again(rt, edition.id) == {
        "edition": 0,
        "planned": 0,
        "left_out": {"address does not exist": 1, "sent again already": 2},
        "is_new": True,
    }
    dan = rt.db.read(lambda s: get_subscriber_row(s, email_key="dan@two.example"))
    assert len(rt.db.read(lambda s: list_sent(s, [dan.id]))[dan.id]) == 2


@pytest.mark.slow
def test_one_meaning_one_domain_or_some_of_them(rt, server):
    refuse(server)
    plan_daily(rt)
    send(rt)
    server.clear()
    server.accepted.clear()
    assert again(rt, 1, meaning="policy", expected=1)["planned"] == 1
    assert again(rt, 1, domain="one.example")["planned"] == 0
    (dan,) = rt.db.read(lambda s: list_facts(s, Chosen(meaning="full")))
    assert again(rt, 1, ids=(dan["id"],))["planned"] == 1
    send(rt)
    assert to(server) == ["dan@two.example", "eve@two.example"]


def test_a_newsletter_is_sent_again_once_however_often_it_is_asked(rt, server):
    server.on("RCPT", reply("550 5.7.1 blocked by policy"), match="two.example")
    first = newsletter(rt)
    assert send(rt).failed == 2
    second = again(rt, first)["edition"]
    assert again(rt, first)["left_out"] == {"sent again already": 2}
    assert send(rt).failed == 2
    server.clear()
    server.accepted.clear()
    # refused a second time: it may go a third time, from either edition, but from one of them
    third = again(rt, first)
    assert third["planned"] == 2
    assert again(rt, second)["planned"] == 0
    assert send(rt).accepted == 2
    assert again(rt, second)["left_out"] == {"sent again already": 2}
    assert again(rt, third["edition"])["left_out"] == {}
    assert to(server) == ["dan@two.example", "eve@two.example"]


@pytest.mark.slow
def test_what_may_have_come_is_not_sent_again(rt, server):
    server.on("RCPT", reply("550 5.7.1 blocked by policy"), match="two.example")
    first = newsletter(rt)
    send(rt)
    server.clear()
    server.on("DOT", drop(record=True), times=1)
    again(rt, first)
    assert (report := send(rt)).held == 1
    assert report.accepted == 1
    assert again(rt, first)["left_out"] == {"sent again already": 2}


@pytest.mark.slow
def test_a_key_is_one_act(rt, server):
    server.on("RCPT", reply("550 5.7.1 blocked by policy"), match="two.example")
    first = newsletter(rt)
    send(rt)
    made = again(rt, first, key="monday", expected=2)
    assert send(rt).failed == 2
    same = again(rt, first, key="monday", expected=2)
    assert (same["edition"], same["planned"], same["is_new"]) == (made["edition"], 2, False)
    assert send(rt).tried == 0
    with pytest.raises(ResendError, match="another group"):
        again(rt, first, key="monday", meaning="policy")


@pytest.mark.slow
def test_another_number_than_was_confirmed_sends_nothing(rt, server):
    refuse(server)
    plan_daily(rt)
    send(rt)
    with pytest.raises(ResendError, match="2 mails, not 3"):
        again(rt, 1, expected=3)
    assert len(rt.db.read(list_editions)) == 1


@pytest.mark.slow
def test_who_left_pauses_or_has_a_new_address(rt, server, clock):
    server.on("RCPT", reply("550 5.7.1 blocked by policy"))
    first = newsletter(rt)
    assert send(rt).failed == 4
    server.clear()
    row = {n: rt.db.read(lambda s, n=n: get_subscriber_row(s, email_key=n)) for n in (
        "ada@one.example", "cy@one.example", "dan@two.example",
    )}  # fmt: skip
    leave.unsubscribe(rt, row["ada@one.example"].unsubscribe_token)
    change = "UPDATE subscriber SET {} WHERE email_key = '{}'"
    later = (clock() + timedelta(days=9)).date()
    moved = "email = 'cy@new.example', email_key = 'cy@new.example'"
    rt.db.write(lambda s: s.execute(sa.text(change.format(moved, "cy@one.example"))))
    pause = f"paused_until = '{later}'"
    rt.db.write(lambda s: s.execute(sa.text(change.format(pause, "dan@two.example"))))
    assert again(rt, first)["left_out"] == {"left or refused since": 1, "paused": 1}
    send(rt)
    assert to(server) == ["cy@new.example", "eve@two.example"]


@pytest.mark.slow
def test_an_act_that_was_broken_off_sends_nothing_and_is_completed_by_the_next(
    rt, server, clock, monkeypatch
):
    server.on("RCPT", reply("550 5.7.1 blocked by policy"))
    first = newsletter(rt)
    send(rt)
    server.clear()
    monkeypatch.setattr(flow, "CHUNK", 3)
    with monkeypatch.context() as broken:
        broken.setattr(flow, "_release", lambda *_: 1 / 0)
        with pytest.raises(ZeroDivisionError):
            again(rt, first)
    assert send(rt).tried == 0
    # who asks meanwhile gets no half of it; later it is completed
    assert again(rt, first)["planned"] == 0
    clock.go(minutes=21)
    half = rt.db.read(list_editions)[0]
    with pytest.raises(EditionError, match="Send the group again: this edition is completed"):
        resume(rt, half.id, by="ann")
    made = again(rt, first)
    assert (made["edition"], made["planned"]) == (half.id, 4)
    assert made["left_out"] == {"sent again already": 4}
    edition = rt.db.read(lambda s: get_edition(s, id=made["edition"]))
    assert (edition.planned, edition.paused) == (4, False)
    assert send(rt).accepted == 4


@pytest.mark.slow
def test_what_was_hidden_since_is_not_sent_again(rt, server, clock):
    refuse(server)
    edition = plan_daily(rt).editions[0]
    send(rt)
    server.clear()
    hide_paper(rt, 1, "withdrawn", by="ben")
    clock.go(days=5)  # longer than the sweep looks back
    made = again(rt, edition, meaning="policy")
    (row,) = rt.db.read(lambda s: list_deliveries(s, edition_id=made["edition"]))
    assert digest_of(row).paper_ids() == (2,)
    assert "Adapters that forget less" not in str(row.content)


@pytest.mark.slow
def test_paused_while_it_is_planned_it_waits_for_a_person(rt, server, monkeypatch):
    server.on("RCPT", reply("550 5.7.1 blocked by policy"))
    first, plain = newsletter(rt), rt.db.write
    send(rt)
    server.clear()

    def pausing(work, priority):
        made = plain(work, priority)
        newest = rt.db.read(list_editions)[0]
        if newest.id != first and newest.planned is None:
            patched.undo()
            pause(rt, newest.id, by="ben")
        return made

    with monkeypatch.context() as patched:
        patched.setattr(rt.db, "write", pausing)
        made = again(rt, first)
    send(rt)
    assert to(server) == []
    resume(rt, made["edition"], by="ben")
    assert send(rt).accepted == len(to(server)) > 0


@pytest.mark.slow
def test_cancelled_while_it_is_planned_it_is_planned_no_further(rt, server, monkeypatch):
    server.on("RCPT", reply("550 5.7.1 blocked by policy"))
    first, plain = newsletter(rt), rt.db.write
    send(rt)

    def cancelling(work, priority):
        made = plain(work, priority)
        newest = rt.db.read(list_editions)[0]
        if newest.id != first and newest.state == "open":
            cancel(rt, newest.id, by="ben")
        return made

    monkeypatch.setattr(flow, "CHUNK", 3)
    monkeypatch.setattr(rt.db, "write", cancelling)
    with pytest.raises(ResendError, match="cancelled while it was planned"):
        again(rt, first)
    monkeypatch.undo()
    newest = rt.db.read(list_editions)[0]
    counted = rt.db.read(lambda s: count_states(s, newest.id))
    assert (newest.planned, counted) == (3, {"cancelled": 3})


@pytest.mark.parametrize(
    ("wanted", "what"),
    [
        ({"meaning": "person"}, "not sent again"),
        ({"meaning": "bad luck"}, "no meaning"),
        ({"key": "a%"}, "no key"),
        ({"key": "k" * 61}, "no key"),
    ],
)
def test_what_cannot_be_asked(wanted, what):
    with pytest.raises(ResendError, match=what):
        read_wanted(1, **wanted)


@pytest.mark.slow
def test_two_who_press_at_once_send_nobody_two_mails(houses, server, monkeypatch):
    ours, theirs = houses
    monkeypatch.setattr(flow, "CHUNK", 3)
    for n in range(18):
        add(ours, f"reader{n}@uni{n}.example", "adapters")
    server.on("RCPT", reply("550 5.7.1 blocked by policy"))
    first = newsletter(ours)
    assert send(ours).failed == 18
    server.clear()
    server.accepted.clear()
    gate = threading.Barrier(2)

    def press(rt: Runtime):
        gate.wait()
        return again(rt, first)

    with ThreadPoolExecutor(2) as both:
        made = [one.result() for one in [both.submit(press, rt) for rt in houses]]
    assert sum(m["planned"] for m in made) == 18
    for rt in (ours, theirs):
        send(rt)
    assert to(server) == sorted(f"reader{n}@uni{n}.example" for n in range(18))


@pytest.mark.slow
def test_notices_are_not_sent_again(rt):
    add(rt, "new@one.example", "adapters", confirmed="false")
    (notice,) = rt.db.read(lambda s: list_editions(s, kinds=["notice"]))
    with pytest.raises(ResendError, match="Notices"):
        again(rt, notice.id)


def test_deliveries_are_chosen_by_what_was_said(rt, server, clock):
    refuse(server)
    plan_daily(rt)
    send(rt)

    def listed(order="address", **chosen):
        wanted = read_chosen(**chosen)
        rows = rt.db.read(lambda s: list_facts(s, wanted, order=order))
        assert rt.db.read(lambda s: count_chosen(s, wanted)) == len(rows)
        return [row["email"].partition("@")[0] for row in rows]

    assert listed() == ["ada", "cy", "dan", "eve"]
    assert listed(order="newest") == list(reversed(listed(order="oldest")))
    assert listed(domain="@Two.example") == ["dan", "eve"]
    assert listed(meaning="person") == ["cy"]
    assert listed(words="BLOCKED") == ["eve"]
    assert listed(words="5_7") == []  # no wildcard of the database
    assert listed(address="%") == []
    today = clock().date()
    assert listed(first=today, last=today) == ["ada", "cy", "dan", "eve"]
    assert listed(last=today - timedelta(days=1)) == []
    assert listed(state="failed", domain="one.example") == ["cy"]


def test_a_page_groups_the_newest_answers_and_says_so(rt, server, monkeypatch):
    refuse(server)
    plan_daily(rt)
    send(rt)
    whole = rt.db.read(lambda s: groups(s, Chosen()))
    assert rt.db.read(lambda s: newest_groups(s, Chosen())) == (whole, False)
    monkeypatch.setattr(delivery_lists, "MOST_GROUPED", 1)
    cut, is_cut = rt.db.read(lambda s: newest_groups(s, Chosen()))
    newest = max(i for group in whole for i in group.examples)
    assert is_cut
    assert [(group.count, group.examples) for group in cut] == [(1, [newest])]
    edition = next(iter(whole[0].editions))
    one = rt.db.read(lambda s: newest_groups(s, Chosen(edition_id=edition)))
    assert one == (whole, False), "of one edition all"


@pytest.mark.slow
def test_the_story_of_a_delivery_has_every_try(rt, server):
    server.on("RCPT", reply("450 4.2.1 try later"), match="dan@", times=1)
    plan_daily(rt)
    send(rt)
    (row,) = rt.db.read(lambda s: list_facts(s, read_chosen(address="dan@")))
    story = rt.db.read(lambda s: delivery_story(rt, s, row["id"]))
    assert [(t["n"], t["phase"], t["code"], t["enhanced"]) for t in story["tries"]] == [
        (1, "rcpt", 450, "4.2.1")
    ]
    assert "try later" in story["tries"][0]["text"]
    (group,) = rt.db.read(lambda s: groups(s, Chosen()))
    assert (dict(group.states), group.examples) == ({"deferred": 1}, [row["id"]])
    assert group.again.total() == 0


@pytest.mark.slow
def test_what_was_sent_again_is_not_offered_once_more(rt, server):
    server.on("RCPT", reply("550 5.7.1 blocked by policy"))
    first = newsletter(rt)
    assert send(rt).failed == 4
    server.clear()
    server.on("RCPT", reply("550 5.7.1 blocked by policy"), match="eve@")
    second = again(rt, first, domain="two.example")["edition"]
    assert send(rt).accepted == 1  # dan has it, eve was refused twice
    (group,) = rt.db.read(lambda s: groups(s, Chosen()))
    assert (group.count, group.done, dict(group.again)) == (5, 1, {first: 3, second: 1})
    assert rt.db.read(lambda s: refusals(s, first))[0].as_dict()["again"] == 3
    server.clear()
    again(rt, first)
    assert send(rt).accepted == 3
    (group,) = rt.db.read(lambda s: groups(s, Chosen()))
    assert (group.done, group.again.total(), group.as_dict()["resend"]) == (5, 0, False)
    assert again(rt, first)["planned"] == 0  # as the group says


@pytest.mark.slow
def test_what_nobody_tried_before_its_deadline_is_a_group_of_its_own(rt, clock):
    plan_daily(rt)
    rt.db.write(lambda s: s.execute(sa.text(  # one of them was tried, and put off
        "UPDATE delivery SET attempts = 1, meaning = 'temporary' WHERE recipient_key LIKE 'ada@%'"
    )))  # fmt: skip
    clock.go(hours=48)
    send(rt)
    found = {g.meaning: g.as_dict() for g in rt.db.read(lambda s: groups(s, Chosen()))}
    assert {name: g["states"] for name, g in found.items()} == {
        "temporary": {"expired": 1}, "late": {"expired": 3},
    }  # fmt: skip
    assert found["late"]["meaning"] == "never tried: its time was over first"
    assert "Nobody tried it in time" in found["late"]["advice"]
    assert rt.db.read(lambda s: count_chosen(s, Chosen(meaning="late"))) == 3
    (edition,) = rt.db.read(list_editions)
    assert again(rt, edition.id, meaning="late")["planned"] == 3


@pytest.mark.parametrize(
    ("reason", "code", "words"),
    [
        ("person: <ada@b.example>: no such user", 550, "550 …: no such user"),
        ("4CZ1fS2Xk7z9qP queued, try later", 451, "451 … queued, try later"),
        ("policy: see https://help.example/a", 554, "554 see https://help.example/a"),
        ("", 0, "no answer"),
        ("deadline", 0, "deadline"),
    ],
)
def test_words_without_what_differs_from_mail_to_mail(reason, code, words):
    assert plainly(reason, code) == words


def test_an_unknown_meaning_is_told_as_refused():
    assert "known reason" in Group("new word").as_dict()["meaning"]
