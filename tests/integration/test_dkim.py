"""Signatures of our own: verified by dkimpy and by Mail::DKIM, the same at every try."""

import asyncio
import base64
import hashlib
import re
import shutil
import subprocess
from datetime import UTC, datetime, timedelta
from email import message_from_bytes
from email.policy import SMTP
from pathlib import Path

import pytest
from support.dkim_keys import holds, make_key, records
from support.dns_stub import DnsStub
from support.house import Clock, add, ingest_items, open_house, paper_item
from support.smtp_server import SmtpServer, reply

from service.delivery.dkim import DkimKeys, keys_of
from service.delivery.hot_path import stuffed
from service.errors import SettingError
from service.flows import manual
from service.flows.daily import plan_daily
from service.flows.letter import envelope_of
from service.flows.send import send_ready
from service.store.deliveries import list_deliveries
from service.store.editions import get_edition
from service.store.subscribers import get_subscriber_row

AT = datetime(2026, 11, 22, 6, 30, tzinfo=UTC)
SENDER = "papers@example.org"
MAIL = (
    b"From: Paperpost <papers@example.org>\r\nTo: ada@example.net\r\nSubject: Three papers\r\n"
    b"Date: Sun, 22 Nov 2026 06:30:00 +0000\r\nMessage-ID: <a@example.org>\r\n"
    b"List-Unsubscribe: <https://papers.example.org/u/" + b"a" * 60 + b">\r\n"
    b"List-Unsubscribe-Post: List-Unsubscribe=One-Click\r\nMIME-Version: 1.0\r\n"
    b"Content-Type: text/plain\r\n\r\nHello \r\n.a dot\r\n\r\n\r\n"
)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    made = tmp_path_factory.mktemp("keys")
    make_key(made / "rsa.pem")
    make_key(made / "old.pem", form="traditional")
    make_key(made / "ed.pem", "ed25519")
    return made


@pytest.fixture(scope="module")
def keys(folder: Path) -> DkimKeys:
    found = keys_of(f"m1={folder}/rsa.pem, e1={folder}/ed.pem", SENDER)
    assert found is not None
    return found


def test_rsa_and_ed25519_sign_the_mail_as_it_is(keys):
    signed = keys.signed(MAIL, AT)
    assert signed.endswith(MAIL)
    assert holds(signed, keys) == [True, True]
    assert b"a=rsa-sha256" in signed
    assert b"a=ed25519-sha256" in signed
    assert holds(signed.replace(b"Hello", b"Hallo"), keys) == [False, False]
    assert max(map(len, signed.split(b"\r\n"))) <= 998


@pytest.mark.parametrize(
    "added",
    [
        b"From: Bank <boss@bank.example>\r\n",
        b"List-Unsubscribe: <https://evil.example/u>\r\n",
        b"List-Unsubscribe-Post: List-Unsubscribe=One-Click\r\n",
        b"Reply-To: evil@evil.example\r\n",
        b"Subject: You won\r\n",
    ],
)
def test_nobody_adds_a_header_that_a_reader_would_trust(keys, added):
    assert holds(keys.signed(MAIL, AT), keys) == [True, True]
    assert holds(added + keys.signed(MAIL, AT), keys)[:1] != [True]
    head, _, body = keys.signed(MAIL, AT).partition(b"\r\n\r\n")
    assert True not in holds(head + b"\r\n" + added + b"\r\n" + body, keys)


def test_the_time_in_it_is_the_mails_own(keys):
    signed = keys.signed(MAIL, AT)
    assert signed == keys.signed(MAIL, AT)
    assert signed.count(f"t={int(AT.timestamp())};".encode()) == 2
    assert signed != keys.signed(MAIL, AT + timedelta(seconds=1))


def test_a_key_that_begins_later_takes_over_by_the_mails_date(folder):
    found = keys_of(
        f"old={folder}/old.pem,new@2026-12-01={folder}/rsa.pem,e1={folder}/ed.pem", SENDER
    )
    assert found is not None

    def who(month: int, day: int) -> list[str]:
        return [key.selector for key in found.in_force(datetime(2026, month, day).date())]

    assert who(11, 30) == ["old", "e1"]
    assert who(12, 1) == ["new", "e1"]
    # a mail of November that is tried again in December keeps its key, so its bytes
    assert b"s=old;" in found.signed(MAIL, AT)
    assert b"s=new;" in found.signed(MAIL, AT + timedelta(days=9))


def test_a_record_says_what_openssl_says(keys, folder):
    told = subprocess.run(
        ["openssl", "rsa", "-in", str(folder / "rsa.pem"), "-pubout"],
        check=True, capture_output=True, text=True,
    ).stdout  # fmt: skip
    body = "".join(line for line in told.splitlines() if "-----" not in line)
    assert keys.keys[0].record == f"v=DKIM1; k=rsa; p={body}"
    assert keys.keys[0].bits == 1024
    assert "PRIVATE" not in repr(keys.keys[0])


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("m1", "names no selector and file"),
        ("m_1=rsa.pem", "names no selector and file"),
        ("m1@soon=rsa.pem", "is no date"),
        ("m1=nowhere.pem", "cannot be read"),
        ("m1=note.txt", "holds no private key"),
        ("m1=cert.pem", "holds neither an RSA nor an Ed25519 key"),
        ("m1=rsa.pem,m1=ed.pem", "named twice"),
    ],
)
def test_what_cannot_be_a_key_is_told_at_the_start(folder, text, says, monkeypatch):
    monkeypatch.chdir(folder)
    (folder / "note.txt").write_text("nothing here\n")
    (folder / "cert.pem").write_text(
        "-----BEGIN PRIVATE KEY-----\nMAA=\n-----END PRIVATE KEY-----\n"
    )
    with pytest.raises(SettingError) as caught:
        keys_of(text, SENDER)
    assert says in caught.value.what
    assert caught.value.where == "PAPERPOST_DKIM_KEYS"
    assert caught.value.next_step


def test_no_keys_no_signature_and_a_sender_without_a_domain_cannot_sign(folder):
    assert keys_of(" ", SENDER) is None
    with pytest.raises(SettingError, match="no domain"):
        keys_of(f"m1={folder}/rsa.pem", "papers@localhost")


def test_a_retry_has_the_same_signed_bytes(tmp_path, folder):
    clock = Clock()
    with (
        SmtpServer() as server,
        open_house(
            tmp_path, smtp_port=server.port, clock=clock, mail_from=SENDER,
            dkim_keys=f"m1={folder}/rsa.pem,e1={folder}/ed.pem",
        ) as house,
    ):  # fmt: skip
        rt = house.runtime
        add(rt, "ada@example.net", "adapters")
        ingest_items(rt, tmp_path, [paper_item(1, "Adapters that forget less")])
        plan_daily(rt)
        server.on("DOT", reply("451 4.3.0 later", record=True), times=1)
        asyncio.run(send_ready(rt))
        clock.go(hours=1)
        made = rt.db.read(lambda session: _envelope(rt, session))
        assert made.lines == stuffed(made.message)
        asyncio.run(send_ready(rt))
        first, second = (mail.data for mail in server.accepted)
        assert first == second
        assert rt.dkim is not None
        assert holds(second, rt.dkim) == [True, True]


def _envelope(rt, session):
    (row,) = [one for one in list_deliveries(session) if one.state == "deferred"]
    edition = get_edition(session, id=row.edition_id)
    return envelope_of(rt, row, edition, get_subscriber_row(session, id=row.subscriber_id))


HARD = (
    "Ünïcode adapters: naïve Bayes für 100\u202f% of Zürich",
    "大规模语言模型的低秩适配器与遗忘问题研究综述" * 4,
    "Адаптеры, которые меньше забывают \U0001f9ec",
    "adapters " + "x" * 1200,
    ".adapters that begin with a dot",
)


@pytest.mark.slow
def test_a_relay_of_seven_bits_takes_everything_and_breaks_no_signature(tmp_path, folder):
    """It offers no 8BITMIME, so whoever is behind it need not change an encoding either."""
    features = ("PIPELINING", "SIZE 10000000")
    with (
        SmtpServer(features=features) as server,
        open_house(
            tmp_path, smtp_port=server.port, mail_from=SENDER, site_name="Papiere für Zürich",
            org_name="图书馆", dkim_keys=f"m1={folder}/rsa.pem,e1={folder}/ed.pem",
        ) as house,
    ):  # fmt: skip
        rt = house.runtime
        for name, cells in (
            ("ada", {"name": "Åse Müller", "locale": "de"}),
            ("li", {"name": "李明", "format": "text"}),
            ("new", {"confirmed": "false"}),
        ):
            add(rt, f"{name}@example.net", "adapters", **cells)
            add(rt, f"{name}2@example.net", **cells)
        papers = [paper_item(n, title, title * 3) for n, title in enumerate(HARD, 1)]
        ingest_items(rt, tmp_path, papers)
        plan_daily(rt)
        plan = manual.draft(
            rt, kind="newsletter", subject="Grüße 👋", body="Größe: 1 µm\n\n" + HARD[1], key="n"
        )
        manual.start(rt, plan, expected=manual.count(rt, plan).mails, at_once=True)
        report = asyncio.run(send_ready(rt))
        assert (report.failed, report.deferred, report.held) == (0, 0, 0)
        assert rt.dkim is not None
        assert len(server.accepted) == 10  # four digests, four newsletters, two confirmations
        for mail in server.accepted:
            assert mail.data.isascii()
            assert max(len(line) for line in mail.data.split(b"\r\n")) <= 998
            parts = list(message_from_bytes(mail.data, policy=SMTP).walk())
            coded = {str(p.get("Content-Transfer-Encoding", "7bit")).lower() for p in parts}
            assert coded <= {"7bit", "quoted-printable", "base64"}
            assert holds(mail.data, rt.dkim) == [True, True]
        everything = b"".join(mail.data for mail in server.accepted)
        assert b"base64" in everything
        assert b"quoted-printable" in everything
        assert not [line for line in server.commands if "BODY=" in line or "SMTPUTF8" in line]


_VERIFY = r"""
use Mail::DKIM::Verifier; use Mail::DKIM::DNS; use Net::DNS::Resolver;
my ($host, $port) = @ARGV;
Mail::DKIM::DNS::resolver(Net::DNS::Resolver->new(nameservers => [$host], port => $port));
my $v = Mail::DKIM::Verifier->new();
binmode STDIN; while (<STDIN>) { $v->PRINT($_); } $v->CLOSE;
print join(",", map { $_->algorithm . "=" . $_->result } $v->signatures), "\n";
"""


@pytest.mark.slow
def test_another_program_finds_the_signature_good(keys):
    if (
        shutil.which("perl") is None
        or subprocess.run(
            ["perl", "-MMail::DKIM::Verifier", "-e", "1"], capture_output=True
        ).returncode
    ):
        pytest.skip("Mail::DKIM (libmail-dkim-perl) is not installed")
    with DnsStub(records(keys)) as stub:

        def verdict(message: bytes) -> str:
            return subprocess.run(
                ["perl", "-e", _VERIFY, *stub.server.split(":")],
                input=message, capture_output=True, check=True,
            ).stdout.decode()  # fmt: skip

        assert "rsa-sha256=pass" in verdict(keys.signed(MAIL, AT))
        assert "rsa-sha256=fail" in verdict(keys.signed(MAIL, AT).replace(b"Hello", b"Hallo"))


def _relaxed(name: bytes, value: bytes) -> bytes:
    """RFC 6376, 3.4.2."""
    return name.lower() + b":" + re.sub(rb"[ \t]+", b" ", value.replace(b"\r\n", b"")).strip()


def _stands(message: bytes, at: int, public: bytes, folder: Path) -> bool:
    """Verify an Ed25519 signature (RFC 8463) by the text of the standard and openssl, without
    dkimpy. public: the raw key."""
    head, _, body = message.partition(b"\r\n\r\n")
    fields = [
        tuple(line.split(b":", 1)) for line in re.split(rb"\r\n(?![ \t])", head) if b":" in line
    ]
    name, value = [field for field in fields if field[0] == b"DKIM-Signature"][at]
    tags = {
        tag.strip(): re.sub(rb"\s", b"", said)
        for tag, _, said in (part.partition(b"=") for part in value.split(b";"))
    }
    lines = [re.sub(rb"[ \t]+", b" ", line).rstrip(b" ") for line in body.split(b"\r\n")]
    while lines and not lines[-1]:
        lines.pop()
    hashed = hashlib.sha256(b"".join(line + b"\r\n" for line in lines)).digest()
    if base64.b64decode(tags[b"bh"]) != hashed:
        return False
    left = {key: [v for n, v in fields if n.lower() == key] for key, _ in
            ((n.lower(), v) for n, v in fields)}  # fmt: skip
    signed = b""
    for wanted in tags[b"h"].split(b":"):
        if left.get(wanted):
            signed += _relaxed(wanted, left[wanted].pop()) + b"\r\n"  # from the bottom up
    signed += _relaxed(name, re.sub(rb"(;\s*b=)[^;]*$", rb"\1", value))
    (folder / "hash").write_bytes(hashlib.sha256(signed).digest())
    (folder / "sig").write_bytes(base64.b64decode(tags[b"b"]))
    (folder / "pub.der").write_bytes(bytes.fromhex("302a300506032b6570032100") + public)
    told = subprocess.run(
        ["openssl", "pkeyutl", "-verify", "-pubin", "-keyform", "DER", "-inkey", "pub.der",
         "-rawin", "-in", "hash", "-sigfile", "sig"],
        cwd=folder, capture_output=True,
    )  # fmt: skip
    return told.returncode == 0


def test_ed25519_stands_by_openssl_too(keys, tmp_path):
    public = base64.b64decode(keys.keys[1].public)
    signed = keys.signed(MAIL, AT)
    assert _stands(signed, 1, public, tmp_path)
    assert not _stands(signed.replace(b"Hello", b"Hallo"), 1, public, tmp_path)
    assert not _stands(signed.replace(b"Three papers", b"Four papers"), 1, public, tmp_path)
    added = signed.replace(b"Subject:", b"List-Unsubscribe: <https://evil.example>\r\nSubject:")
    assert not _stands(added, 1, public, tmp_path)
