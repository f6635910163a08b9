"""Which days one mail covers: whose interests are due, from when its papers are, until when."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, date, datetime, timedelta
from typing import Literal

from service.defaults import Defaults
from service.store.slots import Slots
from service.subscribers.cadence import (
    day_bounds,
    is_first_of_week,
    latest_slot,
    local_date,
    next_mail_day,
    previous_mail_day,
    slot_at,
    weekly_day,
)
from service.subscribers.model import Cadence, Profile, Subscriber

Occasion = Literal["daily", "first", "alert"]
WEEK = 7
ZONES = timedelta(days=1)
"""A mail of the morning goes on the day before by UTC, by which papers have their days, where its
reader lived in the east; what it had does not ride again."""
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


def missed_since(
    reader: Subscriber, newest: date | None, on: date, now: datetime, limits: Defaults
) -> date | None:
    """After an outage of ours: the date of the last row before it, from whose hour on nothing was
    sent; None when no mail day since has been missed.

    newest: the reader's newest digest row before ``on``, of any state (a pause leaves rows); where
    there is none, the day on which they were added. A past date that is sent again catches up
    nothing. A pause is not caught up, except for the days that the mail at its end would have
    covered; nor is the time in which the address was barred, whose end stands where a pause's would
    (``suppress.unsuppress``).
    """
    if newest is None and reader.created_at is not None:
        newest = local_date(reader.created_at, reader.zone)
    if newest is None or newest >= previous_mail_day(reader, on) or _is_over(reader, on, now):
        return None
    if reader.paused_until is not None and newest < reader.paused_until <= on:
        return max(newest, reader.paused_until - timedelta(days=limits.window_days - 1))
    return newest


def _is_over(reader: Subscriber, on: date, now: datetime) -> bool:
    """Whether a date is an earlier one than that of the newest mail: sent again, it catches up
    nothing."""
    slot = latest_slot(reader, now)
    return on < (slot[0] if slot is not None else local_date(now, reader.zone))


def rode_on(reader: Subscriber, slots: Slots, on: date, now: datetime) -> date | None:
    """The date of the last weekly mail, for one that moved to an earlier day of the week and so
    comes after more than a week; None where a pause lies between, which is not caught up."""
    if slots.rode is None or _is_over(reader, on, now):
        return None
    until = reader.paused_until
    return slots.rode if until is None or slots.rode >= until else None


def paused_from(reader: Subscriber, slots: Slots, on: date) -> date | None:
    """The first date that a pause, or a bar on the address, left without mail; None when a mail
    went out since. A pause leaves rows, a bar none."""
    if slots.paused is not None:
        return slots.paused
    until = reader.paused_until
    if until is None or until > on or slots.before is None:
        return None
    if slots.mailed is not None and slots.mailed >= until:
        return None
    is_gap = slots.before < previous_mail_day(reader, until)
    return slots.before + timedelta(days=1) if is_gap else None


def rest_from(
    missed: date | None,
    paused_on: date | None,
    profiles: Sequence[Profile],
    on: date,
    limits: Defaults,
) -> date | None:
    """The first day whose papers this mail leaves to the daily pages; None when it leaves none.

    paused_on: ``paused_from``. What came before every interest began is nobody's rest.
    """
    start = on - timedelta(days=limits.window_days - 1)
    if missed is not None:
        start = min(start, max(missed, on - timedelta(days=limits.catchup_days)))
    rest = paused_on
    if rest is None and missed is not None:
        rest = missed + timedelta(days=1)
    begun = [p.since for p in profiles if p.since is not None]
    if rest is not None and begun and len(begun) == len(profiles):
        rest = max(rest, min(begun))
    return rest if rest is not None and rest < start else None


def first_day(
    reader: Subscriber,
    profiles: Sequence[Profile],
    last: date | None,
    on: date,
    limits: Defaults,
    occasion: Occasion,
    missed: date | None = None,
) -> date:
    """The first day this mail covers, for "446 new papers checked". missed: ``missed_since``."""
    if occasion == "first":
        return on - timedelta(days=limits.first_days - 1)
    oldest = on - timedelta(days=limits.window_days - 1)
    if missed is not None:
        starts = [window_start(p, reader, on, limits, missed) for p in profiles]
        oldest = min([oldest, *starts])
    weekly = any(p.cadence is Cadence.WEEKLY for p in profiles)
    if last is not None and not weekly:  # a weekly interest was due last a week ago
        return max(oldest, last + timedelta(days=1))
    since = [p.since for p in profiles]
    if since and all(s is not None for s in since):
        return max(oldest, min(s for s in since if s is not None))
    return oldest


def counted_from(
    reader: Subscriber, last: date | None, last_at: datetime | None, first_on: date
) -> datetime:
    """From when on what was checked counts, for a mail that covers the days from ``first_on``.

    last, last_at: date and instant of the mail before. What came after it on its own date was
    looked at for nobody yet. Whole days count where no instant is given, and behind a date that was
    planned on another one (replay).
    """
    if last is None or last_at is None or first_on != last + timedelta(days=1):
        return day_bounds(first_on, first_on)[0]
    if local_date(last_at, reader.zone) != last:
        return day_bounds(first_on, first_on)[0]
    return last_at + timedelta(microseconds=1)


def kind_of(
    occasion: Occasion,
    reader: Subscriber,
    asked: Sequence[Profile],
    last: date | None,
    on: date,
    *,
    paused: bool = False,
) -> Kind:
    """paused: this is the first mail after a pause, whether or not one came before it."""
    if occasion != "daily":
        return occasion
    if asked and all(p.cadence is Cadence.WEEKLY for p in asked):
        return "weekly"
    if paused or (last is not None and last < previous_mail_day(reader, on)):
        return "catchup"
    return "daily"


def here_from(reader: Subscriber, slots: Slots) -> date | None:
    """The first date on which this reader was one: added, or with a slot (a replay)."""
    added = local_date(reader.created_at, reader.zone) if reader.created_at else None
    return min((day for day in (added, slots.first) if day is not None), default=None)


def window_start(
    profile: Profile,
    reader: Subscriber,
    on: date,
    limits: Defaults,
    missed: date | None = None,
    here: date | None = None,
    rode: date | None = None,
) -> date:
    """The first day of papers for one interest: the window up to ``on``.

    Where no mail day lies between, it begins with the day of the last mail, for what came after
    that hour, if there was a reader by then (here: ``here_from``). So does a weekly one, which
    reaches further back when its day was missed or moved (rode: ``rode_on``), and after an outage
    (missed: ``missed_since``) both, at most ``catchup_days`` back.
    """
    weekly = profile.cadence is Cadence.WEEKLY
    start = on - timedelta(days=limits.window_days - 1)
    if weekly:
        start = weekly_day(reader, profile.weekday, on) - timedelta(days=limits.window_days - 1)
    before = start - timedelta(days=1)
    is_next = weekly or previous_mail_day(reader, on) <= before
    if is_next and here is not None and here <= before:
        start = before - ZONES
    last = missed
    if missed is not None and weekly:
        last = weekly_day(reader, profile.weekday, missed)
    elif missed is None and weekly and rode is not None and rode < before:
        last = rode
    if last is None:
        return start
    last = min(last, slot_at(last, 0, reader.zone).date())
    return min(start, max(last, on - timedelta(days=limits.catchup_days)))


def is_told_anyway(reader: Subscriber, asked: Sequence[Profile], on: date) -> bool:
    """Whether this reader wants a mail on a date also when nothing came: on the first mail day of
    the week, who has weekly interests alone on theirs."""
    if not reader.tell_anyway or not asked:
        return False
    is_weekly = all(p.cadence is Cadence.WEEKLY for p in asked)
    return is_weekly or is_first_of_week(reader, on)


def can_wait(
    papers: Iterable[int], days: Mapping[int, date], reader: Subscriber, on: date, limits: Defaults
) -> bool:
    """Whether papers would still be new at the next mail. days: of those that may ride then, too;
    what a weekly interest brings may not."""
    oldest = next_mail_day(reader, on) - timedelta(days=limits.window_days - 1)
    return all(days.get(paper_id, date.min) >= oldest for paper_id in papers)


def week_from(profile: Profile, reader: Subscriber, on: date, start: date) -> date:
    """The first whole day of what a weekly interest brings, for its heading. start: the first of
    its papers' days (``window_start``)."""
    week = weekly_day(reader, profile.weekday, on) - timedelta(days=WEEK - 1)
    first = week if start == week - timedelta(days=1) - ZONES else start
    return max(first, profile.since) if profile.since is not None else first


def age_of(profile: Profile, day: date, on: date) -> int:
    """How old a paper of ``day`` is for the score of a mail, in days.

    The papers of one week are equally new to a weekly interest: what else speaks for them ranks
    them, not on which day of it they came. The week has eight dates, since it begins and ends at
    the mail's hour.
    """
    age = max(0, (on - day).days)
    return max(0, age - 1) // WEEK * WEEK if profile.cadence is Cadence.WEEKLY else age


def window_end(reader: Subscriber, on: date, now: datetime) -> datetime:
    """The end (not included) of a mail's papers: of its date, or now where that is later and the
    date is today's or still to come: Thursday evening in Los Angeles is Friday in UTC."""
    end = day_bounds(on, on)[1]
    is_over = on < min(local_date(now, reader.zone), now.astimezone(UTC).date())
    return end if is_over else max(end, now + timedelta(seconds=1))
