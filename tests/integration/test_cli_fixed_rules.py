"""``settings list`` prints the fixed rules too; ``settings set`` leaves them as they are."""

from pathlib import Path

import pytest
from support.command import Shell

from service.defaults import fixed_table


def test_fixed_rules_are_listed_and_not_set(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shell = Shell(tmp_path, monkeypatch)
    rows = shell.say("settings", "list", "--json").json
    assert [row for row in rows if row["default"] == "fixed"] == fixed_table()
    fixed = shell.say("settings", "list").out.partition("Fixed:")[2].splitlines()
    assert any(line.split()[:2] == ["login_minutes", "15"] for line in fixed)
    for value in ("7", "default"):
        said = shell.say("settings", "set", "login_minutes", value)
        assert said.code != 0
        assert "login_minutes is a fixed rule" in " ".join(said.err.split())
