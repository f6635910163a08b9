"""Marks and answers of many mails are one write; what goes wrong with one harms it alone."""

import asyncio
import threading
from contextlib import suppress

import pytest
import sqlalchemy as sa
from support.house import add, ingest_items, open_house, paper_item, rows
from support.smtp_server import hang, reply

import service.flows.journal as journal
from service.delivery.smtp import Mailer
from service.delivery.states import State
from service.flows.contents import Contents
from service.flows.daily import plan_daily
from service.flows.leave import erase_row, leave_row, unsubscribe
from service.flows.send import send_ready
from service.store.claims import claim
from service.store.consent import add_suppression, email_hash
from service.store.deliveries import list_attempts
from service.store.instance import set_setting
from service.store.leases import mark_outcome
from service.store.sent import list_sent
from service.store.subscribers import get_subscriber_row
from service.store.wire import Mark, Taken, Uneven, accept_many, mark_sending

READERS = 6


@pytest.fixture
def rt(rt, tmp_path):
    for n in range(READERS):
        add(rt, f"r{n}@example.org", "adapters")
    ingest_items(rt, tmp_path, [paper_item(n, f"Adapters that forget {n}") for n in range(1, 4)])
    plan_daily(rt)
    return rt


def leased(rt, owner):
    return rt.db.write(lambda s: claim(s, owner=owner, now=rt.clock(), limit=READERS))


def marks_of(rt, taken):
    return [
        Mark(row.id, row.fence, email_hash(rt.instance.key, row.recipient_key), f"sha{row.id}")
        for row in taken
    ]


def states(rt):
    return [row.state for row in rows(rt)]


def test_of_many_marks_each_is_looked_at_for_itself(rt):
    owner = rt.owner().id
    taken = leased(rt, owner)
    token = rt.db.read(lambda s: get_subscriber_row(s, id=taken[0].subscriber_id)).unsubscribe_token
    unsubscribe(rt, token)
    marks = marks_of(rt, taken)
    rt.db.write(lambda s: add_suppression(s, marks[1].hashed, "hard", rt.clock()))
    marks[2] = Mark(marks[2].delivery_id, marks[2].fence - 1, marks[2].hashed, "-")
    asked = rt.db.write(lambda s: mark_sending(s, marks, owner=owner, now=rt.clock()))
    assert asked == {(row.id, row.fence) for row in taken[3:]}
    assert states(rt) == ["suppressed", "leased", "leased", "sending", "sending", "sending"]
    assert [row.body_sha for row in rows(rt)][3:] == [mark.sha for mark in marks[3:]]
    again = rt.db.write(lambda s: mark_sending(s, marks[3:], owner=owner, now=rt.clock()))
    assert again == set(), "a mark is made once"
    assert (
        rt.db.write(lambda s: mark_sending(s, marks[:1], owner=owner + 1, now=rt.clock())) == set()
    )


def test_many_acceptances_leave_what_one_by_one_leaves(rt):
    owner = rt.owner().id
    taken = leased(rt, owner)
    rt.db.write(lambda s: mark_sending(s, marks_of(rt, taken), owner=owner, now=rt.clock()))
    many, alone = taken[:4], taken[4:]

    def written(session):
        said = [Taken(row.id, row.fence, 1, 250, "2.0.0", "ok") for row in many]
        accept_many(session, said, rt.clock(), reason="")
        for row in alone:
            values = {"reason": "", "code": 250, "enhanced": "2.0.0"}
            mark_outcome(session, row, State.ACCEPTED, rt.clock(), **values)

    rt.db.write(written)
    had = rt.db.read(lambda s: list_sent(s, [row.subscriber_id for row in taken]))
    assert had == {row.subscriber_id: {1, 2, 3} for row in taken}
    left = {
        (row.state, row.code, row.enhanced, row.reason, row.accepted_at, row.lease_owner)
        for row in rows(rt)
    }
    assert left == {("accepted", 250, "2.0.0", "", rt.clock(), None)}
    tries = rt.db.read(lambda s: list_attempts(s, many[0].id))
    assert [(t.n, t.phase, t.at, t.code, t.text) for t in tries] == [
        (1, "reply", rt.clock(), 250, "ok")
    ]


def test_of_a_batch_in_which_one_has_moved_on_nothing_is_written(rt):
    owner = rt.owner().id
    taken = leased(rt, owner)
    rt.db.write(lambda s: mark_sending(s, marks_of(rt, taken[1:]), owner=owner, now=rt.clock()))
    said = [Taken(row.id, row.fence, 1, 250, "", "") for row in taken]
    with pytest.raises(Uneven):
        rt.db.write(lambda s: accept_many(s, said, rt.clock(), reason=""))
    assert states(rt) == ["leased"] + ["sending"] * 5
    assert rt.db.read(lambda s: list_sent(s, [row.subscriber_id for row in taken])) == {}


def test_what_fails_for_many_is_written_one_by_one(rt, server, monkeypatch):
    def uneven(*_args, **_values):
        raise Uneven

    monkeypatch.setattr(journal, "accept_many", uneven)
    server.on("RCPT", reply("550 5.1.1 no such user"), match="r2@", times=1)
    report = asyncio.run(send_ready(rt))
    assert (report.accepted, report.failed) == (READERS - 1, 1)
    assert sorted(states(rt)) == ["accepted"] * 5 + ["failed"]
    assert len(server.accepted) == READERS - 1


@pytest.mark.slow  # waits before it asks again
def test_leases_whose_commit_had_no_answer_are_given_back_and_used(rt, server, monkeypatch):
    real, lost = rt.db.awrite, []

    async def awrite(work, *more):
        made = await real(work, *more)
        if not lost and "leased" in states(rt):
            lost.append(True)
            raise sa.exc.OperationalError("COMMIT", {}, Exception("connection lost"))
        return made

    monkeypatch.setattr(rt.db, "awrite", awrite)
    assert asyncio.run(send_ready(rt)).accepted == READERS
    assert lost
    assert len(server.accepted) == READERS


@pytest.mark.slow
def test_acceptances_whose_commit_had_no_answer_are_counted_once(rt, server, monkeypatch):
    real, lost = rt.db.awrite, []

    async def awrite(work, *more):
        made = await real(work, *more)
        if not lost and "accepted" in states(rt):
            lost.append(True)
            raise sa.exc.OperationalError("COMMIT", {}, Exception("connection lost"))
        return made

    monkeypatch.setattr(rt.db, "awrite", awrite)
    report = asyncio.run(send_ready(rt))
    assert lost
    done = [row for row in rows(rt) if row.state == "accepted"]
    assert report.accepted == len(done)
    tries = [t for row in done for t in rt.db.read(lambda s, i=row.id: list_attempts(s, i))]
    assert len(tries) == len(done), "one line for each mail, however often it was written"
    assert len(server.accepted) == len(done)


def test_who_stops_sending_leaves_what_was_not_begun_to_others(rt, server):
    rt.db.write(lambda s: set_setting(s, "smtp_connections", "1"))
    server.on("RCPT", hang(), times=1)

    async def broken_off():
        task = asyncio.create_task(send_ready(rt))
        await asyncio.to_thread(server.wait_until_hung)
        task.cancel()
        await asyncio.sleep(0.1)
        server.release()
        with suppress(asyncio.CancelledError):
            await task

    asyncio.run(broken_off())
    went = len(server.accepted)
    assert went < READERS
    left = [row for row in rows(rt) if row.state != "accepted"]
    assert {(row.state, row.attempts) for row in left} == {("ready", 0)}
    assert asyncio.run(send_ready(rt)).accepted == READERS - went


def test_a_paused_edition_costs_the_relay_no_connection_for_each_mail(rt, server):
    rt.db.write(lambda s: set_setting(s, "smtp_connections", "1"))
    server.on("RCPT", hang(), times=1)

    async def paused_under_way():
        task = asyncio.create_task(send_ready(rt))
        await asyncio.to_thread(server.wait_until_hung)
        rt.db.write(lambda s: s.execute(sa.text("UPDATE edition SET paused = true")))
        server.release()
        return await task

    report = asyncio.run(paused_under_way())
    assert report.accepted == 0
    assert server.accepted == []
    assert set(states(rt)) == {"ready"}
    assert server.connections <= 2


def unsubscribe_of(pages, session, reader_id):
    leave_row(pages, session, get_subscriber_row(session, id=reader_id))


def erase_of(pages, session, reader_id):
    erase_row(pages, session, get_subscriber_row(session, id=reader_id), by="reader")


@pytest.mark.postgres
def test_nobody_leaves_between_the_look_at_them_and_the_commit_of_the_mark(rt, tmp_path):
    """Leaving changes the row of the mail too, and waits for who marks it."""
    if rt.db.is_sqlite:
        pytest.skip("SQLite has one writer at a time")
    owner = rt.owner().id
    taken = leased(rt, owner)
    reader = rt.db.read(lambda s: get_subscriber_row(s, id=taken[0].subscriber_id))
    left = threading.Event()

    def leave():
        with open_house(tmp_path / "other", database_url=rt.db.url) as pages:
            unsubscribe(pages.runtime, reader.unsubscribe_token)
        left.set()

    thread = threading.Thread(target=leave)

    def marked(session):
        asked = mark_sending(session, marks_of(rt, taken), owner=owner, now=rt.clock())
        thread.start()
        assert not left.wait(3), "left before the mark was committed"
        return asked

    assert len(rt.db.write(marked)) == READERS
    thread.join(20)
    assert left.is_set()


@pytest.mark.postgres
@pytest.mark.parametrize("act", [unsubscribe_of, erase_of])
def test_a_mark_that_is_asked_for_while_somebody_leaves_waits_and_is_refused(rt, tmp_path, act):
    """Whoever leaves has not committed when it looks at them."""
    if rt.db.is_sqlite:
        pytest.skip("SQLite has one writer at a time")
    owner = rt.owner().id
    taken = leased(rt, owner)
    marks, asked = marks_of(rt, taken), []
    thread = threading.Thread(
        target=lambda: asked.append(
            rt.db.write(lambda s: mark_sending(s, marks, owner=owner, now=rt.clock()))
        )
    )
    with open_house(tmp_path / "other", database_url=rt.db.url) as pages:

        def leave(session):
            act(pages.runtime, session, taken[0].subscriber_id)
            session.flush()
            thread.start()
            thread.join(1)
            assert asked == [], "marked before who left had committed"

        pages.runtime.db.write(leave)
    thread.join(20)
    assert asked == [{(row.id, row.fence) for row in taken[1:]}]


@pytest.mark.parametrize("when", ["before its mark", "after its mark"])
def test_what_nobody_thought_of_harms_one_mail_alone(rt, server, monkeypatch, when):
    """More of them than carry letters at once: none of those may be lost to the rest."""
    rt.db.write(lambda s: set_setting(s, "smtp_connections", "1"))
    real, raised = Mailer.deliver, []

    async def deliver(self, envelope, mark):
        if len(raised) < 3:
            raised.append(envelope.recipient)
            if when == "after its mark":
                assert await mark()
            raise RuntimeError("nobody thought of this")
        return await real(self, envelope, mark)

    monkeypatch.setattr(Mailer, "deliver", deliver)

    async def in_time():
        return await asyncio.wait_for(send_ready(rt), 10)

    assert asyncio.run(in_time()).accepted == READERS - 3
    left = {row.rcpt: row.state for row in rows(rt) if row.state != "accepted"}
    assert left == dict.fromkeys(raised, "ready" if when == "before its mark" else "unknown")


def test_who_is_erased_between_the_claim_and_the_reading_of_the_mail_gets_none(
    rt, server, monkeypatch
):
    """The content that nobody else shares goes with them: there is nothing to render. Whose content
    was not found though they are there is tried again."""
    real, gone = Contents.read, []

    def read(contents, session, claimed):
        if gone:
            return real(contents, session, claimed)
        gone.append(claimed[0].id)
        rt.db.write(lambda s: erase_of(rt, s, claimed[0].subscriber_id))
        return {}

    monkeypatch.setattr(Contents, "read", read)
    report = asyncio.run(send_ready(rt))
    assert (report.accepted, report.failed) == (READERS - 1, 0)
    row = next(row for row in rows(rt) if row.id == gone[0])
    assert (row.state, row.reason, row.content_id) == ("suppressed", "erased", None)
    assert len(server.accepted) == READERS - 1
