"""Files of an import, opened as often as wanted and read row by row.

A list of 100,000 readers is never in memory as a whole but for its packed bytes: rows are read as
they are needed, and only people with several rows are kept until the end.
"""

import io
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from service.errors import PaperpostError
from service.flows.list_forms import ASIDE, OUT, PLAIN, Form, recognise
from service.flows.list_packs import MOST_FILES, ListFile, encoding_of
from service.flows.newcomers import NewReader, check_pause, read_new
from service.flows.runtime import Runtime
from service.flows.spreadsheet import Opened, ReaderError
from service.flows.tags import read_tags
from service.subscribers.cadence import read_hour, read_zone

MOST_ROWS = 500
"""Of one address: these are kept until the end, what comes behind them is a problem."""

PORTION = 200
"""People who go in with one transaction."""

_WORDS = ("profile", "keywords", "people")


class Table:
    """One file, opened. form: whose export it is. Raises ReaderError: no table, or columns that
    nobody knows."""

    def __init__(self, file: ListFile) -> None:
        self.file = file
        self._encoding, self._is_damaged = encoding_of(file)
        with self._text() as text:
            opened = Opened(text)
        self.columns = opened.columns
        self.form: Form = recognise(opened.columns, opened.names, file.name)

    def _text(self) -> io.TextIOWrapper:
        return io.TextIOWrapper(
            self.file.open(), encoding=self._encoding, errors="replace", newline=""
        )

    def rows(self) -> Iterator[tuple[int, dict[str, str], str]]:
        """(number as a spreadsheet shows it, cells by the form's columns, what is wrong with it).
        Raises ReaderError."""
        with self._text() as text:
            yield from Opened(text).rows(self.form.columns, is_damaged=self._is_damaged)


@dataclass(frozen=True, slots=True, kw_only=True)
class Options:
    """What is said of all rows of a list that do not say it themselves. tags: these too, on every
    reader · keywords: interests of rows without one · confirm: everybody is asked to confirm."""

    tags: tuple[str, ...] = ()
    language: str = ""
    hour: str = ""
    zone: str = ""
    keywords: str = ""
    confirm: bool = False

    def facts(self) -> dict[str, Any]:
        """Those that are said, as plain values."""
        made = {name: getattr(self, name) for name in ("language", "hour", "zone", "keywords")}
        made |= {"tags": ", ".join(self.tags), "confirm": self.confirm}
        return {name: value for name, value in made.items() if value}


def read_options(facts: Mapping[str, Any]) -> Options:
    """The inverse of ``Options.facts``, and what a form says. Raises PaperpostError with ``where``
    the field."""
    hour, zone = str(facts.get("hour", "")).strip(), str(facts.get("zone", "")).strip()
    made = Options(
        tags=read_tags(str(facts.get("tags", ""))),
        language=str(facts.get("language", "")).strip(),
        hour=str(read_hour(hour)) if hour else "",
        zone=read_zone(zone) if zone else "",
        keywords=str(facts.get("keywords", "")).strip(),
        confirm=bool(facts.get("confirm")),
    )
    try:
        read_new(
            {"email": "name@example.org", "keywords": made.keywords, "language": made.language}
        )
    except PaperpostError as error:
        error.where = "language" if error.where == "language" else "keywords"
        raise
    return made


@dataclass(frozen=True, slots=True)
class Row:
    """A row that could be read. file: its place among the files · cells: in our columns."""

    file: int
    number: int
    cells: dict[str, str]
    new: NewReader

    @property
    def state(self) -> str:
        return self.cells.get("state", "").strip().lower()

    @property
    def is_out(self) -> bool:
        """An export says so of who left and whose mail bounced: they stay away here too."""
        return self.state in OUT

    @property
    def is_returned(self) -> bool:
        """It was a bad row of an earlier import, so that nothing of it went in."""
        return bool(self.cells.get("problem", "").strip())


Problem = tuple[int, int, dict[str, str], str]
"""(place of the file, row, cells, what is wrong)."""


@dataclass(slots=True)
class Portion:
    """people: the rows of each, together · problems: of rows that could not be read · aside: rows
    that are taken in by nobody · rows: read for it."""

    people: list[list[Row]] = field(default_factory=list)
    problems: list[Problem] = field(default_factory=list)
    aside: int = 0
    rows: int = 0


_Read = tuple[int, int, dict[str, str]]
"""(place of the file, row, cells in our columns)."""


class Lists:
    """All files of one import. Raises ReaderError: one of them is no list."""

    def __init__(self, rt: Runtime, files: Sequence[ListFile], options: Options) -> None:
        if len(files) > MOST_FILES:
            raise ReaderError(f"These are {len(files)} files.", "file", f"{MOST_FILES} at most.")
        self._rt, self._options = rt, options
        self.tables = []
        for file in files:
            try:
                self.tables.append(Table(file))
            except ReaderError as error:
                if len(files) > 1:
                    error.where = f"{file.name}, {error.where}".removesuffix(", ")
                raise
        self.rows = Counter[int]()
        self.states = Counter[str]()

    def columns(self) -> list[str]:
        """Those of the rows with a problem: of one plain file its own, else ours."""
        if len(self.tables) == 1 and self.tables[0].form.name == PLAIN:
            return [c for c in self.tables[0].form.columns if c != "problem"]
        return ["email", "profile", "keywords", "confirmed", "name", "tz", "hour", "language",
                "tags", "state", "file", "row"]  # fmt: skip

    def portions(self) -> Iterator[Portion]:
        """Who is to be barred first, over all files; then the others; at the end who has several
        rows. The same files give the same portions each time."""
        several, out = self._look()
        for is_out in (True, False) if out else (False,):
            yield from self._in_portions(self._people(several, out, is_out=is_out))

    def _people(self, several: set[str], out: set[str], *, is_out: bool) -> Iterator[list[_Read]]:
        """The rows of each person who is kept out, or of each other one."""
        held: dict[str, list[_Read]] = {}
        for place, number, row, what in self._rows():
            form = self.tables[place].form
            key = _key(form.email(row))
            if (key in out) != is_out:
                continue
            read = place, number, _cells(form, row, what)
            if not is_out and key not in several:
                yield [read]
            elif len(there := held.setdefault(key, [])) < MOST_ROWS:
                there.append(read)
            else:
                said = f"This address has more than {MOST_ROWS} rows."
                yield [(place, number, {**read[2], "unread": said})]
        yield from held.values()

    def _look(self) -> tuple[set[str], set[str]]:
        """(people with several rows, people whom a row keeps out), by the address as typed."""
        seen: set[str] = set()
        several: set[str] = set()
        out: set[str] = set()
        self.rows.clear()
        self.states.clear()
        for place, _, row, _ in self._rows():
            form = self.tables[place].form
            key, state = _key(form.email(row)), form.state(row)
            (several if key in seen else seen).add(key)
            if state in OUT:
                out.add(key)
            self.rows[place] += 1
            if state in OUT or state in ASIDE:
                self.states[state] += 1
        return several, out

    def _rows(self) -> Iterator[tuple[int, int, dict[str, str], str]]:
        for place, table in enumerate(self.tables):
            for number, row, what in table.rows():
                yield place, number, row, what

    def _in_portions(self, people: Iterator[list[_Read]]) -> Iterator[Portion]:
        made = Portion()
        for rows in people:
            read = []
            for place, number, cells in rows:
                made.rows += 1
                if cells.get("state", "") in ASIDE:
                    made.aside += 1
                    continue
                one = self._row(place, number, cells)
                if isinstance(one, str):
                    made.problems.append((place, number, cells, one))
                else:
                    read.append(one)
            if read:
                made.people.append(read)
            if len(made.people) + len(made.problems) >= PORTION:
                yield made
                made = Portion()
        if made.rows:
            yield made

    def _row(self, place: int, number: int, cells: dict[str, str]) -> Row | str:
        """A row that was read, or what is wrong with it."""
        if "unread" in cells:
            return cells.pop("unread")
        said, chosen = dict(cells), self._options
        for column, value in (
            ("language", chosen.language),
            ("hour", chosen.hour),
            ("tz", chosen.zone),
        ):
            if value and not said.get(column, "").strip():
                said[column] = value
        if chosen.keywords and not any(said.get(column, "").strip() for column in _WORDS):
            said["keywords"] = chosen.keywords
        said["tags"] = ",".join([said.get("tags", ""), *chosen.tags])
        if chosen.confirm:
            said["confirmed"] = "false"
        try:
            return Row(place, number, cells, check_pause(self._rt, read_new(said)))
        except PaperpostError as error:
            return problem_of(error)


def _cells(form: Form, row: dict[str, str], what: str) -> dict[str, str]:
    """A row in our columns; ``unread``: what is wrong with it. One whose cells cannot be told apart
    stands as a whole where its address belongs, so that it does not go in before it is mended. Who
    is kept out is kept out all the same."""
    if form.state(row) in OUT:
        return {"email": form.email(row), "state": form.state(row)}
    try:
        cells = form.cells(row)
    except ReaderError as error:
        what = what or str(error)
    if not what:
        return cells
    whole = ",".join(row.values()).rstrip(",")
    return {"email": whole, "unread": f"{what} The row is in the cell of the address."}


def _key(email: str) -> str:
    """An address as it is typed, near enough to know the same one again."""
    return bare(email).casefold()


def bare(email: str) -> str:
    """An address without the name that a mail program puts before it."""
    return email.rpartition("<")[2].rstrip("> ").strip()


def problem_of(error: PaperpostError) -> str:
    """An error in one line; where the sentence does not name the character, that is added."""
    position = getattr(error, "position", 0)
    if position and f"character {position}" not in error.what:
        return f"{error.what} (character {position}) {error.next_step}".rstrip()
    return str(error)
