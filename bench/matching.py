"""Measures matching on captured papers: the back-test while typing, and many profiles at once.

Run from the checkout: ``python -m bench.matching [PAPERS] [PROFILES]``. Prints one JSON object;
times are seconds of this machine's CPU, memory in MB.
"""

import gzip
import itertools
import json
import random
import resource
import statistics
import sys
import time
from collections.abc import Iterator
from datetime import date, timedelta
from pathlib import Path

from service.matching.corpus import Corpus
from service.matching.document import Document, prepare
from service.matching.index import Index
from service.matching.parse import parse_keywords
from service.matching.query import Query, QueryError
from service.papers.model import Alias, Paper

SHARED = Path(__file__).resolve().parents[1].parent / "shared" / "data"


def captured_papers() -> Iterator[Paper]:
    """Distinct papers of the arXiv listings."""
    seen: set[str] = set()
    for path in sorted((SHARED / "arxiv_corpus").glob("*.jsonl.gz")):
        with gzip.open(path, "rt", encoding="utf-8") as lines:
            for line in lines:
                row = json.loads(line)
                if row.get("id") and row.get("title") and row["id"] not in seen:
                    seen.add(row["id"])
                    yield Paper(
                        aliases=(Alias("arxiv", row["id"]),),
                        title=row["title"],
                        abstract=row.get("summary") or "",
                    )


def captured_terms() -> list[list[str]]:
    """The terms of the real keyword lists."""
    text = (SHARED / "profiles" / "profiles.jsonl").read_text("utf-8")
    return [json.loads(line)["terms"] for line in text.splitlines()]


def variants(count: int) -> Iterator[Query]:
    """Random parts of the real lists."""
    chance, lists = random.Random(7), captured_terms()
    while count:
        terms = chance.choice(lists)
        try:
            yield parse_keywords("\n".join(chance.sample(terms, min(len(terms), 5))))
        except QueryError:
            continue
        count -= 1


def measure_backtest(documents: list[Document], papers: int) -> dict[str, float]:
    """Build a corpus of ``papers`` (the captured ones again and again) and estimate on it."""
    today, corpus = date(2026, 11, 20), Corpus()
    begun = time.process_time()
    for number, document in zip(range(papers), itertools.cycle(documents), strict=False):
        corpus.add(number, today - timedelta(days=number % 30), document)
    days = [today - timedelta(days=back) for back in range(30)]
    queries = list(variants(120))
    corpus.estimate(queries[0], days=days)
    built = time.process_time() - begun
    spent = []
    for query in queries:
        begun = time.perf_counter()
        corpus.estimate(query, days=days)
        spent.append(time.perf_counter() - begun)
    return {
        "papers": papers,
        "build_s": round(built, 2),
        "estimate_median_ms": round(1000 * statistics.median(spent), 1),
        "estimate_p95_ms": round(1000 * sorted(spent)[int(0.95 * len(spent))], 1),
        "estimate_max_ms": round(1000 * max(spent), 1),
    }


def measure_index(documents: list[Document], profiles: int) -> dict[str, float]:
    """Index ``profiles`` variants and match 100 papers."""
    queries = list(variants(profiles))
    index = Index()
    begun = time.process_time()
    for number, query in enumerate(queries):
        index.add(number, query)
    added = time.process_time() - begun
    begun = time.process_time()
    for document in documents[:100]:
        index.match_ids(document)
    return {
        "profiles": profiles,
        "add_s": round(added, 2),
        "match_100_papers_s": round(time.process_time() - begun, 2),
        "candidates": index.candidates,
        "matches": index.matches,
    }


def main() -> None:
    """Measure and print."""
    papers = int(sys.argv[1]) if len(sys.argv) > 1 else 20_000
    profiles = int(sys.argv[2]) if len(sys.argv) > 2 else 10_000
    documents = [prepare(paper) for paper in itertools.islice(captured_papers(), 7_000)]
    found = {
        "index": measure_index(documents, profiles),
        "backtest": measure_backtest(documents, papers),
        "peak_mb": round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024),
    }
    sys.stdout.write(json.dumps(found, indent=1) + "\n")


if __name__ == "__main__":
    main()
