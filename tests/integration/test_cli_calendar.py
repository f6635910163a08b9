"""arXiv's calendar: an operator's file in the data folder, a broken one, an unknown year."""

import json
from pathlib import Path

import pytest
from support.polling import Clock
from typer.testing import CliRunner, Result

from service.cli import doctor_checks as checks
from service.cli.program import app
from service.flows.source_acts import change_source
from service.flows.sources import add_source
from service.settings import load_settings
from service.sources.arxiv_days import (
    CalendarError,
    bundled_calendar,
    calendar_in_use,
    use_calendar,
)
from service.wiring import House


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.chdir(tmp_path)
    for name in ("DATA_DIR", "DATABASE_URL", "SMTP_URL", "BASE_URL", "SECRET_KEY", "ENGINE"):
        monkeypatch.delenv(f"PAPERPOST_{name}", raising=False)
    (tmp_path / ".env").write_text("PAPERPOST_DATA_DIR=var\n")
    (tmp_path / "var").mkdir()
    yield tmp_path
    use_calendar(None)


def run(*arguments: str) -> Result:
    return CliRunner().invoke(app, list(arguments))


def test_a_broken_calendar_stops_the_start_and_is_told_in_three_parts(folder: Path) -> None:
    own = folder / "var" / "arxiv_calendar.json"
    own.write_text('{"source": "x", "empty_on": {"2027": ["1 January"]}}')
    row = {r["check"]: r for r in json.loads(run("doctor", "--json").output)}["calendar"]
    assert row["state"] == "fail"
    assert "'1 January' is no date." in row["says"]
    assert "arxiv_calendar.json: empty_on, 2027" in row["says"]
    assert row["next"].endswith("or remove it.")
    result = run("sources", "list")
    assert result.exit_code == 1
    assert isinstance(result.exception, CalendarError)  # the program prints such errors
    own.unlink()
    assert run("sources", "list").exit_code == 0


def test_what_cannot_be_opened_or_is_no_text_says_so(folder: Path) -> None:
    own = folder / "var" / "arxiv_calendar.json"
    own.mkdir()
    rows = {r["check"]: r for r in json.loads(run("doctor", "--json").output)}
    assert "The calendar cannot be opened: " in rows["calendar"]["says"]
    own.rmdir()
    own.write_bytes(b"\xff\xfe")
    rows = {r["check"]: r for r in json.loads(run("doctor", "--json").output)}
    assert rows["calendar"]["says"].startswith("The calendar is no UTF-8.")


def test_in_december_the_doctor_asks_for_the_next_years_holidays(folder: Path) -> None:
    clock = Clock("2026-11-30T12:00:00")
    house = House(load_settings(), clock=clock)
    try:
        assert checks._holidays(house) is None  # nothing is waited for
        add_source(house.runtime, "hf_daily", history_days=0)
        assert checks._holidays(house) is None
        add_source(house.runtime, "arxiv_rss", "cs.CL", history_days=0)
        assert _level(house) == "ok"
        clock.set("2026-12-01T12:00:00")
        found = checks._holidays(house)
        assert found is not None
        assert found.level == "warn"
        assert "2027" in found.says
        assert "arxiv_calendar.json" in found.next_step
        change_source(house.runtime, 2, "pause", by="mia")
        assert checks._holidays(house) is None
    finally:
        house.close()


def _level(house: House) -> str:
    found = checks._holidays(house)
    assert found is not None
    return found.level


def test_an_operators_file_is_gone_by_and_names_the_next_year(folder: Path) -> None:
    years = {"2026": [], "2027": ["2027-01-01"]}
    own = folder / "var" / "arxiv_calendar.json"
    own.write_text(json.dumps({"source": "https://arxiv.example/", "empty_on": years}))
    house = House(load_settings(), clock=Clock("2026-12-24T12:00:00"))
    try:
        add_source(house.runtime, "arxiv_rss", "cs.CL", history_days=0)
        assert _level(house) == "ok"
        assert calendar_in_use().source == "https://arxiv.example/"
    finally:
        house.close()
    own.unlink()
    House(load_settings()).close()
    assert calendar_in_use() == bundled_calendar()
