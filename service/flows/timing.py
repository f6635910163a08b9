"""When a send by hand begins: at once, at an instant on the house's wall, or at each reader's own
hour. Rows are planned at once whatever the answer; they only wait."""

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

from service.errors import PaperpostError
from service.store import editions as editions_store
from service.store import own_hours as own_hours_store
from service.store.db import Session
from service.store.tables import SubscriberRow
from service.subscribers.cadence import local_date, slot_at

_FORM = "Write it like 2026-11-23 14:00."


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


def own_hours(readers: Iterable[SubscriberRow], after: datetime) -> dict[int, datetime]:
    """Per reader, when the hour of theirs comes next: today's, or tomorrow's for whom it is over
    today. Mail days do not count: what is sent by hand is for the day on which it was sent."""
    found = {}
    for reader in readers:
        day = local_date(after, reader.zone)
        at = slot_at(day, reader.hour, reader.zone)
        if at < after:
            at = slot_at(day + timedelta(days=1), reader.hour, reader.zone)
        found[reader.id or 0] = at
    return found


def follow_hour(session: Session, reader: SubscriberRow, zone_before: str, now: datetime) -> int:
    """What waits for a reader's own hour waits for their new one, on the same date of theirs, and
    goes at once where that is over; as today's digest does. Returns how many mails."""
    moved = 0
    for row in own_hours_store.list_waiting(session, reader.id or 0, now):
        on = local_date(row.not_before, zone_before)
        at = max(slot_at(on, reader.hour, reader.zone), now)
        edition = editions_store.hold_number(session, row.edition_id)
        if edition is None or not own_hours_store.set_hour(session, row, at):
            continue  # it is being sent just now
        moved += 1
        timing = edition.options["timing"]
        later = at - datetime.fromisoformat(timing["last"])
        if later > timedelta():
            edition.options = {**edition.options, "timing": {**timing, "last": at.isoformat()}}
            edition.closes_at = edition.closes_at + later if edition.closes_at else None
            session.add(edition)
    return moved
