"""The staff's side of readers' proposals: looked up at arXiv, accepted for a day, or declined.

An accepted paper is stored as new: it is matched and mailed like any, and stands on that day's page
with the name that its reader gave.
"""

import asyncio
from dataclasses import replace
from datetime import date, timedelta
from typing import Any

from service.errors import PaperpostError
from service.flows.asking import Sleep, visit
from service.flows.filing import Item
from service.flows.ingest import take_chunk
from service.flows.match import match_new
from service.flows.runtime import Runtime
from service.flows.staff import write_audit
from service.papers.model import Paper, Sighting
from service.sources.adapter import Parsed
from service.sources.arxiv_api import by_id
from service.sources.fetch import Fetcher
from service.sources.outcome import Failed
from service.sources.registry import adapter
from service.sources.trouble import reason_of
from service.store import papers as papers_store
from service.store import submissions as store
from service.store.db import Priority, Session
from service.store.desk_tables import SubmissionRow
from service.subscribers.cadence import local_date
from service.text.clean import collapse

AGAIN = timedelta(minutes=30)
"""An archive that did not answer is asked again after this."""

DAYS_BACK = 7
"""A proposal is listed on a day no longer ago than this."""

LONGEST_REASON = 1000


class SubmissionError(PaperpostError):
    """A proposal that is decided, or that cannot be accepted."""


class NoSubmissionError(PaperpostError):
    """There is no such proposal."""


def facts_of(row: SubmissionRow) -> dict[str, Any]:
    """One proposal as the API and ``--json`` say it; no address."""
    return {
        "id": row.id,
        "at": row.at.isoformat(),
        "state": row.state,
        "paper": row.named,
        "link": row.link,
        "title": row.title,
        "words": row.words,
        "name": row.name,
        "problem": row.problem,
        "paper_id": row.paper_id,
        "listed_on": row.listed_on.isoformat() if row.listed_on else None,
        "reason": row.answer,
        "decided_at": row.decided_at.isoformat() if row.decided_at else None,
        "decided_by": row.decided_by,
    }


# ---- looked up ----


async def look_up(rt: Runtime, only: int | None = None, *, sleep: Sleep = asyncio.sleep) -> int:
    """Ask arXiv for the papers of proposals that wait; one that does not answer is asked again
    later. Returns how many were found. only: this one, now."""
    rows = await rt.db.aread(lambda s: list(store.list_unread(s, rt.clock(), AGAIN, only)))
    found = 0
    if rows:
        async with rt.open_fetcher() as fetcher:
            for row in rows:
                found += await _look_up(rt, fetcher, row, sleep)
    return found


async def _look_up(rt: Runtime, fetcher: Fetcher, row: SubmissionRow, sleep: Sleep) -> bool:
    request = by_id(row.named.partition("/")[2])
    seen = await visit(rt, fetcher, adapter("arxiv_api"), (request,), sleep=sleep)
    body: bytes | None = None
    title, problem = "", "arXiv did not answer yet; it is asked again."
    if seen.pages:
        one = _named(seen.pages[0].parsed, row.named)
        body = seen.pages[0].body if one else b""
        title = one.paper.title if one else ""
        problem = "" if one else "arXiv knows no such paper."
    elif isinstance(seen.outcome, Failed):
        problem = f"{reason_of(seen.outcome.reason)[0]} It is asked again."

    def note(session: Session) -> None:
        kept = store.get_submission(session, row.id or 0, held=True)
        if kept is not None and kept.state == "waiting":
            kept.tried_at, kept.problem = rt.clock(), problem
            kept.body, kept.title = body, title
            session.add(kept)

    await rt.db.awrite(note, Priority.BULK)
    return bool(title)


def _named(parsed: Parsed, named: str) -> Sighting | None:
    """The paper of an answer that is called so."""
    for one in parsed.sightings:
        if any(f"{alias.scheme}/{alias.value}" == named for alias in one.paper.aliases):
            return one
    return None


# ---- decided ----


async def accept(
    rt: Runtime, number: int, on: date | None = None, *, by: str, address: str = ""
) -> SubmissionRow:
    """Store the paper of a proposal as new, listed on a day (today by the house's clock).

    Raises SubmissionError: it is decided, its paper is not known, or the day
    lies ahead or more than a week back; NoSubmissionError.
    """
    today = local_date(rt.clock(), rt.zone)
    day = on or today
    if not today - timedelta(days=DAYS_BACK) <= day <= today:
        raise SubmissionError(
            f"{day} is no day to list it on.", "on", f"Use {today}, or up to {DAYS_BACK} days back."
        )
    row = await rt.db.aread(lambda s: _waiting(s, number))
    here = await rt.db.aread(lambda s: _here(s, row.named))
    if row.body is None and here is None:
        await look_up(rt, number)
        row = await rt.db.aread(lambda s: _waiting(s, number))
    if not row.body and here is None:
        raise SubmissionError(
            f"The paper is not known: {row.problem}", "submission",
            "Accept it when arXiv has answered, or decline it.",
        )  # fmt: skip
    sighting = Sighting(paper=here) if here is not None else None
    if row.body:
        parsed = await asyncio.to_thread(rt.parse, "arxiv_api", row.body, None)
        sighting = _named(parsed, row.named)
    if sighting is None:
        raise SubmissionError("The paper cannot be read.", "submission", "Decline it.")
    made = await rt.db.awrite(
        lambda s: _accept(rt, s, number, sighting, day, by, address), Priority.WEB
    )
    rt.corpus.forget([made.paper_id] if made.paper_id else [])
    await asyncio.to_thread(match_new, rt)
    rt.engine.enqueue("alerts")
    rt.log("proposal_accepted", submission=number, paper=made.paper_id)
    return made


def _here(session: Session, named: str) -> Paper | None:
    """The paper of a proposal, where a source of ours has brought it since."""
    scheme, _, value = named.partition("/")
    ids = list(papers_store.find_named(session, [(scheme, value)]).values())
    return papers_store.get_papers(session, ids).get(ids[0]) if ids else None


def _accept(
    rt: Runtime, session: Session, number: int, sighting: Sighting, day: date, by: str, address: str
) -> SubmissionRow:
    row = _waiting(session, number, held=True)
    now = rt.clock()
    source_id = store.readers_source(session, now)
    sighting = replace(sighting, submitter=row.name)  # erased meanwhile: no name
    item = Item(sighting=sighting, verdict="new", listed_on=day)
    report = take_chunk(session, source_id, [item], 0, now)
    ids = papers_store.find_ids(session, sighting.paper.aliases)
    if report.problems or not ids:
        what = report.problems[0].what if report.problems else "nothing was stored"
        raise SubmissionError(f"The paper cannot be stored: {what}", "submission", "Decline it.")
    row.state, row.paper_id, row.listed_on, row.body = "accepted", ids[0], day, None
    row.problem = ""  # nobody asks again
    row.decided_at, row.decided_by = now, by
    session.add(row)
    write_audit(
        session, now, who=by, what="accept proposal", target=f"submission {number}",
        before={"state": "waiting"},
        after={"state": "accepted", "paper": row.named, "on": day.isoformat()},
        address=address,
    )  # fmt: skip
    return _alone(session, row)


def decline(
    rt: Runtime, number: int, reason: str = "", *, by: str, address: str = ""
) -> SubmissionRow:
    """Put a proposal away. reason: for the staff alone. Raises SubmissionError,
    NoSubmissionError."""
    why = collapse(reason)[:LONGEST_REASON]

    def act(session: Session) -> SubmissionRow:
        row = _waiting(session, number, held=True)
        row.state, row.answer, row.body, row.problem = "declined", why, None, ""
        row.decided_at, row.decided_by = rt.clock(), by
        session.add(row)
        write_audit(
            session, rt.clock(), who=by, what="decline proposal", target=f"submission {number}",
            before={"state": "waiting"}, after={"state": "declined", "paper": row.named},
            address=address, reason=why,
        )  # fmt: skip
        return _alone(session, row)

    return rt.db.write(act, Priority.WEB)


def _waiting(session: Session, number: int, *, held: bool = False) -> SubmissionRow:
    row = store.get_submission(session, number, held=held)
    if row is None:
        raise NoSubmissionError(
            f"There is no proposal {number}.", "submission", "paperpost submissions list"
        )
    if row.state != "waiting":
        raise SubmissionError(
            f"Proposal {number} was {row.state} by {row.decided_by}.", "submission",
            "It stays as it is.",
        )  # fmt: skip
    return row


def _alone(session: Session, row: SubmissionRow) -> SubmissionRow:
    session.flush()
    session.refresh(row)
    session.expunge(row)
    return row
