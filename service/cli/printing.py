"""What commands print: tables for people, JSON for scripts, errors in three parts."""

import json
import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import date, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn

import typer

from service.errors import PaperpostError
from service.text.tally import tally as tally

if TYPE_CHECKING:
    from service.flows.browse import Shown


def plain(value: Any) -> Any:
    """Make a value fit for JSON."""
    if isinstance(value, date | datetime):
        return value.isoformat()
    if isinstance(value, Path):
        return str(value)
    if isinstance(value, set | frozenset):
        return sorted(plain(v) for v in value)
    if isinstance(value, Mapping):
        return {str(k): plain(v) for k, v in value.items()}
    if isinstance(value, list | tuple):
        return [plain(v) for v in value]
    return value


def as_json(value: Any) -> None:
    """Print one JSON value."""
    typer.echo(json.dumps(plain(value), ensure_ascii=False, indent=2))


def as_json_rows(rows: Iterable[Any]) -> None:
    """Print one JSON array, row by row as they come: there may be millions."""
    between = "["
    for row in rows:
        typer.echo(f"{between}\n{json.dumps(plain(row), ensure_ascii=False, indent=2)}", nl=False)
        between = ","
    typer.echo("[]" if between == "[" else "\n]")


def table(rows: Sequence[Mapping[str, Any]], columns: Sequence[str], empty: str) -> None:
    """Print rows under their column names."""
    if not rows:
        typer.echo(empty)
        return
    cells = [[_cell(row.get(c)) for c in columns] for row in rows]
    widths = [
        min(48, max(len(c), *(len(line[i]) for line in cells))) for i, c in enumerate(columns)
    ]
    typer.echo("  ".join(c.ljust(w) for c, w in zip(columns, widths, strict=True)).rstrip())
    for line in cells:
        typer.echo(
            "  ".join(cut(c, w).ljust(w) for c, w in zip(line, widths, strict=True)).rstrip()
        )


def _cell(value: Any) -> str:
    if value is None:
        return "-"
    value = plain(value)
    if isinstance(value, list) and all(isinstance(one, str) for one in value):
        value = ", ".join(value)
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
    return "".join(c if c.isprintable() else " " for c in text)


def cut(text: str, width: int) -> str:
    """The text, or its beginning with a sign that more follows."""
    return text if len(text) <= width else text[: width - 1] + "…"


def told(facts: Mapping[str, Any], sentence: str, *, wants_json: bool) -> None:
    """Say what an act did: an object for scripts, a sentence for people."""
    if wants_json:
        as_json(facts)
    else:
        typer.echo(sentence)


def papers(found: Iterable["Shown"]) -> None:
    """Print a line for each paper: its title, and the name that other commands take."""
    for one in found:
        typer.echo(f"  {one.paper.title}  ({one.paper.key.scheme}:{one.paper.key.value})")


def one_of(value: str, known: Sequence[str], option: str) -> str:
    """The value when it is one of the known words; another one is misuse (exit 2)."""
    if value in known:
        return value
    raise typer.BadParameter(f"{value!r} is not one of {', '.join(known)}.", param_hint=option)


def sentence(text: str) -> str:
    """The text with a full stop, unless it ends with a mark of its own."""
    return text if text.endswith((".", "?")) else f"{text}."


@contextmanager
def argument(name: str) -> Iterator[None]:
    """What is read in here was typed: a value that cannot be read is misuse (exit 2).

    name: as it is typed, --hour or EMAIL. Whatever is looked up, opened or decided is done outside:
    a refusal of the world ends with 1.
    """
    try:
        yield
    except PaperpostError as error:
        said = "\n".join(lines(error, where=False))
        raise typer.BadParameter(said, param_hint=name) from None


def lines(error: PaperpostError, *, where: bool = True) -> list[str]:
    """An error for people, a line a part: what is wrong, where, what next, a form that works."""
    said = [sentence(error.what)]
    position = getattr(error, "position", 0)
    if error.where and where:
        said.append(f"  where: {error.where}")
    elif position:
        said.append(f"  where: character {position}")
    if error.next_step:
        said.append(f"  next:  {error.next_step}")
    suggestion = getattr(error, "suggestion", "")
    return [*said, f"  like:  {suggestion}"] if suggestion else said


def fail(error: PaperpostError) -> NoReturn:
    """The world refused: say so and end with 1."""
    for line in lines(error):
        typer.echo(line, err=True)
    sys.exit(1)
