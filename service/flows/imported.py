"""What imports did: listed, what undoing would do, their bad rows as a file, forgotten when their
time is over.
"""

import gzip
import json
from collections.abc import Iterator, Sequence
from datetime import timedelta
from typing import Any

from service.flows.agreed import basis_line
from service.flows.exports import note_export
from service.flows.import_undo import undoing_of
from service.flows.imports import NoSuchImportError, can_go_on, row_of
from service.flows.runtime import Runtime
from service.flows.spreadsheet import to_csv
from service.store import imports as store
from service.store.db import Session
from service.store.desk_tables import ImportRow

KEPT_LOOKS = timedelta(days=1)
KEPT_PROBLEMS = timedelta(days=30)
"""How long a list that was only looked at is kept, and the rows with a problem of one that went
in."""


def get_import(rt: Runtime, number: int) -> dict[str, Any]:
    """One import as plain values. Raises NoSuchImportError."""

    def load(session: Session) -> dict[str, Any]:
        row = row_of(session, number)
        facts = _facts(session, [row])[0]
        return facts | {
            "look": row.report.get("look", {}),
            "can_go_on": can_go_on(session, row),
            **_undoing(session, row),
        }

    return rt.db.read(load)


def _undoing(session: Session, row: ImportRow) -> dict[str, int]:
    """What undoing would do. here: readers whom it brought and who are here still, which is the sum
    of unmailed: these would be erased · mailed: stay, since a mail went or is on its way · left:
    stay out, since they left · changed: of unmailed, with an interest that was changed since ·
    gone: erased otherwise since."""
    number = row.id or 0
    if row.done_at is None:
        return dict.fromkeys(("here", "unmailed", "mailed", "left", "changed", "gone"), 0)
    here = store.count_imported(session, number)
    unmailed, left = len(store.list_unmailed(session, number)), store.count_left(session, number)
    return {
        "here": here,
        "unmailed": unmailed,
        "left": left,
        "mailed": here - unmailed - left,
        "changed": store.count_changed(session, number, row.done_at),
        "gone": int(row.report.get("done", {}).get("readers", 0)) - here - row.undone,
    }


def _far(row: ImportRow) -> dict[str, int]:
    """How far the last undoing is; empty where there was none. readers: at the press · gone: erased
    · seen: gone, or kept since a mail went to them meanwhile."""
    far = undoing_of(row)
    return {"readers": far.readers, "gone": far.gone, "seen": far.seen} if far else {}


def list_imports(
    session: Session, *, limit: int, offset: int = 0, state: str = "", sort: str = "-at"
) -> list[dict[str, Any]]:
    """Imports, the newest of alike ones first. state, sort: of ``store.STATES``, ``ORDERS``."""
    rows = store.list_imports(session, limit=limit, offset=offset, state=state, sort=sort)
    return _facts(session, rows)


def _facts(session: Session, rows: Sequence[ImportRow]) -> list[dict[str, Any]]:
    kept = store.file_names(session, [row.id or 0 for row in rows])
    return [
        {
            "id": row.id,
            "at": row.at.isoformat(),
            "by": row.done_by,
            "state": row.state,
            "seen": row.report.get("seen", [0, 0]),
            "fault": row.report.get("fault", []),
            "form": row.form,
            "files": [one["name"] for one in row.report.get("look", {}).get("files", [])],
            "basis": row.basis,
            "basis_line": basis_line(row.basis),
            "options": row.options,
            "rows": row.report.get("look", {}).get("rows", 0),
            "done": row.report.get("done", {}),
            "done_at": row.done_at.isoformat() if row.done_at else None,
            "undone": row.undone,
            "undo": _far(row),
            "digest": row.digest,
            "has_problems": bool(
                kept[row.id or 0].get(store.TRIED if row.state == "tried" else store.PROBLEMS)
            ),
        }
        for row in rows
    ]


def forget(rt: Runtime, session: Session) -> int:
    """Throw away lists that were only looked at, and rows with a problem, when their time is
    over."""
    now = rt.clock()
    return store.forget_files(session, now - KEPT_LOOKS, now - KEPT_PROBLEMS)


def part_of(body: bytes) -> tuple[list[tuple[int, str, str]], str]:
    """A part of the bad rows: [(row, address, what is wrong)], and the CSV without its head."""
    first, _, text = gzip.decompress(body).decode().partition("\n")
    return [(n, email, what) for n, email, what in json.loads(first)], text


def problem_parts(rt: Runtime, number: int) -> Iterator[tuple[list[tuple[int, str, str]], str]]:
    """Every part of the bad rows of an import."""
    return map(part_of, _bodies(rt, number))


def first_problems(rt: Runtime, number: int, most: int = 50) -> list[tuple[int, str, str]]:
    """(row, address, what is wrong) of the first ones."""
    found: list[tuple[int, str, str]] = []
    for body in _bodies(rt, number):
        found += part_of(body)[0]
        if len(found) >= most:
            break
    return found[:most]


def export_problems(rt: Runtime, number: int, *, by: str, address: str = "") -> Iterator[str]:
    """Every row with a problem as a CSV with a column ``problem``, in pieces; that it is taken away
    is on record before the first. Raises NoSuchImportError: there are none, or they are not kept
    any more."""
    row = rt.db.read(lambda s: row_of(s, number))
    bodies = _bodies(rt, number)
    first = next(bodies, None)
    if first is None:
        raise NoSuchImportError("This file is not kept any more.", "", "Import the list again.")

    bad = row.report["look" if row.state == "tried" else "done"].get("bad", 0)
    note_export(rt, "problems", bad, which=f"import {number}", form="csv", by=by, address=address)

    def parts() -> Iterator[str]:
        yield to_csv([], [*row.report["look"]["columns"], "problem"])
        yield part_of(first)[1]
        for body in bodies:
            yield part_of(body)[1]

    return parts()


def _bodies(rt: Runtime, number: int) -> Iterator[bytes]:
    row = rt.db.read(lambda s: row_of(s, number))
    kind = store.TRIED if row.state == "tried" else store.PROBLEMS
    for place in rt.db.read(lambda s: store.list_places(s, number, kind)):
        body = rt.db.read(lambda s, p=place: store.get_part(s, number, kind, p))  # type: ignore[misc]
        if body is not None:
            yield body
