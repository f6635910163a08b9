"""An editor's note: on top of every digest of a date, and of no other mail."""

import asyncio
from datetime import date, timedelta

import pytest
from support.house import add, ingest_items, paper_item, rows

from service.flows.alerts import plan_alerts
from service.flows.daily import DateError, plan_daily, plan_due
from service.flows.letter import digest_of
from service.flows.note import NOTE_CHARS, NoteError, set_note
from service.flows.preview import preview
from service.flows.send import send_ready
from service.flows.welcome import send_first

ON = date(2026, 11, 18)
NOTE = "Seminar at two.\n\nBring a question."


def notes(rt):
    return {row.rcpt: made.note for row in rows(rt) if (made := digest_of(row)) is not None}


def test_it_stands_on_the_clocks_digests_of_its_date_and_of_no_other(rt, tmp_path):
    add(rt, "ada@example.org", "adapters", hour="10")
    add(rt, "ben@example.org", cadence="daily", hour="10")  # trending
    add(rt, "cem@example.org", "speech", hour="10")
    ingest_items(rt, tmp_path, [paper_item(1, "Adapters")])
    assert set_note(rt, ON, NOTE, by="ak").without == 0
    assert "Bring a question." in preview(rt, "ada@example.org").text
    rt.clock.go(hours=2)
    plan_due(rt)
    assert notes(rt) == {"ada@example.org": NOTE, "ben@example.org": NOTE}
    rt.clock.go(minutes=12)
    asyncio.run(send_ready(rt))
    ingest_items(rt, tmp_path, [paper_item(2, "Adapters")], on=ON + timedelta(days=1))
    rt.clock.go(days=1)
    plan_daily(rt)
    assert [d.note for r in rows(rt) if (d := digest_of(r)) and d.on > ON] == ["", ""]


def test_who_wants_nothing_of_editors_has_no_note(rt, tmp_path):
    add(rt, "ada@example.org", "adapters", picks="false")
    add(rt, "ben@example.org", "adapters")
    ingest_items(rt, tmp_path, [paper_item(1, "Adapters")])
    set_note(rt, ON, NOTE, by="ak")
    plan_daily(rt)
    assert notes(rt) == {"ada@example.org": "", "ben@example.org": NOTE}


def test_first_digests_have_it_and_alerts_do_not(rt, tmp_path):
    first = add(rt, "ada@example.org", "adapters")
    add(rt, "ben@example.org", "adapters", cadence="instant")
    ingest_items(rt, tmp_path, [paper_item(1, "Adapters")])
    set_note(rt, ON, NOTE, by="ak")
    send_first(rt, first)
    plan_alerts(rt)
    assert notes(rt) == {"ada@example.org": NOTE, "ben@example.org": ""}


def test_who_has_no_mail_gets_none_for_a_note_alone(rt, tmp_path):
    add(rt, "ada@example.org", "adapters")
    set_note(rt, ON, NOTE, by="ak")
    assert plan_daily(rt).skipped == {"nothing_new": 1}


def test_mails_that_are_composed_stay_as_they_are_and_it_can_be_taken_away(rt, tmp_path):
    add(rt, "ada@example.org", "adapters")
    ingest_items(rt, tmp_path, [paper_item(1, "Adapters")])
    plan_daily(rt)
    assert set_note(rt, ON, NOTE, by="ak").without == 1
    assert notes(rt) == {"ada@example.org": ""}
    add(rt, "ben@example.org", "adapters")
    assert set_note(rt, ON, "", by="ak").note == ""
    plan_daily(rt)
    assert notes(rt) == {"ada@example.org": "", "ben@example.org": ""}


def test_lines_are_kept_and_control_characters_are_not(rt):
    said = set_note(rt, ON, " One.\r\n\r\n\r\n\r\nTwo\u202e \x07three.\n", by="ak").note
    assert said == "One.\n\nTwo three."


def test_what_cannot_be_taken_is_refused(rt):
    with pytest.raises(NoteError, match="1,000 are the most"):
        set_note(rt, ON, "x" * (NOTE_CHARS + 1), by="ak")
    with pytest.raises(NoteError, match="is over"):
        set_note(rt, ON - timedelta(days=2), NOTE, by="ak")
    with pytest.raises(DateError):
        set_note(rt, ON + timedelta(days=2), NOTE, by="ak")
