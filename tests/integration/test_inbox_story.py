"""From a mail that went out to what came back: return path, bounce, and leaving by mail."""

import asyncio
from collections.abc import Iterator
from email import message_from_bytes, policy
from email.message import EmailMessage
from pathlib import Path
from urllib.parse import parse_qs, unquote, urlsplit

import pytest
import sqlalchemy as sa
from support.dovecot import Dovecot, running_dovecot
from support.house import Clock, add, ingest_items, open_house, paper_item
from support.smtp_server import Received, SmtpServer

from service.cli.ways import inbox_of
from service.flows.daily import plan_daily
from service.flows.runtime import Runtime
from service.flows.send import send_ready
from service.inbound.imap import Fetched, read_once
from service.store.db import Priority
from service.store.sole import Sole
from service.store.subscribers import get_subscriber_row
from service.store.tables import SubscriberRow
from service.wiring import House

pytestmark = [pytest.mark.slow]

ADA, BOB = "ada@example.org", "bob@example.net"
BOUNCES = "bounces@papers.example.org"
SAMPLE = Path(__file__).parents[1] / "data/bounces/postfix-unknown-rcpt.eml"


@pytest.fixture(scope="module")
def dovecot() -> Iterator[Dovecot]:
    with running_dovecot() as made:
        yield made


@pytest.fixture
def server() -> Iterator[SmtpServer]:
    with SmtpServer() as made:
        yield made


@pytest.fixture
def house(
    tmp_path: Path, database_url: str, server: SmtpServer, dovecot: Dovecot
) -> Iterator[House]:
    name = f"b{tmp_path.name}"
    values = {"database_url": database_url, "bounce_address": BOUNCES,
              "base_url": "https://papers.example.org", "secret_key": "x" * 32,
              "inbox_url": dovecot.url(name)}  # fmt: skip
    with open_house(tmp_path, smtp_port=server.port, clock=Clock(), **values) as made:
        yield made


def send(rt: Runtime, folder: Path, server: SmtpServer) -> dict[str, Received]:
    for email in (ADA, BOB):
        add(rt, email, "adapters")
    ingest_items(rt, folder, [paper_item(1, "Adapters that forget less")])
    plan_daily(rt)
    asyncio.run(send_ready(rt))
    return {one.recipient: one for one in server.accepted}


def come(house: House, dovecot: Dovecot, data: bytes) -> Fetched:
    """The mail arrives, and the inbox is read."""
    inbox = inbox_of(house.settings)
    assert inbox is not None
    dovecot.deliver(data, f"{inbox.user}@papers.example.org")
    return read_once(house.runtime, inbox)


def reader(rt: Runtime, email: str) -> SubscriberRow:
    row = rt.db.read(lambda s: get_subscriber_row(s, email_key=email))
    assert row is not None
    return row


def test_a_bounce_bars_the_reader_whose_mail_it_was(
    house: House, tmp_path: Path, server: SmtpServer, dovecot: Dovecot
) -> None:
    rt = house.runtime
    sent = send(rt, tmp_path, server)
    senders = [one.sender for one in sent.values()]
    assert len(set(senders)) == 2
    assert all(
        one.startswith("bounces+") and one.endswith("@papers.example.org") for one in senders
    )
    bounce = SAMPLE.read_bytes().replace(
        b"bounces+00112233445566778899@lists.example.org", sent[ADA].sender.encode()
    )
    bounce = bounce.replace(b"reader@example.net", ADA.encode())
    assert come(house, dovecot, bounce).states == {"done": 1, "review": 0, "foreign": 0}
    assert (reader(rt, ADA).state, reader(rt, BOB).state) == ("bounced", "active")
    assert come(house, dovecot, bounce).again == 1


def test_the_mailto_of_a_mail_ends_the_mails_of_its_reader(
    house: House, tmp_path: Path, server: SmtpServer, dovecot: Dovecot
) -> None:
    rt = house.runtime
    sent = send(rt, tmp_path, server)
    mail = message_from_bytes(sent[BOB].data, policy=policy.default)
    web, by_mail = (part.strip(" <>") for part in mail["List-Unsubscribe"].split(","))
    assert web == rt.links.unsubscribe(reader(rt, BOB).unsubscribe_token)
    assert mail["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
    asked = urlsplit(by_mail)
    assert (asked.scheme, unquote(asked.path)) == ("mailto", BOUNCES)
    letter = EmailMessage()
    letter["From"], letter["To"] = "another-account@example.com", unquote(asked.path)
    letter["Subject"] = parse_qs(asked.query)["subject"][0]
    letter.set_content("")
    assert come(house, dovecot, letter.as_bytes(policy=policy.SMTP)).taken == 1
    assert (reader(rt, BOB).state, reader(rt, ADA).state) == ("left", "active")


def test_one_process_reads_at_a_time(house: House, tmp_path: Path) -> None:
    """On both databases; a holder whose session the server has ended takes it anew."""
    rt = house.runtime
    one, two = (Sole(rt.db, tmp_path / "locks", "inbox") for _ in range(2))
    assert one.take()
    assert not two.take()
    other = Sole(rt.db, tmp_path / "locks", "other")
    assert other.take()
    other.give()
    if not rt.db.is_sqlite:
        ended = (
            "SELECT pg_terminate_backend(pid, 10000) FROM pg_locks"
            " WHERE locktype = 'advisory' AND classid = 20561 AND pid <> pg_backend_pid()"
        )
        rt.db.write(lambda s: s.execute(sa.text(ended)).all(), Priority.WEB)
        assert two.take()
        assert not one.take()
        two.give()
    else:
        one.give()
    assert one.take() or two.take()
    one.give()
    two.give()
