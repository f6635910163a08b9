"""When a reader reads: slots by local date, computed in UTC. Pure; zones by zoneinfo.

A slot is (local date, the instant at which that reader's hour begins): the first instant at which
the wall shows the hour or a later one. So an hour that the clock skips moves to the next valid
instant (which may lie in the next date), and a repeated one is used once.
"""

from collections.abc import Collection
from datetime import UTC, date, datetime, time, timedelta
from functools import cache
from typing import Literal
from zoneinfo import ZoneInfo, available_timezones

from service.errors import Sentence, SpokenError, quoted
from service.subscribers.model import DAYS, Subscriber
from service.subscribers.zone import clock_of

MOST_WAITING = 40
"""Papers that a mail can wait for: as many as it shows."""


STALE = timedelta(hours=12)
"""A slot that lies so long before the instant for which a reader was due is not what was meant:
no zone moved its clock that far but over the date line."""


class CadenceError(SpokenError):
    """A zone, an hour or a weekday that cannot be used."""


@cache
def known_zones() -> frozenset[str]:
    """Every zone; walking the folders of tzdata takes milliseconds, too long for each row."""
    return frozenset(available_timezones())


def read_zone(text: str) -> str:
    """Return a known IANA zone name. Raises CadenceError."""
    name = text.strip()
    if name in known_zones():
        return name
    raise CadenceError(
        Sentence("%(text)s is no IANA time zone.", text=quoted(name[:60])),
        "zone",
        Sentence("Write it like %(example)s.", example="Europe/Zurich"),
    )


def bounds(
    first: date | None, last: date | None, zone: str
) -> tuple[datetime | None, datetime | None]:
    """When ``first`` begins and ``last`` is over on the wall of ``zone``, in UTC; None for no day,
    and for one at the edge of the calendar, behind which nothing is."""

    def begins(day: date | None, more: int) -> datetime | None:
        try:
            on = day + timedelta(days=more) if day is not None else None
            return datetime.combine(on, time(), ZoneInfo(zone)).astimezone(UTC) if on else None
        except OverflowError:
            return None

    return begins(first, 0), begins(last, 1)


def read_hour(text: str) -> int:
    """Return 0-23 from "8", "08" or "08:00". Raises CadenceError."""
    head = text.strip().removesuffix(":00")
    if head.isascii() and head.isdigit() and len(head) < 5 and 0 <= int(head) <= 23:
        return int(head)
    what = Sentence("%(text)s is no full hour.", text=quoted(text.strip()[:20]))
    raise CadenceError(what, "hour", Sentence("Use 0 to 23."))


def read_at_least(text: str) -> int:
    """Return how many papers a mail waits for, 1 for "". Raises CadenceError."""
    typed = text.strip() or "1"
    if typed.isascii() and typed.isdigit() and len(typed) < 5 and 1 <= int(typed) <= MOST_WAITING:
        return int(typed)
    what = Sentence("%(text)s is no number of papers.", text=quoted(typed[:20]))
    raise CadenceError(what, "at_least", Sentence("Use 1 to %(most)s.", most=MOST_WAITING))


def read_weekdays(names: list[str]) -> frozenset[int]:
    """Return 0-6 from "mon", "tue". Raises CadenceError when empty or unknown."""
    try:
        days = frozenset(DAYS.index(n.strip().lower()[:3]) for n in names if n.strip())
    except ValueError:
        what = Sentence("A weekday is not known.")
        raise CadenceError(what, "weekdays", Sentence("Use mon to sun.")) from None
    if not days:
        what = Sentence("No mail day is chosen.")
        raise CadenceError(what, "weekdays", Sentence("Choose at least one, or pause."))
    return days


def slot_at(on: date, hour: int, zone: str) -> datetime:
    """The instant (UTC) at which ``hour`` begins on a local date.

    A skipped hour gives the first instant after the gap; a skipped date (a zone that crossed the
    date line) gives the first instant of the next local date.
    """
    clock = clock_of(zone)
    local = datetime.combine(on, time(hour), clock)
    instant = local.astimezone(UTC)
    if instant.astimezone(clock).replace(tzinfo=None) == local.replace(tzinfo=None):
        return instant
    # in a gap the wall is read by the offset before it (fold=0: too late) or after it (too early)
    early, late = local.replace(fold=1).astimezone(UTC), instant
    before = early.astimezone(clock).utcoffset()
    while late - early > timedelta(seconds=1):
        middle = early + (late - early) // timedelta(seconds=2) * timedelta(seconds=1)
        if middle.astimezone(clock).utcoffset() == before:
            early = middle
        else:
            late = middle
    return late


def local_date(now: datetime, zone: str) -> date:
    """The date on the reader's wall."""
    return now.astimezone(clock_of(zone)).date()


def exists(on: date, zone: str) -> bool:
    """False for a local date that the zone skipped (Pacific/Apia, 30 December 2011)."""
    noon = datetime.combine(on, time(12), clock_of(zone)).astimezone(UTC)
    return noon.astimezone(clock_of(zone)).date() == on


def is_mail_day(reader: Subscriber, on: date) -> bool:
    """True when the reader gets scheduled mail on this local date."""
    return on.weekday() in reader.weekdays and exists(on, reader.zone)


def next_slot(reader: Subscriber, after: datetime) -> tuple[date, datetime]:
    """The first mail day whose instant is later than ``after``."""
    day = local_date(after, reader.zone)
    for _ in range(400):
        if is_mail_day(reader, day):
            at = slot_at(day, reader.hour, reader.zone)
            if at > after:
                return day, at
        day += timedelta(days=1)
    what = Sentence("No mail day within 400 days.")
    raise CadenceError(what, "weekdays", Sentence("Choose at least one weekday."))


def latest_slot(reader: Subscriber, now: datetime) -> tuple[date, datetime] | None:
    """The newest mail day whose hour has come, within the last 15 days (one weekday alone, and it
    was the date that the zone skipped)."""
    day = local_date(now, reader.zone)
    for _ in range(16):
        if is_mail_day(reader, day):
            at = slot_at(day, reader.hour, reader.zone)
            if at <= now:
                return day, at
        day -= timedelta(days=1)
    return None


def due_slot(
    reader: Subscriber, due_at: datetime, now: datetime, *, waits: timedelta = timedelta()
) -> tuple[date, datetime] | None:
    """The slot that a reader who is due gets: the newest whose hour has come, so that after an
    outage there is one mail.

    due_at: the stored instant (``next_digest_at``), which may be later than its slot by ``waits``
    (a late source). None where the newest slot lies before what was stored: the rules of the zone
    changed meanwhile (a newer tzdata), its hour is still to come, and the slot before it was
    dealt with.
    """
    slot = latest_slot(reader, now)
    if slot is None or due_at - slot[1] > max(waits, STALE):
        return None
    return slot


def missed_days(
    reader: Subscriber, due_at: datetime, newest: date, *, waits: timedelta, most: int
) -> list[date]:
    """The mail days before ``newest``, ``most`` dates back, whose hour came while nobody looked.

    due_at: the stored instant (``next_digest_at``), which may be later than its slot by ``waits``.
    What a pause covers is not missed.
    """
    found = []
    for back in range(most, 0, -1):
        day = newest - timedelta(days=back)
        if reader.paused_until is not None and day < reader.paused_until:
            continue
        if is_mail_day(reader, day) and slot_at(day, reader.hour, reader.zone) >= due_at - waits:
            found.append(day)
    return found


def moved_to(
    before: Subscriber, due_at: datetime | None, after: Subscriber, now: datetime
) -> datetime:
    """When a reader is due who changed zone, hour or mail days just now.

    due_at: when they were due before. Dates before the one that was to come are over, whatever the
    new choice calls them. A date that was still to come and whose hour the change has skipped (an
    earlier hour, a zone further east) is due now, as an hour that the clock skips is; where its
    hour is still to come it waits for that.
    """
    next_at = next_slot(after, now)[1]
    slot = latest_slot(after, now)
    first = _first_open(before, due_at, now)
    return slot[1] if slot is not None and slot[0] >= first else next_at


def back_at(reader: Subscriber, began: datetime, now: datetime) -> datetime:
    """When a reader is due who left and is back as before: today's hour, also where it is over, so
    that the date has its mail (no second one, where it had it); else the next.

    began: when they first asked for mails; an hour before that is none of theirs.
    """
    slot = latest_slot(reader, now)
    if slot is not None and slot[0] == local_date(now, reader.zone) and slot[1] >= began:
        return slot[1]
    return next_slot(reader, now)[1]


def _first_open(reader: Subscriber, due_at: datetime | None, now: datetime) -> date:
    """The date of the mail that is to come next; it may be due already, or wait for a source."""
    day, at = next_slot(reader, now)
    if due_at is None or due_at >= at:
        return day
    slot = due_slot(reader, due_at, now)
    return slot[0] if slot is not None else day


def previous_mail_day(reader: Subscriber, on: date) -> date:
    """The mail day before a local date."""
    day = on - timedelta(days=1)
    for _ in range(8):
        if is_mail_day(reader, day):
            return day
        day -= timedelta(days=1)
    return on - timedelta(days=7)


def next_mail_day(reader: Subscriber, on: date) -> date:
    """The mail day after a local date."""
    days = (on + timedelta(days=n) for n in range(1, 8))
    return next((day for day in days if is_mail_day(reader, day)), on + timedelta(days=7))


def is_first_of_week(reader: Subscriber, on: date) -> bool:
    """Whether a date is the reader's first mail day of its week: Monday, for most."""
    return on.weekday() == min(reader.weekdays, default=0)


def weekly_on(weekday: int, mail_days: Collection[int]) -> int:
    """The weekday on which a weekly interest rides: its own, or the last mail day of the week when
    that is none."""
    return weekday if weekday in mail_days else max(mail_days, default=weekday)


def weekly_day(reader: Subscriber, weekday: int, on: date) -> date:
    """The newest date up to ``on`` on which a weekly interest rides: its weekday, or the last
    mail day of the week when that is none."""
    wanted = weekly_on(weekday, reader.weekdays)
    return on - timedelta(days=(on.weekday() - wanted) % 7)


def read_quiet(start: str, end: str) -> tuple[int, int] | None:
    """Return the hours [start, end) without alerts; None for "" twice: the installation's.

    Two equal hours = never quiet. Raises CadenceError: one is missing, or is no full hour.
    """
    if not start.strip() and not end.strip():
        return None
    for text, field in ((start, "quiet_from"), (end, "quiet_until")):
        if not text.strip():
            what = Sentence("One of the two hours is missing.")
            raise CadenceError(what, field, Sentence("Give both, or none."))
    hours = []
    for text, field in ((start, "quiet_from"), (end, "quiet_until")):
        try:
            hours.append(read_hour(text))
        except CadenceError as error:
            error.where = field
            raise
    return hours[0], hours[1]


def read_quiet_text(text: str) -> tuple[int, int] | Literal["usual"]:
    """Return the hours of "21-7"; (0, 0) for "none", "usual" for "usual" and "". Raises
    CadenceError."""
    typed = text.strip().lower()
    if typed in ("", "usual"):
        return "usual"
    if typed == "none":
        return 0, 0
    start, dash, end = typed.replace("–", "-").partition("-")
    try:
        hours = read_quiet(start, end)
    except CadenceError:
        hours = None
    if not dash or hours is None:
        what = Sentence("%(text)s is no time without alerts.", text=quoted(text.strip()[:20]))
        raise CadenceError(what, "quiet", Sentence("Write it like 21-7, or none, or usual."))
    return hours


def quiet_text(start: int | None, end: int | None) -> str:
    """The inverse: "21-7", "none", "usual"."""
    if start is None or end is None:
        return "usual"
    return "none" if start == end else f"{start}-{end}"


def quiet_hours(start: int | None, end: int | None, usual: tuple[int, int]) -> tuple[int, int]:
    """The hours [start, end) without alerts: a reader's own, else the installation's."""
    return usual if start is None or end is None else (start, end)


def is_quiet(now: datetime, zone: str, start: int, end: int) -> bool:
    """True in the hours [start, end) of the local clock, over midnight when start > end."""
    hour = now.astimezone(clock_of(zone)).hour
    if start == end:
        return False
    if start < end:
        return start <= hour < end
    return hour >= start or hour < end


def after_quiet(at: datetime, zone: str, start: int, end: int) -> datetime:
    """``at``, or the first quarter of an hour after it that is not quiet."""
    if not is_quiet(at, zone, start, end):
        return at
    step = at.replace(minute=at.minute - at.minute % 15, second=0, microsecond=0)
    while is_quiet(step, zone, start, end):
        step += timedelta(minutes=15)
    return step


def awake_until(at: datetime, hours: int, zone: str, start: int, end: int) -> datetime:
    """The instant at which ``hours`` that are not quiet have passed since ``at``."""
    left, quarter = hours * 4, timedelta(minutes=15)
    while left:
        left -= not is_quiet(at, zone, start, end)
        at += quarter
    return at


def day_bounds(first: date, last: date) -> tuple[datetime, datetime]:
    """[start, end) in UTC of the day labels first..last (a paper's day is its UTC date)."""
    return (
        datetime.combine(first, time(), UTC),
        datetime.combine(last + timedelta(days=1), time(), UTC),
    )
