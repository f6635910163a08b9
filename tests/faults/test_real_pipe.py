"""`paperpost inbound` as the pipe of a real Postfix: what cannot be kept waits in its queue."""

import os
import pwd
import smtplib
import subprocess
import sys
import sysconfig
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from sqlmodel import select
from support.house import open_house
from support.required import skip_unless_required
from support.storm.postfix import Postfix

from service.store.report_tables import InboundRow

ROOT = Path(__file__).resolve().parents[2]
pytestmark = [pytest.mark.faults]
BOUNCE = b"""\
From: MAILER-DAEMON@mx.example.net\r
To: bounces@papers.example.org\r
Date: Wed, 18 Nov 2026 09:00:00 +0000\r
Message-ID: <20261118090000.1@mx.example.net>\r
Subject: Undelivered Mail Returned to Sender\r
Content-Type: multipart/report; report-type=delivery-status; boundary=b\r
\r
--b\r
Content-Type: message/delivery-status\r
\r
Reporting-MTA: dns; mx.example.net\r
\r
Final-Recipient: rfc822; ada@uni.example\r
Action: failed\r
Status: 5.1.1\r
Diagnostic-Code: smtp; 550 5.1.1 no such user\r
\r
--b--\r
"""
TO = "bounces+00112233445566778899@papers.example.org"


def interpreter() -> str:
    """A Python of this version that user nobody may start (Postfix runs no pipe as root)."""
    version = f"{sys.version_info[0]}.{sys.version_info[1]}"
    libraries = {"PYTHONPATH": sysconfig.get_path("purelib")}
    for path in (sys.executable, f"/usr/bin/python{version}", f"/usr/local/bin/python{version}"):
        with suppress(PermissionError, FileNotFoundError):  # below the home of root, or not there
            done = subprocess.run(
                [path, "-c", "import typer"],
                user="nobody", env=libraries, cwd="/", capture_output=True, check=False,
            )  # fmt: skip
            if not done.returncode:
                return path
    skip_unless_required("postfix", "no Python that user nobody may start")


@pytest.fixture
def home() -> Iterator[Path]:
    """A folder that user nobody may write into; pytest's own are closed to others."""
    with TemporaryDirectory(prefix="paperpost-pipe-") as made:
        folder = Path(made)
        folder.chmod(0o755)
        yield folder


def wait_for(what, seconds: float = 60) -> None:
    end = time.monotonic() + seconds
    while not what():
        assert time.monotonic() < end
        time.sleep(0.1)


def test_a_mail_that_could_not_be_kept_comes_again_and_counts_once(home: Path) -> None:
    python, nobody = interpreter(), pwd.getpwnam("nobody")
    data = home / "data"
    with open_house(data):
        pass
    command = home / "inbound"
    command.write_text(
        f"#!/bin/sh\ncd {home}\n"
        f"export PYTHONPATH={ROOT}:{sysconfig.get_path('purelib')} PYTHONDONTWRITEBYTECODE=1\n"
        f"export PAPERPOST_DATA_DIR={data}\n"
        f'exec {python} -m service inbound --rcpt "$1"\n'
    )
    command.chmod(0o755)
    relay = Postfix(
        home / "postfix",
        transport_maps="inline:{{ papers.example.org=paperpost: }}",
        recipient_delimiter="+",
        bounce_queue_lifetime="1d",
    )
    with (relay.config / "master.cf").open("a") as master:
        master.write(
            "paperpost unix - n n - 1 pipe\n"
            f"  flags=Rq user=nobody argv={command} ${{original_recipient}}\n"
        )
    relay.start()
    try:
        # root's folder: the database cannot be opened by nobody
        with smtplib.SMTP("127.0.0.1", relay.port) as line:
            line.sendmail("", [TO], BOUNCE)
        wait_for(lambda: "status=deferred" in relay.log.read_text())
        assert relay.queued() == 1
        assert "status=bounced" not in relay.log.read_text()
        for path in (data, *data.rglob("*")):
            os.chown(path, nobody.pw_uid, nobody.pw_gid)
        wait_for(lambda: relay.queued() == 0)
        assert "status=sent" in relay.log.read_text()
        with smtplib.SMTP("127.0.0.1", relay.port) as line:
            line.sendmail("", [TO], BOUNCE)
        wait_for(lambda: relay.log.read_text().count("status=sent") == 2)
    finally:
        relay.stop()
    log = relay.log.read_text()
    assert "ada@" not in log, "a reader's address is not written into the MTA's log"
    with open_house(data) as house:
        (row,) = house.db.read(lambda s: s.exec(select(InboundRow)).all())
    assert (row.way, row.rcpts, row.form) == ("pipe", [TO], "dsn")
