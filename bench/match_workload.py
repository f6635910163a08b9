"""The fixed workload of the matching measures: 600 real papers, any number of made-up profiles.

Of the profiles 70 % are ORs of 3 to 8 terms, 15 % AND and NOT, 8 % fields and categories, 4 %
prefixes, 3 % nearness and exact forms. Terms are words and runs of two and three words of the
papers, drawn by rank; the 200 commonest words never stand alone. A profile matches 44 of the 600
papers on average. Profile n is the same in every run and whatever the number of profiles.

Run from the checkout: ``python -m bench.match_workload [PROFILES]`` prints what the first PROFILES
(10,000) are like, as a JSON object, and fails when the mean is off.
"""

import itertools
import json
import random
import re
import sys
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace
from typing import Literal

from bench.captured.papers import arxiv_rows, hf_papers
from service.matching.document import Document, prepare
from service.matching.index import Index
from service.matching.parse import make_query
from service.matching.query import And, Field, Leaf, Node, Not, Or, Query
from service.matching.terms import make_leaf
from service.papers.model import Paper
from service.text.tokens import NOT_JOINED, Folded, is_ideograph

SEED = 20261121
PAPERS = 600
CHUNK = 10_000
COMMONEST = 200
MEAN = 44.0
SKEW = 0.1955
"""Terms are drawn at rank N ** (u ** SKEW), u even in 0..1: found so that the mean is MEAN."""

_NAME = re.compile(r"[^\W\d_][\w.'-]+( [\w.'-]+)+")

Kind = Literal["or", "and_not", "fields", "prefix", "near_exact"]
SHARES: dict[Kind, float] = {
    "or": 0.70,
    "and_not": 0.15,
    "fields": 0.08,
    "prefix": 0.04,
    "near_exact": 0.03,
}


def workload_papers(count: int = PAPERS) -> list[Paper]:
    """The first papers of Hugging Face's captured days. These name no categories, so each gets
    those of a paper of the captured arXiv listings, chosen by the seed."""
    chance = random.Random(SEED)
    categories = [tuple(row["categories"]) for row in arxiv_rows() if row.get("categories")]
    papers = itertools.islice(hf_papers(), count)
    return [replace(paper, categories=chance.choice(categories)) for paper in papers]


@dataclass(frozen=True, slots=True)
class Vocabulary:
    """terms: text of words and runs of words, the most frequent first, without the commonest
    words. common: these, without small words. pairs: the runs of two among ``terms``. words:
    the single ones of six letters or more."""

    terms: list[str]
    common: list[str]
    pairs: list[str]
    words: list[str]
    names: list[str]
    categories: list[str]


def read_vocabulary(papers: Iterable[Paper], documents: Iterable[Document]) -> Vocabulary:
    """Every word and run of two or three words, by the number of papers that hold it."""
    counted: Counter[str] = Counter()
    typed: dict[str, str] = {}
    for document in documents:
        held = dict(itertools.chain(_runs(document.title), _runs(document.abstract)))
        counted.update(held.keys())
        for keys, text in held.items():
            typed.setdefault(keys, text)
    ranked = sorted(counted, key=lambda keys: (-counted[keys], keys))
    singles = [keys for keys in ranked if " " not in keys]
    never_alone = set(singles[:COMMONEST])
    fit = [keys for keys in ranked if keys not in never_alone and _may_stand(keys)]
    some = list(papers)
    return Vocabulary(
        terms=[typed[keys] for keys in fit],
        common=[typed[keys] for keys in singles[:COMMONEST] if _may_stand(keys)],
        pairs=[typed[keys] for keys in fit if keys.count(" ") == 1],
        words=[keys for keys in fit if " " not in keys and len(keys) >= 6 and keys.isascii()],
        names=sorted({name for paper in some for name in paper.authors if _NAME.fullmatch(name)}),
        categories=sorted({code for paper in some for code in paper.categories}),
    )


def _runs(folded: Folded) -> Iterator[tuple[str, str]]:
    """(folded words, the text a reader would type) of each run of one to three words."""
    words = [
        cased if sum(letter.isupper() for letter in cased) > 1 else cased.lower()
        for cased in folded.cased
    ]
    for size in (1, 2, 3):
        for at in range(len(words) - size + 1):
            if "." not in folded.gaps[at : at + size - 1]:
                yield " ".join(folded.keys[at : at + size]), " ".join(words[at : at + size])


def _may_stand(keys: str) -> bool:
    """No small word, single sign or bare number at either end."""
    words = keys.split(" ")
    return not any(
        word in NOT_JOINED or len(word) < 2 or word.isdigit() or is_ideograph(word)
        for word in (words[0], words[-1])
    )


@dataclass(slots=True)
class Workload:
    """Profiles by number. ``queries`` are ready trees whose terms are made once; the same
    query as text is ``query.shown``, and reads back to the same tree."""

    vocabulary: Vocabulary
    skew: float = SKEW
    _leaves: dict[tuple[str, Field, bool, int | None], Leaf] = field(default_factory=dict)

    def queries(self, count: int, first: int = 0) -> Iterator[Query]:
        """Profiles ``first`` to ``first + count - 1``."""
        for _, query in self.profiles(count, first):
            yield query

    def profiles(self, count: int, first: int = 0) -> Iterator[tuple[Kind, Query]]:
        """The same, each with its kind."""
        chunk, skipped = divmod(first, CHUNK)
        while count > 0:
            made = itertools.islice(self._chunk(chunk), skipped, min(CHUNK, skipped + count))
            for one in made:
                count -= 1
                yield one
            chunk, skipped = chunk + 1, 0

    def _chunk(self, number: int) -> Iterator[tuple[Kind, Query]]:
        chance = random.Random(f"{SEED}:{number}")
        kinds, weights = list(SHARES), list(itertools.accumulate(SHARES.values()))
        make = {
            "or": self._alternatives,
            "and_not": self._and_not,
            "fields": self._fields,
            "prefix": self._prefix,
            "near_exact": self._near_exact,
        }
        for _ in range(CHUNK):
            kind = chance.choices(kinds, cum_weights=weights)[0]
            yield kind, make_query(make[kind](chance), "query")

    def _leaf(
        self, text: str, field: Field = "", *, exact: bool = False, distance: int | None = None
    ) -> Leaf:
        key = (text, field, exact, distance)
        leaf = self._leaves.get(key)
        if leaf is None:
            leaf = make_leaf(text, field, exact=exact, distance=distance, position=1)
            self._leaves[key] = leaf
        return leaf

    def _drawn(self, chance: random.Random, texts: list[str]) -> str:
        rank = int(len(texts) ** (chance.random() ** self.skew))
        return texts[min(rank, len(texts)) - 1]

    def _some(self, chance: random.Random, count: int, field: Field = "") -> list[Node]:
        terms = self.vocabulary.terms
        drawn = dict.fromkeys(self._drawn(chance, terms) for _ in range(count))
        return [self._leaf(text, field) for text in drawn]

    def _alternatives(self, chance: random.Random) -> Node:
        return _any(self._some(chance, chance.randint(3, 8)))

    def _and_not(self, chance: random.Random) -> Node:
        common = self._leaf(chance.choice(self.vocabulary.common))
        match chance.randrange(4):
            case 0:
                return And((*self._some(chance, 1), common))
            case 1:
                return And((_any(self._some(chance, chance.randint(2, 5))), common))
            case 2:
                return And((_any(self._some(chance, chance.randint(2, 6))), Not(common)))
            case _:
                left, right = (_any(self._some(chance, chance.randint(2, 4))) for _ in range(2))
                return And((left, right)) if left != right else left

    def _fields(self, chance: random.Random) -> Node:
        some = chance.randint(2, 5)
        match chance.randrange(4):
            case 0:
                return _any(self._some(chance, some, "ti"))
            case 1:
                return _any(self._some(chance, some, "abs"))
            case 2:
                person = self._leaf(chance.choice(self.vocabulary.names), "au")
                return _any([person, *self._some(chance, some)])
            case _:
                code = chance.choice(self.vocabulary.categories)
                category = self._leaf(code if chance.random() < 0.7 else code[:2] + "*", "cat")
                return And((category, _any(self._some(chance, some))))

    def _prefix(self, chance: random.Random) -> Node:
        word = self._drawn(chance, self.vocabulary.words)
        begun = self._leaf(word[: chance.randint(5, len(word))] + "*")
        return _any([begun, *self._some(chance, chance.randint(0, 3))])

    def _near_exact(self, chance: random.Random) -> Node:
        pair = self._drawn(chance, self.vocabulary.pairs)
        if chance.random() < 0.5:
            first = self._leaf(pair, distance=chance.randint(3, 8))
        else:
            first = self._leaf(pair if chance.random() < 0.5 else pair.split()[-1], exact=True)
        return _any([first, *self._some(chance, chance.randint(0, 3))])


def _any(parts: list[Node]) -> Node:
    parts = list(dict.fromkeys(parts))
    return Or(tuple(parts)) if len(parts) > 1 else parts[0]


def ready_workload() -> tuple[Workload, list[Paper], list[Document]]:
    """The workload, its papers, and the papers folded."""
    papers = workload_papers()
    documents = [prepare(paper) for paper in papers]
    return Workload(read_vocabulary(papers, documents)), papers, documents


def check_mean(matches: int, profiles: int) -> float:
    """The mean number of matches of a profile on the 600 papers; fails when it is off."""
    mean = matches / profiles
    if abs(mean - MEAN) > 0.05 * MEAN:
        raise SystemExit(f"A profile matches {mean:.1f} papers on average, not {MEAN:.0f}.")
    return mean


def describe(workload: Workload, documents: list[Document], count: int) -> dict[str, object]:
    """What the first ``count`` profiles are like: their kinds and how much each matches."""
    index, kinds = Index(), []
    for number, (kind, query) in enumerate(workload.profiles(count)):
        index.add(number, query)
        kinds.append(kind)
    matched: Counter[Kind] = Counter()
    for document in documents:
        matched.update(kinds[number] for number in index.match_ids(document).tolist())
    there = Counter(kinds)
    return {
        "seed": SEED,
        "papers": len(documents),
        "profiles": count,
        "terms": len(workload.vocabulary.terms),
        "terms_used": len(workload._leaves),
        "share": {kind: round(there[kind] / count, 3) for kind in SHARES},
        "mean_by_kind": {kind: round(matched[kind] / max(1, there[kind]), 1) for kind in SHARES},
        "mean": round(matched.total() / count, 2),
    }


def main() -> None:
    """Describe, and fail when the mean is off."""
    count = int(sys.argv[1]) if len(sys.argv) > 1 else CHUNK
    workload, _, documents = ready_workload()
    if len(sys.argv) > 2:
        workload.skew = float(sys.argv[2])
    found = describe(workload, documents, count)
    sys.stdout.write(json.dumps(found, indent=1) + "\n")
    check_mean(round(float(str(found["mean"])) * count), count)


if __name__ == "__main__":
    main()
