"""Papers of mails that failed or stay in doubt: they ride once more, and never a second time."""

import asyncio
from datetime import date, timedelta

import pytest
import sqlalchemy as sa
from support.house import add, ingest_items, paper_item, rows
from support.smtp_server import drop, reply

from service.flows.daily import plan_daily
from service.flows.interests import change_interest, read_form
from service.flows.letter import digest_of
from service.flows.manual import draft, start
from service.flows.send import send_ready
from service.flows.tidy import tidy
from service.store.subscribers import list_profile_rows
from service.store.twins import merge_papers


def carried(rt):
    with rt.db.engine.connect() as connection:
        return [r[0] for r in connection.execute(sa.text("SELECT paper_id FROM carry ORDER BY 1"))]


def refused(rt, server):
    """The next mail is refused by policy: nobody is suppressed, the papers are carried."""
    server.on("DOT", reply("550 5.7.1 not today"), times=1)
    assert asyncio.run(send_ready(rt)).failed == 1


def in_doubt(rt, server):
    server.on("DOT", drop(record=True), times=1)
    assert asyncio.run(send_ready(rt)).held == 1
    rt.clock.go(minutes=31)
    asyncio.run(send_ready(rt))
    assert rows(rt)[-1].state == "presumed"


def tomorrow(rt):
    rt.clock.go(days=1)
    return plan_daily(rt)


@pytest.mark.slow
def test_what_matches_no_more_goes_after_the_look_back(rt, server, tmp_path):
    reader = add(rt, "ada@example.org", "adapters")
    ingest_items(rt, tmp_path, [paper_item(1, "Adapters that forget less")])
    plan_daily(rt)
    refused(rt, server)
    wanted = read_form("robots")

    def edit(session):
        change_interest(session, list_profile_rows(session, reader)[0], rt.clock(), wanted=wanted)

    rt.db.write(edit)
    assert tomorrow(rt).skipped == {"nothing_new": 1}
    tidy(rt)
    assert carried(rt) == [1]  # they may wish for adapters again
    rt.clock.go(days=60)
    wanted = read_form("adapters")
    rt.db.write(edit)
    assert plan_daily(rt).skipped == {"nothing_new": 1}  # but not for old ones
    tidy(rt)
    assert carried(rt) == []


@pytest.mark.slow  # weeks of a fake clock
def test_a_relay_that_is_away_for_weeks_costs_no_paper(rt, server, tmp_path):
    add(rt, "ada@example.org", "adapters")
    for n in range(1, 16):
        ingest_items(rt, tmp_path, [paper_item(n, f"Adapters, part {n}")])
        if plan_daily(rt).ready:
            refused(rt, server)
        rt.clock.go(days=1)
    rt.clock.go(days=1)
    plan_daily(rt)
    assert asyncio.run(send_ready(rt)).accepted == 1
    assert sorted(rows(rt)[-1].content["papers"]) == list(range(1, 16))
    assert carried(rt) == []


@pytest.mark.slow
def test_trending_that_moved_goes_and_is_never_sent_unmarked_again(rt, server, tmp_path):
    add(rt, "ada@example.org")
    ingest_items(rt, tmp_path, [paper_item(1, "Robots", votes=9)])
    plan_daily(rt)
    in_doubt(rt, server)
    assert carried(rt) == [1]
    tomorrow(rt)
    entry = next(iter(digest_of(rows(rt)[-1]).entries()))
    assert (entry.paper_id, entry.again) == (1, True)
    refused(rt, server)
    rt.clock.go(days=4)
    for n in range(2, 5):  # three list days on
        day = rt.clock().date() - timedelta(days=4 - n)
        ingest_items(rt, tmp_path, [paper_item(n, f"Robots {n}")], on=day)
    assert plan_daily(rt).ready == 1
    assert 1 not in rows(rt)[-1].content["papers"]
    asyncio.run(send_ready(rt))
    rt.clock.go(days=61)
    tidy(rt)
    assert carried(rt) == []


def test_what_came_another_way_is_carried_no_more(rt, server, tmp_path):
    add(rt, "ada@example.org", "adapters")
    ingest_items(rt, tmp_path, [paper_item(1, "Adapters that forget less")])
    plan_daily(rt)
    refused(rt, server)
    plan = draft(rt, papers=["1"])
    start(rt, plan, expected=1, at_once=True)
    asyncio.run(send_ready(rt))
    assert carried(rt) == []
    # an older doubt that is written down late does not bring it back
    rt.db.write(
        lambda s: s.execute(
            sa.text("INSERT INTO carry (subscriber_id, paper_id, delivery_id) VALUES (1, 1, 1)")
        )
    )
    assert tomorrow(rt).skipped == {"nothing_new": 1}
    tidy(rt)
    assert carried(rt) == []


@pytest.mark.parametrize("when", ["carried", "under way", "sent"])
def test_twins_found_later_are_one_paper(rt, server, tmp_path, when):
    add(rt, "ada@example.org", "adapters")
    ingest_items(rt, tmp_path, [paper_item(1, "Adapters that forget less")])
    ingest_items(rt, tmp_path, [paper_item(2, "Adapters which forget less")])
    for paper, state in ((1, "adapters of the first"), (2, "adapters of the second")):
        rt.db.write(
            lambda s, p=paper, t=state: s.execute(
                sa.text("UPDATE paper SET note = :t WHERE id = :p"), {"t": t, "p": p}
            )
        )
    plan = draft(rt, papers=["2"])
    start(rt, plan, expected=1, at_once=True)
    if when == "carried":
        in_doubt(rt, server)
    if when == "sent":
        asyncio.run(send_ready(rt))
    rt.db.write(lambda s: merge_papers(s, 1, 2, rt.clock()))
    rt.clock.go(hours=1)
    made = plan_daily(rt)
    if when == "carried":
        assert rows(rt)[-1].content["papers"] == [1]
        assert next(iter(digest_of(rows(rt)[-1]).entries())).again
        asyncio.run(send_ready(rt))
    else:
        assert made.skipped == {"nothing_new": 1}
        asyncio.run(send_ready(rt))
    assert carried(rt) == []
    assert tomorrow(rt).skipped == {"nothing_new": 1}


def test_a_paper_that_was_hidden_is_not_carried_on(rt, server, tmp_path):
    add(rt, "ada@example.org", "adapters")
    ingest_items(rt, tmp_path, [paper_item(1, "Adapters that forget less")])
    plan_daily(rt)
    refused(rt, server)
    hide = sa.text("UPDATE paper SET quarantined = 'broken'")
    rt.db.write(lambda s: s.execute(hide))
    assert tomorrow(rt).skipped == {"nothing_new": 1}
    assert date(2026, 11, 19) == rt.clock().date()
