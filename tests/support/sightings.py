"""Sightings made by hand, taken as polls take them."""

from collections.abc import Sequence
from datetime import date
from typing import Any

from sqlmodel import Session, select

from service.flows.ingest import Arrival, IngestReport, take
from service.flows.runtime import Runtime
from service.papers.model import Alias, Paper, Sighting
from service.sources.adapter import Parsed
from service.sources.novelty import Verdict
from service.store.events import UNTOLD
from service.store.sources import add_source
from service.store.tables import PaperAliasRow, PaperEventRow, PaperRow


def seen(
    *names: str, title: str = "A paper", version: int = 0, on: date | None = None, **facts: Any
) -> Sighting:
    """One appearance. names: ``scheme:value``; facts: fields of the paper."""
    aliases = tuple(Alias(*name.split(":", 1)) for name in names)  # type: ignore[arg-type]
    paper = Paper(aliases=aliases, title=title, **facts)
    return Sighting(paper=paper, version=version, listed_on=on)


def source_of(rt: Runtime, kind: str) -> int:
    """A source of a kind that is never asked."""
    row = rt.db.write(
        lambda s: add_source(
            s, kind=kind, params={"n": kind}, title=f"Source {kind}", now=rt.clock(), state="paused"
        )
    )
    assert row.id is not None
    return row.id


def bring(
    rt: Runtime, kind: str, *sightings: Sighting, verdict: Verdict | Sequence[Verdict] = "new"
) -> IngestReport:
    """A source of this kind shows these now."""
    verdicts = [verdict] * len(sightings) if isinstance(verdict, str) else list(verdict)
    now = rt.clock()
    return take(
        rt,
        source_of(rt, kind),
        Parsed(len(sightings), sightings),
        verdicts,  # type: ignore[arg-type]
        Arrival(now, now.date()),
    )


def stored(session: Session) -> list[PaperRow]:
    """Papers that stand for themselves, oldest first."""
    query = select(PaperRow).where(PaperRow.merged_into == None).order_by(PaperRow.id)  # type: ignore[arg-type]  # noqa: E711
    return list(session.exec(query).all())


def name_sets(session: Session) -> set[frozenset[str]]:
    """The papers as what they are called."""
    found: dict[int, set[str]] = {}
    for row in session.exec(select(PaperAliasRow)).all():
        found.setdefault(row.paper_id, set()).add(f"{row.scheme}:{row.value}")
    return {frozenset(names) for names in found.values()}


def told(rt: Runtime, paper_id: int = 1) -> list[tuple[str, str]]:
    """The events of a paper in their order."""
    query = select(PaperEventRow).where(PaperEventRow.paper_id == paper_id)
    rows = rt.db.read(lambda s: s.exec(query).all())
    kept = (row for row in rows if row.kind not in UNTOLD)
    return [(row.kind, row.value) for row in sorted(kept, key=lambda row: (row.at, row.id or 0))]
