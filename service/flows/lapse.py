"""Days on which nobody ran: each reader's mail of such a day becomes a row that says so, once, and
what it would have held rides in the one mail that follows (``flows/window.missed_since``)."""

from collections.abc import Mapping, Sequence
from datetime import date, datetime, timedelta

from service.defaults import FIXED
from service.delivery.states import State
from service.flows.alarms import Alarm, prepare_alarm, raise_alarm
from service.flows.planning import digest_edition, reader_values
from service.flows.runtime import Runtime
from service.store import editions as editions_store
from service.store import missed_rows
from service.store import planned as planned_store
from service.store.db import Priority, Session
from service.store.tables import SubscriberRow
from service.subscribers.cadence import local_date

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

    Who has a row of such a day keeps it. Returns how many rows each date got. The alarm about them
    is written with them, and told by ``tell_missed``.
    """
    made = {}
    for on, readers in sorted(days.items()):
        edition = digest_edition(session, on, now, "watchdog")
        assert edition.id is not None
        ids = [reader.id for reader in readers if reader.id is not None]
        there = missed_rows.list_there(session, edition.id, ids)
        rows = [
            reader_values(rt, edition, reader, now)
            | {
                "kind": "digest",
                "state": str(State.SKIPPED),
                "reason": missed_rows.MISSED,
                "deadline_at": now,
            }
            for reader in readers
            if reader.id not in there
        ]
        if count := len(planned_store.add_deliveries(session, rows)):
            editions_store.open_again(session, edition, now + timedelta(minutes=1))
            made[on] = count
    if made:
        prepare_alarm(rt, session, _alarm(rt, made, now))
    return made


def tell_missed(rt: Runtime, missed: Mapping[date, int], now: datetime) -> None:
    """One alarm for one outage. missed: the rows of each date, over all readers · now: when the run
    after it began."""
    if not missed:
        return
    rt.db.write(lambda s: raise_alarm(rt, s, _alarm(rt, missed, now)), Priority.MAIL)
    rt.log("days_missed", days=len(missed), mails=sum(missed.values()))


def _alarm(rt: Runtime, missed: Mapping[date, int], now: datetime) -> Alarm:
    limits, days, most = rt.defaults(), sorted(missed), max(missed.values())
    named = ", ".join(f"{on:%d %B}" for on in days[:_NAMED])
    if (more := len(days) - _NAMED) > 0:
        named += f" and {more} more {'day' if more == 1 else 'days'}"
    back = max(limits.catchup_days, limits.window_days - 1)
    return Alarm(
        kind=KIND,
        key=f"{local_date(now, rt.zone)}",
        what=f"No run was made on {named}: nothing was at work at readers' hours.",
        place=f"daily mails of {most:,} {'reader' if most == 1 else 'readers'} or more; days more "
        f"than {FIXED.missed_days} back are not listed",
        next_step=f"The one mail that each gets now holds what was new, up to {back} days back; "
        "what is older stands on the daily pages. See that paperpost run starts with the machine "
        "and is started again (deploy/).",
    )
