"""From candidates to one reader's digest (defaults.md, "What a daily is"). Pure."""

from collections.abc import Sequence
from datetime import date
from typing import Literal

from service.defaults import Defaults
from service.digest.candidate import Candidate, Interest, NothingNew
from service.digest.model import AddedBy, Digest, DigestKind

Style = Literal["short", "full", "none"]


def compose(
    kind: DigestKind,
    on: date,
    interests: Sequence[Interest],
    candidates: Sequence[Candidate],
    trending: Sequence[Candidate] = (),
    *,
    checked: int,
    limits: Defaults,
    late: Sequence[str] = (),
    style: Style = "short",
    note: str = "",
    added_by: AddedBy | None = None,
    since: date | None = None,
) -> Digest | NothingNew:
    """Return what this reader gets."""
    raise NotImplementedError
