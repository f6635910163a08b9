"""The stored papers searched, as a page and a program show it. Nothing here writes."""

from dataclasses import dataclass
from datetime import date
from typing import Literal

from service.flows.browse import Shown, show_papers
from service.flows.match import learn
from service.flows.runtime import Runtime
from service.matching.faults import SEPARATORS
from service.matching.parse import parse_query, read_words
from service.matching.query import And, Node, Not, Or, Query
from service.matching.show import show, to_text
from service.matching.suggestions import parts_left_out

SearchOrder = Literal["best", "newest"]

_MOST_WITHOUT = 5


@dataclass(frozen=True, slots=True, kw_only=True)
class SearchPage:
    """reading: how the words were read · basis: papers looked at · unread: stored ones that could
    not be looked at yet.

    without: (what was left out, the query then, its papers) when nothing was found; any_of: (the
    query for papers with any of the words, their number) when no part alone is to blame.
    words: the same to be typed as an interest, where a list without operators is one phrase.
    """

    reading: str
    total: int
    papers: tuple[Shown, ...]
    basis: int
    unread: int = 0
    without: tuple[tuple[str, str, int], ...] = ()
    any_of: tuple[str, int] | None = None
    words: str = ""


def read_search(text: str) -> Query:
    """Words with blanks: all of them; with commas: any of them; else a query. Raises QueryError."""
    is_list = any(sign in text for sign in f"{SEPARATORS}\n")
    return read_words(text) if is_list else parse_query(text)


def search(
    rt: Runtime,
    text: str,
    *,
    offset: int = 0,
    limit: int = 50,
    whole: bool = False,
    order: SearchOrder = "best",
) -> SearchPage:
    """Search the stored papers. whole: papers that nobody reads beside are read first, however
    long it takes. Raises QueryError with the position."""
    query = read_search(text)
    learn(rt)
    if whole:
        rt.db.read(lambda s: rt.corpus.sync(s, date.min))
    corpus = rt.corpus.corpus
    with corpus.reading():
        wanted, basis = corpus.wanted_often(query.root), int(corpus.present().sum())
        total = int(wanted.sum())
        if order == "newest":
            found = corpus.latest(query, wanted, limit, offset)
        else:
            found = corpus.best(query, wanted, offset + limit)[offset:]
        without = () if total or not basis else _without(rt, query.root)
        any_of = None if total or without or not basis else _any_of(rt, query.root)
    return SearchPage(
        reading=query.shown,
        total=total,
        papers=tuple(show_papers(rt, found)),
        basis=basis,
        unread=rt.corpus.unread(),
        without=without,
        any_of=any_of,
        words=to_text(query),
    )


def _without(rt: Runtime, root: Node) -> tuple[tuple[str, str, int], ...]:
    """(the word left out, the query without it, papers then) for each part of an AND."""
    found = [
        (show(part), show(rest), int(rt.corpus.corpus.wanted(rest).sum()))
        for part, rest in parts_left_out(root)
    ]
    return tuple(one for one in found if one[2])[:_MOST_WITHOUT]


def _any_of(rt: Runtime, root: Node) -> tuple[str, int] | None:
    """The wanted parts of an AND joined by OR, with what is left out left out."""
    if not isinstance(root, And):
        return None
    wanted = tuple(part for part in root.parts if not isinstance(part, Not))
    if len(wanted) < 2:
        return None
    beside = tuple(part for part in root.parts if isinstance(part, Not))
    node: Node = And((Or(wanted), *beside)) if beside else Or(wanted)
    papers = int(rt.corpus.corpus.wanted(node).sum())
    return (show(node), papers) if papers else None
