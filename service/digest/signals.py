"""Late signals: what happened later to papers that a reader had, and which of it is told. Pure.

A paper is told of once: its line says all that had happened by then. An event counts when it came
after the mail and after the opt-in of an interest, and for ``signal_days``.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from service.defaults import FIXED
from service.digest.model import Happening, HappeningKind, Section, Signal
from service.papers.identity import is_journal
from service.subscribers.options import LateSignals

ORDER: tuple[HappeningKind, ...] = ("withdrawn", "code", "doi", "votes")
"""The kinds of events that are told, the gravest first."""


@dataclass(frozen=True, slots=True)
class Event:
    """What happened to a paper, in the words of ``store/events``; votes are of a whole UTC day
    that begins with ``at``: "before after"."""

    kind: str
    at: datetime
    value: str = ""


@dataclass(frozen=True, slots=True)
class Had:
    """How a paper came to a reader. at: when its mail was planned (None: nobody knows any more) ·
    votes: that stood in it, None where it showed none · withdrawn: as the paper is now."""

    at: datetime | None
    votes: int | None = None
    withdrawn: bool = False


def happened(
    events: Iterable[Event],
    had: Had,
    wish: LateSignals,
    since: datetime,
    until: datetime,
    *,
    votes: int,
) -> tuple[Happening, ...]:
    """What is to be told of one paper for one interest, each kind once, the gravest first.

    since, until: events from and up to these instants count · votes: from how many on they are
    news, where the interest does not say.
    """
    found: dict[HappeningKind, Happening] = {}
    least = wish.votes if wish.votes is not None else votes
    for event in sorted(events, key=lambda e: e.at):
        if not max(since, wish.since) <= event.at < until:
            continue
        if event.kind == "votes":
            if "votes" not in found and passed(event, least) and _is_later_day(event, had, least):
                found["votes"] = Happening("votes", str(least), event.at)
        elif had.at is not None and event.at < had.at:
            continue
        elif event.kind == "code":
            found["code"] = Happening("code", event.value, event.at)
        elif event.kind == "doi" and is_journal(event.value):
            found["doi"] = Happening("doi", event.value, event.at)
        elif event.kind == "withdrawn" and had.withdrawn:
            found["withdrawn"] = Happening("withdrawn", "", event.at)
    return tuple(found[kind] for kind in ORDER if kind in found)


def passed(event: Event, least: int) -> bool:
    """Whether votes went from below ``least`` to there or beyond on the day of the event."""
    before, _, after = event.value.rpartition(" ")
    if not after.isdecimal() or (before and not before.isdecimal()):
        return False
    return int(after) >= least and (not before or int(before) < least)


def _is_later_day(event: Event, had: Had, least: int) -> bool:
    """A day's votes are one event, begun before the mail maybe: then the mail's own figure says
    whether they passed later."""
    if had.at is None or event.at > had.at:
        return True
    return event.at.date() == had.at.date() and (had.votes is None or had.votes < least)


def joined(lists: Iterable[Sequence[Happening]]) -> tuple[Happening, ...]:
    """What several interests tell of one paper, each kind once: the first that was."""
    found: dict[HappeningKind, Happening] = {}
    for happenings in lists:
        for one in happenings:
            there = found.get(one.kind)
            if there is None or (one.at, one.value) < (there.at, there.value):
                found[one.kind] = one
    return tuple(found[kind] for kind in ORDER if kind in found)


def section_of(signals: Sequence[Signal]) -> Section | None:
    """The section of a mail: the gravest first, then the newest; what is beyond the limit rides in
    the next mail."""
    if not signals:
        return None
    ranked = sorted(signals, key=_rank)[: FIXED.signals_a_mail]
    return Section(kind="signals", name="", total=len(ranked), signals=tuple(ranked))


def _rank(signal: Signal) -> tuple[bool, float, tuple[str, str]]:
    newest = max(one.at.timestamp() for one in signal.happenings)
    is_grave = any(one.kind == "withdrawn" for one in signal.happenings)
    return (not is_grave, -newest, (signal.scheme, signal.value))


def oldest_event(now: datetime) -> datetime:
    """From when on events are news."""
    return now - timedelta(days=FIXED.signal_days)
