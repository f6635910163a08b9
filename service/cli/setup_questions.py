"""The eight questions of ``setup``: each with a default, asked again until it can be used."""

import re
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from difflib import get_close_matches
from pathlib import Path
from typing import TypeVar

import typer

from service.cli.env_file import quoted
from service.errors import PaperpostError, SettingError
from service.flows.sources import presets
from service.settings import Settings, check_authority, load_settings, relay_address
from service.settings import web_address as checked_address
from service.subscribers.address import read_address
from service.subscribers.cadence import read_zone

T = TypeVar("T")
NONE = ("none", "no", "-")


@dataclass(slots=True)
class Interview:
    """Asks on the terminal; with ``silent``, or once the input has ended, defaults are taken."""

    silent: bool = False
    _ended: bool = field(default=False, init=False)

    def ask(
        self, label: str, default: str, read: Callable[[str], T], *, shown: str | None = None
    ) -> T:
        """Return what ``read`` makes of the answer. Raises its PaperpostError when there is nobody
        to ask again."""
        while True:
            text = self._answer(label, default, default if shown is None else shown)
            try:
                return read(text)
            except PaperpostError as error:
                if self.silent or self._ended:
                    raise
                typer.echo(f"   {error}")

    def say(self, text: str) -> None:
        typer.echo(text)

    @property
    def is_alone(self) -> bool:
        """Nobody answers any more."""
        return self.silent or self._ended

    def _answer(self, label: str, default: str, shown: str) -> str:
        note = f" [{shown}]" if shown else ""
        if self.is_alone:
            typer.echo(f"{label}{note}")
            return default
        typer.echo(f"{label}{note}: ", nl=False)
        line = sys.stdin.readline()
        if not line:
            self._ended = True
            typer.echo("")
            return default
        if not sys.stdin.isatty():
            typer.echo("")
        return "".join(c for c in line if c.isprintable()).strip() or default


def old_settings() -> Settings | None:
    """What is set up here already; None when it cannot be read."""
    try:
        return load_settings()
    except SettingError:
        return None


def text(value: str) -> str:
    """Any line that .env can hold."""
    if "${" in value:
        raise SettingError('A name cannot hold "${".', "", "Leave one of the two out.")
    return value[:200]


def email_or_nothing(value: str) -> str:
    """An address, or nothing."""
    return read_address(value).email if value else ""


def web_address(value: str) -> str:
    """A public address: https://host, no path behind it needed."""
    if "://" not in value:
        host = value.partition("/")[0].partition(":")[0]
        is_here = host == "localhost" or re.fullmatch(r"127(\.\d{1,3}){3}", host)
        value = f"{'http' if is_here else 'https'}://{value}"
    return checked_address(_holdable(value)).rstrip("/")


def _holdable(value: str) -> str:
    """The same, unless .env cannot hold it (the file would be refused after the last question)."""
    quoted(value)
    return value


def zone(value: str) -> str:
    """An IANA zone."""
    return read_zone(value)


def relay_url(value: str) -> str:
    """The address of a relay; a bare host means STARTTLS on port 587."""
    if value in ("mailbox", "mailbox:"):
        return "mailbox:"
    if "://" not in value and not value.startswith("mailbox:"):
        value = f"smtp+starttls://{value}"
    relay_address(_holdable(value))
    return value


def authority(value: str) -> str:
    """A PEM file that can be read, or nothing; its place is kept in full."""
    if not value:
        return ""
    file = Path(value).expanduser().absolute()
    check_authority(file)
    return str(file)


def without_password(url: str) -> str:
    """The same for the eyes."""
    return re.sub(r"(//[^:/]*):.*@", r"\1:…@", url)


def signup(value: str) -> str:
    """open, closed, or domains:a.edu,b.org (a bare list of domains will do)."""
    wanted = value.strip().lower()
    if wanted in ("open", "closed"):
        return wanted
    domains = [d.strip().lstrip("@") for d in wanted.removeprefix("domains:").split(",")]
    if not all(re.fullmatch(r"[a-z0-9-]+(\.[a-z0-9-]+)+", d) for d in domains):
        raise SettingError(f'"{value}" says nobody.', "", "open, closed, or domains:a.edu,b.org.")
    return f"domains:{','.join(domains)}"


def chosen_fields(value: str) -> list[str]:
    """Names of fields of research, from numbers, names or beginnings, separated by commas."""
    if value.strip().lower() in (*NONE, ""):
        return []
    names = [str(one["name"]) for one in presets()]
    labels: Mapping[str, str] = {str(one["label"]).lower(): str(one["name"]) for one in presets()}
    chosen: list[str] = []
    for part in re.split(r"[,;]", value.lower()):
        word = part.strip()
        if not word:
            continue
        if word.isdecimal() and 1 <= int(word) <= len(names):
            chosen.append(names[int(word) - 1])
            continue
        begun = [n for label, n in labels.items() if label.startswith(word) or n == word]
        if len(begun) == 1:
            chosen.append(begun[0])
            continue
        near = get_close_matches(word, labels, n=1, cutoff=0.5)
        hint = f'Did you mean "{near[0]}"?' if near else f"Numbers from 1 to {len(names)}."
        raise SettingError(f'There is no field "{word}".', "", hint)
    return list(dict.fromkeys(chosen))
