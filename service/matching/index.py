"""Stored queries meet a new paper."""

from service.matching.document import Document
from service.matching.evaluate import Hit
from service.matching.query import Query


class Index:
    """Profiles by id. candidates, matches: pairs (profile, paper) that were evaluated exactly,
    and those of them that matched, since the index was made."""

    candidates: int
    matches: int

    def add(self, profile_id: int, query: Query) -> None:
        """Put a profile in, or replace it."""
        raise NotImplementedError

    def remove(self, profile_id: int) -> None:
        """Take a profile out; an unknown id is no fault."""
        raise NotImplementedError

    def match(self, document: Document) -> dict[int, tuple[Hit, ...]]:
        """The profiles that want the paper, each with its hits."""
        raise NotImplementedError

    def __len__(self) -> int:
        raise NotImplementedError
