"""Leaving, undoing it, and being forgotten."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from service.delivery.states import State
from service.errors import Sentence, SpokenError
from service.flows.hooks import tell, tell_reader
from service.flows.runtime import Runtime
from service.flows.score import reset
from service.flows.staff import write_audit
from service.store import answers as answers_store
from service.store import consent as consent_store
from service.store import deliveries as deliveries_store
from service.store import editions as editions_store
from service.store import half_planned
from service.store import hooks as hooks_store
from service.store import leases as leases_store
from service.store import reports as reports_store
from service.store import submissions as submissions_store
from service.store import subscribers as subscribers_store
from service.store.db import Priority, Session
from service.store.tables import SubscriberRow
from service.subscribers.cadence import back_at

_NOBODYS = Sentence("This link belongs to nobody here.")
_NO_MAIL = Sentence("Nothing will be mailed to it.")


class LinkError(SpokenError):
    """An unsubscribe token that belongs to nobody (any more)."""


@dataclass(frozen=True, slots=True)
class Left:
    """state: of the reader afterwards · undo_until: until when leaving can be undone."""

    email: str
    state: str
    undo_until: datetime | None


def look(rt: Runtime, token: str) -> Left:
    """Who an unsubscribe token belongs to; nothing changes. Raises LinkError."""
    row = rt.db.read(lambda s: subscribers_store.get_subscriber_row(s, token=token))
    if row is None:
        raise LinkError(_NOBODYS, "", _NO_MAIL)
    return Left(row.email, row.state, _undo_until(rt, row))


def _undo_until(rt: Runtime, row: SubscriberRow) -> datetime | None:
    return row.left_at + timedelta(days=rt.defaults().undo_days) if row.left_at else None


def unsubscribe(
    rt: Runtime, token: str, *, network: str = "", agent: str = "", reason: str = ""
) -> Left:
    """Leave everything, at once and as often as pressed (RFC 8058). Raises LinkError.

    No mail begins after this commits: the write-ahead mark asks for an active reader.
    """
    return rt.db.write(lambda s: _leave(rt, s, token, network, agent, reason), Priority.WEB)


def _leave(
    rt: Runtime, session: Session, token: str, network: str, agent: str, reason: str
) -> Left:
    row = subscribers_store.get_subscriber_row(session, token=token)
    if row is None:
        raise LinkError(_NOBODYS, "", _NO_MAIL)
    if row.state != "left":
        leave_row(rt, session, row, network=network, agent=agent, reason=reason)
    return Left(row.email, "left", _undo_until(rt, row))


def leave_row(
    rt: Runtime,
    session: Session,
    row: SubscriberRow,
    *,
    network: str = "",
    agent: str = "",
    reason: str = "",
    by: str = "",
    why: str = "",
) -> None:
    """Any state -> left; waiting mails are stopped, the address is barred from import. by, why: of
    the staff, who brought it, and their words."""
    now = rt.clock()
    assert row.id is not None
    hashed = consent_store.email_hash(rt.instance.key, row.email_key)
    was, row.state, row.left_at, row.next_digest_at = row.state, "left", now, None
    session.add(row)
    consent_store.add_suppression(session, hashed, "left", now, why, by=by)
    consent_store.add_consent(
        session,
        subscriber_id=row.id,
        hashed=hashed,
        act="leave",
        now=now,
        address=network,
        agent=agent,
        detail=reason[:500],
    )
    leases_store.stop_open(session, State.SUPPRESSED, "left", subscriber_id=row.id)
    if was in ("active", "bounced"):
        tell_reader(session, now, "reader.left", row, "left")


def undo(rt: Runtime, token: str, *, network: str = "", agent: str = "") -> bool:
    """Come back within the undo days, as it was. False when there is nothing to undo."""
    return rt.db.write(lambda s: _undo(rt, s, token, network, agent), Priority.WEB)


def _undo(rt: Runtime, session: Session, token: str, network: str, agent: str) -> bool:
    row = subscribers_store.get_subscriber_row(session, token=token)
    now = rt.clock()
    if row is None or row.state != "left" or row.confirmed_at is None:
        return False
    until = _undo_until(rt, row)
    if until is None or now >= until:
        return False
    assert row.id is not None
    hashed = consent_store.email_hash(rt.instance.key, row.email_key)
    bar = consent_store.get_suppression(session, hashed)
    if bar is not None and bar.reason != "left":
        return False
    consent_store.delete_suppression(session, hashed)
    row.state, row.left_at = "active", None
    reset(row, now)
    row.next_digest_at = back_at(subscribers_store.to_subscriber(row), row.confirmed_at, now)
    session.add(row)
    consent_store.add_consent(
        session,
        subscriber_id=row.id,
        hashed=hashed,
        act="undo",
        now=now,
        address=network,
        agent=agent,
    )
    tell_reader(session, now, "reader.joined", row, "returned")
    return True


def erase(rt: Runtime, email_key: str, *, by: str = "reader", reason: str = "") -> bool:
    """Forget a reader at once, on record by their number alone: what stays is the keyed hash, and
    deliveries without an address. False: there is no such reader."""

    def act(session: Session) -> bool:
        row = subscribers_store.get_subscriber_row(session, email_key=email_key)
        if row is None:
            return False
        target = f"reader {row.id}"
        erase_row(rt, session, row, by=by)
        write_audit(session, rt.clock(), who=by, what="erase", target=target, reason=reason)
        return True

    return rt.db.write(act, Priority.WEB)


def erase_row(
    rt: Runtime, session: Session, row: SubscriberRow, *, by: str, bar: bool = True
) -> None:
    """Erase one reader inside a transaction. What another process is writing down about them is
    waited for, and goes too. bar: no import brings them back."""
    now = rt.clock()
    assert row.id is not None
    session.flush()
    if session.get(SubscriberRow, row.id, with_for_update=True, populate_existing=True) is None:
        return  # another process did
    hashed = consent_store.email_hash(rt.instance.key, row.email_key)
    if bar and row.state != "pending":
        consent_store.add_suppression(session, hashed, "left", now)
    known = {row.email, row.email_key, *deliveries_store.list_addresses(session, row.id)}
    hooks_store.forget_reader(session, row.id, known)
    answers_store.forget_addresses(session, known)
    if row.state in ("active", "bounced"):
        tell(session, now, "reader.left", {"reader": row.id, "how": "erased"})
    consent_store.add_consent(
        session, subscriber_id=row.id, hashed=hashed, act="erase", now=now, detail=by
    )
    session.flush()
    submissions_store.forget_reader(session, row.id)
    leases_store.stop_erased(session, row.id, row.email_key)
    reports_store.forget_reader(session, row.id, known)
    deliveries_store.forget_recipient(session, row.id, row.email, row.email_key, hashed)
    editions_store.forget_in_drafts(session, known)
    half_planned.forget_reader(session, [row.id])
    # what was agreed to, and what servers said, lies under the codes of earlier addresses too
    acts = consent_store.list_consents(session, row.id)
    for one in {hashed, *(act.email_hash for act in acts)}:
        consent_store.forget_words(session, one)
    session.delete(row)
    session.flush()
