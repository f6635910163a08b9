"""What the staff see of mails: previews, editions, refused ones grouped, sending again."""

import asyncio
from collections.abc import Iterator
from datetime import date, timedelta
from pathlib import Path

import pytest
import sqlalchemy as sa
from support.arrows import by_hand
from support.house import Clock, add, ingest_items, open_house, paper_item
from support.smtp_server import SmtpServer, drop, reply

from service.flows import edition_lists, editions, ledger, manual
from service.flows.daily import DateError, plan_daily
from service.flows.preview import PreviewError, preview, why, would_alert, would_send
from service.flows.runtime import Runtime
from service.flows.send import send_ready
from service.store.deliveries import list_deliveries
from service.store.staff import list_audit
from service.store.subscribers import get_subscriber_row, set_state

WEDNESDAY = date(2026, 11, 18)


@pytest.fixture
def rt(tmp_path: Path, server: SmtpServer, clock: Clock) -> Iterator[Runtime]:
    with open_house(tmp_path, smtp_port=server.port, clock=clock) as house:
        add(house.runtime, "ada@example.org", "adapters")
        add(house.runtime, "ben@example.org", "nothing of the kind")
        ingest_items(
            house.runtime,
            tmp_path,
            [paper_item(1, "Adapters that forget less"), paper_item(2, "Adapters again")],
        )
        yield house.runtime


def send(rt: Runtime):
    return asyncio.run(send_ready(rt))


def counts(rt: Runtime) -> dict[str, int]:
    with rt.db.engine.connect() as connection:
        return {
            table: connection.execute(sa.text(f"SELECT count(*) FROM {table}")).scalar_one()
            for table in ("edition", "delivery", "sent_paper", "carry", "attempt", "audit")
        }


def test_preview_of_a_sent_date_is_the_bytes_the_server_got(rt, server, clock):
    plan_daily(rt)
    send(rt)
    clock.go(days=3)
    made = preview(rt, "ada@example.org", WEDNESDAY)
    assert made.message == server.accepted[0].data
    assert "Adapters" in made.subject
    assert "handed to the mail server" in made.says
    assert "Adapters that forget less" in made.text
    assert "<html" in made.html


def test_preview_of_today_composes_and_stores_nothing(rt):
    before = counts(rt)
    made = preview(rt, "ada@example.org")
    assert "Composed now" in made.says
    assert made.is_mail
    assert "Adapters" in made.text
    tomorrow = preview(rt, "ada@example.org", WEDNESDAY + timedelta(days=1))
    assert "19 November" in tomorrow.says
    assert counts(rt) == before


def test_preview_says_why_nothing_was_voted_for(tmp_path: Path) -> None:
    with open_house(tmp_path) as house:
        rt = house.runtime
        add(rt, "chen@example.org")
        add(rt, "dora@example.org", people="Emmy Noether", profile="cat:math.AG")
        assert "votes come with Hugging Face Daily Papers alone" in (
            preview(rt, "chen@example.org", WEDNESDAY).says
        )
        ingest_items(rt, tmp_path, [paper_item(1, "Folded towels", votes=0)], on=WEDNESDAY)
        says = preview(rt, "chen@example.org", WEDNESDAY).says
        none = "Wed 18 November: 1 paper checked, none with votes was new to you."
        assert says.startswith(none)
        assert "the 1 paper listed since Wed 18 November had no vote yet." in says
        people = "Wed 18 November: 1 paper checked, none matched your interests."
        assert preview(rt, "dora@example.org", WEDNESDAY).says == people
        plan_daily(rt)  # what stands in the ledger says the same
        assert preview(rt, "chen@example.org", WEDNESDAY).says == says
        assert preview(rt, "dora@example.org", WEDNESDAY).says == people


def test_preview_says_why_there_was_no_mail(rt, clock):
    plan_daily(rt)
    made = preview(rt, "ben@example.org", WEDNESDAY)
    assert made.says == "Wed 18 November: 2 papers checked, none contained your words."
    assert not made.is_mail
    clock.go(days=2)
    gap = preview(rt, "ben@example.org", WEDNESDAY + timedelta(days=1))
    assert "no mail was planned" in gap.says


def test_preview_of_a_row_that_waits_is_what_will_be_sent(rt, server):
    plan_daily(rt)
    before = preview(rt, "ada@example.org")
    assert "waits to be sent" in before.says
    send(rt)
    body = before.message.partition(b"\r\n\r\n")[2]
    assert server.accepted[0].data.partition(b"\r\n\r\n")[2] == body


def test_preview_of_nobody(rt):
    with pytest.raises(PreviewError, match="no reader"):
        preview(rt, "nobody@example.org")


def test_preview_of_a_paused_and_of_a_left_reader(rt):
    reader = rt.db.read(lambda s: get_subscriber_row(s, email_key="ada@example.org"))
    until = WEDNESDAY + timedelta(days=5)
    rt.db.write(lambda s: set_state(s, reader.id, "active", paused_until=until))
    assert "paused until 23 November" in preview(rt, "ada@example.org").says
    rt.db.write(lambda s: set_state(s, reader.id, "left"))
    assert "this reader is left" in preview(rt, "ada@example.org").says


def test_dry_run_says_what_the_run_then_does(rt):
    before = counts(rt)
    would = would_send(rt)
    assert would == {"readers": 2, "mails": 1, "skipped": {"nothing_new": 1}}
    assert counts(rt) == before
    report = plan_daily(rt)
    assert (report.ready, report.skipped) == (would["mails"], would["skipped"])
    assert would_send(rt)["skipped"] == {"already_planned": 1, "nothing_new": 1}
    with pytest.raises(DateError):
        would_send(rt, WEDNESDAY + timedelta(days=2))


def test_dry_run_of_alerts(rt, tmp_path):
    add(rt, "eve@example.org", "lattice", cadence="instant")
    ingest_items(rt, tmp_path, [paper_item(5, "Lattice codes")])
    before = counts(rt)
    assert would_alert(rt)["mails"] == 1
    assert counts(rt) == before


def listed(rt):
    found = edition_lists.parts(rt, edition_lists.read_wanted())
    return [row for rows in found for row in rows]


def test_list_and_details_balance(rt, server):
    plan_daily(rt)
    send(rt)
    (shown,) = listed(rt)
    assert (shown["kind"], shown["slot"]) == ("digest", "2026-11-18")
    assert (shown["planned"], shown["accepted"], shown["skipped"], shown["held"]) == (2, 1, 1, 0)
    found = rt.db.read(lambda s: editions.details(s, shown["id"]))
    assert found["reasons"] == {"skipped": {"nothing_new": 1}}
    assert (found["mails"], found["missing"]) == (1, 0)
    with pytest.raises(editions.EditionError, match="no edition 77"):
        rt.db.read(lambda s: editions.details(s, 77))


def test_pause_resume_cancel(rt, server):
    plan = manual.draft(rt, papers=["arxiv/2611.00001"], key="p")
    made = manual.start(rt, plan, expected=2, at_once=True)
    editions.pause(rt, made.edition_id, by="ada")
    assert listed(rt)[0]["state"] == "paused"
    assert send(rt).accepted == 0
    editions.resume(rt, made.edition_id, by="ada")
    assert send(rt).accepted == 2
    for act in (editions.cancel, editions.resume):
        with pytest.raises(editions.EditionError, match="is done"):
            act(rt, made.edition_id, by="ada")
    resumed, paused = rt.db.read(lambda s: list_audit(s, limit=2))
    assert (paused.what, paused.before, paused.after) == (
        "pause", {"state": "open"}, {"state": "paused"},
    )  # fmt: skip
    assert (resumed.what, resumed.before, resumed.after) == (
        "resume", {"state": "paused"}, {"state": "open"},
    )  # fmt: skip


def told(rt, state, dead=()):
    return rt.db.read(lambda s: ledger.list_facts(s, ledger.read_chosen(state=state, dead=dead)))


def test_held_lists_unknown_and_what_was_left_in_sending(rt, server):
    server.on("DOT", drop(record=True), times=1)
    plan_daily(rt)
    assert send(rt).held == 1
    held = told(rt, "held")
    assert [(r["email"], r["state"]) for r in held] == [("ada@example.org", "unknown")]
    there = sa.text("UPDATE delivery SET state = 'sending', lease_owner = :who WHERE id = :id")
    us = rt.owner().id
    with by_hand():
        rt.db.write(lambda s: s.execute(there, {"id": held[0]["id"], "who": us}))
    assert told(rt, "held") == []
    assert len(told(rt, "held", dead=[us])) == 1
    rt.db.write(lambda s: s.execute(there, {"id": held[0]["id"], "who": 77}))  # nobody at all
    assert len(told(rt, "held")) == 1
    with pytest.raises(editions.EditionError, match="no state"):
        told(rt, "lost")


def test_times_of_a_mail_are_the_houses_and_name_its_zone(rt, server):
    rt.zone = "Asia/Tokyo"
    server.on("RCPT", reply("451 4.7.1 greylisted"), match="ada@", times=1)
    plan_daily(rt)
    send(rt)
    for state, at in (("deferred", "not_before"), ("accepted", "accepted_at")):
        (row,) = rt.db.read(lambda s, one=state: list_deliveries(s, states=[one]))
        local = getattr(row, at) + timedelta(hours=9)
        assert f"at {local:%H:%M} on {local.day} {local:%b} (Asia/Tokyo)." in why(
            rt, row, WEDNESDAY
        )
        rt.clock.at = row.not_before or rt.clock.at
        send(rt)


def test_deliveries_have_the_servers_words(rt, server):
    server.on("RCPT", reply("550 5.7.1 blocked"), match="ada@")
    plan_daily(rt)
    send(rt)
    rows = told(rt, "failed")
    assert [(r["email"], r["code"], r["reason"]) for r in rows] == [
        ("ada@example.org", 550, "policy: 5.7.1 blocked")
    ]
    assert rt.db.read(lambda s: list_deliveries(s, states=["accepted"])) == []
