"""A bar is lifted at the moment at which its reader leaves in another process: they have left."""

import threading
import time

import pytest
from support.house import open_house
from support.reports import NOBODY, bar, mailed, next_day, reader, report

from service.flows.bounces import come_back
from service.flows.leave import leave_row
from service.flows.suppress import unsuppress
from service.reports.model import Kind
from service.store.instance import set_setting
from service.store.subscribers import get_subscriber_row
from service.subscribers.address import read_address

pytestmark = pytest.mark.slow

ADA = "ada@lab.example"
OTHERS = ["bo@lab.example", "eva@lab.example"]


@pytest.fixture
def other(rt, tmp_path, database_url):
    """Another process over the same database, at the same hour."""
    with open_house(tmp_path, database_url=database_url, clock=rt.clock) as house:
        yield house.runtime


def while_leaving(rt, act):
    """``act`` begins after Ada's wish to leave was written, and before it is committed."""
    thread = threading.Thread(target=act)

    def leave(session):
        row = get_subscriber_row(session, email_key=ADA)
        leave_row(rt, session, row)
        session.flush()
        thread.start()
        time.sleep(0.5)  # for the other one to come to where it waits

    rt.db.write(leave)
    thread.join(30)
    assert not thread.is_alive()


@pytest.mark.parametrize("way", ["own press", "staff"])
def test_who_left_is_not_mailed_again_by_a_press(rt, other, tmp_path, way):
    rt.db.write(lambda s: set_setting(s, "soft_score", "1"))
    rt.db.write(lambda s: set_setting(s, "soft_rests", "0"))
    report(rt, mailed(rt, tmp_path, ADA)[ADA], Kind.SOFT)
    assert (reader(rt, ADA).state, bar(rt, ADA)) == ("bounced", "soft")
    number = reader(rt, ADA).id
    acts = {
        "own press": lambda: come_back(other, number),
        "staff": lambda: unsuppress(other, read_address(ADA)),
    }
    while_leaving(rt, acts[way])
    assert reader(rt, ADA).state == "left"


def test_who_left_is_not_mailed_again_when_the_domain_is_not_believed(rt, other, tmp_path):
    mailed(rt, tmp_path, ADA, *OTHERS)
    made = next_day(rt, tmp_path)
    for one in (ADA, OTHERS[0]):
        assert report(rt, made[one], Kind.HARD, **NOBODY).said == ("suppressed",)
    while_leaving(rt, lambda: report(other, made[OTHERS[1]], Kind.HARD, **NOBODY))
    assert reader(rt, ADA).state == "left"
    assert bar(rt, ADA), "nor barred no more"
    assert [reader(rt, one).state for one in OTHERS] == ["active", "active"]
