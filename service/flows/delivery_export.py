"""Deliveries as a table or as JSON, some at a time: what is in memory does not grow with the
ledger."""

from collections.abc import Iterator
from itertools import chain
from typing import Any

from service.flows.exports import Form, note_export, told, written
from service.flows.ledger import list_facts
from service.flows.runtime import Runtime
from service.store.delivery_lists import Chosen, count_chosen

COLUMNS = (
    "id", "edition", "kind", "email", "state", "meaning", "code", "enhanced", "words", "attempts",
    "message_id", "planned_at", "not_before", "accepted_at",
)  # fmt: skip
_PART = 1000


def export(rt: Runtime, chosen: Chosen, form: Form, *, by: str, address: str = "") -> Iterator[str]:
    """The whole list, taken away: that it is stands on record before its first part. Raises
    EditionError before that: no such edition."""
    made = parts(rt, chosen, form)
    count = rt.db.read(lambda s: count_chosen(s, chosen))
    which = told(
        edition=chosen.edition_id, state=", ".join(chosen.states) or _held(chosen),
        meaning=chosen.meaning, domain=chosen.domain, since=chosen.since, until=chosen.until,
        address=chosen.address, words=chosen.words,
    )  # fmt: skip
    note_export(rt, "deliveries", count, which=which, form=form, by=by, address=address)
    return made


def _held(chosen: Chosen) -> str:
    return "held" if chosen.held_by is not None else ""


def parts(rt: Runtime, chosen: Chosen, form: Form) -> Iterator[str]:
    """The whole list, the oldest first, some at a time; no cell of a CSV starts a formula. Raises
    EditionError before the first part: no such edition."""
    read = _read(rt, chosen)
    found = chain([next(read)], read)  # the first is read here: its fault comes before an answer
    return written(COLUMNS, found, form)


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
