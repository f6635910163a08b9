"""Short lists that are read as a whole: filtered by words, sorted and paged by their address."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from fastapi import Request

from service.pages.paging import Paging, address_of_page, paging_of
from service.pages.sorting import Sorting, sorting_of

Row = TypeVar("Row")

FEW = 10
"""Rows that the eye filters by itself: a longer list has a field for it."""


@dataclass(frozen=True, slots=True)
class Listed(Generic[Row]):
    """A page of a list. every: rows of the whole list · words: what it is filtered by."""

    rows: Sequence[Row]
    every: int
    words: str
    sorting: Sorting
    paging: Paging

    @property
    def has_filter(self) -> bool:
        """Whether the page offers a field to filter by."""
        return bool(self.words) or self.every > FEW

    def address_of_page(self, number: int) -> str:
        """The same list's page of this number."""
        return address_of_page(self.sorting.request, number)


def listed(
    request: Request,
    rows: Sequence[Row],
    columns: Mapping[str, Callable[[Row], Any]],
    words_of: Callable[[Row], str],
    *,
    size: int = 50,
) -> Listed[Row]:
    """Read ``?q=``, ``?sort=`` and ``?page=``.

    columns: by name, what a row is sorted by; rows without it (None) come last either way. Without
    an order the rows stay as they came. words_of: the text that the words are looked for in.
    """
    sorting = sorting_of(request, tuple(columns), "")
    words = " ".join(request.query_params.get("q", "").split())[:200]
    found = [row for row in rows if words.casefold() in words_of(row).casefold()]
    if sorting.name:
        column = columns[sorting.name]
        with_it = [row for row in found if column(row) is not None]
        without = [row for row in found if column(row) is None]
        with_it.sort(key=lambda row: _folded(column(row)), reverse=sorting.is_down)
        found = [*with_it, *without]
    paging = paging_of(request, len(found), size)
    shown = found[paging.offset : paging.offset + paging.size]
    return Listed(shown, len(rows), words, sorting, paging)


def _folded(value: Any) -> Any:
    return value.casefold() if isinstance(value, str) else value
