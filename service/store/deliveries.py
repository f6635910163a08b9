"""Deliveries: one edition to one subscriber. Every change of state names the state it leaves."""

import re
import secrets
from collections.abc import Sequence
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlmodel import Session, col, select

from service.delivery.message import MessageError, ascii_address, domain_of
from service.delivery.states import HELD, State
from service.store import contents
from service.store.db import insert_once
from service.store.house_tables import ProcessRow
from service.store.tables import AttemptRow, DeliveryRow, EditionRow


def add_delivery(
    session: Session,
    *,
    edition_id: int,
    recipient_key: str,
    rcpt: str,
    kind: str,
    message_id: str,
    now: datetime,
    subscriber_id: int | None = None,
    state: State = State.PLANNED,
    **values: Any,
) -> DeliveryRow | None:
    """Insert one row; None when this recipient already has one in this edition.

    The Message-ID is looked at too: it is all that an erased row still shares with the recipient.
    And the reader: a new address is no second recipient. values: its other columns, those of its
    content from ``contents.put``.
    """
    there = session.exec(
        select(col(DeliveryRow.id)).where(
            sa.or_(
                _of_recipient(edition_id, recipient_key, subscriber_id),
                col(DeliveryRow.message_id) == message_id,
            )
        )
    ).first()
    if there is not None:
        contents.delete_unused(session, [values.get("content_id")])
        return None
    row = DeliveryRow(
        edition_id=edition_id,
        recipient_key=recipient_key,
        rcpt=rcpt,
        domain=domain_of(rcpt),
        kind=kind,
        message_id=message_id,
        subscriber_id=subscriber_id,
        state=str(state),
        bounce_id=secrets.token_hex(10),
        token=secrets.token_urlsafe(16),
        planned_at=now,
        **values,
    )
    if insert_once(session, row):
        return row
    contents.delete_unused(session, [values.get("content_id")])
    return None


def get_delivery(
    session: Session, *, id: int | None = None, token: str | None = None
) -> DeliveryRow | None:
    """One delivery by id or by its token."""
    if id is not None:
        return session.get(DeliveryRow, id)
    return session.exec(select(DeliveryRow).where(col(DeliveryRow.token) == token)).first()


def read_again(session: Session, delivery_id: int) -> tuple[str, int] | None:
    """State and fence of a row as they are now, past what this session remembers."""
    row = session.execute(
        sa.select(col(DeliveryRow.state), col(DeliveryRow.fence)).where(
            col(DeliveryRow.id) == delivery_id
        )
    ).first()
    return (row[0], row[1]) if row is not None else None


def is_forgotten(session: Session, delivery_id: int) -> bool:
    """Whether its reader was erased, by now."""
    query = sa.select(col(DeliveryRow.rcpt)).where(col(DeliveryRow.id) == delivery_id)
    return session.execute(query).scalar_one_or_none() is None


def find_delivery(
    session: Session, edition_id: int, recipient_key: str, subscriber_id: int | None = None
) -> DeliveryRow | None:
    """The row of one recipient in one edition, under this address or as this reader."""
    return session.exec(
        select(DeliveryRow).where(_of_recipient(edition_id, recipient_key, subscriber_id))
    ).first()


def _of_recipient(
    edition_id: int, recipient_key: str, subscriber_id: int | None
) -> sa.ColumnElement[bool]:
    is_same = col(DeliveryRow.recipient_key) == recipient_key
    if subscriber_id is not None:
        is_same = sa.or_(is_same, col(DeliveryRow.subscriber_id) == subscriber_id)
    return sa.and_(col(DeliveryRow.edition_id) == edition_id, is_same)


def is_left(dead: Sequence[int]) -> sa.ColumnElement[bool]:
    """Rows in ``sending`` that nobody alive holds: dead names owners whose lock is free."""
    alive = sa.exists().where(
        col(ProcessRow.id) == col(DeliveryRow.lease_owner),
        col(ProcessRow.ended) == sa.false(),
        col(ProcessRow.id).not_in(list(dead)),
    )
    return sa.and_(col(DeliveryRow.state) == "sending", sa.not_(alive))


def is_held(dead: Sequence[int]) -> sa.ColumnElement[bool]:
    """Rows of which nobody can say whether the mail came."""
    return sa.or_(col(DeliveryRow.state).in_([str(s) for s in HELD]), is_left(dead))


def count_left(session: Session, dead: Sequence[int]) -> dict[int, int]:
    """Per edition: rows left in ``sending``."""
    edition = col(DeliveryRow.edition_id) + 0  # else SQLite reads all rows, edition by edition
    rows = session.execute(
        sa.select(edition, sa.func.count()).where(is_left(dead)).group_by(edition)
    ).all()
    return {edition_id: int(n) for edition_id, n in rows}


def list_deliveries(
    session: Session,
    *,
    edition_id: int | None = None,
    states: Sequence[str] | None = None,
    held_by: Sequence[int] | None = None,
    subscriber_id: int | None = None,
    search: str = "",
    after_id: int = 0,
    newest_first: bool = False,
    limit: int | None = None,
    offset: int = 0,
) -> list[DeliveryRow]:
    """Deliveries by id (or newest first). held_by: only held ones, given the owners that are
    gone."""
    order = col(DeliveryRow.id).desc() if newest_first else col(DeliveryRow.id)
    query = select(DeliveryRow).where(col(DeliveryRow.id) > after_id).order_by(order).offset(offset)
    if edition_id is not None:
        query = query.where(col(DeliveryRow.edition_id) == edition_id)
    if states is not None:
        query = query.where(col(DeliveryRow.state).in_(states))
    if held_by is not None:
        query = query.where(is_held(held_by))
    if subscriber_id is not None:
        query = query.where(col(DeliveryRow.subscriber_id) == subscriber_id)
    if search:
        query = query.where(col(DeliveryRow.recipient_key).like(f"%{search.lower()}%"))
    if limit is not None:
        query = query.limit(limit)
    return list(session.exec(query).all())


def list_planned(
    session: Session, limit: int, *, edition_id: int | None = None, after_id: int = 0
) -> list[DeliveryRow]:
    """Rows that wait to be composed, of editions that are not paused or cancelled."""
    query = (
        select(DeliveryRow)
        .join(EditionRow, col(EditionRow.id) == col(DeliveryRow.edition_id))
        .where(
            col(DeliveryRow.state) == "planned",
            col(EditionRow.state) != "cancelled",
            col(DeliveryRow.id) > after_id,
        )
        .order_by(col(DeliveryRow.id))
        .limit(limit)
    )
    if edition_id is not None:
        query = query.where(col(DeliveryRow.edition_id) == edition_id)
    return list(session.exec(query).all())


def add_attempt(
    session: Session,
    *,
    delivery_id: int,
    n: int,
    phase: str,
    at: datetime,
    code: int = 0,
    enhanced: str = "",
    text: str = "",
    relay_id: str = "",
) -> None:
    """One try, with the server's words. relay_id: its number at the relay."""
    session.add(
        AttemptRow(
            delivery_id=delivery_id,
            n=n,
            phase=phase,
            at=at,
            code=code,
            enhanced=enhanced[:16],
            text=text[:2000],
            relay_id=relay_id,
        )
    )


def list_attempts(session: Session, delivery_id: int) -> list[AttemptRow]:
    """Tries of a delivery, first to last."""
    return list(
        session.exec(
            select(AttemptRow)
            .where(col(AttemptRow.delivery_id) == delivery_id)
            .order_by(col(AttemptRow.id))
        ).all()
    )


def count_waiting(session: Session, edition_ids: Sequence[int] | None = None) -> dict[str, int]:
    """Rows under way per state, over all editions or some."""
    query = (
        sa.select(col(DeliveryRow.state), sa.func.count())
        .where(
            col(DeliveryRow.state).in_(
                ["planned", "ready", "leased", "sending", "deferred", "unknown"]
            )
        )
        .group_by(col(DeliveryRow.state))
    )
    if edition_ids is not None:
        query = query.where(col(DeliveryRow.edition_id).in_(list(edition_ids)))
    return {state: int(n) for state, n in session.execute(query).all()}


def list_addresses(session: Session, subscriber_id: int) -> set[str]:
    """Every address to which a reader's mails went."""
    query = sa.select(col(DeliveryRow.rcpt)).where(col(DeliveryRow.subscriber_id) == subscriber_id)
    return {one for one in session.scalars(query.distinct()) if one}


def forget_recipient(
    session: Session, subscriber_id: int, email: str, email_key: str, hashed: str
) -> None:
    """Erasure: rows stay for the balance; addresses go, also out of servers' words, and what the
    mails held, but for what others have as well."""
    mine = sa.or_(
        col(DeliveryRow.subscriber_id) == subscriber_id,
        col(DeliveryRow.recipient_key) == email_key,
    )

    rcpts = session.execute(sa.select(col(DeliveryRow.rcpt)).where(mine).distinct()).scalars()
    known = {email, email_key, *(one for one in rcpts if one)}  # earlier addresses too
    held = contents.hold_of(session, mine)
    ids = sa.select(col(DeliveryRow.id)).where(mine)
    _take_out(session, col(DeliveryRow.id), col(DeliveryRow.reason), mine, known)
    tried = col(AttemptRow.delivery_id).in_(ids)
    _take_out(session, col(AttemptRow.id), col(AttemptRow.text), tried, known)
    session.execute(
        sa.update(DeliveryRow)
        .where(mine)
        .values(
            rcpt=None,
            domain="",
            recipient_key=hashed,
            own=None,
            content_id=None,
            subscriber_id=None,
        )
        .execution_options(synchronize_session=False)
    )
    contents.delete_unused(session, held)


def _take_out(session: Session, key: Any, words: Any, mine: Any, addresses: set[str]) -> None:
    """Write "…" for the addresses in a column of words; servers repeat them in any case, and a
    domain in its form for DNS."""
    forms = {form for one in addresses for form in (one, _dns_form(one))}
    longest_first = sorted(forms, key=len, reverse=True)
    pattern = re.compile("|".join(map(re.escape, longest_first)), re.IGNORECASE)
    for row_id, said in session.execute(sa.select(key, words).where(mine, words.like("%@%"))).all():
        if (left := pattern.sub("…", said)) != said:
            session.execute(
                sa.update(key.class_)
                .where(key == row_id)
                .values({words.key: left})
                .execution_options(synchronize_session=False)
            )


def _dns_form(address: str) -> str:
    try:
        return ascii_address(address)
    except MessageError:
        return address
