"""Invented papers put into a corpus, and what it finds compared with what each of them says."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from service.matching.corpus import Corpus, Found
from service.matching.document import Document
from service.matching.evaluate import evaluate
from service.matching.parse import parse_query
from service.papers.model import Alias, Paper


def paper(title: str, abstract: str = "", **facts: Any) -> Paper:
    """A paper of a few words. facts: further fields."""
    return Paper(aliases=(Alias("arxiv", "1"),), title=title, abstract=abstract, **facts)


def check_found(
    corpus: Corpus, kept: Mapping[int, Document], texts: Iterable[str]
) -> list[Sequence[Found]]:
    """The corpus holds these papers as they were put in, and a search for each query finds those
    that evaluation finds, with their hits; returns what was found."""
    assert len(corpus) == len(kept)
    answers: list[Sequence[Found]] = []
    for text in texts:
        query = parse_query(text)
        wanted = {n: hits for n, d in kept.items() if (hits := evaluate(query, d)) is not None}
        found = corpus.search(query, limit=None)
        assert {one.paper_id: one.hits for one in found} == wanted, query.shown
        answers.append(found)
    for number, one in kept.items():
        assert number in corpus
        assert corpus.document(number) == one
    return answers
