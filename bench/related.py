"""Measures "papers like this one" and proposed words on papers that were listed together.

Run from the checkout: ``python -m bench.related``. The captured Daily Papers page came in five
parts; papers of one part belong together. Prints one JSON object; what was measured last is
committed in bench/results/related.json. Milliseconds are of this process's CPU.
"""

import gzip
import itertools
import json
import random
import sys
import time
from collections.abc import Sequence
from datetime import date
from pathlib import Path

import numpy as np

from service.flows.related import LEAST_ALIKE
from service.matching.abbreviations import Glossary
from service.matching.corpus import Corpus
from service.matching.document import Document, prepare
from service.matching.parse import parse_keywords
from service.matching.proposals import propose
from service.matching.vectors import Vectors
from service.papers.model import Alias, Paper

SHARED = Path(__file__).resolve().parents[1].parent / "shared" / "data"
"""Where the captured real inputs lie."""

SEED = 4
BANDS = (0.02, 0.04, 0.06, 0.08, 0.10, 0.12, 0.15, 0.20, 0.25, 0.30, 0.40)


def listed_together() -> list[tuple[Document, frozenset[int]]]:
    """The papers of the captured page and the parts that showed them."""
    found = []
    for number, line in enumerate(_lines()):
        row = json.loads(line)
        paper = Paper(
            aliases=(Alias("guid", str(number)),), title=row["title"], abstract=row["abstract"]
        )
        found.append((prepare(paper), frozenset(row["page"])))
    return found


def average_precision(belongs: Sequence[bool]) -> float:
    """The mean of the precision at each paper that belongs."""
    hits = np.flatnonzero(belongs)
    if not len(hits):
        return 0.0
    return float(np.mean(np.arange(1, len(hits) + 1) / (hits + 1)))


def measure_alike(
    papers: Sequence[tuple[Document, frozenset[int]]], background: Sequence[Document] = ()
) -> dict[str, object]:
    """Ranking all others by likeness to each paper.

    background: further stored papers, from which the rarity of words is learned too.
    """
    vectors, size = Vectors(), len(papers)
    for number, document in enumerate([*(document for document, _ in papers), *background]):
        vectors.add(number, document)
    others = range(size, size + len(background))
    precision, share, at_five = [], [], []
    near: list[tuple[float, bool]] = []
    for number, (document, parts) in enumerate(papers):
        ranked = vectors.like_document(document, size, without={number, *others})
        ranked_ids = [one.paper_id for one in ranked]
        rest = sorted(set(range(size)) - {number, *ranked_ids})
        belongs = [bool(parts & papers[i][1]) for i in [*ranked_ids, *rest]]
        precision.append(average_precision(belongs))
        share.append(sum(belongs) / len(belongs))
        at_five.append(sum(belongs[:5]) / 5)
        near += [(one.similarity, bool(parts & papers[one.paper_id][1])) for one in ranked[:5]]
    return {
        "papers": size,
        "background": len(background),
        "map": round(float(np.mean(precision)), 4),
        "base_rate": round(float(np.mean(share)), 4),
        "precision_at_5": round(float(np.mean(at_five)), 4),
        "together_by_similarity_of_the_best_five": _bands(near),
    }


def _bands(pairs: Sequence[tuple[float, bool]]) -> dict[str, dict[str, float]]:
    """For each similarity: how many pairs, and which share of them belongs together."""
    bands = {}
    for low, high in zip(BANDS, (*BANDS[1:], 1.01), strict=True):
        of_band = [together for similarity, together in pairs if low <= similarity < high]
        if of_band:
            together = round(sum(of_band) / len(of_band), 3)
            bands[f"{low:.2f}"] = {"pairs": len(of_band), "together": together}
    return bands


def measure_around_hits(
    papers: Sequence[tuple[Document, frozenset[int]]],
    background: Sequence[Document],
    chance: random.Random,
) -> list[dict[str, object]]:
    """The best five beside some papers of one part, as beside the hits of a search."""
    vectors, size = Vectors(), len(papers)
    for number, document in enumerate([*(document for document, _ in papers), *background]):
        vectors.add(number, document)
    others = range(size, size + len(background))
    made: list[dict[str, object]] = []
    for hits in (1, 2, 3, 5, 10):
        near: list[tuple[float, bool]] = []
        for _ in range(400):
            parts = chance.choice(papers)[1]
            part = min(parts)
            of_part = [n for n, (_, own) in enumerate(papers) if part in own]
            chosen = chance.sample(of_part, hits)
            for one in vectors.like_papers(chosen, 5, without=others):
                near.append((one.similarity, part in papers[one.paper_id][1]))
        right = sum(together for _, together in near) / len(near)
        made.append({"hits": hits, "together": round(right, 3), "by_similarity": _bands(near)})
    return made


def measure_few(
    papers: Sequence[tuple[Document, frozenset[int]]], chance: random.Random
) -> list[dict[str, float]]:
    """The best five, at least LEAST_ALIKE alike, where only so many papers are stored."""
    made = []
    for size in (25, 50, 100, 200, 400):
        right, share, shown = [], [], []
        for _ in range(3000 // size):
            some = chance.sample(papers, size)
            vectors = Vectors()
            for number, (document, _) in enumerate(some):
                vectors.add(number, document)
            for number, (_, parts) in enumerate(some):
                best = [
                    bool(parts & some[one.paper_id][1])
                    for one in vectors.like_papers([number], 5)
                    if one.similarity >= LEAST_ALIKE
                ]
                others = [bool(parts & own) for n, (_, own) in enumerate(some) if n != number]
                share.append(sum(others) / len(others))
                shown.append(len(best))
                right += best
        made.append(
            {
                "stored": size,
                "shown": round(float(np.mean(shown)), 2),
                "together": round(float(np.mean(right)), 3) if right else 0.0,
                "base_rate": round(float(np.mean(share)), 3),
            }
        )
    return made


def measure_words(
    papers: Sequence[tuple[Document, frozenset[int]]],
) -> dict[str, object]:
    """Of the papers that the proposed words of one paper find, how many belong to it."""
    corpus, day = Corpus(), date(2026, 1, 5)
    rows = [json.loads(line) for line in _lines()]
    for number, (document, _) in enumerate(papers):
        corpus.add(number, day, document)
    statistics = corpus.statistics()
    precision, found, empty, seconds = [], [], 0, []
    for number, row in enumerate(rows):
        started = time.process_time()
        words = propose(corpus, row["title"], row["abstract"], [day], statistics)
        seconds.append(time.process_time() - started)
        if not words:
            empty += 1
            continue
        query = parse_keywords("\n".join(f'"{word.term}"' for word in words))
        hits = [one.paper_id for one in corpus.search(query, limit=None)]
        others = [n for n in hits if n != number]
        if others:
            together = sum(bool(papers[n][1] & papers[number][1]) for n in others)
            precision.append(together / len(others))
            found.append(len(others))
    return {
        "texts": len(rows),
        "without_words": empty,
        "papers_found_median": float(np.median(found)),
        "together": round(float(np.mean(precision)), 4),
        "ms_median": round(1000 * float(np.median(seconds)), 1),
        "ms_p95": round(1000 * float(np.quantile(seconds, 0.95)), 1),
    }


def measure_speed(documents: Sequence[Document], size: int) -> dict[str, object]:
    """One question over ``size`` stored papers (the captured ones, repeated)."""
    vectors = Vectors()
    for number, document in zip(range(size), itertools.cycle(documents), strict=False):
        vectors.add(number, document)
    started = time.process_time()
    vectors.rarity("model")
    weighed = time.process_time() - started
    times = []
    for number in range(0, size, max(1, size // 100)):
        started = time.process_time()
        vectors.like_papers([number], 10)
        times.append(1000 * (time.process_time() - started))
    return {
        "papers": size,
        "weigh_s": round(weighed, 2),
        "ms_p50": round(float(np.median(times)), 1),
        "ms_p95": round(float(np.quantile(times, 0.95)), 1),
        "file_mb": round(sum(map(len, vectors.packed({}))) / 1e6, 1),
    }


def most_explained(most: int) -> list[str]:
    """The abbreviations that most captured papers explain, to be read by eye."""
    glossary, seen = Glossary(), set()
    for path in sorted((SHARED / "arxiv_corpus").glob("*.jsonl.gz")):
        with gzip.open(path, "rt", encoding="utf-8") as lines:
            for line in lines:
                row = json.loads(line)
                if row.get("id") and row["id"] not in seen:
                    seen.add(row["id"])
                    glossary.learn(row.get("title") or "", row.get("summary") or "")
    for path in sorted((SHARED / "hf_daily").glob("*.json")):
        for item in json.loads(path.read_text("utf-8")):
            paper = item["paper"]
            if paper["id"] not in seen:
                seen.add(paper["id"])
                glossary.learn(paper["title"], paper.get("summary") or "")
    return [
        f"{one.short}: {one.long} ({one.papers}, {one.share:.0%})"
        for one in glossary.most_frequent(most)
    ]


def _lines() -> list[str]:
    return (SHARED / "daily_papers_page.jsonl").read_text("utf-8").splitlines()


def background() -> list[Document]:
    """Other stored papers: the captured arXiv listings, each paper once."""
    seen: dict[str, Document] = {}
    for path in sorted((SHARED / "arxiv_corpus").glob("*.jsonl.gz")):
        with gzip.open(path, "rt", encoding="utf-8") as lines:
            for line in lines:
                row = json.loads(line)
                if row.get("id") and row.get("title") and row["id"] not in seen:
                    names = (Alias("arxiv", row["id"]),)
                    abstract = row.get("summary") or ""
                    seen[row["id"]] = prepare(
                        Paper(aliases=names, title=row["title"], abstract=abstract)
                    )
    return list(seen.values())


def main() -> None:
    started = time.process_time()
    papers = listed_together()
    made = {
        "on": date.today().isoformat(),
        "command": "python -m bench.related",
        "seed": SEED,
        "alike": measure_alike(papers),
    }
    others = background()
    made["alike_among_many"] = measure_alike(papers, others)
    made["around_hits"] = measure_around_hits(papers, others, random.Random(SEED))
    made["few_stored"] = measure_few(papers, random.Random(SEED))
    made["abbreviations"] = most_explained(50)
    made["proposed_words"] = measure_words(papers)
    made["speed"] = [measure_speed(others, size) for size in (20_000, 200_000)]
    made["cpu_s"] = round(time.process_time() - started, 2)
    json.dump(made, sys.stdout, indent=2)
    print()


if __name__ == "__main__":
    main()
