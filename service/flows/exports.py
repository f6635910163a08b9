"""Lists with addresses that are taken away: who took which, how much of it and in what form is on
record before the first row leaves. Looking at a list, a page at a time, leaves no row."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any, Literal

from service.flows.runtime import Runtime
from service.flows.spreadsheet import csv_lines, json_array
from service.flows.staff import write_audit
from service.store.db import Priority

Form = Literal["csv", "json"]
FORMS: tuple[Form, ...] = ("csv", "json")


def note_export(
    rt: Runtime, what: str, count: int, *, which: str, form: str, by: str, address: str = ""
) -> None:
    """Put it on record. what: readers, deliveries, ... · count: how many of them · which: the
    filter in words (``told``)."""
    after = {what: count, "which": which, "format": form}
    rt.db.write(
        lambda s: write_audit(
            s, rt.clock(), who=by, what=f"export {what}", after=after, address=address
        ),
        Priority.WEB,
    )


def told(**typed: object) -> str:
    """A filter in one line, for the record of acts; it tells no address."""
    shown = {name: _plain(name, value) for name, value in typed.items() if value}
    return "; ".join(f"{name} {value}" for name, value in shown.items()) or "all"


def _plain(name: str, value: object) -> str:
    if name == "address" or "@" in str(value):
        return "given" if name == "address" else "an address"
    return f"{value:%Y-%m-%d %H:%M} UTC" if isinstance(value, datetime) else str(value)


def written(
    columns: Sequence[str], parts: Iterable[Sequence[Mapping[str, Any]]], form: Form
) -> Iterator[str]:
    """Rows as a table or as one JSON array, in the parts they come in; no cell of a table starts a
    formula."""
    return _table(columns, parts) if form == "csv" else json_array(parts)


def _table(columns: Sequence[str], parts: Iterable[Sequence[Mapping[str, Any]]]) -> Iterator[str]:
    yield csv_lines([columns])
    for rows in parts:
        yield csv_lines([row[c] for c in columns] for row in rows)
