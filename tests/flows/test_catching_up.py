"""After an outage of ours one mail has all that reached us since; after a pause the last days and
a link to the rest; and the first line never says fewer papers than it found."""

import asyncio
import html
import json
import re
from datetime import UTC, date, datetime
from email import message_from_bytes, policy

import pytest
import sqlalchemy as sa
from support.house import Clock, add, ingest_items, paper_item, rows

from service.delivery.phrases import headline
from service.flows.daily import plan_daily, plan_due
from service.flows.ingest import ingest_files
from service.flows.letter import digest_of
from service.flows.send import send_ready
from service.flows.welcome import send_first

ADA = "ada@example.org"


@pytest.fixture
def clock():
    return Clock(datetime(2026, 11, 2, 9, tzinfo=UTC))  # a Monday


def at(rt, day, hour=9):
    rt.clock.at = datetime(2026, 11, day, hour, tzinfo=UTC)


def papers(rt, folder, days):
    """One paper a day that names its day."""
    for day in days:
        item = paper_item(day, f"Adapters of {day}")
        ingest_items(rt, folder, [item], on=date(2026, 11, day))


def tick(rt):
    """The clock's mails, all of them away."""
    plan_due(rt)
    rt.clock.go(minutes=12)
    asyncio.run(send_ready(rt))


def every_day(rt, folder, days, pauses=()):
    """A paper and the clock's mails on each day. pauses: on which day one begins, until when."""
    for day in days:
        at(rt, day)
        papers(rt, folder, [day])
        if day in pauses:
            pause(rt, pauses[day])
        tick(rt)


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


def bodies(server):
    """Both parts of the reader's last mail; alarms to the staff may go before it or after."""
    of_reader = [mail.data for mail in server.accepted if mail.recipient == ADA]
    mail = message_from_bytes(of_reader[-1], policy=policy.default)
    return [mail.get_body((kind,)).get_content() for kind in ("html", "plain")]


def test_a_first_digest_counts_the_known_papers_of_its_days(rt, tmp_path):
    file = tmp_path / "old.json"
    file.write_text(json.dumps([paper_item(50 + n, f"Adapters {50 + n}") for n in range(8)]))
    at(rt, 4)
    ingest_files(rt, "hf_daily", [file], on=date(2026, 11, 2), history=True)
    papers(rt, tmp_path, [3, 4])
    assert send_first(rt, add(rt, ADA, "adapters"))
    [first] = digests(rt)
    assert (first.checked, first.matched) == (10, 10)
    assert headline(first, rt.catalogs.texts("en")).startswith(
        "10 papers checked, 10 contain your words."
    )


def test_one_mail_after_an_outage_has_all_that_reached_us_since(rt, tmp_path, server):
    add(rt, ADA, "adapters")
    papers(rt, tmp_path, [3])
    at(rt, 3)
    tick(rt)
    at(rt, 3, 15)
    ingest_items(rt, tmp_path, [paper_item(99, "Adapters of the evening 99")], on=date(2026, 11, 3))
    papers(rt, tmp_path, range(4, 14))
    at(rt, 13, 13)
    tick(rt)
    last = digests(rt)[-1]
    assert days_in(last) == [*range(4, 14), 99]
    assert (last.kind, last.since, last.checked) == ("catchup", date(2026, 11, 4), 10)
    assert last.rest_on is None
    assert not any("daily pages" in body for body in bodies(server))


@pytest.mark.parametrize("hour", [4, 13])
@pytest.mark.slow  # a second or more
def test_the_mail_after_a_long_outage_goes_back_fourteen_days(rt, tmp_path, server, hour):
    """Also when the hour of the day is still to come, and yesterday's slot is used."""
    add(rt, ADA, "adapters")
    papers(rt, tmp_path, [3])
    at(rt, 3)
    tick(rt)
    papers(rt, tmp_path, range(4, 25))
    at(rt, 24, hour)
    tick(rt)
    on = date(2026, 11, 23 if hour == 4 else 24)
    last = digests(rt)[-1]
    assert last.on == on
    assert days_in(last)[0] == on.day - 14
    assert last.rest_on == date(2026, 11, 4)
    assert all("/papers/2026-11-04" in body for body in bodies(server))


def test_an_outage_never_goes_back_before_the_beginning_of_an_interest(rt, tmp_path):
    add(rt, ADA, "adapters")
    at(rt, 3)
    papers(rt, tmp_path, [3])
    tick(rt)
    rt.db.write(lambda s: s.execute(sa.text("UPDATE profile SET since = '2026-11-06'")))
    papers(rt, tmp_path, range(4, 14))
    at(rt, 13, 13)
    tick(rt)
    assert days_in(digests(rt)[-1]) == list(range(6, 14))


def test_a_past_date_sent_again_has_its_seven_days(rt, tmp_path):
    add(rt, ADA, "adapters")
    papers(rt, tmp_path, range(2, 25))
    at(rt, 25)
    plan_daily(rt, date(2026, 11, 3))
    plan_daily(rt, date(2026, 11, 20))
    assert [days_in(d) for d in digests(rt)] == [[2, 3], list(range(14, 21))]


@pytest.mark.slow
def test_a_weekly_interest_loses_nothing_of_the_week_whose_mail_was_missed(rt, tmp_path):
    add(rt, ADA, "adapters", cadence="weekly")
    every_day(rt, tmp_path, range(2, 12))
    assert days_in(digests(rt)[-1]) == list(range(2, 7))
    papers(rt, tmp_path, range(12, 21))
    at(rt, 20)
    tick(rt)
    assert days_in(digests(rt)[-1]) == list(range(7, 21))


@pytest.mark.slow
def test_after_a_pause_the_last_days_and_a_link_to_the_rest(rt, tmp_path, server):
    add(rt, ADA, "adapters")
    every_day(rt, tmp_path, range(3, 21), pauses={4: "2026-11-20"})
    last = digests(rt)[-1]
    assert len(digests(rt)) == 2
    assert days_in(last) == list(range(14, 21))
    assert (last.rest_on, last.since) == (date(2026, 11, 4), date(2026, 11, 14))
    for body in bodies(server):
        said = " ".join(html.unescape(body).split())
        assert re.search(
            r"Earlier papers, from .*?4 November.*? on, are on the daily pages\.", said
        )
        assert "/papers/2026-11-04" in body
    every_day(rt, tmp_path, [23])
    assert (days_in(digests(rt)[-1]), digests(rt)[-1].rest_on) == ([23], None)


def test_a_short_pause_leaves_nothing_out_and_says_nothing(rt, tmp_path, server):
    add(rt, ADA, "adapters")
    every_day(rt, tmp_path, range(3, 7), pauses={4: "2026-11-06"})
    assert (days_in(digests(rt)[-1]), digests(rt)[-1].rest_on) == ([4, 5, 6], None)
    assert not any("daily pages" in body for body in bodies(server))


def test_an_outage_after_a_short_pause_leaves_nothing_out(rt, tmp_path):
    add(rt, ADA, "adapters")
    papers(rt, tmp_path, range(3, 14))
    at(rt, 3)
    tick(rt)
    pause(rt, "2026-11-05")
    at(rt, 4)
    tick(rt)
    at(rt, 13)
    tick(rt)
    assert (days_in(digests(rt)[-1]), digests(rt)[-1].rest_on) == (list(range(4, 14)), None)


@pytest.mark.slow
def test_an_outage_after_a_pause_does_not_dig_up_the_pause(rt, tmp_path):
    """What the mail at its end would have had, and all since."""
    add(rt, ADA, "adapters")
    papers(rt, tmp_path, range(2, 25))
    at(rt, 3)
    tick(rt)
    pause(rt, "2026-11-18")
    at(rt, 4)
    tick(rt)
    at(rt, 24)
    tick(rt)
    last = digests(rt)[-1]
    assert days_in(last) == list(range(12, 25))
    assert last.rest_on == date(2026, 11, 4)
