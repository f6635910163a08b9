"""What the sending commands say: a dry run in words, the rest of a canary, an import's columns."""

from pathlib import Path

import pytest
from support.command import Shell
from support.house import START

from service.flows import manual
from service.settings import load_settings
from service.store.instance import set_setting
from service.wiring import House


@pytest.fixture
def shell(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Shell:
    return Shell(tmp_path, monkeypatch)


def readers(shell: Shell, head: str = "email,keywords") -> Path:
    table = shell.folder / "list.csv"
    rows = [f"{name}@example.org,adapters" for name in ("ada", "ben", "cy")]
    table.write_text("\n".join([head, *rows, ""]), encoding="utf-8")
    return table


def test_a_dry_run_is_told_in_words(shell: Shell) -> None:
    assert shell.say("send", "daily", "--dry-run").out == "0 mails.\n"
    assert shell.say("subscribers", "import", str(readers(shell))).code == 0
    said = shell.say("send", "daily", "--dry-run", "--on", START.date().isoformat()).out
    assert "{" not in said
    assert "0 mails; no mail: 3 " in said


def test_an_import_with_an_unknown_column_changes_nothing(shell: Shell) -> None:
    said = shell.say("subscribers", "import", str(readers(shell, "email,Keyword")))
    assert said.code == 1
    assert "'keyword' is no column of an import" in said.err
    assert "Did you mean keywords?" in said.err
    assert shell.say("subscribers", "list", "--json").json == []


@pytest.mark.slow
def test_the_rest_of_a_canary_goes_by_a_command(shell: Shell) -> None:
    shell.say("subscribers", "import", str(readers(shell)))
    house = House(load_settings(None))
    try:
        rt = house.runtime
        rt.db.write(lambda s: set_setting(s, "canary", "1"))
        plan = manual.draft(
            rt, kind="newsletter", subject="News of the day", body="Open.", key="k", canary=True
        )
        number = str(manual.start(rt, plan, expected=3, at_once=True).edition_id)
    finally:
        house.close()
    early = shell.say("editions", "rest", number)
    assert early.code == 1
    assert "The first mails of edition 1 were not all tried (0 of 1)." in early.err
    assert shell.say("send", "alerts", "--json").json["accepted"] == 1, "any send takes what is due"
    assert (
        "2 wait for your word: paperpost editions rest 1"
        in shell.say("editions", "resume", number).err
    ), "nothing was paused; it is said what is missing"
    said = shell.say("editions", "rest", number, "--json").json
    assert (said["freed"], said["accepted"]) == (2, 2)
    assert len(shell.mails()) == 3
