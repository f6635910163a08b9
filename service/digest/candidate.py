"""What selection works on: a paper that a profile wants, and the reader's interests. Pure."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import Protocol

from service.digest.model import Asks
from service.matching.likeness import Likeness
from service.papers.model import Paper


class HitLike(Protocol):
    """A place where a term occurs: half-open character range in the field ``where``.

    ``service.matching.evaluate.Hit`` has exactly these attributes.
    """

    @property
    def term(self) -> str: ...
    @property
    def where(self) -> str: ...
    @property
    def start(self) -> int: ...
    @property
    def end(self) -> int: ...


@dataclass(frozen=True, slots=True)
class Candidate:
    """One paper for one interest (profile_id 0 = none: trending or chosen by hand).

    hits: ranges in ``paper.title`` and ``paper.abstract``; other fields only give reasons.
    parts: the documented parts of ``score``. listed_on: the newest list date that is known.
    place: category or source by name · again: carried from an unconfirmed delivery.
    likeness: what tells nearly the same papers; None is like nothing.
    """

    paper: Paper
    profile_id: int
    hits: tuple[HitLike, ...] = ()
    score: float = 0.0
    parts: Mapping[str, float] = field(default_factory=dict)
    listed_on: date | None = None
    place: str = ""
    again: bool = False
    likeness: Likeness | None = None


@dataclass(frozen=True, slots=True)
class Interest:
    """A profile as the mail shows it.

    kind: a ProfileKind value, or "chosen" (papers picked by an editor), or "signals".
    cap: papers in full at most (None = the mail's own limit) · since: the first day of its papers
    where it covers other days than the mail (a weekly one in a daily mail) · has_words: whether it
    asks for words of papers, not for people, categories and figures alone.
    """

    profile_id: int
    name: str
    kind: str = "keywords"
    cap: int | None = None
    since: date | None = None
    has_words: bool = True


def asks_of(interests: Iterable[Interest]) -> Asks:
    """What papers are compared with for a reader, by the interests that ride."""
    asked = [one.has_words for one in interests if one.kind != "trending"]
    if not asked:
        return "trending"
    return "words" if any(asked) else "interests"


@dataclass(frozen=True, slots=True)
class NothingNew:
    """There is nothing to mail; ``reason`` is stored ("nothing_new") with what was checked.

    had: how many of these matched and were mailed before, or are under way · later: how many
    matched and wait for the reader's next alert · until: the end of the pause, where that is why ·
    asks: what papers were compared with.
    """

    reason: str
    checked: int
    had: int = 0
    later: int = 0
    until: date | None = None
    asks: Asks = "words"
