"""Random papers and queries that meet often: real sentences cut up and put together anew, with
hyphens, TeX, Greek, Chinese and acronyms thrown in; and what every matcher says of them.

Everything is drawn from one ``random.Random``, so a number says which block of cases it was, and
hypothesis (``st.randoms``) can make a failing one smaller.
"""

import json
import random
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import date
from pathlib import Path

from support.match_strategies import WORDS
from support.oracle import Oracle

from service.matching.document import Document, prepare
from service.matching.evaluate import Hit, evaluate
from service.matching.index import Index
from service.matching.parse import parse_keywords, parse_people, parse_query
from service.matching.query import Leaf, Near, Query, QueryError, Term, leaves
from service.matching.shelf import Shelf
from service.papers.model import Alias, Paper

DAY = date(2026, 11, 20)
ODD = [
    *("β-VAE", "α", "$\\alpha$", "ε-greedy", "λ2", "ΔΣ", "Σ", "μP", "σ", "ς", "ß", "straße"),
    *("$O(n^2)$", "\\textbf{graph}", "x_1", "x²", "H₂O", "ﬁne-tuning", "Ⅳ", "½", "№5"),
    *("路径规划", "新的路径", "规划", "グラフ", "그래프", "图graph", "graph图"),
    *("LoRA", "LoRAs", "RAG", "RAGs", "rag", "GPT-4", "GPT4", "GPT 4", "BERT's", "LLMs", "LLM"),
    *("end-to-end", "endtoend", "end to end", "state-of-the-art", "e.g.", "i.e.,", "U.S."),
    *("C++", "3D", "3-D", "2.5D", "10%", "naïve", "naive", "Schrödinger", "Schro\u0308dinger"),
    *(
        "fine\u00adtuning",
        "multi–modal",
        "multi—modal",
        "non\u2011linear",
        "self / other",
        "a",
        "s",
    ),
    *("İ", "ı", "\u0301", "\u200b", "—", "x" * 70, "आधार", "שלום", "ﷺ", "🙂", "graph🙂network"),
]
GAPS = ["-", "-", "–", "", ", ", ". ", "/", "\u00a0", "  ", "' ", "’s ", "_", " - ", "\u00ad", ": "]
AUTHORS = [
    *("Yara Maren", "Y. Maren", "Y Maren", "Yara K. Maren", "Y. K. Maren", "Maren, Yara", "Maren"),
    *("Xiao-Ming Li", "Xiaoming Li", "Xiao Ming Li", "X. Li", "Li Xiao", "Li X", "Li XM"),
    *("Jan van der Berg", "van der Berg", "J. van der Berg", "Berg", "Øystein Åsen", "O. Asen"),
    *(
        "Bo Chen Jr.",
        "Bo Chen",
        "Chen, Bo, Jr.",
        "Bo Chen III",
        "李明",
        "王李明",
        "明",
        "Ana de Sá",
    ),
    *("Anne-Marie O'Dea", "A.-M. O’Dea", "Annemarie O'Dea", "ben Ari", "St. John", "Jo Ng", "Ng J"),
]
CATEGORIES = [
    *("cs.LG", "cs.CL", "cs.cv", "stat.ML", "math-ph", "cs", "astro-ph.GA", "Systems Neuroscience"),
    *("Neuroscience", "q-bio.NC", "Computation & Language"),
]
SOURCES = ["hf_daily", "Hugging Face Daily Papers", "arXiv cs.LG", "My-Feed", "bioRxiv"]
PLACES = ["", "", "", "Graph Institute", "Deep-Learning Lab", "ETH Zürich", "Nvidia"]
NAMES_OF_PAPERS = [
    Alias("arxiv", "2501.00001"),
    Alias("arxiv", "2501.00002v3"),
    Alias("arxiv", "hep-th/9901001"),
    Alias("doi", "10.1038/S41586v2"),
    Alias("hf", "2501.00001"),
    Alias("pmid", "123"),
    Alias("guid", "https://arxiv.org/abs/2501.00003v1"),
]
_WORD = re.compile(r"[^\W_]+")


def own_sentences() -> list[list[str]]:
    """Sentences of a small vocabulary, for where no captures are."""
    chance = random.Random(1)
    return [[chance.choice(WORDS) for _ in range(12)] for _ in range(200)]


def real_sentences(captures: Path, most: int = 6000) -> list[list[str]]:
    """Words of real titles and of sentences of real abstracts, from days spread over the years."""
    sentences: list[list[str]] = []
    for path in sorted((captures / "hf_daily").glob("*.json"))[::8]:
        for item in json.loads(path.read_text("utf-8")):
            paper = item["paper"]
            texts = [paper["title"], *re.split(r"(?<=[.?!]) ", paper.get("summary") or "")]
            sentences += [text.split() for text in texts if len(text) < 1000]
    return [words for words in sentences if len(words) > 2][:most]


# --- papers -----------------------------------------------------------------------------------


def _window(chance: random.Random, words: Sequence[str], most: int) -> list[str]:
    size = min(len(words), chance.randint(1, most))
    at = chance.randint(0, len(words) - size)
    return list(words[at : at + size])


def _text(chance: random.Random, pool: Sequence[list[str]], pieces: int) -> str:
    words: list[str] = []
    for _ in range(pieces):
        words += _window(chance, chance.choice(pool), 7)
        if chance.random() < 0.5:
            words.append(chance.choice(ODD if chance.random() < 0.6 else WORDS))
    gaps = [chance.choice(GAPS) if chance.random() < 0.25 else " " for _ in words]
    changed = [_changed(chance, word) if chance.random() < 0.1 else word for word in words]
    return "".join(word + gap for word, gap in zip(changed, gaps, strict=True)).strip()


def _changed(chance: random.Random, word: str) -> str:
    return chance.choice(
        [
            word.upper(),
            word.lower(),
            word.title(),
            f"{word}s",
            word.removesuffix("s"),
            f"{word}'s",
            f"“{word}”",
            word.replace("e", "é"),
            word.replace("-", " "),
        ]
    )


def random_paper(chance: random.Random, pool: Sequence[list[str]]) -> Paper:
    """A paper of some ten to forty words."""

    def some(values: Sequence[str], most: int) -> tuple[str, ...]:
        return tuple(dict.fromkeys(chance.choice(values) for _ in range(chance.randint(0, most))))

    names = {chance.choice(NAMES_OF_PAPERS) for _ in range(chance.randint(1, 2))}
    return Paper(
        aliases=tuple(sorted(names, key=lambda alias: (alias.scheme, alias.value))),
        title=_text(chance, pool, chance.randint(1, 2)),
        abstract=_text(chance, pool, chance.randint(0, 4)),
        authors=some(AUTHORS, 3),
        categories=some(CATEGORIES, 2),
        organisation=chance.choice(PLACES),
        votes=chance.choice([None, 0, 5, 10, 20]),
        comments=chance.choice([None, 0, 1, 3]),
    )


# --- queries ----------------------------------------------------------------------------------


class Asker:
    """Makes queries about words of the papers given (and sometimes about others)."""

    def __init__(self, chance: random.Random, papers: Sequence[Paper]) -> None:
        self.chance = chance
        texts = [text for paper in papers for text in (paper.title, paper.abstract)]
        self.texts = [words for text in texts if (words := _WORD.findall(text))] or [["graph"]]

    def query(self) -> tuple[str, Query] | None:
        """(how it was typed, the query); None when nothing readable came out."""
        for _ in range(6):
            form = self.chance.random()
            try:
                if form < 0.12:
                    text = ", ".join(self._item() for _ in range(self.chance.randint(1, 4)))
                    return f"keywords {text!r}", parse_keywords(text)
                if form < 0.16:
                    text = "\n".join(self.chance.choice(AUTHORS) for _ in range(2))
                    return f"people {text!r}", parse_people(text)
                text = self._tree(self.chance.randint(0, 3))
                return f"query {text!r}", parse_query(text)
            except QueryError:
                continue
        return None

    def _words(self, most: int) -> list[str]:
        """Neighbouring words of a paper, some changed."""
        if self.chance.random() < 0.1:
            return _WORD.findall(self.chance.choice([*ODD, *WORDS])) or ["graph"]
        words = _window(self.chance, self.chance.choice(self.texts), most)
        return [
            _WORD.findall(_changed(self.chance, word) + "x")[0].removesuffix("x") or word
            if self.chance.random() < 0.2
            else word
            for word in words
        ]

    def _item(self) -> str:
        text = self.chance.choice([" ", "-", ""]).join(self._words(3))
        return self.chance.choice(["", "", "", "", "-", "="]) + text

    def _phrase(self, most: int) -> str:
        words = self._words(most)
        glue = self.chance.choice([" ", " ", "-", "", "–", "/"])
        return f'"{glue.join(words)}"'

    def _bare(self) -> str:
        word = self._words(1)[0]
        return f'"{word}"' if word in ("AND", "OR", "NOT", "ANDNOT") else word

    def _tree(self, depth: int) -> str:
        chance = self.chance
        if depth == 0:
            return self._leaf()
        parts = [self._tree(chance.randint(0, depth - 1)) for _ in range(chance.randint(2, 3))]
        match chance.randrange(7):
            case 0 | 1:
                return f"({' OR '.join(parts)})"
            case 2:
                return f"({' AND '.join(parts)})"
            case 3:
                return f"({' '.join(parts)})"
            case 4:
                return f"({parts[0]} AND NOT {parts[1]})"
            case 5:
                return f"({parts[0]} OR ({parts[-1]} -{self._bare()}))"
            case _:
                field = chance.choice(["ti", "abs", "title", "abstract"])
                return f"{field}:({self._bare()} OR {self._phrase(2)} OR {self._bare()})"

    def _leaf(self) -> str:
        chance = self.chance
        field = chance.choice(["", "", "", "ti:", "abs:"])
        match chance.randrange(16):
            case 0 | 1 | 2 | 3:
                return field + self._bare()
            case 4 | 5 | 6:
                return field + self._phrase(4)
            case 7 | 8:
                return f"{field}={chance.choice([self._bare(), self._phrase(2)])}"
            case 9 | 10:
                *before, word = self._words(chance.choice([1, 1, 2, 3]))
                begun = word[: chance.randint(3, max(3, len(word)))]
                if before and chance.random() < 0.3:
                    before = self._words(1)
                return f'{field}"{chance.choice(" -").join([*before, begun])}*"'
            case 11 | 12:
                words = self._words(5)[:: chance.choice([1, 2])]
                if chance.random() < 0.2:
                    words = [*words, words[0]]
                chance.shuffle(words)
                exact = chance.choice(["", "", "="])
                return f'{field}{exact}"{" ".join(words)}"~{len(words) + chance.randint(-1, 3)}'
            case 13:
                if chance.random() < 0.2:
                    return chance.choice(["au:mar*", "au:O'Dea", "au:Y.Maren"])
                return f'au:"{chance.choice(AUTHORS)}"'
            case 14:
                return self._label()
            case _:
                sign = chance.choice(["", ">", "<", ">=", "<="])
                figure = chance.choice(["votes", "comments", "authors"])
                return f"{figure}:{sign}{chance.choice([0, 1, 2, 5, 10])}"

    def _label(self) -> str:
        chance = self.chance
        match chance.randrange(4):
            case 0:
                wanted = chance.choice([*CATEGORIES, "cs.*", "cs.c*", "neuroscience", "astro-ph"])
                return f'cat:"{wanted}"'
            case 1:
                return f'source:"{chance.choice([*SOURCES, "hugging face", "pubmed", "feed"])}"'
            case 2:
                return f'org:"{chance.choice([*PLACES[3:], "deep learning", "institute"])}"'
            case _:
                value = chance.choice(NAMES_OF_PAPERS).value
                return f'id:"{chance.choice(["", "arXiv:", "https://arxiv.org/abs/"])}{value}"'


# --- what every matcher says ------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Checked:
    """pairs (query, paper) looked at, matches among them, disagreements in words."""

    pairs: int
    matches: int
    disagreements: list[str]


def check_block(
    chance: random.Random,
    pool: Sequence[list[str]],
    *,
    queries: int = 10,
    papers: int = 5,
    places: bool = False,
) -> Checked:
    """Oracle = evaluate = index = search over every query on every paper of a random block;
    ``places``: and every hit marks what it says."""
    sheets = [random_paper(chance, pool) for _ in range(papers)]
    sources = [tuple(chance.sample(SOURCES, chance.randint(0, 2))) for _ in sheets]
    asker = Asker(chance, sheets)
    tried = [asker.query() for _ in range(queries)]
    asked = [one for one in tried if one is not None]
    documents = [
        prepare(paper, sources=named) for paper, named in zip(sheets, sources, strict=True)
    ]
    oracles = [Oracle(paper, sources=named) for paper, named in zip(sheets, sources, strict=True)]
    wrong: list[str] = []
    matches = 0
    index = _changed_index(chance, [query for _, query in asked])
    shelf = _shelf(chance, documents)
    found = [index.match(document) for document in documents]
    counted = [ids.tolist() for ids in index.match_many(documents)]
    for at, (typed, query) in enumerate(asked):
        searched = {one.paper_id: one.hits for one in shelf.search(query, limit=None)}
        for number, document in enumerate(documents):
            truth = oracles[number].wants(query)
            hits = evaluate(query, document)
            matches += truth
            said = {
                "evaluate": hits is not None,
                "index": found[number].get(at) is not None,
                "ids": at in counted[number],
                "search": number in searched,
            }
            differing = [name for name, answer in said.items() if answer != truth]
            if places and not differing and hits:
                differing += [
                    f"place of {hit}"
                    for hit in hits
                    if is_astray(hit, query, sheets[number], document)
                ]
            if not differing and truth:
                differing += [] if found[number][at] == hits else ["hits of the index"]
                differing += [] if searched[number] == hits else ["hits of the search"]
            if differing:
                sheet = sheets[number]
                wrong.append(f"oracle {truth}, not so: {differing}: {typed} on {sheet!r}, "
                             f"sources {sources[number]!r}")  # fmt: skip
    return Checked(len(asked) * len(documents), matches, wrong)


def is_astray(hit: Hit, query: Query, paper: Paper, document: Document) -> bool:
    """Is what a hit marks something else than its term, or outside the text?"""
    shown = {
        "title": paper.title,
        "abstract": paper.abstract,
        "authors": ", ".join(document.authors),
        "categories": ", ".join(document.categories),
        "organisation": document.organisation,
        "source": document.source_text,
    }
    if hit.where == "id":
        return not any(hit.end - hit.start == len(value) for value in document.ids)
    marked = shown[hit.where][hit.start : hit.end]
    asked = [leaf for leaf in leaves(query.root) if leaf.text == hit.term]
    return not any(_says(leaf, marked) for leaf in asked)


def _says(leaf: Leaf, marked: str) -> bool:
    """Does the marked text alone hold the term (of nearness: one of its words)?"""
    if isinstance(leaf, Near):
        words = [Term(word.key, (word,), "ti", leaf.exact, (("", ""),)) for word in leaf.words]
        return any(_says(word, marked) for word in words)
    leaf = replace(leaf, field="ti") if isinstance(leaf, Term) else leaf
    alone = Paper(
        aliases=(NAMES_OF_PAPERS[0],), title=marked, authors=(marked,), categories=(marked,)
    )
    return Oracle(alone).holds(leaf)


def _changed_index(chance: random.Random, queries: Sequence[Query]) -> Index:
    """The queries by number, some of them taken out, put back or replaced on the way."""
    index = Index()
    for number, query in enumerate(queries):
        index.add(number, chance.choice(queries) if chance.random() < 0.2 else query)
    for number, query in enumerate(queries):
        if chance.random() < 0.2:
            index.remove(number)
        index.add(number, query)
    return index


def _shelf(chance: random.Random, documents: Sequence[Document]) -> Shelf:
    shelf = Shelf()
    order = list(range(len(documents)))
    chance.shuffle(order)
    for number in order:
        if chance.random() < 0.2:
            shelf.add(number, DAY, chance.choice(documents))
        shelf.add(number, DAY, documents[number])
        if chance.random() < 0.1:
            len(shelf.statistics().frequencies)
    return shelf


def total(blocks: Iterable[Checked]) -> Checked:
    """Several blocks as one."""
    pairs, matches = 0, 0
    wrong: list[str] = []
    for block in blocks:
        pairs, matches = pairs + block.pairs, matches + block.matches
        wrong += block.disagreements
    return Checked(pairs, matches, wrong)
