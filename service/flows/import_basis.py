"""What an import is: its basis of consent, its lists opened, and what can be wrong with it."""

from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from service.errors import PaperpostError
from service.flows.agreed import BASES, basis_line
from service.flows.import_rows import ImportReport
from service.flows.list_files import Lists, Options, read_options
from service.flows.list_forms import FORMS, OUT
from service.flows.list_packs import ListFile, unpack
from service.flows.runtime import Runtime
from service.flows.staff import write_audit
from service.store import imports as store
from service.store.db import Priority, Session
from service.store.desk_tables import ImportRow
from service.store.processes import is_over

_STATES: Mapping[str, str] = {
    **dict.fromkeys(OUT, "suppressed"),
    "disabled": "left out",
    "nonsubscribed": "left out",
}


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
    if kind and kind not in BASES:
        what = f"{kind[:40]!r} is no basis of consent."
        raise ListError(what, "basis", f"Use {', '.join(BASES)}.")
    if not kind:
        raise ListError(
            "The basis of consent is missing.",
            "basis",
            "Say why these people may be mailed, or have each asked to confirm.",
        )
    if kind == "elsewhere" and not words:
        what = "When and where they confirmed is missing."
        raise ListError(what, "basis_words", "Like: our listmonk, since May 2024.")
    return Basis(kind=kind, words=words)


def row_of(session: Session, number: int, *, hold: bool = False) -> ImportRow:
    """One import. hold: nobody else changes it meanwhile. Raises NoSuchImportError."""
    row = (store.hold_import if hold else store.get_import)(session, number)
    if row is None:
        raise NoSuchImportError("There is no such import.", "", "Look at the list of imports.")
    return row


def lists_of(rt: Runtime, files: Sequence[ListFile], options: Options, basis: Basis) -> Lists:
    """The files, opened. Raises ReaderError: one of them is no list."""
    if basis.kind == "confirm":
        options = read_options(options.facts() | {"confirm": True})
    return Lists(rt, files, options)


def told(lists: Lists, report: ImportReport) -> dict[str, Any]:
    """What a list is and did, as plain values."""
    states: Counter[str] = lists.states
    return report.figures() | {
        "files": [
            {
                "name": table.file.name,
                "sha": table.file.sha,
                "form": FORMS[table.form.name],
                "rows": lists.rows[place],
                "mapped": [list(pair) for pair in table.form.mapped],
                "unread": list(table.form.unread),
            }
            for place, table in enumerate(lists.tables)
        ],
        "forms": [table.form.name for table in lists.tables],
        "states": [[state, _STATES[state], count] for state, count in states.most_common()],
        "columns": lists.columns(),
    }


def claim(session: Session, row: ImportRow, us: int, dead: Sequence[int]) -> bool:
    """Take an import for this process, until it ends. False: a process that lives has it."""
    owner = row.report.get("owner")
    if owner is not None and owner != us and not is_over(session, owner, dead):
        return False
    row.report = {**row.report, "owner": us}
    session.add(row)
    return True


def take_over(
    rt: Runtime, number: int, states: Collection[str], into: str = ""
) -> tuple[ImportRow, list[ListFile]] | None:
    """Take an import that is in one of these states for this process, with the files of its list.
    into: the state it is in then, "" = as it was. None: it is in another state, is not there any
    more, or a process that lives has it."""
    owner = rt.owner()
    dead = owner.dead()

    def take(session: Session) -> tuple[ImportRow, list[tuple[str, bytes]]] | None:
        row = store.hold_import(session, number)
        if row is None or row.state not in states or not claim(session, row, owner.id, dead):
            return None
        row.state = into or row.state
        return row, store.list_files(session, number, store.LIST)

    taken = rt.db.write(take, Priority.WEB)
    if taken is None:
        return None
    row, packed = taken
    return row, [unpack(name, body) for name, body in packed]


def begin(session: Session, row: ImportRow, now: datetime, *, by: str, address: str) -> bool:
    """Have a list that was looked at brought in, on record. False: it was pressed before."""
    assert row.id is not None
    session.flush()
    if not store.set_state(session, row.id, "wanted", ["tried", "stopped"], done_at=None):
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
        session, now, who=by, what="import readers", target=f"import {row.id}", after=after,
        address=address,
    )  # fmt: skip
    return True
