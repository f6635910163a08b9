"""The balance of editions: so far, done, incomplete, and what everybody is told."""

import asyncio
from datetime import UTC, datetime, timedelta

import pytest
import sqlalchemy as sa
from support.house import add, ingest_items, mark, paper_item, plan_one, rows, take
from support.smtp_server import drop

from service.delivery.states import (
    ARROWS,
    EDITION_ARROWS,
    FINAL,
    OPEN,
    EditionState,
    State,
    can,
    edition_can,
    leaving,
)
from service.flows import manual
from service.flows.daily import plan_daily
from service.flows.edition_lists import list_page, read_wanted
from service.flows.editions import details
from service.flows.send import send_ready
from service.flows.settle import (
    Balance,
    balance_of,
    list_uneven,
    next_state,
    settle_editions,
    uneven,
)
from service.store import alarms as alarms_store
from service.store import editions as editions_store
from service.store.leases import release
from service.store.tables import EditionRow

NOW = datetime(2026, 11, 18, 9, 0, tzinfo=UTC)


def edition(kind="digest", planned=None, state="open", closes=None):
    return EditionRow(
        id=1, kind=kind, slot="x", state=state, planned=planned,
        opened_at=NOW - timedelta(hours=1), closes_at=closes,
    )  # fmt: skip


@pytest.mark.parametrize(
    ("row", "states", "state"),
    [
        (edition(closes=NOW + timedelta(hours=1)), {"accepted": 2}, "open"),
        (edition(closes=NOW), {"accepted": 2, "presumed": 1}, "done"),
        (edition(closes=NOW), {"accepted": 2, "deferred": 1}, "closing"),
        (edition(closes=NOW), {"accepted": 2, "unknown": 1}, "closing"),  # settles by itself
        (edition(closes=NOW), {}, "done"),
        (edition("newsletter", 3), {"accepted": 2, "unknown": 1}, "incomplete"),
        (edition("newsletter", 3), {"accepted": 2, "ready": 1}, "open"),
        (edition("newsletter", None), {"planned": 2}, "open"),
        (edition("manual", 3), {"accepted": 2}, "incomplete"),  # a row is gone
        (edition("manual", 2), {"accepted": 2, "failed": 1}, "incomplete"),  # one too many
        (edition("newsletter", 3, "incomplete"), {"accepted": 2, "ready": 1}, "open"),
        (edition("newsletter", 3, "incomplete"), {"accepted": 3}, "done"),
        (edition("notice", 1), {"unknown": 1}, "open"),
        (edition("manual", 2), dict.fromkeys(("suppressed", "expired"), 1), "done"),
        (edition("manual", 3), dict.fromkeys(("cancelled", "skipped", "failed"), 1), "done"),
    ],
)
def test_what_an_edition_becomes(row, states, state):
    counted = balance_of(row, states)
    assert next_state(row, counted, NOW) == state
    assert state == row.state or edition_can(EditionState(row.state), EditionState(state))


@pytest.mark.parametrize(
    ("planned", "states", "words"),
    [
        (2, {"accepted": 2}, ""),
        (3, {"accepted": 2}, "1 of 3 have no row"),
        (1, {"accepted": 2}, "1 more rows than the 1 planned"),
        (3, {"accepted": 1, "unknown": 2}, "2 held and not settled"),
        (3, {"accepted": 1, "unknown": 1, "ready": 1}, "1 held and not settled, 1 under way"),
    ],
)
def test_what_is_missing_in_words(planned, states, words):
    assert Balance(planned=planned, states=states).words == words


def test_only_what_is_over_and_does_not_balance_is_told_of():
    def told(row, states):
        return uneven(row, balance_of(row, states), NOW)

    assert told(edition(closes=NOW), {"unknown": 1}) == ""
    assert told(edition("manual", 3), {"accepted": 2, "ready": 1}) == ""
    assert "1 held and not settled" in told(edition("newsletter", 1, "incomplete"), {"unknown": 1})
    assert "no row" in told(edition("manual", 3, "done"), {"accepted": 2})
    assert "not planned to its end" in told(edition("manual"), {"planned": 2})
    young = edition("manual")
    young.opened_at = NOW - timedelta(minutes=1)
    assert told(young, {"planned": 2}) == ""


def test_every_arrow_leads_to_an_end():
    for state in State:
        reached, edge = {state}, {state}
        while edge := {new for old in edge for new in ARROWS[old]} - reached:
            reached |= edge
        assert reached & FINAL, state
    assert all(can(old, State.CANCELLED) for old in OPEN)
    assert set(ARROWS) == set(State)
    assert set(EDITION_ARROWS) == set(EditionState)
    with pytest.raises(ValueError, match="no arrow leads from accepted to ready"):
        leaving(State.READY, State.ACCEPTED)


def listed(session, rt):
    return list_page(session, read_wanted(), dead=(), now=rt.clock())


def test_a_rolling_edition_counts_so_far_until_it_is_over(rt, tmp_path):
    plan_one(rt, tmp_path)
    (seen,) = rt.db.read(lambda s: listed(s, rt))
    assert (seen["planned"], seen["so_far"], seen["missing"], seen["uneven"]) == (1, True, 1, "")
    asyncio.run(send_ready(rt))
    add(rt, "bo@example.org", "adapters")
    plan_daily(rt)
    asyncio.run(send_ready(rt))
    rt.clock.go(days=2)
    assert settle_editions(rt) == 1
    (seen,) = rt.db.read(lambda s: listed(s, rt))
    assert (seen["state"], seen["planned"], seen["so_far"]) == ("done", 2, False)


@pytest.mark.slow
def test_a_late_reader_opens_a_rolling_edition_again(rt, tmp_path):
    on = rt.clock().date()
    plan_one(rt, tmp_path)
    asyncio.run(send_ready(rt))
    rt.clock.go(days=2)
    settle_editions(rt)
    add(rt, "bo@example.org", "adapters")
    plan_daily(rt, on)
    (seen,) = rt.db.read(lambda s: listed(s, rt))
    assert (seen["state"], seen["planned"], seen["so_far"]) == ("open", 2, True)


@pytest.mark.slow
def test_a_row_that_is_gone_is_told_everywhere_until_it_is_mended(rt, tmp_path):
    plan_one(rt, tmp_path)
    add(rt, "bo@example.org", "adapters")
    plan_daily(rt)
    asyncio.run(send_ready(rt))
    rt.clock.go(days=2)
    settle_editions(rt)
    (kept,) = [r for r in rows(rt) if r.rcpt == "bo@example.org"]
    gone = kept.model_dump()
    for table in ("attempt", "sent_paper"):
        rt.db.write(lambda s, t=table: s.execute(
            sa.text(f"DELETE FROM {t} WHERE delivery_id = :id"), {"id": kept.id}))  # fmt: skip
    rt.db.write(
        lambda s: s.execute(sa.text("DELETE FROM delivery WHERE id = :id"), {"id": kept.id})
    )
    rt.db.write(lambda s: editions_store.set_edition(s, kept.edition_id, state="incomplete"))
    settle_editions(rt)
    words = "It does not balance: 1 of 2 have no row."
    (alarm,) = rt.db.read(alarms_store.list_open)
    assert alarm.what == f"Edition {kept.edition_id}: it does not balance: 1 of 2 have no row."
    assert rt.db.read(lambda s: listed(s, rt))[0]["uneven"] == words
    assert rt.db.read(lambda s: details(s, kept.edition_id))["uneven"] == words
    assert rt.db.read(lambda s: list_uneven(s, rt.clock())) == {kept.edition_id: words}
    assert gone["state"] == "accepted"
    rt.db.write(lambda s: editions_store.set_edition(s, kept.edition_id, planned=1))
    settle_editions(rt)
    assert rt.db.read(alarms_store.list_open) == []


@pytest.mark.slow
def test_a_digest_in_doubt_raises_no_alarm_and_comes_to_its_end(rt, tmp_path, server):
    ingest_items(rt, tmp_path, [paper_item(1, "Adapters")])
    add(rt, "ada@example.org", "adapters")
    server.on("DOT", drop(record=True), times=1)
    plan_daily(rt)
    assert asyncio.run(send_ready(rt)).held == 1
    rt.clock.go(hours=60)
    rt.db.write(lambda s: s.execute(sa.text("UPDATE delivery SET marked_at = :at"),
                                    {"at": rt.clock()}))  # fmt: skip
    settle_editions(rt)
    assert rt.db.read(alarms_store.list_open) == []
    rt.clock.go(minutes=31)
    asyncio.run(send_ready(rt))
    assert rows(rt)[0].state == "presumed"
    assert editions_of(rt) == ["done"]


def test_the_alarm_of_a_held_newsletter_says_how_to_decide(rt, server):
    add(rt, "ada@example.org", "adapters")
    server.on("DOT", drop(record=True), times=1)
    letter = {"kind": "newsletter", "subject": "News of the day", "body": "Open."}
    made = manual.start(rt, manual.draft(rt, key="n", **letter), expected=1, at_once=True)
    assert asyncio.run(send_ready(rt)).held == 1
    settle_editions(rt)
    (alarm,) = rt.db.read(alarms_store.list_open)
    assert f"paperpost deliveries resolve-held --edition {made.edition_id} --as" in alarm.next_step


def editions_of(rt):
    return [e.state for e in rt.db.read(editions_store.list_editions)]


def test_a_late_answer_ends_the_doubt_under_its_fence(rt, tmp_path):
    from service.store.leases import mark_outcome

    plan_one(rt, tmp_path)
    owner = rt.owner().id
    taken = take(rt, owner)
    assert mark(rt, taken, owner)
    rt.db.write(lambda s: release(s, [owner]))
    assert rt.db.write(
        lambda s: mark_outcome(s, taken, State.DEFERRED, rt.clock(), not_before=rt.clock())
    )
    assert rows(rt)[0].state == "deferred"
