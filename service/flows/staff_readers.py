"""A reader by the hand of the staff: their address, their name, leaving and being forgotten; each
with a reason, in the transaction that does it."""

from service.flows.agreed import WORDING
from service.flows.leave import erase_row, leave_row
from service.flows.notice import add_notice
from service.flows.runtime import Runtime
from service.flows.score import reset
from service.flows.spreadsheet import ReaderError
from service.flows.staff import write_audit
from service.store import consent as consent_store
from service.store import leases as leases_store
from service.store import subscribers as subscribers_store
from service.store.db import Priority, Session
from service.store.tables import SubscriberRow
from service.subscribers.address import Address
from service.subscribers.cadence import local_date, next_slot
from service.text.clean import collapse

_TO_OLD = ("manage-link", "already-subscribed", "address-change")
_MAY_MOVE = ("active", "bounced")


def _reader(session: Session, reader_id: int) -> SubscriberRow:
    row = subscribers_store.get_subscriber_row(session, id=reader_id)
    if row is None:
        raise ReaderError("This reader is not here any more.", "", "Look at the list of readers.")
    return row


def rename(
    rt: Runtime, reader_id: int, name: str, *, by: str, reason: str, address: str = ""
) -> None:
    """Call a reader otherwise. The record says that the name changed, and neither name: they go
    when the reader is erased, it does not. Raises ReaderError."""
    name = collapse(name)[:200]

    def act(session: Session) -> None:
        row = _reader(session, reader_id)
        if row.name == name:
            return
        row.name = name
        session.add(row)
        write_audit(
            session, rt.clock(), who=by, what="change name", target=f"reader {reader_id}",
            after={"changed": ["name"]}, address=address, reason=reason,
        )  # fmt: skip

    rt.db.write(act, Priority.WEB)


def move(
    rt: Runtime, reader_id: int, to: Address, *, by: str, reason: str, address: str = ""
) -> bool:
    """Give a reader another address at once; the old one is told. A reader whose mail came back
    gets mail again. False: it is their address already. Raises ReaderError: the address has a
    reader of its own, or is barred; or the reader has not confirmed."""

    def act(session: Session) -> bool:
        row, now = _reader(session, reader_id), rt.clock()
        if row.email_key == to.key and row.email == to.email:
            return False
        if row.state not in _MAY_MOVE:
            raise ReaderError(
                f"This reader is {row.state}.",
                "email",
                "Only readers who began have an address to change; else erase, and add anew.",
            )
        other = subscribers_store.get_subscriber_row(session, email_key=to.key)
        if other is not None and other.id != row.id:
            raise ReaderError(
                "This address has a subscription of its own.", "email", "Erase one of the two."
            )
        hashed = consent_store.email_hash(rt.instance.key, to.key)
        bar = consent_store.get_suppression(session, hashed)
        if bar is not None and to.key != row.email_key:
            raise ReaderError(
                f"This address is suppressed ({bar.reason}).",
                "email",
                "Who holds it can ask for mail themselves; nobody else brings them back.",
            )
        leases_store.stop_notices(session, reader_id, _TO_OLD, "address changed")
        if to.key != row.email_key:
            add_notice(
                rt, session, "address-changed", email=row.email, email_key=row.email_key,
                data={"on": local_date(now, row.zone).isoformat()}, now=now,
                subscriber_id=row.id, locale=row.locale,
            )  # fmt: skip
        was = row.state
        if to.key != row.email_key:
            reset(row, now)
            if row.state == "bounced":
                row.state = "active"
                row.next_digest_at = next_slot(subscribers_store.to_subscriber(row), now)[1]
        row.email, row.email_key = to.email, to.key
        session.add(row)
        consent_store.add_consent(
            session, subscriber_id=row.id, hashed=hashed, act="address-changed", now=now,
            wording=WORDING, detail=by,
        )  # fmt: skip
        write_audit(
            session, now, who=by, what="change address", target=f"reader {reader_id}",
            before={"state": was} if was != row.state else None,
            after={"changed": ["email"]} | ({"state": row.state} if was != row.state else {}),
            address=address, reason=reason,
        )  # fmt: skip
        return True

    moved = rt.db.write(act, Priority.WEB)
    rt.engine.enqueue("send")
    return moved


def end(
    rt: Runtime, reader_id: int, *, erased: bool, by: str, reason: str, address: str = ""
) -> bool:
    """Unsubscribe a reader for good, or forget them. False: they had left already, or are gone.
    Raises ReaderError: no such reader."""

    def act(session: Session) -> bool:
        row = _reader(session, reader_id)
        if erased:
            erase_row(rt, session, row, by=by)
        elif row.state == "left":
            return False
        else:
            leave_row(rt, session, row, reason=f"by {by}")
        write_audit(
            session, rt.clock(), who=by, what="erase" if erased else "unsubscribe",
            target=f"reader {reader_id}", address=address, reason=reason,
        )  # fmt: skip
        return True

    return rt.db.write(act, Priority.WEB)
