"""A reader's new address: the same whoever wants it, the reader by a link or the staff by hand."""

from service.errors import Sentence
from service.flows.notice import add_notice
from service.flows.runtime import Runtime
from service.flows.score import reset
from service.store import consent as consent_store
from service.store import leases as leases_store
from service.store import subscribers as subscribers_store
from service.store.db import Session
from service.store.tables import SubscriberRow
from service.subscribers.address import Address
from service.subscribers.cadence import local_date, next_slot

TAKEN = Sentence("This address has a subscription of its own.")

_TO_OLD = ("manage-link", "already-subscribed", "address-change")


def is_taken(session: Session, row: SubscriberRow, to: Address) -> bool:
    """Whether an address is another reader's."""
    other = subscribers_store.get_subscriber_row(session, email_key=to.key)
    return other is not None and other.id != row.id


def readdress_row(
    rt: Runtime,
    session: Session,
    row: SubscriberRow,
    to: Address,
    *,
    wording: str = "",
    address: str = "",
    agent: str = "",
    detail: str = "",
) -> None:
    """Give a reader an address that is free. Where it is another mailbox the old one is told, what
    was held against it ends, and a reader whose mail came back gets mail again. wording, address,
    agent, detail: of the act of consent."""
    assert row.id is not None
    now = rt.clock()
    # what waits for its place would bring a fresh link to a mailbox that is theirs no more
    leases_store.stop_notices(session, row.id, _TO_OLD, "address changed")
    if row.email_key != to.key:
        add_notice(
            rt, session, "address-changed", email=row.email, email_key=row.email_key,
            data={"on": local_date(now, row.zone).isoformat()}, now=now,
            subscriber_id=row.id,  # whoever is erased later is erased here too
            locale=row.locale,
        )  # fmt: skip
        reset(row, now)
        if row.state == "bounced":
            row.state = "active"
            row.next_digest_at = next_slot(subscribers_store.to_subscriber(row), now)[1]
    row.email, row.email_key = to.email, to.key
    session.add(row)
    consent_store.add_consent(
        session, subscriber_id=row.id, act="address-changed", now=now,
        hashed=consent_store.email_hash(rt.instance.key, to.key),
        wording=wording, address=address, agent=agent, detail=detail,
    )  # fmt: skip
