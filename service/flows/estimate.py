"""The back-test: what an interest would have brought, told from the stored papers."""

from dataclasses import dataclass
from datetime import date, timedelta

from service.flows.match import learn
from service.flows.runtime import Runtime
from service.matching.corpus import Estimate
from service.matching.parse import describe
from service.matching.query import Query
from service.store import papers as papers_store
from service.store import sightings as sightings_store


@dataclass(frozen=True, slots=True)
class BackTest:
    """reading: how the words were read · days: the days looked at · estimate: the figures ·
    titles: of the best papers by id."""

    reading: str
    days: tuple[date, ...]
    estimate: Estimate
    titles: dict[int, str]


def estimate(rt: Runtime, query: Query, days: int | None = None) -> BackTest:
    """Back-test over the ``days`` up to the newest day that has papers (not after today).

    Days before the first paper of this installation are not counted as days without a hit.
    """
    span = days or rt.defaults().estimate_days
    learn(rt, span)
    newest = rt.db.read(lambda s: sightings_store.list_days(s, limit=1))
    today = rt.clock().date()
    last = min(newest[0], today) if newest else today
    first = rt.db.read(sightings_store.first_day) or last
    since = max(first, last - timedelta(days=span - 1))
    wanted = tuple(since + timedelta(days=n) for n in range((last - since).days + 1))
    made = rt.corpus.corpus.estimate(query, days=wanted)
    ids = [found.paper_id for found in made.best]
    papers = rt.db.read(lambda s: papers_store.get_papers(s, ids))
    return BackTest(describe(query), wanted, made, {i: p.title for i, p in papers.items()})
