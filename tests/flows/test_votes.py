"""Votes of this house's readers."""

from datetime import date

import pytest
from support.house import add, ingest_items, paper_item

from service.flows.browse import NotHereError, read_day, read_paper
from service.flows.leave import erase
from service.flows.manage import ManageError
from service.flows.manage_link import manage_token
from service.flows.own_data import export_reader
from service.flows.votes import read_ballot, vote
from service.store import subscribers as subscribers_store
from service.store.instance import set_setting

ON = date(2026, 11, 18)


def token_of(rt, reader_id, *, fresh=True):
    row = rt.db.read(lambda s: subscribers_store.get_subscriber_row(s, id=reader_id))
    return manage_token(rt, row, rt.clock(), fresh=fresh)


@pytest.fixture
def readers(rt, tmp_path):
    rt.db.write(lambda s: set_setting(s, "votes", "on"))
    items = [paper_item(1, "Much voted", votes=90), paper_item(2, "Little known", votes=0)]
    ingest_items(rt, tmp_path, items)
    return [add(rt, f"{name}@example.org", "x") for name in ("ada", "ben")]


def test_each_reader_has_one_vote_a_paper_and_can_take_it_back(rt, readers):
    ada, ben = (token_of(rt, one) for one in readers)
    assert vote(rt, ada, "arxiv", "2611.00002", is_for=True) == 1
    assert vote(rt, ada, "arxiv", "2611.00002", is_for=True) == 1
    assert vote(rt, ben, "arxiv", "2611.00002", is_for=True) == 2
    page = read_day(rt, ON, order="here")
    assert [(one.paper.title, one.here) for one in page.papers] == [
        ("Little known", 2),
        ("Much voted", 0),
    ]
    assert [one.paper.title for one in read_day(rt, ON).papers] == ["Much voted", "Little known"]
    assert read_paper(rt, "arxiv", "2611.00002").shown.here == 2
    ballot = read_ballot(rt, ada, None, 0, 10)
    assert [one.paper.title for one in ballot.papers if one.paper.id in ballot.voted] == [
        "Little known"
    ]
    said = export_reader(rt, "ben@example.org")["votes"]
    assert [one["paper"] for one in said] == ["arxiv/2611.00002"]
    assert vote(rt, ada, "arxiv", "2611.00002", is_for=False) == 1
    assert erase(rt, "ben@example.org")
    assert read_paper(rt, "arxiv", "2611.00002").shown.here == 0


def test_the_link_of_a_mail_does_not_vote_nor_who_gets_no_mail(rt, readers):
    with pytest.raises(ManageError, match="mailed to you on request"):
        vote(rt, token_of(rt, readers[0], fresh=False), "arxiv", "2611.00002", is_for=True)
    with pytest.raises(NotHereError):
        vote(rt, token_of(rt, readers[0]), "arxiv", "2611.99999", is_for=True)


def test_where_readers_do_not_vote_nothing_of_it_is_seen(rt, readers):
    ada = token_of(rt, readers[0])
    vote(rt, ada, "arxiv", "2611.00002", is_for=True)
    rt.db.write(lambda s: set_setting(s, "votes", "off"))
    page = read_day(rt, ON, order="here")
    assert [(one.paper.title, one.here) for one in page.papers] == [
        ("Much voted", 0),
        ("Little known", 0),
    ]
    with pytest.raises(ManageError, match="do not vote here"):
        vote(rt, ada, "arxiv", "2611.00002", is_for=True)
