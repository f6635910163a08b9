"""The day's most-voted papers (defaults.md, "What a daily is", 8). Pure."""

from collections.abc import Collection, Iterable, Sequence
from datetime import date

from service.defaults import Defaults
from service.digest.candidate import Candidate

Rank = tuple[float, int, tuple[str, str]]


def rank(votes: int, comments: int, listed_on: date, on: date, name: tuple[str, str]) -> Rank:
    """Return a sort key, best first: votes a day on the list, then comments, then the name of the
    paper, (scheme, value), which is the same in every database."""
    days = max(0, (on - listed_on).days) + 1
    return (-votes / days, -comments, name)


def last_list_days(days: Iterable[date], on: date, n: int) -> frozenset[date]:
    """Return the newest ``n`` days that have a list, not after ``on``."""
    return frozenset(sorted({d for d in days if d <= on}, reverse=True)[:n])


def popular(
    candidates: Sequence[Candidate], on: date, limits: Defaults, *, without: Collection[int] = ()
) -> list[Candidate]:
    """Return the trending section: papers of the last list days with at least one vote, cut.

    without: ids of papers that stand elsewhere in the same mail.
    """
    listed: list[tuple[Rank, Candidate]] = []
    dated = [(c, c.listed_on) for c in candidates if c.listed_on is not None]
    days = last_list_days((d for _, d in dated), on, limits.trending_days)
    seen: set[int] = set(without)
    for candidate, day in dated:
        votes = candidate.paper.votes or 0
        if day in days and votes >= 1 and candidate.paper.id not in seen:
            seen.add(candidate.paper.id)
            name = (candidate.paper.key.scheme, candidate.paper.key.value)
            key = rank(votes, candidate.paper.comments or 0, day, on, name)
            listed.append((key, candidate))
    listed.sort(key=lambda pair: pair[0])
    return [candidate for _, candidate in listed[: limits.trending_entries]]
