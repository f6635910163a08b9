"""The interests workbench: what readers want as it was counted last, noisy and dead interests with
whose they are, and words tried on the stored papers. Nothing here writes but ``ask_count``."""

from dataclasses import dataclass, replace
from typing import Any, Literal

from service.defaults import FIXED
from service.flows.browse import Shown, show_papers
from service.flows.census import DAYS
from service.flows.estimate import BackTest, Change, compare, days_of, estimate
from service.flows.runtime import Runtime
from service.flows.staff import audit
from service.matching.counting import Asked
from service.matching.parse import parse_keywords, parse_people, parse_query, read_words
from service.matching.query import Query
from service.store import workbench as store
from service.store.workbench import COUNTED, InterestLine
from service.store.workbench_tables import InterestRunRow, InterestTermRow

States = Literal["all", "noisy", "dead"]
STATES = ("all", "noisy", "dead")
READINGS = ("words", "keywords", "query", "people")
TERM_KINDS = ("words", "person", "organisation", "category", "other")
TERM_ORDERS = ("term", "readers", "papers", "brings")
LINE_ORDERS = ("papers", "email", "made")
TRY_DAYS = (7, 30, 90)
PAGE_SIZE = 100


@dataclass(frozen=True, slots=True)
class Terms:
    """A page of terms. pairs: readers times papers of all terms, of which each has a share."""

    total: int
    rows: tuple[InterestTermRow, ...]


@dataclass(frozen=True, slots=True)
class Line:
    """An interest in a list. per_weekday: papers of a weekday, None = made since the count."""

    interest: InterestLine
    per_weekday: float | None

    @property
    def words(self) -> str:
        """What it asks for, in one line."""
        return "; ".join(part.strip() for part in self.interest.text.splitlines() if part.strip())


@dataclass(frozen=True, slots=True)
class Lines:
    """A page of interests."""

    total: int
    rows: tuple[Line, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Tried:
    """Words tried on the stored papers. best: marked · other: the words they are compared with,
    change: what these instead of them add and remove · added, removed: some of these papers."""

    text: str
    made: BackTest
    best: tuple[Shown, ...]
    other: BackTest | None = None
    change: Change | None = None


def weekdays(rt: Runtime) -> int:
    """Days from Monday to Friday among those that are counted."""
    return max(1, sum(day.weekday() < 5 for day in days_of(rt, DAYS)))


def read_run(rt: Runtime) -> InterestRunRow | None:
    """The newest count, None before the first."""
    return rt.db.read(store.get_run)


def list_terms(
    rt: Runtime,
    *,
    words: str = "",
    kind: str = "",
    never: bool = False,
    sort: str = "-readers",
    limit: int | None = None,
    offset: int = 0,
    total: int | None = None,
) -> Terms:
    """Terms and names that readers ask for. never: those that no paper of the days holds · total:
    how many there are, where that is known (limit 0 counts alone)."""
    every, rows = rt.db.read(
        lambda s: store.list_terms(
            s, words=words, kind=kind, never=never, sort=sort, limit=limit, offset=offset,
            total=total,
        )
    )  # fmt: skip
    return Terms(every, tuple(rows))


def list_lines(
    rt: Runtime,
    state: States = "all",
    *,
    words: str = "",
    sort: str = "-papers",
    limit: int | None = None,
    offset: int = 0,
) -> Lines:
    """Interests of active readers: all, the noisy ones (more than ``broad_a_day`` papers a
    weekday), or the dead ones (none in the days)."""
    span = weekdays(rt)
    least = noisy_from(span) if state == "noisy" else None
    most = 0 if state == "dead" else None
    every, rows = rt.db.read(
        lambda s: store.list_lines(
            s, words=words, least=least, most=most, sort=sort, limit=limit, offset=offset
        )
    )
    return Lines(
        every,
        tuple(
            Line(one, round(one.papers / span, 1) if one.papers is not None else None)
            for one in rows
        ),
    )


def noisy_from(weekdays: int) -> int:
    """Papers of so many weekdays from which on an interest is noisy."""
    return int(FIXED.broad_a_day * weekdays) + 1


def count_states(rt: Runtime) -> dict[str, int]:
    """How many interests of each state there were at the newest count."""
    run, least = read_run(rt), noisy_from(weekdays(rt))
    noisy, dead = rt.db.read(lambda s: store.count_lines(s, least))
    return {"all": run.interests if run else 0, "noisy": noisy, "dead": dead}


def read_text(text: str, reading: str = "words") -> Query:
    """Words as an interest: as the sign-up reads them, as keywords, as a query, or as names. Raises
    QueryError with the position."""
    read = {"keywords": parse_keywords, "query": parse_query, "people": parse_people}
    return read.get(reading, read_words)(text)


def try_words(
    rt: Runtime, text: str, reading: str = "words", *, days: int = DAYS, other: str = ""
) -> Tried:
    """What words would have brought over the days, and what they would change instead of others.
    Raises QueryError; of ``other`` its ``where`` is "other"."""
    asked = Asked(read_text(text, reading))
    made = estimate(rt, asked, days)
    tried = Tried(text=text, made=made, best=tuple(show_papers(rt, made.estimate.best)))
    if not other.strip():
        return tried
    try:
        before = Asked(read_text(other, reading))
    except Exception as error:
        error.where = "other"  # type: ignore[attr-defined]
        raise
    return replace(tried, other=estimate(rt, before, days), change=compare(rt, before, asked, days))


def ask_count(rt: Runtime, *, by: str, address: str = "") -> None:
    """Everything is counted anew soon, beside everything else. The row on record is the wish
    itself: where this process counts nothing, or ends before, the next sweep finds it."""
    audit(rt, by, COUNTED, "", None, None, address)
    rt.engine.enqueue("census")


# ---- the same as JSON values ----


def run_data(run: InterestRunRow | None) -> dict[str, Any] | None:
    """When it was counted, and over how much."""
    if run is None:
        return None
    return {
        "at": run.at.isoformat(),
        "days": DAYS,
        "readers": run.readers,
        "interests": run.interests,
        "papers": run.papers,
        "pairs": run.pairs,
        "seconds": run.seconds,
    }


def term_data(row: InterestTermRow) -> dict[str, Any]:
    """A term. brings: readers times papers."""
    return {
        "term": row.shown,
        "folded": row.term,
        "kind": row.kind,
        "readers": row.readers,
        "interests": row.interests,
        "papers": row.papers,
        "brings": row.brings,
    }


def line_data(one: Line) -> dict[str, Any]:
    """An interest with whose it is."""
    line = one.interest
    return {
        "interest": line.id,
        "reader": line.reader,
        "email": line.email,
        "name": line.name,
        "kind": line.kind,
        "text": line.text,
        "cadence": line.cadence,
        "made_at": line.created_at.isoformat(),
        "papers": line.papers,
        "per_weekday": one.per_weekday,
    }
