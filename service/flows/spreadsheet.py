"""A table as people save it: read whatever the spreadsheet made of it, written so that it is safe.

Its columns are read strictly: a name that nobody knows is refused, since a list whose column of
words is called otherwise would subscribe everybody to the wrong thing without a word.
"""

import csv
import io
import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from difflib import get_close_matches
from typing import Any, TextIO

from service.errors import PaperpostError
from service.flows.csv_rows import CsvRows, TableError

MOST_BYTES = 20_000_000
COLUMNS = ("email", "profile", "keywords", "confirmed", "name", "tz", "hour", "cadence")
CHOICES = (
    "paused_until", "language", "abstracts", "weekly_day", "interest_name", "on_time",
    "cap", "threshold", "own", "late_news", "at_least", "tell_anyway",
    "format", "also_trending", "picks", "quiet", "feed", "interest_paused", "tags",
)  # fmt: skip
"""What a reader chose beside that: the end of a pause (YYYY-MM-DD), a language like de, abstracts
short, full, none or summary, the day of a weekly interest, what the interest is called, true for
mail that waits for no late source; of the interest: papers in full at most, the least score, the
name whose papers are left out, and true (or from how many votes on) for later news of papers that
came; how many papers a mail waits for, and true for one a week that also says that nothing came;
html, text or bare; true for the most-voted papers beside interests, false for mail without what
editors write and pick; hours without alerts like 21-7, none or usual; open for a feed of one's own;
true for an interest that rests; words of the staff's on the reader, with commas between them."""

EXPORTED = (*COLUMNS, "people", "weekdays", "state", *CHOICES)
MORE = ("people", "weekdays", "state", "problem", *CHOICES)
"""Columns of an export or of returned rows that an import reads too: names that are followed, one
per line; mail days; who is out (left, bounced) stays out; a row with a problem never went in."""
_ALSO = {
    "e-mail": "email",
    "mail": "email",
    "address": "email",
    "email address": "email",
    "query": "profile",
    "words": "keywords",
    "timezone": "tz",
    "zone": "tz",
    "time zone": "tz",
    "locale": "language",
}
_MEANT = {
    "interest": "keywords",
    "interests": "keywords",
    "search": "keywords",
    "stichwort": "keywords",
    "stichworte": "keywords",
    "stichwörter": "keywords",
    "topic": "keywords",
    "topics": "keywords",
    "frequency": "cadence",
    "time": "hour",
}
"""What people call a column, though it may mean another thing: asked about, not read."""

EXTRAS = frozenset({"", "id", "no", "nr", "note", "notes", "comment", "comments", "file", "row"})
"""Columns without effect on what a reader gets: left unread."""

_FORMULA = ("=", "+", "-", "@", "\t", "\r")
_WORKBOOKS = (b"PK\x03\x04", b"\xd0\xcf\x11\xe0")


class ReaderError(PaperpostError):
    """A reader that cannot be added, or a list that cannot be read; ``where`` is the field or
    row."""


def to_csv(rows: Sequence[Mapping[str, Any]], columns: Sequence[str] = ()) -> str:
    """Objects as a CSV (default columns: those of an export); its cells cannot start a formula."""
    out = io.StringIO()
    writer = csv.DictWriter(out, columns or EXPORTED, extrasaction="ignore")
    writer.writeheader()
    for row in rows:
        writer.writerow({k: formula_safe(str(v or "")) for k, v in row.items() if k})
    return out.getvalue()


def csv_lines(rows: Iterable[Iterable[Any]]) -> str:
    """Lines of a CSV, a part of a large one; its cells cannot start a formula."""
    out = io.StringIO()
    csv.writer(out).writerows(
        [formula_safe("" if cell is None else str(cell)) for cell in row] for row in rows
    )
    return out.getvalue()


def json_array(parts: Iterable[Sequence[Mapping[str, Any]]]) -> Iterator[str]:
    """Objects as one JSON array, a row a line, in the parts they come in. What JSON has no form for
    is written as text."""
    lead = "["
    for part in parts:
        if part:
            rows = [json.dumps(row, ensure_ascii=False, default=str) for row in part]
            yield lead + "\n" + ",\n".join(rows)
            lead = ","
    yield "[]\n" if lead == "[" else "\n]\n"


def formula_safe(cell: str) -> str:
    """A spreadsheet runs cells that begin with = + - @ or a tab: a quote stops that."""
    return f"'{cell}" if cell[:1] in _FORMULA else cell


def _unsafe(cell: str) -> str:
    """The inverse of ``formula_safe``: what we wrote comes back as it was."""
    return cell[1:] if cell[:1] == "'" and cell[1:2] in _FORMULA else cell


def check_kind(start: bytes) -> None:
    """Raises ReaderError: a workbook instead of a table. start: the first bytes of a file."""
    if start.startswith(_WORKBOOKS):
        raise ReaderError(
            "This is a workbook of a spreadsheet program, not a CSV.",
            "",
            "In the program, save it as CSV (UTF-8).",
        )


class Opened:
    """A table of people that is read as it goes. columns: as the file names them · names: what each
    is called here. Raises ReaderError, also while rows are read."""

    def __init__(self, text: TextIO) -> None:
        try:
            self._rows = CsvRows(text)
        except TableError as error:
            raise ReaderError(error.what, error.where, error.next_step) from None
        self.columns = self._rows.columns
        self.names = [_ALSO.get(c.strip().lower(), c.strip().lower()) for c in self.columns]
        if "email" not in self.names:
            raise ReaderError(
                f"The first line has no column called email: {', '.join(self.columns)[:120]!r}.",
                "row 1",
                f"Name the columns {', '.join(COLUMNS)}.",
            )

    def rows(
        self, names: Sequence[str], *, is_damaged: bool = False
    ) -> Iterator[tuple[int, dict[str, str], str]]:
        """(number, cells by these names, what is wrong with the row). is_damaged: some bytes of the
        file are no text, and have become a sign that tells so."""
        try:
            for number, cells, what in self._rows.rows(self.names.index("email")):
                shown = [_unsafe(cell) if cell[:1] == "'" else cell for cell in cells]
                if is_damaged and not what and any("\ufffd" in cell for cell in shown):
                    what = "Signs of this row are no UTF-8. Write them anew where it shows \ufffd."
                yield number, dict(zip(names, shown, strict=True)), what
        except TableError as error:
            raise ReaderError(error.what, error.where, error.next_step) from None


def decode(data: bytes) -> str:
    """The text of a file as people save it: UTF-8, UTF-16 or Windows-1252."""
    if data[:2] in (b"\xff\xfe", b"\xfe\xff"):
        return data.decode("utf-16", "replace")
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError:
        return data.decode("cp1252", "replace")


def read_columns(names: Sequence[str]) -> list[str]:
    """The columns that an import leaves unread. names: as ``read_csv`` returns them.

    Raises ReaderError: a column that is not known, or two that mean the same.
    """
    known = (*COLUMNS, *MORE)
    for name in names:
        if name in known and names.count(name) > 1:
            raise ReaderError(f"Two columns mean {name}.", "row 1", "Take one of them out.")
    unknown = [name for name in names if name not in known and name not in EXTRAS]
    if unknown:
        shown = ", ".join(repr(name) for name in unknown[:10])
        be = "is no column" if len(unknown) == 1 else "are no columns"
        meant = [guess for name in unknown if (guess := _probably(name)) not in ("", *names)]
        asked = f"Did you mean {', '.join(dict.fromkeys(meant))}? " if meant else ""
        ours = f"The columns are {', '.join(COLUMNS)}; rename it or take it out."
        raise ReaderError(f"{shown} {be} of an import.", "row 1", f"{asked}{ours}")
    return [name for name in names if name in EXTRAS and name]


def _probably(name: str) -> str:
    """The column that was probably meant, else ""."""
    near = get_close_matches(name, [*COLUMNS, *_ALSO], n=1, cutoff=0.75)
    return _MEANT.get(name) or (_ALSO.get(near[0], near[0]) if near else "")
