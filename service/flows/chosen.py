"""What a send of chosen papers, or a newsletter, holds for each reader."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any, cast

from service.digest.candidate import Candidate as PaperCandidate
from service.digest.candidate import Interest
from service.digest.model import Digest
from service.digest.select import compose
from service.flows.audience import ManualError, Plan
from service.flows.freeze import content_of
from service.flows.runtime import Runtime
from service.flows.shelf import place_of
from service.store import papers as papers_store
from service.store import sightings as sightings_store
from service.store.db import Session
from service.store.tables import SubscriberRow
from service.store.twins import current_ids
from service.subscribers.cadence import local_date
from service.text.markdown import markdown_to_html

Content = Callable[[Session, SubscriberRow, tuple[int, ...]], dict[str, Any] | None]
"""Of one reader, with the papers that are left for them; None = nothing."""


def contents_of(rt: Runtime, plan: Plan, now: datetime) -> Content:
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
