"""Why a date brought no mail, and which days a weekly one holds: the sentences are true."""

import asyncio
from datetime import UTC, date, datetime, timedelta

from support.house import add, ingest_items, paper_item

from service.digest.model import from_json
from service.flows import manual
from service.flows.daily import plan_daily
from service.flows.mail_days import read_history
from service.flows.preview import preview
from service.flows.send import send_ready
from service.store.deliveries import list_deliveries
from service.store.subscribers import get_subscriber_row

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
