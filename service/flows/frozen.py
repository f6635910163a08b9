"""A frozen edition, of chosen papers or a newsletter: all rows are planned first, then it goes."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any, cast

from service.delivery.states import State
from service.digest.candidate import Candidate as PaperCandidate
from service.digest.candidate import Interest
from service.digest.model import Digest
from service.digest.select import compose
from service.flows.audience import Audience, ManualError, Plan, Started, papers_left
from service.flows.freeze import content_of, framed
from service.flows.planning import reader_values
from service.flows.runtime import Runtime
from service.flows.segment import recorded
from service.flows.shelf import place_of
from service.flows.staff import audit_edition
from service.flows.timing import own_hours
from service.store import contents as contents_store
from service.store import editions as editions_store
from service.store import papers as papers_store
from service.store import planned as planned_store
from service.store import sent as sent_store
from service.store import sightings as sightings_store
from service.store import subscribers as subscribers_store
from service.store.db import Priority, Session
from service.store.processes import is_over
from service.store.tables import EditionRow, SubscriberRow
from service.store.twins import current_ids
from service.subscribers.cadence import local_date
from service.text.markdown import markdown_to_html

FROZEN = ("manual", "newsletter")
CHUNK = 200
HALF_PLANNED = timedelta(minutes=20)
"""Nobody plans for so long: who began has ended."""

Content = Callable[[Session, SubscriberRow, tuple[int, ...]], dict[str, Any] | None]


def start_frozen(
    rt: Runtime, plan: Plan, audience: Audience, wait: timedelta, address: str
) -> Started | None:
    """Plan every row, then let the edition go. None: another process plans it just now."""
    now = rt.clock()
    us, dead = rt.owner().id, rt.owner().dead()
    edition_id = rt.db.write(lambda s: _claim(rt, s, plan, audience, now, us, dead), Priority.MAIL)
    if edition_id is None:
        return None
    begin = plan.at or now + wait
    work = _Work(
        rt, plan, edition_id, begin, _contents(rt, plan, now), _held_back(rt, plan, audience)
    )
    for name, ids in audience.groups.items():
        for at in range(0, len(ids), CHUNK):
            part = ids[at : at + CHUNK]
            rt.db.write(lambda s, n=name, p=part: work.plan_part(s, n, p), Priority.BULK)  # type: ignore[misc]
    # the whole time to take it back, however long it was being planned
    until = plan.at or (rt.clock() + wait if wait else None)
    planned = rt.db.write(
        lambda s: _release(rt, s, plan, work, audience.mails, until, address), Priority.MAIL
    )
    return Started(
        edition_id=edition_id,
        planned=planned,
        mails=audience.mails,
        until=until,
        editions=(edition_id,),
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


def _is_left(session: Session, edition: EditionRow, now: datetime, dead: Sequence[int]) -> bool:
    """Whether whoever planned it has ended before it was planned to its end."""
    planner = int(edition.options.get("planner", 0))
    return now - edition.opened_at > HALF_PLANNED or is_over(session, planner, dead)


def _claim(
    rt: Runtime,
    session: Session,
    plan: Plan,
    audience: Audience,
    now: datetime,
    us: int,
    dead: Sequence[int],
) -> int | None:
    """The edition, paused until every row of it is planned; None where another process plans it."""
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
        },
    }
    if plan.segment.kind == "late":
        values["options"]["late_of"] = plan.segment.edition_id
    draft = editions_store.hold_edition(session, kind=editions_store.DRAFT, slot=plan.key)
    edition = editions_store.hold_edition(session, kind=plan.kind, slot=plan.key)
    if edition is None and draft is not None:
        if plan.segment.keys is not None:  # the addresses were for this send alone
            typed = {k: v for k, v in draft.options.get("typed", {}).items() if k != "value"}
            values["options"] |= {"typed": typed, "draft": {}}
        return editions_store.begin_draft(session, draft, opened_at=now, **values).id
    is_new = False
    if edition is None:
        edition, is_new = editions_store.add_edition(session, slot=plan.key, now=now, **values)
    if is_new:
        return edition.id
    mine = int(edition.options.get("planner", 0)) == us
    if edition.planned is not None or not (mine or _is_left(session, edition, now, dead)):
        return None
    edition.options = {**edition.options, "planner": us}
    session.add(edition)
    return edition.id


def _hold(session: Session, edition_id: int) -> EditionRow:
    """The edition that is being planned; nobody cancels it before this part is written. Raises
    ManualError: somebody has."""
    edition = editions_store.hold_number(session, edition_id)
    if edition is None or edition.state == "cancelled":
        raise ManualError(
            f"Edition {edition_id} was cancelled while it was planned.",
            "",
            "Nothing of it goes. Send it again as a new one.",
        )
    return edition


def _release(
    rt: Runtime,
    session: Session,
    plan: Plan,
    work: "_Work",
    mails: int,
    until: datetime | None,
    address: str,
) -> int:
    """``planned`` is written last, with it the edition may go."""
    edition = _hold(session, work.edition_id)
    planned = sum(editions_store.count_states(session, work.edition_id).values())
    values: dict[str, Any] = {}
    after: dict[str, Any] = {
        "key": plan.key, "segment": recorded(plan.segment)[:500], "mails": mails,
    }  # fmt: skip
    if plan.at is not None:
        timing: dict[str, Any] = {"at": plan.at.isoformat()}
    elif plan.own_hour:
        timing = {"own_hour": True, "last": work.last.isoformat()}
        values["closes_at"] = work.last + timedelta(hours=rt.defaults().digest_deadline_hours + 1)
    else:
        timing = {}
    if timing:
        values["options"] = {**edition.options, "timing": timing}
        after["timing"] = timing
    editions_store.set_edition(
        session, work.edition_id, planned=planned, paused=False, not_before=until, **values
    )
    audit_edition(
        session, rt.clock(), work.edition_id, plan.created_by, f"send {plan.kind}",
        after=after, address=address,
    )  # fmt: skip
    return planned


def _held_back(rt: Runtime, plan: Plan, audience: Audience) -> frozenset[int]:
    """Readers who wait until the canary was looked at."""
    if not plan.canary:
        return frozenset()
    return frozenset(audience.groups.get("mails", ())[rt.defaults().canary :])


@dataclass
class _Work:
    """What the parts of one edition share. begin: before then nothing goes · last: the latest
    instant at which a mail of it begins."""

    rt: Runtime
    plan: Plan
    edition_id: int
    begin: datetime
    content: Content
    held_back: frozenset[int]
    last: datetime = field(init=False)

    def __post_init__(self) -> None:
        self.last = self.begin

    def plan_part(self, session: Session, group: str, ids: Sequence[int]) -> None:
        """The rows of some readers of one group of the equation; who has a row keeps it."""
        rt, plan, now = self.rt, self.plan, self.rt.clock()
        edition = _hold(session, self.edition_id)
        left: dict[int, tuple[int, ...]] = {}
        if plan.kind == "manual" and group == "mails":
            sent_store.hold_readers(session, ids, wait=True)
            left = papers_left(session, plan, ids)
        readers = subscribers_store.list_subscriber_rows(session, ids=ids)
        begins = own_hours(readers, self.begin) if plan.own_hour and group == "mails" else {}
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

    def _of(self, reader: SubscriberRow, group: str, at: datetime | None) -> dict[str, Any]:
        state, reason = State.SKIPPED, group
        if group == "refused":
            state, reason = (
                State.SUPPRESSED, "bounced" if reader.state == "bounced" else "suppressed",
            )  # fmt: skip
        elif group == "mails":
            state, reason = State.READY, ""
        deadline = (at or self.begin) + timedelta(hours=self.rt.defaults().digest_deadline_hours)
        return {
            "kind": self.plan.kind,
            "state": str(state),
            "reason": reason,
            "deadline_at": deadline,
            # also where the edition waits: what is to come has not waited since it was planned
            "not_before": deadline if reader.id in self.held_back else at or self.plan.at,
        }


def _contents(rt: Runtime, plan: Plan, now: datetime) -> Content:
    """What a reader gets: the same value for the same papers and style, made once."""
    if plan.kind == "newsletter":
        letter = newsletter_content(plan)
        return lambda _session, _row, _left: letter
    cache: dict[tuple[tuple[int, ...], str], dict[str, Any]] = {}

    def made(session: Session, row: SubscriberRow, left: tuple[int, ...]) -> dict[str, Any] | None:
        if not left:
            return None
        key = (left, row.style)
        if key not in cache:
            cache[key] = content_of(chosen_digest(rt, session, plan, left, row.style, now))
        return cache[key]

    return made


def newsletter_content(plan: Plan) -> dict[str, Any]:
    """What the row of a newsletter holds."""
    data = {"title": plan.subject, "html": markdown_to_html(plan.body), "text": plan.body}
    return {"notice": "newsletter", "data": data, "papers": []}


def chosen_digest(
    rt: Runtime, session: Session, plan: Plan, papers: Sequence[int], style: str, now: datetime
) -> Digest:
    """The digest of chosen papers, in the editor's order."""
    papers = list(dict.fromkeys(current_ids(session, papers).values()))
    rows = papers_store.get_rows(session, papers)
    # hidden since the edition was begun; where all are, the sweep skips its mails (flows/hidden)
    papers = [i for i in papers if i in rows and not rows[i][0].quarantined] or papers
    sightings = sightings_store.list_sightings(session, papers)
    found = []
    for place, paper_id in enumerate(papers):
        if paper_id not in rows:
            continue
        paper = papers_store.to_paper(*rows[paper_id])
        seen = sightings.get(paper_id, [])
        found.append(
            PaperCandidate(
                paper=paper,
                profile_id=0,
                score=float(len(papers) - place),
                listed_on=seen[0][2] if seen else None,
                place=place_of(paper, seen),
            )
        )
    made = compose(
        "manual",
        local_date(now, rt.zone),
        [Interest(0, "", "chosen")],
        found,
        checked=len(found),
        limits=rt.defaults(),
        style=cast(Any, style),
        note=plan.body,
    )
    if not isinstance(made, Digest):
        raise ManualError("None of the chosen papers is stored any more.", "papers")
    return replace(made, subject=plan.subject)
