"""Deliveries as a table or as JSON, some at a time: what is in memory does not grow with the
ledger."""

from collections.abc import Iterable, Iterator
from itertools import chain
from typing import Any, Literal

from service.flows.ledger import list_facts
from service.flows.runtime import Runtime
from service.flows.spreadsheet import csv_lines, json_array
from service.store.delivery_lists import Chosen

COLUMNS = (
    "id", "edition", "kind", "email", "state", "meaning", "code", "enhanced", "words", "attempts",
    "message_id", "planned_at", "not_before", "accepted_at",
)  # fmt: skip
Form = Literal["csv", "json"]
TYPES: dict[Form, str] = {"csv": "text/csv; charset=utf-8", "json": "application/json"}
_PART = 1000


def parts(rt: Runtime, chosen: Chosen, form: Form) -> Iterator[str]:
    """The whole list, the oldest first, some at a time; no cell of a CSV starts a formula. Raises
    EditionError before the first part: no such edition."""
    read = _read(rt, chosen)
    found = chain([next(read)], read)  # the first is read here: its fault comes before an answer
    return _csv(found) if form == "csv" else json_array(found)


def _read(rt: Runtime, chosen: Chosen) -> Iterator[list[dict[str, Any]]]:
    last = 0
    while True:
        rows = rt.db.read(
            lambda s, after=last: list_facts(s, chosen, limit=_PART, after_id=after)  # type: ignore[misc]
        )
        yield rows
        if len(rows) < _PART:
            return
        last = rows[-1]["id"]


def _csv(found: Iterable[list[dict[str, Any]]]) -> Iterator[str]:
    yield csv_lines([COLUMNS])
    for rows in found:
        yield csv_lines([row[c] for c in COLUMNS] for row in rows)
