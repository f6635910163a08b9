"""Papers and interests whose words were folded by an older version, and their new words."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, TypeVar

import sqlalchemy as sa
from sqlmodel import Session, col, select

from service.store.tables import PaperRow, ProfileRow

_Row = TypeVar("_Row", PaperRow, ProfileRow)


@dataclass(frozen=True, slots=True)
class Stale:
    """How many rows wait to be folded anew, of how many."""

    papers: int = 0
    of_papers: int = 0
    profiles: int = 0
    of_profiles: int = 0


def list_stale_papers(
    session: Session, version: int, limit: int, before: int | None = None
) -> list[PaperRow]:
    """Papers of an older version, the newest first; before: with a smaller id only."""
    query = select(PaperRow).where(
        col(PaperRow.fold_version) < version, col(PaperRow.merged_into).is_(None)
    )
    if before is not None:
        query = query.where(col(PaperRow.id) < before)
    return list(session.exec(query.order_by(col(PaperRow.id).desc()).limit(limit)).all())


def list_stale_profiles(
    session: Session, version: int, limit: int, after: int = 0
) -> list[ProfileRow]:
    """Interests in words of an older version; after: with a greater id only."""
    query = select(ProfileRow).where(
        col(ProfileRow.fold_version) < version,
        col(ProfileRow.kind) != "trending",
        col(ProfileRow.id) > after,
    )
    return list(session.exec(query.order_by(col(ProfileRow.id)).limit(limit)).all())


def count_stale(session: Session, papers: int, profiles: int) -> Stale:
    """Count rows below these versions."""

    def count(*conditions: sa.ColumnElement[bool]) -> int:
        return int(session.execute(sa.select(sa.func.count()).where(*conditions)).scalar_one())

    whole, in_words = col(PaperRow.merged_into).is_(None), col(ProfileRow.kind) != "trending"
    return Stale(
        papers=count(whole, col(PaperRow.fold_version) < papers),
        of_papers=count(whole),
        profiles=count(in_words, col(ProfileRow.fold_version) < profiles),
        of_profiles=count(in_words),
    )


def set_paper_words(
    session: Session, read: PaperRow, words: Mapping[str, Any], version: int, *, again: bool
) -> bool:
    """Store new words of a paper as it was read; False where it changed since.

    again: its words differ, so it meets the interests once more.
    """
    row = _as_read(session, read, version, ("title", "abstract", "folded", "merged_into"))
    if row is None:
        return False
    row.folded = dict(words)
    return _is_renewed(session, row, version, again)


def set_profile_words(
    session: Session, read: ProfileRow, compiled: Mapping[str, Any], version: int, *, again: bool
) -> bool:
    """Store the new form of an interest as it was read; False where it changed since.

    again: it asks for other words, so it meets the papers that are still new once more.
    """
    row = _as_read(session, read, version, ("text", "kind", "options"))
    if row is None:
        return False
    row.compiled = dict(compiled)
    return _is_renewed(session, row, version, again)


def _as_read(session: Session, read: _Row, version: int, facts: tuple[str, ...]) -> _Row | None:
    """The row, locked; None where it is gone, of this version or not as it was read."""
    row = session.get(type(read), read.id, with_for_update=True, populate_existing=True)
    if row is None or row.fold_version >= version:
        return None
    return row if all(getattr(row, fact) == getattr(read, fact) for fact in facts) else None


def _is_renewed(session: Session, row: PaperRow | ProfileRow, version: int, again: bool) -> bool:
    row.fold_version = version
    if again:
        row.matched_at = None
    session.add(row)
    return True
