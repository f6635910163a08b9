"""What the doors ask of mails that came back: lists, decisions, rates; and what goes in time."""

import asyncio
from dataclasses import replace
from datetime import timedelta

import pytest
import sqlalchemy as sa
from support.house import Clock, rows
from support.reports import (
    BLOCKED,
    FULL,
    NOBODY,
    bar,
    found,
    mailed,
    next_day,
    reader,
    report,
    whole,
)
from support.smtp_server import reply

from service.defaults import FIXED
from service.flows import bounces
from service.flows.bounce_lists import read_rates
from service.flows.bounces import BounceError, Filter, NoSuchMailError
from service.flows.daily import plan_daily
from service.flows.leave import erase
from service.flows.own_data import export_reader
from service.flows.rates import watch_rates
from service.flows.send import send_ready
from service.flows.tidy import tidy
from service.reports.model import Kind
from service.store import alarms as alarms_store
from service.store.instance import set_setting
from service.store.report_tables import InboundRow, ReportRow
from service.subscribers.cadence import local_date

pytestmark = pytest.mark.slow

ADA, EVA = "ada@lab.example", "eva@fine.example"


def listed(rt, **wanted):
    return rt.db.read(lambda s: bounces.list_reports(s, Filter(**wanted)))


# ---- lists ----


def test_reports_are_found_by_what_they_are(rt, tmp_path):
    made = mailed(rt, tmp_path, ADA, EVA)
    report(rt, made[ADA], Kind.HARD, **NOBODY)
    report(rt, made[EVA], Kind.SOFT, **FULL)
    rt.clock.go(hours=1)
    report(rt, None, Kind.POLICY, recipient="x_y@Lab.Example", **BLOCKED)
    assert [one["kind"] for one in listed(rt)] == ["policy", "soft", "hard"]
    for wanted, kinds in (
        ({"kind": "hard"}, ["hard"]),
        ({"reason": "mailbox_full"}, ["soft"]),
        ({"domain": "lab.example"}, ["policy", "hard"]),
        ({"state": "foreign"}, ["policy"]),
        ({"address": "X_Y@"}, ["policy"]),
        ({"address": "%"}, []),
        ({"since": rt.clock()}, ["policy"]),
        ({"until": rt.clock()}, ["soft", "hard"]),
        ({"before_id": listed(rt)[1]["id"]}, ["hard"]),
    ):
        assert [one["kind"] for one in listed(rt, **wanted)] == kinds, wanted
        n = rt.db.read(lambda s, w=wanted: bounces.count_reports(s, Filter(**w)))
        assert n == len(kinds)
    assert rt.db.read(bounces.count_by_state) == {"done": 2, "foreign": 1}
    (told,) = rt.db.read(lambda s: bounces.of_deliveries(s, [made[ADA].id]))[made[ADA].id]
    assert (told["words"], told["said"], told["way"]) == (NOBODY["words"], "suppressed", "pipe")
    ids = [row.id for row in made.values()]
    by_mail = rt.db.read(lambda s: bounces.of_deliveries(s, ids))
    assert {i: [one["kind"] for one in them] for i, them in by_mail.items()} == {
        made[ADA].id: ["hard"], made[EVA].id: ["soft"],
    }  # fmt: skip


def test_a_refusal_while_sending_stands_on_the_readers_page_too(rt, server, tmp_path):
    server.on("RCPT", reply("550 5.1.1 no such user here"))
    mailed(rt, tmp_path, ADA)
    ada = reader(rt, ADA)
    told = rt.db.read(lambda s: bounces.standing(rt, s, ada))
    assert (told.kind, told.status, told.can_resume) == ("bounced", "5.1.1", False)
    assert "no such user here" in told.words


# ---- a person decides ----


def review(rt, tmp_path):
    row = mailed(rt, tmp_path, ADA)[ADA]
    return report(rt, row, Kind.NONE, is_sure=False, data=b"Subject: hm\n\nodd\n")


def test_what_nobody_understood_waits_for_a_person(rt, tmp_path):
    taken = review(rt, tmp_path)
    assert (taken.state, taken.said) == ("review", ("waits",))
    (mail,) = rt.db.read(lambda s: bounces.list_review(s, limit=10))
    assert (mail["id"], [one["said"] for one in mail["reports"]]) == (taken.id, ["waits"])
    made = bounces.decide(rt, taken.id, "hard", by="ann", address="192.0.2.1")
    assert (made["state"], made["decision"], made["decided_by"]) == ("done", "hard", "ann")
    assert [(one["kind"], one["said"]) for one in made["reports"]] == [("hard", "suppressed")]
    assert bar(rt, ADA) == "hard"
    assert rt.db.read(lambda s: bounces.list_review(s, limit=10)) == []
    assert bounces.decide(rt, taken.id, "hard", by="bob") == made, "said twice, done once"
    with pytest.raises(BounceError, match="ann said already"):
        bounces.decide(rt, taken.id, "soft", by="bob")
    (one,) = bounces.samples(rt)
    assert (one.raw, one.decision, one.reports[0]["kind"]) == (
        b"Subject: hm\n\nodd\n",
        "hard",
        "hard",
    )


def test_a_decision_about_what_was_understood_is_a_sample_alone(rt, tmp_path):
    row = mailed(rt, tmp_path, ADA)[ADA]
    taken = report(rt, row, Kind.POLICY, **BLOCKED)
    made = bounces.decide(rt, taken.id, Kind.HARD, by="ann")
    assert (made["state"], made["decision"], made["reports"][0]["kind"]) == (
        "done",
        "hard",
        "policy",
    )
    assert bar(rt, ADA) == ""
    assert [one.decision for one in bounces.samples(rt)] == ["hard"]


def test_what_cannot_be_decided(rt, tmp_path):
    with pytest.raises(NoSuchMailError):
        bounces.decide(rt, 7, "hard", by="ann")
    with pytest.raises(NoSuchMailError):
        rt.db.read(lambda s: bounces.get_inbound(s, 7))
    taken = review(rt, tmp_path)
    with pytest.raises(BounceError, match="no kind of report"):
        bounces.decide(rt, taken.id, "bad", by="ann")


# ---- rates ----


def test_rates_by_domain_and_day_count_each_mail_once(rt, tmp_path):
    made = mailed(rt, tmp_path, *[f"r{n}@lab.example" for n in range(5)], EVA)
    first, second, third, *_ = made.values()
    report(rt, first, Kind.HARD, **NOBODY)
    report(rt, second, Kind.COMPLAINT)
    report(rt, third, Kind.SOFT, **FULL)
    report(rt, third, Kind.SOFT, data=b"again", **FULL)
    report(rt, third, Kind.POLICY, action="delayed", **BLOCKED)
    report(rt, None, Kind.COMPLAINT, recipient="r0@lab.example")
    next_day(rt, tmp_path)
    since = Clock().at - timedelta(hours=1)
    told = rt.db.read(lambda s: bounces.rates(s, since))
    days = [(one.day.day, one.domain, one.accepted, one.hard, one.soft, one.policy, one.complaints)
            for one in told]  # fmt: skip
    assert days == [
        (18, "fine.example", 1, 0, 0, 0, 0),
        (18, "lab.example", 5, 1, 1, 0, 1),
        (19, "fine.example", 1, 0, 0, 0, 0),
        (19, "lab.example", 3, 0, 0, 0, 0),
    ]
    east = rt.db.read(
        lambda s: bounces.rates(s, since, zone="Pacific/Kiritimati", domain="fine.example")
    )
    assert [one.day.day for one in east] == [18, 19]
    east = rt.db.read(lambda s: bounces.rates(s, since, zone="Asia/Tokyo"))
    assert {one.day.day for one in east} == {18, 19}


def test_too_many_complaints_of_a_week_alarm_until_they_are_few(rt, tmp_path):
    rt.db.write(lambda s: set_setting(s, "hard_percent", "60"))
    made = [*mailed(rt, tmp_path, *[f"r{n}@lab.example" for n in range(6)]).values()]
    for n, row in enumerate(made[:3]):
        watch_rates(rt)
        assert not rt.db.read(alarms_store.count_open).get("rates"), n
        report(rt, row, Kind.COMPLAINT)
    for row in made[3:]:
        report(rt, row, Kind.HARD, **NOBODY)
    watch_rates(rt)
    (told,) = [a for a in rt.db.read(alarms_store.list_open) if a.kind == "rates"]
    assert told.what == "Readers call too many mails spam: 3 of 6 mails in 7 days (50.00%)."
    assert told.place == "Mailbox providers want less than 0.1 %."
    rt.db.write(lambda s: set_setting(s, "hard_percent", "40"))
    watch_rates(rt)
    assert rt.db.read(alarms_store.count_open)["rates"] == 2
    rt.clock.go(days=FIXED.rate_days + 1)
    watch_rates(rt)
    assert not rt.db.read(alarms_store.count_open).get("rates")


# ---- kept, and forgotten ----


def test_a_readers_file_tells_what_came_back(rt, tmp_path):
    row = mailed(rt, tmp_path, ADA)[ADA]
    report(rt, row, Kind.SOFT, sender="mta@lab.example", **FULL)
    (told,) = export_reader(rt, ADA)["reports"]
    assert (told["kind"], told["words"], told["from"]) == ("soft", FULL["words"], "mta@lab.example")
    assert told["followed"] == "it counts against the address"


def test_erasing_takes_addresses_words_and_bytes(rt, tmp_path):
    made = mailed(rt, tmp_path, ADA, EVA)
    named = f"Subject: x\n\nto {ADA}\n".encode()
    about = report(rt, made[ADA], Kind.SOFT, data=named, sender="mta@lab.example", **FULL)
    foreign = report(rt, None, Kind.NONE, data=b"Subject: y\n\n" + named, recipient="z@z.example")
    by_ada = report(rt, None, Kind.NONE, data=b"Subject: z\n\n", sender=f"Ada <{ADA.upper()}>")
    other = report(rt, made[EVA], Kind.SOFT, data=b"Subject: eva\n\n", **FULL)
    assert erase(rt, ADA)
    for taken in (about, foreign, by_ada):
        mail = whole(rt, taken)
        assert (mail["raw"], mail["sender"], mail["subject"], mail["rcpts"]) == (None, "", "", [])
        (kept,) = mail["reports"]
        assert (kept["recipient"], kept["words"], kept["mta"], kept["domain"]) == ("", "", "", "")
    assert whole(rt, about)["reports"][0]["kind"] == "soft"
    assert whole(rt, other)["raw"] == b"Subject: eva\n\n"
    with rt.db.engine.connect() as connection:
        for table in (InboundRow, ReportRow):
            everything = repr(connection.execute(sa.select(table)).all()).lower()  # type: ignore[call-overload]
            assert ADA not in everything


def test_bytes_go_first_then_words_and_what_waits_stays(rt, tmp_path):
    made = mailed(rt, tmp_path, ADA, EVA)
    done = report(rt, made[ADA], Kind.SOFT, data=b"a", **FULL)
    waits = report(rt, made[EVA], Kind.NONE, is_sure=False, data=b"b", **FULL)
    foreign = report(rt, None, Kind.HARD, data=b"c", recipient="x@y.example")
    rt.clock.go(days=31)
    assert tidy(rt).removed["inbound"] == 2
    assert [whole(rt, one)["raw"] for one in (done, waits, foreign)] == [None, b"b", None]
    assert found(rt, kind="soft")[0][0].words == FULL["words"]
    rt.clock.go(days=60)
    assert tidy(rt).removed["reports"] == 2
    assert rt.db.read(bounces.count_by_state) == {"done": 1, "review": 1}
    assert whole(rt, waits)["reports"][0]["words"] == FULL["words"]
    assert found(rt, kind="soft")[0][0].words == ""
    again = report(rt, made[ADA], Kind.SOFT, data=b"a", **FULL)
    assert (again.is_new, again.id) == (False, done.id), "it is known by its hash as ever"
    assert {"inbound", "reports"}.isdisjoint(tidy(rt).removed)


def test_a_mail_that_waits_proves_nothing_before_it_is_decided(rt, tmp_path):
    made = mailed(rt, tmp_path, ADA)[ADA]
    data = b"Subject: odd\n\n"
    taken = report(rt, made, Kind.HARD, is_sure=False, data=data, **NOBODY)
    assert report(rt, made, Kind.HARD, **NOBODY).said == ("suppressed",)
    decided = bounces.decide(rt, taken.id, "hard", by="ann")
    assert decided["reports"][0]["said"] == "again"
    rt.clock.go(days=1)
    plan_daily(rt)
    asyncio.run(send_ready(rt))
    assert len(rows(rt, "digest")) == 1


def test_days_of_zones_with_half_hours_are_whole(rt, tmp_path):
    """Midnight is at 18:30 UTC in Kolkata: a mail of 18:45 is the new day's."""
    rt.clock.at = rt.clock().replace(hour=18, minute=45)
    report(rt, mailed(rt, tmp_path, EVA)[EVA], Kind.COMPLAINT)
    rt = replace(rt, zone="Asia/Kolkata")
    today = local_date(rt.clock(), rt.zone)
    for first in (today, today - timedelta(days=1)):
        found = read_rates(rt, first, today)
        told = {one.name: (one.accepted, one.complaints) for one in found.days if one.is_told}
        assert told == {today.isoformat(): (1, 1)}
