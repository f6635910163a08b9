"""What a reader does with a link mailed on request: another address, an export, being forgotten."""

from datetime import timedelta

from service.defaults import FIXED
from service.errors import Sentence
from service.flows import leave
from service.flows.alike import kept, nobody
from service.flows.caps import Answer, answer_of
from service.flows.manage import NOBODYS, ManageError, fresh_reader
from service.flows.manage_link import is_fresh, made_at
from service.flows.notice import add_notice
from service.flows.readdress import TAKEN, is_taken, readdress_row
from service.flows.runtime import SEND_SOON, Runtime
from service.flows.subscribe import check_signup, place_of
from service.store import consent as consent_store
from service.store import subscribers as subscribers_store
from service.store.db import Priority, Session
from service.store.tables import SubscriberRow
from service.subscribers.address import Address, read_address
from service.subscribers.cadence import local_date
from service.subscribers.tokens import TokenError


def ask_address(rt: Runtime, token: str, email: str, *, network: str = "") -> Answer:
    """Mail a link to the new address; nothing changes before its button is pressed.

    The answer and the work are the same when the address is taken, barred, or was asked for often.
    Raises TokenError, AddressError, SignupError, ManageError.
    """
    address = read_address(email)
    check_signup(rt.signup, address)
    answer = rt.db.write(lambda s: _ask_address(rt, s, token, address, network), Priority.WEB)
    rt.engine.enqueue(SEND_SOON)
    return answer


def _ask_address(
    rt: Runtime, session: Session, token: str, address: Address, network: str
) -> Answer:
    row, now = fresh_reader(rt, session, token), rt.clock()
    assert row.id is not None
    if address.key == row.email_key:
        raise ManageError(Sentence("This is your address already."), "email")
    hashed = consent_store.email_hash(rt.instance.key, address.key)
    place = place_of(rt, session, address.key, network, now)
    taken = subscribers_store.get_subscriber_row(session, email_key=address.key) is not None
    barred = consent_store.get_suppression(session, hashed)
    dropped = taken or place.dropped or (barred is not None and barred.reason != "left")
    leaves = now + place.wait
    until = leaves + timedelta(hours=FIXED.fresh_hours)
    token = rt.signer.sign("address", row.id, until, f"{made_at(row, leaves)} {address.email}")
    with kept(session, not dropped):
        other = nobody()
        add_notice(
            rt,
            session,
            "address-change",
            email=other.email if dropped else address.email,
            email_key=other.key if dropped else address.key,
            data={
                "link": f"{rt.links.manage()}/address/{token}",
                "until": local_date(until, row.zone).isoformat(),
            },
            now=now,
            subscriber_id=row.id,
            locale=row.locale,
            not_before=leaves if place.wait else None,
        )
    consent_store.add_consent(
        session, subscriber_id=row.id, hashed=hashed, act="address", now=now, address=network
    )
    return answer_of(place)


def read_address_change(rt: Runtime, token: str) -> tuple[SubscriberRow, Address]:
    """Whose address becomes which; nothing changes. Raises TokenError."""
    return rt.db.read(lambda s: _address_change(rt, s, token))


def _address_change(rt: Runtime, session: Session, token: str) -> tuple[SubscriberRow, Address]:
    subject, said = rt.signer.read("address", token, rt.clock())
    row = subscribers_store.get_subscriber_row(session, id=subject)
    stamp, _, email = said.partition(" ")
    if row is None or is_fresh(rt, session, row, stamp) is None:
        raise TokenError(NOBODYS)
    address = read_address(email)
    if address.key != row.email_key and not is_fresh(rt, session, row, stamp):
        raise TokenError(Sentence("This link has ended."), rt.clock(), row.id)  # pressed once
    return row, address


def change_address(rt: Runtime, token: str, *, network: str = "", agent: str = "") -> bool:
    """Move the reader to the new address and tell the old one. False: it was done already.

    Raises TokenError; ManageError when the address was taken meanwhile.
    """
    done = rt.db.write(lambda s: _change_address(rt, s, token, network, agent), Priority.WEB)
    rt.engine.enqueue("send")
    return done


def _change_address(rt: Runtime, session: Session, token: str, network: str, agent: str) -> bool:
    row, address = _address_change(rt, session, token)
    if row.email_key == address.key:
        return False
    if is_taken(session, row, address):
        raise ManageError(TAKEN, "email")
    hashed = consent_store.email_hash(rt.instance.key, address.key)
    bar = consent_store.get_suppression(session, hashed)
    if bar is not None and bar.reason == "left":
        consent_store.delete_suppression(session, hashed)
    readdress_row(rt, session, row, address, address=network, agent=agent)
    return True


def erase(rt: Runtime, token: str) -> None:
    """Forget the reader at once. Raises TokenError, ManageError."""

    def act(session: Session) -> None:
        leave.erase_row(rt, session, fresh_reader(rt, session, token), by="reader")

    rt.db.write(act, Priority.WEB)
