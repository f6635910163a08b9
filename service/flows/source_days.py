"""The days of a source as people read them: a sign, a word, and the figures behind both."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta

from service.errors import PaperpostError, Sentence, counted
from service.flows.runtime import Runtime
from service.sources.calendar import expected, rhythm_of, source_day
from service.sources.registry import ADAPTERS
from service.sources.schedule import has_window
from service.store import sources as sources_store
from service.store.db import Session
from service.store.tables import SourceDayRow, SourceRow

LONGEST = 90
"""Days that a list shows at most; the strip shows fewer."""

_DAY_SIGN = {"late": "late", "stale": "late", "failed": "failed"}
_DONE = ("complete", "history")


class NoSourceError(PaperpostError):
    """There is no source of this number."""

    def __init__(self, source_id: int) -> None:
        super().__init__(f"There is no source {source_id}.", "", "paperpost sources list")


@dataclass(frozen=True, slots=True, kw_only=True)
class SourceDay:
    """One day of a source's own calendar.

    sign: complete, late, empty, failed, open (still growing) or none (nothing can be said).
    word: short, for the strip · says: the state as a sentence for the list. items: entries in the
    newest answer · new, known: papers of the day's answers. asked_at: the newest of them ·
    completed_at: when a batch came · announced: what a cross-check named that had not come (None:
    none was made).
    """

    day: date
    expected: bool
    asked_at: datetime | None
    items: int
    new: int
    known: int
    sign: str
    word: Sentence
    says: Sentence
    completed_at: datetime | None = None
    announced: int | None = None


def read_days(rt: Runtime, source_id: int, days: int) -> list[SourceDay]:
    """The last ``days`` of a source, newest first. Raises NoSourceError."""
    now = rt.clock()

    def load(session: Session) -> list[SourceDay]:
        source = sources_store.get_source(session, source_id)
        if source is None:
            raise NoSourceError(source_id)
        return list(reversed(days_of(session, source, now, days)))

    return rt.db.read(load)


def days_of(session: Session, source: SourceRow, now: datetime, days: int) -> list[SourceDay]:
    """The same within a reading, oldest first."""
    today = source_day(source.kind, now)
    first = today - timedelta(days=days - 1)
    rows = sources_store.list_source_days(session, first, source.id)
    return lay_days(source, {row.day: row for row in rows}, today, days)


def lay_days(
    source: SourceRow, rows: Mapping[date, SourceDayRow], today: date, days: int
) -> list[SourceDay]:
    """One value per calendar day up to ``today``, oldest first, also where nothing was asked; none
    of before the source was added, unless something is known of them."""
    since = source_day(source.kind, source.created_at)
    first = max(today - timedelta(days=days - 1), min([since, today, *rows]))
    wanted = [first + timedelta(days=n) for n in range((today - first).days + 1)]
    return [_of_day(source.kind, rows.get(day), day, today, since) for day in wanted]


def _of_day(kind: str, row: SourceDayRow | None, day: date, today: date, since: date) -> SourceDay:
    if row is None:
        sign, word, says = _of_silence(kind, day, today, since)
        is_expected = expected(kind, day)
        return SourceDay(
            day=day, expected=is_expected, asked_at=None, items=0, new=0, known=0,
            sign=sign, word=word, says=says,
        )  # fmt: skip
    sign = day_sign(kind, row, today) or ("open" if row.state != "wanted" else "none")
    word, says = _words(kind, row, sign, today)
    if row.announced is not None:
        says = Sentence("%(said)s %(more)s", said=says, more=_crosschecked(row.announced))
    return SourceDay(
        day=day,
        expected=row.expected,
        asked_at=row.polled_at,
        items=row.items,
        new=row.new,
        known=row.known,
        sign=sign,
        word=word,
        says=says,
        completed_at=row.completed_at,
        announced=row.announced,
    )


def _of_silence(kind: str, day: date, today: date, since: date) -> tuple[str, Sentence, Sentence]:
    """What can be said of a day without a row."""
    lists = rhythm_of(kind).lists
    if lists and not expected(kind, day):
        return "empty", Sentence("no list"), Sentence("No list comes on this day.")
    if day < since:
        word = Sentence("before")
        return "none", word, Sentence("The source was added later.")
    if day == today:
        return "none", Sentence("to come"), Sentence("It was not asked yet today.")
    return "none", Sentence("not asked"), Sentence("It was not asked on this day.")


def day_sign(kind: str, row: SourceDayRow, today: date) -> str:
    """complete, late, empty or failed; "" for what cannot be said yet: a list of today that still
    grows, a past day that is still to be brought in."""
    if row.state in _DAY_SIGN or _has_gap(kind, row):
        return _DAY_SIGN.get(row.state, "late")
    if row.state in _DONE or (row.new and row.day < today):
        return "complete"
    if row.state == "wanted" or (row.state == "open" and row.day >= today):
        return ""
    if row.state == "none" or not row.expected:
        return "empty"
    made = ADAPTERS.get(kind)
    is_there = row.items > 0 and made is not None and not made.is_batch
    return "complete" if is_there else "late"


def _has_gap(kind: str, row: SourceDayRow) -> bool:
    return row.late_polls > 0 and has_window(kind)


def _words(kind: str, row: SourceDayRow, sign: str, today: date) -> tuple[Sentence, Sentence]:
    lists = rhythm_of(kind).lists
    if row.state == "history":
        return Sentence("fetched"), Sentence("Brought in later, as known papers.")
    if row.state == "wanted":
        return Sentence("to fetch"), Sentence("Still to be brought in.")
    if row.state == "failed":
        return Sentence("failed"), Sentence("It gave no answer that could be read.")
    if row.state == "stale":
        return Sentence("late"), Sentence("It still showed the list of an earlier day.")
    if _has_gap(kind, row):
        return Sentence("may lack some"), Sentence(
            "%(new)s; one answer held no paper of the answer before: some in between may be"
            " missing.",
            new=counted("%(num)s new paper", "%(num)s new papers", row.new),
        )
    if sign == "late":
        return Sentence("late"), Sentence("The list of this day did not come in time.")
    if not lists:
        return _words_of_feed(row)
    if sign == "empty" and row.expected:
        return Sentence("no list"), Sentence("Nothing was listed on this day.")
    if sign == "empty":
        return Sentence("no list"), Sentence("No list comes on this day.")
    if sign == "open":
        says = counted("%(num)s paper so far.", "%(num)s papers so far.", row.items)
        return Sentence("growing") if row.items else Sentence("to come"), says
    if lists == "batch" and row.late_polls and row.completed_at is not None:
        return Sentence("complete"), Sentence(
            "The day's list came whole, late: on %(day)s at %(time)s UTC.",
            day=row.completed_at.astimezone(UTC).date(),
            time=f"{row.completed_at.astimezone(UTC):%H:%M}",
        )
    if lists == "batch":
        return Sentence("complete"), Sentence("The day's list came whole.")
    return Sentence("complete"), counted(
        "%(num)s paper on the list.", "%(num)s papers on the list.", row.items
    )


def _crosschecked(announced: int) -> Sentence:
    """What the kind that knows the past said of a day whose list did not come."""
    if not announced:
        return Sentence("Cross-checked: none was announced.")
    return counted(
        "Cross-checked: %(num)s paper was announced.",
        "Cross-checked: %(num)s papers were announced.",
        announced,
    )


def _words_of_feed(row: SourceDayRow) -> tuple[Sentence, Sentence]:
    """Feeds promise nothing: what counts is what was new."""
    if row.new:
        words = counted("%(num)s new", "%(num)s new", row.new)
        return words, counted("%(num)s new paper.", "%(num)s new papers.", row.new)
    return Sentence("no news"), Sentence("It answered; nothing was new.")
