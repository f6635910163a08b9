"""What a daily is: the rules of the design, one by one, on a real database and relay."""

import asyncio
from datetime import UTC, date, datetime
from email import message_from_bytes, policy

import pytest
from support.house import Clock, add, ingest_items, open_house, paper_item

from service.flows.daily import DateError, plan_daily, plan_due
from service.flows.ingest import ingest_files
from service.flows.letter import digest_of
from service.flows.send import send_ready
from service.store.deliveries import list_deliveries
from service.store.editions import get_edition
from service.store.papers import count_new
from service.store.subscribers import get_subscriber_row

WED, THU, FRI = date(2026, 11, 18), date(2026, 11, 19), date(2026, 11, 20)


@pytest.fixture
def house(tmp_path, server):
    with open_house(tmp_path, smtp_port=server.port) as made:
        yield made


@pytest.fixture
def rt(house):
    return house.runtime


def send(rt, on=None):
    planned = plan_daily(rt, on)
    return planned, asyncio.run(send_ready(rt))


def digests(rt):
    return [digest_of(r) for r in rt.db.read(lambda s: list_deliveries(s))]


def subject(server, at=-1):
    return message_from_bytes(server.accepted[at].data, policy=policy.default)["Subject"]


def test_new_papers_wait_seven_days_and_no_longer(rt, tmp_path):
    add(rt, "ada@example.org", "adapters")
    ingest_items(rt, tmp_path, [paper_item(1, "Adapters, early")], on=date(2026, 11, 11))
    ingest_items(rt, tmp_path, [paper_item(2, "Adapters, in time")], on=date(2026, 11, 12))
    send(rt, WED)
    assert [e.title.text for e in digests(rt)[0].entries()] == ["Adapters, in time"]


def test_papers_of_a_later_day_are_not_in_an_earlier_daily(rt, tmp_path):
    add(rt, "ada@example.org", "adapters")
    ingest_items(rt, tmp_path, [paper_item(1, "Adapters today")], on=date(2026, 11, 16))
    ingest_items(rt, tmp_path, [paper_item(2, "Adapters tomorrow")], on=date(2026, 11, 17))
    send(rt, date(2026, 11, 16))
    send(rt, date(2026, 11, 17))
    assert [[e.title.text for e in d.entries()] for d in digests(rt)] == [
        ["Adapters today"],
        ["Adapters tomorrow"],
    ]


@pytest.mark.parametrize("zone", ["Pacific/Honolulu", "UTC", "Pacific/Kiritimati"])
def test_a_replayed_day_reaches_readers_of_every_zone(rt, tmp_path, zone):
    add(rt, "ada@example.org", "adapters", tz=zone)
    ingest_items(rt, tmp_path, [paper_item(1, "Adapters today")], on=date(2026, 11, 16))
    assert send(rt, date(2026, 11, 16))[1].accepted == 1


def test_history_is_known_and_never_new(rt, tmp_path):
    import json

    file = tmp_path / "old.json"
    file.write_text(json.dumps([paper_item(1, "Adapters of the past")]))
    add(rt, "ada@example.org", "adapters")
    report = ingest_files(rt, "hf_daily", [file], on=WED, history=True)
    assert (report.new, report.known) == (0, 1)
    assert send(rt, WED)[0].skipped == {"nothing_new": 1}
    assert ingest_files(rt, "hf_daily", [file], on=WED).refreshed == 1
    assert rt.db.read(lambda s: count_new(s, datetime(2000, 1, 1, tzinfo=UTC), rt.clock())) == 0


def test_no_mail_day_sends_nothing_and_its_papers_ride_in_the_next(rt, tmp_path):
    rt.clock.at = datetime(2026, 11, 21, 9, tzinfo=UTC)  # a Saturday
    add(rt, "ada@example.org", "adapters")
    ingest_items(rt, tmp_path, [paper_item(1, "Adapters on Saturday")])
    assert send(rt)[0].planned == 0
    rt.clock.go(days=2)
    assert send(rt)[1].accepted == 1


@pytest.mark.slow
def test_ten_in_full_thirty_as_lines_the_rest_counted(rt, server, tmp_path):
    add(rt, "ada@example.org", "adapters")
    ingest_items(rt, tmp_path, [paper_item(n, f"Adapters, part {n}") for n in range(1, 46)])
    send(rt)
    digest = digests(rt)[0]
    section = digest.sections[0]
    assert (len(section.entries), len(section.lines), len(section.rest)) == (10, 30, 5)
    assert len(digest.paper_ids()) == 45
    assert subject(server).endswith("and 44 more")
    rt.clock.go(days=1)
    assert send(rt)[0].skipped == {"nothing_new": 1}


def test_tomorrow_can_be_sent_and_later_dates_are_refused(rt, tmp_path):
    add(rt, "ada@example.org", "adapters")
    ingest_items(rt, tmp_path, [paper_item(1, "Adapters today")])
    assert send(rt, THU)[1].accepted == 1
    with pytest.raises(DateError, match="later than tomorrow"):
        plan_daily(rt, FRI)


def test_a_slot_that_held_nothing_is_tried_again_by_hand(rt, tmp_path):
    add(rt, "ada@example.org", "adapters")
    assert send(rt)[0].skipped == {"nothing_new": 1}
    ingest_items(rt, tmp_path, [paper_item(1, "Adapters after all")])
    assert send(rt)[1].accepted == 1
    assert len(rt.db.read(lambda s: list_deliveries(s))) == 1


def test_the_clock_sends_at_the_readers_hour_once(rt, server, tmp_path):
    rt.clock.at = datetime(2026, 11, 18, 5, 0, tzinfo=UTC)
    add(rt, "ada@example.org", "adapters", tz="Europe/Zurich", hour="8")
    ingest_items(rt, tmp_path, [paper_item(1, "Adapters today")])
    assert plan_due(rt).planned == 0
    rt.clock.at = datetime(2026, 11, 18, 7, 0, tzinfo=UTC)
    assert plan_due(rt).planned == 1
    assert plan_due(rt).planned == 0
    rt.clock.go(minutes=10)  # mails of one hour are spread
    assert asyncio.run(send_ready(rt)).accepted == 1
    edition = rt.db.read(lambda s: get_edition(s, id=1))
    assert (edition.kind, edition.slot) == ("digest", "2026-11-18")


def test_after_an_outage_one_catch_up_mail(rt, server, tmp_path):
    rt.clock.at = datetime(2026, 11, 16, 8, 0, tzinfo=UTC)
    add(rt, "ada@example.org", "adapters", hour="8")
    ingest_items(rt, tmp_path, [paper_item(1, "Adapters on Monday")])
    rt.clock.go(minutes=1)
    send(rt)
    for number, day in enumerate((17, 18, 19), 2):
        ingest_items(rt, tmp_path, [paper_item(number, f"Adapters {day}")], on=date(2026, 11, day))
    rt.clock.at = datetime(2026, 11, 19, 12, 0, tzinfo=UTC)
    assert plan_due(rt).planned == 1
    rt.clock.go(minutes=10)
    asyncio.run(send_ready(rt))
    to = [mail.recipient for mail in server.accepted]
    assert sorted(to[1:]) == ["ada@example.org", "papers@example.org"]  # the staff is told of it
    last = [made for made in digests(rt) if made is not None][-1]
    assert last.kind == "catchup"
    assert len(list(last.entries())) == 3
    assert subject(server, to.index("ada@example.org", 1)).startswith("Since ")
    assert plan_due(rt).planned == 0


def test_paused_days_have_a_row_with_the_reason(rt, tmp_path):
    add(rt, "ada@example.org", "adapters")
    ingest_items(rt, tmp_path, [paper_item(1, "Adapters today")])

    def pause(session):
        get_subscriber_row(session, email_key="ada@example.org").paused_until = FRI

    rt.db.write(pause)
    assert send(rt)[0].skipped == {"paused": 1}
    rt.clock.at = datetime(2026, 11, 20, 9, tzinfo=UTC)
    assert send(rt)[1].accepted == 1


def test_weekly_interests_ride_on_their_day(rt, tmp_path):
    add(rt, "ada@example.org", "adapters", cadence="weekly")
    ingest_items(rt, tmp_path, [paper_item(1, "Adapters today")])
    assert send(rt, WED)[0].skipped == {"not_your_day": 1}
    rt.clock.at = datetime(2026, 11, 20, 9, tzinfo=UTC)
    assert send(rt)[1].accepted == 1
    assert digests(rt)[-1].kind == "weekly"


def test_trending_needs_votes_and_leaves_out_what_was_had(rt, tmp_path):
    add(rt, "ada@example.org")
    items = [paper_item(1, "Loved", votes=9), paper_item(2, "Liked", votes=2)]
    ingest_items(rt, tmp_path, [*items, paper_item(3, "Unseen", votes=0)])
    send(rt)
    assert [e.title.text for e in digests(rt)[0].entries()] == ["Loved", "Liked"]
    rt.clock.go(days=1)
    ingest_items(rt, tmp_path, [paper_item(4, "Fresh", votes=1)])
    send(rt)
    assert [e.title.text for e in digests(rt)[1].entries()] == ["Fresh"]


def test_one_reader_who_cannot_be_composed_harms_nobody_else(rt, tmp_path, monkeypatch):
    add(rt, "ada@example.org", "adapters")
    add(rt, "ben@example.org", "adapters")
    ingest_items(rt, tmp_path, [paper_item(1, "Adapters today")])

    def spoil(session):
        get_subscriber_row(session, email_key="ada@example.org").style = "sideways"

    rt.db.write(spoil)
    import service.flows.compose as flow

    real = flow.compose

    def compose(*args, **kwargs):
        if kwargs["style"] == "sideways":
            raise ValueError("sideways")
        return real(*args, **kwargs)

    monkeypatch.setattr(flow, "compose", compose)
    planned, sent = send(rt)
    assert sent.accepted == 1
    assert planned.skipped == {"error: ValueError": 1}


def test_twins_found_later_are_one_paper_and_no_second_mail(rt, tmp_path):
    add(rt, "ada@example.org", "adapters")
    ingest_items(rt, tmp_path, [paper_item(1, "Adapters today")])
    send(rt)
    rt.clock.go(days=1)
    ingest_items(rt, tmp_path, [paper_item(1, "Adapters today", votes=30)])
    assert send(rt)[0].skipped == {"nothing_new": 1}


def test_clock_of_the_test_is_the_clock_of_the_house(rt):
    assert isinstance(rt.clock, Clock)
