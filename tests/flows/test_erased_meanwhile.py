"""A report is being written down while its reader is erased in another process."""

import threading
import time

import pytest
from support.house import open_house
from support.reports import FULL, mailed, report, whole

from service.flows import inbound
from service.flows.leave import erase
from service.reports.model import Kind

pytestmark = pytest.mark.slow

ADA = "ada@lab.example"


@pytest.fixture
def other(rt, tmp_path, database_url):
    """Another process over the same database, at the same hour."""
    with open_house(tmp_path, database_url=database_url, clock=rt.clock) as house:
        yield house.runtime


def test_of_who_is_erased_meanwhile_nothing_stays(rt, other, tmp_path, monkeypatch):
    row = mailed(rt, tmp_path, ADA)[ADA]
    erased = []
    threads = [
        threading.Thread(target=lambda at=at: erased.append(erase(at, ADA))) for at in (other, rt)
    ]
    real = inbound.follow

    def slowly(*facts):
        said = real(*facts)
        for thread in threads:
            thread.start()
        time.sleep(0.5)  # for the others to come to where they wait
        return said

    monkeypatch.setattr(inbound, "follow", slowly)
    taken = report(rt, row, Kind.SOFT, data=f"Subject: x\n\nto {ADA}\n".encode(), **FULL)
    for thread in threads:
        thread.join(30)
    assert len(erased) == 2
    assert any(erased)
    mail = whole(rt, taken)
    assert (mail["raw"], mail["subject"]) == (None, "")
    (kept,) = mail["reports"]
    assert (kept["recipient"], kept["words"]) == ("", "")
