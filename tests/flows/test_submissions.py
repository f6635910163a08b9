"""Readers' proposals: read, looked up at arXiv, decided by the staff, forgotten with the reader."""

import asyncio
from datetime import date, timedelta
from pathlib import Path

import pytest
from support.house import add, ingest_items, paper_item

from service.flows.browse import read_day
from service.flows.daily import plan_daily
from service.flows.leave import erase
from service.flows.letter import digest_of
from service.flows.manage import ManageError
from service.flows.manage_link import manage_token
from service.flows.own_data import export_reader
from service.flows.proposals import ProposalError, own_proposals, propose
from service.flows.submissions import (
    NoSubmissionError,
    SubmissionError,
    accept,
    decline,
    facts_of,
    look_up,
)
from service.store import deliveries as deliveries_store
from service.store import staff as staff_store
from service.store import submissions as store
from service.store import subscribers as subscribers_store
from service.store.instance import set_setting
from service.store.listing import list_source_names

ON = date(2026, 11, 18)
CAPTURE = Path(__file__).parents[1] / "golden" / "arxiv_api" / "answer.xml"
"""A real answer of arXiv's query interface."""


@pytest.fixture(autouse=True)
def house(rt, site):
    rt.db.write(lambda s: set_setting(s, "proposals", "on"))
    body = CAPTURE.read_bytes()
    parsed = rt.parse("arxiv_api", body, None)
    site.at["/api/query"] = lambda query, headers: (200, {}, body)
    return parsed.sightings[0].paper


def token_of(rt, reader_id, *, fresh=True):
    row = rt.db.read(lambda s: subscribers_store.get_subscriber_row(s, id=reader_id))
    return manage_token(rt, row, rt.clock(), fresh=fresh)


def proposed(rt, reader_id, link, **more):
    said = {"words": "Read it.", "name": "Ada L.", **more}
    return propose(rt, token_of(rt, reader_id), link=link, **said)


def test_an_accepted_paper_is_new_stands_on_the_page_and_is_mailed(rt, site, house):
    ada = add(rt, "ada@example.org", "adapters")
    word = max(house.title.split(), key=len).strip(",.:;()?")
    add(rt, "ben@example.org", profile=f'ti:"{word}"')
    number = house.key.value
    made = proposed(rt, ada, f"https://huggingface.co/papers/{number}", name=" Ada\n<b>L.</b> ")
    assert made.named == f"arxiv/{number}"
    assert asyncio.run(look_up(rt)) == 1
    assert f"id_list={number.replace('/', '%2F')}" in site.asked[0]
    (row,) = rt.db.read(store.list_submissions)
    assert (row.title, row.problem) == (house.title, "")
    taken = asyncio.run(accept(rt, made.id, by="ak", address="192.0.2.1"))
    assert (taken.state, taken.listed_on) == ("accepted", ON)
    page = read_day(rt, ON)
    assert [(one.paper.title, one.submitted_by) for one in page.papers] == [
        (house.title, "Ada <b>L.</b>")
    ]
    assert plan_daily(rt, email_key="ben@example.org").ready == 1
    (mail,) = rt.db.read(deliveries_store.list_deliveries)
    assert digest_of(mail).paper_ids() == (taken.paper_id,)
    assert rt.db.read(list_source_names) == []  # no source that is read
    acts = rt.db.read(lambda s: staff_store.list_audit(s))
    assert [(a.who, a.target, a.after["on"]) for a in acts if a.what == "accept proposal"] == [
        ("ak", f"submission {made.id}", "2026-11-18")
    ]
    with pytest.raises(SubmissionError, match="was accepted by ak"):
        asyncio.run(accept(rt, made.id, by="ben"))
    kept = export_reader(rt, "ada@example.org")["proposals"]
    assert [(one["paper"], one["name"], one["state"]) for one in kept] == [
        (f"arxiv/{number}", "Ada <b>L.</b>", "accepted")
    ]
    assert erase(rt, "ada@example.org")
    assert [one.submitted_by for one in read_day(rt, ON).papers] == [""]
    (row,) = rt.db.read(store.list_submissions)
    assert (row.subscriber_id, row.name, row.words) == (None, "", "")


def test_what_a_source_brought_since_is_accepted_without_arxivs_answer(rt, site, tmp_path):
    ada = add(rt, "ada@example.org", "adapters")
    made = proposed(rt, ada, "arxiv.org/abs/2611.00001")
    site.at["/api/query"] = lambda query, headers: (503, {}, b"")
    assert asyncio.run(look_up(rt)) == 0
    ingest_items(rt, tmp_path, [paper_item(1, "Adapters")])
    taken = asyncio.run(accept(rt, made.id, by="ak"))
    assert (taken.state, taken.problem) == ("accepted", "")
    (one,) = read_day(rt, ON).papers
    assert (one.paper.title, one.submitted_by) == ("Adapters", "Ada L.")


def test_what_is_here_or_waits_or_is_no_paper_is_said_at_once(rt, tmp_path, house):
    ada, ben = add(rt, "ada@example.org", "a"), add(rt, "ben@example.org", "b")
    ingest_items(rt, tmp_path, [paper_item(1, "Adapters")])
    with pytest.raises(ProposalError, match="in our lists already") as here:
        proposed(rt, ada, "arXiv:2611.00001v3")
    assert here.value.here == ("arxiv", "2611.00001")
    proposed(rt, ada, f"arxiv.org/abs/{house.key.value}v2")
    for reader, link, words, step in (
        (ben, f"https://arxiv.org/pdf/{house.key.value}", "proposed this paper already", "needed"),
        (ben, "https://example.org/blog", "names no paper", "arXiv or Hugging Face"),
        (ben, "https://doi.org/10.1000/182", "only those on arXiv", "arXiv or Hugging Face"),
        (ben, " ", "There is no link", "Paste"),
    ):
        with pytest.raises(ProposalError, match=words) as error:
            proposed(rt, reader, link)
        assert error.value.where == "link"
        assert step in str(error.value.next_step)
    with pytest.raises(ProposalError, match="300 characters are the most"):
        proposed(rt, ben, "2510.00009", words="x" * 301)


def test_a_reader_proposes_so_many_a_day_and_by_a_mailed_link_alone(rt):
    ada = add(rt, "ada@example.org", "adapters")
    for number in range(3):
        proposed(rt, ada, f"2510.0000{number}")
    with pytest.raises(ProposalError, match="3 papers in 24 hours"):
        proposed(rt, ada, "2510.00007")
    rt.clock.go(days=2)
    proposed(rt, ada, "2510.00007")
    assert [one.state for one in own_proposals(rt, token_of(rt, ada))] == ["waiting"] * 4
    forwarded = token_of(rt, ada, fresh=False)
    with pytest.raises(ManageError, match="mailed to you on request"):
        propose(rt, forwarded, link="2510.00008", words="", name="")
    mailed = token_of(rt, ada)
    rt.clock.go(days=20)  # longer than such a link may erase, not longer than it works
    propose(rt, mailed, link="2510.00008", words="", name="")
    rt.db.write(lambda s: set_setting(s, "proposals", "off"))
    with pytest.raises(ProposalError, match="propose no papers here"):
        propose(rt, mailed, link="2510.00010", words="", name="")


def test_arxiv_that_does_not_answer_is_asked_again_and_unknown_papers_are_told(rt, site, house):
    ada = add(rt, "ada@example.org", "adapters")
    answers = site.at.pop("/api/query")
    made = proposed(rt, ada, house.key.value)
    with pytest.raises(SubmissionError, match="The paper is not known"):
        asyncio.run(accept(rt, made.id, by="ak"))
    (row,) = rt.db.read(store.list_submissions)
    assert row.body is None
    assert row.problem
    asked = len(site.asked)
    assert asyncio.run(look_up(rt)) == 0
    assert len(site.asked) == asked  # not before half an hour is over
    site.at["/api/query"] = answers
    rt.clock.go(minutes=31)
    other = proposed(rt, ada, "2510.99999")

    async def wait(seconds):
        rt.clock.go(seconds=seconds)

    assert asyncio.run(look_up(rt, sleep=wait)) == 1
    found = {row.id: row.problem for row in rt.db.read(store.list_submissions)}
    assert found == {made.id: "", other.id: "arXiv knows no such paper."}
    with pytest.raises(SubmissionError, match="knows no such paper"):
        asyncio.run(accept(rt, other.id, by="ak"))
    with pytest.raises(SubmissionError, match="no day to list it on"):
        asyncio.run(accept(rt, made.id, ON + timedelta(days=1), by="ak"))


def test_declined_with_a_reason_for_the_staff(rt):
    ada = add(rt, "ada@example.org", "adapters")
    made = proposed(rt, ada, "2510.00001")
    row = decline(rt, made.id, " Off topic.\n", by="ak")
    assert facts_of(row)["reason"] == "Off topic."
    (act,) = [
        a for a in rt.db.read(lambda s: staff_store.list_audit(s)) if a.what.startswith("dec")
    ]
    assert (act.reason, act.after["state"]) == ("Off topic.", "declined")
    assert [one.state for one in own_proposals(rt, token_of(rt, ada))] == ["declined"]
    assert rt.db.read(lambda s: store.count_submissions(s, store.Wanted("waiting"))) == 0
    with pytest.raises(NoSubmissionError, match="no proposal 999"):
        decline(rt, 999, by="ak")
    again = proposed(rt, ada, "2510.00001")
    assert erase(rt, "ada@example.org")
    assert rt.db.read(lambda s: store.get_submission(s, again.id)) is None
