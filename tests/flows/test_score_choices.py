"""What an interest's least score, its cap and a reader's marks do to every mail."""

import asyncio
from dataclasses import replace
from datetime import UTC, datetime

import pytest
from support.house import add, ingest_items, open_house, paper_item, rows
from support.sightings import bring, seen

from service.flows.alerts import plan_alerts
from service.flows.compose import digest_for
from service.flows.daily import plan_daily
from service.flows.interests import apply_change, change_of
from service.flows.letter import digest_of
from service.flows.match import match_new
from service.flows.preview import preview, would_alert, would_send
from service.flows.send import send_ready
from service.flows.shelf import load_shelf
from service.store.listing import set_feedback
from service.store.subscribers import get_subscriber_row, list_profile_rows, to_subscriber
from service.subscribers.model import Cadence

EVERY_DAY = "mon,tue,wed,thu,fri,sat,sun"
WEAK = paper_item(1, "A survey", "It names adapters once.", votes=0)
STRONG = paper_item(2, "Adapters", "Adapters for adapters.", votes=0)


@pytest.fixture
def one(tmp_path, server, clock):
    """A house on SQLite; what is told of the order is told on both databases (``rt``)."""
    with open_house(tmp_path, smtp_port=server.port, clock=clock) as house:
        yield house.runtime


def choose(rt, reader, **values):
    def edit(session):
        row = list_profile_rows(session, reader)[0]
        apply_change(session, row, replace(change_of(row), **values), rt.clock())

    rt.db.write(edit)


def decided(rt, reader, occasion="daily"):
    """What the reader would get now, of any occasion."""
    match_new(rt)

    def decide(session):
        row = get_subscriber_row(session, id=reader)
        shelf = load_shelf(rt, session, rt.defaults(), [reader], rt.clock().date())
        return digest_for(rt, session, shelf, to_subscriber(row), rt.clock().date(), occasion)

    return rt.db.read(decide)


def scores(rt, reader):
    """Of the papers in full, by id."""
    return {entry.paper_id: entry.score for entry in decided(rt, reader).entries()}


def between(rt, reader):
    low, high = sorted(scores(rt, reader).values())
    return (low + high) / 2


@pytest.mark.parametrize("cadence", ["daily", "weekly", "instant"])
def test_a_least_score_holds_in_every_mail(one, tmp_path, cadence):
    one.clock.at = datetime(2026, 11, 20, 9, 0, tzinfo=UTC)  # the Friday of weekly interests
    reader = add(one, "ada@example.org", "adapters", weekdays=EVERY_DAY)
    ingest_items(one, tmp_path, [WEAK, STRONG])
    least = between(one, reader)
    choose(one, reader, threshold=least, cadence=Cadence(cadence))
    occasion = "alert" if cadence == "instant" else "daily"
    assert decided(one, reader, occasion).paper_ids() == (2,)
    assert decided(one, reader, "first").paper_ids() == (2,)
    if cadence == "instant":
        assert would_alert(one)["mails"] == 1
        assert plan_alerts(one).planned == 1
    else:
        assert "A survey" not in preview(one, "ada@example.org").text
        assert would_send(one)["mails"] == 1
        assert plan_daily(one).ready == 1
    assert digest_of(rows(one)[-1]).paper_ids() == (2,)


def test_below_the_least_score_nothing_waits_for_an_alert(one, tmp_path):
    reader = add(one, "ada@example.org", "adapters", weekdays=EVERY_DAY)
    ingest_items(one, tmp_path, [WEAK])
    choose(one, reader, threshold=1000.0, cadence=Cadence.INSTANT)
    made = decided(one, reader)
    assert (made.reason, made.later) == ("nothing_new", 0)
    choose(one, reader, threshold=0.0)
    assert decided(one, reader).later == 1


def test_votes_that_come_later_lift_a_paper_above_the_least_score(one, tmp_path):
    reader = add(one, "ada@example.org", "adapters", weekdays=EVERY_DAY)
    ingest_items(one, tmp_path, [WEAK])
    (before,) = scores(one, reader).values()
    choose(one, reader, threshold=before + 1)
    assert decided(one, reader).reason == "nothing_new"
    ingest_items(one, tmp_path, [paper_item(1, "A survey", "It names adapters once.", votes=90)])
    assert decided(one, reader).paper_ids() == (1,)


def test_a_cap_leaves_the_others_as_lines(one, tmp_path):
    reader = add(one, "ada@example.org", "adapters", weekdays=EVERY_DAY)
    ingest_items(one, tmp_path, [WEAK, STRONG])
    choose(one, reader, cap=1)
    (section,) = decided(one, reader).sections
    assert [e.paper_id for e in section.entries] == [2]
    assert [line.paper_id for line in section.lines] == [1]


FERNS = "Ferns, mosses and lichens on wet rocks, counted by adapters."
BRIDGES = "Bridges of timber and steel under load, measured with adapters."


def test_marks_pull_papers_like_them_up_and_down(rt, tmp_path):
    reader = add(rt, "ada@example.org", "adapters", weekdays=EVERY_DAY)
    old = [paper_item(1, "Rocks", FERNS), paper_item(2, "Load", BRIDGES)]
    ingest_items(rt, tmp_path, old)
    plan_daily(rt)
    assert asyncio.run(send_ready(rt)).accepted == 1
    rt.clock.go(days=1)
    new = [paper_item(3, "Timber", f"{BRIDGES} Again."), paper_item(4, "Moss", f"{FERNS} Again.")]
    ingest_items(rt, tmp_path, new)
    plain = decided(rt, reader)
    assert plain.paper_ids() == (3, 4)
    assert all("feedback" not in entry.parts for entry in plain.entries())
    rt.db.write(lambda s: set_feedback(s, reader, 1, 1, rt.clock()))
    rt.db.write(lambda s: set_feedback(s, reader, 2, -1, rt.clock()))
    plan_daily(rt)
    mailed = digest_of(rows(rt)[-1])
    assert mailed.paper_ids() == (4, 3)
    liked, disliked = mailed.entries()
    assert liked.parts["feedback"] > 1
    assert disliked.parts["feedback"] < -1
    assert liked.score == pytest.approx(sum(liked.parts.values()))
    rt.db.write(lambda s: set_feedback(s, reader, 1, 0, rt.clock()))
    rt.db.write(lambda s: set_feedback(s, reader, 2, 0, rt.clock()))
    other = add(rt, "bo@example.org", "adapters", weekdays=EVERY_DAY)
    assert all("feedback" not in entry.parts for entry in decided(rt, other, "first").entries())


def test_the_same_paper_under_two_names_does_not_stand_twice_at_the_top(one, tmp_path):
    reader = add(one, "ada@example.org", "adapters", weekdays=EVERY_DAY)
    text = "Adapters for small models that read letters, forms and maps of towns in the north."
    items = [
        paper_item(1, "Adapters that read adapters", text),
        paper_item(2, "Adapters and adapters that read", f"{text} Second report."),
        paper_item(3, "Other things", "Adapters."),
    ]
    ingest_items(one, tmp_path, items)
    made = decided(one, reader)
    assert [entry.paper_id for entry in made.entries()] in ([1, 3, 2], [2, 3, 1])


@pytest.mark.slow
@pytest.mark.parametrize("turned", [False, True])
def test_equal_scores_are_in_the_order_of_names_whoever_came_first(rt, tmp_path, turned):
    reader = add(rt, "ada@example.org", "adapters", weekdays=EVERY_DAY)
    titles = ("Adapters of red clay", "Adapters of blue sand", "Adapters of grey stone")
    items = [paper_item(n, title) for n, title in enumerate(titles, 1)]
    for item in reversed(items) if turned else items:
        ingest_items(rt, tmp_path, [item])
    made = decided(rt, reader)
    assert len({entry.score for entry in made.entries()}) == 1
    assert [entry.value for entry in made.entries()] == ["2611.00001", "2611.00002", "2611.00003"]
    assert sorted(made.paper_ids()) == [1, 2, 3]
    assert made.paper_ids() == ((3, 2, 1) if turned else (1, 2, 3))


def test_a_paper_that_another_source_shows_too_counts_once_in_what_is_rare(rt, tmp_path):
    reader = add(rt, "ada@example.org", "adapters", weekdays=EVERY_DAY)
    ingest_items(rt, tmp_path, [WEAK, STRONG, paper_item(3, "Ferns")])
    before = scores(rt, reader)
    bring(rt, "feed", seen("arxiv:2611.00002", title="Adapters"))
    assert scores(rt, reader) == before


def test_what_is_rare_is_learned_from_the_papers_that_come(one, tmp_path):
    reader = add(one, "ada@example.org", "adapters, ferns", weekdays=EVERY_DAY)
    rare = [paper_item(1, "Ferns"), *(paper_item(n, f"Adapters {n}") for n in range(2, 6))]
    ingest_items(one, tmp_path, rare)
    best = next(iter(decided(one, reader).entries()))
    assert best.paper_id == 1
    one.clock.go(days=1)
    ingest_items(one, tmp_path, [paper_item(n, f"Ferns and more {n}") for n in range(6, 16)])
    entries = list(decided(one, reader).entries())
    assert entries[0].paper_id in range(2, 6)
    ferns = [entry for entry in entries if "Ferns" in entry.title.text]
    assert ferns
    assert all(entry.parts["title"] < best.parts["title"] for entry in ferns)
