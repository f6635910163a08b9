"""The day's most-voted papers are offered only where a source has votes."""

import pytest
from support.house import add, ingest_items, paper_item

from service.flows.interests import InterestChange, change_of, read_form
from service.flows.manage_interests import add_wanted, change_wanted
from service.flows.manage_link import manage_token
from service.flows.sources import add_source
from service.flows.subscribe import read_wish
from service.flows.voted import has_votes
from service.matching.query import QueryError
from service.store.subscribers import get_subscriber_row, list_profile_rows


def wish(rt, **fields):
    form = {"email": "eve@example.org", "words": "", "hour": "", "zone": "", "locale": "en"}
    return read_wish(rt, **{**form, **fields})


def test_no_source_yet_and_one_with_votes_offer_them(rt, tmp_path):
    assert rt.db.read(has_votes)
    assert wish(rt)[1] == {}
    ingest_items(rt, tmp_path, [paper_item(1, "Adapters")])
    add_source(rt, "arxiv_rss", "cs.CL")
    assert rt.db.read(has_votes)
    assert wish(rt)[1] == {}


def test_where_no_source_has_votes_a_word_is_needed(rt):
    add_source(rt, "arxiv_rss", "cs.CL")
    made, errors = wish(rt)
    assert made is None
    assert "no votes" in errors["words"].what
    assert errors["words"].next_step == "Type at least one word."
    assert wish(rt, words="LoRA")[1] == {}
    assert wish(rt, people="Ana Silva")[1] == {}


def test_an_interest_does_not_become_one_that_brings_nothing(rt):
    add_source(rt, "arxiv_rss", "cs.CL")
    reader = add(rt, "ada@example.org", "adapters")
    row = rt.db.read(lambda s: get_subscriber_row(s, email_key="ada@example.org"))
    token = manage_token(rt, row, rt.clock(), fresh=True)
    with pytest.raises(QueryError):
        add_wanted(rt, token, InterestChange(wanted=read_form("")))
    (interest,) = rt.db.read(lambda s: list_profile_rows(s, reader))
    with pytest.raises(QueryError):
        change_wanted(rt, token, interest.id, lambda one: change_of(one, read_form("")))
    change_wanted(rt, token, interest.id, lambda one: change_of(one, read_form("robots")))
