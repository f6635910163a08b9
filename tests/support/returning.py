"""Mail that really comes back: our relay, the readers' servers, and the mailbox bounces go to.

Two Postfix and two Dovecot on loopback, each in a folder of its own. Who a reader is says what
becomes of their mail, as the servers of the world do it:

    gone...@     the far server knows no such user: 550 5.1.1 to RCPT
    barred...@   the far server refuses us for what its lists say of us: 554 5.7.1 to RCPT
    busy...@     452 4.2.2 to RCPT until our relay gives up; it tells of the delay before
    full...@     taken, then over the quota of the mailbox: 552 5.2.2 from Dovecot, the far server
                 sends the report
    whoever else is taken

Nothing has a route outside: our relay knows these domains and answers 5.4.4 for any other, the far
one knows ours.
"""

import imaplib
import re
import smtplib
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from datetime import datetime
from email import message_from_bytes
from email.message import EmailMessage, Message
from email.policy import SMTP
from email.utils import format_datetime, make_msgid
from pathlib import Path
from urllib.parse import unquote

from support.dovecot import PASSWORD, Dovecot, running_dovecot
from support.storm.postfix import Postfix

OURS = "paperpost.example.org"
BOUNCES = f"bounces@{OURS}"
"""Where reports go; bounces+ID@... is the same mailbox."""

FAR = tuple(f"{name}.example.net" for name in ("campus", "lab", "library", "press", "uni"))
"""The domains of readers."""

QUOTA_KB = 100
FILLING_KB = 95
"""What is left of a full mailbox holds no digest."""

SHARED = {
    "relayhost": "",
    "default_transport": "error:5.4.4 there is no way out of this test",
    "relay_transport": "error:5.4.4 there is no way out of this test",
    "transport_maps": "regexp:{config}/transport",
    "recipient_delimiter": "+",
    "relay_domains": "regexp:{config}/relayed",
}
RELAY = SHARED | {
    "myhostname": f"relay.{OURS}",
    "mydomain": OURS,
    "bounce_queue_lifetime": "60s",
    "delay_warning_time": "1s",
}
THEIRS = SHARED | {
    "myhostname": "mx.example.net",
    "mydomain": "example.net",
    "bounce_queue_lifetime": "60s",
    "relay_recipient_maps": "regexp:{config}/known",
    "smtpd_recipient_restrictions": "check_recipient_access regexp:{config}/access, "
    "reject_unlisted_recipient, permit_mynetworks, reject",
}
KNOWN = "!/^gone/  yes\n"
ACCESS = """\
/^barred/  554 5.7.1 Service unavailable; client host blocked using lists.example.net
/^busy/    452 4.2.2 The mailbox is full, try again later
"""


class World:
    """relay: ours, ``relay.port`` takes mail · far: the readers' · inbox: our Dovecot, user
    ``bounces`` · boxes: the readers' Dovecot."""

    def __init__(self, home: Path, inbox: Dovecot, boxes: Dovecot, gives_up: str) -> None:
        self.inbox, self.boxes = inbox, boxes
        self.far = Postfix(home / "far", **THEIRS)
        self.relay = Postfix(home / "relay", **RELAY, maximal_queue_lifetime=gives_up)
        far = "|".join(name.partition(".")[0] for name in FAR)
        self._onward = f"/@({far})\\.example\\.net$/  smtp:[127.0.0.1]:{self.far.port}\n"
        _write(self.relay, relayed=f"/^{_literally(OURS)}$/ yes\n")
        self._hand_over(f"lmtp:inet:127.0.0.1:{inbox.lmtp_port}")
        _write(
            self.far,
            transport=f"/@{_literally(OURS)}$/  smtp:[127.0.0.1]:{self.relay.port}\n"
            f"/@({far})\\.example\\.net$/  lmtp:inet:127.0.0.1:{boxes.lmtp_port}\n",
            relayed=f"/^({far})\\.example\\.net$/ yes\n",
            known=KNOWN,
            access=ACCESS,
        )

    def _hand_over(self, transport: str) -> None:
        ours = f"/@{_literally(OURS)}$/  {transport}\n"
        _write(self.relay, transport=ours + self._onward)

    def hand_over(self, transport: str, service: str = "") -> None:
        """What comes back goes another way from now on. service: a line of master.cf for it."""
        self._hand_over(transport)
        with (self.relay.config / "master.cf").open("a") as out:
            out.write(service)
        self.relay.reload()

    def forget_people_of(self, domain: str) -> None:
        """The directory of a domain is out: its server knows nobody any more. "" = it is back."""
        known = f"!/^gone|@{_literally(domain)}$/  yes\n" if domain else KNOWN
        _write(self.far, known=known)
        self.far.reload()

    @property
    def url(self) -> str:
        """PAPERPOST_INBOX_URL."""
        return self.inbox.url("bounces")

    def start(self) -> None:
        """Both Postfix."""
        self.far.start()
        self.relay.start()

    def stop(self) -> None:
        """Both, in whatever state."""
        self.relay.stop()
        self.far.stop()

    def fill(self, address: str) -> None:
        """Leave no room in the mailbox of a reader."""
        mail = EmailMessage()
        mail["Subject"] = "Photographs of the summer school"
        mail.set_content(("x" * 70 + "\n") * (FILLING_KB * 1024 // 71))
        self.boxes.deliver(mail.as_bytes(), address, "friend@example.net")

    def received(self, address: str) -> EmailMessage:
        """The newest mail in the mailbox of a reader."""
        mails = self.boxes.folders(address.partition("@")[0])["INBOX"]
        found = message_from_bytes(mails[-1], policy=SMTP)
        assert isinstance(found, EmailMessage)
        return found

    def empty(self, address: str) -> None:
        """The reader tidies up."""
        with imaplib.IMAP4("127.0.0.1", self.boxes.port) as line:
            line.login(address.partition("@")[0], PASSWORD)
            line.select("INBOX")
            line.store("1:*", "+FLAGS", "\\Deleted")
            line.expunge()

    def post(self, mail: EmailMessage, sender: str, to: str) -> None:
        """A reader, or a machine of theirs, writes; it comes by way of our relay as all else."""
        with smtplib.SMTP("127.0.0.1", self.relay.port) as line:
            line.send_message(mail, sender, [to])

    def leave_by_mail(self, address: str) -> None:
        """The reader's mail program writes to the address in List-Unsubscribe, as it says."""
        said = re.search(
            r"<mailto:([^?>]+)\?subject=([^>]+)>", self.received(address)["List-Unsubscribe"]
        )
        assert said is not None
        mail = _mail(address, said[1], unquote(said[2]))
        mail.set_content("")
        self.post(mail, address, said[1])

    def complain(self, address: str) -> None:
        """The reader pressed "spam"; their provider tells us (ARF, RFC 5965)."""
        mail = _mail("fbl@example.net", BOUNCES, "FW: the mail complained about")
        mail.set_content("This is a report of an e-mail abuse.\r\n")
        mail.make_mixed()
        report = Message()
        report["Content-Type"] = "message/feedback-report"
        report.set_payload("Feedback-Type: abuse\r\nUser-Agent: FBL/1.0\r\nVersion: 1\r\n\r\n")
        mail.attach(report)
        mail.add_attachment(self.received(address))
        mail.replace_header(
            "Content-Type",
            mail["Content-Type"].replace("mixed", "report; report-type=feedback-report"),
        )
        self.post(mail, "", BOUNCES)

    def be_away(self, address: str) -> None:
        """The reader's server answers that they are on holiday (RFC 3834)."""
        got = self.received(address)
        mail = _mail(address, got["Return-Path"].strip("<>"), f"Automatic reply: {got['Subject']}")
        mail["Auto-Submitted"] = "auto-replied"
        mail["In-Reply-To"] = got["Message-ID"]
        mail.set_content("I am away until Monday and read no mail.\r\n")
        self.post(mail, "", mail["To"])

    def refused_at(self) -> dict[str, float]:
        """When each address was refused last, by the logs of both Postfix (whole seconds)."""
        found = {}
        for line in (self.relay.log.read_text() + self.far.log.read_text()).splitlines():
            said = re.match(r"(\w{3} +\d+ [\d:]+) .* to=<([^>]+)>,.* status=(bounc|deferr)ed", line)
            if said is not None:
                at = datetime.strptime(f"{datetime.now().year} {said[1]}", "%Y %b %d %H:%M:%S")
                found[said[2]] = at.timestamp()
        return found

    def settled(self, seconds: float = 60.0) -> bool:
        """Wait until neither Postfix holds anything; False when they still do."""
        end = time.monotonic() + seconds
        while self.relay.queued() or self.far.queued():
            if time.monotonic() > end:
                return False
            time.sleep(0.1)
        return True


def _mail(sender: str, to: str, subject: str) -> EmailMessage:
    mail = EmailMessage(policy=SMTP)
    mail["From"], mail["To"], mail["Subject"] = sender, to, subject
    mail["Date"] = format_datetime(datetime.now().astimezone())
    mail["Message-ID"] = make_msgid(domain="example.net")
    return mail


def _literally(domain: str) -> str:
    return domain.replace(".", "\\.")


def _write(server: Postfix, **files: str) -> None:
    for name, lines in files.items():
        (server.config / name).write_text(lines)


def quota() -> str:
    """Lines of dovecot.conf: each mailbox holds so much, and says for good that it is full."""
    return f"""
mail_plugins = $mail_plugins quota
plugin {{
  quota = maildir:mailbox
  quota_rule = *:storage={QUOTA_KB}K
  quota_grace = 0
  quota_full_tempfail = no
}}
"""


@contextmanager
def returning(home: Path, gives_up: str = "5s") -> Iterator[World]:
    """All four while the block lasts. home: a folder that other users may enter · gives_up: how
    long our relay tries."""
    with ExitStack() as stack:
        inbox = stack.enter_context(running_dovecot())
        boxes = stack.enter_context(running_dovecot(config=quota()))
        world = World(home, inbox, boxes, gives_up)
        stack.callback(world.stop)
        world.start()
        yield world
