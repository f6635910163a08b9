"""An IMAP server of the tests' own that does what it is told: refuses, hangs up, offers little.

It speaks just enough for one client at a time; what a real one does is shown with Dovecot.
"""

import re
import socket
import threading
from base64 import b64decode
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from typing import Any

OFFERS = "IMAP4rev1 IDLE MOVE UIDPLUS NAMESPACE"


@dataclass
class ImapServer:
    """mails: by UID, in the folder that is read · folders: name -> contents · refuse: command ->
    the words of its NO, for so long as they stand here · drop: commands at which it hangs up ·
    tells_at_once: that something came, in the same breath as that it idles · plain: what
    was said to AUTHENTICATE PLAIN."""

    mails: dict[int, bytes] = field(default_factory=dict)
    folders: dict[str, list[bytes]] = field(default_factory=lambda: {"INBOX": []})
    offers: str = OFFERS
    refuse: dict[str, str] = field(default_factory=dict)
    drop: set[str] = field(default_factory=set)
    commands: list[str] = field(default_factory=list)
    idling: threading.Event = field(default_factory=threading.Event)
    come: threading.Event = field(default_factory=threading.Event)
    tells_at_once: bool = False
    plain: bytes = b""
    port: int = 0

    def serve(self, listener: socket.socket) -> None:
        """Talk to one client after the other until the listener is closed."""
        while True:
            try:
                line, _ = listener.accept()
            except OSError:
                return
            line.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            with suppress(OSError, ValueError), line, line.makefile("rwb") as talk:
                self._talk(talk)

    def _talk(self, talk: Any) -> None:
        def say(text: str | bytes) -> None:
            talk.write((text.encode() if isinstance(text, str) else text) + b"\r\n")
            talk.flush()

        say("* OK ready")
        while words := talk.readline().decode().strip():
            tag, _, rest = words.partition(" ")
            verb = " ".join(rest.split()[: 2 if rest.upper().startswith("UID") else 1]).upper()
            self.commands.append(verb)
            if verb in self.drop:
                return
            if verb in self.refuse:
                say(f"{tag} NO {self.refuse[verb]}")
                continue
            for answer in self._answers(verb, rest):
                say(answer)
            if verb == "IDLE":
                self._idle(talk, say)
            if verb == "AUTHENTICATE":
                say("+ ")
                self.plain = b64decode(talk.readline())
            say(f"{tag} OK done")
            if verb == "LOGOUT":
                return

    def _idle(self, talk: Any, say: Any) -> None:
        at_once = self.tells_at_once
        say("+ idling" + ("\r\n* 1 EXISTS" if at_once else ""))
        self.idling.set()
        if at_once:
            talk.readline()
            return
        self.come.wait(5)
        self.come.clear()
        say(f"* {len(self.mails)} EXISTS")
        talk.readline()
        self.idling.clear()

    def _answers(self, verb: str, rest: str) -> Iterator[str | bytes]:
        if verb == "CAPABILITY":
            yield f"* CAPABILITY {self.offers}"
        elif verb == "NAMESPACE":
            yield '* NAMESPACE (("" "/")) NIL NIL'
        elif verb == "LIST":
            name = rest.split()[-1].strip('"')
            if name in self.folders:
                yield f'* LIST () "/" "{name}"'
        elif verb == "CREATE":
            self.folders[rest.split()[-1].strip('"')] = []
        elif verb == "SELECT":
            yield f"* {len(self.mails)} EXISTS"
        elif verb == "UID SEARCH":
            yield "* SEARCH " + " ".join(str(uid) for uid in self.mails)
        elif verb == "LOGOUT":
            yield "* BYE"
        elif verb == "UID FETCH":
            yield from self._fetched(rest)
        elif verb == "UID MOVE":
            _, _, uid, folder = rest.split()
            self.folders[folder.strip('"')].append(self.mails.pop(int(uid)))

    def _fetched(self, rest: str) -> Iterator[str | bytes]:
        for text in rest.split()[2].split(","):
            data = self.mails.get(uid := int(text))
            if data is None:
                continue
            if "RFC822.SIZE" in rest:
                yield f"* 1 FETCH (UID {uid} RFC822.SIZE {len(data)})"
                continue
            most = re.search(r"<0\.(\d+)>", rest)
            assert most is not None
            data = data[: int(most[1])]
            yield f"* 1 FETCH (UID {uid} BODY[]<0> {{{len(data)}}}".encode() + b"\r\n" + data + b")"


@contextmanager
def imap_server(**values: Any) -> Iterator[ImapServer]:
    """One that listens on loopback while the block lasts. values: as ``ImapServer``."""
    server = ImapServer(**values)
    listener = socket.create_server(("127.0.0.1", 0))
    server.port = int(listener.getsockname()[1])
    thread = threading.Thread(target=server.serve, args=(listener,), daemon=True)
    thread.start()
    try:
        yield server
    finally:
        server.come.set()
        with suppress(OSError):
            listener.shutdown(socket.SHUT_RDWR)
        listener.close()
        thread.join(5)
