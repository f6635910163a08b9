"""When a send by hand begins: at once, at an instant on the house's wall, or at each reader's own
hour. Rows are planned at once whatever the answer; they only wait."""

from collections.abc import Iterable, Sequence
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

from service.errors import PaperpostError
from service.store import editions as editions_store
from service.store import own_hours as own_hours_store
from service.store.db import Session
from service.store.send_times import Untried
from service.store.tables import SubscriberRow
from service.subscribers.cadence import local_date, slot_at

_FORM = "Write it like 2026-11-23 14:00."
_DAY = "Write it like 2026-11-23."


class TimingError(PaperpostError):
    """An instant at which nothing can begin; ``where`` is the field."""


def read_begin(text: str, zone: str, now: datetime, most_days: int) -> datetime:
    """Read an instant as the staff writes it: "2026-11-23 14:00" on the wall of ``zone``, or with
    an offset of its own ("2026-11-23T13:00Z").

    An hour that comes twice means its first time; one that the clocks skip is refused. Raises
    TimingError: not an instant, over, or more than ``most_days`` ahead.
    """
    try:
        typed = datetime.fromisoformat(text.strip())
    except ValueError:
        raise TimingError(f"{text.strip()[:40]!r} is no date and time.", "at", _FORM) from None
    if abs(typed.year - now.year) > 1000:  # at the edge of the calendar no zone can be told
        raise TimingError(f"{text.strip()[:40]!r} is no day of ours.", "at", _FORM)
    if len(text.strip()) <= len("2026-11-23"):
        raise TimingError(f"{text.strip()} has no hour.", "at", _FORM)
    if typed.tzinfo is None:
        local = typed.replace(tzinfo=ZoneInfo(zone))
        back = local.astimezone(UTC).astimezone(ZoneInfo(zone))
        if back.replace(tzinfo=None) != typed:
            raise TimingError(
                f"{typed:%H:%M} does not exist on {typed:%d %B} in {zone}: the clocks go forward.",
                "at",
                f"Write {back:%Y-%m-%d %H:%M}.",
            )
        typed = local
    at = typed.astimezone(UTC)
    shown = f"{at.astimezone(ZoneInfo(zone)):%d %B %H:%M} ({zone})"
    if at <= now:
        wall = now.astimezone(ZoneInfo(zone))
        raise TimingError(
            f"{shown} is over.", "at", f"It is {wall:%d %B %H:%M} there; choose later."
        )
    if at - now > timedelta(days=most_days):
        raise TimingError(
            f"{shown} is more than {most_days} days ahead.",
            "at",
            "Choose an earlier day, or keep it as a draft.",
        )
    return at


def read_day(text: str, zone: str, now: datetime, most_days: int) -> date:
    """Read a date on which a send goes at each reader's own hour. Raises TimingError: no date, over
    on the wall of ``zone``, or more than ``most_days`` ahead."""
    try:
        on = date.fromisoformat(text.strip())
    except ValueError:
        raise TimingError(f"{text.strip()[:40]!r} is no date.", "on", _DAY) from None
    today = local_date(now, zone)
    if on < today:
        raise TimingError(f"{on} is over.", "on", f"It is {today} in {zone}; choose a later day.")
    if on - today > timedelta(days=most_days):
        raise TimingError(
            f"{on} is more than {most_days} days ahead.", "on", "Choose an earlier day."
        )
    return on


def own_hours(readers: Iterable[SubscriberRow], after: datetime) -> dict[int, datetime]:
    """Per reader, when the hour of theirs comes next: today's, or tomorrow's for whom it is over
    today. Mail days do not count: what is sent by hand is for the day on which it was sent."""
    return {reader.id or 0: _next_hour(reader.zone, reader.hour, after) for reader in readers}


def hours_of(
    mails: Sequence[Untried], after: datetime, on: date | None = None
) -> dict[datetime, list[int]]:
    """The same of mails that were planned, by that time. on: on this date of theirs or later."""
    found: dict[datetime, list[int]] = {}
    known: dict[tuple[str, int], datetime] = {}
    for mail in mails:
        clock = (mail.zone, mail.hour)
        if clock not in known:
            known[clock] = _next_hour(*clock, after, on)
        found.setdefault(known[clock], []).append(mail.id)
    return found


def _next_hour(zone: str, hour: int, after: datetime, on: date | None = None) -> datetime:
    day = local_date(after, zone)
    if on is not None and on > day:
        return slot_at(on, hour, zone)
    at = slot_at(day, hour, zone)
    return at if at >= after else slot_at(day + timedelta(days=1), hour, zone)


def follow_hour(session: Session, reader: SubscriberRow, zone_before: str, now: datetime) -> int:
    """What waits for a reader's own hour waits for their new one, on the same date of theirs, and
    goes at once where that is over; as today's digest does. Returns how many mails."""
    moved = 0
    waiting = {row.edition_id for row in own_hours_store.list_waiting(session, reader.id or 0, now)}
    # held, and read anew: somebody may have moved a whole send
    held = {i: editions_store.hold_number(session, i) for i in sorted(waiting)}
    for row in own_hours_store.list_waiting(session, reader.id or 0, now):
        on = local_date(row.not_before, zone_before)
        at = max(slot_at(on, reader.hour, reader.zone), now)
        edition = held.get(row.edition_id)
        if edition is None or not own_hours_store.set_hour(session, row, at):
            continue  # it is being sent just now
        moved += 1
        timing = edition.options["timing"]
        if "first" in timing and at < datetime.fromisoformat(timing["first"]):
            timing = {**timing, "first": at.isoformat()}
            edition.options = {**edition.options, "timing": timing}
            session.add(edition)
        later = at - datetime.fromisoformat(timing["last"])
        if later > timedelta():
            edition.options = {**edition.options, "timing": {**timing, "last": at.isoformat()}}
            edition.closes_at = edition.closes_at + later if edition.closes_at else None
            session.add(edition)
    return moved
