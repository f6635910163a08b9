"""Nothing goes to an address that was erased, also no notice that somebody asked for."""

import asyncio
import threading

import pytest
from support.house import add, mark, rows, take
from support.smtp_server import drop, hang

from service.delivery.outcome import Refused, Reply
from service.flows.leave import erase
from service.flows.notice import add_notice
from service.flows.outcomes import Job, record
from service.flows.send import send_ready
from service.store.consent import email_hash
from service.store.deliveries import list_attempts
from service.store.editions import get_edition

EVE = "eve@example.org"


@pytest.fixture(params=["of a reader", "of nobody"])
def rt(rt, request):
    reader = add(rt, EVE, "adapters")
    link = {"link": "https://papers.example.org/manage/t", "until": "2026-12-01"}
    rt.db.write(
        lambda s: add_notice(
            rt,
            s,
            "manage-link",
            email=EVE,
            email_key=EVE,
            subscriber_id=reader if request.param == "of a reader" else None,
            data=link,
            now=rt.clock(),
        )
    )
    return rt


def test_a_notice_that_waits_is_stopped(rt, server):
    erase(rt, EVE)
    report = asyncio.run(send_ready(rt))
    assert (report.tried, server.accepted) == (0, [])
    assert [(row.state, row.reason) for row in rows(rt)] == [("suppressed", "erased")]


def test_a_notice_that_is_being_offered_is_stopped_at_its_mark(rt, server):
    server.on("RCPT", hang(), times=1)
    thread = threading.Thread(target=lambda: asyncio.run(send_ready(rt)))
    thread.start()
    server.wait_until_hung()
    erase(rt, EVE)
    server.release()
    thread.join(20)
    assert server.accepted == []
    assert [(row.state, row.reason) for row in rows(rt)] == [("suppressed", "erased")]


def test_a_notice_in_doubt_is_not_sent_again(rt, server):
    server.on("DOT", drop(), times=1)
    assert asyncio.run(send_ready(rt)).held == 1
    erase(rt, EVE)
    rt.clock.go(minutes=31)
    assert asyncio.run(send_ready(rt)).tried == 0
    assert [row.state for row in rows(rt)] == ["presumed"]


@pytest.mark.parametrize("words", ["451 4.7.1 later", "550 5.1.1 <eve@example.org>: nobody"])
def test_one_that_is_refused_after_its_body_is_over_and_names_nobody(rt, server, words):
    row = take(rt, rt.owner().id)
    assert mark(rt, row, rt.owner().id)
    edition = rt.db.read(lambda s: get_edition(s, id=row.edition_id))
    job = Job(row, edition, None, email_hash(rt.instance.key, EVE))
    erase(rt, EVE)
    code, status, text = words.split(" ", 2)
    said = Refused("reply", Reply(int(code), status, text))
    made = rt.db.write(lambda s: record(rt, s, job, said, rt.defaults()))
    assert made.failed == 1
    assert [(row.state, row.reason) for row in rows(rt)] == [("failed", "erased")]
    tries = rt.db.read(lambda s: list_attempts(s, row.id))
    assert [(t.code, t.text) for t in tries] == [(int(code), "")]
