"""A reader's own acts behind the signed link: what, when and how; pausing, leaving, tuning.

Every act reads the token again inside its transaction, so a link that ended meanwhile changes
nothing. A new hour or zone never brings a second digest on one local date: the slot of a date is
unique, and the next one is looked for after the instant of the last.
"""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from service.defaults import FIXED
from service.delivery.states import State
from service.errors import Sentence
from service.flows import leave
from service.flows.alike import kept, nobody
from service.flows.interests import InterestError
from service.flows.manage_link import manage_token, stamp_of
from service.flows.notice import add_notice
from service.flows.runtime import Runtime
from service.flows.subscribe import Answer
from service.store import consent as consent_store
from service.store import leases as leases_store
from service.store import listing
from service.store import subscribers as subscribers_store
from service.store.db import Priority, Session
from service.store.tables import ProfileRow, SubscriberRow
from service.subscribers.address import read_address
from service.subscribers.cadence import is_mail_day, local_date, next_slot, slot_at
from service.subscribers.tokens import TokenError

LINKS_A_DAY = FIXED.manage_links_a_day
"""Manage links mailed to one address in 24 hours; further requests change nothing."""

NOBODYS = Sentence("This link belongs to nobody here.")


class ManageError(InterestError):
    """A change that cannot be made; ``where`` is the field."""


@dataclass(frozen=True, slots=True)
class Managed:
    """What the manage page shows. fresh: the link was mailed on request, so it may also change
    the address, export and erase."""

    reader: SubscriberRow
    interests: tuple[ProfileRow, ...]
    fresh: bool


def open_manage(rt: Runtime, token: str) -> Managed:
    """Who a manage link belongs to; nothing changes. Raises TokenError."""
    return rt.db.read(lambda s: _open(rt, s, token))


def _open(rt: Runtime, session: Session, token: str) -> Managed:
    reader, fresh = reader_of(rt, session, token)
    assert reader.id is not None
    rows = subscribers_store.list_profile_rows(session, reader.id)
    return Managed(reader, tuple(rows), fresh)


def reader_of(rt: Runtime, session: Session, token: str) -> tuple[SubscriberRow, bool]:
    """Who a manage link belongs to, and whether it was mailed on request. Raises TokenError."""
    subject, stamp = rt.signer.read("manage", token, rt.clock())
    row = subscribers_store.get_subscriber_row(session, id=subject)
    if row is None or row.state in ("pending", "erased"):
        raise TokenError(NOBODYS)
    for fresh in (True, False):
        if stamp == stamp_of(row, fresh=fresh):
            return row, fresh
    raise TokenError(NOBODYS)


def fresh_reader(rt: Runtime, session: Session, token: str) -> SubscriberRow:
    """The reader of a link that was mailed on request. Raises TokenError, ManageError."""
    row, fresh = reader_of(rt, session, token)
    if not fresh:
        raise ManageError(
            Sentence("This needs a link that was mailed to you on request."),
            "",
            Sentence("Have one mailed below."),
        )
    return row


# ---- the link itself ----


def ask_link(rt: Runtime, email: str, *, network: str = "") -> Answer:
    """Mail the manage link to a reader. The answer is the same for every address.

    Raises AddressError when the text is no address.
    """
    address = read_address(email)
    answer = rt.db.write(lambda s: _ask_link(rt, s, address.key, network), Priority.WEB)
    rt.engine.enqueue("send")
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
    rt.engine.enqueue("send")
    return answer


def _ask_link(rt: Runtime, session: Session, key: str, network: str) -> Answer:
    """One row of the request and the same work for every address, whatever becomes of it."""
    now, limits = rt.clock(), rt.defaults()
    hour = now - timedelta(hours=1)
    asked = consent_store.count_consents(session, "link-asked", hour, address=network)
    delayed = asked >= limits.network_an_hour
    hashed = consent_store.email_hash(rt.instance.key, key)
    row = subscribers_store.get_subscriber_row(session, email_key=key) if key else None
    today = consent_store.count_consents(session, "link", now - timedelta(days=1), hashed=hashed)
    theirs = row is not None and row.state in ("active", "bounced") and today < LINKS_A_DAY
    consent_store.add_consent(
        session, subscriber_id=row.id if row is not None and theirs else None, hashed=hashed,
        act="link-asked", now=now, address=network,
    )  # fmt: skip
    if row is None or not theirs:
        other = nobody()
        row = SubscriberRow(
            id=0, email=other.email, email_key=other.key, zone=rt.zone,
            feed_token="0" * 8, unsubscribe_token="",  # nosec B106: nobody
        )  # fmt: skip
    link = rt.links.manage(manage_token(rt, row, now, fresh=True))
    with kept(session, theirs):
        add_notice(
            rt,
            session,
            "manage-link",
            email=row.email,
            email_key=row.email_key,
            data={"link": link, "until": _last_day(rt, row.zone).isoformat()},
            now=now,
            subscriber_id=row.id or None,
            locale=row.locale,
            not_before=now + timedelta(minutes=50) if delayed else None,
        )
        consent_store.add_consent(
            session, subscriber_id=row.id or None, hashed=hashed, act="link", now=now,
            address=network,
        )  # fmt: skip
    return Answer(delayed)


def _last_day(rt: Runtime, zone: str) -> date:
    """The last local date on which a manage link of today works."""
    day = rt.clock().replace(hour=0, minute=0, second=0, microsecond=0)
    return local_date(day + timedelta(days=rt.defaults().manage_days), zone)


# ---- when and how ----


def set_schedule(
    rt: Runtime, token: str, *,
    hour: int, zone: str, weekdays: frozenset[int], on_time: bool | None = None,
    at_least: int | None = None, tell_anyway: bool | None = None,
) -> None:  # fmt: skip
    """Mail days and hour, whether late sources are waited for, how many papers a mail waits for,
    and whether one a week comes anyway (None: as it is). The next mail is looked for after now, on
    a date without a mail."""

    def edit(session: Session) -> None:
        row, _ = reader_of(rt, session, token)
        row.hour, row.zone = hour, zone
        row.on_time = row.on_time if on_time is None else on_time
        row.at_least = row.at_least if at_least is None else at_least
        row.tell_anyway = row.tell_anyway if tell_anyway is None else tell_anyway
        row.weekdays = subscribers_store.days_text(weekdays)
        set_next(rt, row)
        session.add(row)

    rt.db.write(edit, Priority.WEB)


def set_next(rt: Runtime, row: SubscriberRow) -> None:
    """Look for an active reader's next slot.

    A mail that was still to come today comes today: at once, when the new hour is over already.
    """
    if row.state != "active":
        return
    reader, now = subscribers_store.to_subscriber(row), rt.clock()
    today, planned = local_date(now, row.zone), row.next_digest_at
    is_owed = planned is not None and planned > now and local_date(planned, row.zone) == today
    over = is_mail_day(reader, today) and slot_at(today, row.hour, row.zone) <= now
    row.next_digest_at = now if is_owed and over else next_slot(reader, now)[1]


def set_mail(
    rt: Runtime, token: str, *,
    locale: str | None = None, format: str | None = None, style: str | None = None,
    trending: bool | None = None,
) -> None:  # fmt: skip
    """Language, one of ``FORMS``, what is shown of abstracts, trending section (None: as it is)."""

    def edit(session: Session) -> None:
        row, _ = reader_of(rt, session, token)
        row.locale = row.locale if locale is None else locale
        row.format = row.format if format is None else format
        row.style = row.style if style is None else style
        row.trending = row.trending if trending is None else trending
        session.add(row)

    rt.db.write(edit, Priority.WEB)


def pause(rt: Runtime, token: str, until: date | None) -> None:
    """No mail before ``until`` (a local date); None ends the pause. Raises ManageError."""

    def edit(session: Session) -> None:
        row, _ = reader_of(rt, session, token)
        today = local_date(rt.clock(), row.zone)
        most = today + timedelta(days=rt.defaults().pause_days)
        if until is not None and not today < until <= most:
            raise ManageError(
                Sentence("A pause ends after today and within a year."),
                "until",
                Sentence("At the latest on %(date)s.", date=most),
            )
        row.paused_until = until
        session.add(row)
        if until is not None:  # what is not begun rides in the first mail after the pause
            leases_store.stop_open(session, State.SKIPPED, "paused", subscriber_id=row.id)

    rt.db.write(edit, Priority.WEB)


def leave_by_link(rt: Runtime, token: str, *, network: str = "", agent: str = "") -> leave.Left:
    """Leave everything, from the manage page. Raises TokenError."""

    def act(session: Session) -> leave.Left:
        row, _ = reader_of(rt, session, token)
        if row.state != "left":
            leave.leave_row(rt, session, row, network=network, agent=agent)
        undo = row.left_at + timedelta(days=rt.defaults().undo_days) if row.left_at else None
        return leave.Left(row.email, "left", undo)

    return rt.db.write(act, Priority.WEB)


def note_reason(rt: Runtime, unsubscribe_token: str, reason: str, *, network: str = "") -> None:
    """Keep why somebody left, if they like to say. Unknown tokens keep nothing."""

    def act(session: Session) -> None:
        row = subscribers_store.get_subscriber_row(session, token=unsubscribe_token)
        if row is None or row.state != "left" or not reason.strip():
            return
        assert row.id is not None
        told = [c for c in consent_store.list_consents(session, row.id) if c.act == "reason"]
        if len(told) >= LINKS_A_DAY:
            return
        hashed = consent_store.email_hash(rt.instance.key, row.email_key)
        consent_store.add_consent(
            session, subscriber_id=row.id, hashed=hashed, act="reason", now=rt.clock(),
            address=network, detail=reason.strip()[:500],
        )  # fmt: skip

    rt.db.write(act, Priority.WEB)


def tune(rt: Runtime, reader_id: int, paper_id: int, sign: int) -> None:
    """More (1) or less (-1) like this paper; 0 takes it back."""
    now = rt.clock()
    rt.db.write(lambda s: listing.set_feedback(s, reader_id, paper_id, sign, now), Priority.WEB)


def next_mail_at(rt: Runtime, row: SubscriberRow, taken: Collection[date] = ()) -> datetime | None:
    """When the reader's next mail begins, None when none comes.

    Pauses count, and ``taken``: local dates that had their mail already.
    """
    if row.state != "active":
        return None
    reader, at = subscribers_store.to_subscriber(row), rt.clock()
    for _ in range(400):
        day, at = next_slot(reader, at)
        if day not in taken and (row.paused_until is None or day >= row.paused_until):
            return at
    return None
