"""Read a mailbox by IMAP: each mail is taken, then moved to the folder of what became of it.

A mail leaves its folder only after ``take`` has come back, and nothing is ever deleted. Who is
killed between the two finds the mail again; it counts once, by the hash of its bytes.
"""

import imaplib
import re
import socket
import ssl
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from typing import Any

from imap_tools import (
    BaseMailBox,
    ImapToolsError,
    MailBox,
    MailboxCopyError,
    MailboxFetchError,
    MailboxFlagError,
    MailboxLoginError,
    MailBoxUnencrypted,
)
from imap_tools.utils import check_command_status, encode_folder

from service.flows.epoch import need
from service.flows.inbound import take
from service.flows.runtime import Runtime
from service.inbound.place import Inbox, explained
from service.reports.mail import SIZE

PARENT = "Paperpost"
FOLDERS = ("done", "review", "foreign")
"""Below ``PARENT``, one for each state of a mail that was taken."""

FETCHED = 2 * SIZE
"""Bytes of a mail that are fetched: more than what is read of it."""

BATCH = 50
"""Mails whose sizes are asked for at once."""

SECONDS = 60.0
"""How long a server may take for one answer."""

BROKEN_IN_A_ROW = 3

TROUBLE = (OSError, imaplib.IMAP4.error, ImapToolsError)
"""What a network or a server does. A time-out and a TLS error are OSErrors."""


@dataclass(slots=True)
class Fetched:
    """What one reading brought. states: mails by what became of them · again: known already ·
    cut: fetched in part, being too large · failed: left where they are, with the reason of the
    last."""

    states: dict[str, int] = field(default_factory=lambda: dict.fromkeys(FOLDERS, 0))
    again: int = 0
    cut: int = 0
    failed: int = 0
    why: str = ""

    @property
    def taken(self) -> int:
        """How many mails were taken and moved."""
        return sum(self.states.values())


class Conversation:
    """A mailbox that is open, with its folder selected. Used by one thread; ``hang_up`` by any."""

    def __init__(self, inbox: Inbox) -> None:
        """Connect, sign in, make the folders that are missing. Raises InboxError."""
        self._inbox = inbox
        self._box: BaseMailBox | None = None
        try:
            self._box = _connected(inbox)
            _sign_in(self._box, inbox)
            self._box.client.capability()  # servers say more to who has signed in
            self._offers = _capabilities(self._box)
            self.made = self._lay_folders()
        except TROUBLE as error:
            self._drop()
            raise explained(error, inbox) from error
        except BaseException:
            self._drop()
            raise

    @property
    def box(self) -> BaseMailBox:
        """The library's own."""
        assert self._box is not None
        return self._box

    @property
    def can_idle(self) -> bool:
        """Whether the server says by itself when a mail comes (RFC 2177)."""
        return "IDLE" in self._offers

    def folder(self, state: str) -> str:
        """The folder of mails of this state, as the server writes it."""
        return f"{self._prefix}{PARENT}{self._delimiter}{state}"

    def _lay_folders(self) -> list[str]:
        """Make the folders that are missing, and return their names."""
        self._prefix, self._delimiter = _namespace(self.box)
        made = []
        for state in FOLDERS:
            name = self.folder(state)
            if not self.box.folder.exists(name):
                self.box.folder.create(name)
                with suppress(ImapToolsError):  # only so that mail programs show it
                    self.box.folder.subscribe(name, True)
                made.append(name)
        return made

    def waiting(self) -> list[str]:
        """UIDs of the mails in the folder, oldest first; without those somebody marked deleted."""
        return sorted(self.box.uids("UNDELETED"), key=int)

    def sizes(self, uids: Sequence[str]) -> dict[str, int]:
        """Bytes of each of these mails that is still there."""
        lines = self._fetched(",".join(uids), "(UID RFC822.SIZE)")
        found = (re.search(rb"UID (\d+)", one) for one in lines)
        sizes = (re.search(rb"RFC822\.SIZE (\d+)", one) for one in lines)
        pairs = zip(found, sizes, strict=True)
        return {uid[1].decode(): int(size[1]) for uid, size in pairs if uid and size}

    def content(self, uid: str) -> bytes | None:
        """The first bytes of a mail, at most ``FETCHED``, not marked as read; None: it is gone."""
        typ, data = self.box.client.uid("FETCH", uid, f"(UID BODY.PEEK[]<0.{FETCHED}>)")
        check_command_status((typ, data), MailboxFetchError)
        return next((bytes(one[1]) for one in data if isinstance(one, tuple)), None)

    def find(self, field_name: str, text: str, folder: str) -> bool:
        """Whether a mail with this text in a field of its head lies in a folder."""
        self.box.folder.set(folder)
        try:
            return bool(self.box.uids(f'HEADER {field_name} "{text}"'))
        finally:
            self.box.folder.set(self._inbox.folder)

    def file(self, uid: str, state: str) -> None:
        """Move a mail. Where the server cannot (RFC 6851), it is copied and its first copy marked
        deleted; that copy alone is taken out where the server can (RFC 4315), and else stays, for
        a plain EXPUNGE would take out what a person has marked."""
        folder = self.folder(state)
        if "MOVE" in self._offers:
            self.box.move(uid, folder)
            return
        client: Any = self.box.client
        check_command_status(client.uid("COPY", uid, encode_folder(folder)), MailboxCopyError)
        check_command_status(client.uid("STORE", uid, "+FLAGS", r"(\Deleted)"), MailboxFlagError)
        if "UIDPLUS" in self._offers:
            check_command_status(client.uid("EXPUNGE", uid), MailboxFlagError)

    def refresh(self) -> None:
        """Let the server say what changed."""
        self.box.client.noop()

    def wait(self, seconds: float) -> None:
        """Wait until the server says that something changed, at most so long. For ``can_idle``."""
        with self.box.idle as idle:
            if not self._has_unread():
                idle.poll(timeout=seconds)

    def _has_unread(self) -> bool:
        """Whether the server has said more than was read: a mail that came while IDLE was asked for
        is told in the same breath, where nobody who waits for the socket would see it."""
        client: Any = self.box.client
        kept = vars(client)
        if "_readbuf" in kept:  # Python 3.14 has a buffer of its own
            return bool(kept["_readbuf"])
        patience = client.sock.gettimeout()
        client.sock.settimeout(0)
        try:
            return bool(kept["file" if "file" in kept else "_file"].peek(1))
        except ssl.SSLWantReadError:
            return False
        finally:
            client.sock.settimeout(patience)

    def hang_up(self) -> None:
        """End it at once, from another thread, whatever it waits for."""
        if self._box is not None:
            with suppress(OSError):
                self._box.client.sock.shutdown(socket.SHUT_RDWR)

    def close(self) -> None:
        """Say good-bye."""
        with suppress(*TROUBLE):
            self.box.logout()
        self._drop()

    def _drop(self) -> None:
        if self._box is not None:
            with suppress(*TROUBLE):
                self._box.client.shutdown()

    def _fetched(self, uids: str, parts: str) -> list[bytes]:
        typ, data = self.box.client.uid("FETCH", uids, parts)
        check_command_status((typ, data), MailboxFetchError)
        return [one for one in data if isinstance(one, bytes) and b"UID " in one]


def _connected(inbox: Inbox) -> BaseMailBox:
    if inbox.tls == "tls":
        context = inbox.trusting()
        return MailBox(inbox.host, inbox.port, timeout=SECONDS, ssl_context=context)
    box = MailBoxUnencrypted(inbox.host, inbox.port, timeout=SECONDS)
    try:
        if inbox.tls == "starttls":  # the library's own leaves the connection open when it fails
            box.client.starttls(inbox.trusting())
    except BaseException:
        with suppress(*TROUBLE):
            box.client.shutdown()
        raise
    return box


def _sign_in(box: BaseMailBox, inbox: Inbox) -> None:
    """And select the folder. LOGIN takes ASCII alone; other letters go by PLAIN (RFC 4616)."""
    if f"{inbox.user}{inbox.password}".isascii():
        box.login(inbox.user, inbox.password, inbox.folder)
        return
    try:
        box.login_utf8(inbox.user, inbox.password, None)
    except imaplib.IMAP4.abort:
        raise
    except imaplib.IMAP4.error as error:
        raise MailboxLoginError(("NO", [str(error).encode()]), "OK") from None
    box.folder.set(inbox.folder)


def _capabilities(box: BaseMailBox) -> frozenset[str]:
    typ, data = box.client.capability()
    if typ != "OK" or not data or not data[-1]:
        return frozenset()
    found = frozenset(data[-1].decode("ascii", "replace").upper().split())
    box.client.capabilities = tuple(found)
    return found


def _namespace(box: BaseMailBox) -> tuple[str, str]:
    """What names of folders begin with here (Cyrus and Courier: "INBOX."), and what stands between
    their levels; "-" where names have none (RFC 2342)."""
    if "NAMESPACE" in box.client.capabilities:
        typ, data = box.client.namespace()
        text = data[-1].decode("utf-8", "replace") if typ == "OK" and data and data[-1] else ""
        if found := re.match(r'\(\("([^"]*)" (?:"(\\?.)"|NIL)', text):
            return found[1], (found[2] or "-")[-1]
    top = box.folder.list("", "INBOX")
    return "", (top[0].delim if top and top[0].delim not in ("", "NIL") else "-")


@contextmanager
def opened(inbox: Inbox) -> Iterator[Conversation]:
    """A conversation for as long as the block lasts. Raises InboxError: also for what happens in
    it."""
    line = Conversation(inbox)
    try:
        yield line
    except TROUBLE as error:
        raise explained(error, inbox) from error
    finally:
        line.close()


def read_once(rt: Runtime, inbox: Inbox) -> Fetched:
    """Take every mail that waits, once. Raises InboxError, InstanceHeld (a copy of the database
    must not read what is the original's), and what the database raises."""
    need(rt)
    with opened(inbox) as line:
        return read_all(rt, line)


def read_all(
    rt: Runtime, line: Conversation, going_on: Callable[[], bool] = lambda: True
) -> Fetched:
    """Take what waits, in batches, for as long as ``going_on`` says so.

    One mail that cannot be fetched, or that ``take`` fails for, stays where it is; after some in a
    row the last error is raised, since then it is no mail's fault.
    """
    found = Fetched()
    waiting = line.waiting()
    in_a_row = 0
    for first in range(0, len(waiting), BATCH):
        batch = waiting[first : first + BATCH]
        sizes = line.sizes(batch) if going_on() else {}
        for uid in batch:
            if not going_on():
                return found
            try:
                _read_one(rt, line, uid, sizes.get(uid, 0), found)
                in_a_row = 0
            except (OSError, imaplib.IMAP4.abort):
                raise  # the conversation is over
            except Exception as error:
                in_a_row += 1
                found.failed += 1
                found.why = f"{type(error).__name__}: {error}"[:300]
                rt.log("inbox_mail_failed", uid=int(uid), error=found.why)
                if in_a_row >= BROKEN_IN_A_ROW:
                    raise
    return found


def _read_one(rt: Runtime, line: Conversation, uid: str, size: int, found: Fetched) -> None:
    data = line.content(uid)
    if data is None:
        return  # somebody else moved it
    taken = take(rt, data, way="imap")
    line.file(uid, taken.state)
    found.states[taken.state] += 1
    found.again += not taken.is_new
    found.cut += size > len(data)
