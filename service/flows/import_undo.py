"""Undoing an import: those whom it brought and who were never mailed are erased, in portions that
go on where they ended, whatever breaks them off.

Who they are is kept with the press, as files of the import (``store.UNDO``), a portion each; a
portion goes in the transaction that erases its readers.
"""

import gzip
import json
from collections.abc import Callable
from dataclasses import asdict, dataclass, replace
from typing import Any

from service.flows.import_basis import ListError, row_of, take_over
from service.flows.import_look import Told
from service.flows.reader_acts import erase_some
from service.flows.runtime import Runtime
from service.flows.staff import write_audit
from service.store import imports as store
from service.store.db import Priority, Session
from service.store.desk_tables import ImportRow

SMALL = 200
"""Readers who are erased while somebody waits, about 10 ms each; more of them go by themselves."""

_PORTION = 50


@dataclass(frozen=True, slots=True)
class Undoing:
    """readers: how many were to be erased at the press · gone: of these, so far · seen: gone, or
    kept since a mail went to them meanwhile · was: the import's state before · by: who pressed."""

    readers: int
    by: str = ""
    gone: int = 0
    seen: int = 0
    was: str = "done"


def undoing_of(row: ImportRow) -> Undoing | None:
    """The last undoing of an import; None: there was none."""
    kept = row.report.get("undo")
    return Undoing(**kept) if kept else None


def press(
    rt: Runtime, number: int, *, expected: int, by: str, reason: str = "", address: str = ""
) -> bool:
    """Have those erased whom an import brought and who were never mailed; ``take_back`` does it.
    expected: how many that is, as it was shown. False: it was pressed before. Raises
    NoSuchImportError, ListError: another number, or the import is not over."""

    def act(session: Session) -> bool:
        row = row_of(session, number, hold=True)
        before = undoing_of(row)
        if row.state == "undoing":
            return False
        if row.state not in ("done", "stopped"):
            what = "This import is not over; nothing was done."
            raise ListError(what, "number", "Stop it first, or wait until it is in.")
        ids = store.list_unmailed(session, number)
        if before is not None and not ids and expected == before.readers:
            return False
        if len(ids) != expected:
            raise ListError(
                f"These are {len(ids):,} readers, not {expected:,}; nothing was done.",
                "number",
                f"If that is right, type {len(ids)}.",
            )
        write_audit(
            session, rt.clock(), who=by, what="undo import", target=f"import {number}",
            after={"readers": len(ids)}, address=address, reason=reason,
        )  # fmt: skip
        store.delete_files(session, number, [store.LIST, store.TRIED])  # it does not go on
        for place, start in enumerate(range(0, len(ids), _PORTION)):
            part = json.dumps(ids[start : start + _PORTION]).encode()
            store.add_file(session, number, store.UNDO, place, gzip.compress(part, mtime=0))
        _keep(session, row, Undoing(len(ids), by, was=row.state))
        row.state = "undoing"
        return True

    return rt.db.write(act, Priority.WEB)


def take_back(
    rt: Runtime,
    number: int,
    *,
    on_readers: Told | None = None,
    going_on: Callable[[], bool] = lambda: True,
) -> None:
    """Erase what was pressed, portion by portion: a process that dies loses nothing, and two of
    them erase nobody twice. Ends after a portion where it was stopped, or not going_on."""
    if take_over(rt, number, ("undoing",)) is None:
        return
    for place in rt.db.read(lambda s: store.list_places(s, number, store.UNDO)):
        if not going_on():
            return
        far = rt.db.write(lambda s, p=place: _erase_part(rt, s, number, p), Priority.BULK)  # type: ignore[misc]
        if far is not None and on_readers is not None:
            on_readers(far.seen, far.readers)
    rt.db.write(lambda s: _end(s, row_of(s, number, hold=True)), Priority.WEB)


def _erase_part(rt: Runtime, session: Session, number: int, place: int) -> Undoing | None:
    """Erased without a bar: they never asked to be left alone, the list was wrong. Who was mailed
    meanwhile stays. None: this part is done, or the undoing was stopped."""
    row = row_of(session, number, hold=True)
    body = store.get_part(session, number, store.UNDO, place)
    far = undoing_of(row)
    if body is None or far is None:
        return None
    ids = json.loads(gzip.decompress(body))
    still = store.list_unmailed(session, number, ids)
    gone = erase_some(rt, session, still, far.by, bar=False)
    row.undone += gone
    far = replace(far, gone=far.gone + gone, seen=far.seen + len(ids))
    _keep(session, row, far)
    store.delete_part(session, number, store.UNDO, place)
    return far


def stop(session: Session, row: ImportRow) -> dict[str, Any]:
    """End an undoing inside a transaction: who is erased stays so, the others are readers. Returns
    how far it was, for the record."""
    far = undoing_of(row) or Undoing(0)
    store.delete_files(session, row.id or 0, [store.UNDO])
    _end(session, row)
    return {"erased": far.gone}


def _end(session: Session, row: ImportRow) -> None:
    far = undoing_of(row)
    if far is None or row.state != "undoing" or store.list_places(session, row.id or 0, store.UNDO):
        return
    row.state = far.was
    row.report = {name: value for name, value in row.report.items() if name != "owner"}
    session.add(row)


def _keep(session: Session, row: ImportRow, far: Undoing) -> None:
    row.report = {**row.report, "undo": asdict(far)}
    session.add(row)
