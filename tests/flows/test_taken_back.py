"""A daily begun by hand and taken back leaves every slot as it was, with its reason."""

from dataclasses import replace

import pytest
import sqlalchemy as sa
from support.house import add, ingest_items, paper_item, rows

from service.flows import manual
from service.flows.daily import plan_due
from service.flows.freeze import Decided

KEY = "by-hand"


@pytest.fixture
def skipped(rt, tmp_path):
    """Three readers whose slot of this Thursday was skipped, each for a reason of its own."""
    for n, words in enumerate(["adapters", "robots", "towels"]):
        add(rt, f"{n}@example.org", words, cadence="weekly" if n == 0 else "daily")
    two = "UPDATE subscriber SET at_least = 2 WHERE email_key = '1@example.org'"
    rt.db.write(lambda s: s.execute(sa.text(two)))
    items = [paper_item(n, title) for n, title in enumerate(["Adapters", "Robots"], 1)]
    ingest_items(rt, tmp_path, items)
    rt.clock.go(days=1)
    plan_due(rt)
    assert [row.reason for row in rows(rt)] == ["not_your_day", "too_few", "nothing_new"]
    return rt


def press_and_undo(rt):
    """A person's send that reaches the first two, and what it made of the rows."""
    rt.db.write(lambda s: s.execute(sa.text("UPDATE profile SET cadence = 'daily'")))
    rt.db.write(lambda s: s.execute(sa.text("UPDATE subscriber SET at_least = 1")))
    rt.clock.go(minutes=5)
    made = manual.start(rt, manual.draft(rt, kind="daily", key=KEY), expected=2)
    states = [row.state for row in rows(rt)]
    assert manual.undo_daily(rt, made.edition_id, KEY, by="ada") == 3
    return states


def test_undo_gives_every_slot_its_reason_back(skipped):
    before = [(row.state, row.reason, row.content) for row in rows(skipped)]
    for _ in range(2):  # and once more
        assert press_and_undo(skipped) == ["ready", "ready", "skipped"]
        assert [(row.state, row.reason, row.content) for row in rows(skipped)] == before


def test_a_slot_opened_by_an_earlier_version_was_nothing_new(skipped, monkeypatch):
    """It kept nothing of what was before."""
    monkeypatch.setattr(
        "service.flows.compose.Decided", lambda *given: replace(Decided(*given), before=None)
    )
    assert press_and_undo(skipped) == ["ready", "ready", "skipped"]
    assert {(row.reason, row.content) for row in rows(skipped)} == {("nothing_new", None)}
