"""The day's trending papers: the order of the votes, in mails and on the daily page alike."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date

LIST_DAYS = 3
"""Papers of this many list days take part."""


@dataclass(frozen=True, slots=True)
class Listed:
    """A paper on a source's list. votes, comments: None where the source has none."""

    paper_id: int
    listed_on: date
    votes: int | None
    comments: int | None = None


def trending(items: Iterable[Listed], today_list_days: tuple[date, ...]) -> list[Listed]:
    """The papers of the newest 3 of ``today_list_days`` with a vote at least, best first.

    The order: votes / (days from listing to the newest list day + 1), then comments, then id. A
    paper that was listed on several of the days stands once, by its newest listing.
    """
    days = sorted(set(today_list_days))[-LIST_DAYS:]
    newest: dict[int, Listed] = {}
    for item in items:
        if item.listed_on in days and (item.votes or 0) >= 1:
            known = newest.get(item.paper_id)
            if known is None or item.listed_on > known.listed_on:
                newest[item.paper_id] = item
    return in_order(newest.values(), days[-1]) if days else []


def in_order(items: Iterable[Listed], today: date) -> list[Listed]:
    """The same order for every paper given (a page of one day), those without a vote last."""

    def rank(item: Listed) -> tuple[float, int, int]:
        days = max(0, (today - item.listed_on).days)
        return -(item.votes or 0) / (days + 1), -(item.comments or 0), item.paper_id

    return sorted(items, key=rank)
