""".env.example names every setting, and nothing else, with the default that the code has."""

import re
from pathlib import Path
from typing import Any

from pydantic import SecretStr

from service.settings import Settings

ROOT = Path(__file__).resolve().parents[2]
LINES = (ROOT / ".env.example").read_text(encoding="utf-8").splitlines()
SHOWN = dict(
    match.groups() for line in LINES if (match := re.match(r"#?PAPERPOST_([A-Z_0-9]+)=(.*)$", line))
)


def _plain(value: Any) -> str:
    if isinstance(value, SecretStr):
        value = value.get_secret_value()
    return "" if value is None else str(value)


def test_every_setting_is_in_the_example_and_nothing_else() -> None:
    assert sorted(name.lower() for name in SHOWN) == sorted(Settings.model_fields)


def test_the_example_shows_the_defaults() -> None:
    defaults = {name.upper(): _plain(f.default) for name, f in Settings.model_fields.items()}
    assert defaults == SHOWN


def test_every_setting_stands_below_a_comment() -> None:
    bare = []
    explained = False
    for line in LINES:
        setting = re.match(r"#?PAPERPOST_", line)
        if setting and not explained:
            bare.append(line)
        if not setting:
            explained = line.startswith("# ") and not line.startswith("# --")
    assert bare == []


def test_every_setting_describes_itself() -> None:
    assert [name for name, f in Settings.model_fields.items() if not f.description] == []
