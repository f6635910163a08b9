"""A send whose process ended while it was planned: it is completed by itself, for the readers who
were confirmed and for nobody else, once, and what was kept for that is gone then."""

import asyncio
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from support.house import Clock, add, ingest_items, open_house, paper_item
from support.meanwhile import at_once
from support.smtp_server import SmtpServer

from service.flows import drafts, editions, frozen, manual, progress, today
from service.flows.daily import plan_due
from service.flows.hidden import hide_paper, show_again
from service.flows.intent import note_fault
from service.flows.leave import erase, unsubscribe
from service.flows.runtime import Runtime
from service.flows.send import send_ready
from service.flows.settle import settle_editions
from service.flows.suppress import suppress
from service.flows.sweep import sweep
from service.store import alarms as alarms_store
from service.store.deliveries import list_deliveries
from service.store.editions import DRAFT, get_edition, list_editions
from service.store.half_planned import INTENT, drop_intents, list_half_planned
from service.store.instance import set_setting
from service.store.processes import end_processes
from service.store.staff import list_audit
from service.store.subscribers import get_subscriber_row
from service.store.tables import EditionRow
from service.subscribers.address import read_address

LETTER = {"kind": "newsletter", "subject": "News of the library", "body": "We open on Sunday."}
NAMES = ("ada", "ben", "cy", "dora", "eve", "fay")


pytestmark = pytest.mark.slow  # several sends each


@pytest.fixture(autouse=True)
def parts(monkeypatch: pytest.MonkeyPatch) -> None:
    """Readers are planned two at a time."""
    monkeypatch.setattr(frozen, "CHUNK", 2)
    monkeypatch.setattr(today, "CHUNK", 2)


@pytest.fixture
def six(houses: tuple[Runtime, Runtime]) -> tuple[Runtime, Runtime]:
    """Two processes over six readers."""
    for name in NAMES:
        add(houses[0], f"{name}@example.org", "adapters")
    return houses


@pytest.fixture
def alone(tmp_path: Path, server: SmtpServer, clock: Clock) -> Iterator[Runtime]:
    """One process, which is the next one too."""
    with open_house(tmp_path, smtp_port=server.port, clock=clock) as house:
        for name in NAMES:
            add(house.runtime, f"{name}@example.org", "adapters")
        yield house.runtime


def send(rt: Runtime) -> int:
    return asyncio.run(send_ready(rt)).accepted


def broken_off(
    rt: Runtime, plan: manual.Plan, parts: int, monkeypatch: pytest.MonkeyPatch, **how: Any
) -> None:
    """A press whose process is killed after so many parts: its process is over then."""
    write, done = rt.db.write, iter(range(100))
    planned = (frozen._Work.plan_part.__name__, "_plan_today")

    def killed(unit: Callable[[Any], Any], priority: Any) -> Any:
        names = unit.__code__.co_names
        if set(names) & set(planned) and next(done) >= parts:
            raise KeyboardInterrupt
        return write(unit, priority)

    expected = manual.count(rt, plan).mails
    with monkeypatch.context() as patched:
        patched.setattr(rt.db, "write", killed)
        with pytest.raises(KeyboardInterrupt):
            manual.start(rt, plan, expected=expected, address="192.0.2.7", **how)
    rt.db.write(lambda s: end_processes(s, [rt.owner().id]))


def the_edition(rt: Runtime) -> EditionRow:
    return rt.db.read(list_editions)[0]


def states(rt: Runtime) -> dict[str, str]:
    number = the_edition(rt).id
    rows = rt.db.read(lambda s: list_deliveries(s, edition_id=number))
    return {r.recipient_key.split("@")[0]: f"{r.state} {r.reason}".strip() for r in rows}


def test_it_is_completed_once_by_whoever_sweeps(six, monkeypatch):
    one, two = six
    listed = "list:" + ",".join(f"{name}@example.org" for name in NAMES)
    plan = manual.draft(one, **LETTER, segment=listed, key="k", created_by="cli")
    drafts.keep(one, plan, {"kind": "newsletter", "segment": "list", "value": listed[5:]})
    broken_off(one, plan, 1, monkeypatch, at_once=True)
    half = the_edition(two)
    assert (half.planned, len(states(two)), send(two)) == (None, 2, 0)
    assert "@" not in str(half.options), "numbers of readers alone are kept"
    add(two, "new@example.org", "adapters")
    shown = two.db.read(lambda s: progress.watch(s, half.id, now=two.clock()))
    assert shown["planning"] == {"rows": 2, "readers": 6, "left": True}
    assert drafts.begun(two, "k") == half.id
    done: list[int] = []
    acts = [lambda rt=rt: done.append(manual.complete_left(rt)) for rt in six]
    assert at_once(*acts) == []
    assert sorted(done) == [0, 1]
    found = the_edition(two)
    assert (found.planned, found.options["equation"]) == (6, "6 readers = 6 mails")
    assert INTENT not in found.options
    (act,) = [a for a in two.db.read(list_audit) if a.what == "send newsletter"]
    assert (act.who, act.address, act.after["mails"]) == ("cli", "192.0.2.7", 6)
    assert manual.complete_left(two) == 0
    assert (send(two), send(two)) == (6, 0)


def test_who_left_meanwhile_gets_nothing_and_the_equation_balances(six, monkeypatch):
    one, two = six
    ingest_items(one, one.data_dir, [paper_item(1, "Adapters that forget less")])
    plan = manual.draft(one, papers=["arxiv/2611.00001"], key="k")
    broken_off(one, plan, 1, monkeypatch, at_once=True)  # ada and ben have their rows
    for name in ("ada", "cy"):
        erase(two, f"{name}@example.org")
    tokens = {
        name: two.db.read(lambda s, n=name: get_subscriber_row(s, email_key=f"{n}@example.org"))
        for name in ("ben", "dora")
    }
    for row in tokens.values():
        unsubscribe(two, row.unsubscribe_token)
    suppress(two, read_address("eve@example.org"), reason="never", by="test")
    add(two, "new@example.org", "adapters")  # perhaps under a number that was erased
    assert manual.complete_left(two) == 1
    found, rows = the_edition(two), states(two)
    assert "new" not in rows
    assert (rows["ben"], rows["dora"]) == ("suppressed left", "suppressed left")
    assert rows["fay"] == "ready"
    assert found.options["equation"] == "5 readers − 4 refused earlier = 1 mail"
    assert (found.planned, send(two)) == (5, 1)
    assert two.db.read(lambda s: editions.details(s, found.id))["state"] == "done"
    (act,) = [a for a in two.db.read(list_audit) if a.what == "send manual"]
    assert (act.after["mails"], act.after["confirmed"]) == (1, 6)


def test_a_copy_that_is_told_so_while_it_plans_lets_nothing_go(six, monkeypatch):
    """Drops what presses asked for, whoever plans by them just then."""
    one, two = six
    write, parts = one.db.write, iter(range(100))

    def dropping(unit: Callable[[Any], Any], priority: Any) -> Any:
        if "plan_part" in unit.__code__.co_names and next(parts) == 2:
            two.db.write(drop_intents)
        return write(unit, priority)

    with monkeypatch.context() as patched:
        patched.setattr(one.db, "write", dropping)
        with pytest.raises(manual.ManualError, match="is a copy, or was restored"):
            manual.start(one, manual.draft(one, **LETTER, key="k"), expected=6, at_once=True)
    found = the_edition(two)
    assert (found.planned, len(states(two)), send(two)) == (None, 4, 0)
    assert manual.complete_left(two) == 0
    assert editions.cancel(two, found.id, "mia") == 4


def test_the_first_few_are_those_who_were_chosen(alone, monkeypatch):
    rt = alone
    rt.db.write(lambda s: set_setting(s, "canary", "3"))
    plan = replace(manual.draft(rt, **LETTER, key="k"), canary=True)
    broken_off(rt, plan, 1, monkeypatch, at_once=True)
    assert manual.complete_left(rt) == 1
    assert send(rt) == 3
    shown = rt.db.read(lambda s: progress.watch(s, the_edition(rt).id, now=rt.clock()))
    assert (shown["first"]["mails"], shown["first"]["rest"]) == (3, 3)


def test_cancelled_paused_and_late_ones(alone, monkeypatch):
    rt, clock = alone, alone.clock
    for key in ("cancelled", "paused", "late", "ahead"):
        plan = manual.draft(rt, **LETTER, key=key)
        if key == "ahead":
            plan = replace(plan, at=clock.at + timedelta(hours=3))
        broken_off(rt, plan, 1, monkeypatch)
        number = the_edition(rt).id
        if key == "late":
            clock.go(minutes=61)
        if key == "paused":
            editions.pause(rt, number, "mia")
        if key == "cancelled":
            assert editions.cancel(rt, number, "mia") == 2
            assert INTENT not in the_edition(rt).options
        assert manual.complete_left(rt) == (key in ("paused", "ahead"))
        found = the_edition(rt)
        if key == "paused":
            clock.go(minutes=3)
            assert (found.planned, found.paused, send(rt)) == (6, True, 0)
            editions.resume(rt, number, "mia")
            assert send(rt) == 6
        if key == "ahead":
            assert (found.planned, found.not_before) == (6, plan.at)
        if key == "late":
            shown = rt.db.read(lambda s, n=number: progress.watch(s, n, now=clock.at))
            assert "resume it, or cancel it" in shown["uneven"]
            editions.resume(rt, number, "mia")
            assert manual.complete_left(rt) == 1
            assert the_edition(rt).planned == 6
            assert send(rt) == 0, "there is time to take it back"
            clock.go(minutes=3)
            assert send(rt) == 6


def test_one_that_fails_stops_no_other(alone, monkeypatch):
    rt = alone
    for key in ("bad", "good"):
        broken_off(rt, manual.draft(rt, **LETTER, key=key), 1, monkeypatch, at_once=True)
    bad = rt.db.read(lambda s: get_edition(s, kind="newsletter", slot="bad"))
    real = frozen._release

    def fails(rt: Runtime, session: Any, plan: manual.Plan, *rest: Any, **more: Any) -> Any:
        return 1 / 0 if plan.key == "bad" else real(rt, session, plan, *rest, **more)

    logged: list[dict[str, Any]] = []
    with monkeypatch.context() as patched:
        patched.setattr(frozen, "_release", fails)
        patched.setattr(rt, "log", lambda event, **facts: logged.append({"event": event, **facts}))
        assert manual.complete_left(rt) == 1
        assert manual.complete_left(rt) == 0, "it is tried again"
    (line,) = [one for one in logged if one["event"] == "planning_broke_off"]
    assert line["why"] == "an unforeseen fault, ZeroDivisionError"
    (half,) = rt.db.read(list_half_planned)
    told = [
        rt.db.write(lambda s, one=one: note_fault(s, one, 999, KeyError()))
        for one in (replace(half, planner=998), half)
    ]
    assert told == ["", "an unforeseen fault, KeyError"], "also where it was not taken over yet"
    assert rt.db.read(lambda s: get_edition(s, id=bad.id)).planned is None
    assert manual.complete_left(rt) == 1, "its own process plans it no more"
    assert send(rt) == 12


def test_one_that_is_refused_rests_and_says_why_until_a_person_resumes_it(alone, monkeypatch):
    rt, clock = alone, alone.clock
    ingest_items(rt, rt.data_dir, [paper_item(1, "Adapters that forget less")])
    plan = manual.draft(rt, papers=["arxiv/2611.00001"], key="k")
    broken_off(rt, plan, 1, monkeypatch, at_once=True)
    number = the_edition(rt).id
    hide_paper(rt, plan.papers[0], "withdrawn", by="mia")
    again = []
    with monkeypatch.context() as patched:
        real = frozen.count_again
        patched.setattr(frozen, "count_again", lambda *a: again.append(1) or real(*a))
        assert [manual.complete_left(rt) for _ in range(3)] == [0, 0, 0]
    assert len(again) == 1
    settle_editions(rt)
    (alarm,) = rt.db.read(alarms_store.list_open)
    shown = rt.db.read(lambda s: progress.watch(s, number, now=clock.at))
    for words in (alarm.what, shown["uneven"]):
        assert "resume it, or cancel it. What stood in its way: None of the chosen" in words
    show_again(rt, plan.papers[0], by="mia")
    editions.resume(rt, number, "mia")
    assert (manual.complete_left(rt), send(rt)) == (1, 5), "four, and the mail of the alarm"
    assert sorted(states(rt).values()) == ["accepted"] * 4 + ["skipped hidden"] * 2
    settle_editions(rt)
    assert rt.db.read(alarms_store.list_open) == []


def test_todays_digest_goes_on_and_can_be_taken_back(alone, monkeypatch):
    rt, clock = alone, alone.clock
    ingest_items(rt, rt.data_dir, [paper_item(1, "Adapters that forget less")])
    plan = manual.draft(rt, kind="daily", key="d", body="Read this first.", created_by="mia")
    broken_off(rt, plan, 2, monkeypatch)
    clock.go(minutes=1)
    assert manual.complete_left(rt) == 1
    draft = rt.db.read(lambda s: get_edition(s, kind=DRAFT, slot="d"))
    assert INTENT not in draft.options
    (act,) = [a for a in rt.db.read(list_audit) if a.what == "send daily"]
    assert (act.who, act.after["mails"]) == ("mia", 6)
    assert send(rt) == 0
    assert manual.complete_left(rt) == 0
    assert manual.undo(rt, the_edition(rt).id, "d", by="mia") == 6
    assert plan_due(rt).planned == 0, "as if it had never been pressed"
    again = manual.start(rt, plan, expected=6, at_once=True)
    assert (again.is_new, send(rt)) == (True, 6)


def test_alerts_go_on_for_those_who_have_none_yet(alone, monkeypatch):
    rt, clock, real = alone, alone.clock, today.plan_alerts
    for name in ("gus", "hal", "ida"):
        add(rt, f"{name}@example.org", "adapters", cadence="instant")
    clock.go(minutes=5)
    ingest_items(rt, rt.data_dir, [paper_item(1, "Adapters that forget less")])
    plan = manual.draft(rt, kind="alert", segment="cadence:instant", key="a", created_by="mia")

    def killed(rt: Runtime, *, email_key: str, **more: Any) -> Any:
        if email_key.startswith("hal"):
            raise KeyboardInterrupt
        return real(rt, email_key=email_key, **more)

    with monkeypatch.context() as patched:
        patched.setattr(today, "plan_alerts", killed)
        with pytest.raises(KeyboardInterrupt):
            manual.start(rt, plan, expected=3)
    clock.go(minutes=20)
    ingest_items(rt, rt.data_dir, [paper_item(2, "Adapters that forget more")])
    with monkeypatch.context() as patched:  # all is planned, and the record of it breaks off
        patched.setattr(today, "_note_act", lambda *_: 1 / 0)
        assert manual.complete_left(rt) == 0
    assert manual.complete_left(rt) == 1
    assert (manual.complete_left(rt), send(rt), send(rt)) == (0, 3, 0), "gus has one"
    (act,) = [act for act in rt.db.read(list_audit) if act.what == "send alert"]
    assert (act.who, manual.start(rt, plan, expected=3).is_new) == ("mia", False)


@pytest.mark.parametrize(
    ("how", "went"),
    [({"at": 3}, [6, 0]), ({"canary": True}, [3, 0]), ({"own_hour": True}, [0, 6])],
    ids=["instant", "first few", "own hour"],
)
def test_who_was_planned_before_a_break_goes_and_expires_as_those_after_it(
    alone, monkeypatch, how, went
):
    rt, clock = alone, alone.clock
    rt.db.write(lambda s: set_setting(s, "canary", "3"))
    plan = manual.draft(rt, **LETTER, key="k")
    if "at" in how:
        how = {"at": clock.at + timedelta(hours=how["at"])}
    broken_off(rt, replace(plan, **how), 1, monkeypatch)
    clock.go(hours=50)
    assert sweep(rt) == 0, "nothing of it could go"
    editions.resume(rt, the_edition(rt).id, "mia")
    assert manual.complete_left(rt) == 1
    assert send(rt) == 0, "there is time to take it back"
    sent = []
    for hours in (1, 22 if "own_hour" in how else 18):
        clock.go(hours=hours)
        assert sweep(rt) == 0
        sent.append(send(rt))
    assert sent == went
    rows = rt.db.read(lambda s: list_deliveries(s, edition_id=the_edition(rt).id))
    assert len({row.deadline_at for row in rows}) == 1


def test_todays_digest_is_that_of_the_day_on_which_it_was_pressed(alone, monkeypatch):
    rt, clock = alone, alone.clock
    ingest_items(rt, rt.data_dir, [paper_item(1, "Adapters that forget less")])
    clock.go(hours=14, minutes=50)  # ten minutes before midnight
    broken_off(rt, manual.draft(rt, kind="daily", key="d"), 2, monkeypatch)
    clock.go(minutes=20)
    assert manual.complete_left(rt) == 1
    assert [e.slot for e in rt.db.read(list_editions)] == ["2026-11-18"]
    assert (list(states(rt).values()), send(rt)) == (["ready"] * 6, 6)


def test_a_press_of_yesterday_says_nothing_of_todays_number(alone, monkeypatch):
    rt, clock = alone, alone.clock
    ingest_items(rt, rt.data_dir, [paper_item(1, "Adapters that forget less")])
    plan = manual.draft(rt, kind="daily", key="d")
    broken_off(rt, plan, 0, monkeypatch)
    clock.go(hours=26)
    assert (manual.complete_left(rt), manual.complete_left(rt)) == (0, 0)
    (alarm,) = rt.db.read(alarms_store.list_open)
    assert (alarm.kind, alarm.count) == ("unplanned", 1)
    assert "on 18 November 09:00, broke off while it was planned: nothing ran" in alarm.what
    assert "6 mails were confirmed" in alarm.place
    add(rt, "new@example.org", "adapters")
    with pytest.raises(manual.CountError, match="7 mails"):
        manual.start(rt, plan, expected=6)
    begun = manual.start(rt, plan, expected=7)
    assert (begun.mails, begun.until) == (7, clock.at + timedelta(minutes=2))
