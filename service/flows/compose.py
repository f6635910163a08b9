"""Planned deliveries become digests: what each reader gets, frozen as data on the row.

load (profiles, matches, what was sent) -> decide (digest/select) -> record (ready, or skipped
with the reason). Nothing is sent here.
"""

from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date
from functools import partial

from service.defaults import Defaults
from service.digest.candidate import Interest, NothingNew
from service.digest.model import AddedBy, Digest
from service.digest.select import compose
from service.errors import PaperpostError
from service.flows.candidates import Seen, known_candidates, new_candidates
from service.flows.fitting import fitted
from service.flows.freeze import Decided, freeze
from service.flows.quarantine import hide, without_broken
from service.flows.ride import ride_of
from service.flows.runtime import Runtime
from service.flows.score import is_resting
from service.flows.sharing import keys_of
from service.flows.shelf import (
    Shelf,
    asks_words,
    checked,
    late_for,
    learn_taste,
    load_shelf,
    trending_candidates,
)
from service.flows.signals import load_news, signals_for
from service.flows.window import (
    Occasion,
    can_wait,
    counted_from,
    first_day,
    is_told_anyway,
    kind_of,
    paused_from,
    rest_from,
)
from service.flows.worked import Decision, Worked, decision_of
from service.store import deliveries as deliveries_store
from service.store import subscribers as subscribers_store
from service.store.db import Priority, Session
from service.store.missed_rows import RESTED
from service.store.slots import Slots
from service.store.tables import DeliveryRow
from service.subscribers.cadence import day_bounds, local_date
from service.subscribers.model import Cadence, ProfileKind, Subscriber

CHUNK = 100
TURNS = 5
"""How often a digest is decided again, when another mail took one of its papers meanwhile."""


@dataclass(kw_only=True)
class ComposeReport:
    """ready: digests waiting to be sent · skipped: per reason · failed: rows that could not be
    composed (the reason is on the row)."""

    ready: int = 0
    skipped: dict[str, int] = field(default_factory=dict)
    failed: int = 0


def digest_for(
    rt: Runtime,
    session: Session,
    shelf: Shelf,
    reader: Subscriber,
    on: date,
    occasion: Occasion,
    *,
    note: str = "",
) -> Digest | NothingNew:
    """Decide what one reader gets on a local date (read only). note: in place of the date's;
    none for who wants nothing of editors."""
    is_told = occasion == "daily" or (occasion == "first" and shelf.is_released)
    note = note or (shelf.note if is_told else "")
    note = note if reader.picks else ""
    limits, now = shelf.limits, rt.clock()
    slots = shelf.slots.get(reader.id, Slots())
    last = slots.last
    ride = ride_of(reader, shelf.profiles.get(reader.id, ()), slots, on, now, limits, occasion)
    profiles, asked, missed = ride.profiles, ride.asked, ride.missed
    if occasion == "daily" and not profiles and not reader.trending and _has_days(shelf, reader):
        return NothingNew("not_your_day", 0)
    resting = shelf.resting.get(reader.id, set())
    had = shelf.had.get(reader.id, set()) | (set() if occasion == "daily" else resting)
    carried = shelf.carried.get(reader.id, {})
    told_on = occasion == "daily" and is_told_anyway(reader, asked, on)
    gathers = occasion == "daily" and (told_on or reader.at_least > 1)
    # days that had too few, or none, count as well
    before, before_at = (slots.mailed, slots.mailed_at) if gathers else (last, slots.last_at)
    first_on = first_day(reader, profiles, before, on, limits, occasion, missed)
    begin = counted_from(reader, before, before_at if missed is None else None, first_on)
    seen = Seen(begin)
    learn_taste(rt, session, shelf, reader.id)
    candidates = (
        known_candidates(rt, session, shelf, asked, on, limits, had)
        if occasion == "first"
        else new_candidates(session, shelf, ride, reader, on, had, carried, rt, occasion, seen)
    )
    if seen.weeks:
        first_on = min(first_on, *seen.weeks.values())
        begin = min(begin, day_bounds(first_on, first_on)[0])
    wants_trending = occasion != "alert" and (
        reader.trending or any(p.kind is ProfileKind.TRENDING for p in profiles)
    )
    trending = []
    if wants_trending:
        trending = trending_candidates(session, shelf, reader.id, had, carried)
    paused_on = paused_from(reader, slots, on) if occasion == "daily" else None
    kind = kind_of(occasion, reader, asked, last, on, paused=paused_on is not None)
    end = ride.end
    signals = []
    if occasion == "daily":
        shelf.news = load_news(rt, session, shelf) if shelf.news is None else shelf.news
        signals = signals_for(rt, session, shelf, reader, profiles, end)
    weeks = seen.weeks if kind in ("daily", "catchup") else {}
    # an alert promises no day's list
    late = late_for(shelf, profiles, trending=wants_trending) if occasion != "alert" else ()
    made = partial(
        compose,
        kind,
        on,
        [
            Interest(p.id, p.name, p.kind.value, p.cap, weeks.get(p.id), asks_words(shelf, p))
            for p in profiles
        ],
        checked=checked(session, shelf, begin, end, known=occasion == "first"),
        limits=limits,
        late=late,
        read_from=shelf.read_from if late else (),
        style=reader.style,  # type: ignore[arg-type]
        note=note,
        added_by=_added_by(reader, shelf) if occasion != "alert" else None,
        since=first_on if kind in ("weekly", "catchup", "first") or gathers else None,
        rest_on=rest_from(missed, paused_on, profiles, on, limits),
        list_on=shelf.list_on,
        signals=signals,
        picks=[
            replace(pick, again=carried.get(pick.paper.id, False))
            for pick in (shelf.picks if is_told and reader.picks else ())
            if pick.paper.id not in had
        ],
        entries=shelf.worked.entries,
    )
    result = without_broken(shelf, on, candidates, trending, made)
    if isinstance(result, NothingNew) and told_on and not (seen.had or seen.later):
        return Digest(
            kind=kind,
            on=on,
            checked=result.checked,
            matched=0,
            sections=(),
            since=first_on,
            late=late,
            read_from=shelf.read_from if late else (),
            note=note,
            interests=len(asked),
            list_on=shelf.list_on,
            asks=result.asks,
        )
    if isinstance(result, NothingNew):
        return replace(result, had=len(seen.had), later=len(seen.later))
    if gathers and asked and not told_on and result.matched < reader.at_least:
        waiting = [c.paper.id for c in candidates]
        if can_wait(waiting, seen.days, reader, on, limits):
            return NothingNew("too_few", result.checked)
    return result


def _has_days(shelf: Shelf, reader: Subscriber) -> bool:
    """Whether an interest of this reader has a weekday of its own."""
    return any(
        p.cadence is Cadence.WEEKLY and not p.paused for p in shelf.profiles.get(reader.id, ())
    )


def _added_by(reader: Subscriber, shelf: Shelf) -> AddedBy | None:
    if not reader.added_by or reader.created_at is None:
        return None
    if shelf.slots.get(reader.id, Slots()).last is not None:
        return None
    if shelf.had.get(reader.id):
        return None
    return AddedBy(
        organisation=reader.added_by, added_on=local_date(reader.created_at, reader.zone)
    )


def compose_planned(
    rt: Runtime,
    edition_id: int,
    on: date,
    *,
    only: str | None = None,
    note: str = "",
    by_hand: bool = False,
) -> ComposeReport:
    """Compose every planned row of an edition; a row that cannot be composed harms only itself.

    A row planned as somebody's first digest is composed as that, whoever composes it.
    only: the rows of one recipient key · by_hand: a person's send, which waits for
    no alert. Counted is what this call composed; another process may
    have done a part.
    """
    rt.read_templates()
    report, limits = ComposeReport(), rt.defaults()
    for turn in range(TURNS):
        with rt.holding(limits):
            left = _compose_turn(
                rt, edition_id, on, only, note, report, wait=turn > 0, by_hand=by_hand
            )
        if not left:
            return report
    rt.log("compose_left", edition=edition_id)  # the sweep composes them again
    return report


def _compose_turn(
    rt: Runtime,
    edition_id: int,
    on: date,
    only: str | None,
    note: str,
    report: ComposeReport,
    *,
    wait: bool,
    by_hand: bool,
) -> int:
    """Compose what is planned; returns how many rows are to be decided again, because another
    process made a mail ready for the same reader meanwhile."""
    limits, after, again, worked = rt.defaults(), 0, 0, Worked()
    while rows := rt.db.read(
        lambda s, a=after: deliveries_store.list_planned(  # type: ignore[misc]
            s, CHUNK, edition_id=edition_id, after_id=a
        )
    ):
        after = rows[-1].id or 0
        mine = [row for row in rows if only is None or row.recipient_key == only]
        worked = worked.still()
        made = rt.db.read(
            lambda s, r=mine, w=worked: _compose_chunk(rt, s, limits, r, on, note, by_hand, w)  # type: ignore[misc]
        )
        done, left = rt.db.write(
            lambda s, m=made: freeze(s, m, rt.clock(), wait=wait),  # type: ignore[misc]
            Priority.BULK,
        )
        again += left
        if broken := {i: why for one in made for i, why in one.broken.items()}:
            rt.log("papers_hidden", papers=sorted(broken))
            rt.db.write(lambda s, b=broken: hide(s, b, rt.clock()), Priority.BULK)  # type: ignore[misc]
            worked = Worked()
        for result in done:
            if isinstance(result, Digest):
                report.ready += 1
            else:
                report.skipped[result.reason] = report.skipped.get(result.reason, 0) + 1
    return again


def _compose_chunk(
    rt: Runtime,
    session: Session,
    limits: Defaults,
    rows: Sequence[DeliveryRow],
    on: date,
    note: str,
    by_hand: bool,
    worked: Worked,
) -> list[Decided]:
    found = {
        r.id: r
        for r in subscribers_store.list_subscriber_rows(
            session, ids=[r.subscriber_id for r in rows if r.subscriber_id is not None]
        )
    }
    readers = {i: subscribers_store.to_subscriber(row) for i, row in found.items()}
    shelf = load_shelf(rt, session, limits, [i for i in readers if i is not None], on, worked)
    shelf.by_hand = by_hand
    keys = _keys(rt, session, shelf, rows, readers, on, note)
    made: list[Decided] = []
    now = rt.clock()
    for row in rows:
        assert row.id is not None
        reader = readers.get(row.subscriber_id)
        result: Digest | NothingNew
        profiles: tuple[int | None, ...] = ()
        known: Decision | None = None
        if reader is None:
            result = NothingNew("erased", 0)
        elif reader.paused_until is not None and reader.paused_until > on:
            result = NothingNew("paused", 0, until=reader.paused_until)
        elif is_resting(found[row.subscriber_id], now):
            result = NothingNew(RESTED, 0)
        else:
            try:
                known = _decision(rt, session, shelf, reader, on, _occasion(row), note, keys)
                result, profiles = known.result, known.numbers(shelf.profiles[reader.id])
            except (PaperpostError, ValueError, KeyError, RecursionError) as error:
                rt.log("compose_failed", delivery=row.id, error=f"{type(error).__name__}: {error}")
                result = NothingNew(f"error: {type(error).__name__}", 0)
            else:
                if isinstance(result, Digest):
                    person = found[row.subscriber_id]
                    result = fitted(rt, row, person, shelf.worked, known, result, profiles)
        before = (row.own or {}).get("before")
        made.append(
            Decided(row.id, row.subscriber_id, result, before, shelf.broken, profiles, known)
        )
    return made


def _occasion(row: DeliveryRow) -> Occasion:
    return "first" if row.kind == "first" else "daily"


def _keys(
    rt: Runtime,
    session: Session,
    shelf: Shelf,
    rows: Sequence[DeliveryRow],
    readers: Mapping[int | None, Subscriber],
    on: date,
    note: str,
) -> Mapping[int, Hashable]:
    asked = [
        (readers[row.subscriber_id], _occasion(row)) for row in rows if row.subscriber_id in readers
    ]
    return keys_of(rt, session, shelf, on, asked, note)


def _decision(
    rt: Runtime,
    session: Session,
    shelf: Shelf,
    reader: Subscriber,
    on: date,
    occasion: Occasion,
    note: str,
    keys: Mapping[int, Hashable],
) -> Decision:
    """What was decided for somebody of whom the same is known, or is now."""
    kept, key = shelf.worked.decisions, keys.get(reader.id)
    if key is not None and (made := kept.get(key)) is not None:
        return made
    result = digest_for(rt, session, shelf, reader, on, occasion, note=note)
    made = decision_of(result, shelf.profiles.get(reader.id, ()))
    if key is not None and not shelf.broken:
        kept.keep(key, made)
    return made
