"""The signed link to a reader's own page: from any mail, or mailed on request.

A link of a mail may be forwarded with it: it opens the page, with the address masked. A link that
was mailed on request may for a short time also change the address, export and erase; afterwards it
is as good as the link of a mail.
"""

from datetime import UTC, datetime, timedelta

from service.defaults import FIXED
from service.flows.runtime import Runtime
from service.store import consent as consent_store
from service.store.db import Session
from service.store.tables import SubscriberRow


def manage_token(rt: Runtime, reader: SubscriberRow, at: datetime, *, fresh: bool = False) -> str:
    """Return a token that ends ``manage_days`` after the day of ``at``, when its mail leaves.

    fresh: from a mail that was asked for: for ``fresh_hours`` it may do more.
    """
    day = at.replace(hour=0, minute=0, second=0, microsecond=0)
    until = day + timedelta(days=rt.defaults().manage_days + 1)
    assert reader.id is not None
    stamp = made_at(reader, at) if fresh else stamp_of(reader, fresh=False)
    return rt.signer.sign("manage", reader.id, until, stamp)


def stamp_of(reader: SubscriberRow, *, fresh: bool) -> str:
    """What the token is tied to: this row and no later one of the same id, and its freshness."""
    return ("f" if fresh else "v") + reader.feed_token[:6]


def made_at(reader: SubscriberRow, at: datetime) -> str:
    """The stamp of a fresh token, which tells when it was made."""
    return f"{stamp_of(reader, fresh=True)}.{int(at.timestamp())}"


def is_fresh(rt: Runtime, session: Session, reader: SubscriberRow, stamp: str) -> bool | None:
    """Whether a token with this stamp may do what only a fresh one may; None: it is of another row.

    Over when its hours are, and with the first change of the address after it was made.
    """
    tied, _, made = stamp.partition(".")
    if stamp == stamp_of(reader, fresh=False):
        return False
    if tied != stamp_of(reader, fresh=True):
        return None
    if not made.isdecimal():
        return False
    at = datetime.fromtimestamp(int(made), UTC)
    if rt.clock() >= at + timedelta(hours=FIXED.fresh_hours):
        return False
    return _is_of_address(session, reader, at)


def is_mailed(session: Session, reader: SubscriberRow, stamp: str) -> bool:
    """Whether a token was mailed on request, however long ago, to the address of now: who votes and
    proposes has such a one, since the link of a mail may be forwarded with it."""
    tied, _, made = stamp.partition(".")
    if tied != stamp_of(reader, fresh=True) or not made.isdecimal():
        return False
    return _is_of_address(session, reader, datetime.fromtimestamp(int(made), UTC))


def _is_of_address(session: Session, reader: SubscriberRow, at: datetime) -> bool:
    assert reader.id is not None
    changed = consent_store.last_act_at(session, reader.id, "address-changed")
    return changed is None or changed < at
