"""``doctor``, ``settings``, ``migrate``, ``worker``: what they say, and how they end."""

import json
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from support.house import make_due
from support.polling import Clock
from support.smtp_server import SmtpServer, reply
from typer.testing import CliRunner, Result

from service.cli import doctor_checks as checks
from service.cli.program import app
from service.errors import PaperpostError
from service.settings import load_settings
from service.store import sources as sources_store
from service.wiring import House


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    for name in ("DATA_DIR", "DATABASE_URL", "SMTP_URL", "BASE_URL", "SECRET_KEY", "ENGINE"):
        monkeypatch.delenv(f"PAPERPOST_{name}", raising=False)
    return tmp_path


def env(folder: Path, **values: str) -> None:
    lines = [f"PAPERPOST_{name}={value}" for name, value in values.items()]
    (folder / ".env").write_text("\n".join(lines) + "\n")


def run(*arguments: str) -> Result:
    return CliRunner().invoke(app, list(arguments))


def found(result: Result) -> dict[str, dict[str, str]]:
    return {row["check"]: row for row in json.loads(result.output)}


def test_a_fresh_folder_has_nothing_that_fails(folder: Path) -> None:
    env(folder, DATA_DIR="var")
    result = run("doctor", "--json")
    rows = found(result)
    assert result.exit_code == 0, result.output
    assert {row["state"] for row in rows.values()} <= {"ok", "warn"}
    assert (rows["sources"]["state"], rows["staff"]["state"]) == ("warn", "warn")
    assert "sources add" in rows["sources"]["next"]
    assert rows["relay"]["says"] == "the built-in mailbox; nothing leaves this machine"


def test_the_text_has_a_line_a_check_and_last_a_sum(folder: Path) -> None:
    env(folder, DATA_DIR="var")
    result = run("doctor", "--no-settings")
    assert result.exit_code == 0
    assert result.output.startswith("ok    settings ")
    assert "warn  sources" in result.output
    assert "-> paperpost setup" in result.output
    assert result.output.strip().splitlines()[-1].endswith(" warn, 0 fail.")


@pytest.mark.slow
def test_every_value_of_taste_stands_below_the_checks(folder: Path) -> None:
    """At a terminal only when asked for: a hundred values would push what was found off it."""
    env(folder, DATA_DIR="var")
    run("migrate")
    assert "keep_raw_days" not in run("doctor", "--no-settings").output
    lines = run("doctor").output.strip().splitlines()
    rows = found(run("doctor", "--json"))
    warned = sum(row["state"] == "warn" for row in rows.values())
    end = lines.index(f"{len(rows) - warned} ok, {warned} warn, 0 fail.")
    names = {line.split()[0] for line in lines[end:] if line}
    assert {"keep_raw_days", "alerts_a_day", "smtp_connections", "curated_by"} <= names


@pytest.mark.parametrize("place", ["file", "environment"])
def test_a_name_that_is_no_setting_is_a_warning(
    folder: Path, monkeypatch: pytest.MonkeyPatch, place: str
) -> None:
    if place == "file":
        env(folder, DATA_DIR="var", PROT="8001", BASE_URL="http://127.0.0.1:8000")
    else:
        env(folder, DATA_DIR="var")
        monkeypatch.setenv("PAPERPOST_PROT", "8001")
    result = run("doctor", "--json")
    row = found(result)["settings"]
    assert (result.exit_code, row["state"]) == (0, "warn")
    assert "PAPERPOST_PROT" in row["says"]
    assert row["next"].startswith("Did you mean PAPERPOST_PORT?")
    assert "BASE_URL" not in row["says"]


def test_names_that_other_programs_read_are_no_warning(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (folder / ".env").write_text("export PAPERPOST_DATA_DIR=var\n# PAPERPOST_OLD=1\nOTHER=2\n")
    monkeypatch.setenv("PAPERPOST_TEST_SEED", "1")  # of the tests themselves
    assert found(run("doctor", "--json"))["settings"]["state"] == "ok"


def test_a_key_of_commas_alone_is_no_key(folder: Path) -> None:
    env(folder, DATA_DIR="var", SECRET_KEY="','")
    assert found(run("doctor", "--json"))["secret key"]["state"] == "fail"
    error = run("sources", "list").exception
    assert isinstance(error, PaperpostError)
    assert error.where == "PAPERPOST_SECRET_KEY"


def test_data_that_others_can_read_are_a_warning(folder: Path) -> None:
    env(folder, DATA_DIR="var")
    assert found(run("doctor", "--json"))["data folder"]["state"] == "ok"
    (folder / "var").chmod(0o755)
    (folder / "var" / "paperpost.db").chmod(0o644)
    row = found(run("doctor", "--json"))["data folder"]
    assert row["state"] == "warn"
    assert "every user of this machine can read" in row["says"]
    assert row["next"] == "chmod -R o= var"
    (folder / "var").chmod(0o700)
    assert found(run("doctor", "--json"))["data folder"]["state"] == "ok"  # nobody gets in there


def test_settings_that_cannot_be_read_are_one_failed_line(folder: Path) -> None:
    env(folder, BASE_URL="papers.example.org")
    result = run("doctor", "--json")
    (row,) = json.loads(result.output)
    assert result.exit_code == 1
    assert (row["check"], row["state"]) == ("settings", "fail")
    assert "PAPERPOST_BASE_URL" in row["says"]
    assert row["next"] == "Write it like https://papers.example.org."


def test_a_public_address_needs_https_and_a_key(folder: Path) -> None:
    env(folder, BASE_URL="http://papers.example.org", SMTP_URL="smtp://127.0.0.1:9")
    rows = found(run("doctor", "--json"))
    assert (rows["public address"]["state"], rows["secret key"]["state"]) == ("fail", "fail")
    assert "https" in rows["public address"]["says"]
    assert "secrets" in rows["secret key"]["next"]
    env(
        folder,
        BASE_URL="https://papers.example.org",
        SMTP_URL="smtp://127.0.0.1:9",
        SECRET_KEY="short",
    )
    assert found(run("doctor", "--json"))["secret key"]["state"] == "fail"


@pytest.mark.slow
def test_the_relay_is_asked_and_its_words_are_shown(folder: Path) -> None:
    with SmtpServer() as server:
        env(folder, SMTP_URL=f"smtp://127.0.0.1:{server.port}")
        result = run("doctor", "--json")
        assert result.exit_code == 0, result.output
        assert 'says "220 test.example ESMTP" (clear text)' in found(result)["relay"]["says"]
        assert server.accepted == []
        server.on("DOT", reply("250 2.0.0 queued as 77AA", record=True))
        sent = found(run("doctor", "--to", "ops@example.org", "--json"))["test mail"]
        assert (sent["state"], sent["says"]) == ("ok", "the relay said: 250 2.0.0 queued as 77AA")
        assert [mail.recipient for mail in server.accepted] == ["ops@example.org"]
        server.on("RCPT", reply("550 5.7.1 relaying denied"))
        result = run("doctor", "--to", "ops@example.org", "--json")
        assert result.exit_code == 1
        assert "relaying denied" in found(result)["test mail"]["says"]


@pytest.mark.slow  # a second or more
def test_a_relay_that_is_not_there_fails_with_what_to_do(folder: Path) -> None:
    env(folder, SMTP_URL="smtp://127.0.0.1:9")
    result = run("doctor", "--json")
    row = found(result)["relay"]
    assert (result.exit_code, row["state"]) == (1, "fail")
    assert "127.0.0.1:9 cannot be reached" in row["says"]
    assert "PAPERPOST_SMTP_URL" in row["next"]


def test_an_old_database_says_migrate(folder: Path) -> None:
    env(folder, DATA_DIR="var")
    assert "from revision none to" in run("migrate").output
    assert "nothing to do" in run("migrate").output
    import sqlite3

    with sqlite3.connect(folder / "var" / "paperpost.db") as database:
        database.execute("UPDATE alembic_version SET version_num = 'older'")
    database.close()
    row = found(run("doctor", "--json"))["database"]
    assert (row["state"], row["next"]) == ("fail", "paperpost migrate")


def test_a_folder_that_cannot_be_written_is_named(folder: Path) -> None:
    (folder / "file").write_text("")
    env(folder, DATA_DIR="file/inside")
    result = run("doctor", "--json")
    assert result.exit_code == 1
    assert found(result)["data folder"]["state"] == "fail"


@pytest.fixture
def house(tmp_path: Path) -> Any:
    clock = Clock()
    made = House(load_settings(None, data_dir=tmp_path, timezone="UTC"), clock=clock)
    yield made
    made.close()


def by_name(house: House) -> dict[str, checks.Check]:
    return {check.name: check for check in checks.inside(house)}


def test_a_clock_that_is_wrong_is_found(house: House) -> None:
    row = by_name(house)["clock"]  # the test's clock stands in November 2026
    assert row.level == "fail"
    assert "apart" in row.says


def test_a_source_that_fails_is_told_with_its_words(house: House) -> None:
    def add(session: Any) -> None:
        row = sources_store.add_source(
            session, kind="feed", params={"url": "https://a.example"}, title="A", now=house._clock()
        )
        row.state, row.last_error = "failing", "the server answered 500"
        session.add(row)

    house.db.write(add)
    row = by_name(house)["sources"]
    assert row.level == "warn"
    assert "A failing (the server answered 500)" in row.says


def test_readers_who_are_due_and_unsent_are_found(house: House) -> None:
    from service.flows.readers import add_reader, read_new

    assert by_name(house)["work"].level == "ok"
    rt = house.runtime
    reader = add_reader(rt, read_new({"email": "a@example.org"}), by="test")
    make_due(rt, reader, rt.clock() - timedelta(hours=1))
    row = by_name(house)["work"]
    assert (row.level, row.says) == ("fail", "1 reader due and not planned")


def test_readers_whose_zone_is_gone_are_found(house: House) -> None:
    import sqlalchemy as sa

    from service.flows.readers import add_reader, read_new
    from service.store.health import database_now

    house._clock.now = house.db.read(database_now)  # type: ignore[attr-defined]
    add_reader(house.runtime, read_new({"email": "a@example.org"}), by="test")
    assert by_name(house)["clock"].level == "ok"
    house.db.write(lambda s: s.execute(sa.text("UPDATE subscriber SET zone = 'Mars/Olympus'")))
    row = by_name(house)["clock"]
    assert row.level == "warn"
    assert "1 reader in a zone that this machine does not know (Mars/Olympus)" in row.says
    assert "tzdata" in row.next_step


def test_values_of_taste_are_listed_set_and_taken_back(folder: Path) -> None:
    env(folder, DATA_DIR="var")
    assert run("settings", "set", "hour", "7").output.strip() == "hour = 7"
    rows = {row["name"]: row for row in json.loads(run("settings", "list", "--json").output)}
    assert (rows["hour"]["value"], rows["hour"]["default"]) == (7, 8)
    assert json.loads(run("settings", "set", "hour", "default", "--json").output)["value"] == 8
    wrong = run("settings", "set", "hour", "25")
    assert wrong.exit_code == 2
    assert "Use 0 to 23" in wrong.output
    assert run("settings", "set", "houre", "7").exit_code == 2


def test_workers_are_not_faked(folder: Path) -> None:
    result = run("worker", "--queues", "send")
    assert isinstance(result.exception, PaperpostError)
    assert "paperpost run" in result.exception.next_step
    env(folder, ENGINE="procrastinate")
    assert found(run("doctor", "--json"))["engine"]["state"] == "fail"
    assert isinstance(run("run", "--port", "0").exception, PaperpostError)


def test_an_account_gets_a_link(folder: Path) -> None:
    env(folder, DATA_DIR="var")
    result = run("admin", "create", "Ada", "--role", "owner", "--json")
    made = json.loads(result.output)
    assert made["link"].startswith("http://127.0.0.1:8000/admin/")
    assert run("admin", "create", "Bo", "--role", "king").exit_code == 2
