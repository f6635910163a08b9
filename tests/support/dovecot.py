"""A real Dovecot of the tests' own on loopback: IMAP (TLS where an authority is given) and LMTP.

Every user exists, has ``PASSWORD`` and a mailbox of its own that is empty at first, so one server
serves many tests. What stands behind a ``+`` in an address is not part of the user's name, nor is
the domain. root runs it as ``nobody``, in a folder of that user; nothing of the machine's Dovecot
is used but its programs.
"""

import grp
import os
import pwd
import re
import shutil
import signal
import smtplib
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any
from urllib.parse import quote

from support.required import skip_unless_required
from support.tls import TlsAuthority

PASSWORD = "p@ss/word"

CONFIG = """\
base_dir = {home}/run
state_dir = {home}/state
log_path = {home}/log
protocols = imap lmtp
listen = 127.0.0.1
default_internal_user = {user}
default_internal_group = {group}
default_login_user = {user}
first_valid_uid = 1
mail_location = maildir:~/Maildir
auth_username_format = %Ln
recipient_delimiter = +
postmaster_address = postmaster@dovecot.example
hostname = dovecot.example
mail_fsync = never
maildir_very_dirty_syncs = no
login_trusted_networks =
disable_plaintext_auth = no
mail_max_userip_connections = 50
passdb {{
  driver = static
  args = password={password}
}}
userdb {{
  driver = static
  args = uid={uid} gid={gid} home={home}/mail/%n allow_all_users=yes
}}
namespace inbox {{
  inbox = yes
  separator = {separator}
  prefix = {prefix}
}}
service anvil {{
  chroot =
}}
service imap-login {{
  chroot =
  process_min_avail = 1
  inet_listener imap {{
    port = {imap}
  }}
  inet_listener imaps {{
    port = {imaps}
  }}
}}
service lmtp {{
  inet_listener lmtp {{
    port = {lmtp}
  }}
}}
"""

TLS = """\
ssl = yes
ssl_cert = <{folder}/server.pem
ssl_key = <{folder}/server.key
"""


def _free() -> int:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        return int(taken.getsockname()[1])


class Dovecot:
    """port: of IMAP in clear text (and STARTTLS where it has a certificate) · tls_port: of IMAP
    over TLS, 0 = without · lmtp_port: where mails are handed in · log: what it says."""

    def __init__(
        self,
        home: Path,
        *,
        tls: TlsAuthority | None = None,
        separator: str = ".",
        prefix: str = "",
        config: str = "",
    ) -> None:
        """home: a folder for it alone, which its user may enter · config: lines for the end of
        dovecot.conf."""
        self.program = shutil.which("dovecot") or "/usr/sbin/dovecot"
        for needed in (self.program, "/usr/lib/dovecot/imap", "/usr/lib/dovecot/lmtp"):
            if not Path(needed).exists():
                skip_unless_required("dovecot", f"{needed} is not installed")
        self.home, self._who, user = home, *_owner(home)
        self.port, self.lmtp_port = _free(), _free()
        self.tls_port = _free() if tls is not None else 0
        self.log = home / "log"
        self._child: subprocess.Popen[bytes] | None = None
        lines = CONFIG.format(
            home=home, user=user.pw_name, uid=user.pw_uid, gid=user.pw_gid, password=PASSWORD,
            group=_group(user.pw_gid), imap=self.port, imaps=self.tls_port, lmtp=self.lmtp_port,
            separator=separator, prefix=prefix,
        )  # fmt: skip
        if tls is not None:
            shown = home / "tls"
            shutil.copytree(tls.folder, shown, ignore=shutil.ignore_patterns("*.csr", "ca.key"))
            lines += TLS.format(folder=shown)
        else:
            lines += "ssl = no\n"
        self._config = home / "dovecot.conf"
        self._config.write_text(lines + config)
        for path in home.rglob("*"):
            os.chown(path, user.pw_uid, user.pw_gid)

    def start(self) -> None:
        """Start it, and wait until it greets; on the same ports every time."""
        with (self.home / "said").open("ab") as said:
            self._child = subprocess.Popen(
                [self.program, "-F", "-c", str(self._config)],
                cwd=self.home, stdin=subprocess.DEVNULL, stdout=said, stderr=said,
                env={"PATH": os.defpath}, **self._who,
            )  # fmt: skip
        for port, begins in ((self.port, b"* OK"), (self.lmtp_port, b"220")):
            self._wait_for(port, begins)

    def _wait_for(self, port: int, begins: bytes) -> None:
        for _ in range(200):
            with suppress(OSError), socket.create_connection(("127.0.0.1", port), 1) as line:
                if line.recv(200).startswith(begins):
                    return
            time.sleep(0.05)
        raise AssertionError("Dovecot does not answer: " + self.words())

    def stop(self) -> None:
        """End it and all that it started."""
        child, self._child = self._child, None
        if child is None:
            return
        child.send_signal(signal.SIGTERM)
        try:
            child.wait(10)
        finally:
            child.kill()

    def words(self) -> str:
        """What it said last."""
        files = [self.home / "said", self.log]
        return "\n".join(f.read_text(errors="replace")[-1500:] for f in files if f.exists())

    def url(self, user: str, *, tls: bool = False, password: str = PASSWORD) -> str:
        """The value of PAPERPOST_INBOX_URL for a user: in clear text on loopback, or over TLS."""
        name = f"{quote(user, safe='')}:{quote(password, safe='')}"
        if tls:
            return f"imaps://{name}@localhost:{self.tls_port}"
        return f"imap://{name}@127.0.0.1:{self.port}"

    def deliver(self, data: bytes, to: str, sender: str = "") -> None:
        """Hand a mail in by LMTP. Raises smtplib.SMTPException where it is refused."""
        self.deliver_all([data], to, sender)

    def deliver_all(self, mails: list[bytes], to: str, sender: str = "") -> None:
        """The same for several, on one connection."""
        with smtplib.LMTP("127.0.0.1", self.lmtp_port) as line:
            for data in mails:
                line.sendmail(sender, [to], data)

    def folders(self, user: str) -> dict[str, list[bytes]]:
        """The mails of a user by folder, "INBOX" and others with "/" between levels, oldest
        first."""
        root = self.home / "mail" / user / "Maildir"
        found: dict[str, list[bytes]] = {}
        if not root.exists():
            return found
        for place in [root, *sorted(p for p in root.iterdir() if re.match(r"\.[^.]", p.name))]:
            name = "INBOX" if place == root else place.name[1:].replace(".", "/")
            files = [f for part in ("new", "cur") for f in (place / part).glob("*")]
            found[name] = [f.read_bytes() for f in sorted(files, key=lambda f: f.name)]
        return found

    def counts(self, user: str) -> dict[str, int]:
        """How many mails of a user lie in each folder that is not empty."""
        return {name: len(mails) for name, mails in self.folders(user).items() if mails}


def _owner(home: Path) -> tuple[dict[str, Any], pwd.struct_passwd]:
    """As whom it runs: the options of Popen, and the user."""
    if os.geteuid() != 0:
        return {}, pwd.getpwuid(os.geteuid())
    user = pwd.getpwnam("nobody")
    os.chown(home, user.pw_uid, user.pw_gid)
    return {"user": user.pw_uid, "group": user.pw_gid, "extra_groups": []}, user


def _group(gid: int) -> str:
    return grp.getgrgid(gid).gr_name


@contextmanager
def running_dovecot(**values: Any) -> Iterator[Dovecot]:
    """One that runs while the block lasts, in a folder that is gone afterwards. values: as
    ``Dovecot``."""
    home = Path(tempfile.mkdtemp(prefix="pp-dove-"))
    try:
        server = Dovecot(home, **values)
        try:
            server.start()
            yield server
        finally:
            server.stop()
    finally:
        shutil.rmtree(home, ignore_errors=True)
