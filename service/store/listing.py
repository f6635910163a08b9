"""Rows for the public pages: a day's papers, one paper, a reader's days, the health of sources."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

import sqlalchemy as sa
from sqlmodel import Session, col, select

from service.store.papers import SHOWN
from service.store.submissions import KIND as READERS
from service.store.tables import (
    DeliveryRow,
    EditionRow,
    FeedbackRow,
    PaperAliasRow,
    PaperEventRow,
    PaperRow,
    SightingRow,
    SourceRow,
)
from service.store.twins import current_ids

_NEAR = timedelta(days=10)


@dataclass(frozen=True, slots=True)
class ListedRow:
    """What is needed to put a day's papers in order and to choose among them, without their
    texts. sources: ids of those that listed it on the day."""

    paper_id: int
    votes: int
    comments: int
    published_on: date | None
    sighting_id: int
    categories: tuple[str, ...] = ()
    sources: tuple[int, ...] = ()


def list_day(session: Session, on: date) -> list[ListedRow]:
    """Every paper that any source listed on ``on``; hidden and merged ones are left out."""
    seen: dict[int, tuple[int, list[int]]] = {}
    for paper_id, source_id, number in session.execute(
        sa.select(col(SightingRow.paper_id), col(SightingRow.source_id), col(SightingRow.id)).where(
            *_on_list(on)
        )
    ):
        newest, sources = seen.get(paper_id, (0, []))
        seen[paper_id] = max(newest, number), [*sources, source_id]
    listed = sa.select(col(SightingRow.paper_id)).where(*_on_list(on))
    rows = session.execute(
        sa.select(
            col(PaperRow.id),
            sa.func.coalesce(col(PaperRow.votes), 0),
            sa.func.coalesce(col(PaperRow.comments), 0),
            col(PaperRow.published_on),
            col(PaperRow.categories),
        ).where(col(PaperRow.id).in_(listed), *SHOWN)
    )
    return [
        ListedRow(paper_id, votes, comments, day, newest, tuple(names), tuple(sources))
        for paper_id, votes, comments, day, names in rows
        for newest, sources in (seen[paper_id],)
    ]


def _on_list(on: date) -> tuple[Any, ...]:
    return col(SightingRow.listed_on) == on, col(SightingRow.held) == sa.false()


def shown_days(
    session: Session,
    *,
    before: date | None = None,
    after: date | None = None,
    source: int | None = None,
) -> date | None:
    """The newest day with a paper to show, the one before a date, or the one after it. source:
    only days of its list."""
    day = col(SightingRow.listed_on)
    shown = sa.exists().where(col(PaperRow.id) == col(SightingRow.paper_id), *SHOWN)
    query = sa.select(day).where(col(SightingRow.held) == sa.false(), shown)
    query = query.order_by(day if after is not None else day.desc()).limit(1)
    if after is not None:
        query = query.where(day > after)
    elif before is not None:
        query = query.where(day < before)
    if source is None:
        return session.execute(query).scalar_one_or_none()
    if before is None and after is None:
        newest = shown_days(session)
        before = newest + timedelta(days=1) if newest else None
    # the days are walked in their order (a sum is no index of its own); far away by source
    near = query.where(col(SightingRow.source_id) + 0 == source)
    if after is not None:
        near = near.where(day <= min(after, date.max - _NEAR) + _NEAR)
    elif before is not None:
        near = near.where(day >= max(before, date.min + _NEAR) - _NEAR)
    found: date | None = session.execute(near).scalar_one_or_none() if before or after else None
    if found is None:
        far = query.where(col(SightingRow.source_id) == source)
        found = session.execute(far).scalar_one_or_none()
    return found


def source_titles(session: Session, ids: Iterable[int]) -> dict[int, str]:
    """What some sources are called; those of before are told, too."""
    rows = session.execute(
        sa.select(col(SourceRow.id), col(SourceRow.title), col(SourceRow.kind)).where(
            col(SourceRow.id).in_(sorted(ids))
        )
    )
    return {number: title or kind for number, title, kind in rows}


def last_changes(session: Session, paper_ids: Sequence[int]) -> dict[int, datetime]:
    """When each paper was first seen, was listed again, or something of it changed: the latest."""
    found: dict[int, datetime] = {}
    for start in range(0, len(paper_ids), 500):
        some = list(paper_ids[start : start + 500])
        for column, paper_id in (
            (PaperRow.first_seen_at, PaperRow.id),
            (SightingRow.first_seen_at, SightingRow.paper_id),
            (PaperEventRow.at, PaperEventRow.paper_id),
        ):
            newest = sa.select(col(paper_id), sa.func.max(col(column)))
            of_each = newest.where(col(paper_id).in_(some)).group_by(col(paper_id))
            for number, at in session.execute(of_each):
                found[number] = max(found.get(number, at), at)
    return found


@dataclass(frozen=True, slots=True)
class Appearance:
    """A paper on a source's list."""

    kind: str
    source: str
    listed_on: date
    submitter: str
    author_takes_part: bool


def list_appearances(session: Session, paper_ids: Sequence[int]) -> dict[int, list[Appearance]]:
    """Where papers were listed, newest first."""
    found: dict[int, list[Appearance]] = {}
    for start in range(0, len(paper_ids), 500):
        rows = session.execute(
            sa.select(
                col(SightingRow.paper_id),
                col(SourceRow.kind),
                col(SourceRow.title),
                col(SightingRow.listed_on),
                col(SightingRow.submitter),
                col(SightingRow.author_takes_part),
            )
            .join(SourceRow, col(SourceRow.id) == col(SightingRow.source_id))
            .where(
                col(SightingRow.paper_id).in_(list(paper_ids[start : start + 500])),
                col(SightingRow.held) == sa.false(),
            )
            .order_by(col(SightingRow.listed_on).desc(), col(SightingRow.id))
        ).all()
        for paper_id, *rest in rows:
            found.setdefault(paper_id, []).append(Appearance(*rest))
    return found


def find_shown(session: Session, scheme: str, value: str) -> PaperRow | None:
    """A paper by a name of it, None when there is none or it is hidden."""
    return session.exec(
        select(PaperRow)
        .join(PaperAliasRow, col(PaperAliasRow.paper_id) == col(PaperRow.id))
        .where(
            PaperAliasRow.scheme == scheme,
            PaperAliasRow.value == value,
            *SHOWN,
        )
    ).first()


def list_source_names(session: Session) -> list[str]:
    """Titles of the sources in use."""
    rows = session.exec(
        select(SourceRow.title)
        .where(SourceRow.state != "gone", SourceRow.kind != READERS)
        .order_by(col(SourceRow.id))
    ).all()
    return list(dict.fromkeys(title for title in rows if title))


def list_read_names(session: Session) -> list[str]:
    """Titles of the sources in use that were read at least once: a page may name them."""
    seen = sa.exists().where(col(SightingRow.source_id) == col(SourceRow.id))
    rows = session.exec(
        select(SourceRow.title)
        .where(
            SourceRow.state != "gone",
            SourceRow.kind != READERS,
            sa.or_(col(SourceRow.first_polled), seen),
        )
        .order_by(col(SourceRow.id))
    ).all()
    return list(dict.fromkeys(title for title in rows if title))


def list_asked(session: Session) -> list[SourceRow]:
    """Sources that are asked by themselves, the next one first."""
    return list(
        session.exec(
            select(SourceRow)
            .where(
                col(SourceRow.next_poll_at).is_not(None),
                col(SourceRow.state).not_in(["paused", "gone"]),
            )
            .order_by(col(SourceRow.next_poll_at), col(SourceRow.id))
        ).all()
    )


@dataclass(frozen=True, slots=True)
class MailRow:
    """A reader's mail of one occasion. slot: of the edition · papers: how many count as sent."""

    kind: str
    slot: str
    row: DeliveryRow


def list_mails(
    session: Session, subscriber_id: int, *, offset: int, limit: int
) -> tuple[int, list[MailRow]]:
    """A reader's digests, alerts and newsletters, newest first: how many there are, and some. No
    notices."""
    of_reader = (
        sa.select(col(EditionRow.kind), col(EditionRow.slot), DeliveryRow)
        .join(EditionRow, col(EditionRow.id) == col(DeliveryRow.edition_id))
        .where(col(DeliveryRow.subscriber_id) == subscriber_id, col(EditionRow.kind) != "notice")
    )
    total = session.scalar(of_reader.with_only_columns(sa.func.count())) or 0
    newest = col(DeliveryRow.planned_at).desc(), col(DeliveryRow.id).desc()
    rows: Sequence[Any] = session.execute(
        of_reader.order_by(*newest).offset(offset).limit(limit)
    ).all()
    return total, [MailRow(kind, slot, row) for kind, slot, row in rows]


def get_feedback(session: Session, subscriber_id: int, paper_id: int) -> int:
    """1 more like this, -1 less like this, 0 nothing said."""
    paper_id = current_ids(session, [paper_id])[paper_id]
    row = session.exec(
        select(FeedbackRow).where(
            FeedbackRow.subscriber_id == subscriber_id, FeedbackRow.paper_id == paper_id
        )
    ).first()
    return row.sign if row is not None else 0


def list_feedback(
    session: Session, subscriber_ids: Sequence[int], most: int
) -> dict[int, list[tuple[int, int]]]:
    """(paper, sign) of what each reader said, newest first, at most so many of each."""
    found: dict[int, list[tuple[int, int]]] = {}
    for at in range(0, len(subscriber_ids), 500):
        rows = session.execute(
            sa.select(
                col(FeedbackRow.subscriber_id), col(FeedbackRow.paper_id), col(FeedbackRow.sign)
            )
            .where(col(FeedbackRow.subscriber_id).in_(list(subscriber_ids[at : at + 500])))
            .order_by(col(FeedbackRow.at).desc(), col(FeedbackRow.id).desc())
        ).all()
        for reader_id, paper_id, sign in rows:
            marks = found.setdefault(reader_id, [])
            if len(marks) < most:
                marks.append((paper_id, sign))
    return found


def set_feedback(
    session: Session, subscriber_id: int, paper_id: int, sign: int, now: datetime
) -> None:
    """Keep what a reader said of a paper; the newest word counts, 0 takes it back. A mail may name
    a paper that was found to be another's twin meanwhile."""
    paper_id = current_ids(session, [paper_id])[paper_id]
    row = session.exec(
        select(FeedbackRow).where(
            FeedbackRow.subscriber_id == subscriber_id, FeedbackRow.paper_id == paper_id
        )
    ).first()
    if sign == 0:
        if row is not None:
            session.delete(row)
        return
    if row is None:
        row = FeedbackRow(subscriber_id=subscriber_id, paper_id=paper_id, sign=sign, at=now)
    row.sign, row.at = sign, now
    session.add(row)
