"""Sending by hand: who would get what (an equation that balances), then one frozen edition.

The same ledger, composing and sending as the daily. The same key twice is the same edition.
"""

import threading
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any, cast

from service.delivery.states import State
from service.digest.candidate import Candidate as PaperCandidate
from service.digest.candidate import Interest
from service.digest.model import Digest
from service.digest.select import compose
from service.flows.audience import (
    KINDS,
    Audience,
    CountError,
    ManualError,
    Plan,
    Started,
    count,
    draft,
    papers_left,
)
from service.flows.epoch import need
from service.flows.freeze import content_of, framed
from service.flows.planning import plan_row
from service.flows.runtime import Runtime
from service.flows.segment import recorded
from service.flows.shelf import place_of
from service.flows.staff import audit_edition
from service.flows.today import start_alerts, start_daily, undo_daily
from service.store import contents as contents_store
from service.store import editions as editions_store
from service.store import papers as papers_store
from service.store import sent as sent_store
from service.store import sightings as sightings_store
from service.store import subscribers as subscribers_store
from service.store.db import Priority, Session
from service.store.tables import SubscriberRow
from service.store.twins import current_ids
from service.subscribers.cadence import local_date
from service.text.markdown import markdown_to_html

__all__ = [
    "KINDS",
    "Audience",
    "CountError",
    "ManualError",
    "Plan",
    "Started",
    "count",
    "draft",
    "start",
    "undo_daily",
]

CHUNK = 200

_starting = threading.Lock()


def start(
    rt: Runtime, plan: Plan, *, expected: int, at_once: bool = False, address: str = ""
) -> Started:
    """Plan the edition, all rows first, and let it go (after the undo window unless ``at_once``).

    Raises CountError when the number of mails is not ``expected``: nothing is sent then. The same
    key again returns the same edition, and completes one that a crash left half planned. Raises
    InstanceHeld.
    """
    need(rt)
    with _starting:  # a double click waits here and finds the edition of the first
        there = rt.db.read(lambda s: find_started(s, plan.kind, plan.key))
        if there is not None:
            return there
        audience = count(rt, plan)
        if audience.mails != expected and not _is_half_planned(rt, plan):
            raise CountError(expected, audience.mails)
        wait = timedelta() if at_once else timedelta(minutes=rt.defaults().undo_minutes)
        if plan.kind == "daily":
            made = start_daily(rt, plan, audience, wait)
        elif plan.kind == "alert":
            made = start_alerts(rt, plan, audience)
        else:
            made = _start_frozen(rt, plan, audience, wait)
        rt.db.write(
            lambda s: audit_edition(
                s,
                rt.clock(),
                made.edition_id,
                plan.created_by,
                f"send {plan.kind}",
                after={
                    "key": plan.key,
                    "segment": recorded(plan.segment)[:500],
                    "mails": made.mails,
                },
                address=address,
            ),
            Priority.WEB,
        )
    rt.log("manual", kind=plan.kind, edition=made.edition_id, mails=made.mails)
    rt.engine.enqueue("send")
    return made


def _is_half_planned(rt: Runtime, plan: Plan) -> bool:
    """True when a crash left this key's edition without its last rows: its number was confirmed
    then, and the rows it has look like papers under way now."""
    edition = rt.db.read(lambda s: editions_store.get_edition(s, kind=plan.kind, slot=plan.key))
    return edition is not None and edition.planned is None and edition.kind != "digest"


def find_started(session: Session, kind: str, key: str) -> Started | None:
    """The edition of this key when it was started before (a frozen one: planned to its end)."""
    if kind in ("manual", "newsletter"):
        edition = editions_store.get_edition(session, kind=kind, slot=key)
        if edition is None or edition.planned is None:
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


# ---- a frozen edition: chosen papers, or a newsletter ----


def _start_frozen(rt: Runtime, plan: Plan, audience: Audience, wait: timedelta) -> Started:
    now = rt.clock()
    edition_id = rt.db.write(lambda s: _open(rt, s, plan, audience, now), Priority.MAIL)
    content = _contents(rt, plan, now)
    waiting_for_canary = _held_back(rt, plan, audience)
    for name, ids in audience.groups.items():
        for at in range(0, len(ids), CHUNK):
            part = ids[at : at + CHUNK]
            rt.db.write(
                lambda s, n=name, p=part: _plan_part(  # type: ignore[misc]
                    rt, s, plan, edition_id, n, p, content, now + wait, waiting_for_canary
                ),
                Priority.BULK,
            )
    until = now + wait if wait else None
    planned = rt.db.write(lambda s: _release(s, edition_id, until), Priority.MAIL)
    return Started(
        edition_id=edition_id,
        planned=planned,
        mails=audience.mails,
        until=until,
        editions=(edition_id,),
    )


def _open(rt: Runtime, session: Session, plan: Plan, audience: Audience, now: datetime) -> int:
    """The edition, paused until every row of it is planned."""
    values: dict[str, Any] = {
        "kind": plan.kind,
        "paused": True,
        "closes_at": now + timedelta(hours=rt.defaults().digest_deadline_hours + 1),
        "title": plan.subject,
        "created_by": plan.created_by,
        "options": {
            "segment": recorded(plan.segment)[:2000],
            "papers": list(plan.papers),
            "body": plan.body,
            "equation": audience.equation(),
            "canary": rt.defaults().canary if plan.canary else 0,
        },
    }
    edition = editions_store.get_edition(session, kind=plan.kind, slot=plan.key)
    draft = editions_store.get_edition(session, kind=editions_store.DRAFT, slot=plan.key)
    if edition is None and draft is not None:
        if plan.segment.keys is not None:  # the addresses were for this send alone
            typed = {k: v for k, v in draft.options.get("typed", {}).items() if k != "value"}
            values["options"] |= {"typed": typed, "draft": {}}
        edition = editions_store.begin_draft(session, draft, opened_at=now, **values)
    elif edition is None:
        edition, _ = editions_store.add_edition(session, slot=plan.key, now=now, **values)
    assert edition.id is not None
    return edition.id


def _release(session: Session, edition_id: int, until: datetime | None) -> int:
    """``planned`` is written last, with it the edition may go."""
    planned = sum(editions_store.count_states(session, edition_id).values())
    editions_store.set_edition(session, edition_id, planned=planned, paused=False, not_before=until)
    return planned


def _held_back(rt: Runtime, plan: Plan, audience: Audience) -> frozenset[int]:
    """Readers who wait until the canary was looked at."""
    if not plan.canary:
        return frozenset()
    return frozenset(audience.groups.get("mails", ())[rt.defaults().canary :])


def _plan_part(
    rt: Runtime,
    session: Session,
    plan: Plan,
    edition_id: int,
    group: str,
    ids: Sequence[int],
    content: Callable[[Session, SubscriberRow, tuple[int, ...]], dict[str, Any] | None],
    begin: datetime,
    held_back: frozenset[int],
) -> None:
    edition = editions_store.get_edition(session, id=edition_id)
    assert edition is not None
    now = rt.clock()
    deadline = begin - now + timedelta(hours=rt.defaults().digest_deadline_hours)
    left: dict[int, tuple[int, ...]] = {}
    if plan.kind == "manual" and group == "mails":
        sent_store.hold_readers(session, ids, wait=True)
        left = papers_left(session, plan, ids)
    rows = subscribers_store.list_subscriber_rows(session, ids=ids)
    made = {
        row.id: framed(found, row)
        for row in rows
        if group == "mails" and (found := content(session, row, left.get(row.id or 0, ())))
    }
    held = dict(zip(made, contents_store.put(session, [*made.values()]), strict=True))
    for row in rows:
        assert row.id is not None
        state, reason = State.SKIPPED, group
        if group == "refused":
            state, reason = State.SUPPRESSED, "bounced" if row.state == "bounced" else "suppressed"
        elif group == "mails":
            state, reason = (State.READY, "") if row.id in held else (State.SKIPPED, "already_had")
        plan_row(
            rt,
            session,
            edition,
            recipient_key=row.email_key,
            rcpt=row.email,
            kind=plan.kind,
            now=now,
            deadline=deadline,
            state=state,
            reason=reason,
            subscriber_id=row.id,
            locale=row.locale,
            not_before=now + deadline if row.id in held_back else None,
            **held.get(row.id, {}),
        )


def _contents(
    rt: Runtime, plan: Plan, now: datetime
) -> Callable[[Session, SubscriberRow, tuple[int, ...]], dict[str, Any] | None]:
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
