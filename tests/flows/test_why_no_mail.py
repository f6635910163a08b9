"""Why a date brought no mail, and which days a weekly one holds: the sentences are true."""

import asyncio
from datetime import UTC, date, datetime, timedelta

import pytest
import sqlalchemy as sa
from support.arrows import by_hand
from support.house import add, ingest_items, open_house, paper_item
from support.smtp_server import SmtpServer, reply

from service.delivery.i18n import Texts
from service.digest.model import from_json
from service.flows import manual
from service.flows.became import why_skipped
from service.flows.daily import plan_daily
from service.flows.leave import undo, unsubscribe
from service.flows.leave_part import put_off
from service.flows.mail_days import read_history
from service.flows.preview import preview
from service.flows.said_answers import day_lines, paper_lines
from service.flows.send import send_ready
from service.flows.suppress import unsuppress
from service.flows.why_day import answer_day, today_of
from service.flows.why_paper import answer_paper
from service.store.deliveries import list_deliveries
from service.store.subscribers import get_subscriber_row
from service.store.tables import DeliveryRow
from service.subscribers.address import read_address

WED, FRI = date(2026, 11, 18), date(2026, 11, 20)
ADA = "ada@example.org"


def test_papers_sent_by_hand_are_not_called_none(rt, tmp_path):
    add(rt, ADA, "adapters")
    ingest_items(rt, tmp_path, [paper_item(n, f"Adapters {n}") for n in (1, 2)], on=WED)
    manual.start(rt, manual.draft(rt, dates=f"{WED}", key="m1"), expected=1, at_once=True)
    asyncio.run(send_ready(rt))
    said = "Wed 18 November: 2 papers checked. You already had what contained your words."
    assert preview(rt, ADA).says == said
    assert plan_daily(rt).skipped == {"nothing_new": 1}
    assert preview(rt, ADA).says == said
    reader = rt.db.read(lambda s: get_subscriber_row(s, email_key=ADA))
    assert [d.had for d in read_history(rt, reader.id).days if d.kind == "digest"] == [2]
    # the next day they are not counted any more, so that nothing is said of them
    rt.clock.go(days=1)
    ingest_items(rt, tmp_path, [paper_item(3, "Sheep")], on=WED + timedelta(days=1))
    last = "Thu 19 November: 1 paper checked, none contained your words."
    assert preview(rt, ADA).says == last


def test_what_waits_for_the_next_alert_is_told_so(rt, tmp_path):
    add(rt, ADA, "adapters", cadence="instant")
    ingest_items(rt, tmp_path, [paper_item(1, "Adapters")], on=WED)
    said = "Wed 18 November: 1 paper checked. What contained your words comes with your next alert."
    assert preview(rt, ADA).says == said


@pytest.mark.parametrize(
    ("asks", "facts", "said"),
    [
        ("words", {}, "2 papers checked, none contained your words."),
        ("interests", {}, "2 papers checked, none matched your interests."),
        ("interests", {"had": 1}, "2 papers checked. You already had what matched your interests."),
        (
            "interests",
            {"later": 1},
            "2 papers checked. What matched your interests comes with your next alert.",
        ),
        ("trending", {}, "2 papers checked, none with votes was new to you."),
        ("words", {"is_kept": False}, "Nothing new was found for you."),
    ],
)
def test_who_asked_for_no_words_is_told_of_none(asks, facts, said):
    assert why_skipped(Texts("en"), "nothing_new", 2, asks=asks, **facts) == said


def test_a_day_to_come_is_told_so(rt, tmp_path):
    add(rt, ADA, "adapters")
    none = preview(rt, ADA, date(2026, 12, 25)).says
    assert none == "Fri 25 December is still to come; so far there is no mail for it."
    ingest_items(rt, tmp_path, [paper_item(1, "Adapters")], on=WED)
    assert "The day is still to come" in preview(rt, ADA, FRI).says
    assert "still to come" not in preview(rt, ADA, WED).says


def weekly_mail(rt):
    row = max(rt.db.read(list_deliveries), key=lambda r: r.planned_at)
    digest = from_json(row.content["digest"])
    titles = sorted(int(entry.title.text.split()[-1]) for entry in digest.entries())
    return titles, digest.since, digest.checked, digest.matched


def test_a_first_weekly_mail_holds_seven_days_and_says_which(rt, tmp_path):
    rt.clock.at = datetime(2026, 11, 20, 9, tzinfo=UTC)
    for day in (13, 14, 17, 20):
        item = paper_item(day, f"Adapters {day}")
        ingest_items(rt, tmp_path, [item], on=date(2026, 11, day))
    add(rt, ADA, "adapters", cadence="weekly")
    plan_daily(rt, FRI)
    assert weekly_mail(rt) == ([14, 17, 20], date(2026, 11, 14), 3, 3)


def test_a_weekly_mail_that_holds_more_of_its_last_day_says_so(rt, tmp_path):
    rt.clock.at = datetime(2026, 11, 13, 7, tzinfo=UTC)
    add(rt, ADA, "adapters", cadence="weekly")
    ingest_items(rt, tmp_path, [paper_item(1, "Adapters 1")])
    plan_daily(rt)
    asyncio.run(send_ready(rt))
    rt.clock.go(hours=3)
    ingest_items(rt, tmp_path, [paper_item(13, "Adapters 13")])  # after the mail of that Friday
    rt.clock.at = datetime(2026, 11, 20, 8, tzinfo=UTC)
    ingest_items(rt, tmp_path, [paper_item(20, "Adapters 20")])
    plan_daily(rt)
    assert weekly_mail(rt) == ([13, 20], date(2026, 11, 13), 3, 2)


# ---- a date that is asked about: what was true then ----


def told(rt, on, email=ADA):
    reader = rt.db.read(lambda s: get_subscriber_row(s, email_key=email))
    lines = day_lines(answer_day(rt, reader.id, on), rt.catalogs.texts("en"))
    return " ".join(lines)


def a_day(rt, tmp_path, on):
    """One paper, listed on a date, and the daily of that date."""
    rt.clock.at = datetime(on.year, on.month, on.day, 9, tzinfo=UTC)
    ingest_items(rt, tmp_path, [paper_item(on.day, f"Adapters {on.day}")], on=on)
    plan_daily(rt)
    asyncio.run(send_ready(rt))


def token(rt, email=ADA):
    return rt.db.read(lambda s: get_subscriber_row(s, email_key=email)).unsubscribe_token


def test_a_pause_is_told_as_it_stood_on_that_day(rt, tmp_path):
    add(rt, ADA, "adapters")
    put_off(rt, token(rt), 7)
    a_day(rt, tmp_path, WED)
    put_off(rt, token(rt), 0)
    put_off(rt, token(rt), 30)
    assert told(rt, WED).startswith("You had paused until 25 November.")
    assert "You paused until 18 December 2026." in told(rt, FRI)


def test_who_left_and_came_back_is_told_so(rt, tmp_path):
    add(rt, ADA, "adapters")
    rt.clock.go(days=1)
    unsubscribe(rt, token(rt))
    assert "You left on 19 November 2026; nothing is mailed since." in told(rt, FRI)
    rt.clock.go(days=4)
    assert undo(rt, token(rt))
    back = "You had left on 19 November 2026, and came back on 23 November 2026."
    assert [back in told(rt, WED + timedelta(days=n)) for n in range(6)] == [
        False, True, True, True, True, False,
    ]  # fmt: skip


@pytest.fixture
def refused(tmp_path, clock):
    """A reader whose mailbox is gone since Wednesday."""
    with SmtpServer() as server, open_house(tmp_path, smtp_port=server.port, clock=clock) as house:
        server.on("RCPT", reply("550 5.1.1 no such user"), match="ada")
        add(house.runtime, ADA, "adapters")
        a_day(house.runtime, tmp_path, WED)
        yield house.runtime


def test_a_mailbox_that_is_gone_is_told_for_each_date(refused):
    rt = refused
    rt.clock.go(days=2)
    on_the_day = told(rt, WED)
    assert "did not take it: 550 5.1.1 no such user." in on_the_day
    assert "refuses our mail, so none is sent. Change the address in your settings." in on_the_day
    assert "Adapters 18: waits for your next mail" in on_the_day
    assert "next mail is due" not in on_the_day
    assert "refused our mail on 18 November 2026; none is sent since" in told(rt, FRI)
    before = told(rt, WED - timedelta(days=3))
    assert before.startswith("That was before you began")


def test_a_paper_that_waits_is_not_told_to_have_had_its_time(refused):
    rt = refused
    rt.clock.go(days=9)
    reader = rt.db.read(lambda s: get_subscriber_row(s, email_key=ADA))
    lines = paper_lines(answer_paper(rt, reader.id, "arxiv/2611.00018"), rt.catalogs.texts("en"))
    assert "It was in a mail that never reached you, and rides in your next one." in lines
    assert lines[-1].endswith("It contains adapters.")


def test_a_bar_that_was_lifted_is_still_the_reason_then(refused):
    rt = refused
    rt.clock.go(days=5)
    assert unsuppress(rt, read_address(ADA))
    said = "Your mail server had refused our mail on 18 November 2026, so none was made."
    assert said in told(rt, FRI)


@pytest.mark.parametrize(
    ("reason", "words"),
    [
        ("left", "Stopped: you had left."),
        ("bounced", "Stopped: your mail server had refused an earlier mail."),
        ("suppressed", "Stopped: this address is on the list of those that get no mail."),
    ],
)
def test_a_stopped_mail_says_what_stopped_it(rt, tmp_path, reason, words):
    add(rt, ADA, "adapters")
    a_day(rt, tmp_path, WED)
    stopped = sa.update(DeliveryRow).values(state="suppressed", reason=reason)
    with by_hand():
        rt.db.write(lambda s: s.execute(stopped))
    assert words in told(rt, WED)


def test_without_a_date_the_reader_s_own_today_is_asked_about(rt):
    reader = add(rt, ADA, "adapters", tz="Asia/Tokyo")
    rt.clock.go(hours=8)  # 17:00 UTC
    assert today_of(rt, reader) == date(2026, 11, 19)
