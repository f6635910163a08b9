"""A reader by the hand of the staff: their address, their name, what they chose, leaving and being
forgotten; each with a reason, in the transaction that does it."""

from dataclasses import dataclass

from service.flows.agreed import WORDING
from service.flows.leave import erase_row, leave_row
from service.flows.manage import Choices
from service.flows.readdress import TAKEN, is_taken, readdress_row
from service.flows.runtime import Runtime
from service.flows.spreadsheet import ReaderError
from service.flows.staff import write_audit
from service.flows.staff_choices import Pause, choose_row_by_hand
from service.store import consent as consent_store
from service.store import subscribers as subscribers_store
from service.store.db import Priority, Session
from service.store.tables import SubscriberRow
from service.subscribers.address import Address
from service.text.clean import collapse

_MAY_MOVE = ("active", "bounced")


def _reader(session: Session, reader_id: int) -> SubscriberRow:
    row = subscribers_store.get_subscriber_row(session, id=reader_id)
    if row is None:
        raise ReaderError("This reader is not here any more.", "", "Look at the list of readers.")
    return row


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """What becomes of a reader, all of it or nothing; None = as it is. name: "" for none · to:
    their new address · pause: ``Pause(None)`` ends one."""

    name: str | None = None
    to: Address | None = None
    choices: Choices | None = None
    pause: Pause | None = None


def change(
    rt: Runtime, reader_id: int, wanted: Change, *, by: str, reason: str, address: str = ""
) -> bool:
    """Change a reader in one transaction, with a row on record for each kind of change.

    A new address holds at once, and the old one is told; a reader whose mail came back gets mail
    again. The record says that a name or an address changed, and tells neither: they go when the
    reader is erased, it does not. False: it is their address already, or none was named. Raises
    ReaderError: no such reader; the address has a reader of its own, or is barred; the reader has
    not confirmed. ManageError: a pause that is too long.
    """

    def act(session: Session) -> bool:
        row = _reader(session, reader_id)
        was = row.state

        def note(what: str, field: str, **state: str) -> None:
            write_audit(
                session, rt.clock(), who=by, what=what, target=f"reader {reader_id}",
                before={"state": was} if state else None, after={"changed": [field], **state},
                address=address, reason=reason,
            )  # fmt: skip

        if wanted.choices is not None or wanted.pause is not None:
            choose_row_by_hand(
                rt, session, row, wanted.choices or Choices(), pause=wanted.pause, by=by,
                reason=reason, address=address,
            )  # fmt: skip
        name = collapse(wanted.name)[:200] if wanted.name is not None else row.name
        if name != row.name:
            row.name = name
            session.add(row)
            note("change name", "name")
        if wanted.to is None or not _move(rt, session, row, wanted.to, by):
            return False
        note("change address", "email", **({"state": row.state} if row.state != was else {}))
        return True

    moved = rt.db.write(act, Priority.WEB)
    if moved:
        rt.engine.enqueue("send")
    return moved


def _move(rt: Runtime, session: Session, row: SubscriberRow, to: Address, by: str) -> bool:
    """Give a reader another address. False: it is theirs already."""
    if row.email_key == to.key and row.email == to.email:
        return False
    _check_free(rt, session, row, to)
    readdress_row(rt, session, row, to, wording=WORDING, detail=by)
    return True


def _check_free(rt: Runtime, session: Session, row: SubscriberRow, to: Address) -> None:
    """Raises ReaderError: this reader has no address to change, or may not have that one."""
    if row.state not in _MAY_MOVE:
        raise ReaderError(
            f"This reader is {row.state}.",
            "email",
            "Only readers who began have an address to change; else erase, and add anew.",
        )
    if is_taken(session, row, to):
        raise ReaderError(TAKEN, "email", "Erase one of the two.")
    hashed = consent_store.email_hash(rt.instance.key, to.key)
    bar = consent_store.get_suppression(session, hashed)
    if bar is not None and row.email_key != to.key:
        raise ReaderError(
            f"This address is suppressed ({bar.reason}).",
            "email",
            "Who holds it can ask for mail themselves; nobody else brings them back.",
        )


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
            leave_row(rt, session, row, reason=f"by {by}", by=by, why=reason)
        write_audit(
            session, rt.clock(), who=by, what="erase" if erased else "unsubscribe",
            target=f"reader {reader_id}", address=address, reason=reason,
        )  # fmt: skip
        return True

    return rt.db.write(act, Priority.WEB)
