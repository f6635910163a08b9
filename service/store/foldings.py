"""Papers and interests whose words were folded by an older version, and their new words."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa
from sqlmodel import Session, col, select

from service.store.tables import PaperRow, ProfileRow


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
    current = session.get(PaperRow, read.id, with_for_update=True, populate_existing=True)
    if current is None or current.merged_into is not None or current.fold_version >= version:
        return False
    if (current.title, current.abstract, current.folded) != (
        read.title,
        read.abstract,
        read.folded,
    ):
        return False
    current.folded, current.fold_version = dict(words), version
    if again:
        current.matched_at = None
    session.add(current)
    return True


def set_profile_words(
    session: Session, read: ProfileRow, compiled: Mapping[str, Any], version: int, *, again: bool
) -> bool:
    """Store the new form of an interest as it was read; False where it changed since.

    again: it asks for other words, so it meets the papers that are still new once more.
    """
    current = session.get(ProfileRow, read.id, with_for_update=True, populate_existing=True)
    if current is None or current.fold_version >= version:
        return False
    if (current.text, current.kind, current.options) != (read.text, read.kind, read.options):
        return False
    current.compiled, current.fold_version = dict(compiled), version
    if again:
        current.matched_at = None
    session.add(current)
    return True
