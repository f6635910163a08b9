"""Which language the person behind a link chose: their pages speak it, not the browser's."""

from service.flows.runtime import Runtime
from service.store import deliveries as deliveries_store
from service.store import subscribers as subscribers_store
from service.store.db import Session
from service.store.tables import SubscriberRow
from service.subscribers.tokens import TokenError


def language_behind(rt: Runtime, purpose: str, token: str) -> str:
    """Return the locale of the reader whom a link belongs to, "" when it belongs to nobody.

    purpose: "manage", "confirm", "address", "unsubscribe" or "mail". Nothing is checked but whose
    it is: an ended link is refused in its reader's language too.
    """

    def load(session: Session) -> str:
        found = _reader(rt, session, purpose, token)
        return found.locale if found is not None else ""

    return rt.db.read(load)


def _reader(rt: Runtime, session: Session, purpose: str, token: str) -> SubscriberRow | None:
    if purpose == "unsubscribe":
        return subscribers_store.get_subscriber_row(session, token=token)
    if purpose == "mail":
        mail = deliveries_store.get_delivery(session, token=token)
        reader_id = mail.subscriber_id if mail is not None else None
    else:
        reader_id = _subject(rt, purpose, token)
    if reader_id is None:
        return None
    return subscribers_store.get_subscriber_row(session, id=reader_id)


def _subject(rt: Runtime, purpose: str, token: str) -> int | None:
    try:
        return rt.signer.read(purpose, token, rt.clock())[0]
    except TokenError as error:
        return error.subject
