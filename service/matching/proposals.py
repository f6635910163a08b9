"""Words for an interest, out of a text that somebody likes.

Runs of one to three words of its title and abstract are weighed by

    times       how often the run stands there, in the title three times
    rarity      ln(papers / papers with it), no higher than that of ten papers in the ten thousand
    habit       ln(1 + papers with it) / ln(11), at most 1: what ten papers write is a term
    together    of the papers with its rarest word the share that has the phrase (at least 0.05),
                times 2 - 1 / its words

What stands in no other paper, or in so many that it would drown a reader, is not proposed; nor what
begins or ends with a word that says nothing or cuts a hyphenated one, nor a word that stands once
in the abstract alone. Phrases come first, those of the title or said twice
before others; a word that a chosen phrase holds is not said again.
"""

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date

import numpy as np

from service.defaults import FIXED
from service.matching.abbreviations import USUAL, Glossary, explained, is_short
from service.matching.counting import Counter
from service.matching.parse import make_query
from service.matching.query import Leaf, QueryError
from service.matching.score import Statistics
from service.matching.shelf import Shelf
from service.matching.suggestions import text_of
from service.matching.terms import make_leaf
from service.text.fold import fold
from service.text.tokens import NOT_JOINED, Folded, stem

MOST = 8
"""Words proposed at most."""

_LONGEST = 3
_TITLE_TIMES = 3
_EXPLAINED_TIMES = 2
_TRIED = 40
"""The likeliest candidates, which are counted."""

_LEAST_PAPERS = 2
_RAREST = 0.001
_TERM_OF = 10
_LEAST_TOGETHER = 0.05

# fmt: off
_EMPTY = frozenset((
    "about", "above", "across", "after", "against", "all", "along", "also", "among", "any",
    "around", "because", "been", "before", "being", "below", "better", "between", "beyond", "both",
    "could", "does", "due", "during", "each", "either", "existing", "extensive", "few", "first",
    "further", "given", "good", "had", "high", "how", "however", "improve", "improves",
    "improving", "include", "including", "introduce", "large", "less", "like", "many", "much",
    "must", "new", "novel", "one", "only", "other", "over", "paper", "present", "propose",
    "proposed", "recent", "results", "same", "several", "should", "show", "shows", "since",
    "some", "still", "such", "through", "toward", "towards", "two", "under", "upon", "use", "used",
    "using", "various", "very", "well", "what", "when", "whether", "why", "work", "yet",
))
# fmt: on
"""Words of any paper: a phrase does not begin or end with one, and none is proposed alone."""

_MOST_WORD_SHARE = 0.08
"""A word alone of more papers than this says nothing."""


@dataclass(frozen=True, slots=True)
class Proposal:
    """term: as the text writes it, in quotes where it would be read as more than words; papers:
    those with it on the asked days; per_day: of a weekday; is_phrase: more than one word;
    is_central: in the title, or more than once."""

    term: str
    papers: int
    per_day: float
    is_phrase: bool
    is_central: bool


@dataclass(slots=True)
class _Candidate:
    term: str
    stems: tuple[str, ...]
    times: int


def propose(
    shelf: Shelf,
    title: str,
    abstract: str,
    days: Sequence[date],
    statistics: Statistics,
    glossary: Glossary | None = None,
    most: int = MOST,
) -> list[Proposal]:
    """Words of a text with what each would have brought over ``days``; phrases first.

    statistics: how common words are. glossary: what abbreviations of the text usually stand for
    counts among its phrases.
    """
    with shelf.reading(days):
        counter = Counter(shelf, days)
        basis = int(np.count_nonzero(shelf.present() & counter.asked))
        if not basis:
            return []
        candidates = {
            one.stems: one for one in _candidates(title, abstract) if _may_stand(one, statistics)
        }
        for pair in _written_out(title, abstract, glossary):
            for text in pair:
                stems = _stems(fold(text))
                if 0 < len(stems) <= 2 * _LONGEST:
                    known = candidates.setdefault(stems, _Candidate(text, stems, 0))
                    known.times += _EXPLAINED_TIMES
        likely = sorted(candidates.values(), key=lambda one: -_guess(one, statistics))[:_TRIED]
        counted = []
        for one in likely:
            leaf = _leaf(one.term)
            papers = counter.count(leaf) if leaf is not None else 0
            enough = papers >= min(_LEAST_PAPERS, basis)
            if enough and counter.mean(papers) <= FIXED.broad_a_day:
                counted.append((_worth(one, papers, basis, statistics), one, papers))
        counted.sort(key=lambda each: (-each[0], each[1].term))
        chosen = _apart(counted, most)
        chosen.sort(key=lambda each: (len(each[1].stems) == 1, each[1].times == 1, -each[0]))
        return [
            Proposal(term, papers, counter.mean(papers), len(one.stems) > 1, one.times > 1)
            for _, one, papers in chosen
            if (term := _as_typed(one.term))
        ]


def _worth(one: _Candidate, papers: int, basis: int, statistics: Statistics) -> float:
    share = papers / (basis + 1)
    rarity = -math.log(max(share, _RAREST))
    habit = min(1.0, math.log1p(papers) / math.log1p(_TERM_OF))
    worth = one.times * rarity * habit
    if len(one.stems) == 1:
        return worth
    together = share / min(statistics.share(stem) for stem in one.stems)
    longer = 2 - 1 / len(one.stems)
    return worth * longer * min(1.0, max(_LEAST_TOGETHER, together))


def _leaf(term: str) -> Leaf | None:
    try:
        return make_leaf(term, "", exact=False, distance=None, position=1)
    except QueryError:
        return None


def _as_typed(term: str) -> str:
    """As a form reads it as this one keyword; "" where it cannot be one."""
    leaf = _leaf(term)
    return text_of(make_query(leaf, "keywords")) if leaf is not None else ""


def _may_stand(one: _Candidate, statistics: Statistics) -> bool:
    if len(one.stems) == 1:
        return one.times > 1 and statistics.share(one.stems[0]) <= _MOST_WORD_SHARE
    return True


def _guess(one: _Candidate, statistics: Statistics) -> float:
    """A worth before the papers are counted: the rarity of the words alone."""
    rare = sum(statistics.rarity(stem) for stem in one.stems)
    return one.times * rare / math.sqrt(len(one.stems))


def _candidates(title: str, abstract: str) -> list[_Candidate]:
    found: dict[tuple[str, ...], _Candidate] = {}
    for text, times in ((title, _TITLE_TIMES), (abstract, 1)):
        folded = fold(text)
        every = _stems(folded)
        for begin, end in _runs(folded):
            stems = every[begin:end]
            term = " ".join(text[folded.starts[begin] : folded.ends[end - 1]].split())
            known = found.setdefault(stems, _Candidate(term, stems, 0))
            known.times += times
            known.term = min(known.term, term, key=lambda form: (_capitals(form), form))
    return list(found.values())


def _stems(folded: Folded) -> tuple[str, ...]:
    """Of every word; "CNN" and "CNNs" find the same."""
    return tuple(
        stem(key[:-1]) if cased.endswith("s") and is_short(cased) else stemmed
        for key, cased, stemmed in zip(folded.keys, folded.cased, folded.stems, strict=True)
    )


def _capitals(form: str) -> int:
    """Capitals that only begin a word: "Sparse Attention" gives way to "sparse attention"."""
    return sum(word[:1].isupper() and word[1:].islower() for word in form.split())


def _runs(folded: Folded) -> Iterator[tuple[int, int]]:
    """(begin, end) of runs of one to three words between which nothing but blanks or hyphens
    stands, without a small word, a figure or a single letter at either end."""
    keys, gaps = folded.keys, folded.gaps
    empty = NOT_JOINED | _EMPTY
    good = [len(key) > 1 and key not in empty and not key.isdigit() for key in keys]
    for begin in range(len(keys)):
        if not good[begin]:
            continue
        for end in range(begin + 1, min(begin + _LONGEST, len(keys)) + 1):
            if end - begin > 1 and gaps[end - 2] == ".":
                break
            is_cut = "-" in (gaps[begin - 1 : begin], gaps[end - 1])
            if good[end - 1] and not is_cut:
                yield begin, end


def _written_out(title: str, abstract: str, glossary: Glossary | None) -> Iterator[tuple[str, str]]:
    """(short, long) that the text itself explains, or that its abbreviations usually mean."""
    own = dict(explained(f"{title}. {abstract}"))
    yield from own.items()
    if glossary is None:
        return
    for word in dict.fromkeys(fold(f"{title}. {abstract}").cased):
        if word not in own and is_short(word):
            meanings = glossary.meanings(word)
            if meanings and meanings[0].share >= USUAL:
                yield word, meanings[0].long


def _apart(
    counted: Sequence[tuple[float, _Candidate, int]], most: int
) -> list[tuple[float, _Candidate, int]]:
    """The best, none of which holds another or is held by it; at least half of them phrases
    where there are so many."""
    chosen: list[tuple[float, _Candidate, int]] = []
    words = 0
    for each in counted:
        stems = each[1].stems
        if any(_holds(stems, other.stems) or _holds(other.stems, stems) for _, other, _ in chosen):
            continue
        if len(stems) == 1:
            if 2 * words >= most:
                continue
            words += 1
        chosen.append(each)
        if len(chosen) == most:
            break
    return chosen


def _holds(one: tuple[str, ...], other: tuple[str, ...]) -> bool:
    size = len(other)
    return any(one[at : at + size] == other for at in range(len(one) - size + 1))
