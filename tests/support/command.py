"""Runs ``paperpost`` commands in this process, as a person would type them."""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from service.cli.program import app
from service.errors import PaperpostError


@dataclass
class Said:
    """What a command printed, and its exit code."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        return json.loads(self.out)


class Shell:
    """A folder with its own data; ``say("send", "daily")``."""

    def __init__(self, folder: Path, patch: pytest.MonkeyPatch, **settings: str) -> None:
        self.folder = folder
        patch.chdir(folder)
        for name, value in {"DATA_DIR": str(folder / "var"), "TIMEZONE": "UTC", **settings}.items():
            patch.setenv(f"PAPERPOST_{name}", value)

    def say(self, *words: str, typed: str | None = None) -> Said:
        """Run one command; a fault is said in three parts, as in the real program."""
        result = CliRunner().invoke(app, list(words), input=typed)
        error = result.exception
        err = result.stderr
        code = result.exit_code
        if isinstance(error, PaperpostError):
            code = 1
            err += f"{error.what} {error.where} {error.next_step}"
        elif error is not None and not isinstance(error, SystemExit):
            raise error
        return Said(code, result.stdout, err)

    def mails(self) -> list[Path]:
        """The messages in the development mailbox, oldest first."""
        return sorted((self.folder / "var" / "mailbox").glob("*.eml"))


def list_of(folder: Path, name: str, *numbers: int) -> str:
    """A list of Hugging Face with invented papers, in a file; returns its name."""
    items = [
        {
            "paper": {
                "id": f"2611.{n:05}",
                "title": f"Adapters that forget less, part {n}",
                "summary": "An invented result about adapters.",
                "publishedAt": "2026-11-17T00:00:00.000Z",
                "authors": [{"name": "Ana Silva"}],
                "upvotes": n,
            },
            "numComments": 1,
        }
        for n in numbers
    ]
    (folder / name).write_text(json.dumps(items))
    return name
