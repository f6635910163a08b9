"""Behind the link of a confirmation: what begins, beginning it, and "never again"."""

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Literal

from service.errors import Sentence
from service.flows import leave, rejoin
from service.flows.agreed import WORDING, agreed_text
from service.flows.hooks import tell_reader
from service.flows.runtime import Runtime
from service.flows.score import reset
from service.flows.welcome import send_first
from service.store import consent as consent_store
from service.store import sent as sent_store
from service.store import subscribers as subscribers_store
from service.store.db import Priority, Session
from service.store.tables import SubscriberRow
from service.subscribers.cadence import local_date, next_slot
from service.subscribers.tokens import TokenError

_ENDED = Sentence("This link has ended.")


@dataclass(frozen=True, slots=True)
class Asked:
    """What the confirm page shows, and whether it was begun already. request: the one that the link
    belongs to; ``reader`` is then the row as it would be."""

    reader: SubscriberRow
    interests: tuple[tuple[str, str], ...]
    begun: bool
    request: rejoin.Request | None = None


@dataclass(frozen=True, slots=True)
class Over:
    """A link that ended. on: the date, None where it was never ours · why: "time", "withdrawn" (by
    who had asked), "begun" (papers come), "gone" (the address is not kept any more, or barred) ·
    again: it may be asked for once more by one press."""

    on: date | None
    why: Literal["time", "withdrawn", "begun", "gone", "never"]
    again: bool = False


def read_confirm(rt: Runtime, token: str) -> Asked:
    """Look a confirmation link up; nothing changes. Raises TokenError."""
    return rt.db.read(lambda s: _asked(rt, s, token))


def _asked(rt: Runtime, session: Session, token: str) -> Asked:
    subject, stamp = rt.signer.read("confirm", token, rt.clock())
    row = subscribers_store.get_subscriber_row(session, id=subject)
    if row is None or not rejoin.is_stamp_of(row, stamp):
        raise TokenError(_ENDED, rt.clock())
    again = rejoin.find_request(session, row, stamp)
    if row.state != "active" and (_is_barred(rt, session, row) or _is_over(row, stamp, again)):
        raise TokenError(_ENDED, rt.clock(), row.id)
    if again is not None:
        return Asked(rejoin.shown(row, again), again.interests, False, again)
    profiles = subscribers_store.list_profiles(session, [subject])[subject]
    return Asked(row, tuple((p.kind.value, p.text) for p in profiles), row.state == "active")


def _is_over(row: SubscriberRow, stamp: str, asked: rejoin.Request | None) -> bool:
    """Whether nothing is left to begin: the request of the link was withdrawn, or who left has not
    asked since. A pending row that the staff entered has no request, and begins as it is."""
    return asked is None and (row.state != "pending" or rejoin.number_of(stamp) is not None)


def _is_barred(rt: Runtime, session: Session, row: SubscriberRow) -> bool:
    hashed = consent_store.email_hash(rt.instance.key, row.email_key)
    bar = consent_store.get_suppression(session, hashed)
    return bar is not None and not consent_store.lets_begin(bar.reason)


def read_over(rt: Runtime, token: str) -> Over:
    """Why a link of a confirmation does not begin anything, for its page; nothing changes."""
    return rt.db.read(lambda s: _over(rt, s, token))


def _over(rt: Runtime, session: Session, token: str) -> Over:
    now = rt.clock()
    try:
        subject, stamp = rt.signer.read("confirm", token, now)
        ended = now
    except TokenError as error:
        if error.ended_at is None or error.subject is None:
            return Over(None, "never")
        subject, stamp, ended = error.subject, error.stamp, error.ended_at
    on = local_date(ended, rt.zone)
    if rejoin.is_withdrawn(session, stamp):
        return Over(on, "withdrawn")
    row = subscribers_store.get_subscriber_row(session, id=subject)
    if row is None or not rejoin.is_stamp_of(row, stamp) or _is_barred(rt, session, row):
        return Over(on, "time" if ended < now else "gone")
    if row.state == "active":
        confirmed = row.confirmed_at or now
        return Over(local_date(confirmed, row.zone), "begun")
    if ended < now:
        return Over(on, "time", again=rejoin.find_request(session, row, stamp) is not None)
    return Over(on, "gone")


def ended_request(rt: Runtime, token: str) -> tuple[SubscriberRow, rejoin.Request] | None:
    """Who asked for what with a link whose time is over, so that it can be asked for once more;
    None where nothing of it is kept."""

    def look(session: Session) -> tuple[SubscriberRow, rejoin.Request] | None:
        try:
            rt.signer.read("confirm", token, rt.clock())
        except TokenError as error:
            if error.subject is None:
                return None
            row = subscribers_store.get_subscriber_row(session, id=error.subject)
            if row is None or not rejoin.is_stamp_of(row, error.stamp):
                return None
            asked = rejoin.find_request(session, row, error.stamp)
            return (row, asked) if asked is not None else None
        return None

    return rt.db.read(look)


def confirm(
    rt: Runtime,
    token: str,
    *,
    first_now: bool,
    hour: int | None = None,
    zone: str | None = None,
    network: str = "",
    agent: str = "",
) -> Literal["begun", "already"]:
    """Begin: the reader is active from now on; pressed twice it changes nothing.

    first_now: the best of the last days at once, in the date's slot · hour, zone: as chosen on the
    page (None: as asked for). Raises TokenError.
    """
    chosen = (hour, zone)
    reader_id = rt.db.write(lambda s: _begin(rt, s, token, chosen, network, agent), Priority.WEB)
    if reader_id is None:
        return "already"
    if first_now:
        send_first(rt, reader_id)
    rt.engine.enqueue("send")
    return "begun"


def _begin(
    rt: Runtime, session: Session, token: str, chosen: tuple[int | None, str | None],
    network: str, agent: str,
) -> int | None:  # fmt: skip
    # pressed on two devices at once, in two processes: who comes second finds it begun
    subject, _ = rt.signer.read("confirm", token, rt.clock())
    sent_store.hold_readers(session, [subject], wait=True)
    asked = _asked(rt, session, token)
    if asked.begun:
        return None
    row, now = subscribers_store.get_subscriber_row(session, id=asked.reader.id), rt.clock()
    assert row is not None
    assert row.id is not None
    hashed = consent_store.email_hash(rt.instance.key, row.email_key)
    if asked.request is not None:
        rejoin.take_up(session, row, asked.request, now)
    hour, zone = chosen
    row.hour, row.zone = row.hour if hour is None else hour, zone or row.zone
    activate(session, row, now, since=local_date(now, row.zone) - timedelta(days=1))
    bar = consent_store.get_suppression(session, hashed)
    lifted = bar.reason if bar is not None and consent_store.lets_begin(bar.reason) else ""
    if lifted:
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
        detail=agreed_text(row, asked.interests, lifted=lifted),
    )
    tell_reader(session, now, "reader.joined", row, "confirmed")
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
    reset(row, now)
    row.next_digest_at = next_slot(subscribers_store.to_subscriber(row), now)[1]


def never(rt: Runtime, token: str, *, network: str = "", agent: str = "") -> None:
    """ "Never send me such a request again": needs no subscription; ends one. Raises TokenError."""
    reader_id, hashed = rt.signer.read("never", token, rt.clock())
    whence = {"network": network, "agent": agent}
    rt.db.write(lambda s: _never(rt, s, reader_id, hashed, whence), Priority.WEB)


def _never(
    rt: Runtime, session: Session, reader_id: int, hashed: str, whence: dict[str, str]
) -> None:
    now = rt.clock()
    consent_store.add_suppression(session, hashed, "never", now)
    consent_store.add_consent(
        session, subscriber_id=None, hashed=hashed, act="never", now=now, wording=WORDING,
        address=whence["network"], agent=whence["agent"],
    )  # fmt: skip
    own = subscribers_store.get_subscriber_row(session, id=reader_id or -1)
    pending = subscribers_store.list_subscriber_rows(session, state="pending")
    for row in [own, *pending] if own is not None and own not in pending else pending:
        if row is None or consent_store.email_hash(rt.instance.key, row.email_key) != hashed:
            continue
        if row.state == "pending":
            leave.erase_row(rt, session, row, by="never")
        elif row.state != "left":
            leave.leave_row(rt, session, row, **whence)
