"""Which papers come into question for one reader's mail: matches of the window, what is carried,
and for a first digest the known ones."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta

from service.defaults import Defaults
from service.digest.candidate import Candidate
from service.flows.ride import Ride
from service.flows.runtime import Runtime
from service.flows.shelf import Shelf, candidate, load_papers
from service.flows.window import Occasion, week_from
from service.store import alerts as alerts_store
from service.store import matches as matches_store
from service.store import papers as papers_store
from service.store.db import Session
from service.subscribers.cadence import local_date
from service.subscribers.model import Cadence, Profile, Subscriber


@dataclass(slots=True)
class Seen:
    """What became of matches while candidates were chosen. begin: from when on they are counted
    · had: mailed before or under way, of those · later: wait for the next alert · weeks:
    the first day of what each weekly interest brings · days: those of the papers that may wait."""

    begin: datetime
    had: set[int] = field(default_factory=set)
    later: set[int] = field(default_factory=set)
    weeks: dict[int, date] = field(default_factory=dict)
    days: dict[int, date] = field(default_factory=dict)


def new_candidates(
    session: Session,
    shelf: Shelf,
    ride: Ride,
    reader: Subscriber,
    on: date,
    had: set[int],
    carried: Mapping[int, bool],
    rt: Runtime,
    occasion: Occasion,
    seen: Seen,
) -> list[Candidate]:
    """Matches among the papers that became new in the window, and what is carried."""
    asked, starts = ride.asked, ride.starts
    if not asked:
        return []
    by_id = {p.id: p for p in asked}
    if occasion == "daily":
        seen.weeks = {
            p.id: week_from(p, reader, on, starts[p.id])
            for p in asked
            if p.cadence is Cadence.WEEKLY
        }
    pairs: list[tuple[int, int, bool]] = []
    later: list[tuple[int, int]] = []
    for profile_id, paper_id, eligible_at in _matched(session, shelf, ride):
        profile = by_id[profile_id]
        day = eligible_at.date()
        if day < starts[profile_id]:  # the threshold: see candidate, with today's votes
            continue
        if profile.since is not None and day < profile.since:
            continue
        if paper_id in had:
            if eligible_at >= seen.begin:
                seen.had.add(paper_id)
            continue
        rests = occasion == "daily" and paper_id in shelf.resting.get(reader.id, ())
        if not rests and _rides_elsewhere(
            rt, session, shelf, profile, reader, eligible_at, on, occasion
        ):
            later.append((profile_id, paper_id))
            continue
        if profile_id in seen.weeks:
            seen.weeks[profile_id] = min(day, seen.weeks[profile_id])
        else:
            seen.days[paper_id] = day
        again = carried.get(paper_id, _may_have_come(shelf, profile, eligible_at))
        pairs.append((profile_id, paper_id, again))
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


def load_matches(
    session: Session, shelf: Shelf, windows: Mapping[tuple[datetime, datetime], Sequence[int]]
) -> None:
    """Bring the matches of many profiles onto the shelf: of some in each window [start, end)."""
    days = shelf.worked.eligible
    for window, profile_ids in windows.items():
        pairs = matches_store.list_matched(session, profile_ids, *window)
        missing = {paper for papers in pairs.values() for paper in papers} - days.keys()
        days.update(matches_store.list_eligible(session, sorted(missing)))
        for profile_id in profile_ids:
            shelf.matches[profile_id, *window] = pairs.get(profile_id, ())


def _matched(session: Session, shelf: Shelf, ride: Ride) -> Iterable[tuple[int, int, datetime]]:
    """(profile, paper, when it became new) of one mail, by profile and paper."""
    window, days = (ride.start, ride.end), shelf.worked.eligible
    if any((profile.id, *window) not in shelf.matches for profile in ride.asked):
        load_matches(session, shelf, {window: [profile.id for profile in ride.asked]})
    return [
        (profile.id, paper, days[paper])
        for profile in sorted(ride.asked, key=lambda one: one.id)
        for paper in shelf.matches[profile.id, *window]
        if paper in days  # else it was deleted this moment
    ]


def _may_have_come(shelf: Shelf, profile: Profile, eligible_at: datetime) -> bool:
    """Whether a restored backup may have forgotten that it was mailed; not to who came since."""
    if shelf.doubted is None or eligible_at >= shelf.doubted:
        return False
    return profile.since is None or profile.since < shelf.doubted.date()


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


def known_candidates(
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
