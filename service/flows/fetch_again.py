"""One paper asked of arXiv again, at the pace of all: its facts are refreshed, it is never news.

Other sources cannot be asked for one paper; what they know comes with their lists.
"""

import asyncio
from dataclasses import dataclass

from service.flows.asking import Sleep, visit
from service.flows.filing import first_hand, words_of
from service.flows.hidden import PaperError, one_paper
from service.flows.runtime import Runtime
from service.flows.staff import write_audit
from service.papers.model import Alias, Paper, Sighting
from service.papers.refresh import Change, Teller, refresh
from service.sources.arxiv_api import request_of
from service.sources.outcome import Failed
from service.sources.registry import adapter
from service.sources.trouble import reason_of
from service.store import arrivals as arrivals_store
from service.store import papers as papers_store
from service.store.db import Priority, Session
from service.store.events import add_event, list_open_events
from service.store.tables import PaperAliasRow, PaperRow
from service.text.fold import FOLD_VERSION

KIND = "arxiv_api"
PATIENCE_S = 15.0
"""Seconds that whoever looks at a page waits."""

_WORDS = ("title", "abstract", "authors", "categories", "organisation", "aliases")


@dataclass(frozen=True, slots=True)
class Again:
    """changed: fields that are other ones now · told: changes that readers may be told of."""

    id: int
    title: str
    changed: tuple[str, ...]
    told: tuple[str, ...]


async def fetch_again(
    rt: Runtime,
    paper_id: int,
    *,
    by: str,
    address: str = "",
    patience: float = PATIENCE_S,
    sleep: Sleep = asyncio.sleep,
) -> Again:
    """Ask arXiv for a paper by its id, and take what it knows better. patience: seconds for the
    turn and the answer. Raises NoPaperError, PaperError: it has no arXiv id, others are asked
    first, or arXiv does not answer or does not know it."""
    number = await rt.db.aread(lambda s: _arxiv_id(s, paper_id))
    try:
        async with asyncio.timeout(patience):
            sighting = await _ask(rt, number, sleep)
    except TimeoutError:
        raise PaperError(
            "arXiv was not asked or did not answer in time: one may ask it once in 3 seconds.",
            "paper",
            "Ask again in a minute.",
        ) from None
    made = await rt.db.awrite(lambda s: _take(rt, s, paper_id, sighting, by, address), Priority.WEB)
    rt.corpus.forget([paper_id])
    return made


def _arxiv_id(session: Session, paper_id: int) -> str:
    one_paper(session, paper_id, holds=False)
    names = papers_store.list_names(session, [paper_id]).get(paper_id, [])
    found = next((one.value for one in names if one.scheme == "arxiv"), None)
    if found is None:
        raise PaperError(
            "This paper has no arXiv id: only arXiv can be asked for one paper.",
            "paper",
            "What other sources know comes with their next list.",
        )
    return found


async def _ask(rt: Runtime, number: str, sleep: Sleep) -> Sighting:
    async with rt.open_fetcher() as fetcher:
        seen = await visit(rt, fetcher, adapter(KIND), (request_of(number),), sleep=sleep)
    if seen.postponed_until is not None:
        at = f"{seen.postponed_until:%H:%M} UTC"
        raise PaperError(f"arXiv asks us to wait until {at}.", "paper", "Press again then.")
    if isinstance(seen.outcome, Failed):
        what, to_do = reason_of(seen.outcome.reason)
        raise PaperError(f"{what.removesuffix('.')} ({seen.outcome.reason}).", "paper", to_do)
    found = [x for page in seen.pages for x in page.parsed.sightings]
    named = Alias("arxiv", number)
    for one in found:
        if named in one.paper.aliases:
            return one
    raise PaperError(f"arXiv knows no paper {number}.", "paper", "Look at its page there.")


def _take(
    rt: Runtime, session: Session, paper_id: int, sighting: Sighting, by: str, address: str
) -> Again:
    row, now = one_paper(session, paper_id, holds=True), rt.clock()
    names = papers_store.list_names(session, [paper_id]).get(paper_id, [])
    old = papers_store.to_paper(row, names)
    showers = arrivals_store.list_showers(session, [paper_id])
    told = frozenset[str]().union(*(first_hand(kind) for _, _, kind, _ in showers))
    versions = [
        int(event.value)
        for event in list_open_events(session, [paper_id], now)
        if event.kind == "version" and event.value.isdecimal()
    ]
    teller = Teller(
        own=first_hand(KIND),
        told=told,
        version=sighting.version,
        known_version=max(versions, default=int("title" in told)),
    )
    better = refresh(old, sighting.paper, teller)
    before, after = papers_store.facts_of(old), papers_store.facts_of(better.paper)
    changed = [name for name in before if before[name] != after[name]]
    _name(session, row, better.paper, names)
    if changed:
        papers_store.set_paper(row, better.paper)
    if any(getattr(old, name) != getattr(better.paper, name) for name in _WORDS):
        row.folded = words_of(better.paper, [(kind, title) for _, _, kind, title in showers])
        row.fold_version, row.matched_at = FOLD_VERSION, None
        add_event(session, paper_id, "words", now)
    session.add(row)
    for change in better.changes:
        _tell(session, paper_id, change, rt)
    write_audit(
        session, now, who=by, what="fetch paper again", target=str(paper_id),
        before={name: _plain(before[name]) for name in changed},
        after={name: _plain(after[name]) for name in changed}, address=address,
    )  # fmt: skip
    return Again(paper_id, row.title, tuple(changed), tuple(c.kind for c in better.changes))


def _tell(session: Session, paper_id: int, change: Change, rt: Runtime) -> None:
    add_event(session, paper_id, change.kind, rt.clock(), change.value)


def _name(session: Session, row: PaperRow, paper: Paper, known: list[Alias]) -> None:
    """Names that no paper has yet are this one's."""
    fresh = [alias for alias in paper.aliases if alias not in known]
    owned = papers_store.find_owners(session, fresh)
    for alias in fresh:
        if alias not in owned and len(alias.value) <= 700:
            session.add(PaperAliasRow(scheme=alias.scheme, value=alias.value, paper_id=row.id or 0))


def _plain(value: object) -> object:
    return value.isoformat() if hasattr(value, "isoformat") else value
