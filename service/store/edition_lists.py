"""Editions as lists: chosen, sorted and cut by the database, each with its mails by state."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlmodel import Session, col, select

from service.store.tables import DeliveryRow, EditionRow

OVER = ("cancelled", "done")
UNDER_WAY = ("open", "closing", "incomplete")


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """Which editions. kinds: of these alone · state: as it is shown, "paused" among them; "" = any
    · since, until: opened from, before · words: a part of the title, the slot or who began it."""

    kinds: tuple[str, ...]
    state: str = ""
    since: datetime | None = None
    until: datetime | None = None
    words: str = ""


def _rows_of(column: Any) -> Any:
    """Rows that there are: what an edition has planned so far."""
    return (
        sa.select(sa.func.count())
        .where(col(DeliveryRow.edition_id) == column)
        .correlate(EditionRow)
        .scalar_subquery()
    )


SORTS: Mapping[str, Any] = {
    "begun": col(EditionRow.opened_at),
    "name": sa.func.lower(
        sa.func.coalesce(sa.func.nullif(col(EditionRow.title), ""), col(EditionRow.slot))
    ),
    "kind": col(EditionRow.kind),
    "state": sa.case(
        (sa.and_(col(EditionRow.paused), col(EditionRow.state).not_in(OVER)), "paused"),
        else_=col(EditionRow.state),
    ),
    "planned": sa.func.coalesce(col(EditionRow.planned), _rows_of(col(EditionRow.id))),
}
"""What a list may be sorted by; the newest first among equals."""


def _where(wanted: Wanted) -> list[sa.ColumnElement[bool]]:
    found: list[sa.ColumnElement[bool]] = [col(EditionRow.kind).in_(wanted.kinds)]
    if wanted.state == "paused":
        found += [col(EditionRow.paused) == sa.true(), col(EditionRow.state).not_in(OVER)]
    elif wanted.state in OVER:
        found.append(col(EditionRow.state) == wanted.state)
    elif wanted.state:
        found += [col(EditionRow.state) == wanted.state, col(EditionRow.paused) == sa.false()]
    if wanted.since is not None:
        found.append(col(EditionRow.opened_at) >= wanted.since)
    if wanted.until is not None:
        found.append(col(EditionRow.opened_at) < wanted.until)
    if wanted.words:
        part = "%" + re.sub(r"([\\%_])", r"\\\1", wanted.words.lower()) + "%"
        columns = (col(EditionRow.title), col(EditionRow.slot), col(EditionRow.created_by))
        found.append(sa.or_(*(sa.func.lower(c).like(part, escape="\\") for c in columns)))
    return found


def count_found(session: Session, wanted: Wanted) -> int:
    """How many there are."""
    query = sa.select(sa.func.count()).select_from(EditionRow).where(*_where(wanted))
    return int(session.scalar(query) or 0)


def list_found(
    session: Session, wanted: Wanted, *, sort: str = "-begun", limit: int | None, offset: int = 0
) -> list[EditionRow]:
    """Editions in the order of a column of ``SORTS``, "-" before it: downwards."""
    column = SORTS[sort.removeprefix("-")]
    order = column.desc() if sort.startswith("-") else column
    query = select(EditionRow).where(*_where(wanted)).order_by(order, col(EditionRow.id).desc())
    return list(session.exec(query.limit(limit).offset(offset)))


def list_under_way(session: Session, kinds: Sequence[str]) -> list[EditionRow]:
    """Editions that are not over, newest first."""
    query = select(EditionRow).where(
        col(EditionRow.state).in_(UNDER_WAY), col(EditionRow.kind).in_(kinds)
    )
    return list(session.exec(query.order_by(col(EditionRow.id).desc())))


def states_of(session: Session, editions: Sequence[EditionRow]) -> dict[int, dict[str, int]]:
    """Per edition: its mails by state. Of one that is done they were taken down then, and since
    then the only change can be that a held one proved to have come; any other is counted."""
    kept: dict[int, dict[str, int]] = {}
    for edition in editions:
        counted = edition.counted
        if edition.state == "done" and counted and sum(counted.values()) == edition.planned:
            kept[edition.id or 0] = dict(counted)
    live = _counted(session, [e.id for e in editions if e.id not in kept])
    doubted = [number for number, counts in kept.items() if counts.get("presumed")]
    now = _counted(session, doubted, state="presumed")
    for number in doubted:
        counts = kept[number]
        proven = counts["presumed"] - now.get(number, {}).get("presumed", 0)
        counts["presumed"] -= proven
        counts["accepted"] = counts.get("accepted", 0) + proven
    return kept | live


def _counted(
    session: Session, ids: Sequence[int | None], state: str = ""
) -> dict[int, dict[str, int]]:
    if not ids:
        return {}
    query = sa.select(col(DeliveryRow.edition_id), col(DeliveryRow.state), sa.func.count()).where(
        col(DeliveryRow.edition_id).in_(ids)
    )
    if state:
        query = query.where(col(DeliveryRow.state) == state)
    found: dict[int, dict[str, int]] = {}
    for number, of, n in session.execute(
        query.group_by(col(DeliveryRow.edition_id), col(DeliveryRow.state))
    ):
        found.setdefault(number, {})[of] = int(n)
    return found


def list_uncounted(session: Session, kinds: Sequence[str], limit: int) -> list[EditionRow]:
    """Editions that are done and of which nothing was taken down, newest first."""
    query = select(EditionRow).where(
        col(EditionRow.state) == "done",
        col(EditionRow.kind).in_(kinds),
        col(EditionRow.counted).is_(None),
    )
    return list(session.exec(query.order_by(col(EditionRow.id).desc()).limit(limit)))


def last_accepted(session: Session, since: datetime) -> dict[int, tuple[datetime, datetime, int]]:
    """Per edition that handed a mail over since then: the first and last of these, and how
    many."""
    at = col(DeliveryRow.accepted_at)
    edition = col(DeliveryRow.edition_id) + 0  # else SQLite reads all rows, edition by edition
    query = (
        sa.select(edition, sa.func.min(at), sa.func.max(at), sa.func.count())
        .where(at >= since)
        .group_by(edition)
    )
    return {number: (first, last, int(n)) for number, first, last, n in session.execute(query)}
