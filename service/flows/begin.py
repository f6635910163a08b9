"""Behind the link of a confirmation: what begins, beginning it, and "never again"."""

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Literal

from service.errors import Sentence
from service.flows import rejoin
from service.flows.agreed import WORDING
from service.flows.runtime import Runtime
from service.flows.welcome import send_first
from service.store import consent as consent_store
from service.store import subscribers as subscribers_store
from service.store.db import Priority, Session
from service.store.leases import LIFTED_BY_BEGIN
from service.store.tables import SubscriberRow
from service.subscribers.cadence import local_date, next_slot
from service.subscribers.tokens import TokenError


@dataclass(frozen=True, slots=True)
class Asked:
    """What the confirm page shows, and whether it was begun already. request: the one that the link
    belongs to; ``reader`` is then the row as it would be."""

    reader: SubscriberRow
    interests: tuple[tuple[str, str], ...]
    begun: bool
    request: rejoin.Request | None = None


def read_confirm(rt: Runtime, token: str) -> Asked:
    """Look a confirmation link up; nothing changes. Raises TokenError."""
    return rt.db.read(lambda s: _asked(rt, s, token))


def _asked(rt: Runtime, session: Session, token: str) -> Asked:
    subject, stamp = rt.signer.read("confirm", token, rt.clock())
    row = subscribers_store.get_subscriber_row(session, id=subject)
    if row is None or not rejoin.is_stamp_of(row, stamp):
        raise TokenError(Sentence("This link has ended."), rt.clock())
    again = rejoin.find_request(session, row, stamp)
    hashed = consent_store.email_hash(rt.instance.key, row.email_key)
    bar = consent_store.get_suppression(session, hashed)
    barred = bar is not None and bar.reason not in LIFTED_BY_BEGIN
    if row.state != "active" and (barred or (row.state != "pending" and again is None)):
        raise TokenError(Sentence("This link has ended."), rt.clock(), row.id)
    if again is not None:
        return Asked(rejoin.shown(row, again), again.interests, False, again)
    profiles = subscribers_store.list_profiles(session, [subject])[subject]
    return Asked(row, tuple((p.kind.value, p.text) for p in profiles), row.state == "active")


def confirm(
    rt: Runtime, token: str, *, first_now: bool, network: str = "", agent: str = ""
) -> Literal["begun", "already"]:
    """Begin: the reader is active from now on; pressed twice it changes nothing.

    first_now: the best of the last days at once, in the date's slot. Raises TokenError.
    """
    reader_id = rt.db.write(lambda s: _begin(rt, s, token, network, agent), Priority.WEB)
    if reader_id is None:
        return "already"
    if first_now:
        send_first(rt, reader_id)
    rt.engine.enqueue("send")
    return "begun"


def _begin(rt: Runtime, session: Session, token: str, network: str, agent: str) -> int | None:
    asked = _asked(rt, session, token)
    if asked.begun:
        return None
    row, now = subscribers_store.get_subscriber_row(session, id=asked.reader.id), rt.clock()
    assert row is not None
    assert row.id is not None
    hashed = consent_store.email_hash(rt.instance.key, row.email_key)
    if asked.request is not None:
        rejoin.take_up(session, row, asked.request, now)
    activate(session, row, now, since=local_date(now, row.zone) - timedelta(days=1))
    bar = consent_store.get_suppression(session, hashed)
    if bar is not None and bar.reason in LIFTED_BY_BEGIN:
        consent_store.delete_suppression(session, hashed)
    consent_store.add_consent(
        session,
        subscriber_id=row.id,
        hashed=hashed,
        act="confirm",
        now=now,
        wording=WORDING,
        address=network,
        agent=agent,
    )
    return row.id


def activate(session: Session, row: SubscriberRow, now: datetime, *, since: date | None) -> None:
    """pending -> active: the clock is set, and interests begin at ``since``."""
    set_active(row, now)
    session.add(row)
    assert row.id is not None
    for profile in subscribers_store.list_profile_rows(session, row.id):
        profile.since, profile.changed_at = since, now
        session.add(profile)


def set_active(row: SubscriberRow, now: datetime) -> None:
    """The row of a reader that is mailed from now on."""
    row.state, row.confirmed_at, row.confirm_until, row.left_at = "active", now, None, None
    row.next_digest_at = next_slot(subscribers_store.to_subscriber(row), now)[1]


def never(rt: Runtime, token: str) -> None:
    """ "Never send me such a request again": needs no subscription. Raises TokenError."""
    _, hashed = rt.signer.read("never", token, rt.clock())
    rt.db.write(lambda s: _never(rt, s, hashed), Priority.WEB)


def _never(rt: Runtime, session: Session, hashed: str) -> None:
    now = rt.clock()
    consent_store.add_suppression(session, hashed, "never", now)
    for row in subscribers_store.list_subscriber_rows(session, state="pending"):
        if consent_store.email_hash(rt.instance.key, row.email_key) == hashed:
            session.delete(row)
