"""Planned deliveries become digests: what each reader gets, frozen as data on the row.

load (profiles, matches, what was sent) -> decide (digest/select) -> record (ready, or skipped
with the reason). Nothing is sent here.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime, timedelta

from service.defaults import Defaults
from service.digest.candidate import Candidate, Interest, NothingNew
from service.digest.model import AddedBy, Digest
from service.digest.select import compose
from service.errors import PaperpostError
from service.flows.freeze import Decided, freeze
from service.flows.runtime import Runtime
from service.flows.shelf import (
    Shelf,
    candidate,
    checked,
    late_for,
    learn_taste,
    load_papers,
    load_shelf,
    trending_candidates,
)
from service.flows.signals import load_news, signals_for
from service.flows.window import (
    Occasion,
    first_day,
    here_from,
    is_due,
    kind_of,
    missed_since,
    paused_from,
    rest_from,
    window_end,
    window_start,
)
from service.store import alerts as alerts_store
from service.store import deliveries as deliveries_store
from service.store import matches as matches_store
from service.store import papers as papers_store
from service.store import subscribers as subscribers_store
from service.store.db import Priority, Session
from service.store.slots import Slots
from service.store.tables import DeliveryRow
from service.subscribers.cadence import day_bounds, local_date
from service.subscribers.model import Cadence, Profile, ProfileKind, Subscriber

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


@dataclass(slots=True)
class _Seen:
    """What became of matches while candidates were chosen. first_on: the first day that is counted
    · had: of counted days, mailed before or under way · later: wait for the next alert · oldest:
    the first day of what a weekly interest brings."""

    first_on: date
    had: set[int] = field(default_factory=set)
    later: set[int] = field(default_factory=set)
    oldest: date | None = None


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
    """Decide what one reader gets on a local date (read only)."""
    limits = shelf.limits
    slots = shelf.slots.get(reader.id, Slots())
    last = slots.last
    profiles = [
        p for p in shelf.profiles.get(reader.id, []) if is_due(p, reader, on, last, occasion)
    ]
    if occasion == "daily" and not profiles and not reader.trending and _has_days(shelf, reader):
        return NothingNew("not_your_day", 0)
    asked = [p for p in profiles if p.kind is not ProfileKind.TRENDING]
    resting = shelf.resting.get(reader.id, set())
    had = shelf.had.get(reader.id, set()) | (set() if occasion == "daily" else resting)
    carried = shelf.carried.get(reader.id, {})
    missed: date | None = None
    if occasion == "daily":
        missed = missed_since(reader, slots.newest, on, rt.clock(), limits)
    first_on = first_day(reader, profiles, last, on, limits, occasion, missed)
    seen = _Seen(first_on)
    learn_taste(rt, session, shelf, reader.id)
    candidates = (
        _known_candidates(rt, session, shelf, asked, on, limits, had)
        if occasion == "first"
        else _new_candidates(
            session, shelf, asked, reader, on, limits, had, carried, rt, occasion, missed, seen
        )
    )
    first_on = min(first_on, seen.oldest or first_on)
    wants_trending = occasion != "alert" and (
        reader.trending or any(p.kind is ProfileKind.TRENDING for p in profiles)
    )
    trending = []
    if wants_trending:
        trending = trending_candidates(session, shelf, reader.id, had, carried)
    kind = kind_of(occasion, reader, asked, last, on)
    paused_on = paused_from(reader, slots, on) if occasion == "daily" else None
    end = window_end(reader, on, rt.clock())
    signals = []
    if occasion == "daily":
        shelf.news = load_news(rt, session, shelf) if shelf.news is None else shelf.news
        signals = signals_for(rt, session, shelf, reader, profiles, end)
    # an alert promises no day's list
    late = late_for(shelf, profiles, trending=wants_trending) if occasion != "alert" else ()
    result = compose(
        kind,
        on,
        [Interest(p.id, p.name, p.kind.value, p.cap) for p in profiles],
        candidates,
        trending,
        checked=checked(session, shelf, first_on, end, known=occasion == "first"),
        limits=limits,
        late=late,
        read_from=shelf.read_from if late else (),
        style=reader.style,  # type: ignore[arg-type]
        note=note,
        added_by=_added_by(reader, shelf) if occasion != "alert" else None,
        since=first_on if kind in ("weekly", "catchup") else None,
        rest_on=rest_from(missed, paused_on, profiles, on, limits),
        signals=signals,
    )
    if isinstance(result, NothingNew):
        return replace(result, had=len(seen.had), later=len(seen.later))
    if occasion == "daily" and asked and result.matched < reader.at_least > 1:
        return NothingNew("too_few", result.checked)
    return result


def _has_days(shelf: Shelf, reader: Subscriber) -> bool:
    """Whether an interest of this reader has a weekday of its own."""
    return any(
        p.cadence is Cadence.WEEKLY and not p.paused for p in shelf.profiles.get(reader.id, ())
    )


def _new_candidates(
    session: Session,
    shelf: Shelf,
    asked: Sequence[Profile],
    reader: Subscriber,
    on: date,
    limits: Defaults,
    had: set[int],
    carried: Mapping[int, bool],
    rt: Runtime,
    occasion: Occasion,
    missed: date | None,
    seen: _Seen,
) -> list[Candidate]:
    """Matches among the papers that became new in the window, and what is carried."""
    if not asked:
        return []
    by_id = {p.id: p for p in asked}
    here = here_from(reader, shelf.slots.get(reader.id, Slots()))
    starts = {p.id: window_start(p, reader, on, limits, missed, here) for p in asked}
    start, end = day_bounds(min(starts.values()), on)[0], window_end(reader, on, rt.clock())
    pairs: list[tuple[int, int, bool]] = []
    later: list[tuple[int, int]] = []
    for profile_id, paper_id, eligible_at in matches_store.list_matches(
        session, list(by_id), start, end
    ):
        profile = by_id[profile_id]
        day = eligible_at.date()
        if day < starts[profile_id]:  # the threshold: see candidate, with today's votes
            continue
        if profile.since is not None and day < profile.since:
            continue
        if paper_id in had:
            if day >= seen.first_on:
                seen.had.add(paper_id)
            continue
        rests = occasion == "daily" and paper_id in shelf.resting.get(reader.id, ())
        if not rests and _rides_elsewhere(
            rt, session, shelf, profile, reader, eligible_at, on, occasion
        ):
            later.append((profile_id, paper_id))
            continue
        if profile.cadence is Cadence.WEEKLY:
            seen.oldest = min(day, seen.oldest or day)
        pairs.append((profile_id, paper_id, carried.get(paper_id, False)))
    found = {paper_id for _, paper_id, _ in pairs}
    load_papers(session, shelf, [paper_id for _, paper_id, _ in pairs])
    load_papers(session, shelf, [paper_id for _, paper_id in later])
    seen.later.update(
        q for p, q in later if candidate(rt, shelf, by_id[p], q, False, on) is not None
    )
    extra = [i for i in carried if i not in found and i not in had] if occasion == "daily" else []
    load_papers(session, shelf, extra)
    made = [candidate(rt, shelf, by_id[p], q, again, on) for p, q, again in pairs]
    for paper_id in extra:
        made += [candidate(rt, shelf, p, paper_id, carried[paper_id], on) for p in asked]
    return [c for c in made if c is not None]


def _rides_elsewhere(
    rt: Runtime,
    session: Session,
    shelf: Shelf,
    profile: Profile,
    reader: Subscriber,
    eligible_at: datetime,
    on: date,
    occasion: Occasion,
) -> bool:
    """Whether a paper of an instant interest is for the other mail.

    The clock's daily leaves the papers of today to the alerts, unless the day's alerts are used
    up; what came on a day whose alerts are used up is for the digest alone.
    """
    if profile.cadence is not Cadence.INSTANT:
        return False
    day = local_date(eligible_at, reader.zone)
    key = (reader.id, day)
    if key not in shelf.alerts:
        shelf.alerts[key] = alerts_store.count_alerts_on(session, reader.id, reader.zone, day)
    used_up = shelf.alerts[key] >= shelf.limits.alerts_a_day
    if occasion == "alert":
        return used_up
    is_past = day < on or on < local_date(rt.clock(), reader.zone)
    return not (used_up or is_past or shelf.by_hand)


def _known_candidates(
    rt: Runtime,
    session: Session,
    shelf: Shelf,
    asked: Sequence[Profile],
    on: date,
    limits: Defaults,
    had: set[int],
) -> list[Candidate]:
    """The first digest: the last days, known papers included (the only mail that may).

    had: somebody who comes back does not get the same papers again.
    """
    since = on - timedelta(days=limits.first_days - 1)
    recent = [
        row
        for row, day in papers_store.list_recent(session, since)
        if since <= day <= on and row.id not in had
    ]
    load_papers(session, shelf, [row.id for row in recent if row.id is not None])
    made = [
        candidate(rt, shelf, profile, row.id or 0, False, on) for profile in asked for row in recent
    ]
    return [c for c in made if c is not None]


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
    report = ComposeReport()
    for turn in range(TURNS):
        if not _compose_turn(
            rt, edition_id, on, only, note, report, wait=turn > 0, by_hand=by_hand
        ):
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
    limits, after, again = rt.defaults(), 0, 0
    while rows := rt.db.read(
        lambda s, a=after: deliveries_store.list_planned(  # type: ignore[misc]
            s, CHUNK, edition_id=edition_id, after_id=a
        )
    ):
        after = rows[-1].id or 0
        mine = [row for row in rows if only is None or row.recipient_key == only]
        made = rt.db.read(
            lambda s, r=mine: _compose_chunk(rt, s, limits, r, on, note, by_hand)  # type: ignore[misc]
        )
        done, left = rt.db.write(
            lambda s, m=made: freeze(s, m, rt.clock(), wait=wait),  # type: ignore[misc]
            Priority.BULK,
        )
        again += left
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
) -> list[Decided]:
    readers = {
        r.id: subscribers_store.to_subscriber(r)
        for r in subscribers_store.list_subscriber_rows(
            session, ids=[r.subscriber_id for r in rows if r.subscriber_id is not None]
        )
    }
    shelf = load_shelf(rt, session, limits, [i for i in readers if i is not None], on)
    shelf.by_hand = by_hand
    made: list[Decided] = []
    for row in rows:
        assert row.id is not None
        reader = readers.get(row.subscriber_id)
        result: Digest | NothingNew
        if reader is None:
            result = NothingNew("erased", 0)
        elif reader.paused_until is not None and reader.paused_until > on:
            result = NothingNew("paused", 0)
        else:
            occasion: Occasion = "first" if row.kind == "first" else "daily"
            try:
                result = digest_for(rt, session, shelf, reader, on, occasion, note=note)
            except (PaperpostError, ValueError, KeyError, RecursionError) as error:
                rt.log("compose_failed", delivery=row.id, error=f"{type(error).__name__}: {error}")
                result = NothingNew(f"error: {type(error).__name__}", 0)
        before = (row.content or {}).get("before")
        made.append(Decided(row.id, row.subscriber_id, result, before))
    return made
