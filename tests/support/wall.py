"""What the wall of a zone shows, told without the code under test: its offset at each quarter of an
hour. A date exists when it stands on the wall at any of them; a slot begins at the first at which
the wall shows its hour or a later one. And a clock that ticks by quarter hours and asks the code.
"""

import zoneinfo
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo, available_timezones

import numpy as np
from numpy.typing import NDArray

from service.subscribers.cadence import due_slot, next_slot, slot_at
from service.subscribers.model import Subscriber

QUARTER = timedelta(minutes=15)
EVERY_DAY = frozenset(range(7))
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
DAY_ONE = date(1970, 1, 1)


def tzdata_version() -> str:
    """Of the files that zoneinfo reads here: the machine's, else the package's."""
    for folder in map(Path, zoneinfo.TZPATH):
        file = folder / "tzdata.zi"
        if file.exists():
            return file.read_text("utf-8").splitlines()[0].removeprefix("# version ").strip()
    from tzdata import IANA_VERSION

    return IANA_VERSION


def ticks(start: datetime, end: datetime) -> NDArray[np.int64]:
    """The quarter hours of [start, end), in seconds since 1970."""
    first, last = int((start - EPOCH).total_seconds()), int((end - EPOCH).total_seconds())
    return np.arange(first, last, 900, dtype=np.int64)


@dataclass(frozen=True, slots=True)
class Rules:
    """One zone between two instants. at, offset: of each quarter hour, in seconds."""

    zone: str
    at: NDArray[np.int64]
    offset: NDArray[np.int64]

    @property
    def wall(self) -> NDArray[np.int64]:
        """What the wall shows, in seconds since it showed the first of January 1970."""
        return self.at + self.offset

    def changes(self) -> list[datetime]:
        """The quarter hours from which another offset holds."""
        places = np.flatnonzero(np.diff(self.offset)) + 1
        return [instant(self.at[place]) for place in places]

    def part(self, start: datetime, end: datetime) -> "Rules":
        """The same between two instants that lie within."""
        low, high = np.searchsorted(self.at, [seconds(start), seconds(end)])
        return Rules(self.zone, self.at[low:high], self.offset[low:high])

    def dates(self) -> list[date]:
        """The local dates that stand on the wall."""
        days = np.unique(self.wall // 86400)
        return [DAY_ONE + timedelta(days=int(day)) for day in days]

    def begins(self, dates: Sequence[date], hour: int) -> dict[date, datetime]:
        """Per date the first quarter hour at which the wall shows its hour or a later one; without
        those of which it did so before the first, or does not yet."""
        wanted = [(on - DAY_ONE).days * 86400 + hour * 3600 for on in dates]
        places = np.searchsorted(np.maximum.accumulate(self.wall), wanted)
        return {
            on: instant(self.at[place])
            for on, place in zip(dates, places, strict=True)
            if 0 < place < len(self.at)
        }


def seconds(at: datetime) -> int:
    """An instant in seconds since 1970."""
    return int((at - EPOCH).total_seconds())


def instant(number: int) -> datetime:
    """The inverse of ``seconds``."""
    return EPOCH + timedelta(seconds=int(number))


def every_quarter(zone: str, start: datetime, end: datetime) -> Rules:
    """A zone's offset asked at each quarter hour: slow, and nothing is guessed."""
    at, clock = ticks(start, end), ZoneInfo(zone)
    offset = [_offset(instant(number), clock) for number in at]
    return Rules(zone, at, np.array(offset, dtype=np.int64))


def by_days(zone: str, start: datetime, days: Sequence[datetime]) -> list[tuple[int, int]]:
    """(quarter hour after the start, offset from then on), asked once a day and looked for where
    two days differ: two changes within one day are not seen."""
    clock = ZoneInfo(zone)
    found: list[tuple[int, int]] = []
    for day in days:
        offset = _offset(day, clock)
        if not found:
            found.append((0, offset))
        elif offset != found[-1][1]:
            low, high = (seconds(day) - seconds(start)) // 900 - 96, 96
            while high > 1:
                is_late = _offset(start + (low + high // 2) * QUARTER, clock) == found[-1][1]
                low, high = (low + high // 2, high - high // 2) if is_late else (low, high // 2)
            found.append((low + 1, offset))
    return found


def _offset(at: datetime, clock: ZoneInfo) -> int:
    shift = at.astimezone(clock).utcoffset()
    assert shift is not None
    return int(shift.total_seconds())


def rule_sets(start: datetime, end: datetime) -> list[Rules]:
    """The distinct rules of all zones between two instants, each under one of its zones."""
    days = [start + timedelta(days=n) for n in range((end - start).days + 1)]
    found: dict[tuple[tuple[int, int], ...], str] = {}
    for zone in sorted(available_timezones()):
        found.setdefault(tuple(by_days(zone, start, days)), zone)
    at = ticks(start, end)
    made = []
    for steps, zone in found.items():
        offset = np.empty(len(at), dtype=np.int64)
        for place, shift in steps:
            offset[place:] = shift
        made.append(Rules(zone, at, offset))
    return made


def reader_in(zone: str, hour: int, weekdays: frozenset[int] = EVERY_DAY) -> Subscriber:
    """A reader by whose clock a test goes."""
    return Subscriber(id=1, email="ada@example.org", zone=zone, hour=hour, weekdays=weekdays)


def given(reader: Subscriber, at: Sequence[int]) -> Iterator[tuple[date, datetime]]:
    """What the planner gives a reader at these ticks: (local date, instant of the tick).

    Ticks at which nobody is due change nothing and are passed over.
    """
    due = next_slot(reader, instant(at[0]) - timedelta(seconds=1))[1]
    place = 0
    while (place := place + int(np.searchsorted(at[place:], seconds(due)))) < len(at):
        now = instant(at[place])
        slot = due_slot(reader, due, now)
        if slot is not None:
            yield slot[0], now
        due = next_slot(reader, now)[1]


@dataclass(frozen=True, slots=True)
class Checked:
    """pairs: of (hour, local date) that were looked at · wrong: what was not one digest in time."""

    pairs: int
    wrong: list[str]


def check(rules: Rules, hours: Sequence[int] = range(24)) -> Checked:
    """Each local date of the wall has one digest at each hour, at the first tick at which the wall
    shows it; a date that the zone skipped has none."""
    wrong: list[str] = []
    pairs, dates = 0, rules.dates()
    for hour in hours:
        meant = rules.begins(dates, hour)
        pairs += len(meant)
        planned = list(given(reader_in(rules.zone, hour), rules.at))
        counted = Counter(on for on, _ in planned)
        wrong += [f"{rules.zone} {on} {hour}: {n} digests" for on, n in counted.items() if n != 1]
        wrong += [f"{rules.zone} {on} {hour}: none" for on in meant if not counted[on]]
        wrong += [
            f"{rules.zone} {on} {hour}: given at {now:%H:%M}, meant at {meant.get(on)}"
            for on, now in planned
            if now != meant.get(on, instant(rules.at[0]))
        ]
        wrong += [
            f"{rules.zone} {on} {hour}: begins at {begins}"
            for on, at in meant.items()
            if not at - QUARTER < (begins := slot_at(on, hour, rules.zone)) <= at
        ]
    return Checked(pairs, wrong)
