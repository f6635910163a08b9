"""Readers whose mails come back for now: scored, rested, resumed, and barred in the end."""

from datetime import date, timedelta

import pytest
from support.house import add, rows
from support.reports import EVERY_DAY, FULL, NOBODY, bar, found, mailed, next_day, reader, report
from support.smtp_server import reply

from service.flows import why_paper
from service.flows.alerts import plan_alerts
from service.flows.audience import Plan, count
from service.flows.bounces import come_back, standing
from service.flows.next_mail import next_mail_at
from service.flows.preview import outlook
from service.flows.score import GRACE
from service.flows.segment import Segment
from service.flows.suppress import unsuppress
from service.flows.why_day import answer_day
from service.reports.model import Kind
from service.store import sent as sent_store
from service.store.instance import set_setting
from service.subscribers.address import read_address

pytestmark = pytest.mark.slow

ADA, EVA = "ada@lab.example", "eva@lab.example"


def full(rt, folder, days=3):
    """Ada's mailbox is full for so many mails; the last report's end."""
    said = ""
    for n in range(days):
        row = (mailed(rt, folder, ADA) if not rows(rt) else next_day(rt, folder))[ADA]
        assert n == 0 or row.state == "accepted"
        (said,) = report(rt, row, Kind.SOFT, **FULL).said
    return said


def now_is(rt):
    return rt.db.read(lambda s: standing(rt, s, reader(rt, ADA)))


def test_a_full_mailbox_rests_and_the_days_between_come_afterwards(rt, tmp_path):
    add(rt, EVA, weekdays=EVERY_DAY)
    assert full(rt, tmp_path) == "rests"
    ada = reader(rt, ADA)
    assert (ada.state, ada.rests, ada.rests_until) == ("active", 1, rt.clock() + timedelta(days=2))
    assert (now_is(rt).kind, now_is(rt).can_resume, now_is(rt).words) == (
        "rests",
        True,
        FULL["words"],
    )
    made = next_day(rt, tmp_path)
    assert (made[ADA].state, made[ADA].reason) == ("skipped", "bounced")
    assert made[EVA].state == "accepted"
    made = next_day(rt, tmp_path)
    assert made[ADA].state == "accepted"
    had = rt.db.read(lambda s: sent_store.list_sent(s, [ada.id, reader(rt, EVA).id]))
    assert had[ada.id] == had[reader(rt, EVA).id], "nothing of the rest is lost"
    assert now_is(rt) is None


def test_what_waits_when_the_rest_begins_does_not_go(rt, server, tmp_path):
    full(rt, tmp_path, 2)
    made = next_day(rt, tmp_path)[ADA]
    server.on("RCPT", reply("451 4.3.0 later"))
    assert next_day(rt, tmp_path)[ADA].state == "deferred"
    assert report(rt, made, Kind.SOFT, **FULL).said == ("rests",)
    newest = rows(rt, "digest")[-1]
    assert (newest.state, newest.reason) == ("skipped", "bounced")


def test_each_rest_is_twice_as_long_and_the_last_one_bars(rt, tmp_path):
    rt.db.write(lambda s: set_setting(s, "soft_rests", "3"))
    assert full(rt, tmp_path) == "rests"
    lengths = []
    for _ in range(3):
        lengths.append((reader(rt, ADA).rests_until - rt.clock()).days)
        row = next_day(rt, tmp_path, days=lengths[-1])[ADA]
        (said,) = report(rt, row, Kind.SOFT, **FULL).said
    assert lengths == [2, 4, 8]
    assert (said, reader(rt, ADA).state, bar(rt, ADA)) == ("suppressed", "bounced", "soft")
    assert now_is(rt).can_resume
    assert come_back(rt, reader(rt, ADA).id) == "resumed"
    ada = reader(rt, ADA)
    assert (ada.state, ada.score, ada.rests, ada.rests_until, bar(rt, ADA)) == (
        "active",
        0,
        0,
        None,
        "",
    )


def test_one_a_day_counts_and_none_of_mails_from_before_the_rest(rt, tmp_path):
    first = mailed(rt, tmp_path, ADA)[ADA]
    second = next_day(rt, tmp_path)[ADA]
    third = next_day(rt, tmp_path)[ADA]
    assert report(rt, first, Kind.SOFT, **FULL).said == ("scored",)
    assert report(rt, second, Kind.SOFT, **FULL).said == ("same day",)
    assert report(rt, third, Kind.HARD, **(NOBODY | {"recipient": "a@b.example"})).said == (
        "same day",
    )
    rt.db.write(lambda s: set_setting(s, "soft_score", "2"))
    fourth = next_day(rt, tmp_path)[ADA]
    fifth = next_day(rt, tmp_path)[ADA]
    assert report(rt, fifth, Kind.SOFT, **FULL).said == ("rests",)
    rt.clock.go(days=5)
    assert report(rt, fourth, Kind.SOFT, **FULL).said == ("resting",)


def test_mails_that_arrive_take_off(rt, tmp_path):
    full(rt, tmp_path, 2)
    assert reader(rt, ADA).score == 2
    next_day(rt, tmp_path)
    last = next_day(rt, tmp_path, days=GRACE.days)[ADA]
    rt.clock.go(hours=1)
    assert report(rt, last, Kind.SOFT, **FULL).said == ("scored",)
    assert reader(rt, ADA).score == 2, "2, less 1 that arrived, and 1"


def test_a_mail_that_is_still_on_its_way_takes_nothing_off(rt, tmp_path):
    """A relay that tries for five days tells of each mail five days later."""
    made = [mailed(rt, tmp_path, ADA)[ADA]]
    made += [next_day(rt, tmp_path)[ADA] for _ in range(5)]
    said = []
    for row in made[:3]:
        said += report(rt, row, Kind.SOFT, **FULL).said
        rt.clock.go(days=1)
    assert said == ["scored", "scored", "rests"]


def test_after_mails_that_arrived_the_first_rest_is_short_again(rt, tmp_path):
    assert full(rt, tmp_path) == "rests"
    for _ in range(12):
        last = next_day(rt, tmp_path)[ADA]
    assert report(rt, last, Kind.SOFT, **FULL).said == ("scored",)
    assert (reader(rt, ADA).rests, reader(rt, ADA).rests_until) == (0, None)


def test_a_lifted_bar_begins_anew(rt, tmp_path):
    row = mailed(rt, tmp_path, ADA)[ADA]
    report(rt, row, Kind.HARD, **NOBODY)
    assert (now_is(rt).kind, now_is(rt).reason, now_is(rt).can_resume) == (
        "bounced", "no_such_user", False,
    )  # fmt: skip
    assert come_back(rt, reader(rt, ADA).id) == "staff"
    assert unsuppress(rt, read_address(ADA))
    assert come_back(rt, reader(rt, ADA).id) == "resumed", "there is nothing to end"
    assert next_day(rt, tmp_path)[ADA].state == "accepted"


def test_no_other_mail_goes_to_who_rests(rt, tmp_path):
    add(rt, EVA, weekdays=EVERY_DAY)
    full(rt, tmp_path)
    assert plan_alerts(rt).planned == 0
    ada = reader(rt, ADA).id
    letter = Plan(kind="newsletter", key="k", subject="T", body="B", segment=Segment())
    groups = count(rt, letter).groups
    assert (ada in groups["bounced"], ada in groups["mails"]) == (True, False)
    assert outlook(rt, [(ada, date(2026, 11, 21))])["bounced"] == [ada]
    assert found(rt)[0][0].said == "rests"


def test_the_answers_to_why_tell_of_mails_that_came_back(rt, tmp_path):
    row = mailed(rt, tmp_path, ADA)[ADA]
    ada, on = reader(rt, ADA).id, rt.clock().date()
    report(rt, row, Kind.HARD, **NOBODY)
    assert answer_day(rt, ada, on).says == (
        "Your mail server took a mail of that day and sent it back.",
    )
    rt.clock.go(days=3)
    assert answer_day(rt, ada, on + timedelta(days=2)).says == (
        "Your mail server refused our mail on 18 November 2026; none is sent since.",
        "Change the address in your settings.",
    )


def test_the_next_mail_of_who_rests_is_after_the_rest(rt, tmp_path):
    assert full(rt, tmp_path) == "rests"
    ada = reader(rt, ADA)
    at = rt.db.read(lambda s: next_mail_at(rt, s, ada))
    assert at.isoformat() == "2026-11-23T08:00:00+00:00"
    assert at > ada.rests_until
    (said,) = why_paper._of_reader(rt, ada)
    assert "none is made until" in said
