"""Addresses lie in the data folder: nobody else on the machine reads them."""

import os
import stat
from collections.abc import Iterator
from pathlib import Path

import pytest
from support.command import Shell

from service.demo import run_demo
from service.settings import load_settings
from service.store.db import Database
from service.wiring import open_database


@pytest.fixture(autouse=True)
def _usual_mask() -> Iterator[None]:
    """What a person's shell has: everybody may read."""
    old = os.umask(0o022)
    yield
    os.umask(old)


def open_to_others(folder: Path) -> list[str]:
    """What holds addresses and others may read or enter, were the folder itself open."""
    named = ("*.db*", "mailbox", "mails", "secret_key")
    inside = [path for name in named for path in folder.glob(name)]
    assert inside
    mine = stat.S_IRWXG | stat.S_IRWXO
    return sorted(path.name for path in (folder, *inside) if path.lstat().st_mode & mine)


@pytest.mark.slow
def test_what_commands_make_is_for_their_user_alone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shell = Shell(tmp_path, monkeypatch, CONTACT_EMAIL="papers@example.org")
    assert shell.say("subscribers", "add", "ada@example.org", "--keywords", "x").code == 0
    assert shell.say("doctor", "--to", "ops@example.org").code == 0
    assert shell.mails()
    var = tmp_path / "var"
    assert {"paperpost.db", "mailbox", "secret_key", "locks"} <= {p.name for p in var.iterdir()}
    assert open_to_others(var) == []


def test_the_databases_own_files_while_it_is_open(tmp_path: Path) -> None:
    db = open_database(load_settings(None, data_dir=tmp_path / "var"))
    try:
        assert (tmp_path / "var" / "paperpost.db-wal").exists()
        assert open_to_others(tmp_path / "var") == []
    finally:
        db.close()


def test_a_database_elsewhere_too(tmp_path: Path) -> None:
    file = tmp_path / "elsewhere.db"
    open_database(
        load_settings(None, data_dir=tmp_path / "var", database_url=f"sqlite:///{file}")
    ).close()
    assert stat.S_IMODE(file.stat().st_mode) == 0o600


def test_what_is_there_keeps_its_mode(tmp_path: Path) -> None:
    """A group that makes backups was let in on purpose."""
    file = tmp_path / "paperpost.db"
    Database(f"sqlite:///{file}").close()
    file.touch()
    file.chmod(0o640)
    open_database(load_settings(None, data_dir=tmp_path)).close()
    assert stat.S_IMODE(file.stat().st_mode) == 0o640


@pytest.mark.slow
def test_the_demo(tmp_path: Path) -> None:
    assert run_demo(tmp_path / "demo")
    assert open_to_others(tmp_path / "demo") == []
