"""Reading and writing ``.env``: answers are put in place, every other line stays as it was."""

import os
import re
from collections.abc import Mapping
from pathlib import Path

from service.errors import SettingError
from service.settings import PREFIX, Settings

_LINE = re.compile(rf"^\s*(?:export\s+)?({PREFIX}[A-Z_0-9]+)\s*=")
_ANY_CASE = re.compile(rf"^\s*(?:export\s+)?({PREFIX}\w+)\s*=", re.IGNORECASE)
_OF_TESTS = {f"{PREFIX}TEST_SEED", f"{PREFIX}TEST_REQUIRE"}
_PLAIN = re.compile(r"^[A-Za-z0-9_@:/.,+%?&=~-]+$")


def strange_names(environment: Mapping[str, str], path: Path) -> list[str]:
    """PAPERPOST_ names of the environment and of the file that are no settings, sorted."""
    lines = path.read_text(encoding="utf-8").splitlines() if path.is_file() else []
    written = [found[1] for line in lines if (found := _ANY_CASE.match(line))]
    names = {name.upper() for name in (*environment, *written)}
    known = {f"{PREFIX}{name.upper()}" for name in Settings.model_fields}
    return sorted({name for name in names if name.startswith(PREFIX)} - known - _OF_TESTS)


def quoted(value: str) -> str:
    """Return a value as python-dotenv reads it back; in single quotes only \\ and ' are special.

    Raises SettingError for "${", which it replaces everywhere and cannot escape.
    """
    if not value or _PLAIN.match(value):
        return value
    if "${" in value:
        raise SettingError(
            'A value in .env cannot hold "${".', "", "In the relay's address write %24 for the $."
        )
    return "'" + value.replace("\\", "\\\\").replace("'", "\\'") + "'"


def write_env(path: Path, values: Mapping[str, str]) -> None:
    """Put ``values`` (names without the prefix, upper case) into the file; mode 600.

    Written beside and renamed, so that a full disk leaves the old file.
    """
    wanted = {f"{PREFIX}{name}": value for name, value in values.items()}
    old = path.read_text(encoding="utf-8").splitlines() if path.is_file() else []
    lines, done = [], set()
    for line in old:
        found = _LINE.match(line)
        name = found[1] if found else ""
        if name in wanted:
            if name not in done:
                lines.append(f"{name}={quoted(wanted[name])}")
            done.add(name)
        else:
            lines.append(line)
    if not old:
        lines.append("# Written by paperpost setup; docs/settings.md explains every line.")
    lines += [f"{name}={quoted(value)}" for name, value in wanted.items() if name not in done]
    beside = path.with_name(path.name + ".new")
    beside.unlink(missing_ok=True)
    file = os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(file, "w", encoding="utf-8") as out:
        out.write("\n".join(lines) + "\n")
    beside.replace(path)
