"""Alarms: told once when they begin, once when they are over; seen by page, command and doctor."""

from datetime import timedelta

import pytest
from support.house import Clock, rows

from service.flows.alarms import (
    APART,
    Alarm,
    AlarmError,
    alarm_facts,
    end_alarm,
    end_by_hand,
    keep_alarms,
    raise_alarm,
    told,
)
from service.flows.runtime import Runtime
from service.flows.staff import create_admin
from service.store import alarms as alarms_store


def up(rt: Runtime, kind: str = "domain", **values: str) -> bool:
    alarm = Alarm(
        kind=kind,
        key=values.get("key", "a.example"),
        what=values.get("what", "a.example refuses our mail."),
        place="The server said: 550 5.7.1",
        next_step="Mend what it names.",
    )
    return rt.db.write(lambda s: raise_alarm(rt, s, alarm))


def down(rt: Runtime, kind: str = "domain", key: str = "a.example") -> bool:
    return rt.db.write(lambda s: end_alarm(rt, s, kind, key))


def mails(rt: Runtime) -> list[tuple[str, str, str]]:
    """(to, state, over or begun) of every mail about an alarm."""
    return [
        (row.rcpt, row.state, "over" if row.content["data"]["ended"] else "begun")
        for row in rows(rt, "alarm")
    ]


def test_one_mail_when_it_begins_however_often_it_is_seen(rt):
    assert [up(rt), up(rt), up(rt)] == [True, False, False]
    assert mails(rt) == [("papers@example.org", "ready", "begun")]
    row = rt.db.read(alarms_store.list_open)[0]
    assert row.count == 3


def test_what_has_not_gone_is_told_by_the_mail_of_its_end(rt):
    up(rt)
    assert down(rt)
    assert not down(rt)
    to = "papers@example.org"
    assert mails(rt) == [(to, "cancelled", "begun"), (to, "ready", "over")]
    assert rt.db.read(alarms_store.list_open) == []


def test_one_that_comes_and_goes_is_mailed_once_an_hour(rt, clock: Clock):
    up(rt)
    down(rt)
    clock.go(minutes=5)
    assert up(rt)
    assert len(mails(rt)) == 2  # of the first time alone
    assert keep_alarms(rt) == 0
    clock.go(seconds=APART.total_seconds())
    assert keep_alarms(rt) == 1
    assert [what for _, _, what in mails(rt)] == ["begun", "over", "begun"]
    assert keep_alarms(rt) == 0


def test_one_that_was_over_before_anybody_was_told_is_told_to_nobody(rt, clock: Clock):
    up(rt)
    down(rt)
    clock.go(minutes=5)
    up(rt)
    down(rt)
    assert len(mails(rt)) == 2


def test_alarms_about_single_mails_fade(rt, clock: Clock):
    up(rt, kind="content", key="7")
    up(rt)
    clock.go(hours=23)
    assert keep_alarms(rt) == 0
    clock.go(hours=1)
    assert keep_alarms(rt) == 1
    assert [row.kind for row in rt.db.read(alarms_store.list_open)] == ["domain"]


def test_without_a_contact_staff_whose_name_is_an_address_is_told(rt):
    object.__setattr__(rt.site, "contact", "")
    assert rt.db.read(lambda s: told(rt, s)) == []
    up(rt)
    assert mails(rt) == []
    for name in ("ann", "bea@uni.example"):
        create_admin(rt, name, "owner", by="test")
    assert rt.db.read(lambda s: told(rt, s)) == ["bea@uni.example"]


def test_a_person_can_end_it_once(rt):
    up(rt)
    alarm_id = rt.db.read(alarms_store.list_open)[0].id
    assert end_by_hand(rt, alarm_id, by="ann").ended_at == rt.clock()
    with pytest.raises(AlarmError):
        end_by_hand(rt, alarm_id, by="ann")
    with pytest.raises(AlarmError):
        end_by_hand(rt, 999, by="ann")
    facts = alarm_facts(rt.db.read(alarms_store.list_all)[0])
    assert (facts["state"], facts["what"]) == ("over", "a.example refuses our mail.")


def test_what_was_over_long_ago_is_forgotten(rt, clock: Clock):
    up(rt)
    up(rt, key="b.example")
    down(rt)
    before = clock() + timedelta(seconds=1)
    assert rt.db.write(lambda s: alarms_store.forget_ended(s, before, 10)) == 1
    assert [row.key for row in rt.db.read(alarms_store.list_all)] == ["b.example"]
