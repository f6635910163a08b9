"""A paper made ready for matching: its words by field, folded once."""

import re
from collections.abc import Mapping, Sequence, Set
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from service.errors import PaperpostError
from service.matching.lattice import Lattice
from service.matching.names import Author, printed_author
from service.papers.model import Paper
from service.text.fold import FOLD_VERSION, fold
from service.text.tokens import Folded

_SOURCE_NAMES = {"hf": "hf Hugging Face", "arxiv": "arXiv", "pmid": "pmid PubMed", "doi": "doi"}
_LEAD = re.compile(
    r"^(?:https?://)?(?:(?:www\.)?arxiv\.org/(?:abs|pdf)/|(?:dx\.)?doi\.org/|"
    r"pubmed\.ncbi\.nlm\.nih\.gov/|(?:arxiv|doi|pmid):\s*)",
    re.I,
)
_ARXIV_VERSION = re.compile(r"^(\d{4}\.\d{4,5}|[a-z-]+(?:\.[a-z]{2})?/\d{7})v\d+$")


class StaleDocumentError(PaperpostError):
    """A stored word stream was folded by another version; fold the paper again."""


@dataclass(frozen=True)
class Document:
    """A paper's words by field.

    Hits point into these shown texts: title, abstract and organisation as they are; authors and
    categories joined by ", "; ``source_text``; an identifier itself.
    votes, comments: None where the source has no such figure.
    """

    title: Folded
    abstract: Folded
    authors: tuple[str, ...] = ()
    categories: tuple[str, ...] = ()
    organisation: str = ""
    source_text: str = ""
    ids: tuple[str, ...] = ()
    votes: int | None = None
    comments: int | None = None
    _lattices: dict[str, Lattice] = field(default_factory=dict, repr=False, compare=False)

    @cached_property
    def people(self) -> tuple[Author, ...]:
        """The authors' names with their places in the shown authors."""
        people, at = [], 0
        for name in self.authors:
            people.append(printed_author(name, at))
            at += len(name) + len(", ")
        return tuple(people)

    def lattice(self, place: str) -> Lattice:
        """The words of "title", "abstract", "organisation" or "source" (kept once built)."""
        found = self._lattices.get(place)
        if found is None:
            found = self._lattices[place] = Lattice(self._folded(place))
        return found

    def labels(self, some: Set[str]) -> set[str]:
        """Those labels that a path through title or abstract carries (``Lattice``)."""
        return self.lattice("title").of_these(some) | self.lattice("abstract").of_these(some)

    def _folded(self, place: str) -> Folded:
        if place == "title":
            return self.title
        if place == "abstract":
            return self.abstract
        return fold(self.organisation if place == "organisation" else self.source_text)


def identifier(text: str) -> str:
    """A paper's name as compared: lower case, without address, "arXiv:", "doi:" and version."""
    value = _LEAD.sub("", text.strip()).lower().rstrip("/")
    return _ARXIV_VERSION.sub(r"\1", value)


def prepare(paper: Paper, *, sources: Sequence[str] = ()) -> Document:
    """Fold a paper; ``sources`` are the names and kinds of the sources that listed it (without
    them ``source:`` knows only what the paper's own names tell: arXiv, Hugging Face, ...)."""
    schemes = dict.fromkeys(alias.scheme for alias in paper.aliases)
    named = [_SOURCE_NAMES[scheme] for scheme in schemes if scheme in _SOURCE_NAMES]
    return Document(
        title=fold(paper.title),
        abstract=fold(paper.abstract),
        authors=tuple(paper.authors),
        categories=tuple(paper.categories),
        organisation=paper.organisation,
        source_text=", ".join(dict.fromkeys((*sources, *named))),
        ids=tuple(dict.fromkeys(identifier(alias.value) for alias in paper.aliases)),
        votes=paper.votes,
        comments=paper.comments,
    )


def dump(document: Document) -> dict[str, Any]:
    """The document as JSON values (for ``paper.folded``); votes and comments are left out,
    because they change while the words stay."""
    return {
        "fold": FOLD_VERSION,
        "title": _dump_folded(document.title),
        "abstract": _dump_folded(document.abstract),
        "authors": list(document.authors),
        "categories": list(document.categories),
        "organisation": document.organisation,
        "source": document.source_text,
        "ids": list(document.ids),
    }


def load(
    data: Mapping[str, Any], *, votes: int | None = None, comments: int | None = None
) -> Document:
    """A dumped document again, equal to the one that was dumped but for the figures given.

    Raises StaleDocumentError when it was folded by another version.
    """
    if data.get("fold") != FOLD_VERSION:
        raise StaleDocumentError(
            f"The stored words are of fold version {data.get('fold')}, not {FOLD_VERSION}.",
            next_step="Fold the paper again.",
        )
    return Document(
        title=_load_folded(data["title"]),
        abstract=_load_folded(data["abstract"]),
        authors=tuple(data["authors"]),
        categories=tuple(data["categories"]),
        organisation=data["organisation"],
        source_text=data["source"],
        ids=tuple(data["ids"]),
        votes=votes,
        comments=comments,
    )


def refolded(
    data: Mapping[str, Any],
    title: str,
    abstract: str,
    *,
    votes: int | None = None,
    comments: int | None = None,
) -> Document:
    """A document dumped by another version, its words folded anew from the shown texts; names,
    categories and sources are those that were dumped."""
    return Document(
        title=fold(title),
        abstract=fold(abstract),
        authors=tuple(data.get("authors", ())),
        categories=tuple(data.get("categories", ())),
        organisation=data.get("organisation", ""),
        source_text=data.get("source", ""),
        ids=tuple(dict.fromkeys(map(identifier, data.get("ids", ())))),
        votes=votes,
        comments=comments,
    )


def _dump_folded(folded: Folded) -> dict[str, Any]:
    """Columns of words joined by blanks (no word holds one); "" for a column equal to another."""
    cased = " ".join(folded.cased)
    exact = " ".join(folded.exact)
    keys = " ".join(folded.keys)
    return {
        "cased": cased,
        "exact": "" if exact == cased.casefold() else exact,
        "keys": "" if keys == exact else keys,
        "stems": " ".join(folded.stems),
        "starts": list(folded.starts),
        "ends": list(folded.ends),
        "gaps": folded.gaps,
    }


def _load_folded(data: Mapping[str, Any]) -> Folded:
    exact = data["exact"] or data["cased"].casefold()
    return Folded(
        keys=tuple((data["keys"] or exact).split(" ")) if exact else (),
        exact=tuple(exact.split(" ")) if exact else (),
        cased=tuple(data["cased"].split(" ")) if exact else (),
        stems=tuple(data["stems"].split(" ")) if exact else (),
        starts=tuple(data["starts"]),
        ends=tuple(data["ends"]),
        gaps=data["gaps"],
    )
