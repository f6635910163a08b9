"""Imports of lists: looked at first, then exactly that is brought in, once, in portions that go on
where they ended. What became of them: ``flows/imported``.
"""

import hashlib
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from service.errors import PaperpostError
from service.flows.agreed import BASES, basis_line
from service.flows.import_rows import ImportReport, packed_part, portion_in, tag_there
from service.flows.list_files import Lists, Options, read_options
from service.flows.list_forms import FORMS, OUT
from service.flows.list_packs import ListFile, unpack
from service.flows.newcomers import NewReader
from service.flows.runtime import Runtime
from service.flows.staff import write_audit
from service.store import imports as store
from service.store.db import Priority, Session
from service.store.desk_tables import ImportRow
from service.subscribers.cadence import local_date

SMALL = 2000
"""Rows that are brought in while somebody waits; a longer list goes on by itself."""

SAMPLES = 10
_STATES: Mapping[str, str] = {
    **dict.fromkeys(OUT, "suppressed"),
    "disabled": "left out",
    "nonsubscribed": "left out",
}
Told = Callable[[int], None]


class ListError(PaperpostError):
    """An import that cannot be; ``where`` is the field."""


class NoSuchImportError(PaperpostError):
    """An import that is not there, or whose file is not kept any more."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Basis:
    """What makes the readers of a list readers: one of ``BASES``, "" = nothing was said · words:
    when and where, in the staff's words."""

    kind: str = ""
    words: str = ""

    def facts(self) -> dict[str, str]:
        return {name: getattr(self, name) for name in ("kind", "words") if getattr(self, name)}


def read_basis(kind: str, words: str, *, needed: bool = True) -> Basis:
    """The basis of consent that was chosen. Raises ListError: none, though one is needed, or one
    that says nothing of when and where."""
    kind, words = kind.strip(), " ".join(words.split())[:300]
    if not kind and not needed:
        return Basis()
    if kind not in BASES:
        raise ListError(
            "The basis of consent is missing.",
            "basis",
            "Say why these people may be mailed, or have each asked to confirm.",
        )
    if kind == "elsewhere" and not words:
        what = "When and where they confirmed is missing."
        raise ListError(what, "basis_words", "Like: our listmonk, since May 2024.")
    return Basis(kind=kind, words=words)


# ---- look ----


def look(
    rt: Runtime,
    files: Sequence[ListFile],
    options: Options,
    basis: Basis,
    *,
    by: str,
    on_rows: Told | None = None,
) -> int:
    """Read a list and say what would happen; nobody is added. Keeps the files for a day, so that
    the press imports exactly these. Returns the import's number. Raises ReaderError,
    ListError."""
    if not files:
        raise ListError("No list was given.", "file", "Choose a file or paste.")
    digest = _digest(files, options, basis)
    report, parts = dry_run(rt, files, options, basis, on_rows=on_rows)

    def keep(session: Session) -> int:
        again = store.find_tried(session, digest)
        if again is not None and again.state == "tried" and again.id is not None:
            session.delete(again)
            session.flush()
        row = ImportRow(
            at=rt.clock(),
            done_by=by,
            digest=digest,
            form=", ".join(dict.fromkeys(report["forms"])),
            basis=basis.facts(),
            options=options.facts(),
            report={"look": report},
        )
        number = store.add_import(session, row, [(f.name, f.packed) for f in files])
        for place, part in enumerate(parts):
            store.add_file(session, number, store.TRIED, place, part)
        return number

    return rt.db.write(keep, Priority.WEB)


def dry_run(
    rt: Runtime,
    files: Sequence[ListFile],
    options: Options,
    basis: Basis,
    *,
    on_rows: Told | None = None,
) -> tuple[dict[str, Any], list[bytes]]:
    """What an import would do, and its rows with a problem as packed parts; nothing is kept."""
    lists = _lists(rt, files, options, basis)
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
        samples += [_sample(rows) for rows in made.first[: SAMPLES - len(samples)]]
        if on_rows is not None:
            on_rows(rows)
    rt.log("import_tried", rows=report.rows, added=report.added, problems=report.bad)
    return _told(lists, report) | {"samples": samples}, parts


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


def _lists(rt: Runtime, files: Sequence[ListFile], options: Options, basis: Basis) -> Lists:
    if basis.kind == "confirm":
        options = read_options(options.facts() | {"confirm": True})
    return Lists(rt, files, options)


def _told(lists: Lists, report: ImportReport) -> dict[str, Any]:
    """What a list is and did, as plain values."""
    return report.figures() | {
        "files": [
            {
                "name": table.file.name,
                "form": FORMS[table.form.name],
                "rows": lists.rows[place],
                "mapped": [list(pair) for pair in table.form.mapped],
                "unread": list(table.form.unread),
            }
            for place, table in enumerate(lists.tables)
        ],
        "forms": [table.form.name for table in lists.tables],
        "states": [[state, _STATES[state], count] for state, count in lists.states.most_common()],
        "columns": lists.columns(),
    }


def _digest(files: Sequence[ListFile], options: Options, basis: Basis) -> str:
    said = {"files": [f.sha for f in files], "options": options.facts(), "basis": basis.facts()}
    return hashlib.sha256(json.dumps(said, sort_keys=True).encode()).hexdigest()


# ---- press ----


def press(rt: Runtime, number: int, *, by: str, digest: str = "", address: str = "") -> bool:
    """Have a list that was looked at brought in. False: it was pressed before. digest: of what was
    looked at. Raises NoSuchImportError, ListError: another list than was looked at."""

    def begin(session: Session) -> bool:
        row = row_of(session, number)
        if digest and digest != row.digest:
            what = "This is another list than the one that was looked at."
            raise ListError(what, "file", "Look at it again.")
        if not store.set_state(session, number, "wanted", ["tried"], step=0):
            return False
        look = row.report.get("look", {})
        after = {
            "files": [one["name"] for one in look.get("files", [])],
            "form": row.form,
            "rows": look.get("rows", 0),
            "readers": look.get("readers", 0),
            "basis": basis_line(row.basis),
        }
        write_audit(
            session, rt.clock(), who=by, what="import readers", target=f"import {number}",
            after=after, address=address,
        )  # fmt: skip
        return True

    return rt.db.write(begin, Priority.WEB)


def is_small(rt: Runtime, number: int) -> bool:
    """Whether one can wait for it."""
    row = rt.db.read(lambda s: row_of(s, number))
    return int(row.report.get("look", {}).get("rows", 0)) <= SMALL


def go_on(rt: Runtime) -> int:
    """Bring in what was pressed, and what another process left half done. Returns how many.

    One that fails stops no other; its error is raised when all were gone through.
    """
    numbers = rt.db.read(store.list_open)
    failed: Exception | None = None
    for number in numbers:
        try:
            bring_in(rt, number)
        except Exception as error:
            rt.log("import_failed", number=number, error=type(error).__name__)
            failed = failed or error
    if failed is not None:
        raise failed
    return len(numbers)


def bring_in(rt: Runtime, number: int, *, on_rows: Told | None = None) -> None:
    """Portion by portion, each in a transaction of its own together with how far it came: a process
    that dies loses nothing, and two of them do no portion twice. Raises NoSuchImportError."""

    def begin(session: Session) -> tuple[ImportRow, list[tuple[str, bytes]]]:
        store.set_state(session, number, "running", ["wanted"])
        return row_of(session, number), store.list_files(session, number, store.LIST)

    row, packed = rt.db.write(begin, Priority.WEB)
    if row.state != "running":
        return
    files = [unpack(name, body) for name, body in packed]
    basis, options = Basis(**row.basis), read_options(row.options)
    lists = _lists(rt, files, options, basis)
    day = local_date(row.at, rt.zone).isoformat()
    said = [{**row.basis, "file": file.name, "on": day} for file in files]
    done, rows = row.step, 0
    for step, portion in enumerate(lists.portions()):
        rows += portion.rows
        if step < done:
            continue

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
            on_rows(rows)
        rt.engine.enqueue("send")
    rt.db.write(lambda s: _end(rt, s, number), Priority.WEB)


def _end(rt: Runtime, session: Session, number: int) -> None:
    if store.set_state(session, number, "done", ["running"], done_at=rt.clock()):
        store.delete_files(session, number, [store.LIST, store.TRIED])
        row = row_of(session, number)  # kept for good: no addresses in it
        row.report = row.report | {"look": row.report.get("look", {}) | {"samples": []}}
        session.add(row)
        figures = row.report.get("done", {})
        rt.log("import", rows=figures.get("rows", 0), added=figures.get("added", 0))


def row_of(session: Session, number: int) -> ImportRow:
    """One import. Raises NoSuchImportError."""
    row = store.get_import(session, number)
    if row is None:
        raise NoSuchImportError("There is no such import.", "", "Look at the list of imports.")
    return row
