"""Today's digest, or alerts, begun by hand: rows of the editions that the clock fills too."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

from service.flows.alarms import Alarm, raise_alarm
from service.flows.alerts import plan_alerts
from service.flows.audience import KINDS, ManualError, Plan, Started
from service.flows.compose import compose_planned
from service.flows.daily import Due, released_readers, still_active
from service.flows.intent import Intent, is_timely
from service.flows.planning import digest_edition, plan_readers
from service.flows.runtime import Runtime
from service.flows.segment import Segment, recorded
from service.flows.staff import audit_edition
from service.store import alerts as alerts_store
from service.store import audience as audience_store
from service.store import editions as editions_store
from service.store.db import Priority, Session
from service.store.half_planned import INTENT, without_intent
from service.store.processes import is_over
from service.store.tables import EditionRow, SubscriberRow
from service.subscribers.zone import clock_of

CHUNK = 200
HALF_PLANNED = timedelta(minutes=20)
"""Nobody plans for so long: who began has ended."""

KIND = "unplanned"
"""Of the alarm about a press that was not completed; its key is that of the press."""


@dataclass(frozen=True, slots=True)
class Act:
    """A press for today's digest or for alerts. began: when it was planned first, also where a
    crash broke it off."""

    plan: Plan
    intent: Intent
    began: datetime


def claim_act(
    session: Session, plan: Plan, intent: Intent, now: datetime, us: int, dead: Sequence[int]
) -> Act | None:
    """Take the key for this process; what a crash broke off a moment ago goes on as it was pressed,
    what it broke off earlier is a new press. None: another process has it. The key stands on a
    draft: its rows go into editions that are there without it."""
    row = editions_store.hold_edition(session, kind=editions_store.DRAFT, slot=plan.key)
    if row is None:
        editions_store.add_edition(
            session, kind=editions_store.DRAFT, slot=plan.key, now=now,
            state=editions_store.DRAFT, created_by=plan.created_by, options={"typed": {}},
        )  # fmt: skip
        row = editions_store.hold_edition(session, kind=editions_store.DRAFT, slot=plan.key)
        assert row is not None
    if is_claimed(session, row, now, us, dead):
        return None
    if is_timely(row.options, now):
        return _take_over(session, row, us)
    act = {
        "planner": us, "began": now.isoformat(), "kind": plan.kind, "body": plan.body,
        "by": plan.created_by, "segment": recorded(plan.segment),
    }  # fmt: skip
    row.options = {**row.options, "act": act, INTENT: intent.as_dict()}
    session.add(row)
    return Act(plan, intent, now)


def take_act(session: Session, key: str, now: datetime, us: int, dead: Sequence[int]) -> Act | None:
    """What a press asked for whose planning broke off. None: there is nothing of this key."""
    row = editions_store.hold_edition(session, kind=editions_store.DRAFT, slot=key)
    if row is None or not row.options.get(INTENT) or is_claimed(session, row, now, us, dead):
        return None
    return _take_over(session, row, us)


def _take_over(session: Session, row: EditionRow, us: int) -> Act:
    act = row.options["act"]
    row.options = {**row.options, "act": {**act, "planner": us}}
    session.add(row)
    plan = Plan(
        kind=next(kind for kind in KINDS if kind == act["kind"]),
        segment=Segment(kind="taken", text=act["segment"]),
        body=act["body"],
        key=row.slot,
        created_by=act["by"],
    )
    return Act(plan, Intent.read(row.options[INTENT]), datetime.fromisoformat(act["began"]))


def forget_act(rt: Runtime, key: str) -> None:
    """A press that broke off and is not completed by itself any more: what it asked for is kept no
    longer, its key is free, and the staff is told. Nothing where a process that lives plans it."""
    us, dead = rt.owner().id, rt.owner().dead()

    def act(session: Session) -> None:
        row = editions_store.hold_edition(session, kind=editions_store.DRAFT, slot=key)
        if row is None or not (kept := row.options.get(INTENT)):
            return
        pressed = row.options["act"]
        if not is_over(session, pressed["planner"], [*dead, us]):
            return
        row.options = {n: v for n, v in without_intent(row.options).items() if n != "act"}
        session.add(row)
        raise_alarm(rt, session, _alarm(rt, key, pressed, kept))

    rt.db.write(act, Priority.MAIL)


def _alarm(rt: Runtime, key: str, pressed: Mapping[str, Any], kept: Mapping[str, Any]) -> Alarm:
    is_daily = pressed["kind"] == "daily"
    name = "Today's digest, sent by hand" if is_daily else "Alerts that were sent by hand"
    began = datetime.fromisoformat(pressed["began"]).astimezone(clock_of(rt.zone))
    why = kept.get("fault") or "nothing ran for more than an hour, and it is not taken up so late"
    again = "Today's digest, for those who missed it" if is_daily else "An alert now"
    return Alarm(
        kind=KIND,
        key=key,
        what=f"{name} on {began:%d %B %H:%M}, broke off while it was planned: {why}.",
        place=f"{kept['mails']:,} mails were confirmed; who was planned by then has, or gets, one",
        next_step=f"For the others send it again, or let it be: on /admin/send, {again}. Its check "
        "says how many they are; nobody gets it twice.",
    )


def is_claimed(
    session: Session, draft: EditionRow | None, now: datetime, us: int, dead: Sequence[int]
) -> bool:
    """Whether another process plans the send of a draft just now, or has a moment ago."""
    act = draft.options.get("act") if draft is not None else None
    if not act or act["planner"] == us or is_over(session, act["planner"], dead):
        return False
    return now - datetime.fromisoformat(act["began"]) < HALF_PLANNED


def start_act(rt: Runtime, act: Act) -> Started:
    """Plan today's digest, or the alerts, of a press; the same again plans what is left of it."""
    return _start_daily(rt, act) if act.plan.kind == "daily" else _start_alerts(rt, act)


def _start_daily(rt: Runtime, act: Act) -> Started:
    """Plan today's digest for those of the audience who have not had it."""
    plan, intent = act.plan, act.intent
    until = intent.pressed + intent.wait if intent.wait else None
    planned = 0
    dates: dict[date, int] = {}
    chosen = set(intent.ids)
    free, _waiting = rt.db.read(lambda s: released_readers(rt, s, None, None, intent.pressed))
    readers = [pair for pair in free if pair[0] in chosen]
    for start in range(0, len(readers), CHUNK):
        part = readers[start : start + CHUNK]
        planned += rt.db.write(
            lambda s, p=part: _plan_today(rt, s, p, dates, until, plan.created_by),  # type: ignore[misc]
            Priority.MAIL,
        )
    for meant, edition_id in sorted(dates.items()):
        compose_planned(rt, edition_id, meant, note=plan.body, by_hand=True)
    ids = [edition_id for _, edition_id in sorted(dates.items())]
    mails = rt.db.write(lambda s: _note_act(s, act, ids, until, rt.clock()), Priority.WEB)
    return Started(
        edition_id=max(ids, key=lambda i: mails.get(i, 0), default=0),
        planned=planned,
        mails=sum(mails.values()),
        until=until,
        editions=tuple(ids),
    )


def _plan_today(
    rt: Runtime,
    session: Session,
    part: Sequence[Due],
    dates: dict[date, int],
    until: datetime | None,
    created_by: str,
) -> int:
    now = rt.clock()
    deadline = timedelta(hours=rt.defaults().digest_deadline_hours)
    planned: dict[int, list[int]] = {}
    by_date: dict[date, list[SubscriberRow]] = {}
    for row, meant in still_active(session, part):
        by_date.setdefault(meant, []).append(row)
    for meant, rows in sorted(by_date.items()):
        edition = digest_edition(session, meant, now, created_by)
        assert edition.id is not None
        dates[meant] = edition.id
        made = plan_readers(
            rt, session, edition, rows, kind="digest", now=now, deadline=deadline, reopen=True
        )
        planned[edition.id] = sorted(made.values())
    if until is not None:
        for edition_id, ids in planned.items():
            audience_store.set_wait(session, edition_id, until, ids=ids)
    return sum(len(ids) for ids in planned.values())


def _note_act(
    session: Session, act: Act, editions: Sequence[int], until: datetime | None, now: datetime
) -> dict[int, int]:
    """Keep the key on the editions, so that the same press is known again, and the record; what the
    press asked for is kept no more."""
    plan, mails = act.plan, {}
    for edition_id in sorted(editions):
        edition = editions_store.hold_number(session, edition_id)
        assert edition is not None
        acts = dict(edition.options.get("acts", {}))
        acts[plan.key] = {
            "by": plan.created_by,
            "began": act.began.isoformat(),
            "until": until.isoformat() if until else "",
        }
        editions_store.set_edition(session, edition_id, options={**edition.options, "acts": acts})
        states = editions_store.count_states(session, edition_id)
        mails[edition_id] = states.get("ready", 0)
    row = editions_store.hold_edition(session, kind=editions_store.DRAFT, slot=plan.key)
    if row is not None:
        row.options = without_intent(row.options)
        if not editions:  # nobody was to get anything: the key is free
            row.options = {name: value for name, value in row.options.items() if name != "act"}
        session.add(row)
    if editions:
        audit_edition(
            session, now, max(editions, key=lambda i: mails[i]), plan.created_by,
            f"send {plan.kind}", address=act.intent.address,
            after={
                "key": plan.key,
                "segment": recorded(plan.segment)[:500],
                "mails": sum(mails.values()),
            },
        )  # fmt: skip
    return mails


def _start_alerts(rt: Runtime, act: Act) -> Started:
    """An alert now for those of the audience for whom something waits, and who had none since it
    was pressed."""
    plan = act.plan
    had = rt.db.read(lambda s: alerts_store.list_alerted(s, act.intent.ids, act.began))
    editions: dict[int, None] = dict.fromkeys(had.values())
    planned = len(had)
    left = [i for i in act.intent.ids if i not in had]
    # everybody with an alert is planned in one pass, a part of them one by one
    keys: list[str | None] = [None]
    if plan.segment.kind != "all":
        people = rt.db.read(lambda s: audience_store.list_people(s, left))
        keys = [one.email_key for one in people]
    for key in keys:
        report = plan_alerts(rt, email_key=key, forced=True, created_by=plan.created_by)
        planned += report.planned
        editions.update(dict.fromkeys(report.editions))
    ids = list(editions)
    rt.db.write(lambda s: _note_act(s, act, ids, None, rt.clock()), Priority.WEB)
    return Started(
        edition_id=ids[0] if ids else 0, planned=planned, mails=planned, editions=tuple(ids)
    )


def undo_daily(rt: Runtime, edition_id: int, key: str, *, by: str, address: str = "") -> int:
    """Take back a daily begun by hand, within its undo window: as if it was never pressed.

    Returns how many mails were taken back. Raises ManualError when the window is over.
    """
    edition = rt.db.read(lambda s: editions_store.get_edition(s, id=edition_id))
    act = edition.options.get("acts", {}).get(key) if edition is not None else None
    if act is None or not act["until"] or rt.clock() >= datetime.fromisoformat(act["until"]):
        raise ManualError("The time to take it back is over.", "", "Pause or cancel the edition.")
    until, began = datetime.fromisoformat(act["until"]), datetime.fromisoformat(act["began"])

    def back(session: Session) -> int:
        ids = [
            e.id
            for e in editions_store.list_editions(session, kinds=["digest"], limit=60)
            if e.id is not None and key in e.options.get("acts", {})
        ]
        n = audience_store.take_back(session, ids, until, began)
        _forget_act(session, ids, key)
        row = editions_store.hold_edition(session, kind=editions_store.DRAFT, slot=key)
        if row is not None:
            row.options = {n: v for n, v in row.options.items() if n != "act"}
            session.add(row)
        audit_edition(
            session, rt.clock(), edition_id, by, "undo send",
            after={"taken_back": n}, address=address,
        )  # fmt: skip
        return n

    return rt.db.write(back, Priority.WEB)


def _forget_act(session: Session, editions: Sequence[int], key: str) -> None:
    for edition_id in sorted(editions):
        edition = editions_store.hold_number(session, edition_id)
        assert edition is not None
        acts = {k: v for k, v in edition.options.get("acts", {}).items() if k != key}
        editions_store.set_edition(session, edition_id, options={**edition.options, "acts": acts})
