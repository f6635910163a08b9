"""The log of a real Postfix as proof: a mail that it took, one that it refused, and turned over."""

import smtplib
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from support.house import add, ingest_items, mark, open_house, paper_item, rows
from support.storm.postfix import Postfix, program

from service.flows.daily import plan_daily
from service.flows.reconcile import log_facts, reconcile
from service.store.claims import claim
from service.store.leases import release

pytestmark = [pytest.mark.faults, pytest.mark.timeout(120)]


@pytest.fixture
def postfix() -> Iterator[Postfix]:
    """One that keeps what it takes; in a folder that its own user may go through."""
    program("postfix")
    with tempfile.TemporaryDirectory(prefix="paperpost-log-") as home:
        Path(home).chmod(0o755)
        yield from _running(Path(home))


def _running(home: Path) -> Iterator[Postfix]:
    made = Postfix(
        home / "postfix", header_checks="regexp:{config}/refused", defer_transports="smtp"
    )
    (made.config / "refused").write_text("/^X-Refuse:/ REJECT 5.7.1 not this one\n")
    made.start()
    try:
        yield made
    finally:
        made.stop()


def hand_in(postfix: Postfix, message_id: str, header: str = "") -> int:
    """Send a mail past the product, as one whose answer is lost; returns the code."""
    text = f"From: p@localhost\r\nMessage-ID: {message_id}\r\n{header}Subject: x\r\n\r\nx\r\n"
    with smtplib.SMTP("127.0.0.1", postfix.port) as client:
        try:
            client.sendmail("papers@localhost", ["ada@uni.example"], text)
        except smtplib.SMTPDataError as error:
            return error.smtp_code
    return 250


def test_what_a_real_log_proves(tmp_path: Path, postfix: Postfix) -> None:
    with open_house(tmp_path / "data", relay_log=postfix.log) as house:
        rt = house.runtime
        for name in ("ada", "bo", "cy"):
            add(rt, f"{name}@uni.example", "adapters")
        ingest_items(rt, tmp_path, [paper_item(1, "Adapters that forget less")])
        plan_daily(rt)
        owner = rt.owner().id
        taken = rt.db.write(lambda s: claim(s, owner=owner, now=rt.clock(), limit=3))
        assert all(mark(rt, row, owner) for row in taken)
        rt.db.write(lambda s: release(s, [owner]))
        assert {row.state for row in rows(rt)} == {"unknown"}
        first, second, _ = taken
        assert hand_in(postfix, first.message_id) == 250
        assert hand_in(postfix, second.message_id, "X-Refuse: yes\r\n") == 550
        made = reconcile(rt)
        assert (made.accepted, made.again) == (1, 1), postfix.log.read_text()
        states = {row.id: row.state for row in rows(rt)}
        assert [states[row.id] for row in taken] == ["accepted", "ready", "unknown"]
        postfix.log.rename(postfix.log.with_name("mail.log.1"))
        assert hand_in(postfix, taken[2].message_id) == 250
        assert reconcile(rt).accepted == 1
        assert log_facts(rt)["short"] == 0
