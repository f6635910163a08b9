"""Manual sends: the equation, the frozen edition, the undo window, what each reader gets."""

import asyncio
import threading
from collections.abc import Iterator
from datetime import timedelta
from email import message_from_bytes
from email.policy import default
from pathlib import Path

import pytest
from support.house import Clock, add, ingest_items, open_house, paper_item
from support.smtp_server import SmtpServer, reply

from service.flows import canary, drafts, editions, frozen, manual
from service.flows.checks import check_plan, check_relay, needs_typing
from service.flows.chosen import chosen_digest
from service.flows.daily import plan_daily, plan_due
from service.flows.delivery_words import ahead
from service.flows.hidden import hide_paper
from service.flows.joined import join_papers
from service.flows.leave import erase, unsubscribe
from service.flows.letter import digest_of
from service.flows.runtime import Runtime
from service.flows.segment import SegmentError
from service.flows.send import send_ready
from service.flows.suppress import suppress
from service.flows.trial import read_addresses
from service.store.alarms import list_open
from service.store.deliveries import list_deliveries
from service.store.editions import list_editions
from service.store.instance import set_setting
from service.store.staff import list_audit
from service.store.subscribers import get_subscriber_row, set_state
from service.store.tables import SentPaperRow
from service.subscribers.address import read_address


@pytest.fixture
def rt(tmp_path: Path, server: SmtpServer, clock: Clock) -> Iterator[Runtime]:
    with open_house(tmp_path, smtp_port=server.port, clock=clock) as house:
        runtime = house.runtime
        add(runtime, "ada@example.org", "adapters")
        add(runtime, "ben@example.org", "diffusion", cadence="weekly")
        add(runtime, "cy@example.org")
        ingest_items(
            runtime,
            tmp_path,
            [
                paper_item(1, "Adapters that forget less", votes=5),
                paper_item(2, "Diffusion over graphs", votes=9),
                paper_item(3, "Counting sheep at night", votes=1),
            ],
        )
        yield runtime


def row_of(rt: Runtime, email: str):
    return rt.db.read(lambda s: get_subscriber_row(s, email_key=email))


def send(rt: Runtime) -> int:
    return asyncio.run(send_ready(rt)).accepted


def states(rt: Runtime, edition_id: int) -> dict[str, tuple[str, str]]:
    rows = rt.db.read(lambda s: list_deliveries(s, edition_id=edition_id))
    return {r.recipient_key: (r.state, r.reason) for r in rows}


def test_equation_balances_and_every_reader_gets_a_row(rt, server):
    suppress(rt, read_address("ben@example.org"), reason="never", by="test")
    add(rt, "dora@example.org", "sheep")
    rt.db.write(lambda s: set_state(s, row_of(rt, "dora@example.org").id, "bounced"))
    add(rt, "eve@example.org", "sheep")
    pause = rt.clock().date() + timedelta(days=3)
    rt.db.write(
        lambda s: set_state(s, row_of(rt, "eve@example.org").id, "active", paused_until=pause)
    )
    plan = manual.draft(rt, papers=["arxiv/2611.00001", "arxiv/2611.00002"], key="k1")
    audience = manual.count(rt, plan)
    # ben left by being suppressed: no reader any more
    assert audience.equation() == "4 readers − 1 refused earlier − 1 paused = 2 mails"
    assert audience.samples == ("ada@example.org", "cy@example.org")
    numbers = audience.as_dict()
    assert numbers["readers"] - numbers["refused"] - numbers["paused"] == numbers["mails"]
    made = manual.start(rt, plan, expected=2, at_once=True)
    assert made.planned == 4
    assert states(rt, made.edition_id)["dora@example.org"] == ("suppressed", "bounced")
    assert states(rt, made.edition_id)["eve@example.org"] == ("skipped", "paused")
    assert send(rt) == 2
    shown = rt.db.read(lambda s: editions.details(s, made.edition_id))
    assert (shown["state"], shown["missing"], shown["mails"]) == ("done", 0, 2)
    subjects = {str(message_from_bytes(m.data, policy=default)["Subject"]) for m in server.accepted}
    assert subjects == {"Adapters that forget less and 1 more"}


def test_papers_already_had_are_left_out(rt, server):
    plan_daily(rt, email_key="ada@example.org")
    assert send(rt) == 1
    server.accepted.clear()
    plan = manual.draft(rt, papers=["arxiv/2611.00001"], subject="One paper", key="again")
    audience = manual.count(rt, plan)
    assert audience.equation() == "3 readers − 1 already have these papers = 2 mails"
    made = manual.start(rt, plan, expected=2, at_once=True)
    assert states(rt, made.edition_id)["ada@example.org"] == ("skipped", "already_had")
    both = manual.draft(rt, papers=["arxiv/2611.00001", "arxiv/2611.00003"], key="both")
    assert send(rt) == 2
    made = manual.start(rt, both, expected=3, at_once=True)
    assert send(rt) == 3
    texts = [m.data.decode() for m in server.accepted if m.recipient == "ada@example.org"]
    assert len(texts) == 1
    assert "Counting sheep" in texts[0]
    assert "Adapters that forget" not in texts[0]


def test_a_wrong_number_sends_nothing(rt, server):
    plan = manual.draft(rt, papers=["arxiv/2611.00001"], key="k")
    with pytest.raises(manual.CountError, match="3 mails, not 2") as caught:
        manual.start(rt, plan, expected=2, at_once=True)
    assert caught.value.found == 3
    assert rt.db.read(list_editions) == []
    assert rt.db.read(list_deliveries) == []


def test_the_same_key_twice_at_once_is_one_edition(rt, server):
    plan = manual.draft(rt, papers=["arxiv/2611.00001"], key="double")
    made: list[manual.Started] = []
    threads = [
        threading.Thread(
            target=lambda: made.append(manual.start(rt, plan, expected=3, at_once=True))
        )
        for _ in range(4)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(20)
    assert len({m.edition_id for m in made}) == 1
    assert sorted(m.is_new for m in made) == [False, False, False, True]
    assert send(rt) == 3
    assert len(server.accepted) == 3
    again = manual.start(rt, plan, expected=999, at_once=True)
    assert (again.edition_id, again.is_new) == (made[0].edition_id, False)
    assert send(rt) == 0
    sends = [a for a in rt.db.read(list_audit) if a.what == "send manual"]
    assert len(sends) == 1


def test_nothing_goes_before_the_undo_window_ends(rt, server, clock):
    plan = manual.draft(rt, papers=["arxiv/2611.00001"], key="undo")
    made = manual.start(rt, plan, expected=3)
    assert made.until == clock.at + timedelta(minutes=2)
    assert send(rt) == 0
    clock.go(minutes=2)
    assert send(rt) == 3


def test_undo_is_cancelling_in_the_window(rt, server, clock):
    made = manual.start(rt, manual.draft(rt, papers=["arxiv/2611.00001"], key="u"), expected=3)
    assert editions.cancel(rt, made.edition_id, by="ada") == 3
    clock.go(minutes=5)
    assert send(rt) == 0
    # the papers are still free for another edition
    again = manual.draft(rt, papers=["arxiv/2611.00001"], key="u2")
    assert manual.count(rt, again).mails == 3


def test_nothing_is_claimed_while_rows_are_planned(rt, server, monkeypatch):
    plan = manual.draft(rt, papers=["arxiv/2611.00001"], key="crash")

    def crash(*_args, **_more):
        raise RuntimeError

    monkeypatch.setattr(frozen, "_release", crash)
    with pytest.raises(RuntimeError):
        manual.start(rt, plan, expected=3, at_once=True)
    monkeypatch.undo()
    assert send(rt) == 0
    (edition,) = rt.db.read(list_editions)
    assert (edition.planned, edition.paused) == (None, True)
    editions.resume(rt, edition.id, by="x")
    assert send(rt) == 0, "it goes once it is planned, and not before"
    # the same key completes the same edition, although its own rows are under way now
    made = manual.start(rt, plan, expected=3, at_once=True)
    assert (made.edition_id, made.planned) == (edition.id, 3)
    assert send(rt) == 3


def test_cancelled_while_it_is_planned_it_is_planned_no_further(rt, server, monkeypatch):
    plan, plain = manual.draft(rt, papers=["arxiv/2611.00001"], key="stop"), rt.db.write

    def cancelling(work, priority):
        made = plain(work, priority)
        found = rt.db.read(list_editions)
        if found and states(rt, found[0].id) and found[0].state == "open":
            editions.cancel(rt, found[0].id, by="ben")
        return made

    monkeypatch.setattr(frozen, "CHUNK", 2)
    monkeypatch.setattr(rt.db, "write", cancelling)
    with pytest.raises(manual.ManualError, match="cancelled while it was planned"):
        manual.start(rt, plan, expected=3, at_once=True)
    monkeypatch.undo()
    (edition,) = rt.db.read(list_editions)
    assert (edition.state, edition.planned) == ("cancelled", 2)
    assert set(states(rt, edition.id).values()) == {("cancelled", "cancelled")}
    acts = [act.what for act in rt.db.read(lambda s: list_audit(s, limit=5))]
    assert acts[0] == "cancel"
    assert "send manual" not in acts
    assert manual.count(rt, manual.draft(rt, papers=["arxiv/2611.00001"], key="new")).mails == 3


def test_segments(rt):
    def mails(segment: str) -> list[str]:
        plan = manual.draft(rt, papers=["arxiv/2611.00003"], segment=segment)
        return list(manual.count(rt, plan).samples)

    assert mails("words:DIFFUS") == ["ben@example.org"]
    assert mails("cadence:weekly") == ["ben@example.org"]
    assert mails("lang:en") == ["ada@example.org", "ben@example.org", "cy@example.org"]
    assert mails("lang:de") == []
    today = rt.clock().date()
    assert len(mails(f"joined:{today}..{today}")) == 3
    assert mails("joined:2020-01-01..2020-01-02") == []
    assert mails("list:Ada@Example.org; nobody@example.org") == ["ada@example.org"]
    with pytest.raises(SegmentError, match="names no readers"):
        mails("wrods:x")
    with pytest.raises(SegmentError, match="no edition 99"):
        mails("state:99:failed")


def test_percent_sign_in_words_is_a_letter(rt):
    plan = manual.draft(rt, papers=["arxiv/2611.00003"], segment="words:%")
    assert manual.count(rt, plan).readers == 0


def test_addresses_of_strangers_are_counted_and_not_mailed(rt, tmp_path):
    file = tmp_path / "list.txt"
    file.write_text("ada@example.org\nstranger@example.org\nno address\n", encoding="utf-8")
    plan = manual.draft(rt, papers=["arxiv/2611.00003"], segment=f"list:{file}")
    audience = manual.count(rt, plan)
    assert (audience.mails, audience.strangers, audience.unread) == (1, 1, 2)


def test_a_list_of_addresses_is_kept_nowhere_after_its_send(rt):
    plan = manual.draft(
        rt, papers=["arxiv/2611.00003"], segment="list:ada@example.org,eva@example.org", key="l"
    )
    drafts.keep(rt, plan, {"segment": "list", "value": "ada@example.org eva@example.org"})
    manual.start(rt, plan, expected=1, at_once=True)
    edition, acts = rt.db.read(lambda s: (list_editions(s)[0], list_audit(s, limit=5)))
    assert edition.options["segment"] == "a list of 2 addresses"
    assert "@" not in str((edition.options, [(act.after, act.target) for act in acts]))
    assert drafts.typed_before(rt, "l") == {"segment": "list"}


def test_who_is_erased_stands_in_no_draft(rt):
    for key, who in (("both", "ada@example.org,ben@example.org"), ("alone", "Ada@example.org")):
        plan = manual.draft(rt, papers=["arxiv/2611.00003"], segment=f"list:{who}", key=key)
        drafts.keep(rt, plan, {"segment": "list", "value": who})
    assert erase(rt, "ada@example.org")
    (left,) = drafts.unsent(rt)
    assert left.plan.segment.keys == ("ben@example.org",)
    assert "ada@" not in str(left).lower()


@pytest.mark.slow
def test_a_draft_sends_no_paper_that_was_hidden_and_none_twice_under_another_number(rt, clock):
    alone = manual.draft(rt, papers=["arxiv/2611.00001"], key="alone")
    three = manual.draft(rt, papers=[f"arxiv/2611.0000{n}" for n in (1, 2, 3)], key="three")
    for plan in (alone, three):
        drafts.keep(rt, plan, {})
    ada = row_of(rt, "ada@example.org").id
    rt.db.write(lambda s: s.add(SentPaperRow(subscriber_id=ada, paper_id=2)))
    hide_paper(rt, 1, "withdrawn", by="ben")
    join_papers(rt, 2, 3, "one work", by="ben")
    clock.go(days=5)  # longer than the sweep looks back
    with pytest.raises(manual.ManualError, match="they are hidden"):
        manual.count(rt, drafts.need(rt, "alone"))
    made = manual.start(rt, drafts.need(rt, "three"), expected=2, at_once=True)
    assert states(rt, made.edition_id)["ada@example.org"] == ("skipped", "already_had")
    rows = rt.db.read(lambda s: list_deliveries(s, edition_id=made.edition_id))
    held = {digest_of(row).paper_ids() for row in rows if row.state == "ready"}
    assert held == {(2,)}


def test_dates_choose_every_listed_paper_by_votes(rt):
    plan = manual.draft(rt, dates="2026-11-18..2026-11-18")
    assert len(plan.papers) == 3
    made = rt.db.read(lambda s: chosen_digest(rt, s, plan, plan.papers, "short", rt.clock()))
    assert [e.title.text for e in made.entries()] == [
        "Diffusion over graphs",
        "Adapters that forget less",
        "Counting sheep at night",
    ]
    assert made.sections[0].kind == "chosen"


@pytest.mark.parametrize(
    ("values", "where"),
    [
        ({"papers": []}, "papers"),
        ({"papers": ["arxiv/9999.99999"]}, "papers"),
        ({"dates": "2020-01-01"}, "dates"),
        ({"dates": "tomorrow"}, "dates"),
        ({"kind": "newsletter", "body": "x"}, "subject"),
        ({"kind": "newsletter", "subject": "x"}, "body"),
        ({"kind": "telegram"}, "kind"),
        ({"papers": ["arxiv/2611.00001"], "subject": "x" * 201}, "subject"),
    ],
)
def test_a_fault_names_its_field(rt, values, where):
    with pytest.raises((manual.ManualError, SegmentError)) as caught:
        manual.draft(rt, **values)
    assert caught.value.where == where


def test_newsletter_is_sanitised_and_has_its_links(rt, server):
    body = "# Hello\n\n<script>alert(1)</script> [site](https://example.org/a) ![x](https://e.org/i.png)\n\n[bad](javascript:alert(1))"
    plan = manual.draft(rt, kind="newsletter", subject="News of the library", body=body, key="n")
    made = manual.start(rt, plan, expected=3, at_once=True)
    assert send(rt) == 3
    (data,) = [m.data for m in server.accepted if m.recipient == "ada@example.org"]
    mail = message_from_bytes(data, policy=default)
    html = mail.get_body(("html",)).get_content()
    assert "<script>" not in html
    assert 'href="javascript' not in html
    assert 'href="https://example.org/a"' in html
    assert "i.png" not in html.replace("![x]", "")
    assert str(mail["Subject"]) == "News of the library"
    assert "List-Unsubscribe" in mail
    assert row_of(rt, "ada@example.org").unsubscribe_token in html
    unsubscribe(rt, row_of(rt, "ada@example.org").unsubscribe_token)
    assert states(rt, made.edition_id)["ada@example.org"][0] == "accepted"


def test_canary_waits_for_a_person(rt, server, clock):
    rt.db.write(lambda s: set_setting(s, "canary", "1"))
    plan = manual.draft(rt, papers=["arxiv/2611.00001"], key="c", canary=True)
    made = manual.start(rt, plan, expected=3, at_once=True)
    assert send(rt) == 1
    clock.go(hours=1)
    assert send(rt) == 0
    rows = [row for row in rt.db.read(list_deliveries) if row.state == "ready"]
    assert all(row.not_before > row.deadline_at for row in rows), "no send has them at the end"
    (then,) = {ahead(row, "manual", "open", clock.at, dead=()).words for row in rows}
    assert then == "it waits for a person's word until 2026-11-19 05:00 (UTC); then it expires"
    editions.pause(rt, made.edition_id, "mia")
    assert canary.go_on(rt, made.edition_id, by="ada") == 2
    assert send(rt) == 2, "to send to the others ends a pause, whoever made it"
    with pytest.raises(editions.EditionError, match="Nothing of edition"):
        canary.go_on(rt, made.edition_id, by="ada")


def canary_of(rt: Runtime, edition_id: int) -> canary.Canary:
    found = rt.db.read(lambda s: canary.look(s, editions.need_edition(s, edition_id), rt.clock()))
    assert found is not None
    return found


def test_first_ones_that_are_refused_pause_it_until_somebody_lets_the_rest_go(rt, server, clock):
    rt.db.write(lambda s: set_setting(s, "canary", "2"))
    server.on("RCPT", reply("552 5.2.2 mailbox full"), match="ada@")
    server.on("RCPT", reply("451 4.7.1 greylisted, try later"), match="ben@")
    plan = manual.draft(rt, papers=["arxiv/2611.00001"], key="c", canary=True)
    made = manual.start(rt, plan, expected=3)
    assert not canary_of(rt, made.edition_id).is_over, "the undo window is open"
    clock.go(minutes=3)
    with pytest.raises(editions.EditionError, match="not all tried"):
        canary.go_on(rt, made.edition_id, by="ada")
    assert send(rt) == 0
    assert canary_of(rt, made.edition_id) == canary.Canary(2, 2, 1, deferred=1, refused=1)
    shown = rt.db.read(lambda s: editions.details(s, made.edition_id))
    assert shown["state"] == "paused"
    assert shown["paused_why"] == "1 of the first 2 was refused: 5.2.2 mailbox full."
    (alarm,) = rt.db.read(list_open)
    assert alarm.what == f"Edition {made.edition_id} (chosen papers) paused by itself."
    assert f"editions rest {made.edition_id}. That sends the other 1." in alarm.next_step
    assert canary.go_on(rt, made.edition_id, by="ada") == 1
    assert canary_of(rt, made.edition_id).rest == 0
    send(rt)
    to = [m.recipient for m in server.accepted]
    assert sorted(to) == ["cy@example.org", "papers@example.org"], "the rest, and the alarm"


def test_todays_digest_by_hand_and_taken_back(rt, server, clock):
    plan = manual.draft(rt, kind="daily", key="today")
    audience = manual.count(rt, plan)
    # ben's weekly interest rides on Friday; this is a Wednesday
    assert audience.equation() == "3 readers − 1 weekly, on another day = 2 mails"
    made = manual.start(rt, plan, expected=2)
    assert (made.planned, made.mails) == (3, 2)
    assert send(rt) == 0
    again = manual.start(rt, plan, expected=2)
    assert (again.edition_id, again.is_new) == (made.edition_id, False)
    assert manual.undo_daily(rt, made.edition_id, "today", by="ada") == 3
    assert rt.db.read(list_deliveries) == []
    # the clock still sends at the readers' own hour
    clock.go(days=1)
    assert plan_due(rt).ready == 2
    clock.go(minutes=10)
    assert send(rt) == 2


@pytest.mark.slow
def test_todays_digest_goes_after_the_window_and_only_to_those_who_missed_it(rt, server, clock):
    plan_daily(rt, email_key="ada@example.org")
    assert send(rt) == 1
    plan = manual.draft(rt, kind="daily", key="rest")
    audience = manual.count(rt, plan)
    assert audience.as_dict()["already_planned"] == 1
    made = manual.start(rt, plan, expected=audience.mails)
    clock.go(minutes=2)
    assert send(rt) == audience.mails == 1
    with pytest.raises(manual.ManualError, match="over"):
        manual.undo_daily(rt, made.edition_id, "rest", by="ada")
    assert sorted(m.recipient for m in server.accepted) == ["ada@example.org", "cy@example.org"]


def test_alerts_by_hand(rt, server, tmp_path, clock):
    add(rt, "dan@example.org", "lattice", cadence="instant")
    ingest_items(rt, tmp_path, [paper_item(7, "Lattice codes revisited")])
    plan = manual.draft(rt, kind="alert", key="now")
    audience = manual.count(rt, plan)
    assert audience.mails == 1
    made = manual.start(rt, plan, expected=1)
    assert send(rt) == 1
    assert server.accepted[0].recipient == "dan@example.org"
    assert manual.start(rt, plan, expected=1).edition_id == made.edition_id


def test_a_test_mail_to_nobody_or_to_too_many_is_refused(rt):
    with pytest.raises(manual.ManualError, match="No address"):
        read_addresses(" ", 5)
    with pytest.raises(manual.ManualError, match="3 addresses; 2 fit"):
        read_addresses("a@b.org, c@b.org; d@b.org", 2)
    assert [a.key for a in read_addresses("A@b.org a@b.org", 5)] == ["a@b.org"]


def test_checks_name_what_is_wrong(rt, tmp_path):
    plan = manual.draft(rt, papers=["arxiv/2611.00001"], subject="Short", key="checks")
    found = {c.name: c for c in check_plan(rt, plan, manual.count(rt, plan))}
    assert found["Subject of 10 to 70 characters"].grade == "warn"
    assert found["Subject of 10 to 70 characters"].why == "5 characters: Short"
    assert found["Unsubscribe works"].grade == "ok"
    assert found["No empty mail"].grade == "ok"
    assert found["Sender set and aligned"].grade == "warn"
    rt.test_recipient = "me@example.org"
    found = {c.name: c for c in check_plan(rt, plan, manual.count(rt, plan))}
    mode = found["Test mode off"]
    assert mode.why.startswith("On: every mail goes to me@example.org. It is set in the env")
    assert mode.link == "settings/machine#PAPERPOST_TEST_RECIPIENT"
    letter = manual.draft(rt, kind="newsletter", subject="Ten letters", body="[a](page)", key="l")
    found = {c.name: c for c in check_plan(rt, letter, manual.count(rt, letter))}
    assert found["Links are whole"].grade == "warn"
    assert "All that was written is used" not in found
    alert = manual.draft(rt, kind="alert", subject="Look at this", body="Ours.", key="a")
    found = {c.name: c for c in check_plan(rt, alert, manual.count(rt, alert))}
    assert found["All that was written is used"].why.startswith("Left out: the subject and the no")


def test_check_of_a_relay_that_is_silent_says_why(tmp_path):
    with open_house(tmp_path, smtp_port=9) as house:
        made = asyncio.run(check_relay(house.runtime))
    assert made.grade == "fail"
    assert "127.0.0.1:9" in made.why


def test_twice_the_last_number_is_typed(rt, server):
    rt.db.write(lambda s: set_setting(s, "canary", "1"))
    first = manual.draft(rt, papers=["arxiv/2611.00001"], segment="words:adapters", key="1")
    manual.start(rt, first, expected=1, at_once=True)
    assert send(rt) == 1
    plan = manual.draft(rt, papers=["arxiv/2611.00002"], key="2")
    audience = manual.count(rt, plan)
    assert audience.mails == 3
    assert needs_typing(rt, plan, audience.mails)
    assert not needs_typing(rt, first, manual.count(rt, first).mails)
