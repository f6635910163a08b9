"""Papers like others, and words out of a text: answers that no word of the reader's asked for.

Each is left out where the measurement says that it does not help (bench/results/related.json).
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from urllib.parse import unquote

from service.errors import Sentence, SpokenError
from service.flows.browse import NotHereError, Shown, show_alike
from service.flows.estimate import days_of
from service.flows.match import learn
from service.flows.runtime import Runtime
from service.flows.search import SearchPage
from service.flows.words import words_of
from service.matching.proposals import Proposal, propose
from service.matching.vectors import Alike
from service.papers.identity import arxiv_id, doi, pmid
from service.store import listing
from service.store.db import Session

LEAST_PAPERS = 100
"""From so many stored papers on half of what is shown belongs together; of 25 it is two in five,
against one in three by chance."""

LEAST_ALIKE = 0.2
"""Of pairs at least so alike more than half belong together, of any two papers a third; below it
the share falls to that of chance (bench/results/related.json)."""

MOST_RELATED = 5

_MIDDLE_OF = 10
"""So many of the best hits say what is like them; more say it no better (bench/related.py)."""

_LONGEST_LINK = 300


class LikedError(SpokenError):
    """A text out of which no words can be made; ``where`` is the field."""


@dataclass(frozen=True, slots=True)
class Liked:
    """title: of the stored paper that a link named, else the text's beginning · is_stored · words:
    proposed, phrases first · basis: papers looked at · days, weekdays: looked at."""

    title: str
    is_stored: bool
    words: tuple[Proposal, ...]
    basis: int
    days: int
    weekdays: int


def find_paper(rt: Runtime, text: str) -> int:
    """The id of the stored paper that a name or link means. Raises NotHereError."""
    name = name_in(rt, text.strip())
    row = rt.db.read(lambda s: listing.find_shown(s, *name)) if name is not None else None
    if row is None or row.id is None:
        raise NotHereError(
            Sentence("This paper is not in our lists."),
            "",
            Sentence("Search for words of its title."),
        )
    return row.id


def papers_like(rt: Runtime, paper_id: int, most: int = MOST_RELATED) -> list[Shown]:
    """Stored papers like a stored one, most alike first; none where nothing is alike enough."""
    vectors = words_of(rt).vectors
    if len(vectors) < LEAST_PAPERS:
        return []
    return _shown(rt, vectors.like_papers([paper_id], 2 * most), most)


def related_to(rt: Runtime, page: SearchPage, most: int = MOST_RELATED) -> list[Shown]:
    """Papers like the best that a search found, none of which it finds itself; none where it found
    more than its one page shows."""
    vectors, corpus = words_of(rt).vectors, rt.corpus.corpus
    found = [one.paper.id for one in page.papers if one.paper.id is not None]
    if len(vectors) < LEAST_PAPERS or len(found) != page.total:
        return []
    alike = vectors.like_papers(found[:_MIDDLE_OF], 4 * most, without=found)
    # a paper older than those that are searched may well hold the words
    return _shown(rt, [one for one in alike if one.paper_id in corpus], most)


def _shown(rt: Runtime, alike: Sequence[Alike], most: int) -> list[Shown]:
    ids = [one.paper_id for one in alike if one.similarity >= LEAST_ALIKE]
    return show_alike(rt, ids, most) if ids else []


def propose_words(rt: Runtime, text: str, days: int | None = None) -> Liked:
    """Words out of a title, an abstract or the link of a stored paper. Raises LikedError.

    Nothing is fetched: a link of a paper that is not stored says so.
    """
    text = text.strip()
    if not text:
        raise LikedError(
            Sentence("There is nothing here."),
            "liked",
            Sentence("Paste a title, an abstract or a link."),
        )
    title, abstract, stored = _read(rt, text)
    learn(rt, days)
    wanted = days_of(rt, days)
    words = propose(
        rt.corpus.corpus, title, abstract, wanted, rt.corpus.statistics, words_of(rt).glossary
    )
    corpus = rt.corpus.corpus
    with corpus.reading():
        basis = int((corpus.present() & corpus.on_days(wanted)).sum())
    weekdays = sum(day.weekday() < 5 for day in wanted)
    return Liked(title, stored, tuple(words), basis, len(wanted), weekdays)


def _read(rt: Runtime, text: str) -> tuple[str, str, bool]:
    """(title, abstract, is stored) of what was pasted."""
    name = name_in(rt, text)
    if name is not None:
        row = rt.db.read(lambda s: _find(s, *name))
        if row is not None:
            return row[0], row[1], True
    if name is not None or text.startswith(("http://", "https://")):
        raise LikedError(
            Sentence("The paper behind this link is not in our lists."),
            "liked",
            Sentence("Paste its title or its abstract."),
        )
    head, _, rest = text.partition("\n")
    if not rest.strip() and len(text) > _LONGEST_LINK:
        return "", text, False
    return head.strip(), rest.strip(), False


def name_in(rt: Runtime, text: str) -> tuple[str, str] | None:
    """(scheme, value) when the text is nothing but a link or a name of a paper."""
    if len(text) > _LONGEST_LINK or len(text.split()) > 2:
        return None
    if own := re.match(rf"{re.escape(rt.links.home())}papers/(\w+)/([^?#\s]+)", text):
        return own[1], unquote(own[2])
    for scheme, read in (("arxiv", arxiv_id), ("doi", doi), ("pmid", pmid)):
        if found := read(text.strip().removeprefix(f"{scheme}/")):
            return scheme, found
    return None


def _find(session: Session, scheme: str, value: str) -> tuple[str, str] | None:
    row = listing.find_shown(session, scheme, value)
    return (row.title, row.abstract) if row is not None else None
