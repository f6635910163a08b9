"""Deliveries as lists and groups: what the staff asks the ledger. Nothing here changes a row."""

import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import aliased
from sqlmodel import Session, col, select

from service.store.deliveries import is_held
from service.store.tables import AttemptRow, DeliveryRow, EditionRow

REFUSED = ("failed", "expired")
"""States that a person may send again."""

ANSWERED = ("failed", "expired", "deferred", "unknown", "presumed", "suppressed")
"""States that groups by meaning are made of: something was said, or ought to have been."""

_MEANT = (*ANSWERED, "ready", "leased", "sending", "cancelled")
"""States in which a row may have a meaning."""

_NOT_GONE = ("failed", "expired", "cancelled", "suppressed", "skipped")
"""States of mails that surely did not come, and will not."""

_OLD = ("person", "full", "policy", "relay", "content")


@dataclass(frozen=True, slots=True, kw_only=True)
class Chosen:
    """Which deliveries; what is empty or None leaves all in.

    held_by: only held ones, given the owners that are gone · since, until: planned from, before ·
    address, words: parts of the address, of the server's words or the reason.
    """

    edition_id: int | None = None
    states: tuple[str, ...] = ()
    held_by: tuple[int, ...] | None = None
    meaning: str = ""
    domain: str = ""
    since: datetime | None = None
    until: datetime | None = None
    address: str = ""
    words: str = ""
    ids: tuple[int, ...] = ()


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


def meaning_column() -> sa.ColumnElement[str]:
    """What a row's last refusal was about. Rows of before revision 0006 have it as the first word
    of their reason; "temporary" = its time was over before anybody said anything else, "late" =
    before anybody tried."""
    reason, state = col(DeliveryRow.reason), col(DeliveryRow.state)
    failed = [(sa.and_(state == "failed", reason.like(f"{m}:%")), m) for m in _OLD]
    return sa.case(
        (col(DeliveryRow.meaning) != "", col(DeliveryRow.meaning)),
        *failed,
        (state == "failed", "other"),
        (sa.and_(state == "expired", col(DeliveryRow.attempts) == 0), "late"),
        (state == "expired", "temporary"),
        (state.in_(["unknown", "presumed"]), "silent"),
        else_="",
    )


def _conditions(chosen: Chosen) -> list[sa.ColumnElement[bool]]:
    found: list[sa.ColumnElement[bool]] = []
    if chosen.edition_id is not None:
        found.append(col(DeliveryRow.edition_id) == chosen.edition_id)
    if chosen.states:
        found.append(col(DeliveryRow.state).in_(chosen.states))
    if chosen.held_by is not None:
        found.append(is_held(chosen.held_by))
    if chosen.meaning:
        if not chosen.states:  # by the index of states: most rows were accepted
            found.append(col(DeliveryRow.state).in_(_MEANT))
        found.append(meaning_column() == chosen.meaning)
    if chosen.domain:
        found += _of_domain(chosen.domain)
    if chosen.since is not None or chosen.until is not None:
        found += _planned(chosen.since, chosen.until)
    if chosen.address:
        found.append(_holds(col(DeliveryRow.recipient_key), chosen.address))
    if chosen.words:
        found.append(_says(chosen.words))
    if chosen.ids:
        found.append(col(DeliveryRow.id).in_(chosen.ids))
    return found


def _of_domain(domain: str) -> list[sa.ColumnElement[bool]]:
    """Found by the address where that holds the domain as it is: that stands in an index, and the
    column itself is read of few."""
    same = [col(DeliveryRow.domain) == domain]
    if domain.isascii() and not domain.startswith("xn--"):
        same.insert(0, _holds(col(DeliveryRow.recipient_key), f"@{domain}"))
    return same


def _planned(since: datetime | None, until: datetime | None) -> list[sa.ColumnElement[bool]]:
    """Rows of the editions that were open then, and of these by their own instant."""
    found, editions = [], []
    if since is not None:
        found.append(col(DeliveryRow.planned_at) >= since)
        late = since - timedelta(days=7)  # one that was broken off may be completed later
        editions.append(
            sa.or_(
                col(EditionRow.opened_at) >= late,
                sa.and_(
                    col(EditionRow.kind) != "notice",
                    sa.func.coalesce(col(EditionRow.closes_at), since) >= late,
                ),
            )
        )
    if until is not None:
        found.append(col(DeliveryRow.planned_at) < until)
        editions.append(col(EditionRow.opened_at) < until)
    open_then = sa.select(col(EditionRow.id)).where(*editions)
    return [col(DeliveryRow.edition_id).in_(open_then), *found]


def _says(words: str) -> sa.ColumnElement[bool]:
    """In what a server said to any try, or in the reason of a row that was not accepted."""
    tried = sa.select(col(AttemptRow.delivery_id)).where(
        _holds(sa.func.lower(AttemptRow.text), words)
    )
    reason = sa.and_(
        col(DeliveryRow.state) != "accepted", _holds(sa.func.lower(DeliveryRow.reason), words)
    )
    return sa.or_(col(DeliveryRow.id).in_(tried), reason)


def _holds(column: Any, part: str) -> sa.ColumnElement[bool]:
    escaped = re.sub(r"([\\%_])", r"\\\1", part.lower())
    found: sa.ColumnElement[bool] = column.like(f"%{escaped}%", escape="\\")
    return found


def list_chosen(
    session: Session,
    chosen: Chosen,
    *,
    order: str = "newest",
    limit: int | None = None,
    offset: int = 0,
    after_id: int = 0,
) -> list[DeliveryRow]:
    """Rows in an order of ``ORDERS``; after_id: only later ones (with "oldest": the next part)."""
    query = sa.select(col(DeliveryRow.id)).where(*_conditions(chosen)).order_by(*ORDERS[order])
    if after_id:
        query = query.where(col(DeliveryRow.id) > after_id)
    if limit is not None:
        query = query.limit(limit)
    # numbers first: contents are large, and are read of those alone that are shown
    ids = list(session.execute(query.offset(offset)).scalars())
    rows: dict[int | None, DeliveryRow] = {}
    for start in range(0, len(ids), 500):
        part = col(DeliveryRow.id).in_(ids[start : start + 500])
        rows.update((row.id, row) for row in session.exec(select(DeliveryRow).where(part)))
    return [rows[i] for i in ids if i in rows]


def count_chosen(session: Session, chosen: Chosen) -> int:
    """How many there are."""
    query = sa.select(sa.func.count()).select_from(DeliveryRow).where(*_conditions(chosen))
    return int(session.execute(query).scalar_one())


def list_parts(session: Session, chosen: Chosen) -> list[Part]:
    """What was answered, alike ones together, most first. Only states of ``ANSWERED``."""
    meaning = meaning_column().label("about")
    alike = (
        col(DeliveryRow.state),
        meaning,
        sa.func.coalesce(col(DeliveryRow.code), 0),
        col(DeliveryRow.reason),
        col(DeliveryRow.domain),
        col(DeliveryRow.edition_id),
        col(EditionRow.kind),
    )
    newest, oldest = sa.func.max(col(DeliveryRow.id)), sa.func.min(col(DeliveryRow.id))
    query = (
        sa.select(*alike, sa.func.count(), newest, oldest)
        .join(EditionRow, col(EditionRow.id) == col(DeliveryRow.edition_id))
        .where(*_conditions(chosen))
        .group_by(*alike)
        .order_by(sa.func.count().desc(), newest.desc())
    )
    if not chosen.states:
        query = query.where(col(DeliveryRow.state).in_(ANSWERED))
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
            *_conditions(chosen),
            col(DeliveryRow.edition_id) == edition_id,
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
