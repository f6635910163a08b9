"""The record of acts: found again, told in words, taken away as a file.

Rows are written by ``flows/staff.write_audit`` in the transaction of the act.
"""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from service.errors import PaperpostError
from service.flows.runtime import Runtime
from service.flows.spreadsheet import csv_lines, json_array
from service.store import staff as store
from service.store.house_tables import AuditRow
from service.store.staff import ActsWanted
from service.subscribers.cadence import bounds

COLUMNS = ("id", "at", "who", "what", "target", "before", "after", "reason", "address")
_PART = 1000


class ActsError(PaperpostError):
    """A filter that no act can meet."""


@dataclass(frozen=True, slots=True)
class Change:
    """One field of an act: what it was and what it is, each None where there was nothing."""

    name: str
    was: str | None
    now: str | None


def read_wanted(
    *,
    who: str = "",
    what: str = "",
    target: str = "",
    first: date | None = None,
    last: date | None = None,
    zone: str = "UTC",
) -> ActsWanted:
    """Which acts were asked for. first, last: days of the installation (``zone``).

    Raises ActsError: a last day before the first.
    """
    if first is not None and last is not None and first > last:
        raise ActsError(
            f"{first} is after {last}: no day is in between.",
            "--since",
            "Give the earlier day as --since and the later one as --until.",
        )
    since, until = bounds(first, last, zone)
    return ActsWanted(
        who=who.strip(),
        what=" ".join(what.split()),
        target=target.strip(),
        since=since,
        until=until,
    )


def facts(row: AuditRow) -> dict[str, Any]:
    """One act for JSON."""
    return {name: getattr(row, name) for name in COLUMNS}


def changes(before: Mapping[str, Any] | None, after: Mapping[str, Any] | None) -> list[Change]:
    """What an act changed, field by field; what stayed as it was, or is nothing before and after,
    is left out."""
    was, now = before or {}, after or {}
    found = [
        Change(name, told(was.get(name)), told(now.get(name)))
        for name in dict.fromkeys([*was, *now])
        if not (name in was and name in now and was[name] == now[name])
    ]
    return [one for one in found if one.was is not None or one.now is not None]


def told(value: Any) -> str | None:
    """A value in words: "yes", "a, b", numbers as they are; None where there is none."""
    if value is None or value in ("", [], {}):
        return None
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    if isinstance(value, Mapping):
        pairs = ((name, told(one)) for name, one in value.items())
        return "; ".join(f"{name}: {one}" for name, one in pairs if one is not None)
    if isinstance(value, Sequence) and not isinstance(value, str):
        return ", ".join(filter(None, map(told, value)))
    return str(value)


def _parts(rt: Runtime, wanted: ActsWanted) -> Iterator[list[AuditRow]]:
    """Every act that was asked for, newest first, read some at a time."""
    last: int | None = None
    while True:
        found = rt.db.read(
            lambda s, b=last: store.list_audit(s, wanted=wanted, limit=_PART, before_id=b)  # type: ignore[misc]
        )
        yield found
        if len(found) < _PART:
            return
        last = found[-1].id


def csv_parts(rt: Runtime, wanted: ActsWanted) -> Iterator[str]:
    """Acts as a table for a spreadsheet, some at a time; no cell starts a formula."""
    yield csv_lines([COLUMNS])
    for part in _parts(rt, wanted):
        yield csv_lines([_cell(value) for value in facts(row).values()] for row in part)


def json_parts(rt: Runtime, wanted: ActsWanted) -> Iterator[str]:
    """Acts as one JSON array, some at a time."""
    return json_array([_plain(row) for row in part] for part in _parts(rt, wanted))


def _plain(row: AuditRow) -> dict[str, Any]:
    return facts(row) | {"at": row.at.isoformat()}


def _cell(value: Any) -> str:
    if isinstance(value, datetime):
        return value.isoformat()
    if isinstance(value, Mapping):
        return json.dumps(value, ensure_ascii=False)
    return "" if value is None else str(value)
