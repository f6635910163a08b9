"""People that are followed, and a reader's own papers left out of whatever comes."""

import asyncio
from dataclasses import replace
from datetime import timedelta

import pytest
from support.house import add, ingest_items, paper_item, rows
from support.sightings import bring, seen

from service.flows.alerts import plan_alerts
from service.flows.daily import plan_daily
from service.flows.estimate import days_of, estimate
from service.flows.follow import count_names
from service.flows.interests import apply_change, change_of, read_form, read_own
from service.flows.letter import digest_of
from service.flows.match import learn
from service.flows.preview import preview
from service.flows.send import send_ready
from service.matching.counting import Asked
from service.matching.own import without_own
from service.matching.parse import parse_keywords, parse_people, read_words
from service.matching.query import QueryError
from service.store.subscribers import list_profile_rows
from service.subscribers.model import Cadence


def item(number, title, *authors, **more):
    return paper_item(number, title, **{"authors": [{"name": a} for a in authors], **more})


def choose(rt, reader, at=0, **values):
    def edit(session):
        row = list_profile_rows(session, reader)[at]
        apply_change(session, row, replace(change_of(row), **values), rt.clock())

    rt.db.write(edit)


def mailed(rt, number=-1):
    digest = digest_of(rows(rt)[number])
    return [(s.kind, [e.title.text for e in s.entries]) for s in digest.sections] if digest else []


def test_people_and_organisations_stand_first_with_their_names(rt, tmp_path):
    add(rt, "ada@example.org", "robots", people="Ana Silva\norg: Example University")
    ingest_items(rt, tmp_path, [
        item(1, "Robots fold towels", "Bo Chen"),
        item(2, "On something else", "A. Silva"),
        item(3, "From the lab", "Cy Dee", organization={"fullname": "Example University"}),
        item(4, "By nobody we know", "Cy Dee"),
    ])  # fmt: skip
    plan_daily(rt)
    kinds = dict(mailed(rt))
    assert list(kinds) == ["people", "interest"]
    assert sorted(kinds["people"]) == ["From the lab", "On something else"]
    text = preview(rt, "ada@example.org").text
    assert "Ana Silva among the authors" in text
    assert "Example University as the organisation" in text


def test_each_name_is_counted_with_its_categories_and_many_are_several_people(rt, tmp_path):
    many = [
        item(n, f"Diffusion {n}" if n % 2 else f"Robots {n}", "Wei Zhang") for n in range(1, 14)
    ]
    ingest_items(rt, tmp_path, [*many, item(20, "Alone", "Ana Silva")])
    learn(rt)
    query = parse_people("Wei Zhang\nAna Silva\nNo Body\norg: Acme")
    wei, ana, nobody, acme = count_names(rt, query, days_of(rt), words="robots, PEFT")
    assert (wei.papers, wei.several) == (13, True)
    assert (ana.papers, ana.several, ana.narrower) == (1, False, ())
    assert (nobody.papers, acme.papers, acme.several) == (0, 0, False)
    assert [(one.line, one.papers) for one in wei.narrower][:1] == [
        ('au:"Wei Zhang" AND (robots OR PEFT)', 6)
    ]
    assert wei.narrower[-1].line == 'au:"Wei Zhang" AND diffusion'
    assert wei.narrower[-1].papers == 7
    for one in wei.narrower:  # ready to press
        assert parse_people(one.line).kind == "follow"


def test_many_papers_of_many_months_are_one_persons(rt, tmp_path):
    many = [item(n, f"Thing {n}", "Ana Silva") for n in range(1, 14)]
    ingest_items(rt, tmp_path, many)
    learn(rt)
    today = rt.clock().date()
    days = [today - timedelta(days=n) for n in range(90)]
    assert count_names(rt, parse_people("Ana Silva"), days[:30])[0].several
    (ana,) = count_names(rt, parse_people("Ana Silva"), days)
    assert (ana.papers, ana.several) == (13, False)


def test_the_categories_of_a_name_are_offered_too(rt, tmp_path):
    for number in range(1, 13):
        category = "cs.CV" if number < 9 else "cs.CL"
        bring(rt, "arxiv_rss", seen(
            f"arxiv:2611.{number:05d}", title=f"Thing number {number}", authors=("Wei Zhang",),
            categories=(category,),
        ))  # fmt: skip
    learn(rt)
    (wei,) = count_names(rt, parse_people("Wei Zhang"), days_of(rt))
    assert wei.categories == (("cs.CV", 8), ("cs.CL", 4))
    assert [(one.line, one.papers) for one in wei.narrower][:2] == [
        ('au:"Wei Zhang" AND cat:cs.CV', 8),
        ('au:"Wei Zhang" AND cat:cs.CL', 4),
    ]


# ---- own papers ----


@pytest.mark.slow
def test_own_papers_come_in_no_digest_no_alert_and_no_estimate(rt, tmp_path):
    reader = add(rt, "ada@example.org", "adapters")
    choose(rt, reader, own="Ana Silva")
    ingest_items(rt, tmp_path, [
        item(1, "My adapters", "Bo Chen", "A. Silva"), item(2, "Other adapters", "Bo Chen"),
    ])  # fmt: skip
    assert "Other adapters" in preview(rt, "ada@example.org").text
    assert "My adapters" not in preview(rt, "ada@example.org").text
    plan_daily(rt)
    assert mailed(rt) == [("interest", ["Other adapters"])]
    asyncio.run(send_ready(rt))
    choose(rt, reader, cadence=Cadence.INSTANT)
    ingest_items(rt, tmp_path, [item(3, "My other adapters", "Ana Silva")])
    assert plan_alerts(rt).planned == 0
    query = parse_keywords("adapters")
    assert estimate(rt, Asked(query)).estimate.total == 3
    assert estimate(rt, Asked(without_own(query, "Ana Silva"))).estimate.total == 1


def test_own_papers_come_again_when_the_tick_is_taken_away(rt, tmp_path):
    reader = add(rt, "ada@example.org", "adapters")
    choose(rt, reader, own="Ana Silva")
    ingest_items(rt, tmp_path, [item(1, "My adapters", "Ana Silva")])
    assert plan_daily(rt).skipped == {"nothing_new": 1}
    choose(rt, reader, own="")
    rt.clock.go(days=1)
    plan_daily(rt)
    assert mailed(rt) == [("interest", ["My adapters"])]


def test_own_papers_are_left_out_of_trending_too(rt, tmp_path):
    trending = add(rt, "ada@example.org")
    choose(rt, trending, own="Ana Silva")
    add(rt, "ben@example.org")
    papers = [item(1, "Mine", "Ana Silva", votes=9), item(2, "Theirs", "Bo Chen", votes=3)]
    ingest_items(rt, tmp_path, papers)
    plan_daily(rt)
    assert mailed(rt, 0) == [("trending", ["Theirs"])]
    assert mailed(rt, 1) == [("trending", ["Mine", "Theirs"])]


def test_own_papers_stay_out_when_a_stored_query_is_read_anew(rt, tmp_path):
    """The folding of words changes: the text is read again, with what was chosen."""
    reader = add(rt, "ada@example.org", "adapters")
    choose(rt, reader, own="Ana Silva")

    def make_old(session):
        row = list_profile_rows(session, reader)[0]
        row.compiled = {**row.compiled, "fold": 0}
        session.add(row)

    rt.db.write(make_old)
    ingest_items(rt, tmp_path, [item(1, "My adapters", "Ana Silva")])
    assert plan_daily(rt).skipped == {"nothing_new": 1}


def test_the_name_is_the_readers_where_it_is_known_and_asked_for_where_not():
    assert read_own("", "Ana Silva") == "Ana Silva"
    assert read_own(" A.  Costa \n Ana Silva ", "x") == "A. Costa; Ana Silva"
    with pytest.raises(QueryError) as fault:
        read_own("")
    assert fault.value.where == "own_name"
    with pytest.raises(QueryError):
        read_own("", "Ana")


def test_words_with_the_readers_choice_keep_their_kind(rt):
    reader = add(rt, "ada@example.org", "adapters, LoRA")
    choose(rt, reader, own="Ana Silva", wanted=read_form("cat:cs.CL AND adapters"))
    row = rt.db.read(lambda s: list_profile_rows(s, reader)[0])
    assert (row.kind, row.text) == ("query", "cat:cs.CL AND adapters")
    assert read_words(row.text).kind == "query"
    assert row.options["own"] == "Ana Silva"
