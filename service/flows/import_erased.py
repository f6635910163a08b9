"""Readers who are erased go from the files of imports too."""

import csv
import gzip
import io
import json
import re
from collections.abc import Iterable, Mapping
from datetime import datetime

from service.errors import PaperpostError
from service.flows.imported import part_of
from service.flows.list_files import Table, bare
from service.flows.list_packs import unpack
from service.flows.runtime import Runtime
from service.flows.spreadsheet import ReaderError
from service.store import consent as consent_store
from service.store import imports as store
from service.store.db import Priority, Session
from service.store.desk_tables import ImportRow
from service.subscribers.address import read_address

_BETWEEN = re.compile(r"""[\s,;:|"<>()\[\]]+""")
"""What may stand around an address in a row that is broken."""

_FAULT = (
    "Somebody in this list was erased since; nothing of it is kept.",
    "",
    "Take them out, and give the list again.",
)


def forget_erased(rt: Runtime) -> int:
    """Take who was erased since an import out of its rows with a problem; a list that holds them is
    not kept. An import that is under way is left: its list goes with its end. Returns how many
    imports had somebody. Safe to run at any time."""
    return sum(_forget_in(rt, row) for row in rt.db.read(store.list_kept))


def _forget_in(rt: Runtime, row: ImportRow) -> bool:
    number = row.id or 0
    since = datetime.fromisoformat(row.report.get("erased", row.at.isoformat()))
    erased = rt.db.read(lambda s: consent_store.list_erased(s, since))
    if not erased:
        return False
    is_listed = row.state in ("tried", "stopped") and _is_listed(rt, number, erased)
    changed: dict[tuple[str, int], bytes] = {}
    for kind in (store.TRIED, store.PROBLEMS):
        for place in rt.db.read(lambda s, k=kind: store.list_places(s, number, k)):  # type: ignore[misc]
            body = rt.db.read(lambda s, k=kind, p=place: store.get_part(s, number, k, p))  # type: ignore[misc]
            less = _less(rt, body, erased) if body is not None else None
            if less is not None:
                changed[kind, place] = less

    def act(session: Session) -> None:
        one = store.hold_import(session, number)
        if one is None or one.state != row.state:
            return  # pressed meanwhile: it is looked through when it is over
        for (kind, place), body in changed.items():
            store.set_part(session, number, kind, place, body)
        report = {**one.report, "erased": max(erased.values()).isoformat()}
        if is_listed:
            store.delete_files(session, number, [store.LIST])
            report["look"] = report.get("look", {}) | {"samples": []}
            if one.state == "tried":
                one.state = "refused"
                report["fault"] = list(_FAULT)
        one.report = report
        session.add(one)

    rt.db.write(act, Priority.BULK)
    return is_listed or bool(changed)


def _is_erased(rt: Runtime, cells: Iterable[str | None], erased: Mapping[str, datetime]) -> bool:
    """Whether one of them stands in a row, wherever: it may be broken, or its columns exchanged."""
    return any(
        _hash_of(rt, typed) in erased
        for cell in cells
        if cell and "@" in cell
        for typed in (bare(cell), *_BETWEEN.split(cell))
    )


def _hash_of(rt: Runtime, typed: str) -> str:
    """The code of an address, "" for what is none."""
    try:
        key = read_address(typed.strip("'")).key
    except PaperpostError:
        return ""
    return consent_store.email_hash(rt.instance.key, key)


def _is_listed(rt: Runtime, number: int, erased: Mapping[str, datetime]) -> bool:
    for name, packed in rt.db.read(lambda s: store.list_files(s, number, store.LIST)):
        table = Table(unpack(name, packed))
        try:
            if any(_is_erased(rt, row.values(), erased) for _, row, _ in table.rows()):
                return True
        except ReaderError:
            return True  # what cannot be read to its end is not kept either
    return False


def _less(rt: Runtime, body: bytes, erased: Mapping[str, datetime]) -> bytes | None:
    """A part of the bad rows without who was erased; None: nobody of them is in it."""
    told, text = part_of(body)
    lines = list(csv.reader(io.StringIO(text, newline="")))
    stays = [
        not _is_erased(rt, [email, *line], erased)
        for (_, email, _), line in zip(told, lines, strict=True)
    ]
    if all(stays):
        return None
    out = io.StringIO()
    csv.writer(out).writerows(line for line, stay in zip(lines, stays, strict=True) if stay)
    numbers = json.dumps([one for one, stay in zip(told, stays, strict=True) if stay])
    return gzip.compress(f"{numbers}\n{out.getvalue()}".encode(), 4, mtime=0)
