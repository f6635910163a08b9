"""What readers want, as it was counted last: terms, counts of interests, shares of sources. And the
rows that are counted."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, NamedTuple

import sqlalchemy as sa
from sqlmodel import Session, col, select

from service.store.house_tables import AuditRow
from service.store.papers import SHOWN
from service.store.planners import unindexed
from service.store.sole import hold_name
from service.store.tables import (
    MatchRow,
    PaperRow,
    ProfileRow,
    SightingRow,
    SourceRow,
    SubscriberRow,
)
from service.store.workbench_tables import (
    InterestCountRow,
    InterestRunRow,
    InterestTermRow,
    SourceShareRow,
)

_PART = 500

_ACTIVE: sa.ColumnElement[bool] = unindexed(SubscriberRow.state) == "active"
_ASKING = (col(ProfileRow.paused) == sa.false(), col(ProfileRow.kind) != "trending")
"""Interests that papers are matched with; the most-voted ones are nobody's words."""

COUNTED = "count interests"
"""What the record of acts calls it: a row without an after asks for it, one with was the count."""


class Asking(NamedTuple):
    """An interest that is counted, of an active reader."""

    id: int
    reader: int
    kind: str
    text: str
    compiled: dict[str, Any] | None
    options: dict[str, Any]


@dataclass(frozen=True, slots=True)
class InterestLine:
    """An interest in a list. papers: that it wanted of the days, None = made since the count."""

    id: int
    reader: int
    email: str
    name: str
    kind: str
    text: str
    cadence: str
    created_at: datetime
    papers: int | None


# ---- what is counted ----


def list_readers_after(session: Session, after: int, limit: int) -> list[int]:
    """Active readers with a higher number."""
    query = sa.select(col(SubscriberRow.id)).where(col(SubscriberRow.id) > after, _ACTIVE)
    return list(session.scalars(query.order_by(col(SubscriberRow.id)).limit(limit)))


def list_asking(session: Session, readers: Sequence[int]) -> list[Asking]:
    """Their interests that are not paused, the most-voted papers left out."""
    found: list[Asking] = []
    for start in range(0, len(readers), _PART):
        rows = session.execute(
            sa.select(
                col(ProfileRow.id), col(ProfileRow.subscriber_id), col(ProfileRow.kind),
                col(ProfileRow.text), col(ProfileRow.compiled), col(ProfileRow.options),
            ).where(
                col(ProfileRow.subscriber_id).in_(readers[start : start + _PART]),
                *_ASKING,
            )
        )  # fmt: skip
        found.extend(Asking(*row) for row in rows)
    return found


def list_new_papers(session: Session, since: datetime) -> dict[int, list[str]]:
    """Papers that became new from an instant on, with their categories."""
    rows = session.execute(
        sa.select(col(PaperRow.id), col(PaperRow.categories)).where(
            col(PaperRow.eligible_at) >= since, *SHOWN
        )
    )
    return {paper_id: list(categories or ()) for paper_id, categories in rows}


def list_showing(session: Session, since: datetime) -> Iterator[tuple[int, int]]:
    """(paper, source) of the papers that became new from an instant on."""
    rows = session.execute(
        sa.select(col(SightingRow.paper_id), col(SightingRow.source_id))
        .join(PaperRow, col(PaperRow.id) == col(SightingRow.paper_id))
        .where(col(PaperRow.eligible_at) >= since, *SHOWN)
        .distinct()
    )
    yield from ((paper, source) for paper, source in rows)


def list_pairs(session: Session, profile_ids: Sequence[int]) -> list[tuple[int, int]]:
    """(interest, paper) of everything that they want."""
    found: list[tuple[int, int]] = []
    for start in range(0, len(profile_ids), _PART):
        part = profile_ids[start : start + _PART]
        query = sa.select(col(MatchRow.profile_id), col(MatchRow.paper_id))
        rows = session.execute(query.where(col(MatchRow.profile_id).in_(part)))
        found.extend((profile, paper) for profile, paper in rows)
    return found


# ---- what is kept ----


def put_counts(session: Session, counts: Mapping[int, int]) -> None:
    """How many papers each of some interests wanted; those that are gone meanwhile are left out."""
    ids = list(counts)
    for start in range(0, len(ids), _PART):
        part = ids[start : start + _PART]
        session.execute(
            sa.delete(InterestCountRow).where(col(InterestCountRow.profile_id).in_(part))
        )
        alive = set(
            session.scalars(sa.select(col(ProfileRow.id)).where(col(ProfileRow.id).in_(part)))
        )
        rows = [{"profile_id": i, "papers": counts[i]} for i in part if i in alive]
        if rows:
            session.execute(sa.insert(InterestCountRow), rows)


def forget_counts(session: Session) -> None:
    """Counts of interests that ask for nothing now: paused ones, and those of readers who left."""
    asking = (
        sa.select(col(ProfileRow.id))
        .join(SubscriberRow, col(SubscriberRow.id) == col(ProfileRow.subscriber_id))
        .where(_ACTIVE, col(ProfileRow.paused) == sa.false())
    )
    session.execute(
        sa.delete(InterestCountRow)
        .where(col(InterestCountRow.profile_id).not_in(asking))
        .execution_options(synchronize_session=False)
    )


def put_terms(session: Session, rows: Sequence[dict[str, Any]]) -> None:
    """All terms, in place of those of before."""
    hold_name(session, "interest terms")
    session.execute(sa.delete(InterestTermRow))
    for start in range(0, len(rows), 5000):
        session.execute(sa.insert(InterestTermRow), rows[start : start + 5000])


def put_shares(session: Session, rows: Iterable[dict[str, Any]]) -> None:
    """All shares, in place of those of before; of sources that are gone there are none."""
    hold_name(session, "source shares")
    session.execute(sa.delete(SourceShareRow))
    there = set(session.scalars(sa.select(col(SourceRow.id))))
    kept = [row for row in rows if row["source_id"] in there]
    if kept:
        session.execute(sa.insert(SourceShareRow), kept)


def put_run(session: Session, **values: Any) -> None:
    """The count is over: when, and over how much."""
    row = session.get(InterestRunRow, 1) or InterestRunRow(id=1, at=values["at"])
    for name, value in values.items():
        setattr(row, name, value)
    session.add(row)


# ---- what is shown ----


def get_run(session: Session) -> InterestRunRow | None:
    """The newest count."""
    return session.get(InterestRunRow, 1)


def is_count_asked(session: Session, since: datetime) -> bool:
    """Whether somebody asked for a count, ``since`` then, that has not begun after it."""
    run = get_run(session)
    asked = sa.select(col(AuditRow.id)).where(
        col(AuditRow.what) == COUNTED,
        col(AuditRow.after).is_(None),
        col(AuditRow.at) > (max(run.at, since) if run is not None else since),
    )
    return session.execute(asked.limit(1)).first() is not None


_TERM_ORDERS: Mapping[str, Any] = {
    "term": InterestTermRow.shown,
    "readers": InterestTermRow.readers,
    "papers": InterestTermRow.papers,
    "brings": InterestTermRow.brings,
}


def list_terms(
    session: Session,
    *,
    words: str = "",
    kind: str = "",
    never: bool = False,
    sort: str = "-readers",
    limit: int | None = None,
    offset: int = 0,
    total: int | None = None,
) -> tuple[int, list[InterestTermRow]]:
    """(how many, one page of them). words: in the term · never: those that no paper holds · total:
    where they were counted a moment ago."""
    wanted = []
    if words:
        text = words.lower()
        wanted.append(
            sa.or_(
                col(InterestTermRow.term).contains(text, autoescape=True),
                sa.func.lower(col(InterestTermRow.shown)).contains(text, autoescape=True),
            )
        )
    if kind:
        wanted.append(col(InterestTermRow.kind) == kind)
    if never:
        wanted.append(col(InterestTermRow.papers) == 0)
    if total is None:
        query = sa.select(sa.func.count()).select_from(InterestTermRow).where(*wanted)
        total = int(session.scalar(query) or 0)
    if limit == 0:
        return total, []
    column = col(_TERM_ORDERS.get(sort.removeprefix("-"), InterestTermRow.readers))
    is_down = sort.startswith("-")
    names = (col(InterestTermRow.term), col(InterestTermRow.kind))
    rows = select(InterestTermRow).where(*wanted)
    if limit is None or offset <= total // 2:
        rows = rows.order_by(column.desc() if is_down else column.asc(), *names)
        return total, list(session.exec(rows.limit(limit).offset(offset)))
    # from the end: whatever stands before a page is gone through
    offset = min(offset, total)
    limit = min(limit, total - offset)
    turned = (name.desc() for name in names)
    rows = rows.order_by(column.asc() if is_down else column.desc(), *turned)
    found = list(session.exec(rows.limit(limit).offset(total - offset - limit)))
    return total, found[::-1]


_LINE_ORDERS: Mapping[str, Any] = {
    "papers": sa.func.coalesce(InterestCountRow.papers, -1),
    "email": SubscriberRow.email_key,
    "made": ProfileRow.created_at,
}


def list_lines(
    session: Session,
    *,
    words: str = "",
    least: int | None = None,
    most: int | None = None,
    sort: str = "-papers",
    limit: int | None = None,
    offset: int = 0,
) -> tuple[int, list[InterestLine]]:
    """(how many interests of active readers, one page of them). words: in the interest or the
    address · least, most: papers that they wanted, of those that were counted."""
    wanted = [_ACTIVE, *_ASKING]
    if words:
        text = words.lower()
        wanted.append(
            sa.or_(
                sa.func.lower(col(ProfileRow.text)).contains(text, autoescape=True),
                col(SubscriberRow.email_key).contains(text, autoescape=True),
            )
        )
    if least is not None:
        wanted.append(col(InterestCountRow.papers) >= least)
    if most is not None:
        wanted.append(col(InterestCountRow.papers) <= most)
    is_outer = least is None and most is None
    joined = (
        sa.select(sa.func.count())
        .select_from(InterestCountRow if not is_outer else ProfileRow)
        .join(
            ProfileRow if not is_outer else InterestCountRow,
            col(InterestCountRow.profile_id) == col(ProfileRow.id),
            isouter=is_outer,
        )
        .join(SubscriberRow, col(SubscriberRow.id) == col(ProfileRow.subscriber_id))
        .where(*wanted)
    )
    column = _LINE_ORDERS.get(sort.removeprefix("-"), _LINE_ORDERS["papers"])
    order = sa.desc(column) if sort.startswith("-") else sa.asc(column)
    numbers = joined.with_only_columns(col(ProfileRow.id)).order_by(order, col(ProfileRow.id))
    if words:  # texts are looked through once, not once more for their count
        every = list(_known(session.scalars(numbers)))
        end = None if limit is None else offset + limit
        return len(every), _lines_of(session, every[offset:end])
    total = int(session.scalar(joined) or 0)
    if limit is None or offset <= total // 2:
        page = _known(session.scalars(numbers.limit(limit).offset(offset)))
        return total, _lines_of(session, list(page))
    # from the end: whatever stands before a page is gone through
    offset = min(offset, total)
    limit = min(limit, total - offset)
    turned = (
        sa.asc(column) if sort.startswith("-") else sa.desc(column),
        col(ProfileRow.id).desc(),
    )
    numbers = numbers.order_by(None).order_by(*turned)
    page = _known(session.scalars(numbers.limit(limit).offset(total - offset - limit)))
    return total, _lines_of(session, list(page)[::-1])


def _known(numbers: Iterable[int | None]) -> Iterator[int]:
    return (number for number in numbers if number is not None)


def _lines_of(session: Session, ids: Sequence[int]) -> list[InterestLine]:
    """In the order of their numbers here: texts are read of those alone that are shown."""
    found: dict[int, InterestLine] = {}
    for start in range(0, len(ids), 500):
        query = (
            sa.select(
                col(ProfileRow.id), col(SubscriberRow.id), col(SubscriberRow.email),
                col(ProfileRow.name), col(ProfileRow.kind), col(ProfileRow.text),
                col(ProfileRow.cadence), col(ProfileRow.created_at), col(InterestCountRow.papers),
            )
            .join(SubscriberRow, col(SubscriberRow.id) == col(ProfileRow.subscriber_id))
            .join(
                InterestCountRow,
                col(InterestCountRow.profile_id) == col(ProfileRow.id),
                isouter=True,
            )
            .where(col(ProfileRow.id).in_(ids[start : start + 500]))
        )  # fmt: skip
        found.update((row[0], InterestLine(*row)) for row in session.execute(query))
    return [found[number] for number in ids]


def list_counts(session: Session, reader_id: int) -> dict[int, int]:
    """Papers of the days that each interest of a reader wanted, where they were counted."""
    rows = session.execute(
        sa.select(col(InterestCountRow.profile_id), col(InterestCountRow.papers))
        .join(ProfileRow, col(ProfileRow.id) == col(InterestCountRow.profile_id))
        .where(col(ProfileRow.subscriber_id) == reader_id)
    )
    return dict(tuple(row) for row in rows)


def count_lines(session: Session, least: int) -> tuple[int, int]:
    """(interests that wanted ``least`` papers or more, those that wanted none), of those that were
    counted."""
    noisy, dead = (
        session.scalar(sa.select(sa.func.count()).select_from(InterestCountRow).where(which))
        for which in (col(InterestCountRow.papers) >= least, col(InterestCountRow.papers) == 0)
    )
    return int(noisy or 0), int(dead or 0)


def list_shares(session: Session) -> list[tuple[SourceShareRow, str]]:
    """(share, title of its source), the source with most papers first, then by category."""
    rows = session.execute(
        sa.select(SourceShareRow, col(SourceRow.title)).join(
            SourceRow, col(SourceRow.id) == col(SourceShareRow.source_id)
        )
    ).all()
    whole = {row.source_id: row.papers for row, _ in rows if not row.category}
    return sorted(
        ((row, title) for row, title in rows),
        key=lambda x: (-whole.get(x[0].source_id, 0), x[0].source_id, x[0].category != "",
                       -x[0].papers, x[0].category),
    )  # fmt: skip
