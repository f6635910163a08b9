"""A database that cannot be used is named, with what to do; nobody sees a traceback for it."""

import sqlite3
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
import sqlalchemy as sa
from support.command import Shell
from support.house import open_house

from service.errors import PaperpostError
from service.flows import readiness
from service.settings import load_settings
from service.store import db as store_db
from service.store.db import DatabaseError
from service.store.faults import explained
from service.wiring import open_database

PLACE = "/data/paperpost.db"


@pytest.mark.parametrize(
    ("words", "what", "next_step"),
    [
        ("database is locked", "is locked by another process", "End that"),
        ("attempt to write a readonly database", "cannot be written", "the user who runs"),
        ("database or disk is full", "disk is full", "Free"),
        ("disk I/O error", "disk", "system's log"),
        ("database disk image is malformed", "is damaged", "backup"),
        ("file is not a database", "is damaged, or is no database of SQLite", "backup"),
    ],
)
@pytest.mark.parametrize("is_wrapped", [True, False])
def test_sqlites_words_in_ours(words: str, what: str, next_step: str, is_wrapped: bool) -> None:
    raw: Exception = sqlite3.DatabaseError(words)
    error = sa.exc.DatabaseError("SELECT 1", {}, raw) if is_wrapped else raw
    with pytest.raises(DatabaseError) as caught, explained(f"sqlite:///{PLACE}"):
        raise error
    assert what in caught.value.what
    assert PLACE in caught.value.what
    assert next_step in caught.value.next_step


def test_a_fault_of_our_own_stays_one() -> None:
    wrong = sa.exc.IntegrityError("INSERT", {}, sqlite3.IntegrityError("UNIQUE failed"))
    with pytest.raises(sa.exc.IntegrityError), explained("sqlite:///x.db"):
        raise wrong


def opened(folder: Path, url: str) -> PaperpostError:
    settings = load_settings(None, data_dir=folder / "var", database_url=url)
    with pytest.raises(PaperpostError) as caught:
        open_database(settings)
    return caught.value


def test_a_folder_that_is_not_there_is_named_and_not_made(tmp_path: Path) -> None:
    error = opened(tmp_path, f"sqlite:///{tmp_path}/nope/x.db")
    assert f"{tmp_path}/nope does not exist" in error.what
    assert "PAPERPOST_DATABASE_URL" in error.next_step
    assert not (tmp_path / "nope").exists()


def test_a_file_that_is_no_database_is_named(tmp_path: Path) -> None:
    file = tmp_path / "notes.db"
    file.write_text("These are notes. " * 100)
    assert str(file) in opened(tmp_path, f"sqlite:///{file}").what


def test_postgresql_without_its_driver_says_what_to_install(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "psycopg", None)
    error = opened(tmp_path, "postgresql://me:secret@127.0.0.1:9/papers")
    assert "psycopg" in error.what
    assert "pip install 'psycopg[binary,pool]'" in error.next_step


def test_an_address_of_a_database_that_cannot_be_read(tmp_path: Path) -> None:
    error = opened(tmp_path, "postgresql://me:sec/ret@127.0.0.1:port/papers")
    assert error.where == "PAPERPOST_DATABASE_URL"
    assert "%2F" in error.next_step
    assert "sec" not in error.what


@pytest.mark.postgres
def test_a_server_that_is_not_there_is_named_without_its_password(tmp_path: Path) -> None:
    error = opened(tmp_path, "postgresql://me:hunter2@127.0.0.1:9/papers")
    assert "127.0.0.1:9/papers" in error.what
    assert "hunter2" not in str(error)
    assert "server" in error.next_step


@pytest.fixture
def quick_to_give_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(store_db, "BUSY_S", 0.2)


@pytest.fixture
def shell(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, quick_to_give_up: None) -> Shell:
    made = Shell(tmp_path, monkeypatch)
    assert made.say("migrate").code == 0
    return made


@pytest.fixture
def locked(shell: Shell) -> Iterator[Path]:
    """The database, with another program's transaction on it."""
    file = shell.folder / "var" / "paperpost.db"
    other = sqlite3.connect(file, isolation_level=None)
    other.execute("BEGIN EXCLUSIVE")
    yield file
    other.close()


@pytest.mark.parametrize(
    "words", [("subscribers", "add", "ada@example.org", "--trending"), ("migrate",)]
)
def test_a_command_says_who_it_waits_for(
    shell: Shell, locked: Path, words: tuple[str, ...], monkeypatch: pytest.MonkeyPatch
) -> None:
    if words == ("migrate",):
        from service.store import migrations

        monkeypatch.setattr(migrations, "current", lambda db: None)
    said = shell.say(*words)
    assert said.code == 1
    assert f"{locked.relative_to(shell.folder)} is locked by another process" in said.err


def test_ready_means_that_something_can_be_written(
    tmp_path: Path, quick_to_give_up: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(readiness, "READY_S", 0.3)
    with open_house(tmp_path) as house:
        assert readiness.look(house.runtime).can_serve
        other = sqlite3.connect(tmp_path / "paperpost.db", isolation_level=None)
        other.execute("BEGIN IMMEDIATE")
        assert not readiness.look(house.runtime).can_serve
        other.close()
        assert readiness.look(house.runtime).can_serve


def test_ready_does_not_wait_for_a_writer_that_is_busy(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(readiness, "READY_S", 0.2)
    done = threading.Event()
    with open_house(tmp_path) as house:
        threading.Thread(target=lambda: house.db.write(lambda _: done.wait(10))).start()
        assert not readiness.look(house.runtime).can_serve
        done.set()
        monkeypatch.setattr(readiness, "READY_S", 10.0)
        assert readiness.look(house.runtime).can_serve
