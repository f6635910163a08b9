"""Which days one mail covers: whose interests are due, from when its papers are, until when."""

from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta
from typing import Literal

from service.defaults import Defaults
from service.subscribers.cadence import day_bounds, local_date, previous_mail_day, weekly_day
from service.subscribers.model import Cadence, Profile, Subscriber

Occasion = Literal["daily", "first", "alert"]
Kind = Literal["daily", "weekly", "catchup", "first", "alert"]


def is_due(
    profile: Profile, reader: Subscriber, on: date, last: date | None, occasion: Occasion
) -> bool:
    """last: the reader's newest mail date before ``on``. A weekly interest whose day passed
    without any (an outage, a pause) rides in the first mail after it."""
    if profile.paused:
        return False
    if occasion == "alert":
        return profile.cadence is Cadence.INSTANT
    if occasion == "first":
        return True
    if profile.cadence is Cadence.WEEKLY:
        day = weekly_day(reader, profile.weekday, on)
        return day == on or (last is not None and last < day)
    return True


def first_day(
    reader: Subscriber,
    profiles: Sequence[Profile],
    last: date | None,
    on: date,
    limits: Defaults,
    occasion: Occasion,
) -> date:
    """The first day this mail covers, for "446 new papers checked"."""
    if occasion == "first":
        return on - timedelta(days=limits.first_days - 1)
    oldest = on - timedelta(days=limits.window_days - 1)
    weekly = any(p.cadence is Cadence.WEEKLY for p in profiles)
    if last is not None and not weekly:  # a weekly interest was due last a week ago
        return max(oldest, last + timedelta(days=1))
    since = [p.since for p in profiles]
    if since and all(s is not None for s in since):
        return max(oldest, min(s for s in since if s is not None))
    return oldest


def kind_of(
    occasion: Occasion, reader: Subscriber, asked: Sequence[Profile], last: date | None, on: date
) -> Kind:
    if occasion != "daily":
        return occasion
    if asked and all(p.cadence is Cadence.WEEKLY for p in asked):
        return "weekly"
    if last is not None and last < previous_mail_day(reader, on):
        return "catchup"
    return "daily"


def window_start(profile: Profile, reader: Subscriber, on: date, limits: Defaults) -> date:
    """The first day of papers for one interest: the window up to ``on``.

    A weekly one begins with the day of its last mail, for what came after that hour; it reaches
    further back when its own day was missed.
    """
    if profile.cadence is Cadence.WEEKLY:
        day = weekly_day(reader, profile.weekday, on)
        return day - timedelta(days=limits.window_days)
    return on - timedelta(days=limits.window_days - 1)


def window_end(reader: Subscriber, on: date, now: datetime) -> datetime:
    """The end (not included) of a mail's papers: of its date, or now where that is later and the
    date is today's or still to come: Thursday evening in Los Angeles is Friday in UTC."""
    end = day_bounds(on, on)[1]
    is_over = on < min(local_date(now, reader.zone), now.astimezone(UTC).date())
    return end if is_over else max(end, now + timedelta(seconds=1))
