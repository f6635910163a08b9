"""What becomes of the people of a list: barred, here already, new, or a problem.

An import never revives someone who left. Several rows of one address are one reader with several
interests. A reader who is there stays as they are; only a corrected bad row brings its interest to
one the staff had added.
"""

import gzip
import io
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from service.flows.list_files import Lists, Options, Portion, Problem, Row, problem_of
from service.flows.list_forms import OUT, PLAIN
from service.flows.list_packs import pack
from service.flows.newcomers import NewReader, enter, enter_interest, refusal
from service.flows.runtime import Runtime
from service.flows.spreadsheet import MOST_BYTES, to_csv
from service.store import consent as consent_store
from service.store import subscribers as subscribers_store
from service.store import tags as tags_store
from service.store.db import Priority, Session

_HERE = ("active", "pending")
_COUNTED = (
    "rows",
    "added",
    "readers",
    "unchanged",
    "kept_out",
    "barred",
    "pending",
    "aside",
    "bad",
)


@dataclass(kw_only=True)
class ImportReport:
    """rows: read · added: rows that went in · readers: new ones in them (several rows of one
    address are several interests) · pending: of these, asked to confirm · unchanged: there before ·
    kept_out: rows that say left or bounced · barred: addresses suppressed by them · aside:
    rows that the other system did not mail either · bad: rows with a problem · problems: (row
    number, row, what), of those that are kept in memory · columns: of the file, by our names ·
    ignored: those that are not read · first: of one portion, the new readers with their rows."""

    rows: int = 0
    added: int = 0
    readers: int = 0
    pending: int = 0
    unchanged: int = 0
    kept_out: int = 0
    barred: int = 0
    aside: int = 0
    bad: int = 0
    problems: list[tuple[int, dict[str, str], str]] = field(default_factory=list)
    columns: list[str] = field(default_factory=list)
    ignored: list[str] = field(default_factory=list)
    first: list[list[NewReader]] = field(default_factory=list)

    def add(self, part: "ImportReport") -> None:
        """Count a part of the same list in."""
        for name in _COUNTED:
            setattr(self, name, getattr(self, name) + getattr(part, name))
        self.problems += part.problems

    def figures(self) -> dict[str, int]:
        """The counts alone."""
        return {name: getattr(self, name) for name in _COUNTED}

    def problems_csv(self) -> str:
        """The bad rows as a CSV with a column ``problem``, with commas whatever the list had."""
        rows = [{**row, "problem": problem} for _, row, problem in self.problems]
        columns = [name for name in self.columns if name != "problem"]
        return to_csv(rows, [*columns, "problem"])


def import_readers(
    rt: Runtime, data: bytes, *, by: str = "admin", dry_run: bool = False
) -> ImportReport:
    """Import one list at once; bad rows come back as problems, the others go in. Raises
    ReaderError when the file as a whole cannot be read, or has a column that an import does not
    know."""
    lists = Lists(rt, [pack("", io.BytesIO(data), MOST_BYTES)], Options())
    table = lists.tables[0]
    report = ImportReport(columns=lists.columns())
    if table.form.name == PLAIN:
        report.columns = list(table.form.columns)
    for portion in lists.portions():
        made, problems, _ = do_portion(rt, portion, by=by, dry_run=dry_run)
        report.add(made)
        report.problems += [(number, cells, what) for _, number, cells, what in problems]
    report.problems.sort(key=lambda p: p[0])
    report.ignored = list(table.form.unread)
    event = "import_tried" if dry_run else "import"
    rt.log(event, rows=report.rows, added=report.added, problems=len(report.problems))
    return report


Result = tuple[ImportReport, list[Problem], list[int]]
"""(what a portion did, its rows with a problem, the readers it brought)."""


def do_portion(rt: Runtime, portion: Portion, *, by: str, dry_run: bool) -> Result:
    """One portion in a transaction of its own, or the same without changing anything."""
    if dry_run:
        return rt.db.read(lambda s: portion_in(rt, s, portion, by=by, dry_run=True))
    return rt.db.write(lambda s: portion_in(rt, s, portion, by=by), Priority.BULK)


def portion_in(
    rt: Runtime,
    session: Session,
    portion: Portion,
    *,
    by: str,
    dry_run: bool = False,
    basis: Sequence[Mapping[str, str]] = (),
) -> Result:
    """Decide on each person, then insert the new ones together. basis: of consent, by file."""
    report = ImportReport(rows=portion.rows, aside=portion.aside)
    problems = list(portion.problems)
    keys = [rows[0].new.address.key for rows in portion.people]
    hashes = {key: consent_store.email_hash(rt.instance.key, key) for key in keys}
    bars = consent_store.find_suppressions(session, list(hashes.values()))
    there = subscribers_store.find_subscribers(session, keys)
    most = rt.defaults().interests
    entering: dict[int, list[list[NewReader]]] = {}
    met: set[str] = set()
    for key, rows in zip(keys, portion.people, strict=True):
        reader = there.get(key)
        state, bar = reader.state if reader else "", bars.get(hashes[key], "")
        refused = refusal(rt, state, bar)
        if key in met:  # the same address, typed otherwise
            report.unchanged += len(rows)
        elif any(row.is_out for row in rows) and state not in _HERE:
            report.kept_out += len(rows)
            if not bar:
                report.barred += 1
                reason = next(OUT[row.state] for row in rows if row.is_out)
                if not dry_run:
                    consent_store.add_suppression(
                        session, hashes[key], reason, rt.clock(), "as the list says", by=by
                    )
        elif reader is not None and not bar and _stays(state, rows):
            had = subscribers_store.list_profile_rows(session, reader.id or 0)
            returned = [row for row in rows if row.is_returned and reader.added_by]
            wanted = _chosen(returned, {(p.kind, p.text) for p in had}, most, report, problems)
            report.unchanged += len(rows) - len(returned)
            if not dry_run:
                for new in wanted:
                    for each in new.wanted:
                        enter_interest(session, reader.id or 0, new, each, rt.clock())
        elif refused is not None:
            what = problem_of(refused)
            problems += [(row.file, row.number, row.cells, what) for row in rows]
        else:
            fresh = _chosen(rows, set(), most, report, problems)
            if fresh:
                entering.setdefault(rows[0].file, []).append(fresh)
                report.first.append(fresh)
                report.readers += 1
                report.pending += not all(one.confirmed for one in fresh)
        met.add(key)
    brought: list[int] = []
    for file, people in () if dry_run else entering.items():
        said = basis[file] if basis else None
        brought += [row.id or 0 for row in enter(rt, session, people, by, said)]
    report.bad = len(problems)
    return report, problems, brought


def _stays(state: str, rows: Sequence[Row]) -> bool:
    """Whether these rows ask nothing more of a reader who is there than to be there."""
    return state == "active" or (state == "pending" and not all(r.new.confirmed for r in rows))


def _chosen(
    rows: Sequence[Row],
    had: set[tuple[str, str]],
    most: int,
    report: ImportReport,
    problems: list[Problem],
) -> list[NewReader]:
    """The rows of one person with what is new in them: the same interest twice is one."""
    found = []
    for row in rows:
        fresh = [w for w in row.new.wanted if (w.kind.value, w.text) not in had]
        if len(had) + len(fresh) > most:
            what = f"This reader would have more than {most} interests."
            problems.append((row.file, row.number, row.cells, what))
            continue
        had |= {(w.kind.value, w.text) for w in fresh}
        report.added += bool(fresh)
        report.unchanged += not fresh
        if fresh:
            is_whole = len(fresh) == len(row.new.wanted)
            found.append(row.new if is_whole else replace(row.new, wanted=tuple(fresh)))
    return found


def tag_there(session: Session, portion: Portion, tags: Sequence[str]) -> None:
    """Put the tags of an import on its people who were here before."""
    keys = [rows[0].new.address.key for rows in portion.people if not rows[0].is_out]
    there = subscribers_store.find_subscribers(session, keys)
    had = tags_store.tags_of(session, [row.id or 0 for row in there.values()])
    tags_store.add_tags(
        session,
        [(i, tag) for i, mine in had.items() for tag in tags if tag not in mine],
    )


def packed_part(lists: Lists, problems: Sequence[Problem]) -> bytes:
    """Rows with a problem as a part of a CSV, without its head."""
    columns = [*lists.columns(), "problem"]
    is_plain = "row" not in lists.columns() or len(lists.tables) == 1
    rows = []
    for place, number, cells, what in problems:
        table = lists.tables[place]
        more: dict[str, Any] = {"problem": what}
        if not (is_plain and table.form.name == PLAIN):
            more |= {"file": table.file.name, "row": number}
        rows.append({**cells, **more})
    text = to_csv(rows, columns).split("\r\n", 1)[1]
    numbers = json.dumps([[n, c.get("email", "")[:254], w] for _, n, c, w in problems])
    return gzip.compress(f"{numbers}\n{text}".encode(), 4, mtime=0)
