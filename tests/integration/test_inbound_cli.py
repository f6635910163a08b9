"""`paperpost inbound`: what a mail means, and as the pipe of an MTA."""

import json
import os
import re
import subprocess
import sys
from pathlib import Path
from urllib.parse import quote

import pytest
from support.command import Shell
from support.dovecot import PASSWORD
from support.imap_server import imap_server
from support.smtp_server import SmtpServer

from service.cli.inbound_commands import MOST_BYTES, read_mail
from service.cli.opening import runtime
from service.store.deliveries import list_deliveries

ROOT = Path(__file__).resolve().parents[2]
BOUNCE = """\
From: MAILER-DAEMON@mx.example.net
To: {to}
Subject: Undelivered Mail Returned to Sender
Auto-Submitted: auto-replied
MIME-Version: 1.0
Content-Type: multipart/report; report-type=delivery-status; boundary="b"

--b
Content-Type: text/plain

I could not deliver your mail.

--b
Content-Type: message/delivery-status

Reporting-MTA: dns; mx.example.net

Final-Recipient: rfc822; ada@uni.example
Action: failed
Status: 5.1.1
Diagnostic-Code: smtp; 550 5.1.1 <ada@uni.example>: no such user here

Final-Recipient: rfc822; ben@uni.example
Action: failed
Status: 5.2.2
Diagnostic-Code: smtp; 552 5.2.2 The mailbox is full

--b--
"""


def run(*words: str, mail: str | bytes, folder: Path, **env: str) -> subprocess.CompletedProcess:
    given = {k: v for k, v in os.environ.items() if not k.startswith("PAPERPOST_")}
    return subprocess.run(
        [sys.executable, "-m", "service", "inbound", *words],
        input=mail.encode() if isinstance(mail, str) else mail,
        capture_output=True,
        cwd=folder,
        env={**given, "PYTHONPATH": str(ROOT), **env},
        timeout=60,
        check=False,
    )


@pytest.fixture
def shell(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Shell:
    return Shell(tmp_path, monkeypatch)


@pytest.fixture
def mailed(shell: Shell, monkeypatch: pytest.MonkeyPatch):
    """A digest that went to ada: its delivery."""
    with SmtpServer() as server:
        monkeypatch.setenv("PAPERPOST_SMTP_URL", f"smtp://127.0.0.1:{server.port}")
        monkeypatch.setenv("PAPERPOST_BOUNCE_ADDRESS", "bounces@papers.example.org")
        (shell.folder / "list.csv").write_text("email\nada@uni.example\n")
        (shell.folder / "text.md").write_text("Hello\n")
        assert shell.say("subscribers", "import", "list.csv").code == 0
        said = shell.say(
            "send", "newsletter", "--subject", "News", "--body", "text.md", "--yes", "1"
        )
        assert said.code == 0, said.err
        with runtime() as rt:
            (row,) = rt.db.read(list_deliveries)
            assert row.state == "accepted"
            yield row


def test_what_it_means_is_one_object_a_recipient(shell: Shell) -> None:
    said = shell.say("inbound", "--explain", "--json", typed=BOUNCE.format(to="x@y.example"))
    assert said.code == 0
    first, second = said.json
    assert (first["class"], first["reason"], first["status"], first["recipient"]) == (
        "hard",
        "no_such_user",
        "5.1.1",
        "ada@uni.example",
    )
    assert (second["class"], second["reason"], second["code"]) == ("soft", "mailbox_full", 552)
    assert second["form"] == first["form"] == "dsn"
    assert not (shell.folder / "var").exists(), "nothing is opened for it"


def test_it_is_said_in_a_table_too(shell: Shell) -> None:
    said = shell.say("inbound", "--explain", typed=BOUNCE.format(to="x@y.example"))
    assert "no_such_user" in said.out
    assert said.out.splitlines()[0].startswith("class")


@pytest.mark.slow
def test_to_explain_needs_no_settings_no_database_and_no_web(tmp_path: Path) -> None:
    code = (
        "import sys; from service.cli import main\n"
        "sys.argv = ['paperpost', 'inbound', '--explain', '--json']\n"
        "try: main()\n"
        "except SystemExit: pass\n"
        "heavy = {'sqlalchemy', 'pydantic_settings', 'fastapi', 'jinja2', 'httpx2', 'structlog'}\n"
        "print(sorted(heavy & set(sys.modules)), file=sys.stderr)\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", code],
        input=BOUNCE.format(to="x@y.example"),
        capture_output=True,
        text=True,
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(ROOT), "PAPERPOST_BASE_URL": "nonsense"},
        timeout=60,
        check=False,
    )
    assert json.loads(done.stdout)[0]["class"] == "hard"
    assert done.stderr.strip() == "[]"


@pytest.mark.parametrize("words", [[], ["--explain"], ["--explain", "--json"]])
def test_no_mail_is_misuse(shell: Shell, words: list[str]) -> None:
    said = shell.say("inbound", *words, typed=" \n")
    assert (said.code, said.out) == (2, "")


@pytest.mark.slow
def test_a_pipe_keeps_it_once_and_ends_with_0(shell: Shell, mailed) -> None:
    mail = BOUNCE.format(to="bounces@papers.example.org")
    rcpt = f"bounces+{mailed.bounce_id}@papers.example.org"
    first = shell.say("inbound", "--rcpt", rcpt, "--json", typed=mail)
    assert first.code == 0, first.err
    assert (first.json["is_new"], first.json["state"]) == (True, "done")
    assert first.json["said"][0] == "suppressed"
    again = shell.say("inbound", "--rcpt", rcpt, typed=mail)
    assert (again.code, again.out) == (
        0,
        f"Mail {first.json['id']} was known already: nothing changed.\n",
    )
    shown = shell.say("subscribers", "show", "ada@uni.example").out
    assert "state: bounced" in shown
    assert "What came back:" in shown
    assert "the address is barred" in shown
    assert re.search(r"Barred since \d{4}-\d\d-\d\dT\d\d:\d\d UTC \(hard\)\. 550 5\.1\.1 ", shown)


@pytest.mark.slow
def test_whom_a_mail_is_for_may_stand_in_the_environment(
    shell: Shell, mailed, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ORIGINAL_RECIPIENT", f"bounces+{mailed.bounce_id}@papers.example.org")
    said = shell.say("inbound", typed=BOUNCE.format(to="bounces@papers.example.org"))
    assert said.code == 0
    assert "hard no_such_user" in said.out
    assert "suppressed" in said.out
    assert "@" not in said.out, "an MTA writes this into its log"


@pytest.mark.slow
def test_a_mail_of_nobody_is_kept_as_foreign(shell: Shell) -> None:
    said = shell.say("inbound", "--json", typed=BOUNCE.format(to="x@y.example"))
    assert (said.code, said.json["state"], said.json["said"]) == (0, "foreign", ["", ""])


@pytest.mark.slow
@pytest.mark.parametrize(
    "broken",
    [
        {"PAPERPOST_DATABASE_URL": "postgresql://127.0.0.1:1/nobody"},
        {"PAPERPOST_DATA_DIR": "file"},
        {"PAPERPOST_BASE_URL": "nonsense"},
    ],
)
def test_what_could_not_be_kept_stays_with_the_mta(tmp_path: Path, broken: dict[str, str]) -> None:
    (tmp_path / "file").write_text("no folder")
    done = run(mail=BOUNCE.format(to="x@y.example"), folder=tmp_path, **broken)
    assert done.returncode == 75, done.stderr
    assert done.stdout == b""
    assert done.stderr


def test_what_lies_behind_the_bound_is_read_past() -> None:
    read_end, write_end = os.pipe()
    writer = subprocess.Popen(
        [sys.executable, "-c", f"import sys; sys.stdout.write('x' * {MOST_BYTES + 3_000_000})"],
        stdout=write_end,
    )
    os.close(write_end)
    with os.fdopen(read_end, "rb") as stream:
        assert len(read_mail(stream)) == MOST_BYTES
    assert writer.wait(20) == 0, "no broken pipe"


@pytest.mark.slow
def test_the_mailbox_is_read_once(shell: Shell, monkeypatch: pytest.MonkeyPatch) -> None:
    assert "PAPERPOST_INBOX_URL" in shell.say("inbound", "--fetch").err
    with imap_server() as server:
        server.mails[1] = BOUNCE.format(to="x@y.example").replace("\n", "\r\n").encode()
        url = f"imap://ada:{quote(PASSWORD, safe='')}@127.0.0.1:{server.port}"
        monkeypatch.setenv("PAPERPOST_INBOX_URL", url)
        said = shell.say("inbound", "--fetch", "--json")
        assert (said.code, said.json["foreign"], said.json["failed"]) == (0, 1, 0)
        assert "nothing waited" in shell.say("inbound", "--fetch").out
    assert shell.say("inbound", "--fetch").code == 1
    assert shell.say("inbound", "--fetch", "--explain").code == 2
