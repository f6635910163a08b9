"""Later news of papers that a reader had: told once, in the daily, and neither lost nor doubled."""

import asyncio
from dataclasses import replace
from datetime import date, timedelta
from email import message_from_bytes
from email.policy import default

import pytest
import sqlalchemy as sa
from support.house import add, ingest_items, mark, paper_item, rows, take
from support.smtp_server import drop, reply

from service.delivery.i18n import Texts
from service.delivery.states import State
from service.flows.alerts import plan_alerts
from service.flows.became import what_became
from service.flows.compose import compose_planned, digest_for
from service.flows.daily import plan_daily
from service.flows.freeze import Decided, freeze
from service.flows.interests import apply_change, change_of, read_form
from service.flows.letter import digest_of
from service.flows.mail_days import read_history
from service.flows.preview import preview
from service.flows.resend import read_wanted, resend
from service.flows.send import send_ready
from service.flows.shelf import load_shelf
from service.flows.sweep import sweep
from service.store.events import add_event
from service.store.leases import mark_outcome
from service.store.processes import Process
from service.store.subscribers import get_subscriber_row, list_profile_rows, to_subscriber
from service.store.twins import merge_papers
from service.subscribers.model import Cadence

pytestmark = pytest.mark.slow  # many whole days of mails

EVERY_DAY = "mon,tue,wed,thu,fri,sat,sun"
CODE = "https://code.example/adapters"
ONE = paper_item(1, "Adapters that forget less")


def choose(rt, reader, **values):
    """Change the first interest of a reader."""

    def edit(session):
        row = list_profile_rows(session, reader)[0]
        apply_change(session, row, replace(change_of(row), **values), rt.clock())

    rt.db.write(edit)


def happens(rt, kind, value="", paper=1):
    rt.db.write(lambda s: add_event(s, paper, kind, rt.clock(), value))


def send(rt):
    return asyncio.run(send_ready(rt)).accepted


def had_paper(rt, tmp_path, **cells):
    """A reader who wants later news and had one paper by mail yesterday."""
    reader = add(rt, "ada@example.org", "adapters", weekdays=EVERY_DAY, **cells)
    choose(rt, reader, signals=True)
    ingest_items(rt, tmp_path, [ONE])
    plan_daily(rt)
    assert send(rt) == 1
    rt.clock.go(days=1)
    return reader


def told(rt, number=-1):
    """What the newest mail tells: (paper, kinds, "again")."""
    digest = digest_of(rows(rt)[number])
    if digest is None:
        return []
    return [(s.paper_id, [h.kind for h in s.happenings], s.again) for s in digest.signals()]


def occasions(rt):
    with rt.db.engine.connect() as connection:
        query = "SELECT paper_id, occasion FROM sent_paper ORDER BY 1, 2"
        return [tuple(row) for row in connection.execute(sa.text(query))]


def test_code_is_told_once_in_a_mail_of_its_own(rt, tmp_path, server):
    had_paper(rt, tmp_path)
    ingest_items(rt, tmp_path, [paper_item(1, ONE["title"], githubRepo=CODE)])
    assert plan_daily(rt).ready == 1
    assert told(rt) == [(1, ["code"], False)]
    assert send(rt) == 1
    assert occasions(rt) == [(1, "new"), (1, "signal")]
    mail = message_from_bytes(server.accepted[-1].data, policy=default)
    assert mail["Subject"] == "News: Adapters that forget less"
    text = mail.get_body(("plain",)).get_content()
    assert text.startswith("There is news of 1 paper you had.")
    assert "Code is out for a paper you had on 18 November." in text
    assert CODE in text
    html = mail.get_body(("html",)).get_content()
    assert "News about papers you had" in html
    assert CODE in html
    happens(rt, "doi", "10.1038/x")
    rt.clock.go(days=1)
    assert plan_daily(rt).skipped == {"nothing_new": 1}, "once for a paper and a reader"


def test_several_events_of_one_paper_are_one_line_beside_new_papers(rt, tmp_path):
    had_paper(rt, tmp_path)
    happens(rt, "code", CODE)
    happens(rt, "doi", "10.1038/x")
    ingest_items(
        rt, tmp_path, [paper_item(1, ONE["title"], votes=61), paper_item(2, "New adapters")]
    )
    plan_daily(rt)
    digest = digest_of(rows(rt)[-1])
    assert [s.kind for s in digest.sections] == ["interest", "signals"]
    assert digest.matched == 1
    assert digest.paper_ids() == (2,)
    assert told(rt) == [(1, ["code", "doi", "votes"], False)]
    assert send(rt) == 1
    assert occasions(rt) == [(1, "new"), (1, "signal"), (2, "new")]


def test_without_the_tick_nothing_is_told_and_what_was_before_it_never(rt, tmp_path):
    reader = add(rt, "ada@example.org", "adapters", weekdays=EVERY_DAY)
    ingest_items(rt, tmp_path, [ONE])
    plan_daily(rt)
    send(rt)
    rt.clock.go(days=1)
    happens(rt, "withdrawn")
    assert plan_daily(rt).skipped == {"nothing_new": 1}
    rt.clock.go(days=1)
    choose(rt, reader, signals=True)
    assert plan_daily(rt).skipped == {"nothing_new": 1}
    happens(rt, "code", CODE)
    rt.clock.go(days=1)
    plan_daily(rt)
    assert told(rt) == [(1, ["code"], False)], "the withdrawal was before the choice"


def test_a_withdrawn_paper_reaches_those_who_asked(rt, tmp_path):
    had_paper(rt, tmp_path)
    rt.db.write(lambda s: s.execute(sa.text("UPDATE paper SET withdrawn = true WHERE id = 1")))
    happens(rt, "withdrawn")
    plan_daily(rt)
    assert told(rt) == [(1, ["withdrawn"], False)]
    page = preview(rt, "ada@example.org")
    assert "A paper you had on 18 November was withdrawn." in page.text


def test_what_a_reader_never_had_or_an_interest_does_not_want_is_no_news(rt, tmp_path):
    reader = had_paper(rt, tmp_path)
    ingest_items(rt, tmp_path, [paper_item(2, "Robots")], on=rt.clock().date())
    happens(rt, "code", CODE, paper=2)
    choose(rt, reader, wanted=read_form("robots"))
    happens(rt, "code", CODE)
    plan_daily(rt)
    assert told(rt) == []


def test_votes_of_the_mails_own_day_are_news_when_the_mail_showed_fewer(rt, tmp_path):
    reader = add(rt, "ada@example.org", "adapters", weekdays=EVERY_DAY)
    choose(rt, reader, signals=True)
    ingest_items(rt, tmp_path, [ONE])
    rt.clock.go(hours=1)
    ingest_items(rt, tmp_path, [paper_item(1, ONE["title"], votes=20)])
    rt.clock.go(minutes=1)
    plan_daily(rt)
    send(rt)
    rt.clock.go(hours=3)
    ingest_items(rt, tmp_path, [paper_item(1, ONE["title"], votes=70)])  # the same day's event
    rt.clock.go(days=1)
    plan_daily(rt)
    assert told(rt) == [(1, ["votes"], False)]


def test_votes_that_stood_in_the_mail_are_no_news(rt, tmp_path):
    reader = add(rt, "ada@example.org", "adapters", weekdays=EVERY_DAY)
    choose(rt, reader, signals=True)
    ingest_items(rt, tmp_path, [ONE])
    rt.clock.go(hours=1)
    ingest_items(rt, tmp_path, [paper_item(1, ONE["title"], votes=70)])
    plan_daily(rt)
    send(rt)
    rt.clock.go(days=1)
    assert plan_daily(rt).skipped == {"nothing_new": 1}


def test_news_of_a_weekly_interest_ride_on_its_day(rt, tmp_path):
    reader = had_paper(rt, tmp_path)  # Thursday now
    choose(rt, reader, cadence=Cadence.WEEKLY, weekday=0)
    happens(rt, "code", CODE)
    plan_daily(rt)
    assert told(rt) == []
    rt.clock.go(days=4)  # Monday
    plan_daily(rt)
    assert told(rt) == [(1, ["code"], False)]


def test_alerts_hold_no_news_the_daily_does(rt, tmp_path):
    reader = had_paper(rt, tmp_path)
    choose(rt, reader, cadence=Cadence.INSTANT)
    happens(rt, "code", CODE)
    ingest_items(rt, tmp_path, [paper_item(2, "New adapters")])
    plan_alerts(rt)
    alert = rows(rt, "alert")[0]
    assert digest_of(alert) is not None
    assert told(rt) == []
    send(rt)
    plan_daily(rt)
    assert told(rt) == [(1, ["code"], False)]


def test_who_waits_for_several_papers_gets_news_with_them(rt, tmp_path):
    reader = had_paper(rt, tmp_path)
    rt.db.write(
        lambda s: s.execute(
            sa.text("UPDATE subscriber SET at_least = 2 WHERE id = :i"), {"i": reader}
        )
    )
    happens(rt, "code", CODE)
    assert plan_daily(rt).skipped == {"too_few": 1}
    rt.clock.go(days=1)
    ingest_items(rt, tmp_path, [paper_item(2, "New adapters"), paper_item(3, "More adapters")])
    plan_daily(rt)
    assert told(rt) == [(1, ["code"], False)]


def test_news_are_over_after_their_days(rt, tmp_path):
    reader = had_paper(rt, tmp_path)
    happens(rt, "code", CODE)
    choose(rt, reader, cadence=Cadence.WEEKLY, weekday=0)
    rt.clock.go(days=4 + 7 * 9)
    assert rt.clock().weekday() == 0
    plan_daily(rt)
    assert told(rt) == []


# ---- once, whatever breaks ----


def test_a_mail_that_is_refused_tells_it_in_the_next_one(rt, tmp_path, server):
    had_paper(rt, tmp_path)
    happens(rt, "code", CODE)
    plan_daily(rt)
    server.on("DOT", reply("550 5.7.1 not today"), times=1)
    assert asyncio.run(send_ready(rt)).failed == 1
    assert occasions(rt) == [(1, "new")]
    rt.clock.go(days=1)
    plan_daily(rt)
    assert told(rt) == [(1, ["code"], False)]
    assert send(rt) == 1
    rt.clock.go(days=1)
    assert plan_daily(rt).skipped == {"nothing_new": 1}


def test_in_doubt_it_is_told_once_more_and_says_so(rt, tmp_path, server):
    had_paper(rt, tmp_path)
    happens(rt, "code", CODE)
    plan_daily(rt)
    server.on("DOT", drop(record=True), times=1)
    assert asyncio.run(send_ready(rt)).held == 1
    rt.clock.go(days=1)
    plan_daily(rt)  # the sweep of this run has not come yet: it is under way
    assert told(rt) == []
    asyncio.run(send_ready(rt))
    assert [row.state for row in rows(rt)].count("presumed") == 1
    rt.clock.go(days=1)
    plan_daily(rt)
    assert told(rt) == [(1, ["code"], True)]
    mail = preview(rt, "ada@example.org")
    assert "you may have seen this one" in " ".join(mail.text.split())
    assert send(rt) == 1
    rt.clock.go(days=1)
    assert plan_daily(rt).skipped == {"nothing_new": 1}


def test_what_is_under_way_is_not_told_in_another_mail(rt, tmp_path):
    had_paper(rt, tmp_path)
    happens(rt, "code", CODE)
    plan_daily(rt)
    assert told(rt) == [(1, ["code"], False)]
    rt.clock.go(days=1)
    plan_daily(rt)
    assert told(rt) == [], "yesterday's mail waits to be sent"


def test_who_freezes_second_decides_anew(rt, tmp_path):
    """Two dates are decided by two processes at once: one of them tells it."""
    reader = had_paper(rt, tmp_path)
    happens(rt, "code", CODE)

    def decide(session):
        shelf = load_shelf(rt, session, rt.defaults(), [reader], rt.clock().date())
        row = to_subscriber(get_subscriber_row(session, id=reader))
        return digest_for(rt, session, shelf, row, rt.clock().date(), "daily")

    early = rt.db.read(decide)
    assert [s.paper_id for s in early.signals()] == [1]
    plan_daily(rt)
    first = rows(rt)[-1]
    late = Decided(first.id + 1, reader, early)
    done, again = rt.db.write(lambda s: freeze(s, [late], rt.clock(), wait=True))
    assert (done, again) == ([], 1)
    assert compose_planned(rt, first.edition_id, rt.clock().date()).ready == 0


def test_a_twin_takes_what_was_told_along(rt, tmp_path):
    had_paper(rt, tmp_path)
    ingest_items(rt, tmp_path, [paper_item(2, "Other adapters")], on=date(2026, 11, 10))
    happens(rt, "code", CODE)
    plan_daily(rt)
    send(rt)
    assert (1, "signal") in occasions(rt)
    rt.db.write(lambda s: merge_papers(s, 2, 1, rt.clock()))
    assert (2, "signal") in occasions(rt)
    happens(rt, "doi", "10.1038/x", paper=2)
    rt.clock.go(days=1)
    plan_daily(rt)
    assert told(rt) == []


def test_test_mode_tells_nothing_for_good(rt, tmp_path, server):
    had_paper(rt, tmp_path)
    happens(rt, "code", CODE)
    object.__setattr__(rt, "test_recipient", "ops@example.org")
    plan_daily(rt)
    send(rt)
    assert occasions(rt) == [(1, "new")]
    rt.clock.go(days=1)
    plan_daily(rt)
    assert told(rt) == [], "while the mode is on it counts as told"
    object.__setattr__(rt, "test_recipient", "")
    rt.clock.go(days=1)
    plan_daily(rt)
    assert told(rt) == [(1, ["code"], False)]


def test_a_changed_number_of_votes_keeps_the_instant_of_the_choice(rt, tmp_path):
    reader = had_paper(rt, tmp_path)
    before = rt.db.read(lambda s: list_profile_rows(s, reader)[0].options["signals"]["since"])
    choose(rt, reader, votes=10)
    row = rt.db.read(lambda s: list_profile_rows(s, reader)[0])
    assert row.options["signals"] == {"since": before, "votes": 10}
    choose(rt, reader, signals=False)
    choose(rt, reader, signals=True)
    row = rt.db.read(lambda s: list_profile_rows(s, reader)[0])
    assert row.options["signals"]["since"] > before
    assert timedelta() < rt.clock() - rows(rt)[0].planned_at


# ---- a process that is killed ----


def test_killed_before_the_body_it_is_told_once(rt, tmp_path, server):
    had_paper(rt, tmp_path)
    happens(rt, "code", CODE)
    plan_daily(rt)
    dead = Process(rt.db, tmp_path / "locks", rt.clock())
    take(rt, dead.id)
    dead.close()
    assert send(rt) == 1
    assert occasions(rt) == [(1, "new"), (1, "signal")]
    assert len(server.accepted) == 2
    rt.clock.go(days=1)
    assert plan_daily(rt).skipped == {"nothing_new": 1}


def test_killed_after_the_mark_it_is_in_doubt_and_told_once_more(rt, tmp_path):
    had_paper(rt, tmp_path)
    happens(rt, "code", CODE)
    plan_daily(rt)
    dead = Process(rt.db, tmp_path / "locks", rt.clock())
    assert mark(rt, take(rt, dead.id), dead.id)
    dead.close()
    assert asyncio.run(send_ready(rt)).accepted == 0
    assert occasions(rt) == [(1, "new")]
    rt.clock.go(days=1)
    sweep(rt)
    plan_daily(rt)
    assert told(rt) == [(1, ["code"], True)]
    assert send(rt) == 1
    assert occasions(rt) == [(1, "new"), (1, "signal")]


def test_killed_before_the_commit_of_the_answer_nothing_is_half_written(rt, tmp_path):
    """What was told stands in the transaction of the answer: without it there is neither."""
    had_paper(rt, tmp_path)
    happens(rt, "code", CODE)
    plan_daily(rt)
    mine = Process(rt.db, tmp_path / "locks", rt.clock())
    taken = take(rt, mine.id)
    assert mark(rt, taken, mine.id)

    def answer(session):
        mark_outcome(session, taken, State.ACCEPTED, rt.clock())
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        rt.db.write(answer)
    assert occasions(rt) == [(1, "new")]
    assert rows(rt)[-1].state == "sending"
    rt.db.write(lambda s: mark_outcome(s, taken, State.ACCEPTED, rt.clock()))
    assert occasions(rt) == [(1, "new"), (1, "signal")]
    mine.close()


def test_a_refused_mail_that_is_sent_again_tells_it_and_the_daily_does_not(rt, tmp_path, server):
    had_paper(rt, tmp_path)
    happens(rt, "code", CODE)
    plan_daily(rt)
    server.on("DOT", reply("550 5.7.1 not today"), times=1)
    assert asyncio.run(send_ready(rt)).failed == 1
    edition = rows(rt)[-1].edition_id
    resend(rt, read_wanted(edition), by="ann")
    assert told(rt) == [(1, ["code"], False)]
    tomorrow = rt.clock().date() + timedelta(days=1)
    plan_daily(rt, tomorrow)
    assert told(rt) == [], "it is under way"
    rt.clock.go(minutes=10)
    assert send(rt) == 1
    assert occasions(rt) == [(1, "new"), (1, "signal")]


def test_the_readers_days_say_what_was_told(rt, tmp_path):
    reader = had_paper(rt, tmp_path)
    happens(rt, "code", CODE)
    plan_daily(rt)
    send(rt)
    rt.clock.go(days=1)
    ingest_items(rt, tmp_path, [paper_item(2, "New adapters")])
    happens(rt, "code", CODE, paper=1)
    plan_daily(rt)
    send(rt)
    days = read_history(rt, reader).days
    assert [(day.papers, day.news) for day in days] == [(1, 0), (0, 1), (1, 0)]
    english = Texts("en")
    assert [what_became(day, english) for day in days[:2]] == [
        "1 paper mailed.", "Later news of 1 paper mailed.",
    ]  # fmt: skip
    both = replace(days[0], news=2)
    assert what_became(both, english) == "1 paper mailed. Later news of 2 papers mailed."
