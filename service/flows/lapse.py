"""Days on which nobody ran: each reader's mail of such a day becomes a row that says so, once, and
what it would have held rides in the one mail that follows (``flows/window.missed_since``)."""

import secrets
from collections.abc import Mapping, Sequence
from datetime import date, datetime

from service.defaults import FIXED
from service.delivery.message import domain_of, message_id
from service.delivery.states import State
from service.flows.alarms import Alarm, raise_alarm
from service.flows.planning import PRIORITY, digest_edition, edition_key
from service.flows.runtime import Runtime
from service.store import missed_rows
from service.store.db import Priority, Session
from service.store.tables import SubscriberRow

KIND = "missed"
"""Of the alarm about days without a run; it fades by itself."""

_NAMED = 3


def plan_missed(
    rt: Runtime,
    session: Session,
    days: Mapping[date, Sequence[SubscriberRow]],
    now: datetime,
) -> dict[date, int]:
    """Write down, in the transaction that plans the mail after them, the days that were missed.

    Who has a row of such a day keeps it. Returns how many rows each date got.
    """
    made = {}
    for on, readers in sorted(days.items()):
        edition = digest_edition(session, on, now, "watchdog")
        assert edition.id is not None
        ids = [reader.id for reader in readers if reader.id is not None]
        there = missed_rows.list_there(session, edition.id, ids)
        key = edition_key(edition)
        rows = [
            {
                "edition_id": edition.id,
                "recipient_key": reader.email_key,
                "rcpt": reader.email,
                "domain": domain_of(reader.email),
                "subscriber_id": reader.id,
                "kind": "digest",
                "locale": reader.locale,
                "priority": PRIORITY["digest"],
                "state": str(State.SKIPPED),
                "reason": missed_rows.MISSED,
                "message_id": message_id(rt.instance.key, key, reader.email_key, rt.mail_domain),
                "bounce_id": secrets.token_hex(10),
                "token": secrets.token_urlsafe(16),
                "planned_at": now,
                "deadline_at": now,
            }
            for reader in readers
            if reader.id not in there
        ]
        if count := missed_rows.add_rows(session, rows):
            missed_rows.reopen_edition(session, edition, now)
            made[on] = count
    return made


def tell_missed(rt: Runtime, missed: Mapping[date, int]) -> None:
    """One alarm for one outage."""
    if not missed:
        return
    days = sorted(missed)
    named = ", ".join(f"{on:%d %B}" for on in days[:_NAMED])
    more = f" and {len(days) - _NAMED} more days" if len(days) > _NAMED else ""
    most = max(missed.values())
    alarm = Alarm(
        kind=KIND,
        key=f"{days[0]}..{days[-1]}",
        what=f"No run was made on {named}{more}: nothing was at work at readers' hours.",
        place=f"daily mails of up to {most:,} readers",
        next_step="Nothing is lost: the one mail that each gets now holds what was new "
        f"({FIXED.missed_days} days are looked back). See that paperpost run starts with the "
        "machine and is started again (deploy/).",
    )
    rt.db.write(lambda s: raise_alarm(rt, s, alarm), Priority.MAIL)
    rt.log("days_missed", days=len(days), mails=sum(missed.values()))
