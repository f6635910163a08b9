"""What is logged: one event a line, in the form asked for, and nobody's address or link in it."""

import json
import logging
import stat
import sys
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from urllib.parse import quote

import pytest
import structlog
from sqlalchemy import text
from sqlalchemy.exc import OperationalError

from service import log
from service.cli.opening import house
from service.defaults import FIXED
from service.reports.read import read_report
from service.settings import load_settings
from service.store.db import Database

ADDRESS = "ada.silva@uni.example"
LINKS = [f"/{page}/k3Zx_99-abcDEF.x" for page in ("u", "manage", "confirm", "never", "admin/link")]


@pytest.fixture(autouse=True)
def as_it_was() -> Iterator[None]:
    root, level = logging.getLogger(), logging.getLogger().level
    before = list(root.handlers)
    yield
    root.handlers[:] = before
    root.setLevel(level)
    structlog.reset_defaults()


def _speak() -> None:
    """An event of ours, a library's warning, and a fault with its traceback."""
    log.log("daily", planned=3, note=f"to {ADDRESS}\nsecond", link=LINKS[0])
    outside = logging.getLogger("some.library")
    in_address = f"/admin/find?email={quote(ADDRESS)}"
    outside.warning("refused %s at %s %s", ADDRESS, in_address, " ".join(LINKS))
    outside.info("too small to tell")
    try:
        raise ValueError(f"{ADDRESS} opened http://127.0.0.1:8000{LINKS[1]}")
    except ValueError:
        outside.exception("it broke for %s", ADDRESS)


def test_a_library_that_stumbles_over_a_mail_writes_nothing(
    capsys: pytest.CaptureFixture[str],
) -> None:
    log.set_up("text")
    read = read_report(b"Return-Path: <>\nFrom: x\n\nYour mail could not be delivered.")
    logging.getLogger("flufl.bounce").error("a traceback a mail")
    assert read.reports
    assert capsys.readouterr().err == ""


def test_json_lines_hold_everything_and_nobody(capsys: pytest.CaptureFixture[str]) -> None:
    log.set_up("json")
    _speak()
    said = capsys.readouterr()
    events = [json.loads(line) for line in said.err.splitlines()]
    assert [event["level"] for event in events] == ["info", "warning", "error"]
    assert all({"event", "timestamp"} <= set(event) for event in events)
    assert events[0]["planned"] == 3
    assert "Traceback" in events[2]["exception"]
    assert said.out == ""
    for private in ("ada.silva", "k3Zx_99"):
        assert private not in said.err


def test_text_lines_too_and_a_command_says_only_warnings(
    capsys: pytest.CaptureFixture[str],
) -> None:
    log.set_up("text", quiet=True)
    log.set_up("text", quiet=True)  # twice is once
    _speak()
    said = capsys.readouterr().err
    assert "daily" not in said
    assert said.count("refused") == 1
    assert "Traceback" in said
    assert "\n    raise ValueError" in said  # a traceback can be read
    for private in ("ada.silva", "k3Zx_99"):
        assert private not in said


def test_what_a_database_refuses_is_told_without_the_values(tmp_path: Path) -> None:
    db = Database(f"sqlite:///{tmp_path / 'values.db'}")
    with db.reading() as session, pytest.raises(OperationalError) as caught:
        session.execute(text("SELECT * FROM nowhere WHERE email = :e"), {"e": ADDRESS})
    db.close()
    assert "nowhere" in str(caught.value)
    assert ADDRESS not in str(caught.value)


def test_lines_go_to_what_standard_error_is_then(capsys: pytest.CaptureFixture[str]) -> None:
    log.set_up("json")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sys, "stderr", sys.stdout)
        logging.getLogger("x").warning("here")
    assert "here" in capsys.readouterr().out


def test_lines_are_kept_a_file_a_day_for_their_time(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = tmp_path / "var" / "logs"
    folder.mkdir(parents=True)
    today = datetime.now(UTC).date()
    old, within = (folder / f"paperpost-{today - timedelta(days=n)}.log" for n in (15, 14))
    for file in (old, within, folder / "notes.log"):
        file.write_text("{}\n")
    log.set_up("text", kept=log.KeptLines(folder, FIXED.keep_log_days))
    _speak()
    log.set_up("text", kept=log.KeptLines(folder, FIXED.keep_log_days))  # another process, or day
    log.log("once more")
    assert "Traceback" in capsys.readouterr().err  # standard error has them too
    names = {file.name for file in folder.iterdir()}
    (made,) = names - {within.name, "notes.log"}
    assert old.name not in names
    text = (folder / made).read_text()
    events = [json.loads(line) for line in text.splitlines()]
    assert [event["event"] for event in events][0::3] == ["daily", "once more"]
    assert len(events) == 4
    for private in ("ada.silva", "k3Zx_99"):
        assert private not in text
    assert stat.S_IMODE((folder / made).stat().st_mode) == 0o600


def test_a_folder_that_cannot_be_written_stops_nothing(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "logs").write_text("a file stands there")
    log.set_up("json", kept=log.KeptLines(tmp_path / "logs", 14))
    log.log("daily", planned=3)
    assert json.loads(capsys.readouterr().err)["planned"] == 3


def test_what_serves_keeps_its_lines_and_a_command_does_not(tmp_path: Path) -> None:
    settings = load_settings(None, data_dir=tmp_path / "var")
    with house(settings) as made:
        made.runtime.log("daily", planned=1)
    assert not (tmp_path / "var" / "logs").exists()
    with house(settings, quiet=False) as made:
        made.runtime.log("daily", planned=2)
    (kept,) = (tmp_path / "var" / "logs").iterdir()
    assert json.loads(kept.read_text())["planned"] == 2
    assert stat.S_IMODE((tmp_path / "var" / "logs").stat().st_mode) == 0o700
