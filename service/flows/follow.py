"""The back-test of the field *People*: of each name how many papers, where, and whether it is
several people's."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from service.defaults import FIXED
from service.flows.runtime import Runtime
from service.matching.parse import make_query, parse_query, read_words
from service.matching.query import Node, Person, Query, QueryError
from service.matching.show import line_of, show, split_lines
from service.store import papers as papers_store
from service.text.fold import fold
from service.text.tokens import NOT_JOINED

MOST_CATEGORIES = 3
MOST_OFFERS = 3
_LOOKED_AT = 500
_MONTH = 30
"""Of fewer days the papers are those of a month so far: two of one day are not sixty."""
_SHORTEST_WORD = 4


@dataclass(frozen=True, slots=True)
class Narrower:
    """A line that asks for more of a name. by: the category or word that it adds · papers: it
    would have brought."""

    line: str
    by: str
    papers: int


@dataclass(frozen=True, slots=True)
class Name:
    """What one line would have brought. papers: on the days looked at · categories: (first
    category, papers), the most frequent · several: probably several people · narrower: lines that
    may stand instead."""

    line: str
    text: str
    papers: int
    categories: tuple[tuple[str, int], ...] = ()
    several: bool = False
    narrower: tuple[Narrower, ...] = ()


def count_names(
    rt: Runtime, query: Query, days: Sequence[date], *, words: str = ""
) -> tuple[Name, ...]:
    """Every line of a query of people, on the days of a back-test (``estimate``).

    words: of the reader, offered to go with a name that is several people's.
    """
    lines, _ = split_lines(query)
    return tuple(_count(rt, node, days, words) for node in lines)


def _count(rt: Runtime, node: Node, days: Sequence[date], words: str) -> Name:
    ids = _papers(rt, node, days)
    rows = rt.db.read(lambda s: papers_store.get_papers(s, ids[:_LOOKED_AT]))
    categories = Counter(row.categories[0] for row in rows.values() if row.categories)
    a_month = len(ids) * _MONTH / max(_MONTH, len(days))
    several = isinstance(node, Person) and a_month > FIXED.several_a_month
    line = line_of(node)
    titles = [row.title for row in rows.values()]
    return Name(
        line=line,
        text=str(getattr(node, "text", line)),
        papers=len(ids),
        categories=tuple(categories.most_common(MOST_CATEGORIES)),
        several=several,
        narrower=_narrower(rt, node, days, words, categories, titles) if several else (),
    )


def _papers(rt: Runtime, node: Node, days: Sequence[date]) -> list[int]:
    found = rt.corpus.corpus.search(make_query(node, "follow"), days=days, limit=None)
    return [one.paper_id for one in found]


def _narrower(
    rt: Runtime,
    node: Node,
    days: Sequence[date],
    words: str,
    categories: Counter[str],
    titles: Sequence[str],
) -> tuple[Narrower, ...]:
    """With the reader's own words, with the categories of the name, with a word of its titles."""
    name, made = show(node), []
    for by, asked in _choices(rt, words, categories, titles):
        line = f"{name} AND {asked}"
        try:
            papers = len(_papers(rt, parse_query(line).root, days))
        except QueryError:
            continue
        if papers:
            made.append(Narrower(line, by, papers))
    return tuple(made[:MOST_OFFERS])


def _choices(
    rt: Runtime, words: str, categories: Counter[str], titles: Sequence[str]
) -> list[tuple[str, str]]:
    """(what to call it, what stands behind AND)."""
    found = []
    if words.strip():
        try:
            asked = read_words(words)
        except QueryError:
            pass
        else:
            found.append((" · ".join(asked.terms[:3]), f"({show(asked.root)})"))
    codes = [code for code, _ in categories.most_common(2)]
    found += [(code, f'cat:"{code}"' if " " in code else f"cat:{code}") for code in codes]
    word = _telling_word(rt, titles, fold(words).stems)
    return [*found, (word, word)] if word else found


def _telling_word(rt: Runtime, titles: Sequence[str], named: Sequence[str]) -> str:
    """The word of several titles, not of all, that says most: often here, seldom elsewhere.

    named: stems of the reader's own words, which are offered already.
    """
    shown: dict[str, str] = {}
    times: Counter[str] = Counter()
    for title in titles:
        folded = fold(title)
        stems = {}
        for at, (key, stem) in enumerate(zip(folded.keys, folded.stems, strict=True)):
            if len(key) >= _SHORTEST_WORD and key not in NOT_JOINED and key.isalpha():
                stems[stem] = title[folded.starts[at] : folded.ends[at]].lower()
        times.update(stems.keys())
        shown |= {stem: word for stem, word in stems.items() if stem not in shown}
    rarity = rt.corpus.statistics.rarity
    ranked = sorted(
        (-n * rarity(stem), stem)
        for stem, n in times.items()
        if 1 < n < len(titles) and stem not in named
    )
    return shown[ranked[0][1]] if ranked else ""
