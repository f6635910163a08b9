"""The doctor on what comes back: inbox, LMTP, return path, and a probe that goes round."""

import json
from pathlib import Path
from typing import Any

import pytest
from support.command import Shell
from support.dns_stub import DnsStub
from support.dovecot import Dovecot, running_dovecot
from support.house import Clock, open_house
from support.imap_server import imap_server
from support.smtp_server import Received, SmtpServer, reply

from service.cli import doctor_inbox
from service.flows.inbound import take
from service.inbound.imap import read_once
from service.inbound.place import Inbox
from service.reports.mail import open_mail
from service.reports.probe import probe_address, probe_token
from service.store.probes import has_probe

BOUNCES = "bounces@papers.example.org"


@pytest.fixture(autouse=True)
def _soon(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(doctor_inbox, "LOOK_S", 0.05)


def found(shell: Shell) -> dict[str, tuple[str, str, str]]:
    said = shell.say("doctor", "--json")
    return {row["check"]: (row["state"], row["says"], row["next"]) for row in json.loads(said.out)}


def shell_at(
    folder: Path, monkeypatch: pytest.MonkeyPatch, server: SmtpServer, **more: str
) -> Shell:
    smtp = f"smtp://127.0.0.1:{server.port}"
    return Shell(folder, monkeypatch, SMTP_URL=smtp, MAIL_FROM="papers@papers.example.org", **more)


@pytest.mark.slow
def test_a_relay_without_any_way_back_is_a_warning(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert "bounces" not in found(Shell(tmp_path, monkeypatch))  # mails stay on this machine
    with SmtpServer() as server:
        level, says, step = found(shell_at(tmp_path, monkeypatch, server))["bounces"]
        assert (level, "not noticed" in says) == ("warn", True)
        assert "PAPERPOST_INBOX_URL" in step
        rows = found(shell_at(tmp_path, monkeypatch, server, BOUNCE_ADDRESS=BOUNCES))
        assert "which nothing reads" in rows["return path"][1]
        assert server.accepted == []  # no probe to where nobody looks


@pytest.mark.slow
def test_the_mailbox_is_opened_and_what_is_wrong_is_said(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with SmtpServer() as server, imap_server(mails={1: b"x\r\n"}) as inbox:
        url = f"imap://me:secret@127.0.0.1:{inbox.port}"
        rows = found(shell_at(tmp_path, monkeypatch, server, INBOX_URL=url))
        level, says, _ = rows["inbox"]
        assert (level, "1 mail to read" in says, "Paperpost/review" in says) == ("ok", True, True)
        assert rows["return path"][0] == "warn"
        assert rows["leave by mail"][0] == "warn"
        assert "round trip" not in rows
        assert list(inbox.mails) == [1]  # the doctor reads nothing
        inbox.refuse["LOGIN"] = "[AUTHENTICATIONFAILED] no"
        level, says, step = found(shell_at(tmp_path, monkeypatch, server, INBOX_URL=url))["inbox"]
        assert (level, "refused the log-in" in says, "%40" in step) == ("fail", True, True)
        assert "secret" not in says


@pytest.mark.slow
def test_the_return_path_needs_an_mx(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    answers: dict[tuple[str, str], Any] = {
        ("papers.example.org", "MX"): ["10 mx.papers.example.org."]
    }
    with SmtpServer() as server, DnsStub(answers) as stub:
        server.on("RCPT", reply("550 5.1.1 no such user"), match="probe-")
        values = {
            "BOUNCE_ADDRESS": BOUNCES,
            "LMTP_LISTEN": "127.0.0.1:9",
            "NAMESERVER": stub.server,
        }
        rows = found(shell_at(tmp_path, monkeypatch, server, **values))
        assert rows["return path"][0] == "ok"
        assert "received by mx.papers.example.org" in rows["return path"][1]
        assert rows["LMTP"][0] == "warn"
        offered = [line for line in server.commands if line.startswith("MAIL FROM:<bounces+0000")]
        assert len(offered) == 1  # the relay is asked for a sender as mails have it
        assert rows["leave by mail"][1].endswith(BOUNCES)
        level, says, step = rows["round trip"]
        assert (level, "550" in says or "no such user" in says) == ("fail", True)
        assert "behind a +" in step
        del stub.records["papers.example.org", "MX"]
        assert found(shell_at(tmp_path, monkeypatch, server, **values))["return path"][0] == "fail"


class Forwarding(SmtpServer):
    """A relay that delivers to a Dovecot."""

    to: Dovecot

    def record(self, message: Received) -> None:
        super().record(message)
        self.to.deliver(message.data, message.recipient, message.sender)


@pytest.mark.slow
def test_a_probe_goes_round_and_is_taken_for_what_it_is(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with running_dovecot() as dovecot, Forwarding() as server:
        server.to = dovecot
        values = {"BOUNCE_ADDRESS": BOUNCES, "INBOX_URL": dovecot.url("bounces")}
        level, says, _ = found(shell_at(tmp_path, monkeypatch, server, **values))["round trip"]
        assert (level, "arrived after" in says) == ("ok", True)
        (probe,) = server.accepted
        assert probe.recipient.startswith("bounces+probe-")
        assert probe.sender.startswith("bounces+")  # its own return path, as every mail
        place = Inbox(host="127.0.0.1", port=dovecot.port, tls="none", user="bounces",
                      password="p@ss/word")  # fmt: skip
        with open_house(tmp_path / "var", bounce_address=BOUNCES) as house:
            assert read_once(house.runtime, place).states == {"done": 1, "review": 0, "foreign": 0}
        assert dovecot.counts("bounces") == {"Paperpost/done": 1}
        monkeypatch.setattr(doctor_inbox, "PROBE_S", 0.3)
        server.to = Silent()  # type: ignore[assignment]
        level, says, step = found(shell_at(tmp_path, monkeypatch, server, **values))["round trip"]
        assert (level, "is not in 127.0.0.1" in says) == ("warn", True)
        assert BOUNCES in step


class Silent:
    """Takes mails and keeps none."""

    def deliver(self, *_: object) -> None:
        pass


def test_a_probe_is_known_by_its_address_alone() -> None:
    token = "0123456789abcdef"
    address = probe_address(BOUNCES, token)
    assert address == f"bounces+probe-{token}@papers.example.org"
    for head, rcpts, says in (
        (f"To: {address}", (), token),
        (f"Delivered-To: {address.upper()}", (), token),
        (f"To: Somebody <{address}>", (), token),
        ("To: x@example.org", (address,), token),
        (f"Subject: {address}", (), ""),
        (f"To: x{address}", (), ""),
        (f"To: {address}.evil.example", (), ""),
        (f"To: {address.replace('papers.', 'others.')}", (), ""),
        ("To: bounces+0123456789abcdef0123@papers.example.org", (), ""),
    ):
        mail = open_mail(f"{head}\r\n\r\nx\r\n".encode())
        assert probe_token(mail, BOUNCES, rcpts) == says, head
        assert probe_token(mail, "", rcpts) == ""


def test_a_probe_that_lmtp_took_is_found(tmp_path: Path) -> None:
    token = "0123456789abcdef"
    address = probe_address(BOUNCES, token)
    with open_house(tmp_path, clock=Clock(), bounce_address=BOUNCES) as house:
        rt = house.runtime
        assert not rt.db.read(lambda s: has_probe(s, token))
        data = f"From: papers@papers.example.org\r\nTo: {address}\r\n\r\nx\r\n".encode()
        taken = take(rt, data, way="lmtp", rcpts=[address])
        assert (taken.state, taken.read.form) == ("done", "probe")
        assert rt.db.read(lambda s: has_probe(s, token))
        assert not rt.db.read(lambda s: has_probe(s, "f" * 16))


@pytest.mark.slow
def test_sender_records_are_judged_for_the_domain_that_bounces_go_to(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    zone = tmp_path / "records.zone"
    zone.write_text(
        'bounce.uni.example. TXT "v=spf1 -all"\n'
        '_dmarc.uni.example. TXT "v=DMARC1; p=reject; aspf=s"\n'
    )
    values = {"MAIL_FROM": "papers@uni.example", "BOUNCE_ADDRESS": "bounces@bounce.uni.example"}
    said = Shell(tmp_path, monkeypatch, **values).say("doctor", "--dns", str(zone), "--json")
    rows = {row["check"]: row for row in json.loads(said.out)}
    assert rows["SPF"]["state"] == "ok"
    assert rows["DMARC"]["state"] != "ok"
    assert "bounces go to bounce.uni.example" in rows["DMARC"]["says"]
