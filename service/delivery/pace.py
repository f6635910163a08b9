"""How many mails may go by now: limits over a second, a minute, an hour and a day. Pure.

A window slides: at no moment did more than the limit go in the second, minute, hour or day before
it. It is counted in twenty parts, and a part counts as long as any of it lies in the window; so in
the long run up to a twentieth less goes than the limit allows, never more.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import accumulate

PARTS = 20

LENGTHS = {
    "tenth": 100,
    "second": 1_000,
    "minute": 60_000,
    "hour": 3_600_000,
    "day": 86_400_000,
}
"""Milliseconds."""

BURSTS = 5
"""A limit a second lets one in so many of it go at once, in any tenth of a second: between their
claim and the wire mails take more or less long, and two seconds' worth would meet in one."""

KEPT_FREE = 20
"""One in so many of a minute, an hour and a day is kept for notices, where the limit is ten at
least: somebody who asks for a link after the day's digests still gets it."""

Counts = Mapping[str, Mapping[str, int]]
"""By window, how many went in each of its parts: {"hour": {"9802341": 12}}."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Rates:
    """Mails at most in any second, minute, hour and day; 0 = no limit."""

    second: int = 0
    minute: int = 0
    hour: int = 0
    day: int = 0

    def __bool__(self) -> bool:
        return bool(self.named())

    def named(self) -> dict[str, int]:
        """The windows that have a limit, as they were set."""
        each = {"second": self.second, "minute": self.minute, "hour": self.hour, "day": self.day}
        return {name: most for name, most in each.items() if most}

    def limits(self, *, notices: bool = True) -> tuple[tuple[str, int], ...]:
        """The windows to obey, the shortest first; without notices, what is left beside their
        share."""
        named = self.named()
        at_once = {"tenth": -(-self.second // BURSTS)} if self.second else {}
        return (
            *at_once.items(),
            *((name, most if notices else _shared(name, most)) for name, most in named.items()),
        )


def _shared(name: str, most: int) -> int:
    kept = 0 if name == "second" or most < 10 else max(1, most // KEPT_FREE)
    return most - kept


def room(counts: Counts, rates: Rates, now: datetime, *, notices: bool) -> int | None:
    """How many more may go now, None = any number."""
    rooms = [max(0, most - gone(counts, name, now)) for name, most in rates.limits(notices=notices)]
    return min(rooms, default=None)


def free_at(counts: Counts, rates: Rates, now: datetime, *, notices: bool) -> datetime:
    """When the next one may go if none goes until then; now, or a time to come."""
    return max(
        (
            _left_at(_in_window(counts, name, now), name, most, now)
            for name, most in rates.limits(notices=notices)
        ),
        default=now,
    )


def spent(counts: Counts, rates: Rates, now: datetime, *, notices: bool) -> tuple[str, int] | None:
    """The longest window that has no room, and its limit; None where each has some."""
    full = [name for name, most in rates.limits(notices=notices) if gone(counts, name, now) >= most]
    if not full:
        return None
    longest = "second" if full[-1] == "tenth" else full[-1]
    return longest, rates.named()[longest]


def gone(counts: Counts, name: str, now: datetime) -> int:
    """How many went in one window."""
    return sum(_in_window(counts, name, now).values())


def added(counts: Counts, rates: Rates, more: int, now: datetime) -> dict[str, dict[str, int]]:
    """The counts with ``more`` that go now; what no window holds any more is left out."""
    made = {}
    for name, _ in rates.limits():
        parts = {str(part): n for part, n in _in_window(counts, name, now).items()}
        part = str(_millis(now) // _width(name))
        parts[part] = parts.get(part, 0) + more
        made[name] = parts
    return made


def _in_window(counts: Counts, name: str, now: datetime) -> dict[int, int]:
    """The parts that may hold something of this window, oldest first. What lies ahead counts too
    (another machine's clock), but not further than the window is long (it was set back)."""
    width, at = _width(name), _millis(now)
    first, last = (at - LENGTHS[name]) // width, (at + LENGTHS[name]) // width
    parts = {int(part): n for part, n in counts.get(name, {}).items()}
    return {part: parts[part] for part in sorted(parts) if first <= part <= last}


def _left_at(parts: Mapping[int, int], name: str, most: int, now: datetime) -> datetime:
    surplus = sum(parts.values()) - most + 1
    if surplus <= 0:
        return now
    for part, so_far in zip(parts, accumulate(parts.values()), strict=True):
        if so_far >= surplus:  # a part has left when the window begins after its last millisecond
            return _instant((part + 1) * _width(name) + LENGTHS[name])
    return now + timedelta(milliseconds=LENGTHS[name])  # a limit below one: nothing ever fits


def _width(name: str) -> int:
    return LENGTHS[name] // PARTS


def _millis(at: datetime) -> int:
    return (at - datetime(1970, 1, 1, tzinfo=UTC)) // timedelta(milliseconds=1)


def _instant(millis: int) -> datetime:
    return datetime(1970, 1, 1, tzinfo=UTC) + timedelta(milliseconds=millis)
