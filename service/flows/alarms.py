"""Alarms to the staff: raised, told once by mail, ended, told once more.

An alarm stands until its cause is gone; whoever raises one ends it. Each is one mail when it
begins and one when it is over, to the contact address or, without one, to staff whose account
name is an address; pages, commands, readiness and metrics read the same rows.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from service.defaults import FIXED
from service.delivery.states import State
from service.errors import PaperpostError
from service.flows.hooks import tell
from service.flows.notice import add_notice
from service.flows.runtime import Runtime
from service.flows.staff import write_audit
from service.store import alarms as alarms_store
from service.store import editions as editions_store
from service.store import leases as leases_store
from service.store import staff as staff_store
from service.store.db import Priority, Session
from service.store.house_tables import AlarmRow
from service.subscribers.address import AddressError, read_address

FADING: Mapping[str, timedelta] = {
    kind: timedelta(hours=FIXED.alarm_fades_hours)
    for kind in ("content", "gone", "missed", "relaying", "returned", "subscription", "unplanned")
}
"""Kinds about single events: they are over when nothing more came for so long."""

APART = timedelta(minutes=FIXED.alarm_again_minutes)
"""An alarm that comes and goes is told of again only so long after."""

_MOST_MAILED = 5


class AlarmError(PaperpostError):
    """An alarm that there is not, or that is over."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Alarm:
    """What is wrong, where, and what to do: plain English for staff, without an address.

    kind: a breaker, a watchdog, ... · key: which one of its kind · domain, status, words, refused:
    what a server said, where one did.
    """

    kind: str
    key: str
    what: str
    place: str
    next_step: str
    domain: str = ""
    status: str = ""
    words: str = ""
    refused: int = 0


def raise_alarm(rt: Runtime, session: Session, alarm: Alarm) -> bool:
    """Raise, or see once more, inside the transaction that found it; the staff is told of a new
    one there. True when it is new."""
    now = rt.clock()
    says = {"what": alarm.what, "place": alarm.place, "next_step": alarm.next_step}
    row = alarms_store.put_alarm(session, alarm.kind, alarm.key, says, now)
    if _is_due(row, now):
        server = ("domain", "status", "words", "refused")
        _tell(rt, session, row, now, **{name: getattr(alarm, name) for name in server})
    if row.count > 1:
        return False
    rt.log("alarm", kind=alarm.kind, what=alarm.what)
    _call(session, row, now, "alarm.raised")
    return True


def prepare_alarm(rt: Runtime, session: Session, alarm: Alarm) -> None:
    """Write an alarm down inside a transaction that found a part of what it is about.

    ``raise_alarm`` tells it afterwards, with the words of the whole; where that does not come
    (a crash between), ``keep_alarms`` does. One that is open stays as it is.
    """
    row = alarms_store.get_alarm(session, alarm.kind, alarm.key)
    if row is None or row.ended_at is not None:
        says = {"what": alarm.what, "place": alarm.place, "next_step": alarm.next_step}
        row = alarms_store.put_alarm(session, alarm.kind, alarm.key, says, rt.clock())
        row.count = 0
        session.add(row)


def end_alarm(rt: Runtime, session: Session, kind: str, key: str) -> bool:
    """Its cause is gone: told once, where its beginning was. False when there was none."""
    row = alarms_store.get_alarm(session, kind, key)
    if row is None or row.ended_at is not None:
        return False
    _end(rt, session, row, rt.clock())
    return True


def end_by_hand(rt: Runtime, alarm_id: int, by: str, address: str = "") -> AlarmRow:
    """Somebody of the staff says that it is over. Raises AlarmError."""

    def act(session: Session) -> AlarmRow:
        row = alarms_store.get_by_id(session, alarm_id)
        if row is None:
            raise AlarmError(f"There is no alarm {alarm_id}.", "", "paperpost alarms list")
        if row.ended_at is not None:
            raise AlarmError(f"Alarm {alarm_id} is over already.", "", "Nothing to end.")
        _end(rt, session, row, rt.clock())
        write_audit(
            session,
            rt.clock(),
            who=by,
            what="end alarm",
            target=f"alarm {alarm_id}",
            after={"kind": row.kind, "what": row.what},
            address=address,
        )
        return row

    return rt.db.write(act, Priority.WEB)


def keep_alarms(rt: Runtime) -> int:
    """Tell what was not told yet, and end what has faded; from time to time. How many changed."""

    def act(session: Session) -> int:
        now = rt.clock()
        faded = alarms_store.list_faded(session, FADING, now)
        for row in faded:
            _end(rt, session, row, now)
        untold = alarms_store.list_untold(session, now, APART)
        for row in untold:
            _tell(rt, session, row, now)
        return len(faded) + len(untold)

    if not rt.db.read(alarms_store.list_open):
        return 0
    return rt.db.write(act, Priority.MAIL)


def alarm_facts(row: AlarmRow) -> dict[str, Any]:
    """One alarm as plain values."""
    return {
        "id": row.id,
        "kind": row.kind,
        "key": row.key,
        "state": "over" if row.ended_at is not None else "open",
        "what": row.what,
        "where": row.place,
        "next_step": row.next_step,
        "since": row.since.isoformat(),
        "seen_at": row.seen_at.isoformat(),
        "count": row.count,
        "told_at": row.told_at.isoformat() if row.told_at else None,
        "ended_at": row.ended_at.isoformat() if row.ended_at else None,
    }


def told(rt: Runtime, session: Session) -> list[str]:
    """The addresses that alarms are mailed to; none = nobody can be told by mail."""
    named = [rt.site.contact] if rt.site.contact else []
    staff = [row.name for row in staff_store.list_admins(session) if not row.disabled]
    found: list[str] = []
    for text in named or staff:
        try:
            found.append(read_address(text).email)
        except AddressError:
            continue  # an account named like ann; a contact that is a page is told by doctor
    return found[:_MOST_MAILED]


def _is_due(row: AlarmRow, now: datetime) -> bool:
    return row.told_at is None or (row.told_at < row.since and row.told_at <= now - APART)


def _tell(rt: Runtime, session: Session, row: AlarmRow, now: datetime, **server: Any) -> None:
    row.told_at = now
    session.add(row)
    _mail(rt, session, row, now, **server)


def _end(rt: Runtime, session: Session, row: AlarmRow, now: datetime) -> None:
    row.ended_at = now
    session.add(row)
    session.flush()
    rt.log("alarm_over", kind=row.kind, what=row.what)
    _call(session, row, now, "alarm.over")
    if row.told_at is None or row.told_at < row.since:
        return  # nobody heard that it began
    # what has not gone yet is told by the mail of its end
    for n in range(_MOST_MAILED):
        began = editions_store.get_edition(session, kind="notice", slot=_slot(row, n, False))
        if began is not None and began.id is not None:
            leases_store.stop_open(session, State.CANCELLED, "over", edition_id=began.id)
    _mail(rt, session, row, now)


def _call(session: Session, row: AlarmRow, now: datetime, event: str) -> None:
    """Other programs hear of it."""
    session.flush()
    facts = {"alarm": row.id, "kind": row.kind, "what": row.what, "where": row.place}
    tell(session, now, event, {**facts, "next_step": row.next_step})


def _mail(rt: Runtime, session: Session, row: AlarmRow, now: datetime, **server: Any) -> None:
    data = {
        "what": row.what,
        "place": row.place,
        "next_step": row.next_step,
        "since": _instant(row.since),
        "ended": _instant(row.ended_at) if row.ended_at else "",
        "domain": "",
        "status": "",
        "words": "",
        "refused": 0,
        "link": rt.links.admin("alarms"),
        **server,
    }
    for n, email in enumerate(told(rt, session)):
        key = _slot(row, n, row.ended_at is not None).removeprefix("alarm:")
        add_notice(
            rt, session, "alarm", email=email, email_key=email.lower(), data=data, now=now, key=key
        )
    rt.engine.enqueue("send")


def _slot(row: AlarmRow, n: int, is_end: bool) -> str:
    """The edition of one mail: unique by alarm, beginning, recipient, and which of the two."""
    return f"alarm:{row.id}:{row.since:%Y%m%dT%H%M%S}:{n}" + (":over" if is_end else "")


def _instant(at: datetime) -> str:
    return f"{at:%Y-%m-%d %H:%M} UTC"
