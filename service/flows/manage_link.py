"""The signed link to a reader's own page: from any mail, or mailed on request."""

from datetime import datetime, timedelta

from service.flows.runtime import Runtime
from service.store.tables import SubscriberRow


def manage_token(rt: Runtime, reader: SubscriberRow, at: datetime, *, fresh: bool = False) -> str:
    """Return a token that ends ``manage_days`` after the day of ``at``.

    fresh: from a mail that was asked for: it may also change the address, export and erase.
    """
    day = at.replace(hour=0, minute=0, second=0, microsecond=0)
    until = day + timedelta(days=rt.defaults().manage_days + 1)
    assert reader.id is not None
    return rt.signer.sign("manage", reader.id, until, stamp_of(reader, fresh=fresh))


def stamp_of(reader: SubscriberRow, *, fresh: bool) -> str:
    """What the token is tied to: this row and no later one of the same id, and its freshness."""
    return ("f" if fresh else "v") + reader.feed_token[:6]
