"""Texts made to be slow, deep, long or absurd; and how long reading and matching one takes."""

import random
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from service.matching.compiled import compile_query
from service.matching.document import Document, prepare
from service.matching.evaluate import evaluate
from service.matching.index import Index
from service.matching.parse import parse_keywords, parse_people, parse_query, read_words
from service.matching.query import Query, QueryError
from service.papers.model import Alias, Paper

_PIECES = [
    *("(", ")", '"', "*", "-", "=", "~", "~9", "~50", "~99999999999", "AND", "OR", "NOT", "ANDNOT"),
    *("ti:", "au:", "cat:", "id:", "votes:>", "intitle:", "x[tiab]", "abs:(", ":", ",", ";", "\n"),
    *("a", "graph", "graph*", "gra*", "cs.*", "“", "”", "，", "–", "\\", "$", "\\alpha", "{", "}"),
    *("\u200b", "\u0301", "\u202e", "\x00", "\ud800", "ﷺ", "路", "🙂", "İ", "\t", "\r", "'s", "%s"),
    *("&", "|", "!", "+", "/", "^", "[", "]", "<", ">", "0", "1e999", "NaN", "' OR 1=1 --"),
]

_LONG_ABSTRACT = 2_400


def shaped(chance: random.Random, size: int) -> str:
    """A text of about ``size`` characters in one of the shapes that break parsers."""
    word = chance.choice(["a", "graph", "é", "路", "x" * 30, "the", "GPT-4", "β"])
    operator = chance.choice([" AND ", " OR ", " ", " NOT ", " ANDNOT ", " -", ", ", "\n"])
    times = max(1, size // 8)
    shapes: list[Callable[[], str]] = [
        lambda: "(" * times + word + ")" * times,
        lambda: "(" * times,
        lambda: ")" * times,
        lambda: "NOT " * times + word,
        lambda: "-" * times + word,
        lambda: "ti:(" * times + word + ")" * times,
        lambda: operator.join([f"({word} OR {word}{n})" for n in range(times)]),
        lambda: operator.join([word] * times),
        lambda: operator.join(f"{word}{n}*" for n in range(times)),
        lambda: "*" * size,
        lambda: f"{word * times}*",
        lambda: "gra* " * times,
        lambda: '"' + f"{word} " * times + '"',
        lambda: '"' + f"{word} " * times + f'"~{chance.choice([1, 5, 50])}',
        lambda: '"' + "gra* " * times + '"~50',
        lambda: '"' * size,
        lambda: f'="{word} ' * times,
        lambda: f"{word}{chance.choice(_PIECES)}" * times,
        lambda: chance.choice(_PIECES) * size,
        lambda: "-".join([word] * times),
        lambda: f"{word}\u0301" * times,
        lambda: f"au:{word} " * times,
        lambda: "\\'" * times + word,
        lambda: "\\frac{" * times + word + "}" * times,
        lambda: f"{word}[{word}] " * times,
        lambda: f"{'in' * times}title:{word}",
        lambda: " " * size + word,
        lambda: f"{chance.choice(_PIECES)}{chance.choice(_PIECES)} " * times,
    ]
    return chance.choice(shapes)()


def jumbled(chance: random.Random) -> str:
    """Pieces of the language in any order."""
    glue = chance.choice(["", " "])
    return glue.join(chance.choice(_PIECES) for _ in range(chance.randint(1, 60)))


def hostile(chance: random.Random, naughty: list[str]) -> str:
    """Any text that somebody might send."""
    form = chance.random()
    if form < 0.45:
        return shaped(chance, chance.choice([8, 40, 200, 500, 900, 1000, 1024]))
    if form < 0.8:
        return jumbled(chance)
    if form < 0.95 and naughty:
        strings = [chance.choice(naughty) for _ in range(chance.randint(1, 3))]
        return chance.choice([" OR ", " ", "", ", ", '"']).join(strings)
    return shaped(chance, chance.choice([2000, 20_000]))


def naughty_strings(captures: Path) -> list[str]:
    """The big list of naughty strings."""
    (path,) = sorted((captures / "strings").glob("*.txt"))
    lines = path.read_text("utf-8").splitlines()
    return [line for line in lines if line and not line.startswith("#")]


@dataclass(frozen=True, slots=True)
class Trial:
    """Seconds of processor time: to read and compile (or refuse) a text, and to match one paper
    made of its words. refused: the message, "" where the text was read."""

    compile_s: float
    match_s: float
    refused: str


def try_out(text: str, read: Callable[[str], Query], *, match: bool = True) -> Trial:
    """Read, compile and index a text, then match it; anything but a clear refusal raises."""
    begun = time.process_time()
    try:
        query = read(text)
    except QueryError as error:
        spent = time.process_time() - begun
        if not str(error).strip():
            raise AssertionError(f"refused without a word: {text[:80]!r}") from error
        return Trial(spent, 0.0, str(error))
    compile_query(query)
    index = Index()
    index.add(1, query)
    spent = time.process_time() - begun
    if not match:
        return Trial(spent, 0.0, "")
    document = _about(text)
    begun = time.process_time()
    wanted = evaluate(query, document) is not None
    assert (1 in index.match(document)) is wanted
    return Trial(spent, time.process_time() - begun, "")


def _about(text: str) -> Document:
    """A paper as long as the longest abstracts of arXiv that says what the query says, again and
    again."""
    words = " ".join((text[:1000].split() or ["x"]) * 300)
    return prepare(
        Paper(aliases=(Alias("arxiv", "1"),), title=text[:300], abstract=words[:_LONG_ABSTRACT])
    )


READERS: tuple[Callable[[str], Query], ...] = (
    parse_query,
    parse_query,
    parse_query,
    parse_keywords,
    read_words,
    parse_people,
)
"""Most texts are tried as queries."""
