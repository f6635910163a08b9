"""A burst that waits for a decision: what it is, some of it, and whom it would reach."""

from dataclasses import dataclass
from datetime import date, datetime

from service.flows.live import document_of
from service.flows.match import learn
from service.flows.runtime import Runtime
from service.flows.source_days import NoSourceError
from service.matching.document import Document
from service.store import source_desk
from service.store import sources as sources_store
from service.store.db import Session

SAMPLES = 10
MOST_COUNTED = 200
"""Papers of a burst of which it is worked out whom they would reach."""


@dataclass(frozen=True, slots=True)
class Sample:
    """One paper of a burst. wanted: by how many interests."""

    id: int
    title: str
    published_on: date | None
    wanted: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Burst:
    """papers: that wait · usual: papers of a usual day (None: no habit yet) · oldest, newest: days
    of publication · since: when the first came · counted: of how many of them, the newest, readers,
    matches and alerts are told: readers whose next mail would have one, pairs of interest and
    paper, readers who would get an alert at once."""

    id: int
    title: str
    papers: int
    usual: float | None
    oldest: date | None
    newest: date | None
    since: datetime | None
    samples: tuple[Sample, ...]
    counted: int
    readers: int
    matches: int
    alerts: int

    @property
    def is_old(self) -> bool:
        """It is no more than a usual day: its papers are held for their age."""
        return self.usual is not None and self.papers <= 3 * max(self.usual, 1.0)


def read_burst(rt: Runtime, source_id: int) -> Burst:
    """What waits of a source, and whom it would reach. Raises NoSourceError."""
    learn(rt)
    rt.index.restore(rt.data_dir)
    rt.db.read(rt.index.sync)

    def load(session: Session) -> tuple[Burst, list[Document]]:
        source = sources_store.get_source(session, source_id)
        if source is None:
            raise NoSourceError(source_id)
        rows = source_desk.list_held(session, source_id, MOST_COUNTED)
        oldest, newest, since = source_desk.span_held(session, source_id)
        made = Burst(
            id=source_id,
            title=source.title,
            papers=source_desk.count_held(session, source_id),
            usual=sources_store.get_habit(session, source_id).per_day,
            oldest=oldest,
            newest=newest,
            since=since,
            samples=tuple(Sample(r.id or 0, r.title, r.published_on, 0) for r in rows),
            counted=len(rows),
            readers=0,
            matches=0,
            alerts=0,
        )
        return made, [document_of(row) for row in rows]

    made, documents = rt.db.read(load)
    return _reach(rt, made, documents)


def _reach(rt: Runtime, made: Burst, documents: list[Document]) -> Burst:
    found = [
        [int(i) for i in ids]
        for ids, _scores in rt.index.score_many(documents, rt.corpus.statistics)
    ]
    wanting = sorted({i for ids in found for i in ids})
    owners = rt.db.read(lambda s: source_desk.list_owners(s, wanting))
    counts = [sum(i in owners for i in ids) for ids in found]
    samples = [
        Sample(one.id, one.title, one.published_on, counts[n])
        for n, one in enumerate(made.samples[:SAMPLES])
    ]
    return Burst(
        id=made.id, title=made.title, papers=made.papers, usual=made.usual, oldest=made.oldest,
        newest=made.newest, since=made.since, samples=tuple(samples), counted=made.counted,
        readers=len({reader for reader, _ in owners.values()}),
        matches=sum(counts),
        alerts=len({reader for reader, cadence in owners.values() if cadence == "instant"}),
    )  # fmt: skip
