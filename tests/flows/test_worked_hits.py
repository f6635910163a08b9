"""What was worked out of papers and words is kept, and changes nothing that a reader gets."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from support.match_strategies import papers, queries

from service.flows.worked import MOST_ENTRIES, MOST_TERMS, Worked, words_of
from service.matching.document import prepare
from service.matching.evaluate import evaluate
from service.papers.model import Paper
from service.subscribers.model import Profile, ProfileKind


@pytest.mark.slow
@settings(max_examples=15)
@given(st.lists(papers(), min_size=1, max_size=2), st.lists(queries, min_size=1, max_size=4))
def test_a_query_finds_what_it_finds_alone(some: list[Paper], texts: list[str]) -> None:
    worked = Worked()
    documents = [prepare(paper) for paper in some]
    for _ in range(2):  # the second time all of it is known
        for text in texts:
            profile = Profile(id=1, subscriber_id=1, name="", kind=ProfileKind.QUERY, text=text)
            query = worked.query(words_of(profile), profile)
            if query is None:
                continue
            for number, document in enumerate(documents):
                assert worked.hits(query, number, document) == evaluate(query, document)


def test_what_is_kept_of_papers_is_bounded() -> None:
    worked = Worked()
    worked.entries.update(dict.fromkeys(range(MOST_ENTRIES + 1)))  # type: ignore[arg-type]
    worked.terms[1] = {}
    worked.looked = MOST_TERMS + 1
    assert worked.still() is worked
    assert (worked.entries, worked.terms, worked.looked) == ({}, {}, 0)
