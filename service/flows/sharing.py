"""Readers whose digests must be the same are decided once.

A key is everything that ``compose.digest_for`` reads of one reader: all fields of reader, interests
and slots but those named here, and what the reader had of just the papers that come into question.
Readers with the same key get the same digest, other only in the numbers of their interests.
"""

from collections.abc import Hashable, Iterable
from contextlib import suppress
from dataclasses import dataclass, fields
from datetime import date, datetime, timedelta
from operator import attrgetter
from typing import Any

from service.errors import PaperpostError
from service.flows.candidates import load_matches
from service.flows.ride import ride_of
from service.flows.runtime import Runtime
from service.flows.shelf import Shelf, words_on
from service.flows.signals import load_news
from service.flows.window import Occasion, here_from
from service.flows.worked import Polls
from service.store import matches as matches_store
from service.store.db import Session
from service.store.slots import Slots
from service.subscribers.cadence import day_bounds, local_date
from service.subscribers.model import Cadence, Profile, ProfileKind, Subscriber

BEYOND = timedelta(days=14)
"""So much older than the longest window is the same for readers of whom no mail is missing."""


def _but(kind: type, *unread: str) -> Any:
    """All fields of a value but some; a new one is among them."""
    return attrgetter(*[one.name for one in fields(kind) if one.name not in unread])


_READER = _but(
    Subscriber, "id", "email", "name", "state", "locale", "format", "confirmed_at", "created_at",
    "unsubscribe_token", "added_by", "first_digest", "on_time", "quiet_from", "quiet_until",
)  # fmt: skip
"""No digest hangs on the others, but on created_at and added_by: see ``_reader``."""
_INTEREST = _but(Profile, "id", "subscriber_id", "kind", "text", "compiled", "options", "since")
"""The others are the words, and since: see ``_interest``."""
_SLOTS = _but(Slots, "first", "last_at", "mailed_at")


def keys_of(
    rt: Runtime,
    session: Session,
    shelf: Shelf,
    on: date,
    readers: Iterable[tuple[Subscriber, Occasion]],
    note: str = "",
) -> dict[int, Hashable]:
    """The key of each reader of a shelf, by id; who has none is decided alone.

    The matches of all of them come onto the shelf.
    """
    maker = _Keys(rt, session, shelf, on, note)
    asked: list[tuple[Subscriber, _Ask]] = []
    for reader, occasion in readers:
        # whose clock cannot be read is decided alone, where it is told
        with suppress(PaperpostError, ValueError, KeyError, OSError):
            if (ask := maker.ask(reader, occasion)) is not None:
                asked.append((reader, ask))
    windows: dict[tuple[datetime, datetime], list[int]] = {}
    for _, ask in asked:
        windows.setdefault(ask.window, []).extend(ask.profile_ids)
    load_matches(session, shelf, windows)
    return {reader.id: maker.key(reader, ask) for reader, ask in asked}


@dataclass(frozen=True, slots=True)
class _Ask:
    """What a reader asks for. what: the key without papers · window, profile_ids: matches of these
    come into question."""

    what: Hashable
    window: tuple[datetime, datetime]
    profile_ids: tuple[int, ...]
    is_first: bool
    has_trending: bool


class _Keys:
    def __init__(self, rt: Runtime, session: Session, shelf: Shelf, on: date, note: str) -> None:
        self._shelf, self._on = shelf, on
        self._now = rt.clock()
        limits = shelf.limits
        longest = max(limits.window_days, limits.catchup_days, limits.first_days)
        self._floor = on - timedelta(days=longest) - BEYOND
        # what changes with the clock (dates, hours that are over) does so at full minutes
        minute = self._now.replace(second=0, microsecond=0)
        self._same = (
            on, minute, note, shelf.note, tuple(shelf.late), shelf.read_from, shelf.list_on,
            shelf.doubted, shelf.by_hand, tuple(shelf.listed), shelf.is_released,
            tuple(one.paper.id for one in shelf.picks),
        )  # fmt: skip
        self._listed = frozenset(paper for paper, _ in shelf.listed)
        if shelf.worked.polls is None:
            since = day_bounds(self._floor, self._floor)[0]
            polls = matches_store.list_instants(session, since)
            shelf.worked.polls = Polls(since, self._now, polls)
        self._polls = shelf.worked.polls
        self._windows: dict[Hashable, tuple[tuple[datetime, datetime], tuple[int, ...]]] = {}
        if shelf.news is None:
            shelf.news = load_news(rt, session, shelf)

    def ask(self, reader: Subscriber, occasion: Occasion) -> _Ask | None:
        """None: alerts that were had today, or later news, are one reader's own."""
        shelf, on = self._shelf, self._on
        profiles = shelf.profiles.get(reader.id, [])
        assert shelf.news is not None
        if shelf.news.papers.get(reader.id):
            return None
        if any(profile.cadence is Cadence.INSTANT for profile in profiles):
            return None
        slots = shelf.slots.get(reader.id, Slots())
        floor = self._floor if self._is_settled(reader, slots) else date.min
        who = (occasion, *self._reader(reader, slots, floor), *self._slots(reader, slots))
        days = tuple([self._interest(profile, floor) for profile in profiles])
        window = self._windows.get((who, days))
        if window is None:
            ride = ride_of(reader, profiles, slots, on, self._now, shelf.limits, occasion)
            asked = {profile.id for profile in ride.asked}
            places = tuple(at for at, profile in enumerate(profiles) if profile.id in asked)
            window = (ride.start, ride.end), places
            self._windows[who, days] = window
        is_first = occasion == "first"
        return _Ask(
            (who, days, tuple([(words_on(shelf, p), p.name) for p in profiles])),
            window[0],
            () if is_first else tuple([profiles[at].id for at in window[1]]),
            is_first,
            reader.trending or any(p.kind is ProfileKind.TRENDING for p in profiles),
        )

    def key(self, reader: Subscriber, ask: _Ask) -> Hashable:
        shelf = self._shelf
        matched = [shelf.matches[number, *ask.window] for number in ask.profile_ids]
        had, rests = shelf.had.get(reader.id, set()), shelf.resting.get(reader.id, set())
        carried = shelf.carried.get(reader.id, {})
        if not ask.is_first:  # that one looks at all papers of its days
            may = {paper for papers in matched for paper in papers}.union(carried)
            may.update(one.paper.id for one in shelf.picks)
            if ask.has_trending:
                may |= self._listed
            had, rests = had & may, rests & may
        marks = tuple(shelf.marks.get(reader.id, ()))
        return (
            ask.what, tuple(matched), frozenset(had), frozenset(rests),
            frozenset(carried.items()), marks, self._same,
        )  # fmt: skip

    def _is_settled(self, reader: Subscriber, slots: Slots) -> bool:
        """Whether nothing of old days is told: no mail is missing, and none was paused."""
        return (
            slots.newest is not None
            and slots.newest > self._floor
            and slots.paused is None
            and reader.paused_until is None
        )

    def _reader(self, reader: Subscriber, slots: Slots, floor: date) -> tuple[Any, ...]:
        here = here_from(reader, slots)
        created = None
        if reader.created_at is not None and (reader.added_by or floor is date.min):
            created = local_date(reader.created_at, reader.zone)
        had = bool(reader.added_by and self._shelf.had.get(reader.id))
        here = max(here, floor) if here is not None else None
        return (*_READER(reader), reader.added_by, created, had, here)

    def _slots(self, reader: Subscriber, slots: Slots) -> tuple[Any, ...]:
        at = [self._instant(reader, one) for one in (slots.last_at, slots.mailed_at)]
        return (*_SLOTS(slots), *at)

    def _instant(self, reader: Subscriber, at: datetime | None) -> Hashable:
        """An instant as what lies before it: dates, and polls that brought papers."""
        if at is None or (before := self._polls.before(at)) is None:
            return at
        return at.date(), local_date(at, reader.zone), before

    def _interest(self, profile: Profile, floor: date) -> tuple[Any, ...]:
        since = max(profile.since, floor) if profile.since is not None else None
        return (*_INTEREST(profile), since, profile.kind is ProfileKind.TRENDING)
