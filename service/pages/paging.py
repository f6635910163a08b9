"""Long lists in pages of equal length."""

from dataclasses import dataclass

from fastapi import Request
from starlette.datastructures import URL


@dataclass(frozen=True, slots=True)
class Paging:
    """Page ``number`` (from 1) of a list of ``total`` rows, ``size`` a page.

    is_beyond: a later page than there is was asked for; ``number`` is the last one · is_more: the
    list goes on behind ``total``, and was counted no further.
    """

    number: int
    size: int
    total: int
    is_beyond: bool = False
    is_more: bool = False

    @property
    def pages(self) -> int:
        """How many pages there are; an empty list has one."""
        return max(1, -(-self.total // self.size))

    @property
    def offset(self) -> int:
        """Rows to skip."""
        return (self.number - 1) * self.size

    @property
    def first(self) -> int:
        """Number of the first row shown, 0 for an empty list."""
        return self.offset + 1 if self.total else 0

    @property
    def last(self) -> int:
        """Number of the last row shown."""
        return min(self.offset + self.size, self.total)

    @property
    def previous(self) -> int | None:
        return self.number - 1 if self.number > 1 else None

    @property
    def next(self) -> int | None:
        return self.number + 1 if self.number < self.pages else None


def paging_of(request: Request, total: int, size: int = 100, most: int | None = None) -> Paging:
    """Read ``?page=``; anything that is no page of this list becomes the nearest one. most: so many
    rows are paged; a greater total says only that there are more."""
    is_more = most is not None and total > most
    total = most if is_more and most is not None else total
    number = _asked(request)
    pages = Paging(1, size, total).pages
    return Paging(min(number, pages), size, total, number > pages, is_more)


def asked_offset(request: Request, size: int = 100) -> int:
    """Rows before the page that ``?page=`` asks for, whether or not there are as many: for a list
    whose total is known with its rows. ``paging_of`` then says whether it was beyond the end."""
    return (_asked(request) - 1) * size


def _asked(request: Request) -> int:
    asked = request.query_params.get("page", "")
    return max(1, int(asked)) if asked.isdecimal() and len(asked) < 10 else 1


def shown_at(request: Request, path: str) -> None:
    """Say where the page stands that a form of another address shows: its links lead there."""
    request.state.shown_at = path


def own_address(request: Request) -> URL:
    """The address of the page that is shown."""
    return request.url.replace(path=getattr(request.state, "shown_at", request.url.path))


def address_of_page(request: Request, number: int) -> str:
    """Return this page's own address (path and query) with another page number."""
    url = own_address(request).include_query_params(page=number)
    return f"{url.path}?{url.query}"
