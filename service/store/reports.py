"""Mails that came in and their reports: written once, counted per reader, forgotten in time."""

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from typing import Any, NamedTuple

import sqlalchemy as sa
from sqlmodel import Session, col, select

from service.delivery.states import State
from service.store.db import insert_once
from service.store.report_tables import InboundRow, ReportRow
from service.store.sent import TESTED
from service.store.tables import DeliveryRow, SubscriberRow

CAME_BACK = ("hard", "soft")
"""Kinds of report that say of a mail that it did not arrive, for reasons at its reader's end."""

SCORED = ("scored", "elsewhere", "doubted", "rests", "suppressed")
"""What follows from a report that counts against a reader."""

AGAIN, WAITS, DELAYED = "again", "waits", "delayed"
"""What follows from a report: nothing, since its mail has one of this kind · a person decides · the
server still tries."""

IDLE = (AGAIN, WAITS, DELAYED)
"""Such reports say nothing of their mail."""


def add_inbound(session: Session, row: InboundRow) -> InboundRow | None:
    """Write a mail down of which there was no row; that of another process which did so just now,
    None where none did."""
    return None if insert_once(session, row) else find_inbound(session, row.sha)


def find_inbound(session: Session, sha: str) -> InboundRow | None:
    """The mail with this fingerprint."""
    return session.exec(select(InboundRow).where(col(InboundRow.sha) == sha)).first()


def list_of_inbound(session: Session, inbound_ids: Collection[int]) -> list[ReportRow]:
    """The reports of some mails, in their order."""
    query = select(ReportRow).where(col(ReportRow.inbound_id).in_(list(inbound_ids)))
    return list(session.exec(query.order_by(col(ReportRow.id))).all())


# ---- whose it is ----


def find_deliveries(
    session: Session, bounce_ids: Sequence[str], message_ids: Sequence[str]
) -> list[DeliveryRow]:
    """Mails of ours by their return path or Message-ID, by number."""
    query = select(DeliveryRow).where(
        sa.or_(
            col(DeliveryRow.bounce_id).in_(bounce_ids), col(DeliveryRow.message_id).in_(message_ids)
        )
    )
    return list(session.exec(query.order_by(col(DeliveryRow.id))).all())


def find_by_leaving(session: Session, tokens: Sequence[str]) -> list[DeliveryRow]:
    """The newest mail that was handed over to each reader of these tokens for leaving."""
    newest = (
        sa.select(sa.func.max(col(DeliveryRow.id)))
        .join(SubscriberRow, col(SubscriberRow.id) == col(DeliveryRow.subscriber_id))
        .where(
            col(SubscriberRow.unsubscribe_token).in_(tokens),
            col(DeliveryRow.marked_at).is_not(None),
        )
        .group_by(col(SubscriberRow.id))
    )
    query = select(DeliveryRow).where(col(DeliveryRow.id).in_(newest))
    return list(session.exec(query.order_by(col(DeliveryRow.id))).all())


def is_known(session: Session, report: ReportRow) -> bool:
    """Whether another report of this kind about the same mail has had its consequence."""
    query = sa.select(col(ReportRow.id)).where(
        col(ReportRow.delivery_id) == report.delivery_id,
        col(ReportRow.kind) == report.kind,
        col(ReportRow.id) != report.id,
        col(ReportRow.said).not_in(IDLE),
    )
    return session.scalars(query.limit(1)).first() is not None


def has_scored(session: Session, subscriber_id: int, since: datetime) -> bool:
    """Whether a report about a reader's mails changed their score since an instant."""
    query = sa.select(col(ReportRow.id)).where(
        col(ReportRow.subscriber_id) == subscriber_id,
        col(ReportRow.at) >= since,
        col(ReportRow.said).in_(SCORED),
    )
    return session.scalars(query.limit(1)).first() is not None


def _came_back(*kinds: str) -> sa.Exists:
    """Of a delivery: a report says so."""
    return sa.exists().where(
        col(ReportRow.delivery_id) == col(DeliveryRow.id),
        col(ReportRow.kind).in_(kinds),
        col(ReportRow.said).not_in(IDLE),
    )


def count_clean(session: Session, subscriber_id: int, after: datetime, until: datetime) -> int:
    """Mails of a reader that were accepted in (after, until] and did not come back."""
    query = (
        sa.select(sa.func.count())
        .select_from(DeliveryRow)
        .where(
            col(DeliveryRow.subscriber_id) == subscriber_id,
            *_taken(after, until),
            sa.not_(_came_back(*CAME_BACK)),
        )
    )
    return int(session.scalar(query) or 0)


def _taken(after: datetime, until: datetime) -> tuple[sa.ColumnElement[bool], ...]:
    return (
        col(DeliveryRow.state) == str(State.ACCEPTED),
        col(DeliveryRow.reason) != TESTED,
        col(DeliveryRow.accepted_at) > after,
        col(DeliveryRow.accepted_at) <= until,
    )


def list_returned(session: Session, delivery_ids: Collection[int]) -> set[int]:
    """Those of some mails that came back."""
    query = sa.select(col(DeliveryRow.id)).where(
        col(DeliveryRow.id).in_(list(delivery_ids)), _came_back(*CAME_BACK)
    )
    return set(session.scalars(query))


# ---- a domain that knows several readers no more ----


class Gone(NamedTuple):
    """A reader of whom a domain said that nobody is there. said: what followed."""

    report_id: int
    delivery_id: int
    subscriber_id: int
    said: str


def list_gone(session: Session, domain: str, since: datetime) -> list[Gone]:
    """Hard reports of a domain since an instant, one a reader: the newest."""
    newest = (
        sa.select(sa.func.max(col(ReportRow.id)))
        .where(
            col(ReportRow.domain) == domain,
            col(ReportRow.kind) == "hard",
            col(ReportRow.at) >= since,
            col(ReportRow.subscriber_id).is_not(None),
            col(ReportRow.said).in_(["suppressed", "doubted", "scored"]),
        )
        .group_by(col(ReportRow.subscriber_id))
    )
    columns = (ReportRow.id, ReportRow.delivery_id, ReportRow.subscriber_id, ReportRow.said)
    query = sa.select(*map(col, columns)).where(col(ReportRow.id).in_(newest))
    return [Gone(*row) for row in session.execute(query.order_by(col(ReportRow.id)))]


def count_arrived(session: Session, domain: str, after: datetime, until: datetime) -> int:
    """Mails that a domain took in (after, until] and of which nobody said that nobody is there."""
    query = (
        sa.select(sa.func.count())
        .select_from(DeliveryRow)
        .where(
            col(DeliveryRow.domain) == domain, *_taken(after, until), sa.not_(_came_back("hard"))
        )
    )
    return int(session.scalar(query) or 0)


def took_before(session: Session, row: DeliveryRow, since: datetime) -> bool:
    """Whether an earlier mail of this reader arrived at the same domain since an instant, as far as
    anybody said."""
    query = sa.select(col(DeliveryRow.id)).where(
        col(DeliveryRow.subscriber_id) == row.subscriber_id,
        col(DeliveryRow.domain) == row.domain,
        col(DeliveryRow.id) < row.id,
        col(DeliveryRow.state) == str(State.ACCEPTED),
        col(DeliveryRow.reason) != TESTED,
        col(DeliveryRow.accepted_at) >= since,
        sa.not_(_came_back("hard")),
    )
    return session.scalars(query.limit(1)).first() is not None


def set_said(session: Session, report_id: int, said: str) -> None:
    """What followed from a report in the end."""
    session.execute(
        sa.update(ReportRow)
        .where(col(ReportRow.id) == report_id)
        .values(said=said)
        .execution_options(synchronize_session=False)
    )


# ---- rates ----


def count_told(session: Session, kind: str, since: datetime, domain: str = "") -> int:
    """How many mails a report of a kind had its consequence for since an instant, of all domains or
    one."""
    query = sa.select(sa.func.count(sa.distinct(col(ReportRow.delivery_id)))).where(
        col(ReportRow.kind) == kind,
        col(ReportRow.at) >= since,
        col(ReportRow.said).not_in(["", "test", *IDLE]),
    )
    if domain:
        query = query.where(col(ReportRow.domain) == domain)
    return int(session.scalar(query) or 0)


def count_accepted(session: Session, since: datetime) -> int:
    """How many mails were accepted since an instant, tests left out."""
    query = sa.select(sa.func.count()).select_from(DeliveryRow)
    wanted = (col(DeliveryRow.accepted_at) >= since, col(DeliveryRow.reason) != TESTED)
    return int(session.scalar(query.where(*wanted)) or 0)


# ---- forgotten ----


def forget_reader(session: Session, subscriber_id: int, addresses: Collection[str]) -> None:
    """Erasure: of mails that came in about a reader, or that name one of their addresses, the
    figures alone stay. addresses: with those that they had before."""
    known = sorted({one.lower() for one in addresses if one})
    mine = sa.select(col(DeliveryRow.id)).where(col(DeliveryRow.subscriber_id) == subscriber_id)
    about = sa.select(col(ReportRow.inbound_id)).where(
        sa.or_(
            col(ReportRow.subscriber_id) == subscriber_id,
            col(ReportRow.delivery_id).in_(mine),
            sa.func.lower(col(ReportRow.recipient)).in_(known),
        )
    )
    named = sa.select(col(InboundRow.id)).where(
        sa.or_(
            *[
                sa.func.lower(col(InboundRow.sender)).contains(one, autoescape=True)
                for one in known
            ],
            *[_holds(session, form.encode()) for one in addresses for form in {one, one.lower()}],
        )
    )
    ids = {*session.scalars(about), *(session.scalars(named) if known else ())}
    forget_mails(session, ids)
    session.execute(
        sa.update(ReportRow)
        .where(col(ReportRow.inbound_id).in_(ids))
        .values(domain="")
        .execution_options(synchronize_session=False)
    )


def _holds(session: Session, text: bytes) -> sa.ColumnElement[bool]:
    """Whether a mail holds some bytes; asked of those alone that belong to no reader, since the
    others are found by their reports."""
    raw, wanted = col(InboundRow.raw), sa.literal(text, sa.LargeBinary)
    is_sqlite = session.get_bind().dialect.name == "sqlite"
    at = sa.func.instr(raw, wanted) if is_sqlite else sa.func.position(wanted.op("IN")(raw))
    belongs = sa.exists().where(
        col(ReportRow.inbound_id) == col(InboundRow.id), col(ReportRow.subscriber_id).is_not(None)
    )
    return sa.and_(sa.not_(belongs), at > 0)


def forget_mails(session: Session, inbound_ids: Collection[int]) -> None:
    """Of some mails that came in, what they were stays: kinds, reasons and numbers; addresses,
    words and bytes go."""
    ids = list(inbound_ids)
    _clear(session, InboundRow, col(InboundRow.id).in_(ids), **_WHOLE, problems=[])
    _clear(session, ReportRow, col(ReportRow.inbound_id).in_(ids), **_WORDS)


_WHOLE: Mapping[str, Any] = {"raw": None, "rcpts": [], "sender": "", "subject": ""}
_WORDS: Mapping[str, Any] = {"recipient": "", "words": "", "mta": ""}


def _clear(session: Session, table: Any, which: sa.ColumnElement[bool], **values: Any) -> int:
    change = sa.update(table).where(which).values(**values)
    done = session.execute(change.execution_options(synchronize_session=False))
    return int(done.rowcount)  # type: ignore[attr-defined]


def clear_whole(session: Session, before: datetime, limit: int) -> int:
    """Mails that came in before an instant lose their bytes, but for those that wait for a
    person."""
    ids = (
        sa.select(col(InboundRow.id))
        .where(
            col(InboundRow.at) < before,
            col(InboundRow.raw).is_not(None),
            col(InboundRow.state) != "review",
        )
        .limit(limit)
    )
    found = list(session.scalars(ids))
    return _clear(session, InboundRow, col(InboundRow.id).in_(found), **_WHOLE) if found else 0


def clear_words(session: Session, before: datetime, limit: int) -> int:
    """Reports that came in before an instant lose address and words; what is not ours goes. The
    rest stays: by it a mail that comes once more is known."""
    foreign = (
        sa.select(col(InboundRow.id))
        .where(col(InboundRow.at) < before, col(InboundRow.state) == "foreign")
        .limit(limit)
    )
    gone = list(session.scalars(foreign))
    if gone:
        session.execute(sa.delete(ReportRow).where(col(ReportRow.inbound_id).in_(gone)))
        session.execute(sa.delete(InboundRow).where(col(InboundRow.id).in_(gone)))
    worded = (
        sa.select(col(ReportRow.id))
        .where(
            col(ReportRow.at) < before,
            col(ReportRow.said) != WAITS,
            sa.or_(*[col(getattr(ReportRow, name)) != "" for name in _WORDS]),
        )
        .limit(limit - len(gone))
    )
    found = list(session.scalars(worded))
    if found:
        _clear(session, ReportRow, col(ReportRow.id).in_(found), **_WORDS)
    return len(gone) + len(found)
