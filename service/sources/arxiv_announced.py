"""When arXiv's papers were announced, from their ids and the days on which their records changed.

arXiv gives an id at the announcement and in order: of 6,856 papers of 21 listing days (May and June
2026), all of a day have higher ids than any of the days before, but for late cross-lists. A paper
that moderation held for weeks still gets the id of its announcement. Pure.
"""

import re
from collections.abc import Callable, Collection, Iterable
from datetime import date, timedelta

from service.papers.model import Sighting

_NEW_ID = re.compile(r"(\d\d)(\d\d)\.(\d{4,5})")
_A_WEEKEND = timedelta(days=4)
"""From the sending of a version to its announcement at most."""

_OLD_ID = re.compile(r"[a-z-]+/(\d\d)(\d\d)\d{3}")


def order_of(identifier: str) -> tuple[int, int]:
    """Return month and number of an id; by it ids stand in the order of their announcement (those
    of before April 2007, which count per archive, before all others)."""
    match = _NEW_ID.fullmatch(identifier)
    if match is None:
        return 0, 0
    return int(match[1] + match[2]), int(match[3])


def month_of(identifier: str) -> date:
    """Return the first day of the month in which a paper was announced."""
    match = _NEW_ID.fullmatch(identifier) or _OLD_ID.fullmatch(identifier)
    if match is None or not 1 <= int(match[2]) <= 12:
        return date.min
    year = int(match[1])
    return date(1900 + year if year > 90 else 2000 + year, int(match[2]), 1)


def announced_after(
    sightings: Iterable[Sighting], newest: str, *, next_day: Callable[[date], date]
) -> dict[str, date]:
    """Return every id above ``newest`` with the day of its announcement.

    sightings: all records that changed since, with the datestamp as ``listed_on``. newest: the
    highest id announced before. next_day: the first day with an announcement later than a day.

    A paper is announced after its submission, and not after its record last changed; since ids are
    in order, neither is any paper before it after that, nor any paper behind it before that. So a
    record that changed later, or a paper that was held, still falls on its own day.
    """
    known = order_of(newest)
    dated = ((order_of(x.paper.key.value), x.paper, x.listed_on) for x in sightings)
    rows = sorted(
        ((order, paper, day) for order, paper, day in dated if day is not None and order > known),
        key=lambda row: row[0],
    )
    bounds: list[date] = []
    latest = date.max
    for _, _, changed in reversed(rows):
        latest = min(latest, next_day(changed - timedelta(days=1)))
        bounds.append(latest)
    found: dict[str, date] = {}
    earliest = date.min
    for (_, paper, changed), bound in zip(rows, reversed(bounds), strict=True):
        submitted = paper.published_on
        if submitted is not None and submitted <= changed:
            earliest = max(earliest, next_day(submitted))
        found[paper.key.value] = max(earliest, bound)
    return found


def is_late_cross_list(
    sighting: Sighting, categories: Collection[str], *, since: date, days: int
) -> bool:
    """Say whether a record changed because its paper was cross-listed, as far as a record can tell.

    categories: of the source. since: the first day that was asked for. days: how old a paper may
    be. Corrections look alike, but for what they mostly are: a new version, a DOI that was added.
    """
    paper = sighting.paper
    if paper.published_on is None or paper.published_on < since - timedelta(days=days):
        return False
    if not categories or not paper.categories or paper.categories[0] in categories:
        return False
    is_changed = paper.updated_at is not None and paper.updated_at.date() >= since - _A_WEEKEND
    return not is_changed and not any(name.scheme == "doi" for name in paper.aliases)
