"""An edition says who began it: the clock, the command, or a person of the staff."""

import pytest
from support.house import add, ingest_items, open_house, paper_item

from service.flows.alerts import plan_alerts
from service.flows.daily import plan_daily, plan_due
from service.flows.manual import count, draft, start
from service.store.editions import list_editions


@pytest.fixture
def rt(tmp_path):
    with open_house(tmp_path) as house:
        rt = house.runtime
        add(rt, "ada@example.org", "adapters", hour="10")
        add(rt, "ben@example.org", "adapters", cadence="instant")
        ingest_items(rt, tmp_path, [paper_item(1, "Adapters that forget less")])
        yield rt


def began(rt):
    return {e.kind: e.created_by for e in rt.db.read(lambda s: list_editions(s))}


def test_the_command(rt):
    plan_alerts(rt, forced=True, created_by="cli")  # first: the daily takes what waits for one
    plan_daily(rt)
    assert began(rt) == {"digest": "cli", "alert": "cli"}
    rt.clock.go(hours=1)
    plan_due(rt)  # the clock fills what a person began
    assert began(rt)["digest"] == "cli"


def test_the_clock(rt):
    rt.clock.go(hours=1)
    plan_due(rt)
    plan_alerts(rt)
    assert began(rt) == {"digest": "clock", "alert": "clock"}


@pytest.mark.parametrize("kind", ["daily", "alert"])
def test_a_person_of_the_staff(rt, kind):
    plan = draft(rt, kind=kind, created_by="mina")
    start(rt, plan, expected=count(rt, plan).mails)
    assert set(began(rt).values()) == {"mina"}
