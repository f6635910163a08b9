"""Papers for measurements: real sentences, titles and names put together anew.

A paper has a captured title, a captured abstract's worth of sentences from many abstracts, and a
name of its own, so that the vocabulary grows with the papers as a real one does. Sentences are
folded once; a paper's words are theirs, moved to where they stand.
"""

import json
import random
import re
from collections.abc import Iterator
from datetime import date, timedelta
from pathlib import Path

from service.matching.document import Document
from service.matching.segment import Entry
from service.text.fold import fold
from service.text.tokens import Folded

SHARED = Path(__file__).resolve().parents[1].parent / "shared" / "data"
TODAY = date(2026, 11, 20)
SEED = 20261121

_CATEGORIES = ("cs.LG", "cs.CL", "cs.CV", "cs.AI", "cs.RO", "stat.ML", "eess.IV", "q-bio.NC")
_SYLLABLES = ("ka", "lo", "mi", "ten", "ru", "vis", "do")
_END = re.compile(r"(?<=[.!?])\s+(?=[A-Z])")


class Kit:
    """What papers are made of."""

    def __init__(self) -> None:
        titles: list[str] = []
        abstracts: list[str] = []
        names: list[str] = []
        for path in sorted((SHARED / "hf_daily").glob("*.json")):
            for item in json.loads(path.read_text("utf-8")):
                paper = item["paper"]
                titles.append(paper["title"])
                abstracts.append(paper.get("summary") or "")
                names += [one["name"] for one in paper.get("authors", [])]
        split = [[s for s in _END.split(text) if s] for text in abstracts]
        self.titles = [fold(title) for title in dict.fromkeys(titles)]
        self.sentences = [fold(one) for some in split for one in some]
        self.lengths = [len(some) for some in split if some]
        self.names = sorted(set(names))


def joined(texts: list[Folded]) -> Folded:
    """Folded texts as one, a blank between them."""
    starts: list[int] = []
    ends: list[int] = []
    at = 0
    for text in texts:
        starts += [at + start for start in text.starts]
        ends += [at + end for end in text.ends]
        at += (text.ends[-1] if text.ends else 0) + 2
    return Folded(
        keys=tuple(key for text in texts for key in text.keys),
        exact=tuple(form for text in texts for form in text.exact),
        cased=tuple(form for text in texts for form in text.cased),
        stems=tuple(stem for text in texts for stem in text.stems),
        starts=tuple(starts),
        ends=tuple(ends),
        gaps="".join(text.gaps for text in texts),
    )


def made_papers(count: int, a_day: int, seed: int = SEED) -> Iterator[Entry]:
    """Papers 1 to ``count``, ``a_day`` of them on each day, the last ones today."""
    chance, kit = random.Random(seed), Kit()
    for number in range(1, count + 1):
        word = "".join(chance.choices(_SYLLABLES, k=5)).capitalize()
        called = fold(f"We call it {word}{number % 97}.")
        sentences = chance.choices(kit.sentences, k=chance.choice(kit.lengths))
        document = Document(
            title=chance.choice(kit.titles),
            abstract=joined([*sentences, called]),
            authors=tuple(chance.sample(kit.names, chance.randint(1, 8))),
            categories=tuple(chance.sample(_CATEGORIES, chance.randint(1, 3))),
            source_text="hf_daily Hugging Face",
            ids=(f"{2000 + number // 100_000}.{number % 100_000:05}",),
            votes=int(chance.paretovariate(1.2)) - 1,
            comments=int(chance.paretovariate(2)) - 1,
        )
        day = TODAY - timedelta(days=(count - number) // a_day)
        yield Entry(number, day.toordinal(), document, document.votes, document.comments)
