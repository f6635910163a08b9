"""Imports of lists: what was looked at is brought in, once, in portions that go on where they
ended, and can be stopped between two of them. The look: ``flows/import_look``; what became of it:
``flows/imported``.
"""

from collections.abc import Callable, Sequence
from typing import Any

from service.flows import import_undo
from service.flows.import_basis import (
    Basis,
    ListError,
    NoSuchImportError,
    begin,
    lists_of,
    read_basis,
    row_of,
    take_over,
)
from service.flows.import_look import Told, dry_run, look, look_at
from service.flows.import_rows import ImportReport, packed_part, portion_in, tag_there
from service.flows.list_files import read_options
from service.flows.runtime import Runtime
from service.flows.staff import write_audit
from service.store import imports as store
from service.store.db import Priority, Session
from service.store.desk_tables import ImportRow
from service.subscribers.cadence import local_date

__all__ = [
    "Basis", "ListError", "NoSuchImportError", "Told", "bring_in", "can_go_on", "dry_run", "go_on",
    "is_small", "look", "press", "read_basis", "row_of", "stop",
]  # fmt: skip

SMALL = 2000
"""Rows that are brought in while somebody waits; a longer list goes on by itself."""


def press(rt: Runtime, number: int, *, by: str, digest: str = "", address: str = "") -> bool:
    """Have a list that was looked at brought in, or one that was stopped go on. False: it was
    pressed before. digest: of what was looked at. Raises NoSuchImportError, ListError: another list
    than was looked at, one that nobody has looked at yet, or that cannot go on."""

    def act(session: Session) -> bool:
        row = row_of(session, number, hold=True)
        if digest and digest != row.digest:
            what = "This is another list than the one that was looked at."
            raise ListError(what, "file", "Look at it again.")
        if row.state in ("looking", "refused"):
            what = "This list has not been looked at."
            raise ListError(what, "file", "Wait until it is, or give another one.")
        if row.state == "stopped" and not can_go_on(session, row):
            what = "The rest of this list is not kept any more."
            raise ListError(what, "file", "Import it anew: who is in stays as they are.")
        return begin(session, row, rt.clock(), by=by, address=address)

    return rt.db.write(act, Priority.WEB)


def is_small(rt: Runtime, number: int) -> bool:
    """Whether one can wait for it."""
    row = rt.db.read(lambda s: row_of(s, number))
    return int(row.report.get("look", {}).get("rows", 0)) <= SMALL


def can_go_on(session: Session, row: ImportRow) -> bool:
    """Whether an import that was stopped can go on: its list is kept, and none of it was undone."""
    kept = store.list_places(session, row.id or 0, store.LIST)
    return row.state == "stopped" and bool(kept) and not row.undone


def stop(rt: Runtime, number: int, *, by: str, address: str = "") -> str:
    """End a look, an import after the portion that is going in (who is in stays, and it can go
    on or be undone), or an undoing (who is erased stays so). Returns its state: "" where nothing
    of a look is left. Raises NoSuchImportError, ListError: nothing is under way."""

    def act(session: Session) -> str:
        row = row_of(session, number, hold=True)
        far = {"rows": row.report.get("done", {}).get("rows", 0)}
        is_look = row.state == "looking"
        if is_look:
            session.delete(row)
        elif row.state == "undoing":
            far = import_undo.stop(session, row)
        elif store.set_state(session, number, "stopped", ["wanted", "running"], done_at=rt.clock()):
            session.refresh(row)
            forget_samples(session, row)
        else:
            what = "Nothing of this import is under way."
            raise ListError(what, "state", "Look at it again.")
        write_audit(
            session, rt.clock(), who=by, what="stop import", target=f"import {number}",
            after=far, address=address,
        )  # fmt: skip
        return "" if is_look else row.state

    return rt.db.write(act, Priority.WEB)


def forget_samples(session: Session, row: ImportRow) -> None:
    """What stays of an import for good has no addresses in it, and no process holds it."""
    kept = {name: row.report.get(name, {}) for name in ("look", "done")}
    row.report = {**kept, "look": kept["look"] | {"samples": []}}
    session.add(row)


def go_on(
    rt: Runtime,
    going_on: Callable[[], bool] = lambda: True,
    states: Sequence[str] = store.OPEN,
) -> int:
    """Look at what waits for it, bring in or undo what was pressed, and go on with what another
    process left half done. Returns how many. going_on: False where this process ends · states: of
    those that are meant.

    One that fails stops no other; its error is raised when all were gone through.
    """
    numbers = rt.db.read(lambda s: store.list_open(s, states))
    failed: Exception | None = None
    for number in numbers:
        if not going_on():
            break
        try:
            look_at(rt, number, going_on)
            bring_in(rt, number, going_on=going_on)
            import_undo.take_back(rt, number, going_on=going_on)
        except Exception as error:
            rt.log("import_failed", number=number, error=type(error).__name__)
            failed = failed or error
    if failed is not None:
        raise failed
    return len(numbers)


def bring_in(
    rt: Runtime,
    number: int,
    *,
    on_rows: Told | None = None,
    going_on: Callable[[], bool] = lambda: True,
) -> None:
    """Portion by portion, each in a transaction of its own together with how far it came: a process
    that dies loses nothing, and two of them do no portion twice. Ends after a portion where it was
    stopped, or not going_on."""
    taken = take_over(rt, number, ("wanted", "running"), "running")
    if taken is None:
        return
    row, files = taken
    basis, options = Basis(**row.basis), read_options(row.options)
    lists = lists_of(rt, files, options, basis)
    day = local_date(row.at, rt.zone).isoformat()
    said = [{**row.basis, "file": file.name, "on": day} for file in files]
    done, rows = row.step, 0
    for step, portion in enumerate(lists.portions()):
        rows += portion.rows
        if step < done:
            continue
        if not going_on():
            return

        def act(session: Session, p: Any = portion, n: int = step) -> bool:
            if not store.set_step(session, number, n):
                return False
            made, problems, brought = portion_in(rt, session, p, by=row.done_by, basis=said)
            one = row_of(session, number)
            report = ImportReport(**one.report.get("done", {}))
            report.add(made)
            one.report = one.report | {"done": report.figures()}
            session.add(one)
            store.add_imported(session, number, brought)
            tag_there(session, p, options.tags)
            if problems:
                store.add_file(session, number, store.PROBLEMS, n, packed_part(lists, problems))
            return True

        if not rt.db.write(act, Priority.BULK):
            return
        if on_rows is not None:
            on_rows(rows, lists.rows.total())
        rt.engine.enqueue("send")
    rt.db.write(lambda s: _end(rt, s, number), Priority.WEB)


def _end(rt: Runtime, session: Session, number: int) -> None:
    if store.set_state(session, number, "done", ["running"], done_at=rt.clock()):
        store.delete_files(session, number, [store.LIST, store.TRIED])
        row = row_of(session, number)
        forget_samples(session, row)
        figures = row.report.get("done", {})
        rt.log("import", rows=figures.get("rows", 0), added=figures.get("added", 0))
