"""The bytes of changed answers, compressed, so that a past day can be read again."""

import hashlib
import zlib
from collections.abc import Collection
from datetime import datetime
from typing import NamedTuple

import sqlalchemy as sa
from sqlmodel import Session, col, select

from service.store.tables import RawPollRow, SourceDayRow


class Kept(NamedTuple):
    """One answer; its bytes are opened by ``get_body``."""

    id: int
    source_id: int
    at: datetime
    url: str


_KEPT = (
    col(RawPollRow.id),
    col(RawPollRow.source_id),
    col(RawPollRow.at),
    col(RawPollRow.url),
)


def add_raw_poll(session: Session, source_id: int, url: str, body: bytes, now: datetime) -> bool:
    """Keep the bytes of a changed poll (zlib); False when the newest kept ones are the same."""
    sha = hashlib.sha256(body).hexdigest()
    newest = session.exec(
        select(col(RawPollRow.sha))
        .where(col(RawPollRow.source_id) == source_id, col(RawPollRow.url) == url)
        .order_by(col(RawPollRow.id).desc())
        .limit(1)
    ).first()
    if newest == sha:
        return False
    session.add(RawPollRow(source_id=source_id, at=now, url=url, sha=sha, body=zlib.compress(body)))
    return True


def list_kept(
    session: Session, start: datetime, end: datetime, source_id: int | None = None
) -> list[Kept]:
    """The answers of [start, end), oldest first."""
    query = (
        sa.select(*_KEPT)
        .where(col(RawPollRow.at) >= start, col(RawPollRow.at) < end)
        .order_by(col(RawPollRow.at), col(RawPollRow.id))
    )
    if source_id is not None:
        query = query.where(col(RawPollRow.source_id) == source_id)
    return [Kept(*row) for row in session.execute(query)]


def list_before(
    session: Session, source_id: int, urls: Collection[str], at: datetime, most: int
) -> list[Kept]:
    """Of each address the newest answers from before ``at``, at most ``most``."""
    found: list[Kept] = []
    for url in sorted(urls):
        query = (
            sa.select(*_KEPT)
            .where(
                col(RawPollRow.source_id) == source_id,
                col(RawPollRow.url) == url,
                col(RawPollRow.at) < at,
            )
            .order_by(col(RawPollRow.id).desc())
            .limit(most)
        )
        found += [Kept(*row) for row in session.execute(query)]
    return found


def get_body(session: Session, kept_id: int) -> bytes:
    """The bytes of one answer as they came; b"" when it is kept no more."""
    body = session.exec(select(col(RawPollRow.body)).where(col(RawPollRow.id) == kept_id)).first()
    return zlib.decompress(body) if body is not None else b""


def is_first_visit(session: Session, source_id: int, at: datetime) -> bool:
    """Whether the source had never been asked before, as far as is still on record."""
    earlier = sa.select(col(RawPollRow.id)).where(
        col(RawPollRow.source_id) == source_id, col(RawPollRow.at) < at
    )
    asked = sa.select(col(SourceDayRow.id)).where(
        col(SourceDayRow.source_id) == source_id, col(SourceDayRow.polled_at) < at
    )
    return not any(session.execute(query.limit(1)).first() for query in (earlier, asked))


def sizes(session: Session, start: datetime, end: datetime) -> tuple[int, int]:
    """How many answers of [start, end) are kept, and their bytes as stored."""
    count, size = session.execute(
        sa.select(
            sa.func.count(), sa.func.coalesce(sa.func.sum(sa.func.length(col(RawPollRow.body))), 0)
        ).where(col(RawPollRow.at) >= start, col(RawPollRow.at) < end)
    ).one()
    return int(count), int(size)
