"""The link to a reader's own page, mailed on request or in the place of one that ended."""

from datetime import date, datetime, timedelta

from service.defaults import FIXED
from service.flows.alike import kept, nobody
from service.flows.caps import LINK, Answer, Most, answer_of, take_place
from service.flows.manage_link import manage_token
from service.flows.notice import add_notice
from service.flows.runtime import SEND_SOON, Runtime
from service.store import consent as consent_store
from service.store import subscribers as subscribers_store
from service.store.db import Priority, Session
from service.store.numbers import next_number, used_up
from service.store.tables import ConsentRow, SubscriberRow
from service.subscribers.address import cap_key, read_address
from service.subscribers.cadence import local_date
from service.subscribers.tokens import TokenError

LINKS_A_DAY = FIXED.manage_links_a_day
"""Links mailed to one address in 24 hours; further requests change nothing."""


def ask_link(rt: Runtime, email: str, *, network: str = "") -> Answer:
    """Mail the link to a reader. The answer is the same for every address.

    Raises AddressError when the text is no address.
    """
    address = read_address(email)
    answer = rt.db.write(lambda s: _ask_link(rt, s, address.key, network), Priority.WEB)
    rt.engine.enqueue(SEND_SOON)
    return answer


def renew_link(rt: Runtime, token: str, *, network: str = "") -> Answer:
    """Mail a new link to the reader of an ended (or valid) one. Raises TokenError: never ours."""
    try:
        subject: int | None = rt.signer.read("manage", token, rt.clock())[0]
    except TokenError as error:
        if error.subject is None:
            raise
        subject = error.subject
    row = rt.db.read(lambda s: subscribers_store.get_subscriber_row(s, id=subject))
    key = row.email_key if row is not None else ""
    answer = rt.db.write(lambda s: _ask_link(rt, s, key, network), Priority.WEB)
    rt.engine.enqueue(SEND_SOON)
    return answer


def ask_by_leaving(rt: Runtime, unsubscribe_token: str, *, network: str = "") -> Answer:
    """Mail the link to whoever holds the link to leave, also after leaving: to take their data
    along, or to erase it at once. Unknown tokens mail nothing."""

    def act(session: Session) -> Answer:
        row = subscribers_store.get_subscriber_row(session, token=unsubscribe_token)
        key = row.email_key if row is not None else ""
        return _ask_link(rt, session, key, network, (*_MAILED, "left"))

    answer = rt.db.write(act, Priority.WEB)
    rt.engine.enqueue(SEND_SOON)
    return answer


_MAILED = ("active", "bounced")


def _ask_link(
    rt: Runtime, session: Session, key: str, network: str, states: tuple[str, ...] = _MAILED
) -> Answer:
    with used_up(session, (ConsentRow, 2)):
        return _take_request(rt, session, key, network, states)


def _take_request(
    rt: Runtime, session: Session, key: str, network: str, states: tuple[str, ...]
) -> Answer:
    """One row of the request and the same work for every address, whatever becomes of it."""
    now, limits = rt.clock(), rt.defaults()
    most = Most(a_day=LINKS_A_DAY, a_network=limits.network_an_hour, in_all=limits.signups_an_hour)
    counted = consent_store.email_hash(rt.instance.key, cap_key(key))
    place = take_place(session, LINK, most, hashed=counted, network=network, now=now)
    hashed = consent_store.email_hash(rt.instance.key, key)
    row = subscribers_store.get_subscriber_row(session, email_key=key or nobody().key)
    theirs = row is not None and row.state in states and not place.dropped
    consent_store.add_consent(
        session, subscriber_id=row.id if row is not None and theirs else None, hashed=hashed,
        act="link-asked", now=now, address=network, number=next_number(session, ConsentRow),
    )  # fmt: skip
    if row is None or not theirs:
        other = nobody()
        row = SubscriberRow(
            id=0, email=other.email, email_key=other.key, zone=rt.zone,
            feed_token="0" * 8, unsubscribe_token="",  # nosec B106: nobody
        )  # fmt: skip
    leaves = now + place.wait
    link = rt.links.manage(manage_token(rt, row, leaves, fresh=True))
    with kept(session, theirs):
        add_notice(
            rt,
            session,
            "manage-link",
            email=row.email,
            email_key=row.email_key,
            data={"link": link, "until": _last_day(rt, row.zone, leaves).isoformat()},
            now=now,
            subscriber_id=row.id or None,
            locale=row.locale,
            not_before=leaves if place.wait else None,
        )
        consent_store.add_consent(
            session, subscriber_id=row.id or None, hashed=hashed, act="link", now=now,
            address=network,
        )  # fmt: skip
    return answer_of(place)


def _last_day(rt: Runtime, zone: str, at: datetime) -> date:
    """The last local date on which a link of then works."""
    day = at.replace(hour=0, minute=0, second=0, microsecond=0)
    return local_date(day + timedelta(days=rt.defaults().manage_days), zone)
