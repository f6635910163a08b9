"""A reader's own acts behind the signed link: what, when and how; pausing, leaving, tuning.

Every act reads the token again inside its transaction, so a link that ended meanwhile changes
nothing. A new hour or zone never brings a second digest on one local date: the slot of a date is
unique, and the next one is looked for after the instant of the last.
"""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from service.delivery.states import State
from service.errors import Sentence
from service.flows import leave
from service.flows.interests import InterestError
from service.flows.manage_link import is_fresh
from service.flows.runtime import Runtime
from service.store import leases as leases_store
from service.store import listing
from service.store import subscribers as subscribers_store
from service.store.db import Priority, Session
from service.store.tables import ProfileRow, SubscriberRow
from service.subscribers.cadence import local_date, moved_to, next_slot
from service.subscribers.model import Subscriber
from service.subscribers.tokens import TokenError

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
    fresh = is_fresh(rt, session, row, stamp)
    if fresh is None:
        raise TokenError(NOBODYS)
    return row, fresh


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
        before = subscribers_store.to_subscriber(row)
        row.hour, row.zone = hour, zone
        row.on_time = row.on_time if on_time is None else on_time
        row.at_least = row.at_least if at_least is None else at_least
        row.tell_anyway = row.tell_anyway if tell_anyway is None else tell_anyway
        row.weekdays = subscribers_store.days_text(weekdays)
        set_next(rt, row, before)
        session.add(row)

    rt.db.write(edit, Priority.WEB)


def set_next(rt: Runtime, row: SubscriberRow, before: Subscriber) -> None:
    """Look for an active reader's next slot after their zone, hour or mail days changed.

    before: the reader until now. A mail that was still to come for a date comes for it: at once,
    when the new hour is over already (``cadence.moved_to``).
    """
    if row.state == "active":
        after, planned = subscribers_store.to_subscriber(row), row.next_digest_at
        row.next_digest_at = moved_to(before, planned, after, rt.clock())


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
