"""Reports and mails that came in as lists and sums. Nothing here changes a row."""

import re
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import defer
from sqlmodel import Session, col, select

from service.store.report_tables import InboundRow, ReportRow
from service.store.reports import IDLE
from service.store.sent import TESTED
from service.store.tables import DeliveryRow


@dataclass(frozen=True, slots=True, kw_only=True)
class Filter:
    """Which reports; what is empty or None leaves all in. state: of the mail (done, review,
    foreign) · address: a part of the recipient · since, until: came in from, before · before_id:
    reports before this one."""

    kind: str = ""
    reason: str = ""
    domain: str = ""
    state: str = ""
    address: str = ""
    since: datetime | None = None
    until: datetime | None = None
    before_id: int | None = None


Found = tuple[ReportRow, InboundRow]


def _where(wanted: Filter) -> list[sa.ColumnElement[bool]]:
    found: list[sa.ColumnElement[bool]] = []
    if wanted.kind:
        found.append(col(ReportRow.kind) == wanted.kind)
    if wanted.reason:
        found.append(col(ReportRow.reason) == wanted.reason)
    if wanted.domain:
        found.append(col(ReportRow.domain) == wanted.domain.lower())
    if wanted.state:
        found.append(col(InboundRow.state) == wanted.state)
    if wanted.address:
        part = re.sub(r"([\\%_])", r"\\\1", wanted.address.lower())
        found.append(sa.func.lower(col(ReportRow.recipient)).like(f"%{part}%", escape="\\"))
    if wanted.since is not None:
        found.append(col(ReportRow.at) >= wanted.since)
    if wanted.until is not None:
        found.append(col(ReportRow.at) < wanted.until)
    if wanted.before_id is not None:
        found.append(col(ReportRow.id) < wanted.before_id)
    return found


def _found(*columns: Any) -> sa.Select[Any]:
    return sa.select(*columns).join(InboundRow, col(InboundRow.id) == col(ReportRow.inbound_id))


_PLAIN = defer(InboundRow.raw)  # type: ignore[arg-type]
"""A list needs no bytes of mails."""


ORDERS: Mapping[str, Any] = {
    "at": col(ReportRow.id),
    "address": col(ReportRow.recipient),
    "kind": col(ReportRow.kind),
    "reason": col(ReportRow.reason),
}
"""What reports are sorted by; -NAME is the other way round."""


def list_found(
    session: Session, wanted: Filter, *, limit: int | None, offset: int = 0, sort: str = "-at"
) -> list[Found]:
    """Reports with their mails, the newest of alike ones first."""
    order = ORDERS[sort.removeprefix("-")]
    query = _found(ReportRow, InboundRow).where(*_where(wanted)).options(_PLAIN)
    query = query.order_by(
        order.desc() if sort.startswith("-") else order, col(ReportRow.id).desc()
    ).limit(limit).offset(offset)  # fmt: skip
    return [(report, row) for report, row in session.execute(query)]


def count_found(session: Session, wanted: Filter) -> int:
    """How many there are."""
    query = _found(sa.func.count()).select_from(ReportRow)
    return int(session.scalar(query.where(*_where(wanted))) or 0)


def count_by_kind(session: Session, since: datetime) -> dict[str, int]:
    """How many reports came in since an instant, by kind."""
    query = sa.select(col(ReportRow.kind), sa.func.count()).where(col(ReportRow.at) >= since)
    return {kind: int(n) for kind, n in session.execute(query.group_by(col(ReportRow.kind)))}


def list_of_reader(session: Session, subscriber_id: int, limit: int | None) -> list[Found]:
    """Reports about a reader's mails, newest first."""
    query = _found(ReportRow, InboundRow).where(col(ReportRow.subscriber_id) == subscriber_id)
    query = query.options(_PLAIN).order_by(col(ReportRow.id).desc()).limit(limit)
    return [(report, row) for report, row in session.execute(query)]


def list_of_deliveries(session: Session, ids: Collection[int]) -> list[Found]:
    """Reports about some mails, oldest first."""
    query = _found(ReportRow, InboundRow).where(col(ReportRow.delivery_id).in_(list(ids)))
    query = query.options(_PLAIN).order_by(col(ReportRow.id))
    return [(report, row) for report, row in session.execute(query)]


def list_review(session: Session, *, limit: int | None, offset: int) -> list[InboundRow]:
    """Mails that a person is to look at, oldest first."""
    query = select(InboundRow).where(col(InboundRow.state) == "review").options(_PLAIN)
    return list(
        session.exec(
            query.order_by(col(InboundRow.at), col(InboundRow.id)).limit(limit).offset(offset)
        ).all()
    )


def count_by_state(session: Session) -> dict[str, int]:
    """How many mails came in, by what became of them."""
    query = sa.select(col(InboundRow.state), sa.func.count()).group_by(col(InboundRow.state))
    return {state: int(n) for state, n in session.execute(query)}


def list_decided(session: Session, after_id: int, limit: int) -> list[InboundRow]:
    """Mails of which a person said what they are, whole, by number."""
    query = select(InboundRow).where(
        col(InboundRow.decision) != "",
        col(InboundRow.raw).is_not(None),
        col(InboundRow.id) > after_id,
    )
    return list(session.exec(query.order_by(col(InboundRow.id)).limit(limit)).all())


# ---- rates ----


@dataclass(frozen=True, slots=True)
class Hour:
    """What a domain took in one hour (its beginning, UTC), or was said of mails in it."""

    hour: datetime
    domain: str
    kind: str
    mails: int


def _hour_of(session: Session, at: Any, past: int) -> Any:
    """ "2026-11-22 09" of an instant, UTC; past: minutes after the full at which an hour begins."""
    if session.get_bind().dialect.name == "sqlite":
        return sa.func.strftime("%Y-%m-%d %H", at, f"-{past} minutes")
    return sa.func.to_char(sa.func.timezone("UTC", at - timedelta(minutes=past)), "YYYY-MM-DD HH24")


def iter_hours(session: Session, since: datetime, domain: str = "") -> Iterator[Hour]:
    """Mails that were accepted (kind "accepted") and those of each kind of report that had its
    consequence, each mail once, by domain and hour. Hours begin as ``since`` does, which is the
    midnight of a zone: not all are whole hours from UTC."""
    past = since.astimezone(UTC).minute
    hour = _hour_of(session, col(DeliveryRow.accepted_at), past)
    taken = sa.select(hour, col(DeliveryRow.domain), sa.literal("accepted"), sa.func.count()).where(
        col(DeliveryRow.accepted_at) >= since, col(DeliveryRow.reason) != TESTED
    )
    at = _hour_of(session, col(ReportRow.at), past)
    told = sa.select(
        at,
        col(ReportRow.domain),
        col(ReportRow.kind),
        sa.func.count(sa.distinct(col(ReportRow.delivery_id))),
    ).where(
        col(ReportRow.at) >= since,
        col(ReportRow.delivery_id).is_not(None),
        col(ReportRow.said).not_in(["test", *IDLE]),
    )
    if domain:
        taken = taken.where(col(DeliveryRow.domain) == domain)
        told = told.where(col(ReportRow.domain) == domain)
    hours: dict[str, datetime] = {}
    for query in (
        taken.group_by(sa.literal_column("1"), col(DeliveryRow.domain)),
        told.group_by(sa.literal_column("1"), col(ReportRow.domain), col(ReportRow.kind)),
    ):
        for text, of, kind, mails in session.execute(query):
            if text not in hours:
                hours[text] = datetime.strptime(f"{text}:{past} +0000", "%Y-%m-%d %H:%M %z")
            yield Hour(hours[text], of, kind, int(mails))


def list_deliveries_of(session: Session, reports: Sequence[ReportRow]) -> dict[int, DeliveryRow]:
    """The mails that some reports are about, by number."""
    ids = [one.delivery_id for one in reports if one.delivery_id is not None]
    query = select(DeliveryRow).where(col(DeliveryRow.id).in_(ids))
    return {row.id or 0: row for row in session.exec(query)}
