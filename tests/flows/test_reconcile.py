"""Mails in doubt: the relay's log, a link that was opened, a rule by kind, a person's word."""

import asyncio
import gzip
import shutil
from datetime import timedelta
from types import SimpleNamespace

import pytest
from support.house import add, ingest_items, mark, paper_item, plan_one, rows, take
from support.smtp_server import drop, reply

from service.cli import doctor_ledger
from service.delivery.outcome import Accepted, Refused, Reply
from service.flows import reconcile as flow
from service.flows.daily import plan_daily
from service.flows.editions import EditionError
from service.flows.notice import add_notice
from service.flows.outcomes import Job, record
from service.flows.reconcile import ResolveError, reconcile, resolve
from service.flows.send import send_ready
from service.flows.sweep import sweep
from service.flows.view import find_view, read_mail
from service.store import alarms as alarms_store
from service.store.deliveries import list_attempts
from service.store.editions import get_edition
from service.store.leases import release
from service.store.sent import list_carried, list_sent

pytestmark = pytest.mark.slow

AT = "Nov 22 00:10:01 mail"
ID = "4cVLxT3zKkz9rbK"


def begun(mail, queue_id=ID):
    return f"{AT} postfix/cleanup[7]: {queue_id}: message-id={mail.message_id}\n"


def active(queue_id=ID):
    return f"{AT} postfix/qmgr[8]: {queue_id}: from=<p@x.example>, size=9, nrcpt=1 (queue active)\n"


def refused(queue_id=ID):
    words = "milter-reject: END-OF-MESSAGE from x[127.0.0.1]: 5.7.1 no"
    return f"{AT} postfix/cleanup[7]: {queue_id}: {words}\n"


@pytest.fixture
def log(rt, tmp_path):
    """The relay's log; the house reads it."""
    rt.relay_log = tmp_path / "mail.log"
    rt.relay_log.write_text(f"{AT} postfix/master[1]: daemon started\n")

    def write(*lines):
        with rt.relay_log.open("a") as out:
            out.writelines(lines)

    return write


@pytest.fixture
def doubtful(rt, tmp_path):
    """A mail whose sender died after the mark."""
    plan_one(rt, tmp_path)
    owner = rt.owner().id
    assert mark(rt, take(rt, owner), owner)
    rt.db.write(lambda s: release(s, [owner]))
    (row,) = rows(rt)
    assert row.state == "unknown"
    return row


def test_a_dead_sender_leaves_a_line_among_the_tries(rt, doubtful):
    (tried,) = rt.db.read(lambda s: list_attempts(s, doubtful.id))
    assert (tried.n, tried.phase, tried.code) == (1, "reply", 0)
    assert "ended before the relay answered" in tried.text == doubtful.reason


def test_a_lease_that_was_not_used_was_no_try(rt, tmp_path):
    plan_one(rt, tmp_path)
    owner = rt.owner().id
    take(rt, owner)
    rt.db.write(lambda s: release(s, [owner]))
    assert (rows(rt)[0].state, rows(rt)[0].attempts) == ("ready", 0)


def test_the_relays_log_proves_that_it_came(rt, doubtful, log):
    log(begun(doubtful))
    assert reconcile(rt).accepted == 0  # not proof
    log(active())
    assert reconcile(rt).accepted == 1
    (row,) = rows(rt)
    assert row.state == "accepted"
    assert ID in row.reason
    assert rt.db.read(lambda s: list_sent(s, [row.subscriber_id])) == {row.subscriber_id: {1}}
    tried = rt.db.read(lambda s: list_attempts(s, row.id))
    assert [(t.phase, t.relay_id) for t in tried] == [("reply", ""), ("proof", ID)]
    assert reconcile(rt).accepted == 0


def test_the_relays_own_number_of_a_mail_is_kept(rt, tmp_path, server):
    plan_one(rt, tmp_path)
    server.on("DOT", reply(f"250 2.0.0 Ok: queued as {ID}"))
    asyncio.run(send_ready(rt))
    (tried,) = rt.db.read(lambda s: list_attempts(s, rows(rt)[0].id))
    assert (tried.code, tried.relay_id) == (250, ID)


def test_a_refusal_in_the_log_lets_it_go_again(rt, doubtful, log, server):
    log(begun(doubtful), refused())
    assert reconcile(rt).again == 1
    assert asyncio.run(send_ready(rt)).accepted == 1
    assert [m.message_id for m in server.accepted] == [doubtful.message_id]


def test_a_refusal_of_an_earlier_try_proves_nothing_of_the_last(rt, doubtful, log):
    rt.db.write(lambda s: flow._free(rt, s, rows(rt)[0], "again"))
    owner = rt.owner().id
    assert mark(rt, take(rt, owner), owner)
    rt.db.write(lambda s: release(s, [owner]))
    log(begun(doubtful), refused())
    assert reconcile(rt).again == 0
    assert rows(rt)[0].state == "unknown"
    log(begun(doubtful, "4cVLxT4b2Zz9rbM"), active("4cVLxT4b2Zz9rbM"))
    assert reconcile(rt).accepted == 1


def test_proof_that_is_read_while_the_mail_is_under_way_is_kept(rt, tmp_path, log):
    plan_one(rt, tmp_path)
    owner = rt.owner().id
    taken = take(rt, owner)
    assert mark(rt, taken, owner)
    log(begun(taken), active())
    assert reconcile(rt).accepted == 0
    assert rows(rt)[0].state == "sending"
    rt.db.write(lambda s: release(s, [owner]))
    assert reconcile(rt).accepted == 1


def test_proof_that_comes_late_ends_the_doubt(rt, doubtful, log):
    rt.clock.go(minutes=31)
    sweep(rt)
    assert rows(rt)[0].state == "presumed"
    reader = doubtful.subscriber_id
    assert rt.db.read(lambda s: list_carried(s, [reader])) == {reader: {1: True}}
    log(begun(doubtful), active())
    sweep(rt)
    assert rows(rt)[0].state == "accepted"
    assert rt.db.read(lambda s: list_carried(s, [reader])) == {}


def test_an_answer_that_comes_after_half_an_hour_ends_the_doubt(rt, doubtful):
    """The sender was stopped meanwhile (SIGSTOP, a laptop's lid), and goes on."""
    rt.clock.go(minutes=31)
    sweep(rt)
    (row,) = rows(rt)
    assert row.state == "presumed"
    edition = rt.db.read(lambda s: get_edition(s, id=row.edition_id))
    job = Job(row, edition, None, "-")
    refused = Refused("reply", Reply(550, "5.1.1", "no such user"))
    for outcome, state in ((refused, "presumed"), (Accepted(Reply(250)), "accepted")):
        rt.db.write(lambda s, o=outcome: record(rt, s, job, o, rt.defaults()))
        assert rows(rt)[0].state == state
    assert rt.db.read(lambda s: list_carried(s, [row.subscriber_id])) == {}


def _turned_over(log_file, kind):
    """What is left behind, and a new log beside it."""
    if kind == "renamed":
        log_file.rename(log_file.with_name("mail.log.1"))
    elif kind == "dated":
        log_file.rename(log_file.with_name("mail.log-20261122"))
    elif kind == "packed":
        with gzip.open(log_file.with_name("mail.log.2.gz"), "wb") as out:
            out.write(log_file.read_bytes())
        log_file.unlink()
    else:
        shutil.copy(log_file, log_file.with_name("mail.log.1"))
        log_file.write_bytes(b"")


@pytest.mark.parametrize("kind", ["renamed", "dated", "packed", "copied and cut"])
def test_a_log_that_was_turned_over_is_read_to_its_end(rt, doubtful, log, kind):
    log(begun(doubtful))
    reconcile(rt)
    log("something else\n")
    _turned_over(rt.relay_log, kind)
    reconcile(rt)  # there may be no new one yet
    log(f"{AT} postfix/master[1]: begun again\n", active())
    assert reconcile(rt).accepted == 1


@pytest.mark.parametrize("kind", ["renamed", "packed"])
def test_a_log_that_was_turned_over_before_anybody_read_it(rt, doubtful, log, kind):
    """The setting is made after the mail was held, or the log turned over within its lines."""
    log(begun(doubtful))
    _turned_over(rt.relay_log, kind)
    log(active())
    assert reconcile(rt).accepted == 1


def test_what_the_doctor_says_of_the_log(rt, doubtful, log):
    def doctor():
        check = doctor_ledger.relay_log(SimpleNamespace(runtime=rt))
        return check.level, check.says

    there, rt.relay_log = rt.relay_log, rt.relay_log.with_name("not.there")
    assert doctor() == ("fail", f"{rt.relay_log} cannot be read: No such file or directory")
    rt.relay_log = there
    assert doctor() == ("ok", f"{there}, not read yet")
    log("Nov 22 00:10:01 mail sshd[7]: Connection closed\n")
    reconcile(rt)
    level, says = doctor()
    assert (level, "no line in it is of a mail that Postfix took" in says) == ("warn", True)
    log(begun(doubtful), active())
    reconcile(rt)
    assert doctor() == ("ok", f"{there}, read to {rt.clock():%d %b %H:%M}")
    log(begun(doubtful, "3F2A11C0D8"))
    reconcile(rt)
    assert doctor() == ("warn", "1 mail had a short queue id, which proves nothing")
    rt.relay_log = None
    assert doctor_ledger.relay_log(SimpleNamespace(runtime=rt)) is None


def test_a_line_that_is_still_being_written_is_read_when_it_is_whole(rt, doubtful, log):
    log(begun(doubtful), active()[:-20])
    assert reconcile(rt).accepted == 0
    log(active()[-20:])
    assert reconcile(rt).accepted == 1


def test_a_log_that_cannot_be_read_is_an_alarm_until_it_can(rt, doubtful, log):
    there, rt.relay_log = rt.relay_log, rt.relay_log.with_name("not.there")
    reconcile(rt)
    (alarm,) = rt.db.read(alarms_store.list_open)
    assert alarm.kind == "relay log"
    assert flow.log_facts(rt)["problem"]
    rt.relay_log = there
    reconcile(rt)
    assert rt.db.read(alarms_store.list_open) == []


def test_short_queue_ids_are_told_of(rt, doubtful, log):
    log(begun(doubtful, "3F2A11C0D8"), active("3F2A11C0D8"))
    assert reconcile(rt).accepted == 0
    assert flow.log_facts(rt)["short"] == 1


@pytest.mark.parametrize("by", ["page of the mail", "page of its papers"])
def test_who_opens_a_link_of_the_mail_has_it(rt, doubtful, by):
    if by == "page of the mail":
        find_view(rt, doubtful.token)
    else:
        read_mail(rt, doubtful.token)
    (row,) = rows(rt)
    assert row.state == "accepted"
    assert "opened" in row.reason


def test_who_has_the_name_that_may_be_shared_proves_nothing(rt, doubtful):
    from service.flows.letter import share_name

    find_view(rt, share_name(doubtful))
    read_mail(rt, share_name(doubtful), shared=True)
    assert rows(rt)[0].state == "unknown"


def test_opening_a_mail_that_is_not_in_doubt_writes_nothing(rt, tmp_path, server):
    plan_one(rt, tmp_path)
    asyncio.run(send_ready(rt))
    before = rows(rt)[0]
    find_view(rt, before.token)
    assert rows(rt)[0].model_dump() == before.model_dump()


def test_a_notice_goes_again_with_the_same_message_id(rt, server):
    rt.db.write(
        lambda s: add_notice(
            rt, s, "test", email="eve@example.org", email_key="eve@example.org",
            data={"relay": "127.0.0.1:9", "on": "2026-11-18"}, now=rt.clock(),
        )
    )  # fmt: skip
    server.on("DOT", drop(record=True), times=1)
    assert asyncio.run(send_ready(rt)).held == 1
    rt.clock.go(minutes=31)
    assert asyncio.run(send_ready(rt)).accepted == 1
    assert len({m.message_id for m in server.accepted}) == 1
    assert len(server.accepted) == 2


def test_what_a_person_says_of_a_held_mail(rt, doubtful, server):
    with pytest.raises(ResolveError, match="no answer"):
        resolve(rt, doubtful.id, "lost", "ada")
    assert resolve(rt, doubtful.id, "presumed", "ada")["state"] == "presumed"
    with pytest.raises(ResolveError, match="presumed"):
        resolve(rt, doubtful.id, "ready", "ada")
    resolve(rt, doubtful.id, "accepted", "ada")
    assert rows(rt)[0].state == "accepted"
    with pytest.raises(ResolveError, match="not held"):
        resolve(rt, doubtful.id, "ready", "ada")
    with pytest.raises(EditionError, match="no delivery"):
        resolve(rt, 99, "ready", "ada")


def test_a_mail_that_a_person_knows_did_not_come_goes_again_late(rt, doubtful, server):
    rt.clock.go(hours=30)
    resolve(rt, doubtful.id, "ready", "ada")
    assert asyncio.run(send_ready(rt)).accepted == 1
    assert len(server.accepted) == 1


def test_carried_papers_are_marked_and_ride_once(rt, doubtful, server, tmp_path):
    rt.clock.go(minutes=31)
    sweep(rt)
    add(rt, "bo@example.org", "adapters")
    rt.clock.go(days=1)
    ingest_items(rt, tmp_path, [paper_item(2, "Adapters again")], on=rt.clock().date())
    plan_daily(rt)
    assert asyncio.run(send_ready(rt)).accepted == 2
    mails = {m.recipient: m.data for m in server.accepted}
    assert b"may have seen" in mails["ada@example.org"]
    assert b"may have seen" not in mails["bo@example.org"]
    rt.clock.go(days=1)
    plan_daily(rt)
    assert asyncio.run(send_ready(rt)).tried == 0
    assert rt.clock() - doubtful.planned_at > timedelta(days=2)
