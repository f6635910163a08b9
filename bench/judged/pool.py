"""The pairs that are judged: which readers, which papers, in which order they are shown.

Run from the checkout: ``python -m bench.judged.pool FOLDER`` writes the pool and the blinded
batches into FOLDER (texts of publishers: they stay out of the repository), and
``python -m bench.judged.pool FOLDER grades`` takes the grades beside them into ``grades.tsv``.
How and why: README.md in this folder.
"""

import gzip
import json
import math
import random
import sys
from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from itertools import zip_longest
from pathlib import Path

from service.matching.document import prepare
from service.matching.evaluate import Hit
from service.matching.faults import find_operator
from service.matching.index import Index
from service.matching.parse import parse_keywords, parse_query
from service.matching.query import Near, Query, QueryError, Term, leaves
from service.matching.score import Statistics, score
from service.papers.model import Alias, Paper
from service.text.tokens import NOT_JOINED

SHARED = Path(__file__).resolve().parents[2].parent / "shared" / "data"
HERE = Path(__file__).resolve().parent

SEED = 20261121
PROFILES = 32
FROM_ENGINES = 18
FROM_CHANCE = 2
LEAST_MATCHES = 15
MOST_TERMS = 24
A_SOURCE = 2
"""Profiles from one repository at most."""
NOT_WANTED = ("exclude", "negative")
"""Lists with such a name say what their reader does not want."""
BATCH = 48


@dataclass(frozen=True, slots=True)
class Listed:
    """A paper of the captured listings. stems: how often each occurs in title and abstract;
    in_title: those of the title."""

    id: str
    title: str
    abstract: str
    listed_on: date
    votes: int | None
    comments: int | None
    stems: Counter[str]
    in_title: frozenset[str]

    @property
    def newest_first(self) -> tuple[int, str]:
        """A sort key: the day, then the id, both falling."""
        return -self.listed_on.toordinal(), "".join(chr(255 - ord(sign)) for sign in self.id)


@dataclass(frozen=True, slots=True)
class Reader:
    """A real profile: ``number`` is its line in profiles.jsonl, from 1."""

    number: int
    source: str
    kind: str
    name: str
    terms: tuple[str, ...]
    query: Query


@dataclass(frozen=True)
class Collection:
    """What is ranked: the papers, the readers, and for each reader the hits in each paper that
    our boolean match finds."""

    papers: dict[str, Listed]
    readers: dict[int, Reader]
    hits: dict[int, dict[str, tuple[Hit, ...]]]
    statistics: Statistics
    newest: date

    def age(self, paper_id: str) -> float:
        """Days before the newest list."""
        return float((self.newest - self.papers[paper_id].listed_on).days)


def listings() -> Iterator[tuple[date, Paper]]:
    """Each paper of the daily listings once, with its first day and the votes it got later."""
    figures: dict[str, tuple[int, int]] = {}
    for path in sorted((SHARED / "hf_daily").glob("2026-0[56]-*.json")):
        for item in json.loads(path.read_text("utf-8")):
            seen = int(item["paper"].get("upvotes") or 0), int(item.get("numComments") or 0)
            figures[item["paper"]["id"]] = max(seen, figures.get(item["paper"]["id"], (0, 0)))
    seen_ids: set[str] = set()
    path = next((SHARED / "arxiv_corpus").glob("arxiv_daily_*.jsonl.gz"))
    with gzip.open(path, "rt", encoding="utf-8") as lines:
        for row in map(json.loads, lines):
            if row["id"] in seen_ids or not row.get("summary") or not row.get("title"):
                continue
            seen_ids.add(row["id"])
            votes, comments = figures.get(row["id"], (None, None))
            yield (
                date.fromisoformat(row["listed"]),
                Paper(
                    aliases=(Alias("arxiv", row["id"]),),
                    title=row["title"],
                    abstract=row["summary"],
                    authors=tuple(row.get("authors") or ()),
                    categories=tuple(row.get("categories") or ()),
                    votes=votes,
                    comments=comments,
                ),
            )


def real_readers() -> Iterator[Reader]:
    """The real profiles that can be read: lists as keywords, those with operators as queries."""
    text = (SHARED / "profiles" / "profiles.jsonl").read_text("utf-8")
    for number, line in enumerate(text.splitlines(), 1):
        row = json.loads(line)
        terms = tuple(dict.fromkeys(term.strip() for term in row["terms"] if term.strip()))
        try:
            if any(find_operator(term) for term in terms):
                read = [t if find_operator(t) else f'"{t}"' for t in terms]
                query = parse_query(" OR ".join(f"({term})" for term in read))
            else:
                query = parse_keywords(
                    "\n".join(f'"{t}"' if set(t) & set(",;") else t for t in terms)
                )
        except QueryError:
            continue
        yield Reader(number, row["source"], row["kind"], row["name"], terms, query)


def collect(only: Sequence[int] = (), among: frozenset[str] | None = None) -> Collection:
    """Read, fold and match (a quarter of a minute for everything). only: these profiles, or all ·
    among: these papers, or all."""
    readers = {r.number: r for r in real_readers() if not only or r.number in only}
    index = Index()
    for reader in readers.values():
        index.add(reader.number, reader.query)
    papers: dict[str, Listed] = {}
    hits: dict[int, dict[str, tuple[Hit, ...]]] = {number: {} for number in readers}
    frequencies: Counter[str] = Counter()
    for day, paper in listings():
        paper_id = paper.aliases[0].value
        if among is not None and paper_id not in among:
            continue
        document = prepare(paper)
        stems = Counter(document.title.stems) + Counter(document.abstract.stems)
        frequencies.update(stems.keys())
        papers[paper_id] = Listed(
            paper_id, paper.title, paper.abstract, day, paper.votes, paper.comments, stems,
            frozenset(document.title.stems),
        )  # fmt: skip
        for number, found in index.match(document).items():
            hits[number][paper_id] = found
    newest = max(paper.listed_on for paper in papers.values())
    return Collection(papers, readers, hits, Statistics(len(papers), frequencies), newest)


def words_of(query: Query) -> frozenset[str]:
    """The stems of the wanted words, each alone, without those that mean nothing alone."""
    return frozenset(
        word.stem or word.key
        for leaf in leaves(query.root, wanted_only=True)
        if isinstance(leaf, (Term, Near))
        for word in leaf.words
        if word.key not in NOT_JOINED
    )


def any_word(collection: Collection, query: Query) -> list[str]:
    """Papers with any of the words: most different words first, then newest first."""
    words = words_of(query)
    found = [(len(words & p.stems.keys()), p) for p in collection.papers.values()]
    kept = [(-n, p.newest_first, p.id) for n, p in found if n]
    return [paper_id for _, _, paper_id in sorted(kept)]


def any_word_newest(collection: Collection, query: Query) -> list[str]:
    """Papers with any of the words, newest first."""
    words = words_of(query)
    found = [p for p in collection.papers.values() if words & p.stems.keys()]
    return [p.id for p in sorted(found, key=lambda p: p.newest_first)]


def boolean_newest(collection: Collection, reader: Reader) -> list[str]:
    """Our boolean match, newest first."""
    papers = [collection.papers[paper_id] for paper_id in collection.hits[reader.number]]
    return [p.id for p in sorted(papers, key=lambda p: p.newest_first)]


def by_score(collection: Collection, reader: Reader) -> list[str]:
    """Our boolean match, best score first."""
    made = []
    for paper_id, hits in collection.hits[reader.number].items():
        paper = collection.papers[paper_id]
        total = score(
            reader.query,
            None,  # type: ignore[arg-type]  # the words are in the hits
            hits,
            collection.statistics,
            votes=paper.votes,
            comments=paper.comments,
            age_days=collection.age(paper_id),
        ).total
        made.append((-total, paper.newest_first, paper_id))
    return [paper_id for _, _, paper_id in sorted(made)]


class Similar:
    """tf-idf: the cosine between the reader's words and a paper's title and abstract."""

    def __init__(self, collection: Collection) -> None:
        self.rarity = collection.statistics.rarity
        self.postings: dict[str, list[tuple[str, float]]] = defaultdict(list)
        for paper in collection.papers.values():
            row = {stem: (1 + math.log(n)) * self.rarity(stem) for stem, n in paper.stems.items()}
            length = math.sqrt(sum(value * value for value in row.values())) or 1.0
            for stem, value in row.items():
                self.postings[stem].append((paper.id, value / length))

    def rank(self, query: Query) -> list[str]:
        """Best first."""
        asked = Counter(
            word.stem or word.key
            for leaf in leaves(query.root, wanted_only=True)
            if isinstance(leaf, (Term, Near))
            for word in leaf.words
        )
        sums: dict[str, float] = defaultdict(float)
        for stem, n in asked.items():
            for paper_id, value in self.postings.get(stem, ()):
                sums[paper_id] += (1 + math.log(n)) * self.rarity(stem) * value
        return sorted(sums, key=lambda paper_id: (-sums[paper_id], paper_id))


def choose(collection: Collection) -> list[Reader]:
    """Readers at random, kind after kind, with enough matches and words that a judge can hold."""
    chance = random.Random(SEED)
    by_kind: dict[str, list[Reader]] = defaultdict(list)
    for reader in collection.readers.values():
        matches = len(collection.hits[reader.number])
        is_wish = not any(word in reader.name for word in NOT_WANTED)
        if is_wish and matches >= LEAST_MATCHES and len(reader.terms) <= MOST_TERMS:
            by_kind[reader.kind].append(reader)
    for readers in by_kind.values():
        chance.shuffle(readers)
    chosen: list[Reader] = []
    sources: Counter[str] = Counter()
    seen: set[frozenset[str]] = set()
    for row in zip_longest(*(by_kind[kind] for kind in sorted(by_kind))):
        for reader in row:
            if reader is None or len(chosen) == PROFILES:
                continue
            words = words_of(reader.query)
            if sources[reader.source] < A_SOURCE and words not in seen:
                sources[reader.source] += 1
                seen.add(words)
                chosen.append(reader)
    return chosen


def pooled(
    collection: Collection, reader: Reader, similar: Similar, chance: random.Random
) -> list[str]:
    """Papers in turns from every engine, then some at random."""
    engines = [
        any_word(collection, reader.query),
        boolean_newest(collection, reader),
        by_score(collection, reader),
        similar.rank(reader.query),
        any_word_newest(collection, reader.query),
    ]
    # newest with any word brings mostly what nobody wants: one turn of two
    taken: dict[str, None] = {}
    turn = 0
    while len(taken) < FROM_ENGINES:
        for at, engine in enumerate(engines):
            if at == 4 and turn % 2:
                continue
            fresh = next((paper_id for paper_id in engine if paper_id not in taken), None)
            if fresh is not None and len(taken) < FROM_ENGINES:
                taken[fresh] = None
        turn += 1
    while len(taken) < FROM_ENGINES + FROM_CHANCE:
        taken.setdefault(chance.choice(sorted(collection.papers)), None)
    return list(taken)


def make(collection: Collection) -> list[tuple[int, str]]:
    """All pairs (profile, paper), shuffled over all readers."""
    chance = random.Random(SEED + 1)
    similar = Similar(collection)
    pairs = [
        (reader.number, paper_id)
        for reader in choose(collection)
        for paper_id in pooled(collection, reader, similar, chance)
    ]
    chance.shuffle(pairs)
    return pairs


def again(pairs: Sequence[tuple[int, str]]) -> list[int]:
    """A tenth of the pairs, by number from 1, that a second reader judges, in another order."""
    return random.Random(SEED + 2).sample(range(1, len(pairs) + 1), len(pairs) // 10)


def shown(number: int, reader: Reader, paper: Listed) -> str:
    """One pair as a judge sees it."""
    words = " · ".join(reader.terms)
    abstract = " ".join(paper.abstract.split())
    return f"#{number}\nREADER ({reader.name}): {words}\nTITLE: {paper.title}\n{abstract}\n"


def write_batches(folder: Path) -> None:
    """The pool (pool.tsv), the batches, and the second reader's batch."""
    collection = collect()
    pairs = make(collection)
    folder.mkdir(parents=True, exist_ok=True)
    lines = [f"{at}\t{number}\t{paper_id}" for at, (number, paper_id) in enumerate(pairs, 1)]
    (folder / "pool.tsv").write_text("\n".join(lines) + "\n", "utf-8")
    texts = [
        shown(at, collection.readers[number], collection.papers[paper_id])
        for at, (number, paper_id) in enumerate(pairs, 1)
    ]
    for at in range(0, len(texts), BATCH):
        name = f"batch_{at // BATCH + 1:02}.txt"
        (folder / name).write_text("\n".join(texts[at : at + BATCH]), "utf-8")
    second = "\n".join(texts[at - 1] for at in again(pairs))
    (folder / "second.txt").write_text(second, "utf-8")
    per_reader = Counter(number for number, _ in pairs)
    for number in sorted(per_reader):
        reader = collection.readers[number]
        found = len(collection.hits[number])
        print(number, reader.kind, f"{len(reader.terms)} terms, {found} matches", reader.name)
    print(len(pairs), "pairs of", len(per_reader), "readers")


def take_grades(folder: Path) -> None:
    """``grades_*.txt`` ("number grade" a line) become grades.tsv; ``second_*.txt`` second.tsv."""
    pool = {}
    for line in (folder / "pool.tsv").read_text("utf-8").splitlines():
        at, number, paper_id = line.split("\t")
        pool[int(at)] = (int(number), paper_id)
    for pattern, name in (("grades_*.txt", "grades.tsv"), ("second_*.txt", "second.tsv")):
        grades: dict[tuple[int, str], int] = {}
        for path in sorted(folder.glob(pattern)):
            for at, grade in (line.split() for line in path.read_text("utf-8").splitlines()):
                if grade not in "012" or pool[int(at)] in grades:
                    raise SystemExit(f"{path.name}: pair {at} has the grade {grade}, or twice")
                grades[pool[int(at)]] = int(grade)
        rows = [f"{number}\t{paper}\t{grade}" for (number, paper), grade in sorted(grades.items())]
        if rows:
            (HERE / name).write_text("profile\tpaper\tgrade\n" + "\n".join(rows) + "\n", "utf-8")
        print(name, len(rows), sorted(Counter(grades.values()).items()))


if __name__ == "__main__":
    if len(sys.argv) < 2:
        raise SystemExit(__doc__)
    (take_grades if sys.argv[2:] == ["grades"] else write_batches)(Path(sys.argv[1]))
