"""The day's trending papers (defaults.md, rule 8)."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date


@dataclass(frozen=True, slots=True)
class Listed:
    """A paper on a list. listed_on: its first list day in the window."""

    paper_id: int
    listed_on: date
    votes: int | None
    comments: int | None = None


def trending(items: Iterable[Listed], today_list_days: tuple[date, ...]) -> list[Listed]:
    """Order the papers of the last 3 list days; those without a vote are left out.

    today_list_days: the list days counted, newest first or not; the newest is "today".
    """
    raise NotImplementedError
