"""Tags: words of the staff's on readers."""

from collections.abc import Sequence
from typing import Any

import sqlalchemy as sa
from sqlmodel import Session, col

from service.store.desk_tables import ReaderTagRow
from service.store.reader_lists import Wanted, conditions
from service.store.tables import SubscriberRow

_PORTION = 500


def list_tags(session: Session) -> dict[str, int]:
    """Every tag with the number of its readers, by name."""
    query = sa.select(col(ReaderTagRow.tag), sa.func.count()).group_by(col(ReaderTagRow.tag))
    return {tag: int(n) for tag, n in session.execute(query.order_by(col(ReaderTagRow.tag)))}


def tags_of(session: Session, ids: Sequence[int]) -> dict[int, list[str]]:
    """The tags of some readers, by name."""
    found: dict[int, list[str]] = {i: [] for i in ids}
    for start in range(0, len(ids), _PORTION):
        query = sa.select(col(ReaderTagRow.subscriber_id), col(ReaderTagRow.tag)).where(
            col(ReaderTagRow.subscriber_id).in_(ids[start : start + _PORTION])
        )
        for reader_id, tag in session.execute(query.order_by(col(ReaderTagRow.tag))):
            found[reader_id].append(tag)
    return found


def add_tag(session: Session, tag: str, wanted: Wanted) -> int:
    """Put a tag on readers; how many had it not."""
    return _insert(session, tag, *conditions(wanted))


def _insert(session: Session, tag: str, *which: Any) -> int:
    had = sa.exists().where(
        col(ReaderTagRow.subscriber_id) == col(SubscriberRow.id), col(ReaderTagRow.tag) == tag
    )
    which = (*which, sa.not_(had))
    count = session.execute(  # drivers do not tell how many rows came of a SELECT
        sa.select(sa.func.count()).select_from(SubscriberRow).where(*which)
    ).scalar_one()
    readers = sa.select(col(SubscriberRow.id), sa.literal(tag)).where(*which)
    session.execute(sa.insert(ReaderTagRow).from_select(["subscriber_id", "tag"], readers))
    return int(count)


def add_tags(session: Session, pairs: Sequence[tuple[int, str]]) -> None:
    """Put tags on readers who are new."""
    rows = [{"subscriber_id": reader_id, "tag": tag} for reader_id, tag in dict.fromkeys(pairs)]
    if rows:
        session.execute(sa.insert(ReaderTagRow), rows)


def delete_tag(session: Session, tag: str, wanted: Wanted | None = None) -> int:
    """Take a tag off readers, off all without ``wanted``; how many had it."""
    change = sa.delete(ReaderTagRow).where(col(ReaderTagRow.tag) == tag)
    if wanted is not None:
        readers = sa.select(col(SubscriberRow.id)).where(*conditions(wanted))
        change = change.where(col(ReaderTagRow.subscriber_id).in_(readers))
    gone = session.execute(change.execution_options(synchronize_session=False))
    return int(gone.rowcount)  # type: ignore[attr-defined]


def rename_tag(session: Session, old: str, new: str) -> int:
    """One tag becomes another; where that is there already, both become one. How many readers had
    the old one."""
    with_old = sa.select(col(ReaderTagRow.subscriber_id)).where(col(ReaderTagRow.tag) == old)
    _insert(session, new, col(SubscriberRow.id).in_(with_old))
    return delete_tag(session, old)
