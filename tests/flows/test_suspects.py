"""A paper that only refused mails held is hidden; one that others had is not to blame."""

import asyncio
from pathlib import Path

import pytest
from sqlmodel import select
from support.house import add, ingest_items, paper_item, rows
from support.smtp_server import SmtpServer, reply

from service.flows.breakers import keep_breakers
from service.flows.daily import plan_daily
from service.flows.runtime import Runtime
from service.flows.send import send_ready
from service.store.tables import PaperRow

pytestmark = pytest.mark.slow


def house(rt: Runtime, folder: Path) -> None:
    items = [paper_item(1, "Sparse attention"), paper_item(2, "Folding towels")]
    ingest_items(rt, folder, items)


def send(rt: Runtime, server: SmtpServer, words: str) -> None:
    server.on("RCPT", reply(words), match="bad")
    plan_daily(rt)
    asyncio.run(send_ready(rt))
    keep_breakers(rt)  # the accepted ones may have come after the refused


def hidden(rt: Runtime) -> dict[str, str]:
    found = rt.db.read(lambda s: s.exec(select(PaperRow)).all())
    return {paper.title: paper.quarantined for paper in found if paper.quarantined}


@pytest.mark.parametrize(
    ("words", "sorts", "blamed"),
    [
        ("554 5.6.0 bad MIME", ("towels",), True),
        ("552 5.3.4 too big", ("towels",), False),  # a mail is long, not a paper
        ("550 5.7.1 blocked", ("towels",), False),
        ("554 5.6.0 bad MIME", ("towels", "attention"), False),  # ... that others had
    ],
)
def test_a_paper_of_refused_mails_alone(rt, server, tmp_path, words, sorts, blamed):
    house(rt, tmp_path)
    for n in range(4):
        add(rt, f"fine{n}@c.example", "attention")
        add(rt, f"bad{n}@{'ab'[n % 2]}.example", sorts[-1])
    send(rt, server, words)
    assert {row.state for row in rows(rt, "digest")} == {"accepted", "failed"}
    title = "Folding towels"
    assert hidden(rt) == ({title: f"refused by mail servers: {words[4:]}"} if blamed else {})


def test_nothing_is_blamed_where_nothing_is_accepted_or_one_domain_refuses(rt, server, tmp_path):
    house(rt, tmp_path)
    for n in range(4):
        add(rt, f"bad{n}@a.example", "towels")
    send(rt, server, "554 5.6.0 bad MIME")
    assert hidden(rt) == {}
