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

import smtplib
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from email.message import EmailMessage
from pathlib import Path

from support.dovecot import Dovecot, running_dovecot
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
    "maximal_queue_lifetime": "8s",
    "delay_warning_time": "2s",
}
THEIRS = SHARED | {
    "myhostname": "mx.example.net",
    "mydomain": "example.net",
    "bounce_queue_lifetime": "60s",
    "relay_recipient_maps": "regexp:{config}/known",
    "smtpd_recipient_restrictions": "check_recipient_access regexp:{config}/access, "
    "reject_unlisted_recipient, permit_mynetworks, reject",
}
ACCESS = """\
/^barred/  554 5.7.1 Service unavailable; client host blocked using lists.example.net
/^busy/    452 4.2.2 The mailbox is full, try again later
"""


class World:
    """relay: ours, ``relay.port`` takes mail · far: the readers' · inbox: our Dovecot, user
    ``bounces`` · boxes: the readers' Dovecot."""

    def __init__(self, home: Path, inbox: Dovecot, boxes: Dovecot) -> None:
        self.inbox, self.boxes = inbox, boxes
        self.far = Postfix(home / "far", **THEIRS)
        self.relay = Postfix(home / "relay", **RELAY)
        far = "|".join(name.partition(".")[0] for name in FAR)
        _write(
            self.relay,
            transport=f"/@{_literally(OURS)}$/  lmtp:inet:127.0.0.1:{inbox.lmtp_port}\n"
            f"/@({far})\\.example\\.net$/  smtp:[127.0.0.1]:{self.far.port}\n",
            relayed=f"/^{_literally(OURS)}$/ yes\n",
        )
        _write(
            self.far,
            transport=f"/@{_literally(OURS)}$/  smtp:[127.0.0.1]:{self.relay.port}\n"
            f"/@({far})\\.example\\.net$/  lmtp:inet:127.0.0.1:{boxes.lmtp_port}\n",
            relayed=f"/^({far})\\.example\\.net$/ yes\n",
            known="!/^gone/  yes\n",
            access=ACCESS,
        )

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

    def post(self, mail: EmailMessage, sender: str, to: str) -> None:
        """A reader, or a machine of theirs, writes; it comes by way of our relay as all else."""
        with smtplib.SMTP("127.0.0.1", self.relay.port) as line:
            line.send_message(mail, sender, [to])

    def settled(self, seconds: float = 60.0) -> bool:
        """Wait until neither Postfix holds anything; False when they still do."""
        end = time.monotonic() + seconds
        while self.relay.queued() or self.far.queued():
            if time.monotonic() > end:
                return False
            time.sleep(0.1)
        return True


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
def returning(home: Path) -> Iterator[World]:
    """All four while the block lasts. home: a folder that other users may enter."""
    with ExitStack() as stack:
        inbox = stack.enter_context(running_dovecot())
        boxes = stack.enter_context(running_dovecot(config=quota()))
        world = World(home, inbox, boxes)
        stack.callback(world.stop)
        world.start()
        yield world
