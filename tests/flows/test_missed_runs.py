"""Days on which nothing ran: written down once, told to the staff, and merged into one mail."""

import asyncio
import threading
from collections import Counter
from datetime import UTC, date, datetime

import pytest
from support.house import Clock, add, ingest_items, paper_item, rows

from service.flows import daily
from service.flows.alarms import keep_alarms
from service.flows.daily import plan_daily, plan_due
from service.flows.lapse import _alarm
from service.flows.letter import digest_of
from service.flows.runtime import Runtime
from service.flows.send import send_ready
from service.flows.settle import settle_editions
from service.flows.suppress import suppress, unsuppress
from service.flows.why_day import answer_day
from service.store import alarms as alarms_store
from service.store.editions import list_editions
from service.store.instance import set_setting
from service.store.subscribers import get_subscriber_row
from service.subscribers.address import read_address


@pytest.fixture
def clock():
    return Clock(datetime(2026, 11, 9, 7, tzinfo=UTC))  # a Monday, before the hour of mails


def went_by(rt: Runtime) -> dict[str, list[str]]:
    """Per date of a digest: what became of its rows."""
    slots = {e.id: e.slot for e in rt.db.read(list_editions) if e.kind == "digest"}
    found: dict[str, list[str]] = {}
    for row in rows(rt, "digest", missed=True):
        found.setdefault(slots[row.edition_id], []).append(row.reason or row.state)
    return {slot: sorted(states) for slot, states in sorted(found.items())}


def come_back(rt: Runtime, day: int, hour: int = 9) -> None:
    rt.clock.at = datetime(2026, 11, day, hour, tzinfo=UTC)
    plan_due(rt)


def outage(rt, tmp_path, readers=2):
    """Monday's mails go, nothing runs from Tuesday to Thursday, papers come all the same."""
    for n in range(readers):
        add(rt, f"reader{n}@example.org", "adapters")
    for day in (9, 10, 11, 12, 13):
        ingest_items(rt, tmp_path, [paper_item(day, f"Adapters of {day}")], on=date(2026, 11, day))
        if day == 9:
            come_back(rt, 9)
            rt.clock.go(minutes=12)
            asyncio.run(send_ready(rt))


def test_each_missed_day_has_its_rows_and_the_mail_after_it_all_papers(rt, tmp_path, server):
    outage(rt, tmp_path)
    come_back(rt, 13)
    assert went_by(rt) == {
        "2026-11-09": ["accepted", "accepted"],
        "2026-11-10": ["missed", "missed"],
        "2026-11-11": ["missed", "missed"],
        "2026-11-12": ["missed", "missed"],
        "2026-11-13": ["ready", "ready"],
    }
    made = [d for row in rows(rt) if row.state == "ready" and (d := digest_of(row))]
    titles = sorted(e.title.text for e in made[0].sections[0].entries)
    assert titles == [f"Adapters of {day}" for day in (10, 11, 12, 13)]
    assert made[0].kind == "catchup"
    rt.clock.go(minutes=12)
    asyncio.run(send_ready(rt))
    mails = Counter(mail.recipient for mail in server.accepted)
    assert {n for who, n in mails.items() if who.startswith("reader")} == {2}


@pytest.mark.slow
def test_again_and_again_changes_nothing(rt, tmp_path):
    outage(rt, tmp_path)
    come_back(rt, 13)
    before = went_by(rt)
    for _ in range(3):
        rt.clock.go(minutes=1)
        plan_due(rt)
    assert went_by(rt) == before


@pytest.mark.slow
def test_two_schedulers_that_come_back_at_once_write_each_day_once(houses, tmp_path):
    one = houses[0]
    for rt in houses:
        rt.clock.at = datetime(2026, 11, 9, 7, tzinfo=UTC)
    outage(one, tmp_path, readers=4)
    for rt in houses:
        rt.clock.at = datetime(2026, 11, 13, 9, tzinfo=UTC)
    threads = [threading.Thread(target=plan_due, args=(rt,)) for rt in houses]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    found = went_by(one)
    assert [len(states) for states in found.values()] == [4] * 5
    assert found["2026-11-11"] == ["missed"] * 4


@pytest.mark.slow
def test_a_week_is_looked_back_and_no_further(rt, tmp_path):
    outage(rt, tmp_path, readers=1)
    come_back(rt, 27)
    missed = [slot for slot, states in went_by(rt).items() if states == ["missed"]]
    assert missed == ["2026-11-20", "2026-11-23", "2026-11-24", "2026-11-25", "2026-11-26"]


@pytest.mark.slow
def test_the_staff_is_told_once_of_an_outage(rt, tmp_path, server):
    outage(rt, tmp_path)
    come_back(rt, 13)
    [alarm] = rt.db.read(alarms_store.list_open)
    assert (alarm.kind, alarm.key, alarm.count) == ("missed", "2026-11-13", 1)
    assert "10 November, 11 November, 12 November" in alarm.what
    assert "2 readers or more" in alarm.place
    asyncio.run(send_ready(rt))
    assert [m.recipient for m in server.accepted].count("papers@example.org") == 1


@pytest.mark.slow
def test_a_crash_before_the_telling_loses_no_alarm(rt, tmp_path, server, monkeypatch):
    outage(rt, tmp_path, readers=3)
    monkeypatch.setattr(daily, "CHUNK", 2)  # a transaction for two readers, one for the third

    def killed(*_: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(daily, "tell_missed", killed)
        with pytest.raises(KeyboardInterrupt):
            come_back(rt, 13)
    [alarm] = rt.db.read(alarms_store.list_open)
    assert (alarm.told_at, alarm.count) == (None, 0)
    assert "10 November, 11 November, 12 November" in alarm.what
    rt.clock.go(minutes=5)
    plan_due(rt)  # the process that comes after it finds no day that was missed
    keep_alarms(rt)
    asyncio.run(send_ready(rt))
    assert [m.recipient for m in server.accepted].count("papers@example.org") == 1


@pytest.mark.slow
def test_the_alarm_says_how_far_the_mail_reaches_back(rt, tmp_path):
    outage(rt, tmp_path, readers=1)
    come_back(rt, 24)  # papers of the 10th are 14 days old, those before are not caught up
    [alarm] = rt.db.read(alarms_store.list_open)
    assert "up to 14 days back" in alarm.next_step
    assert "and 2 more days" in alarm.what
    [mail] = [d for row in rows(rt) if row.state == "ready" and (d := digest_of(row))]
    shown = {entry.title.text for entry in mail.sections[0].entries}
    assert shown == {f"Adapters of {day}" for day in (10, 11, 12, 13)}
    rt.db.write(lambda s: set_setting(s, "catchup_days", "3"))
    assert "up to 6 days back" in _alarm(rt, {date(2026, 11, 12): 1}, rt.clock()).next_step


@pytest.mark.slow
def test_no_day_is_missed_where_none_was(rt, tmp_path):
    add(rt, "ada@example.org", "adapters")
    for day in (9, 10, 11, 12, 13, 16, 17):
        come_back(rt, day)
    assert "missed" not in {state for states in went_by(rt).values() for state in states}
    assert rt.db.read(alarms_store.list_open) == []


@pytest.mark.slow
def test_a_barred_address_missed_nothing(rt, tmp_path):
    add(rt, "ada@example.org", "adapters")
    come_back(rt, 9)
    address = read_address("ada@example.org")
    suppress(rt, address, reason="asked", by="test")
    come_back(rt, 12)
    unsuppress(rt, address)
    come_back(rt, 13)
    assert "missed" not in {state for states in went_by(rt).values() for state in states}


def test_the_reader_is_told_why_no_mail_came_that_day(rt, tmp_path):
    outage(rt, tmp_path, readers=1)
    come_back(rt, 13)
    [row] = [r for r in rows(rt, missed=True) if r.reason == "missed"][:1]
    answer = answer_day(rt, row.subscriber_id, date(2026, 11, 10))
    assert [(one.state, one.reason) for one in answer.mails] == [("skipped", "missed")]
    reader = rt.db.read(lambda s: get_subscriber_row(s, id=row.subscriber_id))
    texts = rt.catalogs.texts(reader.locale)
    from service.flows.became import what_became

    assert "the mail that followed" in what_became(answer.mails[0], texts)


@pytest.mark.slow
def test_a_closed_edition_that_gets_missed_rows_balances_again(rt, tmp_path):
    outage(rt, tmp_path)
    add(rt, "late@example.org", "adapters")  # added on Monday, after the hour
    come_back(rt, 13)
    rt.clock.go(days=4)
    asyncio.run(send_ready(rt))
    settle_editions(rt)
    states = {e.slot: (e.state, e.planned) for e in rt.db.read(list_editions) if e.kind == "digest"}
    assert states["2026-11-11"] == ("done", 3)


@pytest.mark.slow
def test_a_person_may_send_a_missed_date_after_all(rt, tmp_path):
    outage(rt, tmp_path, readers=1)
    come_back(rt, 13)
    rt.clock.go(minutes=12)
    asyncio.run(send_ready(rt))
    report = plan_daily(rt, date(2026, 11, 12))
    assert report.planned == 1
    assert went_by(rt)["2026-11-12"] in (["nothing_new"], ["ready"])
