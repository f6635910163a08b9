"""Sending by hand: who would get what (an equation that balances), then one edition.

The same ledger, composing and sending as the daily. The same key twice is the same edition, also
where several processes are asked at the same moment.
"""

import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
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
from service.flows.epoch import need, standing
from service.flows.frozen import FROZEN, complete_frozen, find_frozen, start_frozen
from service.flows.intent import intent_of, is_timely, note_fault
from service.flows.runtime import Runtime
from service.flows.today import (
    claim_act,
    forget_act,
    is_claimed,
    start_act,
    take_act,
    undo_daily,
)
from service.store import editions as editions_store
from service.store.db import Priority, Session
from service.store.half_planned import INTENT, Half, list_half_planned
from service.store.processes import is_over

__all__ = [
    "FROZEN",
    "KINDS",
    "Audience",
    "CountError",
    "ManualError",
    "Plan",
    "Started",
    "complete_left",
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
    if plan.canary and plan.kind not in FROZEN:
        raise ManualError(
            "Only chosen papers and newsletters have a first few.",
            "canary",
            "Today's digest would miss the hours of those who wait. Send it without, and pause it.",
        )
    if plan.own_hour and plan.canary:
        raise ManualError(
            "A send at each reader's own hour has no first few.",
            "canary",
            "Its first hours show how it goes: pause it there. Or send it to all at one time.",
        )
    for _ in range(_LOOKS):
        with _turn(rt, plan.kind, plan.key) as is_ours:
            there = _begun(rt, plan, is_ours)
            if there is None and is_ours:
                there = _start(rt, plan, expected, at_once, address)
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


@contextmanager
def _turn(rt: Runtime, kind: str, key: str) -> Iterator[bool]:
    """Whether nobody else of this process plans the send of a key; nobody does meanwhile."""
    me = (id(rt.db), kind, key)
    with _moved:
        is_ours = me not in _planning
        _planning.add(me)
    try:
        yield is_ours
    finally:
        if is_ours:
            with _moved:
                _planning.discard(me)
                _moved.notify_all()


def complete_left(rt: Runtime) -> int:
    """Sends whose process ended before all was planned are planned to their end and go, for the
    readers who were confirmed and within an hour (``intent.is_timely``); what fails is tried again,
    what is refused rests, and neither stops another. Returns how many."""
    halves, done = rt.db.read(list_half_planned), 0
    if not halves or standing(rt).held:
        return 0
    for half in halves:
        is_act = half.kind == editions_store.DRAFT
        kind = half.options["act"]["kind"] if is_act else half.kind
        if not is_timely(half.options, rt.clock()):
            if is_act:
                with _turn(rt, kind, half.slot) as is_ours:
                    if is_ours:
                        forget_act(rt, half.slot)
            continue
        try:
            with _turn(rt, kind, half.slot) as is_ours:
                there = _complete(rt, half) if is_ours else None
        except Exception as error:
            _note(rt, half, error)
            continue
        if there is not None:
            rt.log("manual", kind=kind, edition=there.edition_id, mails=there.mails, left=True)
            rt.engine.enqueue("send")
            done += 1
    return done


def _note(rt: Runtime, half: Half, error: Exception) -> None:
    """Logged once, however often it is tried; its page and the alarm about it say it too."""
    us = rt.owner().id
    if words := rt.db.write(lambda s: note_fault(s, half, us, error), Priority.MAIL):
        rt.log("planning_broke_off", edition=half.id, error=type(error).__name__, why=words)


def _complete(rt: Runtime, half: Half) -> Started | None:
    """None: somebody plans it, or has."""
    us = rt.owner().id
    gone = [*rt.owner().dead(), us]  # nobody plans it in this process: it is our turn
    if not rt.db.read(lambda s: is_over(s, half.planner, gone)):
        return None
    if half.kind != editions_store.DRAFT:
        return complete_frozen(rt, half.id, gone)
    act = rt.db.write(lambda s: take_act(s, half.slot, rt.clock(), us, gone), Priority.MAIL)
    return start_act(rt, act) if act is not None else None


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
    us, dead = rt.owner().id, rt.owner().dead()
    half = rt.db.read(lambda s: editions_store.get_edition(s, kind=plan.kind, slot=plan.key))
    if half is not None and half.id is not None:
        there = complete_frozen(rt, half.id, [*dead, us])
        if there is None and half.planned is None and not half.options.get(INTENT):
            raise ManualError(
                f"Edition {half.id} was not planned to its end.",
                "",
                "Cancel it, and send it again as a new one.",
            )
        return there
    audience = count(rt, plan)
    if audience.mails != expected and not _is_half_planned(rt, plan.key):
        if (there := _begun(rt, plan, True)) is not None or _is_elsewhere(rt, plan):
            return there  # its rows are why the number is another one
        raise CountError(expected, audience.mails)
    wait = timedelta() if at_once else timedelta(minutes=rt.defaults().undo_minutes)
    if plan.kind in FROZEN:
        return start_frozen(rt, plan, audience, wait, address)
    now = rt.clock()
    intent = intent_of(plan, audience, wait, address, now, 0)
    act = rt.db.write(lambda s: claim_act(s, plan, intent, now, us, dead), Priority.MAIL)
    return start_act(rt, act) if act is not None else None


def _is_elsewhere(rt: Runtime, plan: Plan) -> bool:
    """Whether another process plans a daily or alerts of this key just now."""
    us, dead = rt.owner().id, rt.owner().dead()

    def look(session: Session) -> bool:
        draft = editions_store.get_edition(session, kind=editions_store.DRAFT, slot=plan.key)
        return is_claimed(session, draft, rt.clock(), us, dead)

    return rt.db.read(look)


def _is_half_planned(rt: Runtime, key: str) -> bool:
    """Whether a crash left the daily or the alerts of this key without their last rows a moment
    ago: their number was confirmed then."""
    row = rt.db.read(lambda s: editions_store.get_edition(s, kind=editions_store.DRAFT, slot=key))
    return row is not None and is_timely(row.options, rt.clock())


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
