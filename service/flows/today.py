"""Today's digest, or alerts, begun by hand: rows of the editions that the clock fills too."""

from collections.abc import Sequence
from datetime import date, datetime, timedelta

from service.flows.alerts import plan_alerts
from service.flows.audience import Audience, ManualError, Plan, Started
from service.flows.compose import compose_planned
from service.flows.daily import Due, released_readers, still_active
from service.flows.planning import digest_edition, plan_readers
from service.flows.runtime import Runtime
from service.flows.segment import recorded
from service.flows.staff import audit_edition
from service.store import audience as audience_store
from service.store import editions as editions_store
from service.store import subscribers as subscribers_store
from service.store.db import Priority, Session
from service.store.processes import is_over
from service.store.tables import EditionRow, SubscriberRow

CHUNK = 200
HALF_PLANNED = timedelta(minutes=20)
"""Nobody plans for so long: who began has ended."""


def claim_act(
    session: Session, plan: Plan, now: datetime, us: int, dead: Sequence[int]
) -> datetime | None:
    """Take the key for this process; returns when its planning began first. None: another process
    has it. The key stands on a draft: its rows go into editions that are there without it."""
    row = editions_store.hold_edition(session, kind=editions_store.DRAFT, slot=plan.key)
    if row is None:
        editions_store.add_edition(
            session, kind=editions_store.DRAFT, slot=plan.key, now=now,
            state=editions_store.DRAFT, created_by=plan.created_by, options={"typed": {}},
        )  # fmt: skip
        row = editions_store.hold_edition(session, kind=editions_store.DRAFT, slot=plan.key)
        assert row is not None
    act = row.options.get("act", {})
    began = datetime.fromisoformat(act["began"]) if act else now
    if is_claimed(session, row, now, us, dead):
        return None
    row.options = {**row.options, "act": {"planner": us, "began": began.isoformat()}}
    session.add(row)
    return began


def is_claimed(
    session: Session, draft: EditionRow | None, now: datetime, us: int, dead: Sequence[int]
) -> bool:
    """Whether another process plans the send of a draft just now."""
    act = draft.options.get("act") if draft is not None else None
    if not act or act["planner"] == us or is_over(session, act["planner"], dead):
        return False
    return now - datetime.fromisoformat(act["began"]) < HALF_PLANNED


def start_daily(
    rt: Runtime,
    plan: Plan,
    audience: Audience,
    wait: timedelta,
    began: datetime,
    address: str,
) -> Started:
    """Plan today's digest for those of the audience who have not had it. began: when this act was
    begun first, if a crash broke it off."""
    now = rt.clock()
    until = now + wait if wait else None
    planned = 0
    dates: dict[date, int] = {}
    chosen = {i for ids in audience.groups.values() for i in ids}
    free, _waiting = rt.db.read(lambda s: released_readers(rt, s, None, None))
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
    mails = rt.db.write(
        lambda s: _note_act(s, plan, ids, began, until, rt.clock(), address), Priority.WEB
    )
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
    session: Session,
    plan: Plan,
    editions: Sequence[int],
    began: datetime,
    until: datetime | None,
    now: datetime,
    address: str,
) -> dict[int, int]:
    """Keep the key on the editions, so that the same press is known again, and the record."""
    mails = {}
    for edition_id in editions:
        edition = editions_store.get_edition(session, id=edition_id)
        assert edition is not None
        acts = dict(edition.options.get("acts", {}))
        acts[plan.key] = {
            "by": plan.created_by,
            "began": began.isoformat(),
            "until": until.isoformat() if until else "",
        }
        editions_store.set_edition(session, edition_id, options={**edition.options, "acts": acts})
        states = editions_store.count_states(session, edition_id)
        mails[edition_id] = states.get("ready", 0)
    if editions:
        audit_edition(
            session, now, max(editions, key=lambda i: mails[i]), plan.created_by,
            f"send {plan.kind}", address=address,
            after={
                "key": plan.key,
                "segment": recorded(plan.segment)[:500],
                "mails": sum(mails.values()),
            },
        )  # fmt: skip
    return mails


def start_alerts(
    rt: Runtime, plan: Plan, audience: Audience, began: datetime, address: str
) -> Started:
    """An alert now for those of the audience for whom something waits."""
    wanted = sorted(audience.groups.get("mails", ()))
    editions: dict[int, None] = {}
    planned = 0
    rows = rt.db.read(lambda s: subscribers_store.list_subscriber_rows(s, ids=wanted))
    # everybody with an alert is planned in one pass, a part of them one by one
    keys = [None] if plan.segment.kind == "all" else [row.email_key for row in rows]
    for key in keys:
        report = plan_alerts(rt, email_key=key, forced=True, created_by=plan.created_by)
        planned += report.planned
        editions.update(dict.fromkeys(report.editions))
    ids = list(editions)
    rt.db.write(lambda s: _note_act(s, plan, ids, began, None, rt.clock(), address), Priority.WEB)
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
    for edition_id in editions:
        edition: EditionRow | None = editions_store.get_edition(session, id=edition_id)
        assert edition is not None
        acts = {k: v for k, v in edition.options.get("acts", {}).items() if k != key}
        editions_store.set_edition(session, edition_id, options={**edition.options, "acts": acts})
