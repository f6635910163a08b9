"""Several interests in one mail: alerts, first digests and dailies; their order, their counts."""

import asyncio
from datetime import date

import pytest
from support.house import add, ingest_items, paper_item, rows

from service.delivery.i18n import Texts
from service.delivery.phrases import headline, period, section_name, subject
from service.flows.alerts import plan_alerts
from service.flows.daily import plan_daily
from service.flows.interests import InterestChange, add_whole, read_kind
from service.flows.letter import digest_of
from service.flows.send import send_ready
from service.flows.welcome import send_first
from service.subscribers.model import Cadence

EN = Texts("en")
INSTANT = Cadence.INSTANT


def also(rt, reader, words, kind="keywords", **change):
    made = InterestChange(wanted=read_kind(kind, words), **change)
    rt.db.write(lambda s: add_whole(s, reader, made, rt.clock()))


def digests(rt):
    return [made for row in rows(rt) if (made := digest_of(row)) is not None]


def shown(digest):
    return {section_name(s, EN): [e.paper_id for e in s.entries] for s in digest.sections}


def test_one_alert_holds_all_that_came_for_instant_interests(rt, tmp_path):
    reader = add(rt, "ada@example.org", "speech", cadence="instant")
    also(rt, reader, "adapters", cadence=INSTANT)
    also(rt, reader, "Carla Diaz", "follow", cadence=INSTANT)
    also(rt, reader, "robots")
    also(rt, reader, "glaciers", cadence=Cadence.WEEKLY)
    carla = {"authors": [{"name": "Carla Diaz"}]}
    items = [
        paper_item(1, "Speech adapters", votes=0),
        paper_item(2, "Robots"),
        paper_item(3, "Glaciers"),
        paper_item(4, "Something else", **carla),
        paper_item(5, "Adapters", votes=90),
    ]
    ingest_items(rt, tmp_path, items)
    plan_alerts(rt)
    (alert,) = digests(rt)
    assert shown(alert) == {"Carla Diaz": [4], "adapters": [5], "speech": [1]}
    assert next(iter(shown(alert))) == "Carla Diaz"
    assert list(alert.entries())[2].also_in == ("adapters",)
    assert headline(alert, EN) == "3 new papers contain your words."
    assert subject(alert, EN) == "New: Something else and 2 more"
    asyncio.run(send_ready(rt))
    rt.clock.go(minutes=20)
    plan_daily(rt)
    assert shown(digests(rt)[1]) == {"robots": [2]}


@pytest.mark.slow
def test_a_first_digest_is_the_best_of_all_interests_and_says_how_many_there_were(rt, tmp_path):
    reader = add(rt, "ada@example.org", "adapters")
    also(rt, reader, "speech", cadence=Cadence.WEEKLY)
    items = [paper_item(n, "Adapters", votes=n) for n in range(1, 7)]
    items += [paper_item(n, "Speech", votes=n) for n in range(7, 10)]
    ingest_items(rt, tmp_path, [*items, paper_item(10, "Robots")])
    send_first(rt, reader)
    (first,) = digests(rt)
    assert sum(len(ids) for ids in shown(first).values()) == 5
    assert headline(first, EN) == ("10 papers checked, 9 contain your words. Here are the best 5.")
    assert subject(first, EN).startswith("Your first papers: ")
    assert period(first, EN) == "Thu 12 November to Wed 18 November"
    asyncio.run(send_ready(rt))
    rt.clock.go(days=1)  # what it left out is new, and comes
    plan_daily(rt)
    left = 6 - len(shown(first)["adapters"]) if "adapters" in shown(first) else 6
    assert sum(len(ids) for ids in shown(digests(rt)[1]).values()) == left


@pytest.mark.slow
def test_what_is_only_counted_counts_in_its_heading_and_as_sent(rt, tmp_path):
    reader = add(rt, "ada@example.org", "adapters", cap="2")
    also(rt, reader, "speech")
    items = [paper_item(n, "Adapters") for n in range(1, 51)]
    ingest_items(rt, tmp_path, [*items, paper_item(60, "Speech")])
    plan_daily(rt)
    (digest,) = digests(rt)
    totals = {s.name: (s.total, len(s.entries), len(s.lines), len(s.rest)) for s in digest.sections}
    assert totals == {"adapters": (50, 2, 30, 18), "speech": (1, 1, 0, 0)}
    assert headline(digest, EN) == "51 new papers checked, 51 contain your words."
    asyncio.run(send_ready(rt))
    rt.clock.go(days=1)
    assert plan_daily(rt).skipped == {"nothing_new": 1}


def test_trending_beside_interests_holds_what_did_not_stand_above_or_come_before(rt, tmp_path):
    add(rt, "ada@example.org", "adapters")
    with_trending(rt, "ada@example.org")
    ingest_items(
        rt, tmp_path, [paper_item(1, "Adapters", votes=9), paper_item(2, "Robots", votes=8)]
    )
    plan_daily(rt)
    asyncio.run(send_ready(rt))
    rt.clock.go(days=1)
    ingest_items(rt, tmp_path, [paper_item(3, "Glaciers", votes=1)], on=date(2026, 11, 19))
    plan_daily(rt)
    one, two = digests(rt)
    assert shown(one) == {"adapters": [1], "Trending": [2]}
    assert shown(two) == {"Trending": [3]}
    assert headline(two, EN) == "1 new paper checked, none contains your words."
    assert subject(two, EN) == "Trending: Glaciers"


def with_trending(rt, email):
    from service.flows.manage import Choices, choose
    from service.flows.manage_link import manage_token
    from service.store.subscribers import get_subscriber_row

    row = rt.db.read(lambda s: get_subscriber_row(s, email_key=email))
    choose(rt, manage_token(rt, row, rt.clock(), fresh=True), Choices(trending=True))
