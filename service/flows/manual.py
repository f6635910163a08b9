"""Sending by hand: who would get what (an equation that balances), then one edition.

The same ledger, composing and sending as the daily. The same key twice is the same edition, also
where several processes are asked at the same moment.
"""

import threading
from collections.abc import Sequence
from datetime import datetime, timedelta

from service.flows.audience import (
    KINDS,
    Audience,
    CountError,
    ManualError,
    Plan,
    Started,
    count,
    draft,
)
from service.flows.editions import cancel, need_edition
from service.flows.epoch import need
from service.flows.frozen import FROZEN, find_frozen, start_frozen
from service.flows.runtime import Runtime
from service.flows.today import (
    claim_act,
    is_claimed,
    start_alerts,
    start_daily,
    undo_daily,
)
from service.store import editions as editions_store
from service.store.db import Priority, Session

__all__ = [
    "FROZEN",
    "KINDS",
    "Audience",
    "CountError",
    "ManualError",
    "Plan",
    "Started",
    "count",
    "draft",
    "find_started",
    "start",
    "undo",
    "undo_daily",
]

_NAP_S = 0.05
_LOOKS = 1200
"""A minute of looking whether another one, who plans the same, has come so far that its edition is
known."""

_planning: set[tuple[int, str, str]] = set()
_moved = threading.Condition()


def start(
    rt: Runtime, plan: Plan, *, expected: int, at_once: bool = False, address: str = ""
) -> Started:
    """Plan the edition, all rows first, and let it go (after the undo window unless ``at_once``,
    at its instant, or at each reader's own hour).

    Raises CountError when the number of mails is not ``expected``: nothing is sent then. The same
    key again returns the same edition, and completes one that a crash left half planned. Raises
    ManualError, InstanceHeld.
    """
    need(rt)
    if (plan.at or plan.own_hour) and plan.kind not in FROZEN:
        raise ManualError(
            "Only chosen papers and newsletters are sent later.",
            "at",
            "Today's digest goes at each reader's hour by itself; an alert goes at once.",
        )
    if plan.own_hour and plan.canary:
        raise ManualError(
            "A send at each reader's own hour has no first few.",
            "canary",
            "Its first hours show how it goes: pause it there. Or send it to all at one time.",
        )
    me = (id(rt.db), plan.kind, plan.key)
    for _ in range(_LOOKS):
        with _moved:
            is_ours = me not in _planning
            if is_ours:
                _planning.add(me)
        try:
            there = _begun(rt, plan, is_ours)
            if there is None and is_ours:
                there = _start(rt, plan, expected, at_once, address)
        finally:
            if is_ours:
                with _moved:
                    _planning.discard(me)
                    _moved.notify_all()
        if there is not None:
            break
        with _moved:  # a second press, here or in another process, meets the edition of the first
            _moved.wait(_NAP_S)
    else:
        raise ManualError("This send is being planned.", "", "Look again in a minute.")
    if there.is_new:
        rt.log("manual", kind=plan.kind, edition=there.edition_id, mails=there.mails)
        rt.engine.enqueue("send")
    return there


def undo(rt: Runtime, edition_id: int, key: str, *, by: str, address: str = "") -> int:
    """Take a send back while nothing of it went: a daily by its key, as if it had never been
    pressed; another one is cancelled. Returns how many mails. Raises ManualError, EditionError."""
    edition = rt.db.read(lambda s: need_edition(s, edition_id))
    if edition.kind in ("digest", "alert"):
        return undo_daily(rt, edition_id, key, by=by, address=address)
    if edition.not_before is None or edition.not_before <= rt.clock():
        raise ManualError("The time to take it back is over.", "", "Pause or cancel the edition.")
    return cancel(rt, edition_id, by, address)


def _begun(rt: Runtime, plan: Plan, is_ours: bool) -> Started | None:
    us, dead = rt.owner().id, rt.owner().dead()
    gone = [*dead, us] if is_ours else dead  # who holds the key here finds what it broke off
    return rt.db.read(lambda s: find_started(s, plan.kind, plan.key, rt.clock(), gone))


def _start(rt: Runtime, plan: Plan, expected: int, at_once: bool, address: str) -> Started | None:
    """None: another process does it just now."""
    audience = count(rt, plan)
    if audience.mails != expected and not _is_half_planned(rt, plan):
        if (there := _begun(rt, plan, True)) is not None or _is_elsewhere(rt, plan):
            return there  # its rows are why the number is another one
        raise CountError(expected, audience.mails)
    wait = timedelta() if at_once else timedelta(minutes=rt.defaults().undo_minutes)
    if plan.kind in FROZEN:
        return start_frozen(rt, plan, audience, wait, address)
    us, dead = rt.owner().id, rt.owner().dead()
    began = rt.db.write(lambda s: claim_act(s, plan, rt.clock(), us, dead), Priority.MAIL)
    if began is None:
        return None
    if plan.kind == "daily":
        return start_daily(rt, plan, audience, wait, began, address)
    return start_alerts(rt, plan, audience, began, address)


def _is_elsewhere(rt: Runtime, plan: Plan) -> bool:
    """Whether another process plans a daily or alerts of this key just now."""
    us, dead = rt.owner().id, rt.owner().dead()

    def look(session: Session) -> bool:
        draft = editions_store.get_edition(session, kind=editions_store.DRAFT, slot=plan.key)
        return is_claimed(session, draft, rt.clock(), us, dead)

    return rt.db.read(look)


def _is_half_planned(rt: Runtime, plan: Plan) -> bool:
    """True when a crash left this key's edition without its last rows: its number was confirmed
    then, and the rows it has look like papers under way now."""
    edition = rt.db.read(lambda s: editions_store.get_edition(s, kind=plan.kind, slot=plan.key))
    return edition is not None and edition.planned is None and edition.kind != "digest"


def find_started(
    session: Session, kind: str, key: str, now: datetime, gone: Sequence[int] = ()
) -> Started | None:
    """The edition of this key when it was begun before, also while it is being planned. gone:
    processes that plan nothing any more."""
    if kind in FROZEN:
        edition = find_frozen(session, kind, key, now, gone)
        if edition is None:
            return None
        found = [edition]
    else:
        found = [
            e
            for e in editions_store.list_editions(session, kinds=["digest", "alert"], limit=60)
            if key in e.options.get("acts", {})
        ]
        if not found:
            return None
    states = editions_store.count_states(session, found[0].id or 0)
    ids = tuple(e.id or 0 for e in found)
    return Started(
        edition_id=ids[0],
        planned=found[0].planned or sum(states.values()),
        mails=sum(n for s, n in states.items() if s not in ("skipped", "suppressed")),
        is_new=False,
        until=found[0].not_before,
        editions=ids,
    )
