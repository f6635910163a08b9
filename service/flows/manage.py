"""A reader's own acts behind the signed link: what, when and how; pausing, leaving, tuning.

Every act reads the token again inside its transaction, so a link that ended meanwhile changes
nothing. A new hour or zone never brings a second digest on one local date: the slot of a date is
unique, and the next one is looked for after the instant of the last.
"""

from dataclasses import dataclass
from datetime import date, timedelta
from typing import Literal

from service.delivery.states import State
from service.errors import Sentence
from service.flows import leave
from service.flows.interests import InterestError
from service.flows.manage_link import is_fresh, is_mailed
from service.flows.runtime import Runtime
from service.flows.timing import follow_hour
from service.store import leases as leases_store
from service.store import listing
from service.store import subscribers as subscribers_store
from service.store.db import Priority, Session
from service.store.tables import ProfileRow, SubscriberRow
from service.subscribers.cadence import local_date, moved_to
from service.subscribers.model import Subscriber
from service.subscribers.tokens import TokenError

NOBODYS = Sentence("This link belongs to nobody here.")


class ManageError(InterestError):
    """A change that cannot be made; ``where`` is the field."""


@dataclass(frozen=True, slots=True)
class Managed:
    """What the manage page shows. fresh: the link was mailed on request just now, so it may also
    change the address, export and erase · mailed: on request at any time, so it may vote and
    propose."""

    reader: SubscriberRow
    interests: tuple[ProfileRow, ...]
    fresh: bool
    mailed: bool


def open_manage(rt: Runtime, token: str) -> Managed:
    """Who a manage link belongs to; nothing changes. Raises TokenError."""
    return rt.db.read(lambda s: _open(rt, s, token))


def _open(rt: Runtime, session: Session, token: str) -> Managed:
    reader, fresh = reader_of(rt, session, token)
    assert reader.id is not None
    rows = subscribers_store.list_profile_rows(session, reader.id)
    mailed = is_mailed(session, reader, rt.signer.read("manage", token, rt.clock())[1])
    return Managed(reader, tuple(rows), fresh, mailed)


def reader_of(rt: Runtime, session: Session, token: str) -> tuple[SubscriberRow, bool]:
    """Who a manage link belongs to, and whether it was mailed on request. Raises TokenError."""
    subject, stamp = rt.signer.read("manage", token, rt.clock())
    row = subscribers_store.get_subscriber_row(session, id=subject)
    if row is None or row.state in ("pending", "erased"):
        raise TokenError(NOBODYS, subject=subject)
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


def mailed_reader(rt: Runtime, session: Session, token: str) -> SubscriberRow:
    """The reader of a link that was mailed on request at any time, who gets mail: they may propose
    papers and vote. Raises TokenError, ManageError."""
    row, _fresh = reader_of(rt, session, token)
    if row.state != "active":
        raise ManageError(
            Sentence("This is for readers who get mail from us."),
            "",
            Sentence("Begin again on your own page."),
        )
    if not is_mailed(session, row, rt.signer.read("manage", token, rt.clock())[1]):
        raise ManageError(
            Sentence("This needs a link that was mailed to you on request."),
            "",
            Sentence("Have one mailed below."),
        )
    return row


# ---- when and how ----


@dataclass(frozen=True, slots=True, kw_only=True)
class Choices:
    """What a reader chooses of when and how mails come; None = as it is.

    weekdays: 0 = Monday · format: one of ``FORMS`` · style: of abstracts · trending: section of the
    most-voted papers · picks: what an editor writes and picks · quiet: hours [from, until) without
    alerts, equal = never quiet, "usual" = as the installation says.
    """

    hour: int | None = None
    zone: str | None = None
    weekdays: frozenset[int] | None = None
    on_time: bool | None = None
    at_least: int | None = None
    tell_anyway: bool | None = None
    locale: str | None = None
    format: str | None = None
    style: str | None = None
    trending: bool | None = None
    picks: bool | None = None
    quiet: tuple[int, int] | Literal["usual"] | None = None


_ON_THE_ROW = (
    "hour", "zone", "on_time", "at_least", "tell_anyway",
    "locale", "format", "style", "trending", "picks",
)  # fmt: skip
_CLOCK = ("hour", "zone", "weekdays", "on_time")


def choose(rt: Runtime, token: str, choices: Choices) -> None:
    """Change what is chosen, all at once. Raises TokenError."""

    def edit(session: Session) -> None:
        choose_row(rt, session, reader_of(rt, session, token)[0], choices)

    rt.db.write(edit, Priority.WEB)


def choose_row(rt: Runtime, session: Session, row: SubscriberRow, choices: Choices) -> None:
    """The same inside a transaction. Where hour, zone or days change, the next mail is looked for
    anew (``set_next``)."""
    before = subscribers_store.to_subscriber(row)
    clock = [getattr(row, name) for name in _CLOCK]
    hour, zone = row.hour, row.zone
    for name in _ON_THE_ROW:
        if (value := getattr(choices, name)) is not None:
            setattr(row, name, value)
    if choices.weekdays is not None:
        row.weekdays = subscribers_store.days_text(choices.weekdays)
    if choices.quiet is not None:
        hours = (None, None) if choices.quiet == "usual" else choices.quiet
        row.quiet_from, row.quiet_until = hours
    if [getattr(row, name) for name in _CLOCK] != clock:
        set_next(rt, row, before)
    session.add(row)
    if (row.hour, row.zone) != (hour, zone):
        follow_hour(session, row, zone, rt.clock())


def set_next(rt: Runtime, row: SubscriberRow, before: Subscriber) -> None:
    """Look for an active reader's next slot after their zone, hour or mail days changed.

    before: the reader until now. A mail that was still to come for a date comes for it: at once,
    when the new hour is over already (``cadence.moved_to``).
    """
    if row.state == "active":
        after, planned = subscribers_store.to_subscriber(row), row.next_digest_at
        row.next_digest_at = moved_to(before, planned, after, rt.clock())


def pause(rt: Runtime, token: str, until: date | None) -> None:
    """No mail before ``until`` (a local date); None ends the pause. Raises TokenError,
    ManageError."""

    def edit(session: Session) -> None:
        pause_row(rt, session, reader_of(rt, session, token)[0], until)

    rt.db.write(edit, Priority.WEB)


def pause_row(rt: Runtime, session: Session, row: SubscriberRow, until: date | None) -> None:
    """The same inside a transaction. Raises ManageError."""
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
