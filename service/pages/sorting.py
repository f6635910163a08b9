"""Lists in the order of a column: ``?sort=name`` upwards, ``?sort=-name`` downwards."""

from collections.abc import Sequence
from dataclasses import dataclass

from fastapi import Request

from service.pages.paging import own_address


@dataclass(frozen=True, slots=True)
class Sorting:
    """name: of the column · is_down: the greatest first · request: whose list it is."""

    name: str
    is_down: bool
    request: Request

    @property
    def word(self) -> str:
        """As it stands in an address."""
        return f"-{self.name}" if self.is_down else self.name

    def said_of(self, name: str) -> str:
        """What ``aria-sort`` says of a column, "" for one that is not the order."""
        if name != self.name:
            return ""
        return "descending" if self.is_down else "ascending"

    def address(self, name: str, first_down: bool = False) -> str:
        """Where a column's heading leads: its order, the other way round where it is the order
        already; filters stay, the pages begin anew. first_down: the greatest first."""
        is_down = not self.is_down if name == self.name else first_down
        url = own_address(self.request).remove_query_params("page")
        url = url.include_query_params(sort=f"-{name}" if is_down else name)
        return f"{url.path}?{url.query}"


def sorting_of(request: Request, names: Sequence[str], usual: str) -> Sorting:
    """Read ``?sort=``; what is no column of ``names`` becomes ``usual`` (like "-begun")."""
    asked = request.query_params.get("sort", "")
    word = asked if asked.removeprefix("-") in names else usual
    return Sorting(word.removeprefix("-"), word.startswith("-"), request)
