"""All real keyword lists on all captured papers: oracle = index = search over stored papers.

Run from the checkout: ``make profiles`` (``ARGS=400``: so many papers of each kind). The
oracle (tests/support/oracle.py) asks every term of every list of every paper. Prints the timing
table and keeps it in bench/results/real_profiles.json; ends with 1 when any two disagree.
"""

import itertools
import statistics
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta

from support.oracle import Oracle

from bench.captured.papers import RESULTS, arxiv_papers, hf_papers, keyword_lists
from bench.measured.process import Figures, keep, machine, memory_mb, timed
from service.matching.document import Document, prepare
from service.matching.index import Index
from service.matching.parse import parse_keywords
from service.matching.query import MOST_BYTES, MOST_TERMS, Leaf, Query, QueryError, leaves
from service.matching.shelf import Shelf
from service.papers.model import Paper

RESULT = RESULTS / "real_profiles.json"
FIRST_DAY = date(2026, 1, 1)
TODAY = date(2026, 3, 1)


@dataclass(slots=True)
class Profiles:
    """Queries of the lists: number of the list, query. A list above the limits (1 kB, 64 terms)
    is several. unread: terms that cannot be read ("a*" is too short)."""

    queries: list[tuple[int, Query]] = field(default_factory=list)
    lists: int = 0
    split: int = 0
    unread: list[str] = field(default_factory=list)


def real_profiles(lists: Sequence[Sequence[str]]) -> Profiles:
    """Every list as one query or, where it is too long for one, as several."""
    found = Profiles(lists=len(lists))
    for number, terms in enumerate(lists):
        parts = list(_parts(terms, found.unread))
        found.split += len(parts) > 1
        found.queries += [(number, part) for part in parts]
    return found


def _parts(terms: Sequence[str], unread: list[str]) -> Iterator[Query]:
    fitting: list[str] = []
    for term in terms:
        try:
            parse_keywords(term)
        except QueryError:
            unread.append(term)
            continue
        size = sum(len(one.encode()) + 1 for one in fitting) + len(term.encode())
        if fitting and (size > MOST_BYTES or len(fitting) >= MOST_TERMS // 2):
            yield parse_keywords("\n".join(fitting))
            fitting = []
        fitting.append(term)
    if fitting:
        yield parse_keywords("\n".join(fitting))


def oracle_answers(
    queries: Sequence[Query], papers: Sequence[Paper], sources: Sequence[str] = ()
) -> list[set[int]]:
    """For each query the numbers of the papers that it wants; each term is asked once a paper."""
    wanted: list[set[int]] = [set() for _ in queries]
    numbers: dict[Leaf, int] = {}
    places = {
        id(leaf): numbers.setdefault(leaf, len(numbers))
        for query in queries
        for leaf in leaves(query.root)
    }
    distinct = list(numbers)
    for number, paper in enumerate(papers):
        held = _Held(Oracle(paper, sources=sources, hurry=True), distinct, places)
        for at, query in enumerate(queries):
            if held.wants(query):
                wanted[at].add(number)
    return wanted


class _Held(Oracle):
    """An oracle that has asked every term beforehand."""

    def __init__(self, oracle: Oracle, distinct: list[Leaf], places: Mapping[int, int]) -> None:
        self._true = [oracle.holds(leaf) for leaf in distinct]
        self._places = places

    def holds(self, leaf: Leaf) -> bool:
        return self._true[self._places[id(leaf)]]


def check(papers: Sequence[Paper], profiles: Profiles) -> Figures:
    """Ask the oracle, the index and the search; the figures name the first disagreements."""
    queries = [query for _, query in profiles.queries]
    documents: list[Document] = []
    figures: Figures = {"papers": len(papers), "queries": len(queries)}
    figures["fold_s"] = timed(lambda: documents.extend(prepare(paper) for paper in papers))
    index, shelf = Index(), Shelf()

    def put() -> None:
        for number, query in enumerate(queries):
            index.add(number, query)

    figures["index_add_s"] = timed(put)
    by_index: list[set[int]] = [set() for _ in queries]

    def match() -> None:
        for number, document in enumerate(documents):
            for at in index.match_ids(document).tolist():
                by_index[at].add(number)

    figures["index_match_s"] = timed(match)
    held = memory_mb()

    def store() -> None:
        for number, document in enumerate(documents):
            shelf.add(number, FIRST_DAY + timedelta(days=number % 30), document)
        shelf.search(queries[0], limit=1)

    figures["shelf_add_s"] = timed(store)
    figures["shelf_mb"] = round(memory_mb() - held)
    by_search, spent = [], []
    for query in queries:
        begun = time.process_time()
        shelf.search(query, limit=20, today=TODAY)
        spent.append(1000 * (time.process_time() - begun))
        by_search.append({one.paper_id for one in shelf.search(query, limit=None, today=TODAY)})
    figures["search_p50_ms"] = round(statistics.median(spent), 2)
    figures["search_p95_ms"] = round(sorted(spent)[int(0.95 * len(spent))], 2)
    truth: list[set[int]] = []
    figures["oracle_s"] = timed(lambda: truth.extend(oracle_answers(queries, papers)))
    figures["matches"] = sum(map(len, truth))
    figures["disagreements"] = [
        f"{name} differs from the oracle on {len(mine ^ true)} papers, the first "
        f"{papers[min(mine ^ true)].key.value}: {query.shown}"
        for name, answers in (("index", by_index), ("search", by_search))
        for query, mine, true in zip(queries, answers, truth, strict=True)
        if mine != true
    ]
    return {
        name: round(value, 3) if isinstance(value, float) else value
        for name, value in figures.items()
    }


def main() -> None:
    """Check both collections, print and keep the table."""
    most = int(sys.argv[1]) if len(sys.argv) > 1 else None
    made: list[Profiles] = []
    spent = timed(lambda: made.append(real_profiles(keyword_lists())))
    profiles = made[0]
    result: Figures = {
        "on": date.today().isoformat(),
        "command": "make profiles" + (f" ARGS={most}" if most else ""),
        "machine": machine(),
        "lists": profiles.lists,
        "lists_in_parts": profiles.split,
        "queries": len(profiles.queries),
        "terms_refused": profiles.unread,
        "parse_s": round(spent, 3),
    }
    for name, papers in (("arxiv", arxiv_papers()), ("hugging_face", hf_papers())):
        result[name] = check(list(itertools.islice(papers, most)), profiles)
        for key, value in result[name].items():
            sys.stdout.write(f"{name:14}{key:18}{value}\n")
        sys.stdout.flush()
    if most is None:
        keep(RESULT, result)
    wrong = [line for name in ("arxiv", "hugging_face") for line in result[name]["disagreements"]]
    raise SystemExit("\n".join(wrong) or 0)


if __name__ == "__main__":
    main()
