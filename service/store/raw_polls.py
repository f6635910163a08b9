"""The bytes of changed answers, compressed, so that a past day can be read again."""

import zlib
from collections.abc import Collection, Iterable
from datetime import date, datetime
from typing import Literal, NamedTuple

import sqlalchemy as sa
from sqlmodel import Session, col, select

from service.store.tables import RawPollRow, SourceDayRow

Use = Literal["poll", "history", "records", "submitted"]
"""What an answer was asked for: the source's own poll · its past · what was announced on missed
days, by arXiv's records or by its query interface."""

_MARK = "#kept:"


class Kept(NamedTuple):
    """One answer; its bytes are opened by ``get_body``. url: as kept, with its mark."""

    id: int
    source_id: int
    at: datetime
    url: str

    @property
    def use(self) -> Use:
        """What it was asked for."""
        return self._mark()[0]

    @property
    def days(self) -> tuple[date, ...]:
        """The days of which it was taken; () = as the answer says."""
        return tuple(map(date.fromisoformat, filter(None, self._mark()[1].split(","))))

    def _mark(self) -> tuple[Use, str]:
        _, mark, said = self.url.rpartition(_MARK)
        use, _, days = said.partition(":") if mark else ("poll", "", "")
        return use, days  # type: ignore[return-value]


def marked(url: str, use: Use, days: Iterable[date] = ()) -> str:
    """The address under which an answer is kept: what follows the ``#`` was never sent."""
    said = ",".join(day.isoformat() for day in days)
    return url if use == "poll" and not said else f"{url}{_MARK}{use}:{said}"


_KEPT = (
    col(RawPollRow.id),
    col(RawPollRow.source_id),
    col(RawPollRow.at),
    col(RawPollRow.url),
)


def newest_sha(session: Session, source_id: int, url: str) -> str:
    """SHA-256 of the newest bytes that are kept of an address, "" where none are."""
    return (
        session.exec(
            select(col(RawPollRow.sha))
            .where(col(RawPollRow.source_id) == source_id, col(RawPollRow.url) == url)
            .order_by(col(RawPollRow.id).desc())
            .limit(1)
        ).first()
        or ""
    )


def add_raw_poll(
    session: Session, source_id: int, url: str, sha: str, packed: bytes, now: datetime
) -> None:
    """Keep the bytes of an answer. sha: of the bytes as they came; packed: by zlib."""
    session.add(RawPollRow(source_id=source_id, at=now, url=url, sha=sha, body=packed))


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
