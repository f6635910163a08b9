"""Who rests: breakers of receiving domains and of accounts, one row of ``pace`` for each.

``flows/breakers`` writes them with the answers; whoever claims reads them. A rest is over by the
rows alone, so that all processes together obey. Open and probing rows have an ``until``.
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Literal

import sqlalchemy as sa
from sqlmodel import Session, col, select

from service.defaults import FIXED
from service.delivery.breakers import EVERY, Breaker, from_json, to_json
from service.delivery.states import State
from service.store.db import insert_once
from service.store.given import ask
from service.store.house_tables import PaceRow
from service.store.tables import DeliveryRow, EditionRow

__all__ = ["ACCOUNT", "DOMAIN", "EVERY", "Rest", "Scope"]

Scope = Literal["rest:domain", "rest:account"]
DOMAIN: Scope = "rest:domain"
ACCOUNT: Scope = "rest:account"
SCOPES: tuple[Scope, ...] = (DOMAIN, ACCOUNT)

_ANY_OPEN = (
    "SELECT 1 FROM pace WHERE scope IN ('rest:domain', 'rest:account') "
    "AND until IS NOT NULL LIMIT 1"
)
"""Asked with each group of answers, so it is text that is made once."""

_FARTHEST = timedelta(minutes=2 * FIXED.longest_rest_minutes)
"""A rest that ends later than any can was written by a clock that ran ahead."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Rest:
    """A limit in force. key: the receiving domain (or its group), or the account's name · until:
    nothing goes before then, None = it may go · at_once: conversations at most, None = no limit ·
    why: in words for staff, without an address."""

    scope: Scope
    key: str
    until: datetime | None
    at_once: int | None
    why: str


def list_rests(session: Session, now: datetime) -> list[Rest]:
    """Every limit that is in force now; none in quiet times (one indexed look)."""
    return [
        Rest(
            scope=scope,
            key=key,
            until=breaker.until if breaker.is_resting(now) else None,
            at_once=breaker.at_once,
            why=why_of(scope, key, breaker),
        )
        for (scope, key), breaker in list_open(session, now).items()
    ]


def list_open(session: Session, now: datetime) -> dict[tuple[Scope, str], Breaker]:
    """Every breaker that is not closed, resting or probing."""
    if not ask(session, _ANY_OPEN).rows:
        return {}
    rows = session.exec(
        select(PaceRow)
        .where(col(PaceRow.scope).in_(SCOPES), col(PaceRow.until).is_not(None))
        .order_by(col(PaceRow.scope), col(PaceRow.key))
    ).all()
    return {(_scope(row), row.key): _breaker(row, now) for row in rows}


def list_all(session: Session, now: datetime) -> dict[tuple[Scope, str], Breaker]:
    """Every breaker of which anything is known."""
    rows = session.exec(select(PaceRow).where(col(PaceRow.scope).in_(SCOPES))).all()
    return {(_scope(row), row.key): _breaker(row, now) for row in rows}


def hold(
    session: Session, scope: Scope, keys: Collection[str], now: datetime
) -> dict[str, Breaker]:
    """The breakers of some keys, those without a row closed; rows are held to the end of the
    transaction (in one order, so that two processes never wait for each other)."""
    query = select(PaceRow).where(PaceRow.scope == scope, col(PaceRow.key).in_(sorted(keys)))
    rows = session.exec(query.order_by(col(PaceRow.key)).with_for_update()).all()
    found = {row.key: _breaker(row, now) for row in rows}
    return {key: found.get(key, Breaker()) for key in sorted(keys)}


def write(
    session: Session, scope: Scope, breakers: Mapping[str, Breaker], now: datetime | None = None
) -> None:
    """Keep breakers; their rows are made where there are none. now: when they were heard of."""
    for key, breaker in sorted(breakers.items()):
        values: dict[str, Any] = {"until": breaker.until, "windows": to_json(breaker)}
        values |= {"at": now} if now is not None else {}
        row = session.exec(
            select(PaceRow).where(PaceRow.scope == scope, PaceRow.key == key)
        ).first()
        if row is None:
            row = PaceRow(scope=scope, key=key, **values)
            if insert_once(session, row):
                continue
            row = session.exec(
                select(PaceRow).where(PaceRow.scope == scope, PaceRow.key == key)
            ).one()
        row.sqlmodel_update(values)
        session.add(row)
    session.flush()


def why_of(scope: Scope, key: str, breaker: Breaker) -> str:
    """Why somebody rests, in words for staff."""
    says = {"rate": "asks us to go slower", "silent": "does not answer", "policy": "refuses us"}
    who = key if scope == DOMAIN else "the mail server"
    said = f": {breaker.words}" if breaker.words else ""
    return f"{who} {says.get(breaker.cause, 'rests')}{said}"[:500]


def list_refused_editions(session: Session, domains: Collection[str]) -> dict[int, set[str]]:
    """Editions under way of which these domains refused mails for policy: edition -> domains."""
    found = session.execute(
        sa.select(col(DeliveryRow.edition_id), col(DeliveryRow.domain))
        .join(EditionRow, col(EditionRow.id) == col(DeliveryRow.edition_id))
        .where(
            col(DeliveryRow.state) == str(State.FAILED),
            col(DeliveryRow.meaning) == "policy",
            col(DeliveryRow.domain).in_(sorted(domains)),
            col(EditionRow.state).in_(["open", "closing", "incomplete"]),
            col(EditionRow.kind) != "notice",
            col(EditionRow.paused) == sa.false(),
        )
        .distinct()
    ).all()
    editions: dict[int, set[str]] = {}
    for edition_id, domain in found:
        editions.setdefault(int(edition_id), set()).add(domain)
    return editions


def try_now(session: Session, now: datetime, domains: Collection[str] | None = None) -> int:
    """What waited because nobody answered, or because the account rested, is due at once; how
    many. domains: only theirs, and what these refused for now because of us, too."""
    because = ["silent", "relay", "rest"] if domains is None else ["rest", "policy", "rate"]
    change = (
        sa.update(DeliveryRow)
        .where(
            col(DeliveryRow.state) == str(State.DEFERRED),
            col(DeliveryRow.not_before) > now,
            col(DeliveryRow.meaning).in_(because),
        )
        .values(not_before=now)
    )
    if domains is not None:
        change = change.where(col(DeliveryRow.domain).in_(sorted(domains)))
    return int(session.execute(change).rowcount)  # type: ignore[attr-defined]


def forget_closed(session: Session, before: datetime, limit: int) -> int:
    """Drop what is known of domains that are not limited and were last heard of before an instant;
    how many."""
    ids = (
        sa.select(col(PaceRow.id))
        .where(
            col(PaceRow.scope).in_(SCOPES), col(PaceRow.until).is_(None), col(PaceRow.at) < before
        )
        .limit(limit)
    )
    change = sa.delete(PaceRow).where(col(PaceRow.id).in_(ids))
    return int(session.execute(change).rowcount)  # type: ignore[attr-defined]


def _scope(row: PaceRow) -> Scope:
    return DOMAIN if row.scope == DOMAIN else ACCOUNT


def _breaker(row: PaceRow, now: datetime) -> Breaker:
    until = row.until
    if until is not None and until > now + _FARTHEST:
        until = now
    return from_json(row.windows, until)
