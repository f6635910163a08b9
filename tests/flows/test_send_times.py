"""Sends by hand that begin later: at an instant on the house's wall, or at each reader's hour; who
came later; the report by mail; and that a key is one edition in several processes."""

import asyncio
import threading
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from email import message_from_bytes
from email.policy import default
from typing import Any

import pytest
from support.house import add, ingest_items, paper_item
from support.meanwhile import at_once

from service.flows import canary, drafts, editions, late, manual, move_send, progress, staff
from service.flows.checks import check_links
from service.flows.desk_overview import read_overview
from service.flows.leave import unsubscribe
from service.flows.links import ask_links, is_ours
from service.flows.manage import Choices, choose
from service.flows.manage_link import manage_token
from service.flows.runtime import Runtime
from service.flows.send import send_ready
from service.flows.settle import settle_editions
from service.flows.sweep import sweep
from service.flows.timing import TimingError, own_hours, read_begin
from service.store.deliveries import list_deliveries
from service.store.editions import list_editions
from service.store.queue_rows import oldest_waiting
from service.store.staff import get_admin, list_audit
from service.store.subscribers import get_subscriber_row
from service.store.tables import SubscriberRow

LETTER = {"kind": "newsletter", "subject": "News of the library", "body": "We open on Sunday."}


@pytest.fixture
def filled(rt: Runtime) -> Runtime:
    add(rt, "ada@example.org", "adapters", tz="Europe/Zurich", hour="8")
    add(rt, "ben@example.org", "adapters", tz="America/New_York", hour="8")
    add(rt, "cy@example.org", "adapters", hour="12")
    return rt


def send(rt: Runtime) -> int:
    return asyncio.run(send_ready(rt)).accepted


def reader(zone: str, hour: int) -> SubscriberRow:
    return SubscriberRow(id=1, zone=zone, hour=hour)


@pytest.mark.parametrize(
    ("text", "zone", "utc"),
    [
        ("2026-11-23 14:00", "Europe/Zurich", "2026-11-23T13:00"),
        ("2026-11-23T14:00", "UTC", "2026-11-23T14:00"),
        ("2026-11-23T14:00+09:00", "Europe/Zurich", "2026-11-23T05:00"),
        # comes twice: the first time
        ("2026-10-25 02:30", "Europe/Zurich", "2026-10-25T00:30"),
    ],
)
def test_an_instant_is_read_on_the_houses_wall(text: str, zone: str, utc: str) -> None:
    now = datetime(2026, 10, 24, tzinfo=UTC)
    assert read_begin(text, zone, now, 40) == datetime.fromisoformat(f"{utc}+00:00")


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("soon", "no date and time"),
        ("2026-03-29", "has no hour"),
        ("2026-03-29 02:30", "does not exist"),
        ("2026-03-28 00:59", "is over"),
        ("2026-05-29 02:30", "more than 30 days ahead"),
    ],
)
def test_what_is_no_time_to_begin_says_why(text: str, says: str) -> None:
    with pytest.raises(TimingError, match=says) as caught:
        read_begin(text, "Europe/Zurich", datetime(2026, 3, 28, tzinfo=UTC), 30)
    assert caught.value.where == "at"
    assert caught.value.next_step


def test_each_readers_own_hour_is_today_or_tomorrows() -> None:
    after = datetime(2026, 3, 28, 9, 0, tzinfo=UTC)
    for zone, hour, utc in (
        ("Europe/Zurich", 12, "2026-03-28T11:00"),
        ("Europe/Zurich", 8, "2026-03-29T06:00"),  # the clocks went forward
        ("Europe/Zurich", 2, "2026-03-29T01:00"),  # an hour that is skipped: the first after it
        ("Asia/Tokyo", 8, "2026-03-28T23:00"),
    ):
        assert own_hours([reader(zone, hour)], after)[1] == datetime.fromisoformat(
            f"{utc}+00:00"
        ), (zone, hour)


def test_a_send_for_later_waits_stops_for_who_leaves_and_goes_once_after_an_outage(
    filled, server, clock
):
    rt, at = filled, clock.at + timedelta(days=2)
    plan = manual.draft(rt, **LETTER, key="later")
    plan = manual.Plan(**{**_values(plan), "at": at})
    made = manual.start(rt, plan, expected=3)
    assert (made.planned, made.until) == (3, at)
    shown = rt.db.read(lambda s: progress.watch(s, made.edition_id, now=clock.at))
    assert (shown["begins_at"], shown["waiting"], shown["missing"]) == (at.isoformat(), 3, 3)
    assert shown["is_moving"] is False
    assert rt.db.read(lambda s: oldest_waiting(s, clock.at, ())) is None, "it waits for nothing yet"
    assert send(rt) == 0
    row = rt.db.read(lambda s: get_subscriber_row(s, email_key="ben@example.org"))
    unsubscribe(rt, row.unsubscribe_token)
    clock.go(days=2)
    assert _moment(rt, made.edition_id) == (True, True), "the engine is woken, and words say so"
    clock.go(hours=5)  # nothing ran meanwhile
    assert _moment(rt, made.edition_id) == (False, False), "other words say why it stands"
    assert send(rt) == 2
    assert send(rt) == 0
    rows = rt.db.read(lambda s: list_deliveries(s, edition_id=made.edition_id))
    assert {r.recipient_key.split("@")[0]: r.state for r in rows} == {
        "ada": "accepted", "ben": "suppressed", "cy": "accepted",
    }  # fmt: skip
    assert {r.deadline_at - at for r in rows} == {timedelta(hours=20)}, "it counts from then"
    (note,) = [a for a in rt.db.read(list_audit) if a.what == "send newsletter"]
    assert note.after["timing"] == {"at": at.isoformat()}


def _values(plan: manual.Plan) -> dict:
    return {name: getattr(plan, name) for name in plan.__dataclass_fields__}


@pytest.mark.slow
def test_a_clock_that_jumps_sends_what_is_for_later_once(filled, clock):
    rt, begun = filled, clock.at
    for jumps, went, state in (
        ((-26, 2, 3, 4), [0, 0, 3, 0], "accepted"),  # back: it waits for its instant
        ((3, -2, 3, 4), [3, 0, 0, 0], "accepted"),  # ahead of it: it goes, as the clock says, once
        (
            (40, -40, 3, 4),
            [0, 0, 0, 0],
            "expired",
        ),  # beyond its deadline: it is told, not sent late
    ):
        clock.at = begun
        plan = manual.draft(rt, **LETTER, key=f"jumps {jumps}")
        plan = manual.Plan(**{**_values(plan), "at": begun + timedelta(hours=3)})
        made, sent = manual.start(rt, plan, expected=3), []
        for hours in jumps:
            clock.at = begun + timedelta(hours=hours)
            sweep(rt)
            settle_editions(rt)
            sent.append(send(rt))
        shown = rt.db.read(lambda s, made=made: editions.details(s, made.edition_id))
        assert (sent, shown[state], shown["missing"]) == (went, 3, 0)


def test_taken_back_until_it_begins_and_not_after(filled, clock):
    rt = filled
    plan = manual.Plan(
        **{**_values(manual.draft(rt, **LETTER)), "at": clock.at + timedelta(hours=3)}
    )
    made = manual.start(rt, plan, expected=3)
    clock.go(hours=2)
    assert manual.undo(rt, made.edition_id, "", by="ada") == 3
    clock.go(hours=2)
    assert send(rt) == 0
    other = manual.start(rt, manual.draft(rt, **LETTER), expected=3)
    clock.go(minutes=3)
    with pytest.raises(manual.ManualError, match="over"):
        manual.undo(rt, other.edition_id, "", by="ada")


def test_at_each_readers_own_hour(filled, server, clock):
    rt = filled  # it is Wednesday 09:00 UTC
    plan = manual.Plan(**{**_values(manual.draft(rt, **LETTER)), "own_hour": True})
    made = manual.start(rt, plan, expected=3)
    assert send(rt) == 0
    went = []
    for hours in range(1, 25):
        clock.go(hours=1)
        went += [hours] * send(rt)
    # cy at 12:00 UTC, ben at 13:00 UTC, ada tomorrow at 07:00 UTC
    assert went == [3, 4, 22]
    shown = rt.db.read(lambda s: progress.watch(s, made.edition_id, now=clock.at))
    assert (shown["state"], shown["accepted"], shown["missing"]) == ("done", 3, 0)


@pytest.mark.slow
def test_a_reader_who_moves_their_hour_moves_what_waits_for_it(filled, clock):
    """The day stays, as with the daily: at the new hour, or at once where that is over."""
    rt = filled  # ada would have it tomorrow at 07:00 UTC, ben at 13:00 and cy at 12:00
    plan = manual.Plan(**{**_values(manual.draft(rt, **LETTER)), "own_hour": True})
    made = manual.start(rt, plan, expected=3)
    clock.go(hours=1)
    moved = {"ada": Choices(hour=23), "ben": Choices(hour=9, zone="UTC"), "cy": Choices(hour=15)}
    for name, choices in moved.items():
        row = rt.db.read(lambda s, n=name: get_subscriber_row(s, email_key=f"{n}@example.org"))
        choose(rt, manage_token(rt, row, clock.at), choices)
    went = [(1, send(rt))]
    for hours in range(2, 48):
        clock.go(hours=1)
        went.append((hours, send(rt)))
    assert [one for one in went if one[1]] == [(1, 1), (6, 1), (37, 1)]
    shown = rt.db.read(lambda s: progress.watch(s, made.edition_id, now=clock.at))
    assert (shown["state"], shown["accepted"], shown["missing"]) == ("done", 3, 0)
    assert shown["last_at"] == (clock.at.replace(hour=22) - timedelta(days=1)).isoformat()


def _moment(rt: Runtime, edition_id: int) -> tuple[bool, bool]:
    """Whether its page, and the overview, say that it begins within a minute."""
    shown = rt.db.read(lambda s: progress.watch(s, edition_id, now=rt.clock()))
    (row,) = read_overview(rt)["editions"]
    return shown["begins_soon"], row["begins_soon"]


def test_the_overview_says_how_many_wait_for_their_hour(filled, clock):
    rt = filled
    plan = manual.Plan(**{**_values(manual.draft(rt, **LETTER)), "own_hour": True})
    made = manual.start(rt, plan, expected=3)
    noon = clock.at.replace(hour=12).isoformat()  # cy's, the first
    assert (
        rt.db.read(lambda s: editions.details(s, made.edition_id, now=clock.at))["begins_at"]
        == noon
    ), "not the end of the time to take it back"
    clock.go(hours=3, minutes=1)  # cy's has come
    (row,) = read_overview(rt)["editions"]
    last = rt.db.read(lambda s: progress.watch(s, made.edition_id, now=clock.at))["last_at"]
    assert (row["later"], row["last_at"]) == (2, last)
    assert send(rt) == 1
    clock.go(days=2)
    (row,) = read_overview(rt)["editions"]
    assert (row["later"], row["last_at"]) == (0, None)


def _moved(rt: Runtime, number: int, *when: Any, **how: Any) -> move_send.Moved:
    return move_send.move(rt, number, move_send.read_when(rt, *when), by="mia", **how)


def test_a_send_of_which_nothing_has_begun_is_moved(filled, clock):
    rt, begun = filled, clock.at
    plan = replace(manual.draft(rt, **LETTER), at=begun + timedelta(hours=3))
    number = manual.start(rt, plan, expected=3).edition_id
    later = begun + timedelta(days=2)
    with pytest.raises(TimingError, match="is over"):
        _moved(rt, number, "2026-11-17 14:00", False)
    with pytest.raises(TimingError, match="goes at one time"):
        _moved(rt, number, later.isoformat(), True)
    looked = move_send.look(rt, number, move_send.read_when(rt, later.isoformat(), False))
    assert (looked.mails, looked.before, looked.begins) == (3, plan.at, later)
    assert _moved(rt, number, later.isoformat(), False) == looked
    assert _moved(rt, number, later.isoformat(), False).is_new is False, "once"
    with pytest.raises(editions.EditionError, match="was moved since"):
        _moved(rt, number, "", True, was=move_send.mark_of(looked))
    editions.pause(rt, number, "mia")
    clock.go(days=2, hours=1)  # paused over its time: it has not begun
    assert send(rt) == 0
    made = _moved(rt, number, "", True, "2026-11-22")  # a Sunday; it is Friday 10:00 UTC
    assert (made.is_paused, made.begins, made.last) == (
        True, datetime(2026, 11, 22, 7, tzinfo=UTC), datetime(2026, 11, 22, 13, tzinfo=UTC),
    )  # fmt: skip
    assert _moved(rt, number, "", True, "2026-11-22").is_new is False
    editions.resume(rt, number, "mia")
    clock.go(days=2, minutes=1)  # ada's hour was three hours ago
    assert send(rt) == 1
    with pytest.raises(editions.EditionError, match="has begun"):
        _moved(rt, number, "", True)
    rows = rt.db.read(lambda s: list_deliveries(s, edition_id=number))
    assert {r.deadline_at - r.not_before for r in rows} == {timedelta(hours=20)}
    acts = [a for a in rt.db.read(list_audit) if a.what == "move send"]
    assert [(a.before["timing"].get("at"), a.after["mails"]) for a in sorted_by_id(acts)] == [
        (plan.at.isoformat(), 3), (later.isoformat(), 3),
    ]  # fmt: skip


def sorted_by_id(rows: list[Any]) -> list[Any]:
    return sorted(rows, key=lambda row: row.id)


@pytest.mark.slow
def test_moving_meets_its_beginning_a_cancel_and_another_move(houses, clock, monkeypatch):
    """Either all of it is moved or none; what was cancelled stays so; a row for each move."""
    one, two = houses
    for n in range(12):
        add(one, f"r{n}@example.org", "adapters")

    def begun(key: str) -> int:
        plan = replace(manual.draft(one, **LETTER, key=key), at=one.clock() + timedelta(hours=1))
        return manual.start(one, plan, expected=12).edition_id

    first, later = begun("tick"), (one.clock() + timedelta(days=1)).isoformat()
    one.clock.go(hours=1)
    two.clock.at = one.clock.at
    faults = at_once(lambda: send(one), lambda: _moved(two, first, later, False))
    rows = one.db.read(lambda s: list_deliveries(s, edition_id=first))
    assert {r.state for r in rows} == ({"accepted"} if faults else {"ready"})
    other = begun("cancel")
    faults = at_once(
        lambda: editions.cancel(one, other, "ann"),
        lambda: _moved(two, other, later, False),
    )
    assert len(faults) <= 1
    rows = one.db.read(lambda s: list_deliveries(s, edition_id=other))
    assert {r.state for r in rows} == {"cancelled"}
    last, acts = begun("moves"), [a for a in one.db.read(list_audit) if a.what == "move send"]
    assert at_once(*(lambda rt=rt: _moved(rt, last, later, False) for rt in houses * 2)) == []
    was = move_send.mark_of(move_send.look(one, last, move_send.When()))
    faults = at_once(*(
        lambda rt=rt, n=n: _moved(rt, last, f"2026-11-2{n}T09:00Z", False, was=was)
        for n, rt in enumerate(houses, 1)
    ))  # fmt: skip
    assert [type(fault) for fault in faults] == [editions.EditionError]
    made = [a for a in one.db.read(list_audit) if a.what == "move send"]
    assert len(made) - len(acts) == 2


def test_what_cannot_wait_says_so(filled):
    rt, daily = filled, manual.draft(filled, kind="daily")
    with pytest.raises(manual.ManualError, match="sent later"):
        manual.start(rt, manual.Plan(**{**_values(daily), "own_hour": True}), expected=0)
    with pytest.raises(manual.ManualError, match="have a first few"):
        manual.start(rt, manual.Plan(**{**_values(daily), "canary": True}), expected=0)
    both = {**_values(manual.draft(rt, **LETTER)), "own_hour": True, "canary": True}
    with pytest.raises(manual.ManualError, match="no first few"):
        manual.start(rt, manual.Plan(**both), expected=3)


def test_who_came_later_gets_it_once(filled, server, clock):
    rt = filled
    first = manual.start(rt, manual.draft(rt, **LETTER, key="n"), expected=3, at_once=True)
    assert send(rt) == 3
    assert late.late_plan(rt, first.edition_id, "ada").key == f"late:{first.edition_id}:1"
    clock.go(days=1)
    add(rt, "dora@example.org", "adapters")
    shown = rt.db.read(lambda s: progress.watch(s, first.edition_id, now=clock.at))
    assert shown["late"] == 1
    key = late.compose_late(rt, first.edition_id, "cli")
    plan = drafts.need(rt, key)
    assert manual.count(rt, plan).samples == ("dora@example.org",)
    again = manual.start(rt, plan, expected=1, at_once=True)
    assert manual.start(rt, plan, expected=1, at_once=True).edition_id == again.edition_id
    assert send(rt) == 1
    assert server.accepted[-1].recipient == "dora@example.org"
    for number in (first.edition_id, again.edition_id):
        shown = rt.db.read(lambda s, n=number: progress.watch(s, n, now=clock.at))
        assert shown["late"] == 0
    assert shown["again_of"] == first.edition_id
    digest = manual.start(rt, manual.draft(rt, papers=_paper(rt)), expected=4, at_once=True)
    assert send(rt) == 4
    assert rt.db.read(lambda s: progress.watch(s, digest.edition_id, now=clock.at))["late"] == 0


def _paper(rt: Runtime) -> list[str]:
    ingest_items(rt, rt.data_dir, [paper_item(7, "Lattice codes revisited")])
    return ["arxiv/2611.00007"]


def test_a_report_goes_to_whoever_sent_it_else_to_the_contact(filled, server):
    rt = filled
    staff.create_admin(rt, "mia", "sender", by="cli")
    plan = manual.draft(rt, **LETTER, key="r1", created_by="mia")
    made = manual.start(rt, plan, expected=3, at_once=True)
    assert send(rt) == 3
    assert send(rt) == 1
    mail = message_from_bytes(server.accepted[-1].data, policy=default)
    assert server.accepted[-1].recipient == "papers@example.org"
    assert str(mail["Subject"]) == "Sent: 3 of 3, News of the library"
    assert f"/admin/editions/{made.edition_id}" in mail.get_body(("plain",)).get_content()
    assert send(rt) == 0, "once"

    def has_address(session) -> None:
        get_admin(session, name="mia").email = "mia@example.org"

    rt.db.write(has_address)
    manual.start(
        rt, manual.draft(rt, **LETTER, key="r2", created_by="mia"), expected=3, at_once=True
    )
    send(rt), send(rt)
    assert server.accepted[-1].recipient == "mia@example.org"
    manual.start(
        rt, manual.draft(rt, **LETTER, key="r3", created_by="cli"), expected=3, at_once=True
    )
    assert (send(rt), send(rt)) == (3, 0), "the command tells it itself"


@pytest.mark.slow
def test_one_key_is_one_edition_in_two_processes(houses, server):
    """Ten presses in each of two processes, of a newsletter and of a daily."""
    one, two = houses
    for n in range(40):
        add(one, f"r{n}@example.org", "adapters")
    ingest_items(one, one.data_dir, [paper_item(1, "Adapters that forget less")])
    for kind in ("newsletter", "daily"):
        plan = manual.draft(
            one, **(LETTER if kind == "newsletter" else {"kind": "daily"}), key=kind
        )
        expected = manual.count(one, plan).mails
        assert expected == 40
        made: list[manual.Started] = []
        gate = threading.Barrier(20)

        def press(rt: Runtime, plan=plan, made=made, gate=gate, expected=expected) -> None:
            gate.wait(20)
            made.append(manual.start(rt, plan, expected=expected, at_once=True))

        threads = [threading.Thread(target=press, args=((one, two)[n % 2],)) for n in range(20)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(60)
        assert len(made) == 20
        assert len({m.edition_id for m in made}) == 1
        assert sum(m.is_new for m in made) == 1
        begun = [a for a in one.db.read(list_audit) if a.what == f"send {kind}"]
        assert len(begun) == 1
    found = one.db.read(list_editions)
    assert sorted(e.kind for e in found) == ["digest", "newsletter"]
    assert send(one) == 80
    assert len({(m.recipient, m.data) for m in server.accepted}) == 80


def test_a_first_few_that_are_taken_wait_for_a_word_and_pause_nothing(filled, clock):
    rt = filled
    from service.store.instance import set_setting

    rt.db.write(lambda s: set_setting(s, "canary", "1"))
    plan = manual.Plan(**{**_values(manual.draft(rt, **LETTER)), "canary": True})
    made = manual.start(rt, plan, expected=3, at_once=True)
    assert send(rt) == 1
    assert rt.db.read(lambda s: editions.details(s, made.edition_id))["state"] == "open"
    assert canary.judge(rt) == 0
    (row,) = read_overview(rt)["editions"]
    assert (row["asks"], row["is_moving"], row["later"]) == (2, False, 0)
    assert canary.go_on(rt, made.edition_id, by="ada") == 2


def test_links_are_asked_and_one_that_is_broken_stops_no_other(rt, site):
    site.at["/here"] = (200, {}, b"yes")
    links = [f"{site.base}/here", f"{site.base}/gone", "http://127.0.0.1:9/closed"]
    found = asyncio.run(ask_links(rt, links))
    assert [bool(one.fault) for one in found] == [False, True, True]
    assert "404" in found[1].fault
    plan = manual.draft(rt, **{**LETTER, "body": f"[a]({rt.site.base_url}/day) [b]({links[0]})"})
    (check,) = asyncio.run(check_links(rt, plan))
    assert (check.grade, check.why) == ("ok", "1 asked; 1 to this site, not asked")
    assert not is_ours(f"{rt.site.base_url}0/", rt.site.base_url), "another port"


def test_two_who_change_one_draft_keep_both(rt):
    typed = {"kind": "newsletter", "subject": "Ours", "body": "first", "key": "k"}
    key, other = drafts.keep_typed(rt, typed, "ada")
    assert (key, other) == ("k", "")
    seen = drafts.find(rt, "k").kept_at
    rt.clock.go(minutes=1)
    assert drafts.keep_typed(rt, {**typed, "body": "hers"}, "ada", seen_at=seen) == ("k", "")
    mine, other = drafts.keep_typed(rt, {**typed, "body": "his"}, "ben", seen_at=seen)
    assert other == "ada"
    assert mine != "k"
    assert {d.typed["body"] for d in drafts.unsent(rt)} == {"hers", "his"}
    assert all(d.plan is None for d in drafts.unsent(rt)), "nothing to send from it yet"
    with pytest.raises(drafts.DraftError):
        drafts.need(rt, "k")
    there = {"seen_at": seen, "window": "one"}  # one person in two windows
    assert drafts.keep_typed(rt, {**typed, "body": "hers"}, "ada", **there) == ("k", "")
    assert drafts.keep_typed(rt, {**typed, "body": "more of hers"}, "ada", **there) == ("k", "")
    there["window"] = "two"
    mine, other = drafts.keep_typed(rt, {**typed, "body": "an older text of hers"}, "ada", **there)
    assert (other, mine != "k") == ("ada", True)
    plan = manual.draft(rt, **{**LETTER, "key": "k", "created_by": "ada"})
    checked = drafts.keep(rt, plan, {**typed, "body": "an older text of hers"}, **there)
    assert (checked.other, checked.key != "k") == ("ada", True)
    assert drafts.find(rt, "k").typed["body"] == "more of hers"
