"""What a mail leaves to the daily pages is linked in the first mail that goes out, also after a
bar on the address; only an outage of ours is caught up."""

import asyncio
from datetime import UTC, date, datetime

import pytest
import sqlalchemy as sa
from support.house import add, ingest_items, paper_item, rows
from support.smtp_server import reply

from service.flows.daily import plan_due
from service.flows.letter import digest_of
from service.flows.send import send_ready
from service.flows.suppress import unsuppress
from service.subscribers.address import read_address

ADA = "ada@example.org"


@pytest.fixture
def november(rt):
    """A house from a Monday on, with one reader."""
    rt.clock.at = datetime(2026, 11, 2, 9, tzinfo=UTC)
    add(rt, ADA, "adapters")
    return rt


def day(rt, folder, number, *words):
    """A day of the month with a paper of each word; then the clock's mails, all of them away."""
    rt.clock.at = datetime(2026, 11, number, 9, tzinfo=UTC)
    items = [paper_item(number * 10 + n, f"{word} {number}") for n, word in enumerate(words)]
    ingest_items(rt, folder, items, on=date(2026, 11, number))
    plan_due(rt)
    rt.clock.go(minutes=12)
    asyncio.run(send_ready(rt))


def digests(rt):
    return [made for row in rows(rt) if (made := digest_of(row)) is not None]


def days_in(digest):
    found = [e.title.text for e in digest.entries()]
    found += [line.title.text for s in digest.sections for line in s.lines]
    return sorted(int(title.split()[-1]) for title in found)


def pause(rt, until):
    rt.db.write(
        lambda s: s.execute(sa.text("UPDATE subscriber SET paused_until = :d"), {"d": until})
    )


@pytest.mark.slow
def test_the_link_waits_for_the_first_mail_that_goes_out(november, tmp_path, server):
    day(november, tmp_path, 3, "Adapters")
    pause(november, "2026-11-16")
    for number in (4, 5, 6, 9, 10, 11, 12, 13):
        day(november, tmp_path, number, "Adapters" if number < 10 else "Towels")
    for number in (16, 17):  # nothing of theirs in the last days
        day(november, tmp_path, number, "Towels")
    assert len(digests(november)) == 1
    server.on("RCPT", reply("550 5.7.1 policy"), times=1)
    day(november, tmp_path, 18, "Adapters")  # and this one does not get through
    day(november, tmp_path, 19, "Adapters")
    last = digests(november)[-1]
    assert (days_in(last), last.rest_on) == ([18, 19], date(2026, 11, 4))
    day(november, tmp_path, 20, "Adapters")
    assert (days_in(digests(november)[-1]), digests(november)[-1].rest_on) == ([20], None)


@pytest.mark.slow
def test_a_pause_without_a_mail_day_leaves_no_rest(november, tmp_path):
    day(november, tmp_path, 6, "Adapters")
    pause(november, "2026-11-09")
    for number in (9, 10, 11, 12, 13, 16, 17):
        day(november, tmp_path, number, "Towels")
    day(november, tmp_path, 18, "Adapters")
    assert (days_in(digests(november)[-1]), digests(november)[-1].rest_on) == ([18], None)


def bounce(rt, server, folder, number):
    """Who had a mail lately is believed to be gone when it is said again."""
    server.on("RCPT", reply("550 5.1.1 no such user"), match="ada")
    day(rt, folder, number, "Adapters")
    rt.clock.go(minutes=13)
    asyncio.run(send_ready(rt))
    server.clear()


def lift(rt, number):
    rt.clock.at = datetime(2026, 11, number, 12, tzinfo=UTC)
    assert unsuppress(rt, read_address(ADA))


@pytest.mark.slow
def test_a_lifted_bar_is_followed_by_the_last_days_and_a_link(november, tmp_path, server):
    day(november, tmp_path, 3, "Adapters")
    bounce(november, server, tmp_path, 4)
    for number in (5, 6, *range(9, 14), *range(16, 20)):
        day(november, tmp_path, number, "Adapters")
    lift(november, 19)
    day(november, tmp_path, 20, "Adapters")
    last = digests(november)[-1]
    assert days_in(last) == [4, 13, 16, 17, 18, 19, 20]  # the refused one is carried
    assert last.rest_on == date(2026, 11, 5)
    day(november, tmp_path, 23, "Adapters")
    assert (days_in(digests(november)[-1]), digests(november)[-1].rest_on) == ([23], None)


@pytest.mark.slow
def test_the_link_after_a_lifted_bar_waits_too(november, tmp_path, server):
    bounce(november, server, tmp_path, 4)
    november.db.write(lambda s: s.execute(sa.text("DELETE FROM carry")))
    day(november, tmp_path, 6, "Adapters")
    lift(november, 16)
    day(november, tmp_path, 17, "Towels")
    day(november, tmp_path, 18, "Adapters")
    last = digests(november)[-1]
    assert (days_in(last), last.rest_on) == ([18], date(2026, 11, 5))


@pytest.mark.slow
def test_a_bar_lifted_at_once_or_within_a_pause_changes_neither(november, tmp_path, server):
    bounce(november, server, tmp_path, 4)
    pause(november, "2026-11-18")
    lift(november, 4)
    day(november, tmp_path, 5, "Adapters")
    assert len(digests(november)) == 1
    day(november, tmp_path, 18, "Adapters")
    assert digests(november)[-1].rest_on == date(2026, 11, 5)


@pytest.mark.slow
def test_an_outage_after_a_lifted_bar_is_still_caught_up(november, tmp_path, server):
    bounce(november, server, tmp_path, 3)
    lift(november, 4)
    day(november, tmp_path, 5, "Towels")
    ingest_items(november, tmp_path, [paper_item(990, "Adapters 9")], on=date(2026, 11, 9))
    day(november, tmp_path, 18, "Adapters")
    assert days_in(digests(november)[-1])[-2:] == [9, 18]


@pytest.mark.slow
def test_nothing_from_before_an_interest_began_is_a_rest(november, tmp_path):
    day(november, tmp_path, 3, "Adapters")
    november.db.write(lambda s: s.execute(sa.text("UPDATE profile SET since = '2026-11-20'")))
    day(november, tmp_path, 24, "Adapters")
    assert (days_in(digests(november)[-1]), digests(november)[-1].rest_on) == ([24], None)
