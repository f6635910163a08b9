"""A list is looked at, and nobody is added: a short one at once, a long one while its page says how
far it is. What was looked at is kept, so that the press brings in exactly that.
"""

import hashlib
import json
from collections.abc import Callable, Sequence
from typing import Any

from service.errors import PaperpostError
from service.flows.import_basis import Basis, ListError, begin, lists_of, take_over, told
from service.flows.import_rows import ImportReport, packed_part, portion_in
from service.flows.list_files import Options, read_options
from service.flows.list_packs import ListFile
from service.flows.newcomers import NewReader
from service.flows.runtime import Runtime
from service.store import imports as store
from service.store.db import Priority, Session
from service.store.desk_tables import ImportRow

SMALL_BYTES = 500_000
"""Of all files, unpacked: these are looked at while somebody waits, which takes half a second."""

SAMPLES = 10
_TOLD_EACH = 10
"""Portions after which it is written down how far a look is."""

_MOST_TRIES = 3
"""Looks that were broken off by an error that nobody foresaw."""

Told = Callable[[int, int], None]
"""How far it is is told to whoever waits: (rows that are done, of how many)."""


class _GoneError(Exception):
    """Nobody waits for this look any more, or its process ends."""


def look(
    rt: Runtime,
    files: Sequence[ListFile],
    options: Options,
    basis: Basis,
    *,
    by: str,
    on_rows: Told | None = None,
    at_once: bool = False,
    press_from: str | None = None,
) -> int:
    """Read a list and say what would happen. Keeps the files for a day. Returns the import's
    number; a long list is ``looking`` until it has been looked at by the task of looks, unless
    at_once. press_from: a long list is to be brought in when it has been looked at, as it is asked
    for from this address. Raises ReaderError, ListError."""
    if not files:
        raise ListError("No list was given.", "file", "Choose a file or paste.")
    digest = _digest(files, options, basis)
    asked = {"by": by, "address": press_from} if press_from is not None else None
    is_later = not at_once and sum(file.size for file in files) > SMALL_BYTES
    if is_later:
        report: dict[str, Any] = told(lists_of(rt, files, options, basis), ImportReport())
        parts: list[bytes] = []
    else:
        report, parts = dry_run(rt, files, options, basis, on_rows=on_rows)

    def keep(session: Session) -> int:
        again = store.find_tried(session, digest)
        if again is not None and again.id is not None:
            if again.state == "looking" and is_later:
                _press_too(session, again.id, asked)
                return again.id
            if again.state in ("looking", "tried", "refused"):
                session.delete(again)
                session.flush()
        row = ImportRow(
            at=rt.clock(),
            done_by=by,
            digest=digest,
            basis=basis.facts(),
            options=options.facts(),
            state="looking",
            report={"look": report | {"before": _before(session, files)}},
        )
        if is_later and asked is not None:
            row.report = {**row.report, "press": asked}
        number = store.add_import(session, row, [(f.name, f.packed) for f in files])
        if not is_later:
            _keep_look(session, row, report, parts)
        return number

    number = rt.db.write(keep, Priority.WEB)
    if is_later:
        rt.engine.enqueue("looks")
    return number


def _press_too(session: Session, number: int, asked: dict[str, str] | None) -> None:
    """Who looked at it alone, and who wants it brought in, wait for one look. The first press
    counts."""
    row = store.hold_import(session, number)
    if asked is None or row is None or row.state != "looking" or "press" in row.report:
        return
    row.report = {**row.report, "press": asked}
    session.add(row)


def _before(session: Session, files: Sequence[ListFile]) -> list[int]:
    """Imports that brought in one of these files, newest first."""
    shas = {file.sha for file in files}
    return [
        row.id or 0
        for row in store.list_imports(session, limit=500)
        if row.state in ("wanted", "running", "stopped", "done")
        and shas & {one.get("sha", "") for one in row.report.get("look", {}).get("files", [])}
    ]


def _keep_look(
    session: Session, row: ImportRow, report: dict[str, Any], parts: Sequence[bytes]
) -> None:
    row.state = "tried"
    # "mailchimp" of all of its files; all four systems are 31 letters, 32 are stored
    row.form = ", ".join(dict.fromkeys(form.partition("-")[0] for form in report["forms"]))
    row.report = {"look": row.report["look"] | report}
    session.add(row)
    for place, part in enumerate(parts):
        store.add_file(session, row.id or 0, store.TRIED, place, part)


def look_at(rt: Runtime, number: int, going_on: Callable[[], bool] = lambda: True) -> None:
    """Look at a list that waits for it. Whatever breaks it off, it is looked at anew from its
    beginning; what cannot be read is said on its page. going_on: False where this process ends."""
    taken = take_over(rt, number, ("looking",))
    if taken is None:
        return
    row, files = taken
    said, steps = row.report, 0

    def tell(rows: int, of: int) -> None:
        nonlocal steps
        steps += 1
        if not going_on():
            raise _GoneError
        if steps % _TOLD_EACH == 1 and not rt.db.write(
            lambda s: _note(s, number, {"seen": [rows, of]}), Priority.BULK
        ):
            raise _GoneError

    try:
        options, basis = read_options(row.options), Basis(**row.basis)
        report, parts = dry_run(rt, files, options, basis, on_rows=tell)
    except _GoneError:
        return
    except PaperpostError as error:
        fault = [error.what, error.where, error.next_step]
        rt.db.write(lambda s: _refuse(rt, s, number, [*map(str, fault)]), Priority.WEB)
        return
    except Exception as error:
        _failed(rt, number, said, type(error).__name__)
        raise

    def keep(session: Session) -> None:
        one = store.hold_import(session, number)
        if one is not None and one.state == "looking":
            for place, file in enumerate(one.report["look"]["files"]):
                report["files"][place]["sha"] = file["sha"]  # of what came: it is kept without
            asked = one.report.get("press")
            _keep_look(session, one, report, parts)
            if asked is not None:
                begin(session, one, rt.clock(), **asked)

    rt.db.write(keep, Priority.WEB)
    rt.engine.enqueue("imports")


def _note(session: Session, number: int, facts: dict[str, Any]) -> bool:
    row = store.hold_import(session, number)
    if row is None or row.state != "looking":
        return False
    row.report = {**row.report, **facts}
    session.add(row)
    return True


def _refuse(rt: Runtime, session: Session, number: int, fault: list[str]) -> None:
    """Nothing of a list that cannot be read is kept but why: for a day from now, whenever it was
    given."""
    if _note(session, number, {"fault": fault}):
        store.set_state(session, number, "refused", ["looking"], done_at=rt.clock())
        store.delete_files(session, number, [store.LIST])


def _failed(rt: Runtime, number: int, said: dict[str, Any], error: str) -> None:
    """An error that nobody foresaw: the sweep looks at it again, a few times."""
    tries = said.get("tries", 0) + 1
    if tries < _MOST_TRIES:
        rt.db.write(lambda s: _note(s, number, {"tries": tries}), Priority.WEB)
        return
    what = f"This list could not be looked at: {error}."
    fault = [what, "", "Split it to find the row that does it; the log of the service says more."]
    rt.db.write(lambda s: _refuse(rt, s, number, fault), Priority.WEB)


def dry_run(
    rt: Runtime,
    files: Sequence[ListFile],
    options: Options,
    basis: Basis,
    *,
    on_rows: Told | None = None,
) -> tuple[dict[str, Any], list[bytes]]:
    """What an import would do, and its rows with a problem as packed parts; nothing is kept."""
    lists = lists_of(rt, files, options, basis)
    report, parts, rows = ImportReport(), [], 0
    samples: list[dict[str, Any]] = []
    for portion in lists.portions():
        made, problems, _ = rt.db.read(
            lambda s, p=portion: portion_in(rt, s, p, by="", dry_run=True)  # type: ignore[misc]
        )
        report.add(made)
        rows += portion.rows
        if problems:
            parts.append(packed_part(lists, problems))
        samples += [_sample(one) for one in made.first[: SAMPLES - len(samples)]]
        if on_rows is not None:
            on_rows(rows, lists.rows.total())
    rt.log("import_tried", rows=report.rows, added=report.added, problems=report.bad)
    return told(lists, report) | {"samples": samples}, parts


def _sample(rows: Sequence[NewReader]) -> dict[str, Any]:
    new = rows[0]
    return {
        "email": new.address.email,
        "name": new.name,
        "interests": [w.text or "trending" for row in rows for w in row.wanted],
        "language": new.locale,
        "zone": new.zone,
        "hour": new.hour,
        "tags": list(new.tags),
        "confirmed": new.confirmed,
        "agreed": new.agreed,
    }


def _digest(files: Sequence[ListFile], options: Options, basis: Basis) -> str:
    said = {"files": [f.sha for f in files], "options": options.facts(), "basis": basis.facts()}
    return hashlib.sha256(json.dumps(said, sort_keys=True).encode()).hexdigest()
