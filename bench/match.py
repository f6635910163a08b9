"""Matching at size: the fixed workload at 10,000, 100,000 and 1,000,000 profiles x 600 papers.

Run from the checkout: ``python -m bench.match``. About 15 minutes on a quiet machine. Beside it, at
100,000 profiles, the same questions to SQLite's FTS5 and PostgreSQL's GIN, as far as these can be
asked (bench/rivals/plain.py); 10,000 variants of the real keyword lists; and the score. Each
measurement has a process of its own and counts only when an anchor before and after it agrees; what
is done is kept in bench/results/match.json, so that a broken run goes on where it ended. ``again``
forgets it (a change of service/matching, service/text or the bench itself does, too); ``one NAME``
runs a single measurement; ``table`` prints what is kept.

Times are seconds of processor time, memory is in MB of 1,048,576 bytes.
"""

import gc
import hashlib
import itertools
import math
import mmap
import random
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import replace
from datetime import date
from functools import partial
from pathlib import Path

import numpy as np

from bench.captured.papers import RESULTS, ROOT, keyword_lists
from bench.match_workload import CHUNK, SEED, Workload, check_mean, ready_workload, workload_papers
from bench.measured.process import (
    Figures,
    forget_peak,
    keep,
    kept,
    machine,
    measured_apart,
    memory_mb,
    peak_mb,
    report,
    run_apart,
    timed,
)
from bench.rivals import fts5, gin
from bench.rivals.plain import is_plain, plainly_wants
from service.matching.document import Document, prepare
from service.matching.index import Index
from service.matching.parse import parse_keywords
from service.matching.query import Query, QueryError
from service.matching.score import Statistics

RESULT = RESULTS / "match.json"
SIZES = (10_000, 100_000, 1_000_000)
BESIDE = 100_000
COMPARED = 4_000
"""So many profiles are compared pair by pair with another engine."""
RUNS = 5
DAY = 20
TOP = 20


# --- what is measured, each in a process of its own -------------------------------------------


def ours(profiles: int) -> Figures:
    """Build, match for the first time, match again and again, match a day's papers."""
    workload, papers, documents = ready_workload()
    folding = timed(lambda: [prepare(paper) for paper in papers])
    held, index = memory_mb(), Index()
    adding = add_all(index, workload, profiles) + timed(index.compact)
    building = peak_mb() - held
    del workload
    gc.collect()
    grown = memory_mb() - held
    counts: list[int] = []
    first = timed(lambda: counts.append(count_matches(index, fresh(documents))))
    index.candidates = 0
    warm = [
        timed(lambda: counts.append(count_matches(index, fresh(documents)))) for _ in range(RUNS)
    ]
    candidates = index.candidates / RUNS
    days = [timed(lambda: count_matches(index, fresh(documents[-DAY:]))) for _ in range(RUNS)]
    ranking = rank_all(index, documents, profiles)
    if len(set(counts)) != 1:
        raise SystemExit(f"The same papers matched differently often: {sorted(set(counts))}.")
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "profiles"
        with path.open("wb") as file:
            packing = timed(lambda: file.writelines(index.pack({})))
        size = path.stat().st_size
        start = run_apart("bench.match", f"cold:{path}")
    if start.pop("matches") != counts[0]:
        raise SystemExit("The index of a snapshot matches other pairs.")
    return {
        "profiles": profiles,
        "matches": counts[0],
        "mean_matches": round(check_mean(counts[0], profiles), 2),
        "fold_600_papers_s": rounded(folding),
        "add_s": rounded(adding),
        "memory_mb": rounded(grown),
        "adding_peak_mb": rounded(building),
        "bytes_a_profile": round(sum(index.memory().values()) / profiles),
        "first_match_s": rounded(first),
        "warm_match_s": rounded(statistics.median(warm)),
        "warm_runs_s": [rounded(one) for one in warm],
        "day_of_20_papers_s": rounded(statistics.median(days)),
        "score_and_top_20_s": rounded(ranking),
        "score_to_boolean": rounded(ranking / statistics.median(warm)),
        "snapshot_write_s": rounded(packing),
        "snapshot_mb": rounded(size / 1048576),
        **start,
        "pairs_evaluated": round(candidates),
        "pairs_evaluated_a_match": round(candidates / max(1, counts[0]), 3),
    }


def rank_all(index: Index, documents: Sequence[Document], profiles: int) -> float:
    """Seconds of scoring all matches and keeping the 20 best papers of each profile in order."""
    knowledge = Statistics.of(documents)
    of_each = np.zeros(profiles, dtype=np.int64)
    for ids in index.match_many(fresh(documents)):
        of_each[ids] += 1
    spent: list[float] = []
    for _ in range(3):
        papers, begun = fresh(documents), time.process_time()
        best = index.best_many(papers, knowledge, TOP)
        ranked = sum(len(ids) for ids, _, _ in best)
        spent.append(time.process_time() - begun)
        if ranked != np.minimum(of_each, TOP).sum():
            raise SystemExit("Not every profile has its best papers.")
    return statistics.median(spent)


def cold(path: Path) -> Figures:
    """In a new process: from the snapshot to the first answers."""
    documents = [prepare(paper) for paper in workload_papers()]
    forget_peak()
    held, index = memory_mb(), Index()
    with path.open("rb") as file:
        data = memoryview(mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ))
    start = timed(lambda: index.unpack(data))
    loading = peak_mb() - held
    forget_peak()
    before = memory_mb()
    return {
        "cold_start_s": rounded(start),
        "cold_start_mb": rounded(loading),
        "first_answer_s": rounded(timed(lambda: count_matches(index, fresh(documents[:1])))),
        "matches": count_matches(index, fresh(documents)),
        "match_memory_mb": rounded(peak_mb() - before),
    }


def add_all(index: Index, workload: Workload, profiles: int) -> float:
    """Seconds of putting ready queries in; they are made and forgotten in chunks."""
    spent = 0.0
    for first in range(0, profiles, CHUNK):
        queries = list(workload.queries(min(CHUNK, profiles - first), first))
        spent += timed(partial(put, index, first, queries))
    return spent


def put(index: Index, first: int, queries: Sequence[Query]) -> None:
    """Put queries in under consecutive numbers."""
    for number, query in enumerate(queries, start=first):
        index.add(number, query)


def fresh(documents: Iterable[Document]) -> list[Document]:
    """The folded papers as they come from the database: nothing is worked out yet."""
    return [replace(document, _lattices={}) for document in documents]


def count_matches(index: Index, documents: Sequence[Document]) -> int:
    """How many pairs match; their ids are made and let go."""
    return sum(map(len, index.match_many(documents)))


def plain_profiles(workload: Workload, profiles: int) -> Iterator[Query]:
    """Those of the first ``profiles`` that every engine can be asked."""
    return (query for query in workload.queries(profiles) if is_plain(query.root))


def ours_beside() -> Figures:
    """The index on the questions that the other engines get."""
    workload, _, documents = ready_workload()
    queries = list(plain_profiles(workload, BESIDE))
    index = Index()
    put(index, 0, queries)
    counts = [count_matches(index, fresh(documents))]
    warm = [
        timed(lambda: counts.append(count_matches(index, fresh(documents)))) for _ in range(RUNS)
    ]
    return {
        "profiles": len(queries),
        "matches": counts[-1],
        "cpu_s": rounded(statistics.median(warm)),
    }


def rival(measure: Callable[[Sequence[Query], Sequence[Document]], Figures]) -> Figures:
    """Another engine on the same questions; where it differs from us, that must be explained."""
    workload, _, documents = ready_workload()
    queries = list(plain_profiles(workload, BESIDE))
    figures = measure(queries, documents)
    found: list[set[int]] = figures.pop("found")
    pairs = "\n".join(f"{at}:{sorted(papers)}" for at, papers in enumerate(found))
    index = Index()
    put(index, 0, queries[:COMPARED])
    mine: list[set[int]] = [set() for _ in range(COMPARED)]
    for number, document in enumerate(documents):
        for at in index.match_ids(document).tolist():
            mine[at].add(number)
    differing = [(at, number) for at in range(COMPARED) for number in sorted(mine[at] ^ found[at])]
    for at, number in differing:
        if plainly_wants(queries[at], documents[number]) != (number in found[at]):
            raise SystemExit(f"Nothing explains this answer of the engine: {queries[at].shown}")
    return {
        "profiles": len(queries),
        **figures,
        "digest": hashlib.sha256(pairs.encode()).hexdigest()[:16],
        "compared_profiles": COMPARED,
        "compared_matches_ours": sum(map(len, mine)),
        "compared_pairs_that_differ": len(differing),
        "they_differ_by": "joined spellings and acronyms, which the engine does not know",
    }


def variants() -> Figures:
    """10,000 random parts of the real keyword lists on the same papers."""
    _, _, documents = ready_workload()
    chance, lists, index = random.Random(SEED), keyword_lists(), Index()
    while len(index) < 10_000:
        terms = chance.choice(lists)
        some = chance.sample(terms, min(len(terms), chance.randint(3, 8)))
        try:
            index.add(len(index), parse_keywords("\n".join(some)))
        except QueryError:
            continue
    matches = count_matches(index, fresh(documents))
    index.candidates = 0
    warm = [timed(lambda: count_matches(index, fresh(documents))) for _ in range(RUNS)]
    return {
        "profiles": len(index),
        "matches": matches,
        "warm_match_s": rounded(statistics.median(warm)),
        "pairs_evaluated_a_match": round(index.candidates / RUNS / max(1, matches), 3),
    }


MEASURES: dict[str, Callable[[], Figures]] = {
    "ours_10000": lambda: ours(SIZES[0]),
    "ours_100000": lambda: ours(SIZES[1]),
    "ours_beside": ours_beside,
    "fts5": lambda: rival(fts5.measure),
    "gin": lambda: rival(gin.measure),
    "variants": variants,
    "ours_1000000": lambda: ours(SIZES[2]),
}


def rounded(value: float) -> float:
    """Three figures after the point."""
    return round(value, 3)


# --- the whole ----------------------------------------------------------------------------------


def stamp() -> str:
    """Changes with everything that is measured and with the measure."""
    files = [
        path
        for folder in ("service/matching", "service/text", "bench/rivals", "bench/measured")
        for path in sorted((ROOT / folder).glob("*.py"))
    ]
    files += [ROOT / "bench" / "match.py", ROOT / "bench" / "match_workload.py"]
    return hashlib.sha256(b"".join(path.read_bytes() for path in files)).hexdigest()[:16]


def conclude(done: Figures) -> Figures:
    """Ratios, exponents, and whether the engines agree."""
    sizes = [done[f"ours_{size}"] for size in SIZES]
    beside, lite, postgres = done["ours_beside"], done["fts5"], done["gin"]
    if (lite["digest"], lite["matches"]) != (postgres["digest"], postgres["matches"]):
        raise SystemExit("FTS5 and GIN found different pairs.")
    large = sizes[-1]
    return {
        "times_faster_than_fts5": rounded(lite["cpu_s"] / beside["cpu_s"]),
        "times_faster_than_gin": rounded(postgres["cpu_s"] / beside["cpu_s"]),
        "times_faster_than_fts5_a_profile_at_1m": a_profile(lite, large),
        "goal_times_fts5": 3.8,
        "times_faster_than_gin_a_profile_at_1m": a_profile(postgres, large),
        "warm_1m_s": large["warm_match_s"],
        "goal_warm_1m_s": 5,
        "warm_1m_memory_mb": large["match_memory_mb"],
        "goal_warm_1m_memory_mb": 200,
        "cold_start_1m_s": large["cold_start_s"],
        "goal_cold_start_1m_s": 3,
        "cold_start_1m_mb": large["cold_start_mb"],
        "goal_cold_start_1m_mb": 400,
        "day_1m_s": large["day_of_20_papers_s"],
        "goal_day_1m_s": 0.3,
        "score_to_boolean": large["score_to_boolean"],
        "goal_score_to_boolean": 2,
        "growth_of_time": exponents(sizes, "warm_match_s"),
        "growth_of_memory": exponents(sizes, "snapshot_mb"),
        "growth_of_adding": exponents(sizes, "add_s"),
    }


def a_profile(engine: Figures, large: Figures) -> float:
    """How many times longer another engine takes for one of its 100,000 profiles than the index
    for one of its 1,000,000."""
    theirs = engine["cpu_s"] / engine["profiles"]
    return rounded(theirs / (large["warm_match_s"] / large["profiles"]))


def exponents(sizes: Sequence[Figures], name: str) -> list[float]:
    """How a figure grows from size to size: 1 is in proportion."""
    return [
        round(math.log(more[name] / less[name]) / math.log(more["profiles"] / less["profiles"]), 2)
        for less, more in itertools.pairwise(sizes)
    ]


def show(done: Figures) -> None:
    """Print what is kept, measurement by measurement."""
    for name, figures in done.items():
        if not isinstance(figures, dict):
            sys.stdout.write(f"{name:30}{figures}\n")
            continue
        sys.stdout.write(f"\n{name}\n")
        for key, value in figures.items():
            sys.stdout.write(f"  {key:42}{value}\n")


def main() -> None:
    """Run what is not done yet; say what is done at the end."""
    words = sys.argv[1:]
    if words[:1] == ["one"]:
        name, _, path = words[1].partition(":")
        report(partial(cold, Path(path)) if path else MEASURES[name])
        return
    done = kept(RESULT)
    if words[:1] == ["table"]:
        show(done)
        return
    if "again" in words or done.get("stamp") != stamp():
        done = {"on": date.today().isoformat(), "command": "python -m bench.match"}
        done |= {"stamp": stamp(), "machine": machine()}
    for name in MEASURES:
        if name not in done:
            done[name] = measured_apart("bench.match", name)
            keep(RESULT, done)
            show({name: done[name]})
    done["conclusion"] = conclude(done)
    keep(RESULT, done)
    show({"conclusion": done["conclusion"]})


if __name__ == "__main__":
    main()
