"""An address of ours that cannot stand in a mail costs nobody their mail; the list's own name."""

import asyncio
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from support.house import Clock, open_house, plan_one
from support.smtp_server import SmtpServer

from service.flows.runtime import Runtime
from service.flows.send import send_ready
from service.store.deliveries import list_deliveries


@pytest.fixture
def rt(tmp_path: Path, server: SmtpServer, clock: Clock) -> Iterator[Runtime]:
    with open_house(tmp_path, smtp_port=server.port, clock=clock) as house:
        plan_one(house.runtime, tmp_path)
        yield house.runtime


@pytest.mark.parametrize("what", ["sender", "reply_to", "bounce_address", "test_recipient"])
def test_the_mail_waits_until_the_address_is_mended(
    rt: Runtime, server: SmtpServer, clock: Clock, what: str
) -> None:
    """Settings are checked at the start; this is the second lock behind that one."""
    good = rt.site
    if what in ("sender", "reply_to"):
        rt.site = replace(rt.site, **{what: "nonsense"})
    else:
        setattr(rt, what, "nonsense")
    report = asyncio.run(send_ready(rt))
    (row,) = rt.db.read(lambda s: list_deliveries(s))
    assert (report.failed, report.deferred, row.state) == (0, 1, "deferred")
    assert "'nonsense" in row.reason
    assert "content" not in row.reason
    assert server.accepted == []

    rt.site, rt.bounce_address, rt.test_recipient = good, "", ""
    clock.go(minutes=15)
    assert asyncio.run(send_ready(rt)).accepted == 1
    assert [mail.recipient for mail in server.accepted] == ["ada@example.org"]


def test_the_lists_name_stands_in_angle_brackets(rt: Runtime, server: SmtpServer) -> None:
    """RFC 2919 section 3: List-Id is a phrase, then the name in brackets."""
    asyncio.run(send_ready(rt))
    (mail,) = server.accepted
    assert b"\r\nList-Id: <papers.localhost>\r\n" in mail.data
