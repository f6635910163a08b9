"""The doctor names the webhooks that are open, and the service that has none."""

import base64
from pathlib import Path
from typing import Any

import pytest
from support.house import open_house
from support.webhooks import SECRET, TOPIC, Grid

from service.cli.doctor_line import Check
from service.cli.doctor_webhooks import webhooks


def judged(folder: Path, host: str = "", **settings: Any) -> list[Check]:
    with open_house(folder, **settings) as house:
        house.runtime.relay_host = host
        return list(webhooks(house))


def test_where_none_is_set_nothing_is_said(tmp_path: Path) -> None:
    assert judged(tmp_path, "smtp.example.org") == []


def test_those_that_are_open_are_named(tmp_path: Path) -> None:
    (line,) = judged(tmp_path, inbound_secret=SECRET, inbound_sendgrid=Grid().public)
    assert (line.level, line.says) == ("ok", "open: /inbound/raw, /inbound/sendgrid")


def test_secrets_in_clear_text_are_a_warning(tmp_path: Path) -> None:
    address = {"base_url": "http://papers.example.org", "secret_key": SECRET}
    (line,) = judged(tmp_path, inbound_secret=SECRET, **address)
    assert line.level == "warn"
    assert SECRET not in line.says


def test_a_key_that_cannot_be_read_fails(tmp_path: Path) -> None:
    for settings in (
        {"inbound_sendgrid": base64.b64encode(b"no key").decode()},
        {"inbound_ses": TOPIC.replace("sns", "sqs")},
    ):
        (line,) = judged(tmp_path, **settings)
        assert line.level == "fail"
        assert "PAPERPOST_INBOUND_SE" in line.says


@pytest.mark.parametrize(
    ("host", "name"),
    [
        ("email-smtp.eu-central-1.amazonaws.com", "SES"),
        ("smtp.postmarkapp.com", "POSTMARK"),
        ("smtp.eu.mailgun.org", "MAILGUN"),
        ("smtp.sendgrid.net", "SENDGRID"),
    ],
)
def test_a_service_that_tells_nobody_is_a_warning(tmp_path: Path, host: str, name: str) -> None:
    (line,) = judged(tmp_path, host)
    assert line.level == "warn"
    assert f"PAPERPOST_INBOUND_{name}" in line.next_step
