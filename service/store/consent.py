"""What readers agreed to, and addresses never to be mailed."""

import hmac
from collections.abc import Sequence
from datetime import datetime

import sqlalchemy as sa
from sqlmodel import Session, col, select

from service.store.tables import ConsentRow, SuppressionRow

REASONS = ("many", "unfit", "elsewhere", "asked", "other")
"""Why people leave, as the page offers it: too many mails, papers that do not fit, they read them
elsewhere, they had never asked, something else."""

LIFTED_BY_BEGIN = ("left", "erased", "soft")
"""Bars that are about subscriptions: a notice that was asked for passes them, and Begin lifts
them."""

BARRED_BY_LIST = "import"
"""The bar of an imported list: Begin lifts it too, and of all mails only the confirmation passes
it, which its owner asks for by the sign-up form."""

CONFIRMATION = "confirm"
"""The kind of the mail with the button Begin."""


def lets_begin(reason: str) -> bool:
    """Whether who asks by the form is sent a confirmation in spite of this bar, and Begin lifts it.
    The others (never, complaint, hard, what the staff barred) stop everything."""
    return reason in LIFTED_BY_BEGIN or reason == BARRED_BY_LIST


def lets_pass(reason: str, kind: str) -> bool:
    """Whether a notice of a kind goes out in spite of this bar."""
    return reason in LIFTED_BY_BEGIN or (reason == BARRED_BY_LIST and kind == CONFIRMATION)


def _gravity(reason: str) -> int:
    if reason == "left":
        return 0
    return 1 if reason in LIFTED_BY_BEGIN else 2 if reason == BARRED_BY_LIST else 3


def email_hash(key: bytes, email_key: str) -> str:
    """The keyed hash under which an address is suppressed (HMAC-SHA256, hex)."""
    return hmac.digest(key, email_key.encode(), "sha256").hex()


def get_suppression(session: Session, hashed: str) -> SuppressionRow | None:
    """Why an address must never be mailed, None if it may."""
    return session.exec(
        select(SuppressionRow).where(col(SuppressionRow.email_hash) == hashed)
    ).first()


def find_suppressions(session: Session, hashes: Sequence[str]) -> dict[str, str]:
    """Why these addresses must never be mailed: hash -> reason, only those that are barred."""
    query = select(SuppressionRow).where(col(SuppressionRow.email_hash).in_(hashes))
    return {row.email_hash: row.reason for row in session.exec(query)}


def told_of(by: str, why: str) -> str:
    """Who barred an address and their words why, as a row keeps them: one line each. Without
    ``by`` the words are a server's, on one line."""
    said = " ".join(why.split())
    return f"{by}\n{said}" if by else said


def add_suppression(
    session: Session, hashed: str, reason: str, now: datetime, why: str = "", *, by: str = ""
) -> bool:
    """Bar an address. by: somebody of the staff, or a program · why: as they typed it; without
    ``by`` what a server said. An existing row keeps the graver reason; returns True if it is
    new."""
    detail = told_of(by, why)
    row = get_suppression(session, hashed)
    if row is None:
        session.add(SuppressionRow(email_hash=hashed, reason=reason, since=now, detail=detail))
        session.flush()
        return True
    if _gravity(reason) > _gravity(row.reason):
        row.reason, row.since, row.detail = reason, now, detail
        session.add(row)
    return False


def forget_words(session: Session, hashed: str) -> None:
    """The server's words on a bar may name the address, and a person typed why they left or what
    they asked for and agreed to: that goes when the reader is erased."""
    session.execute(
        sa.update(SuppressionRow).where(col(SuppressionRow.email_hash) == hashed).values(detail="")
    )
    session.execute(
        sa.update(ConsentRow)
        .where(
            col(ConsentRow.email_hash) == hashed,
            col(ConsentRow.act).in_(["request", "confirm", "added", "leave", "mailed"]),
        )
        .values(detail="")
    )
    said = col(ConsentRow.detail)
    session.execute(  # which reason it was is counted on; in whose words goes
        sa.update(ConsentRow)
        .where(
            col(ConsentRow.email_hash) == hashed,
            col(ConsentRow.act) == "reason",
            said.like("%: %"),
        )
        .values(detail=sa.case(*[(said.like(f"{r}: %"), r) for r in REASONS], else_="other"))
        .execution_options(synchronize_session=False)
    )


def forget_requests(session: Session, subscriber_id: int) -> None:
    """What a reader had asked for before it was begun is over."""
    session.execute(
        sa.update(ConsentRow)
        .where(col(ConsentRow.subscriber_id) == subscriber_id, col(ConsentRow.act) == "request")
        .values(detail="")
    )


def list_erased(session: Session, since: datetime) -> dict[str, datetime]:
    """Who was erased after an instant: code of the address -> when."""
    query = sa.select(col(ConsentRow.email_hash), col(ConsentRow.at)).where(
        col(ConsentRow.act) == "erase", col(ConsentRow.at) > since
    )
    return {row.email_hash: row.at for row in session.execute(query)}


def delete_suppression(session: Session, hashed: str) -> bool:
    """Lift a bar; False when there was none."""
    result = session.execute(
        sa.delete(SuppressionRow).where(col(SuppressionRow.email_hash) == hashed)
    )
    return bool(result.rowcount)  # type: ignore[attr-defined]


def list_suppressions(session: Session) -> list[SuppressionRow]:
    """Every bar, newest first."""
    return list(
        session.exec(select(SuppressionRow).order_by(col(SuppressionRow.since).desc())).all()
    )


def add_consent(
    session: Session,
    *,
    subscriber_id: int | None,
    hashed: str,
    act: str,
    now: datetime,
    wording: str = "",
    address: str = "",
    agent: str = "",
    detail: str = "",
    number: int | None = None,
) -> ConsentRow:
    """Record an act of consent; it cannot be made up later. subscriber_id: None for a request of
    which nothing else is kept · number: of ``next_number``."""
    row = ConsentRow(
        id=number,
        subscriber_id=subscriber_id,
        email_hash=hashed,
        act=act,
        at=now,
        wording_version=wording,
        address=address[:64],
        agent=agent[:300],
        detail=detail,
    )
    session.add(row)
    return row


def get_consent(session: Session, consent_id: int) -> ConsentRow | None:
    """One act by its number."""
    return session.get(ConsentRow, consent_id)


def last_act_at(session: Session, subscriber_id: int, act: str) -> datetime | None:
    """When a reader's newest act of a kind was."""
    return session.exec(
        select(col(ConsentRow.at))
        .where(col(ConsentRow.subscriber_id) == subscriber_id, col(ConsentRow.act) == act)
        .order_by(col(ConsentRow.at).desc())
        .limit(1)
    ).first()


def list_consents(session: Session, subscriber_id: int) -> list[ConsentRow]:
    """What a reader agreed to, oldest first."""
    return list(
        session.exec(
            select(ConsentRow)
            .where(col(ConsentRow.subscriber_id) == subscriber_id)
            .order_by(col(ConsentRow.at), col(ConsentRow.id))
        ).all()
    )


def list_of_address(session: Session, hashed: str) -> list[ConsentRow]:
    """Everything that was done about an address, oldest first; also what belongs to no reader."""
    return list(
        session.exec(
            select(ConsentRow)
            .where(col(ConsentRow.email_hash) == hashed)
            .order_by(col(ConsentRow.id))
        ).all()
    )


def list_acts(session: Session, acts: Sequence[str], since: datetime) -> list[ConsentRow]:
    """Everybody's acts of some kinds since an instant, newest first."""
    return list(
        session.exec(
            select(ConsentRow)
            .where(col(ConsentRow.act).in_(acts), col(ConsentRow.at) >= since)
            .order_by(col(ConsentRow.at).desc(), col(ConsentRow.id).desc())
        ).all()
    )
