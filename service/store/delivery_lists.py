"""Deliveries as lists and groups: what the staff asks the ledger. Nothing here changes a row."""

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import aliased
from sqlmodel import Session, col, select

from service.store.delivery_filters import (
    ANSWERED,
    MOST_SAID,
    Chosen,
    conditions,
    is_few,
    meaning_column,
)
from service.store.tables import DeliveryRow, EditionRow

__all__ = [
    "ANSWERED",
    "MOST_FOUND",
    "MOST_GROUPED",
    "MOST_SAID",
    "ORDERS",
    "PLAIN",
    "REFUSED",
    "Chosen",
    "Part",
    "Plain",
    "count_again",
    "count_chosen",
    "families",
    "find_ids",
    "list_family",
    "list_ids",
    "list_parts",
    "list_went",
    "meaning_column",
    "meanings_of",
    "plain_of",
    "whole_of",
]

REFUSED = ("failed", "expired")
"""States that a person may send again."""

_NOT_GONE = ("failed", "expired", "cancelled", "suppressed", "skipped")
"""States of mails that surely did not come, and will not."""


@dataclass(frozen=True, slots=True)
class Part:
    """Deliveries that were answered alike. newest, oldest: ids of two of them."""

    state: str
    meaning: str
    code: int
    reason: str
    domain: str
    edition_id: int
    kind: str
    count: int
    newest: int
    oldest: int


ORDERS: Mapping[str, tuple[Any, ...]] = {
    "newest": (col(DeliveryRow.id).desc(),),
    "oldest": (col(DeliveryRow.id),),
    "address": (col(DeliveryRow.recipient_key), col(DeliveryRow.id)),
    "domain": (col(DeliveryRow.domain), col(DeliveryRow.id)),
    "state": (col(DeliveryRow.state), col(DeliveryRow.id)),
    "tries": (col(DeliveryRow.attempts).desc(), col(DeliveryRow.id)),
}


PLAIN: tuple[Any, ...] = tuple(
    getattr(DeliveryRow, name)
    for name in (
        "id", "edition_id", "rcpt", "tested_to", "kind", "state", "code", "enhanced", "reason",
        "meaning", "attempts", "message_id", "planned_at", "not_before", "accepted_at",
    )
)  # fmt: skip
"""Columns of a line in a list: all of it but what the mail holds."""

Plain = sa.Row[Any]
"""A row of these columns, by their names."""

MOST_FOUND = 10_000
"""So many of a list are counted and paged; of more it is said that there are more."""


MOST_GROUPED = 20_000
"""So many answers are grouped where a page asks, unless one edition was chosen."""


def find_ids(
    session: Session, chosen: Chosen, *, order: str = "newest", most: int = MOST_FOUND
) -> list[int]:
    """Numbers in an order of ``ORDERS``, one more than ``most`` where there are more. Of an order
    by a column that many share, the newest ``most`` are taken, unless one edition was chosen."""
    query = _in_turn(session, chosen, order, most + 1)
    if order in ("newest", "oldest") or chosen.edition_id is not None:
        return list(session.scalars(query))
    newest = list(session.scalars(_in_turn(session, chosen, "newest", most + 1)))
    taken = newest[:most]
    found: list[tuple[Any, ...]] = []
    for start in range(0, len(taken), 500):
        part = col(DeliveryRow.id).in_(taken[start : start + 500])
        columns = (col(DeliveryRow.id), *(_SORTED[order],))
        found += [tuple(row) for row in session.execute(sa.select(*columns).where(part))]
    found.sort(key=lambda row: row[0])
    found.sort(key=lambda row: row[1], reverse=order == "tries")
    return [row[0] for row in found] + newest[most:]


def _in_turn(session: Session, chosen: Chosen, order: str, most: int) -> Any:
    """The query of their numbers in an order of ``ORDERS``."""
    query = sa.select(col(DeliveryRow.id)).where(*conditions(session, chosen))
    return query.order_by(*_turn(chosen, order)).limit(most)


def _turn(chosen: Chosen, order: str) -> tuple[Any, ...]:
    """By what an order of ``ORDERS`` is asked for, so that what is chosen is found first."""
    by = ORDERS[order]
    if is_few(chosen) and order in ("newest", "oldest"):
        number = col(DeliveryRow.id) + 0  # else SQLite looks through all rows in their order
        by = (number.desc() if order == "newest" else number,)
    if chosen.since is not None or chosen.until is not None:
        at = col(DeliveryRow.planned_at)
        if order == "newest":
            by = (at.desc(), *by)
        elif order == "oldest":
            by = (at, *by)
    return by


_SORTED: Mapping[str, Any] = {
    "address": col(DeliveryRow.recipient_key),
    "domain": col(DeliveryRow.domain),
    "state": col(DeliveryRow.state),
    "tries": col(DeliveryRow.attempts),
}


def list_ids(
    session: Session,
    chosen: Chosen,
    *,
    order: str = "newest",
    limit: int | None = None,
    offset: int = 0,
    after_id: int = 0,
) -> list[int]:
    """Numbers in an order of ``ORDERS``; after_id: only later ones (with "oldest": the next part).
    Contents are large, and are read of those alone that are shown (``whole_of``, ``plain_of``)."""
    query = sa.select(col(DeliveryRow.id)).where(*conditions(session, chosen))
    query = query.order_by(*ORDERS[order])
    if after_id:
        query = query.where(col(DeliveryRow.id) > after_id)
    if limit is not None:
        query = query.limit(limit)
    return list(session.scalars(query.offset(offset)))


def whole_of(session: Session, ids: Sequence[int]) -> list[DeliveryRow]:
    """Deliveries in the order of their numbers here; one that is gone is left out."""
    return [row for part in _parts(ids) for row in _in_order(part, _whole(session, part))]


def plain_of(session: Session, ids: Sequence[int]) -> list[Plain]:
    """The columns ``PLAIN`` of deliveries, in the order of their numbers here; one that is gone is
    left out."""
    found: list[Plain] = []
    for part in _parts(ids):
        query = sa.select(*PLAIN).where(col(DeliveryRow.id).in_(part))
        found += _in_order(part, session.execute(query))
    return found


def _whole(session: Session, ids: Sequence[int]) -> Iterable[DeliveryRow]:
    return session.exec(select(DeliveryRow).where(col(DeliveryRow.id).in_(ids)))


def _parts(ids: Sequence[int]) -> Iterator[Sequence[int]]:
    return (ids[start : start + 500] for start in range(0, len(ids), 500))


def _in_order(ids: Sequence[int], rows: Iterable[Any]) -> list[Any]:
    found = {row.id: row for row in rows}
    return [found[i] for i in ids if i in found]


def count_chosen(session: Session, chosen: Chosen) -> int:
    """How many there are."""
    query = sa.select(sa.func.count()).select_from(DeliveryRow).where(*conditions(session, chosen))
    return int(session.execute(query).scalar_one())


def list_parts(session: Session, chosen: Chosen, *, most: int | None = None) -> list[Part]:
    """What was answered, alike ones together, most first. Only states of ``ANSWERED``. most: of so
    many, the newest ones, unless one edition was chosen."""
    if not chosen.states:
        chosen = replace(chosen, states=ANSWERED)
    answered = sa.select(
        col(DeliveryRow.state),
        meaning_column().label("about"),
        sa.func.coalesce(col(DeliveryRow.code), 0).label("code"),
        col(DeliveryRow.reason),
        col(DeliveryRow.domain),
        col(DeliveryRow.edition_id),
        col(DeliveryRow.kind),
        col(DeliveryRow.id),
    )
    if most is None or chosen.edition_id is not None:
        answered = answered.where(*conditions(session, chosen))
    elif chosen.since is not None or chosen.until is not None:
        which = conditions(session, chosen)
        answered = answered.where(*which).order_by(*_turn(chosen, "newest")).limit(most)
    else:  # their numbers are found by an index alone
        newest_ids = _in_turn(session, chosen, "newest", most)
        answered = answered.where(col(DeliveryRow.id).in_(newest_ids))
    rows = answered.subquery()
    *alike, number = rows.c
    newest, oldest = sa.func.max(number), sa.func.min(number)
    query = (
        sa.select(*alike, sa.func.count(), newest, oldest)
        .group_by(*alike)
        .order_by(sa.func.count().desc(), newest.desc())
    )
    return [Part(*row) for row in session.execute(query)]


def meanings_of(session: Session, ids: Sequence[int]) -> dict[int, str]:
    """Per delivery: what its last refusal was about."""
    about = meaning_column().label("about")
    query = sa.select(col(DeliveryRow.id), about).where(col(DeliveryRow.id).in_(ids))
    return {row.id: row.about for row in session.execute(query)}


def list_family(session: Session, edition_id: int) -> list[int]:
    """The edition that was first, and all by which parts of it, or of them, were sent again, or
    by which it went to those who came later."""
    row = session.get(EditionRow, edition_id)
    while row is not None and (
        before := row.options.get("resend_of") or row.options.get("late_of")
    ):
        edition_id, row = before, session.get(EditionRow, before)
    found, new = [edition_id], [edition_id]
    while new:
        slots = [
            col(EditionRow.slot).like(f"{how}:{one}:%") for one in new for how in ("resend", "late")
        ]
        query = sa.select(col(EditionRow.id)).where(
            col(EditionRow.kind).in_(["manual", "newsletter"]),
            sa.or_(*slots),
            col(EditionRow.id).not_in(found),
        )
        new = list(session.execute(query).scalars())
        found += new
    return found


def families(session: Session, edition_ids: Collection[int]) -> dict[int, list[int]]:
    """Of these editions, those of which a part was sent again, or that are such a part, each with
    all of its family (``list_family``)."""
    query = sa.select(col(EditionRow.id), col(EditionRow.slot)).where(
        col(EditionRow.kind).in_(["manual", "newsletter"]), col(EditionRow.slot).like("resend:%")
    )
    before = {number: int(slot.split(":")[1]) for number, slot in session.execute(query)}

    def first(edition_id: int) -> int:
        while edition_id in before:
            edition_id = before[edition_id]
        return edition_id

    found: dict[int, list[int]] = {}
    for number in before:
        found.setdefault(first(number), [first(number)]).append(number)
    return {one: found[first(one)] for one in edition_ids if first(one) in found}


def count_again(
    session: Session, chosen: Chosen, edition_id: int, family: Sequence[int]
) -> dict[str, int]:
    """Of the refused mails of one edition, by meaning: how many readers have one of its family
    that came, may have come or is on its way."""
    other, meaning = aliased(DeliveryRow), meaning_column().label("about")
    went = [col(other.edition_id).in_(list(family)), col(other.state).not_in(_NOT_GONE)]
    key = sa.exists().where(*went, col(other.recipient_key) == col(DeliveryRow.recipient_key))
    reader = sa.exists().where(*went, col(other.subscriber_id) == col(DeliveryRow.subscriber_id))
    query = (
        sa.select(meaning, sa.func.count())
        .where(
            *conditions(session, replace(chosen, edition_id=edition_id)),
            col(DeliveryRow.state).in_(REFUSED),
            sa.or_(key, reader),
        )
        .group_by(meaning)
    )
    return {about: int(n) for about, n in session.execute(query)}


def list_went(
    session: Session, edition_ids: Sequence[int], readers: Sequence[int], keys: Sequence[str]
) -> tuple[set[int], set[str]]:
    """Readers and keys of recipients that have a mail of these editions which came, may have come
    or is on its way: they get no second one."""
    mine = (
        col(DeliveryRow.edition_id).in_(list(edition_ids)),
        col(DeliveryRow.state).not_in(_NOT_GONE),
    )
    by_reader = sa.select(col(DeliveryRow.subscriber_id)).where(
        *mine, col(DeliveryRow.subscriber_id).in_(list(readers))
    )
    by_key = sa.select(col(DeliveryRow.recipient_key)).where(
        *mine, col(DeliveryRow.recipient_key).in_(list(keys))
    )
    return set(session.execute(by_reader).scalars()), set(session.execute(by_key).scalars())
