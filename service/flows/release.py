"""The release of a day's daily: at once, at an hour of the house's clock, or by an editor's press.

What waits is the daily of a local date, whoever's it is: a reader further east waits longer, until
the date is let go. Who is due meanwhile is written down (``release_wait``) and due again with their
next slot, or, when the date is let go, at once (``wake``). A date that nobody lets go until then is
skipped with that reason, and its papers ride in the next mail. First digests and alerts go at once.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time
from typing import Any, Literal, cast

from service.defaults import Defaults, read_clock
from service.delivery.states import State
from service.errors import PaperpostError
from service.flows.alarms import Alarm, end_alarm, raise_alarm
from service.flows.planning import digest_edition, reader_values
from service.flows.runtime import Runtime
from service.flows.staff import write_audit
from service.store import alarms as alarms_store
from service.store import editions as editions_store
from service.store import many_readers, missed_rows
from service.store import planned as planned_store
from service.store import releases as store
from service.store.db import Priority, Session
from service.store.releases import UNRELEASED, Waiting
from service.store.tables import SubscriberRow
from service.subscribers.cadence import local_date
from service.subscribers.zone import clock_of

Mode = Literal["auto", "until", "hand"]
PART = 2000
"""Readers who are woken in one transaction."""

KIND = "release"
"""Of the alarm about a day that waits."""


class ReleaseError(PaperpostError):
    """A day that cannot be let go."""


@dataclass(frozen=True, slots=True)
class Standing:
    """How a day stands. at, by: when it was let go, and by whom ("" = by the clock) · goes_at: when
    it will go by itself · waiting: readers who wait, since when."""

    on: date
    mode: Mode
    is_free: bool
    at: datetime | None = None
    by: str = ""
    goes_at: datetime | None = None
    waiting: Waiting | None = None

    def facts(self) -> dict[str, Any]:
        """As the API and ``--json`` say it."""
        waits = self.waiting
        return {
            "on": self.on.isoformat(),
            "mode": self.mode,
            "released": self.is_free,
            "released_at": self.at.isoformat() if self.at else None,
            "released_by": self.by,
            "goes_at": self.goes_at.isoformat() if self.goes_at and not self.is_free else None,
            "readers_waiting": waits.readers if waits else 0,
            "waiting_since": waits.since.isoformat() if waits else None,
        }


def goes_at(on: date, limits: Defaults, zone: str) -> datetime | None:
    """When a date goes by itself, None: an editor lets it go."""
    if limits.release != "until":
        return None
    hour, minute = read_clock(limits.release_by)
    return datetime.combine(on, time(hour, minute), clock_of(zone))


def free_days(rt: Runtime, session: Session, days: Iterable[date]) -> set[date]:
    """Those of some dates whose daily may go now."""
    limits, now = rt.defaults(), rt.clock()
    wanted = set(days)
    if limits.release == "auto":
        return wanted
    begins = {on: goes_at(on, limits, rt.zone) for on in wanted}
    over = {on for on, at in begins.items() if at is not None and at <= now}
    return over | (store.list_released(session, wanted - over) if wanted - over else set())


def is_free(rt: Runtime, session: Session, on: date) -> bool:
    """Whether the daily of a date may go; what an editor prepares for it is seen from then on."""
    return bool(free_days(rt, session, [on]))


def standing_of(rt: Runtime, session: Session, on: date) -> Standing:
    """How a date stands."""
    limits = rt.defaults()
    row = store.get_release(session, on)
    waiting = next((one for one in store.list_waiting(session) if one.day == on), None)
    return Standing(
        on=on,
        mode=cast(Mode, limits.release),
        is_free=row is not None or is_free(rt, session, on),
        at=row.at if row else None,
        by=row.done_by if row else "",
        goes_at=goes_at(on, limits, rt.zone),
        waiting=waiting,
    )


def waiting_days(rt: Runtime, session: Session) -> list[Standing]:
    """Dates for which readers wait, the oldest first; without those that are let go."""
    days = [one.day for one in store.list_waiting(session)]
    return [one for on in days if not (one := standing_of(rt, session, on)).is_free]


def release(rt: Runtime, on: date, *, by: str, address: str = "") -> Standing:
    """Let a date's daily go, once; the same again changes nothing.

    Raises ReleaseError: later than tomorrow by the house's clock.
    """
    today = local_date(rt.clock(), rt.zone)
    if (on - today).days > 1:
        raise ReleaseError(
            f"{on} is later than tomorrow.", "--on", "Today's and tomorrow's daily can be released."
        )

    def act(session: Session) -> Standing:
        before = standing_of(rt, session, on)
        if store.add_release(session, on, rt.clock(), by):
            write_audit(
                session, rt.clock(), who=by, what="release", target=f"digest {on}",
                before={"released": before.is_free},
                after={"readers_waiting": before.waiting.readers if before.waiting else 0},
                address=address,
            )  # fmt: skip
            end_alarm(rt, session, KIND, on.isoformat())
        return standing_of(rt, session, on)

    made = rt.db.write(act, Priority.WEB)
    rt.log("released", on=on.isoformat(), waiting=made.waiting.readers if made.waiting else 0)
    rt.engine.enqueue("daily")
    return made


# ---- the clock's part ----


def wake(rt: Runtime) -> int:
    """Readers who wait for a date that may go are due now; an alarm tells of dates that an editor
    has left until the hour by which mails are to be away. Returns how many were woken."""
    waiting = rt.db.read(store.list_waiting)
    if not waiting:
        _end_alarms(rt, set())
        return 0
    free = rt.db.read(lambda s: free_days(rt, s, [one.day for one in waiting]))
    woken = 0
    for on in sorted(free):
        while n := rt.db.write(lambda s, d=on: _wake(s, d, rt.clock()), Priority.MAIL):  # type: ignore[misc]
            woken += n
    late = [one for one in waiting if one.day not in free and _is_late(rt, one.day)]
    for one in late:
        rt.db.write(lambda s, w=one: raise_alarm(rt, s, _alarm(rt, w)), Priority.MAIL)  # type: ignore[misc]
    _end_alarms(rt, {one.day.isoformat() for one in late})
    return woken


def _wake(session: Session, on: date, now: datetime) -> int:
    ids = store.list_asleep(session, on, now, PART)
    many_readers.set_next_digests(session, dict.fromkeys(ids, now))
    return len(ids)


def _is_late(rt: Runtime, on: date) -> bool:
    hour = rt.defaults().run_by_hour
    there = rt.clock().astimezone(clock_of(rt.zone))
    return rt.defaults().release == "hand" and (there.date(), there.hour) >= (on, hour)


def _end_alarms(rt: Runtime, late: set[str]) -> None:
    def over(session: Session) -> list[str]:
        rows = alarms_store.list_open(session)
        return [row.key for row in rows if row.kind == KIND and row.key not in late]

    for key in rt.db.read(over):
        rt.db.write(lambda s, k=key: end_alarm(rt, s, KIND, k), Priority.MAIL)  # type: ignore[misc]


def _alarm(rt: Runtime, one: Waiting) -> Alarm:
    since = one.since.astimezone(clock_of(rt.zone))
    readers = "1 reader waits" if one.readers == 1 else f"{one.readers:,} readers wait"
    return Alarm(
        kind=KIND,
        key=one.day.isoformat(),
        what=f"The daily of {one.day:%d %B} waits for its release since {since:%d %B, %H:%M}: "
        f"{readers}.",
        place=f"daily mails of {one.day}, by the clock of {rt.zone}",
        next_step=f"Release it at /admin/papers, or: paperpost release --on {one.day}. Where "
        "nobody does, its papers ride in the next mail.",
    )


def gate_for(
    rt: Runtime, session: Session, due: set[date], waited: Iterable[date], now: datetime
) -> set[date]:
    """The dates that may go, of those that readers are due for and those they waited for. What may
    go and is due for somebody is written down as let go."""
    free = free_days(rt, session, due.union(waited))
    for on in sorted(free & due):
        store.add_release(session, on, now)
    return free


def plan_unreleased(
    rt: Runtime, session: Session, days: Mapping[date, Sequence[SubscriberRow]], now: datetime
) -> None:
    """Write down, with the slot that follows, the dates that nobody let go in time."""
    for on, readers in sorted(days.items()):
        edition = digest_edition(session, on, now, "release")
        assert edition.id is not None
        ids = [reader.id for reader in readers if reader.id is not None]
        there = missed_rows.list_there(session, edition.id, ids)
        rows = [
            reader_values(rt, edition, reader, now)
            | {
                "kind": "digest",
                "state": str(State.SKIPPED),
                "reason": UNRELEASED,
                "deadline_at": now,
            }
            for reader in readers
            if reader.id not in there
        ]
        if planned_store.add_deliveries(session, rows):
            editions_store.open_again(session, edition, now)
