"""What a reader chose, by the hand of the staff: seen and changed, a pause and the feed as well."""

from dataclasses import dataclass
from datetime import date
from typing import Any

from service.flows.manage import Choices, choose_row, pause_row
from service.flows.own_feed import FeedAct, change_row
from service.flows.runtime import Runtime
from service.flows.spreadsheet import ReaderError
from service.flows.staff import write_audit
from service.store import subscribers as subscribers_store
from service.store.db import Priority, Session
from service.store.tables import SubscriberRow
from service.subscribers.cadence import quiet_text

_HERE = ("active", "pending", "bounced")


@dataclass(frozen=True, slots=True)
class Pause:
    """until: no mail before this local date; None ends a pause."""

    until: date | None


def facts_of_reader(rt: Runtime, row: SubscriberRow) -> dict[str, Any]:
    """What is chosen, as plain values. feed: the address, "" while it is closed."""
    return {
        "email": row.email,
        "hour": row.hour,
        "zone": row.zone,
        "weekdays": row.weekdays,
        "on_time": row.on_time,
        "at_least": row.at_least,
        "tell_anyway": row.tell_anyway,
        "quiet": quiet_text(row.quiet_from, row.quiet_until),
        "language": row.locale,
        "abstracts": row.style,
        "format": row.format,
        "trending": row.trending,
        "picks": row.picks,
        "paused_until": row.paused_until.isoformat() if row.paused_until else None,
        "feed": rt.links.own_feed(row.feed_token) if row.feed_since is not None else "",
        "next_digest_at": row.next_digest_at.isoformat() if row.next_digest_at else None,
    }


def choose_by_hand(
    rt: Runtime,
    email_key: str,
    choices: Choices,
    *,
    pause: Pause | None = None,
    feed: FeedAct | None = None,
    by: str,
    reason: str = "",
    address: str = "",
) -> dict[str, Any]:
    """Change what is named, and put what changed on record; returns what is now. Raises
    ReaderError: no such reader; ManageError: a pause that is too long."""

    def edit(session: Session) -> dict[str, Any]:
        row = subscribers_store.get_subscriber_row(session, email_key=email_key)
        if row is None:
            raise _nobody(email_key)
        return choose_row_by_hand(
            rt, session, row, choices, pause=pause, feed=feed, by=by, reason=reason,
            address=address,
        )  # fmt: skip

    return rt.db.write(edit, Priority.WEB)


def choose_row_by_hand(
    rt: Runtime,
    session: Session,
    row: SubscriberRow,
    choices: Choices,
    *,
    pause: Pause | None = None,
    feed: FeedAct | None = None,
    by: str,
    reason: str,
    address: str,
) -> dict[str, Any]:
    """The same inside a transaction."""
    if row.state not in _HERE:
        raise _nobody(row.email_key)
    before = facts_of_reader(rt, row)
    choose_row(rt, session, row, choices)
    if pause is not None:
        pause_row(rt, session, row, pause.until)
    if feed is not None:
        change_row(session, row, feed, rt.clock())
    now = facts_of_reader(rt, row)
    was, made = _changed(before, now)
    if feed == "renew":
        made |= {"feed": "new"}
    if made:
        write_audit(
            session, rt.clock(), who=by, what="schedule", target=f"reader {row.id}",
            before=was, after=made, address=address, reason=reason,
        )  # fmt: skip
    return now


def _nobody(email_key: str) -> ReaderError:
    return ReaderError(f"There is no reader {email_key}.", "", "paperpost subscribers list")


def _changed(before: dict[str, Any], now: dict[str, Any]) -> tuple[dict[str, Any], dict[str, Any]]:
    """What differs, for the record of the staff's acts: neither address, of a mailbox or a feed."""
    names = [name for name in now if now[name] != before[name] and name != "next_digest_at"]

    def shown(facts: dict[str, Any]) -> dict[str, Any]:
        told = {name: facts[name] for name in names}
        return told | ({"feed": "open" if facts["feed"] else "closed"} if "feed" in told else {})

    return shown(before), shown(now)
