"""Test mode: every mail goes to the operator, says so, and its links belong to nobody."""

import asyncio
import re
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import default
from pathlib import Path

import pytest
from fastapi.testclient import TestClient
from support.house import add, ingest_items, open_house, paper_item
from support.smtp_server import SmtpServer

from service.app import make_app
from service.cli import doctor_checks
from service.flows import manual
from service.flows.daily import plan_daily
from service.flows.readers import add_reader, read_new
from service.flows.send import send_ready
from service.store.subscribers import get_subscriber_row


def parsed(data: bytes) -> EmailMessage:
    found = message_from_bytes(data, policy=default)
    assert isinstance(found, EmailMessage)
    return found


@pytest.mark.slow
def test_a_mail_of_test_mode_is_marked_and_harmless(tmp_path: Path) -> None:
    with (
        SmtpServer() as server,
        open_house(tmp_path, smtp_port=server.port, test_recipient="op@example.net") as house,
    ):
        rt = house.runtime
        add(rt, "ada@example.org", "adapters")
        ingest_items(rt, tmp_path, [paper_item(1, "Adapters that forget less")])
        plan_daily(rt)
        letter = manual.draft(
            rt, kind="newsletter", subject="News of the library", body="Open.", key="n"
        )
        manual.start(rt, letter, expected=1, at_once=True)
        add_reader(rt, read_new({"email": "ben@example.org", "confirmed": "false"}))
        assert asyncio.run(send_ready(rt)).accepted == 3
        assert {m.recipient for m in server.accepted} == {"op@example.net"}
        mails = [parsed(m.data) for m in server.accepted]
        for mail in mails:
            assert re.match(r"\[Test\] (?!\[Test\])", str(mail["Subject"])), mail["Subject"]
        notice, *others = sorted(mails, key=lambda m: m["List-Id"] is not None)
        assert "/confirm/" in notice.get_body(("plain",)).get_content()  # type: ignore[union-attr]
        ada = rt.db.read(lambda s: get_subscriber_row(s, email_key="ada@example.org"))
        assert ada is not None
        app = make_app(rt, house.settings)
        with TestClient(app, base_url="http://127.0.0.1:8000") as client:
            for mail in others:
                assert ada.unsubscribe_token not in str(mail)
                one_click = str(mail["List-Unsubscribe"]).strip("<>")
                answer = client.post(one_click, data={"List-Unsubscribe": "One-Click"})
                assert answer.status_code == 200
                text = mail.get_body(("plain",)).get_content()  # type: ignore[union-attr]
                for manage in set(re.findall(r"http\S+/manage/\S+", text)):
                    assert "ada@example.org" not in client.get(manage).text
            assert "Test mode: every mail goes to the operator" in client.get("/").text
        ada = rt.db.read(lambda s: get_subscriber_row(s, email_key="ada@example.org"))
        assert ada is not None
        assert ada.state == "active"
        checks = {c.name: c for c in doctor_checks.before_opening(house.settings)}
        assert checks["test mode"].level == "warn"
        assert "op@example.net" in checks["test mode"].says


def test_without_it_nothing_is_marked(tmp_path: Path) -> None:
    with open_house(tmp_path) as house:
        app = make_app(house.runtime, house.settings)
        with TestClient(app, base_url="http://127.0.0.1:8000") as client:
            assert "Test mode" not in client.get("/").text
        checks = {c.name: c for c in doctor_checks.before_opening(house.settings)}
        assert checks["test mode"].level == "ok"
