"""Weeks of some readers over the real flows, held against what stood on their walls: one row for
each date that was owed, none on other days, every paper once. More: ``make sweep ARGS="clock
lives"``."""

from pathlib import Path

import pytest
from support.clock_life import STARTS, Life, one_life
from support.smtp_server import SmtpServer

from service.subscribers import cadence


@pytest.mark.parametrize("seed", [4, 8])
@pytest.mark.slow
def test_weeks_of_some_readers(tmp_path: Path, seed: int) -> None:
    told, faults = one_life(seed, tmp_path, readers=3, days=3, after=8)
    assert faults == []
    assert told["dates"] > 10
    assert told["moves"]
    assert told["left and back"]


@pytest.mark.slow
def test_a_planner_that_is_wrong_is_found_out(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A clock that forgets Sundays, and readers who are told so."""
    real = cadence.exists
    monkeypatch.setattr(cadence, "exists", lambda on, zone: on.weekday() != 6 and real(on, zone))
    with SmtpServer() as server:
        life = Life(0, tmp_path, server, STARTS[0])
        life.open()
        life.move_in(8)
        life.live(4, wild=False)
        life.close()
    assert any("has no row of 2026-03-29" in fault for fault in life.faults)
