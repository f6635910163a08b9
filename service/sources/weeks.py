"""Several list days asked in one question, where the answer names the day of each paper. Pure.

Nobody says that such an answer is whole: a day that should have papers and has none in it is asked
for by itself, and so are all of them when a paper does not name its day.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from datetime import date

from service.sources.adapter import Parsed

FROM = 3
"""So many days of a calendar week are asked for as a week; fewer, each by itself."""


def by_week(days: Iterable[date]) -> list[tuple[date, ...]]:
    """Return the days by calendar week (ISO 8601), in the order in which they stand."""
    weeks: dict[tuple[int, int], list[date]] = {}
    for day in days:
        year, week, _ = day.isocalendar()
        weeks.setdefault((year, week), []).append(day)
    return [tuple(week) for week in weeks.values()]


def doubtful(
    days: Sequence[date], pages: Iterable[Parsed], expects: Callable[[date], bool]
) -> tuple[date, ...]:
    """Return those of ``days`` that the answer (all its pages) does not settle."""
    named = [sighting.listed_on for page in pages for sighting in page.sightings]
    if None in named:
        return tuple(days)
    return tuple(day for day in days if expects(day) and day not in named)


def of_day(parsed: Parsed, day: date, *, is_first: bool) -> Parsed:
    """Return the part of a page that was listed on ``day``; what could not be read (it names no
    day) stands with the first day alone."""
    found = tuple(sighting for sighting in parsed.sightings if sighting.listed_on == day)
    problems = parsed.problems if is_first else ()
    items = len(found) + sum(problem.item > 0 for problem in problems)
    return replace(parsed, items=items, sightings=found, problems=problems)
