"""Papers that readers propose."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import sqlalchemy as sa
from sqlmodel import Session, col, select

from service.store.desk_tables import SubmissionRow
from service.store.sole import hold_name
from service.store.tables import SightingRow, SourceRow

STATES = ("waiting", "accepted", "declined")
KIND = "readers"
"""Of the source under which accepted ones are listed; nobody asks it."""

TITLE = "Proposed by readers"


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which proposals; "" and None = all."""

    state: str = ""
    reader_id: int | None = None


_EVERY = Wanted()
_ORDERS = {"at": col(SubmissionRow.id), "title": col(SubmissionRow.title),
           "state": col(SubmissionRow.state)}  # fmt: skip
ORDERS = tuple(_ORDERS)


def _where(query: Any, wanted: Wanted) -> Any:
    if wanted.state:
        query = query.where(col(SubmissionRow.state) == wanted.state)
    if wanted.reader_id is not None:
        query = query.where(col(SubmissionRow.subscriber_id) == wanted.reader_id)
    return query


def list_submissions(
    session: Session,
    wanted: Wanted = _EVERY,
    *,
    sort: str = "-at",
    limit: int | None = None,
    offset: int = 0,
) -> list[SubmissionRow]:
    """Proposals, newest first or by a column of ``ORDERS`` ("-at": downwards)."""
    column = _ORDERS[sort.removeprefix("-")]
    order = column.desc() if sort.startswith("-") else column.asc()
    query = _where(select(SubmissionRow), wanted).order_by(order, col(SubmissionRow.id).desc())
    return list(session.exec(query.offset(offset).limit(limit)).all())


def count_submissions(session: Session, wanted: Wanted = _EVERY) -> int:
    """How many there are."""
    query = _where(sa.select(sa.func.count()).select_from(SubmissionRow), wanted)
    return int(session.execute(query).scalar_one())


def count_by_state(session: Session) -> dict[str, int]:
    """How many there are in each state."""
    state = col(SubmissionRow.state)
    rows = session.execute(sa.select(state, sa.func.count()).group_by(state))
    return dict.fromkeys(STATES, 0) | {name: int(n) for name, n in rows}


def get_submission(session: Session, number: int, *, held: bool = False) -> SubmissionRow | None:
    """One proposal. held: nobody else changes it before this transaction ends."""
    return session.get(SubmissionRow, number, with_for_update=held or None, populate_existing=held)


def count_since(session: Session, reader_id: int, since: datetime) -> int:
    """What one reader proposed since an instant."""
    query = sa.select(sa.func.count()).where(
        col(SubmissionRow.subscriber_id) == reader_id, col(SubmissionRow.at) > since
    )
    return int(session.execute(query).scalar_one())


def find_waiting(session: Session, named: str) -> SubmissionRow | None:
    """The proposal of a paper that nobody decided yet."""
    query = select(SubmissionRow).where(
        col(SubmissionRow.state) == "waiting", col(SubmissionRow.named) == named
    )
    return session.exec(query.limit(1)).first()


def list_unread(
    session: Session, now: datetime, again: timedelta, only: int | None = None
) -> Sequence[SubmissionRow]:
    """Waiting ones whose archive has not answered; who was asked lately is left out."""
    tried = col(SubmissionRow.tried_at)
    query = select(SubmissionRow).where(
        col(SubmissionRow.state) == "waiting", col(SubmissionRow.body).is_(None)
    )
    if only is None:
        query = query.where(sa.or_(tried.is_(None), tried < now - again))
    else:
        query = query.where(col(SubmissionRow.id) == only)
    return session.exec(query.order_by(col(SubmissionRow.id)).limit(50)).all()


def readers_source(session: Session, now: datetime) -> int:
    """The source of what readers propose, made with the first."""
    hold_name(session, "source of readers")
    row = session.exec(select(SourceRow).where(col(SourceRow.kind) == KIND)).first()
    if row is None:
        row = SourceRow(kind=KIND, params={}, params_key="", title=TITLE, created_at=now,
                        state="paused")  # fmt: skip
        session.add(row)
        session.flush()
    assert row.id is not None
    return row.id


def forget_reader(session: Session, reader_id: int) -> None:
    """A reader is erased: what they proposed stays where it was accepted, without their name and
    their words; what nobody decided goes."""
    theirs = list_submissions(session, Wanted(reader_id=reader_id))
    for row in theirs:
        if row.state == "waiting":
            session.delete(row)
            continue
        if row.paper_id is not None and row.listed_on is not None:
            session.execute(
                sa.update(SightingRow)
                .where(
                    col(SightingRow.paper_id) == row.paper_id,
                    col(SightingRow.listed_on) == row.listed_on,
                    col(SightingRow.source_id).in_(
                        sa.select(col(SourceRow.id)).where(col(SourceRow.kind) == KIND)
                    ),
                )
                .values(submitter="")
            )
        row.subscriber_id, row.name, row.words = None, "", ""
        session.add(row)
    session.flush()
