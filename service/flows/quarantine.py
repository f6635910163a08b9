"""A paper that spoils a mail is found, left out and hidden; its readers get the others.

What a reader chose may spoil a mail, too: a paper is only blamed for what it does alone, with every
choice that there is.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from datetime import date, datetime
from typing import Any, get_args

from service.defaults import Defaults
from service.digest.candidate import Candidate, Interest, NothingNew
from service.digest.entries import Style
from service.digest.model import Digest, Section, from_json, to_json
from service.digest.select import compose
from service.flows.letter import render_row
from service.flows.runtime import Runtime
from service.flows.shelf import Shelf
from service.store import matches as matches_store
from service.store.db import Session
from service.store.tables import DeliveryRow, SubscriberRow

Made = Digest | NothingNew


def without_broken(
    shelf: Shelf,
    on: date,
    candidates: Sequence[Candidate],
    trending: Sequence[Candidate],
    make: Callable[[Sequence[Candidate], Sequence[Candidate]], Made],
) -> Made:
    """Compose a mail; when that fails, without the papers that cannot be composed. They are noted
    on the shelf. What no paper is to blame for is raised again."""
    try:
        return make(candidates, trending)
    except Exception:
        broken = {c.paper.id: fault_of(c, on, shelf.limits) for c in (*candidates, *trending)}
        broken = {paper_id: reason for paper_id, reason in broken.items() if reason}
        if not broken:
            raise
        shelf.broken |= broken
    return make(
        [c for c in candidates if c.paper.id not in broken],
        [c for c in trending if c.paper.id not in broken],
    )


def fault_of(candidate: Candidate, on: date, limits: Defaults) -> str:
    """Why a paper cannot be composed, whoever reads it; "" when it can."""
    interest = Interest(candidate.profile_id, "")
    for style in get_args(Style):
        try:
            compose("daily", on, [interest], [candidate], checked=1, limits=limits, style=style)
        except Exception as error:
            return f"composing: {type(error).__name__}: {error}"[:500]
    return ""


def spoiling(
    rt: Runtime, row: DeliveryRow, reader: SubscriberRow | None, content: Mapping[str, Any]
) -> dict[int, str]:
    """The papers, with the reason, for which a frozen digest cannot be rendered; none when it
    cannot be rendered without any either. content: what the row holds."""
    if "digest" not in content:
        return {}
    digest = from_json(content["digest"])

    def fault(ids: Sequence[int]) -> str:
        try:
            only = {**content, "digest": to_json(_with(digest, lambda i: i in ids))}
            render_row(rt, row, reader, only)
        except Exception as error:
            return f"rendering: {type(error).__name__}: {error}"[:500]
        return ""

    if fault(()):
        return {}
    return {i: reason for i in digest.paper_ids() if (reason := fault((i,)))}


def left_of(content: Mapping[str, Any], broken: Mapping[int, str]) -> dict[str, Any] | None:
    """What is left of a row's content without some papers; None when it is nothing."""
    digest = _with(from_json(content["digest"]), lambda paper_id: paper_id not in broken)
    if not digest.sections:
        return None
    return {**content, "digest": to_json(digest), "papers": list(digest.paper_ids())}


def hide(session: Session, broken: Mapping[int, str], now: datetime) -> None:
    """Take papers out of every mail to come, with the reason."""
    for paper_id, reason in broken.items():
        matches_store.set_quarantined(session, paper_id, reason, now)


def _with(digest: Digest, keep: Callable[[int], bool]) -> Digest:
    """The digest with some of its papers; sections that lose all of theirs are gone."""
    made = [_part(section, keep) for section in digest.sections]
    gone = sum(
        before.total - after.total
        for before, after in zip(digest.sections, made, strict=True)
        if before.kind not in ("picks", "trending", "signals")
    )
    return replace(
        digest,
        sections=tuple(s for s in made if s.total),
        matched=max(0, digest.matched - gone),
    )


def _part(section: Section, keep: Callable[[int], bool]) -> Section:
    made = replace(
        section,
        entries=tuple(e for e in section.entries if keep(e.paper_id)),
        lines=tuple(x for x in section.lines if keep(x.paper_id)),
        rest=tuple(i for i in section.rest if keep(i)),
    )
    if section.kind == "signals":
        return made
    return replace(made, total=len(made.entries) + len(made.lines) + len(made.rest))
