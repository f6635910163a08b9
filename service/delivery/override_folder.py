"""The operator's own templates: what lies in the folder, and what is wrong with its files.

A file has the place and the name of the one it stands for: ``email/confirm/body.txt``. A copy that
``paperpost templates copy`` made says in its first line which text of ours it began from, so that
a later version can tell that ours has changed since.
"""

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from hashlib import sha256
from os.path import realpath
from pathlib import Path
from typing import Literal

from service.errors import PaperpostError

MAILS = "email"
STYLE = "style.css"
_ENDINGS = (".html", ".txt", ".css")
_ORIGIN = re.compile(r"paperpost: (\S+) of version (\S+), (?P<sum>[0-9a-f]{16})")

Level = Literal["fail", "warn"]
State = Literal["current", "older", "unmarked", "added"]


class TemplateError(PaperpostError):
    """A template is broken; ``where`` is "file:line"."""


@dataclass(frozen=True, slots=True)
class Fault:
    """fail: refused at start · warn: told. where: "file:line", or the file."""

    level: Level
    what: str
    where: str
    next_step: str = ""

    def error(self) -> TemplateError:
        return TemplateError(self.what, self.where, self.next_step)


@dataclass(frozen=True, slots=True)
class Override:
    """One file of the operator.

    name: as templates call it, "confirm/body.txt".
    state: "current" (made from our text of today), "older" (ours has changed since), "unmarked"
    (nobody noted what it was made from), "added" (it stands for none of ours).
    """

    name: str
    path: Path
    state: State


@dataclass(frozen=True, slots=True)
class Found:
    """What the folder holds, in order of names, and what is wrong with it."""

    overrides: tuple[Override, ...]
    faults: tuple[Fault, ...]


def names_of(folder: Path) -> list[str]:
    """Our own templates: "_frame.html", "confirm/body.html", ..., "style.css"."""
    mails = folder / MAILS
    return sorted(p.relative_to(mails).as_posix() for p in mails.rglob("*") if p.is_file())


def read(folder: Path, ours: Path, largest: int) -> Found:
    """Look at every file of the operator's folder. largest: bytes that a template may have.

    ours: our own folder ``templates``. Nothing is rendered here.
    """
    if not folder.is_dir():
        why = "is no folder" if folder.exists() else "is not there"
        step = "Name a folder, or leave PAPERPOST_TEMPLATES_DIR empty."
        return Found((), (Fault("fail", f"The folder of templates {why}.", str(folder), step),))
    known = names_of(ours)
    overrides: list[Override] = []
    faults: list[Fault] = []
    try:
        paths = sorted(p for p in _files(folder) if not p.is_dir())
    except OSError as error:
        return Found((), (_unreadable(Path(str(error.filename or folder)), error),))
    for path in paths:
        place = path.relative_to(folder)
        name = place.relative_to(MAILS).as_posix() if place.parts[0] == MAILS else ""
        if not name:
            faults.append(_misplaced(place, known))
        elif path.suffix not in _ENDINGS:
            faults.append(unused(path, name, known))
        elif fault := _of_file(path, name, folder, largest):
            faults.append(fault)
        else:
            overrides.append(Override(name, path, _state(path, name, ours)))
    return Found(tuple(overrides), tuple(faults))


def _files(folder: Path) -> Iterator[Path]:
    """Every file but hidden ones (an editor's, a mounted volume's own)."""
    for path in folder.iterdir():
        if path.name.startswith("."):
            continue
        if path.is_dir():
            yield from _files(path)
        else:
            yield path


def unused(path: Path, name: str, known: Sequence[str]) -> Fault:
    """A file that no mail reads: a mistyped name, a forgotten copy."""
    near = get_close_matches(name, known, n=1, cutoff=0.6)
    step = f"Did you mean {near[0]}? " if near else ""
    what = "This file has no effect: no template of ours is called so, and none uses it."
    return Fault("warn", what, str(path), f"{step}paperpost templates list names them all.")


def _misplaced(place: Path, known: Sequence[str]) -> Fault:
    what = "This file has no effect: only mails can be overridden, in the folder email."
    is_mail = place.as_posix() in known
    step = f"Move it to {MAILS}/{place.as_posix()}." if is_mail else "Remove it."
    return Fault("warn", what, place.as_posix(), step)


def _of_file(path: Path, name: str, folder: Path, largest: int) -> Fault | None:
    """What is wrong with the file itself, whatever it says."""
    try:
        real = Path(realpath(path, strict=True))
        if not real.is_relative_to(folder.resolve()):
            step = "Put a copy of the file there."
            return Fault("fail", "This link leads out of the folder of templates.", str(path), step)
        if not path.is_file():
            return Fault("fail", "This is no plain file.", str(path), "Put a file there.")
        data = path.read_bytes()
    except OSError as error:
        return _unreadable(path, error)
    if len(data) > largest:
        what = f"This template has {len(data):,} bytes; a mail may have {largest:,}."
        line = data.count(b"\n", 0, largest) + 1
        return Fault("fail", what, f"{path}:{line}", "Shorten it; pictures belong on a web server.")
    try:
        data.decode()
    except UnicodeDecodeError as error:
        line = data[: error.start].count(b"\n") + 1
        what = "This template is no UTF-8."
        return Fault("fail", what, f"{path}:{line}", "Save it as UTF-8.")
    return _of_style(data.decode(), path) if name == STYLE else None


def _unreadable(path: Path, error: OSError) -> Fault:
    what = f"This template cannot be opened: {error.strerror}."
    return Fault("fail", what, str(path), "Let the user who runs Paperpost read it.")


def _of_style(css: str, path: Path) -> Fault | None:
    """Braces that do not close: what follows them would be lost without a word."""
    open_at: list[int] = []
    blank = re.sub(
        r"/\*.*?\*/|\"[^\"\n]*\"|'[^'\n]*'",
        lambda found: re.sub(r"[^\n]", " ", found[0]),
        css,
        flags=re.DOTALL,
    )
    for number, line in enumerate(blank.split("\n"), 1):
        for sign in line:
            if sign == "{":
                open_at.append(number)
            elif sign == "}" and not open_at:
                return Fault("fail", "This brace was never opened.", f"{path}:{number}", "Mend it.")
            elif sign == "}":
                open_at.pop()
    if open_at:
        what = "This brace is never closed."
        return Fault("fail", what, f"{path}:{open_at[-1]}", "Add } at the end of the rule.")
    return None


def _state(path: Path, name: str, ours: Path) -> State:
    original = ours / MAILS / name
    if not original.is_file():
        return "added"
    head = path.read_text("utf-8-sig").partition("\n")[0]
    origin = _ORIGIN.search(head)
    if origin is None:
        return "unmarked"
    return "current" if origin["sum"] == _sum(original) else "older"


def _sum(path: Path) -> str:
    return sha256(path.read_bytes()).hexdigest()[:16]


def outgrown(overrides: Sequence[Override]) -> list[Fault]:
    """Those made from a text of ours that has changed since: still good, but behind."""
    step = "paperpost templates diff NAME shows both; templates accept NAME when it is right."
    return [
        Fault("warn", "Ours has changed since this one was made from it.", str(o.path), step)
        for o in overrides
        if o.state == "older"
    ]


def origin(name: str, ours: Path, version: str) -> str:
    """The first line of a template made from ours: a comment that says of which text."""
    mark = f"paperpost: {name} of version {version}, {_sum(ours / MAILS / name)}"
    return f"/* {mark} */\n" if name.endswith(".css") else f"{{# {mark} #}}\n"


def without_origin(text: str) -> str:
    """A template without the line that ``origin`` made."""
    head, _, rest = text.partition("\n")
    return rest if _ORIGIN.search(head) else text


def told(faults: Sequence[Fault], tell: Callable[[Fault], None]) -> None:
    """Tell the warnings; raise the first fault that a start refuses, and say how many there are."""
    refused = [fault for fault in faults if fault.level == "fail"]
    if refused:
        first = refused[0].error()
        if len(refused) > 1:
            more = f"{len(refused) - 1} more: paperpost templates check"
            first.next_step = f"{first.next_step} {more}".strip()
        raise first
    for fault in faults:
        tell(fault)
