"""Deliveries as a table or as JSON, some at a time: what is in memory does not grow with the
ledger."""

import json
from collections.abc import Iterator
from typing import Any, Literal

from service.flows.ledger import list_facts
from service.flows.runtime import Runtime
from service.flows.spreadsheet import csv_lines
from service.store.delivery_lists import Chosen

COLUMNS = (
    "id", "edition", "kind", "email", "state", "meaning", "code", "enhanced", "words", "attempts",
    "message_id", "planned_at", "not_before", "accepted_at",
)  # fmt: skip
Form = Literal["csv", "json"]
TYPES: dict[Form, str] = {"csv": "text/csv; charset=utf-8", "json": "application/json"}
_PART = 1000


def rows_of(rt: Runtime, chosen: Chosen) -> Iterator[dict[str, Any]]:
    """Deliveries as plain values, the oldest first, read in parts. Raises EditionError: no such
    edition."""
    last = 0
    while True:
        rows = rt.db.read(
            lambda s, after=last: list_facts(s, chosen, limit=_PART, after_id=after)  # type: ignore[misc]
        )
        yield from rows
        if len(rows) < _PART:
            return
        last = rows[-1]["id"]


def parts(rt: Runtime, chosen: Chosen, form: Form) -> Iterator[str]:
    """The whole list, some at a time; no cell of a CSV starts a formula. Raises EditionError before
    the first part."""
    rows = rows_of(rt, chosen)
    first = next(rows, None)
    return (_csv if form == "csv" else _json)(first, rows)


def _csv(first: dict[str, Any] | None, rows: Iterator[dict[str, Any]]) -> Iterator[str]:
    yield csv_lines([COLUMNS])
    held = [] if first is None else [first]
    for row in rows:
        held.append(row)
        if len(held) >= _PART:
            yield csv_lines([row[c] for c in COLUMNS] for row in held)
            held = []
    yield csv_lines([row[c] for c in COLUMNS] for row in held)


def _json(first: dict[str, Any] | None, rows: Iterator[dict[str, Any]]) -> Iterator[str]:
    yield "[" if first is None else "[\n" + _line(first)
    for row in rows:
        yield ",\n" + _line(row)
    yield "]\n"


def _line(row: dict[str, Any]) -> str:
    return json.dumps(row, ensure_ascii=False)
