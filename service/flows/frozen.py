"""A frozen edition, of chosen papers or a newsletter: all rows are planned first, then it goes."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from service.delivery.states import State
from service.flows.audience import (
    KINDS,
    Audience,
    ManualError,
    Plan,
    Started,
    count_again,
    equation,
    papers_left,
)
from service.flows.chosen import Content, contents_of
from service.flows.freeze import framed
from service.flows.intent import Intent, intent_of, is_timely
from service.flows.planning import reader_values
from service.flows.runtime import Runtime
from service.flows.segment import Segment, recorded
from service.flows.staff import audit_edition
from service.flows.timing import hours_of, own_hours
from service.store import contents as contents_store
from service.store import editions as editions_store
from service.store import planned as planned_store
from service.store import send_times
from service.store import sent as sent_store
from service.store import subscribers as subscribers_store
from service.store.db import Priority, Session
from service.store.half_planned import INTENT, hold_planning, without_intent
from service.store.processes import is_over
from service.store.tables import EditionRow, SubscriberRow

FROZEN = ("manual", "newsletter")
CHUNK = 200
HALF_PLANNED = timedelta(minutes=20)
"""Nobody plans for so long: who began has ended."""


def start_frozen(
    rt: Runtime, plan: Plan, audience: Audience, wait: timedelta, address: str
) -> Started | None:
    """Plan every row, then let the edition go. None: another process plans it just now."""
    us, canary = rt.owner().id, rt.defaults().canary
    intent = intent_of(plan, audience, wait, address, rt.clock(), canary)
    edition_id = rt.db.write(lambda s: _claim(rt, s, plan, audience, intent, us), Priority.MAIL)
    if edition_id is None:
        return None
    return _plan_all(rt, plan, audience, intent, edition_id, us)


def complete_frozen(rt: Runtime, edition_id: int, gone: Sequence[int]) -> Started | None:
    """Plan the rest of an edition whose planning broke off, for the readers it was confirmed for,
    and let it go. gone: processes that plan nothing any more. None: there is nothing to complete.
    """
    us, now = rt.owner().id, rt.clock()
    found = rt.db.write(lambda s: _take_over(s, edition_id, now, us, gone), Priority.MAIL)
    if found is None:
        return None
    plan, intent = found
    audience = count_again(rt, plan, intent.ids)
    return _plan_all(rt, plan, audience, intent, edition_id, us, again=True)


def _plan_all(
    rt: Runtime,
    plan: Plan,
    audience: Audience,
    intent: Intent,
    edition_id: int,
    us: int,
    *,
    again: bool = False,
) -> Started:
    """again: some rows may have been planned before, perhaps days ago."""
    now = rt.clock()
    first = None if intent.first is None else frozenset(intent.first)
    # one whose instant passed while nobody planned it begins now, and expires as much later
    ahead = plan.at if plan.at is not None and plan.at > now else None
    begin = ahead or now + intent.wait
    work = _Work(rt, plan, edition_id, us, begin, contents_of(rt, plan, now), first)
    for name, ids in audience.groups.items():
        for at in range(0, len(ids), CHUNK):
            part = ids[at : at + CHUNK]
            rt.db.write(lambda s, n=name, p=part: work.plan_part(s, n, p), Priority.BULK)  # type: ignore[misc]
    # the whole time to take it back, however long it was being planned
    until = ahead or (rt.clock() + intent.wait if intent.wait else None)
    planned, mails = rt.db.write(
        lambda s: _release(rt, s, plan, work, intent, until, again=again), Priority.MAIL
    )
    return Started(
        edition_id=edition_id, planned=planned, mails=mails, until=until, editions=(edition_id,)
    )


def find_frozen(
    session: Session, kind: str, key: str, now: datetime, dead: Sequence[int]
) -> EditionRow | None:
    """The edition of a key that was planned to its end, or that somebody plans just now."""
    edition = editions_store.get_edition(session, kind=kind, slot=key)
    if edition is None or (edition.planned is None and _is_left(session, edition, now, dead)):
        return None
    return edition


def is_being_planned(
    session: Session, edition: EditionRow, now: datetime, dead: Sequence[int]
) -> bool:
    """Whether rows of it are still being written. dead: processes that are gone."""
    return (
        edition.planned is None
        and edition.kind in FROZEN
        and edition.state == "open"
        and not _is_left(session, edition, now, dead)
    )


def is_completed(edition: EditionRow, now: datetime) -> bool:
    """Whether its planning, if it broke off, is soon completed by itself. Where that has not been
    done for twenty minutes, a person is asked instead (``settle.uneven``)."""
    return (
        edition.planned is None
        and edition.kind in FROZEN
        and edition.state == "open"
        and now - edition.opened_at < HALF_PLANNED
        and is_timely(edition.options, now)
    )


def _is_left(session: Session, edition: EditionRow, now: datetime, dead: Sequence[int]) -> bool:
    """Whether whoever planned it has ended before it was planned to its end."""
    planner = int(edition.options.get("planner", 0))
    return now - edition.opened_at > HALF_PLANNED or is_over(session, planner, dead)


def _claim(
    rt: Runtime, session: Session, plan: Plan, audience: Audience, intent: Intent, us: int
) -> int | None:
    """The edition, paused until every row of it is planned; None where it is there already."""
    now = intent.pressed
    values: dict[str, Any] = {
        "kind": plan.kind,
        "paused": True,
        "closes_at": (plan.at or now) + timedelta(hours=rt.defaults().digest_deadline_hours + 1),
        "title": plan.subject,
        "created_by": plan.created_by,
        "options": {
            "segment": recorded(plan.segment)[:2000],
            "papers": list(plan.papers),
            "body": plan.body,
            "equation": audience.equation(),
            "canary": rt.defaults().canary if plan.canary else 0,
            "planner": us,
            "readers": audience.readers,
            INTENT: intent.as_dict(),
        },
    }
    if plan.segment.kind == "late":
        values["options"]["late_of"] = plan.segment.edition_id
    draft = editions_store.hold_edition(session, kind=editions_store.DRAFT, slot=plan.key)
    edition = editions_store.hold_edition(session, kind=plan.kind, slot=plan.key)
    if edition is not None:
        return None
    if draft is not None:
        if plan.segment.keys is not None:  # the addresses were for this send alone
            typed = {k: v for k, v in draft.options.get("typed", {}).items() if k != "value"}
            values["options"] |= {"typed": typed, "draft": {}}
        return editions_store.begin_draft(session, draft, opened_at=now, **values).id
    edition, is_new = editions_store.add_edition(session, slot=plan.key, now=now, **values)
    return edition.id if is_new else None


def _take_over(
    session: Session, edition_id: int, now: datetime, us: int, gone: Sequence[int]
) -> tuple[Plan, Intent] | None:
    """What a press asked for whose planning broke off; from now on it is planned here."""
    edition = editions_store.hold_number(session, edition_id)
    if edition is None or edition.planned is not None or edition.state != "open":
        return None
    kept = edition.options.get(INTENT)
    if not kept or not _is_left(session, edition, now, gone):
        return None
    edition.options = {**edition.options, "planner": us}
    session.add(edition)
    intent = Intent.read(kept)
    plan = Plan(
        kind=next(kind for kind in KINDS if kind == edition.kind),
        segment=Segment(text=str(edition.options["segment"])),
        papers=tuple(edition.options["papers"]),
        subject=edition.title,
        body=str(edition.options["body"]),
        key=edition.slot,
        created_by=edition.created_by,
        canary=intent.first is not None,
        at=intent.at,
        own_hour=intent.own_hour,
    )
    return plan, intent


def _hold(session: Session, edition_id: int, us: int) -> None:
    """Nobody cancels or takes over the edition before this part of it is written. Raises
    ManualError: somebody has."""
    found = hold_planning(session, edition_id)
    if found is None or found.state == "cancelled":
        raise ManualError(
            f"Edition {edition_id} was cancelled while it was planned.",
            "",
            "Nothing of it goes. Send it again as a new one.",
        )
    if found.planner != us:
        raise ManualError(f"Edition {edition_id} is planned by another process.")
    if not found.is_wanted:
        raise ManualError(
            f"Edition {edition_id} was being planned when somebody said that this database is a "
            "copy, or was restored.",
            "",
            "Nothing of it goes. Cancel it, and send it again as a new one.",
        )


def _release(
    rt: Runtime,
    session: Session,
    plan: Plan,
    work: "_Work",
    intent: Intent,
    until: datetime | None,
    *,
    again: bool,
) -> tuple[int, int]:
    """``planned`` is written last, with it the edition may go: (rows, mails). The equation is that
    of the rows: somebody may have become another since they were counted."""
    _hold(session, work.edition_id, work.us)
    if again:
        work.set_times(session)
    edition = editions_store.hold_number(session, work.edition_id)
    assert edition is not None
    states = editions_store.count_states(session, work.edition_id)
    planned, refused = sum(states.values()), states.get(State.SUPPRESSED, 0)
    skipped = editions_store.count_reasons(session, work.edition_id, State.SKIPPED)
    mails = planned - refused - sum(skipped.values())
    timing: dict[str, Any] = {}
    if plan.at is not None:
        timing = {"at": plan.at.isoformat()}
    elif plan.own_hour:
        first = work.soonest or work.begin
        timing = {"own_hour": True, "first": first.isoformat(), "last": work.last.isoformat()}
    options = without_intent(edition.options) | ({"timing": timing} if timing else {})
    options |= {
        "equation": equation(planned, {**skipped, "refused": refused, "mails": mails}),
        "readers": planned,
    }
    is_paused = bool(edition.options[INTENT]["paused"])
    editions_store.set_edition(
        session, work.edition_id, planned=planned, paused=is_paused, not_before=until,
        options=options,
        closes_at=work.last + timedelta(hours=rt.defaults().digest_deadline_hours + 1),
    )  # fmt: skip
    after: dict[str, Any] = {
        "key": plan.key, "segment": recorded(plan.segment)[:500], "mails": mails,
    }  # fmt: skip
    if mails != intent.mails:
        after["confirmed"] = intent.mails
    if timing:
        after["timing"] = timing
    audit_edition(
        session, rt.clock(), work.edition_id, plan.created_by, f"send {plan.kind}",
        after=after, address=intent.address,
    )  # fmt: skip
    return planned, mails


@dataclass
class _Work:
    """What the parts of one edition share. begin: before then nothing goes · first: readers who go
    before a person looked, None where all do · soonest: the first own hour, None without one ·
    last: the latest instant at which a mail begins."""

    rt: Runtime
    plan: Plan
    edition_id: int
    us: int
    begin: datetime
    content: Content
    first: frozenset[int] | None
    soonest: datetime | None = None
    last: datetime = field(init=False)

    def __post_init__(self) -> None:
        self.last = self.begin

    def plan_part(self, session: Session, group: str, ids: Sequence[int]) -> None:
        """The rows of some readers of one group of the equation; who has a row keeps it."""
        rt, plan, now = self.rt, self.plan, self.rt.clock()
        _hold(session, self.edition_id, self.us)
        edition = EditionRow(id=self.edition_id, kind=plan.kind, slot=plan.key, opened_at=now)
        left: dict[int, tuple[int, ...]] = {}
        if plan.kind == "manual" and group == "mails":
            sent_store.hold_readers(session, ids, wait=True)
            left = papers_left(session, plan, ids)
        readers = subscribers_store.list_subscriber_rows(session, ids=ids)
        begins = own_hours(readers, self.begin) if plan.own_hour and group == "mails" else {}
        self.soonest = min(filter(None, [self.soonest, *begins.values()]), default=None)
        self.last = max([self.last, *begins.values()])
        values = [
            reader_values(rt, edition, reader, now)
            | self._of(reader, group, begins.get(reader.id or 0))
            for reader in readers
        ]
        people = [(v["recipient_key"], v["subscriber_id"], v["message_id"]) for v in values]
        taken: set[object] = set()
        for one in planned_store.list_there(session, self.edition_id, people):
            taken |= {one.recipient_key, one.message_id, one.subscriber_id}
        new = [
            (reader, row)
            for reader, row in zip(readers, values, strict=True)
            if not taken & {row["recipient_key"], row["message_id"], reader.id}
        ]
        made = {
            reader.id: framed(found, reader)
            for reader, _ in new
            if group == "mails"
            and (found := self.content(session, reader, left.get(reader.id or 0, ())))
        }
        held = dict(zip(made, contents_store.put(session, [*made.values()]), strict=True))
        nothing: dict[str, Any] = {"content_id": None, "own": {}}
        rows = []
        for reader, row in new:
            if group == "mails" and reader.id not in held:  # taken by another mail meanwhile
                row |= {"state": str(State.SKIPPED), "reason": "already_had", "not_before": None}
            rows.append(row | held.get(reader.id, nothing))
        planned_store.add_deliveries(session, rows)

    def set_times(self, session: Session) -> None:
        """All mails begin, and expire, as if they had been planned now."""
        if self.plan.own_hour:
            hours = hours_of(send_times.list_untried(session, self.edition_id), self.begin)
            send_times.set_hours(session, hours, self._tried_for)
            self.soonest, self.last = min(hours, default=None), max([self.begin, *hours])
        else:
            deadline = self.begin + self._tried_for
            send_times.set_begin(session, self.edition_id, self.plan.at, deadline)

    @property
    def _tried_for(self) -> timedelta:
        return timedelta(hours=self.rt.defaults().digest_deadline_hours)

    def _of(self, reader: SubscriberRow, group: str, at: datetime | None) -> dict[str, Any]:
        state, reason = State.SKIPPED, group
        if group == "refused":
            state, reason = (
                State.SUPPRESSED,
                reader.state if reader.state in ("bounced", "left") else "suppressed",
            )
        elif group == "mails":
            state, reason = State.READY, ""
        waits = group == "mails" and self.first is not None and reader.id not in self.first
        deadline = (at or self.begin) + self._tried_for
        return {
            "kind": self.plan.kind,
            "state": str(state),
            "reason": reason,
            "deadline_at": deadline,
            # also where the edition waits: what is to come has not waited since it was planned
            "not_before": deadline + send_times.BEYOND if waits else at or self.plan.at,
        }
