"""Rows of a CSV, however it was broken: one that cannot be read is a problem of its own and takes
no other row with it.

A quotation mark that nobody closes would swallow what follows it up to the next one. Such a row is
told, and the lines that it took are read again as rows of their own.
"""

import csv
from collections import deque
from collections.abc import Iterator, Sequence
from typing import TextIO

from service.errors import PaperpostError

MOST_LINE = 1_000_000
"""Characters of one line; what is longer is cut there, and its row is a problem."""

MOST_LINES = 200
"""Lines of one row, since cells may have several."""

MOST_AGAIN = 100_000
"""Lines of a file that are read twice, because a row had swallowed them."""

_KEPT = 1000
"""Characters of each cell of a row that is too long."""

_UNCLOSED = (
    "A quotation mark is opened in this row and never closed. "
    "Close it, or take it out; the rows behind it were read."
)


class TableError(PaperpostError):
    """A file that is no table; ``where`` is the row."""


class _TooManyLinesError(Exception):
    """A row that does not end."""


class _Lines:
    """Lines of a file; those of the row that is being read are kept, and can be given back."""

    def __init__(self, text: TextIO) -> None:
        self._text = text
        self._again: deque[str] = deque()
        self._left = MOST_AGAIN
        self.taken: list[str] = []
        self.is_cut = False

    def __iter__(self) -> Iterator[str]:
        return self

    def __next__(self) -> str:
        if len(self.taken) >= MOST_LINES:
            raise _TooManyLinesError
        line = self._again.popleft() if self._again else self._next()
        if not line:
            raise StopIteration
        self.taken.append(line)
        return line

    def _next(self) -> str:
        line = self._text.readline(MOST_LINE)
        if len(line) < MOST_LINE or line.endswith(("\n", "\r")):
            return line.replace("\0", "") or line
        self.is_cut = True
        while more := self._text.readline(MOST_LINE):
            if more.endswith(("\n", "\r")):
                break
        return line.replace("\0", "") + "\n"

    def begin(self) -> None:
        """Another row."""
        self.taken, self.is_cut = [], False

    def give_back(self, lines: Sequence[str], number: int) -> None:
        """Read these once more. Raises TableError: nearly all of the file is like that."""
        self._left -= len(lines)
        if self._left < 0:
            what = "The table breaks off: its quotation marks are not closed."
            raise TableError(what, f"row {number}", "Save it as CSV anew.")
        self._again.extendleft(reversed(lines))


class CsvRows:
    """A table that is read as it goes. columns: as its head names them. Raises TableError: it has
    no head.

    The first line may be Excel's ``sep=;``, which no spreadsheet counts.
    """

    def __init__(self, text: TextIO) -> None:
        self._lines = _Lines(text)
        self._number = 1
        first = next(self._lines, "")
        said = first.strip("\ufeff\r\n\"' ")
        if said[:4].lower() == "sep=" and len(said) <= 5:
            self.delimiter = said[4:] or "\t"
            first = next(self._lines, "")
        else:
            while first and not first.strip("\ufeff\r\n,;\t "):
                self._number += 1
                self._lines.begin()
                first = next(self._lines, "")
            self.delimiter = max(",;\t", key=first.count)
        if first:
            self._lines.give_back([first], 1)
        self._reader = csv.reader(self._lines, delimiter=self.delimiter)
        self._lines.begin()
        try:
            self.columns = [c.strip("\ufeff") for c in next(self._reader, [])]
        except (csv.Error, _TooManyLinesError):
            what = "This is no table: its first line does not end."
            raise TableError(what, "row 1", "Save it as CSV.") from None

    def rows(self, address: int) -> Iterator[tuple[int, list[str], str]]:
        """(number as a spreadsheet shows it: the head is 1, blank rows count · as many cells as
        there are columns · what is wrong with the row, "" = nothing). address: the place of the
        column of addresses. Raises TableError."""
        width, lines = len(self.columns), self._lines
        while True:
            lines.begin()
            cells: list[str] | None = None
            try:
                cells = next(self._reader, None)
                if cells is None:
                    return
            except (csv.Error, _TooManyLinesError):
                pass
            self._number += 1
            what = ""
            if cells is None or lines.is_cut or len(lines.taken) > 1:
                cells, what = self._mended(cells, address)
            if len(cells) > width:
                if not what and any(cell.strip() for cell in cells[width:]):
                    what = self._too_wide(len(cells))
                rest = cells[width - 1 :] if what else cells[width - 1 : width]
                cells[width - 1 :] = [self.delimiter.join(rest)]
            elif len(cells) < width:
                cells += [""] * (width - len(cells))
            if any(cell.strip() for cell in cells):
                yield self._number, cells, what

    def _too_wide(self, count: int) -> str:
        sign = {",": "comma", ";": "semicolon"}.get(self.delimiter, "tab")
        return (
            f"This row has {count} cells, the head {len(self.columns)}. "
            f"Put quotation marks around a cell that has a {sign} in it."
        )

    def _mended(self, cells: list[str] | None, address: int) -> tuple[list[str], str]:
        """A row that did not end with its line: as it is where its cells have several lines, else
        its first line alone, and what is wrong."""
        lines = self._lines
        taken, is_cut = lines.taken, lines.is_cut
        if cells is None or is_cut or self._has_swallowed(address):
            first, rest = taken[0], taken[1:]
            is_long = is_cut and not rest
            if rest:
                lines.give_back(rest, self._number)
            shown = self._alone(first)
            if is_long or len(first) > csv.field_size_limit():
                what = "This row is too long to be read; its cells are cut here. Shorten them."
                return [cell[:_KEPT] for cell in shown], what
            return shown, _UNCLOSED
        return cells, ""

    def _has_swallowed(self, address: int) -> bool:
        """Whether the lines of a row are rows of their own, or its last quotation mark is missing:
        it ends with the file then."""
        taken = self._lines.taken
        if sum(line.count('"') for line in taken) % 2:
            return True
        return any(self._is_row(line, address) for line in taken[1:])

    def _is_row(self, line: str, address: int) -> bool:
        """Whether a line is a row of its own, and not the end of a cell with what follows it: its
        first quotation mark, if there is one, opens a cell."""
        at = line.find('"')
        if at > 0 and line[at - 1] != self.delimiter:
            return False
        if at >= 0 and line[at + 1 : at + 2] in (self.delimiter, "\r", "\n", ""):
            return False
        is_whole = line.count('"') % 2 == 0
        cells = next(csv.reader([line], delimiter=self.delimiter), []) if is_whole else None
        cells = self._alone(line) if cells is None else cells
        return len(cells) >= len(self.columns) and "@" in cells[address]

    def _alone(self, line: str) -> list[str]:
        """The cells of a line with its quotation marks as they stand."""
        return line.rstrip("\r\n").split(self.delimiter)
