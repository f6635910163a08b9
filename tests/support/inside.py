"""Addresses that lead inside, in every spelling, and a network where every way inside is counted.

Nothing leaves the machine: names are looked up in a table, a connection to PUBLIC is led to a
server of the test, and one to any other address to listeners on 127.0.0.1 and ::1 that count it.
"""

import _socket
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest

PUBLIC = "93.184.216.34"


def _words(text: str) -> list[str]:
    return text.split()


LITERAL = _words("""
127.0.0.1 127.0.0.2 127.1.2.3 127.255.255.254 0.0.0.0 0.1.2.3 10.0.0.1 10.255.255.255 172.16.0.1
172.31.255.254 192.168.0.1 192.168.255.254 169.254.0.1 169.254.169.254 169.254.170.2 100.64.0.1
100.100.100.200 100.127.255.254 192.0.0.8 192.0.0.192 168.63.129.16 192.88.99.1 192.0.2.1
198.18.0.1 198.51.100.1 203.0.113.1 224.0.0.1 239.255.255.250 240.0.0.1 255.255.255.255
""")

ENCODED = _words("""
127.1 127.0.1 0 00 0x0 0x7f000001 0X7F000001 0x7f.0.0.1 0x7f.0x0.0x0.0x1 0x7f.1 0177.0.0.1
0177.1 00000177.0.0.1 017700000001 0x7F.0.0.01 127.0.0.0x1 127.0x1 2130706433 2130706434
127.0.0.1. 2852039166 0xa9fea9fe 0xA9.0xFE.0xA9.0xFE 0251.0376.0251.0376 025177524776
169.254.43518 167772161 0xa000001 3232235521 0300.0250.0.1 192.168.1 10.1
""")

SIX = _words("""
::1 0:0:0:0:0:0:0:1 0000:0000:0000:0000:0000:0000:0000:0001 :: ::ffff:127.0.0.1 ::ffff:7f00:1
0:0:0:0:0:ffff:127.0.0.1 ::ffff:0.0.0.0 ::ffff:10.0.0.1 ::ffff:169.254.169.254 ::FFFF:A9FE:A9FE
::ffff:0:127.0.0.1 ::ffff:0:a9fe:a9fe ::127.0.0.1 ::7f00:1 ::a9fe:a9fe
64:ff9b::7f00:1 64:ff9b::127.0.0.1 64:ff9b::169.254.169.254 64:ff9b::10.0.0.1 64:ff9b::8.8.8.8
64:ff9b:1::7f00:1 64:ff9b:1:ffff::a00:1 2002:7f00:1:: 2002:7f00:1::1 2002:a9fe:a9fe:: 2002:c0a8:1::1
2002:a00:1::1 2002:808:808::1 2001:0:7f00:1:: 2001:0:4136:e378:8000:63bf:80ff:fffe 2001::1
2001:2::1 2001:10::1 2001:20::1 2001:db8::1 2001:db8::5efe:7f00:1 3fff::1 5f00::1 100::1 4000::1
fe80::1 fe80::5efe:127.0.0.1 2606:4700::5efe:127.0.0.1 2606:4700::200:5efe:10.0.0.1 fec0::1 fc00::1
fd00:ec2::254 fd12:3456::1 ff02::1 ff05::1:3 ff0e::1 fe80::1%25lo
""")

NAMES = {
    "localhost": ["127.0.0.1", "::1"],
    "localhost.": ["127.0.0.1", "::1"],
    "LocalHost": ["127.0.0.1"],
    "app.localhost": ["127.0.0.1"],
    "localhost.localdomain": ["127.0.0.1"],
    "ip6-loopback": ["::1"],
    "inside.example": ["127.0.0.1"],
    "inside6.example": ["::1"],
    "127.0.0.1.nip.example": ["127.0.0.1"],
    "7f000001.nip.example": ["127.0.0.1"],
    "mapped.example": ["::ffff:127.0.0.1"],
    "nat64.example": ["64:ff9b::7f00:1"],
    "six-to-four.example": ["2002:7f00:1::"],
    "zoned.example": ["fe80::1%lo"],
    "zero.example": ["0.0.0.0"],
    "metadata.google.internal": ["169.254.169.254"],
    "metadata.example": ["fd00:ec2::254"],
    "both.example": [PUBLIC, "127.0.0.1"],
    "both6.example": ["::1", PUBLIC],
    "nobody.example": [],
}

SPELT = _words("""
http://１２７.０.０.１/ http://①②⑦.⓪.⓪.①/ http://127。0。0。1/ http://127．0．0．1/ http://ｌｏｃａｌｈｏｓｔ/
http://ⓛⓞⓒⓐⓛⓗⓞⓢⓣ/ http://loc\u00adalhost/ http://127%2e0%2e0%2e1/ http://%31%32%37.0.0.1/
http://127.0.0.1%00.journal.example/ http://[::1%00]/ http://127.0.0.1%09/ http:127.0.0.1/
http:///127.0.0.1/ http:/127.0.0.1/ http://127.0.0.1:80/ http://127.0.0.1:080/ http://127.0.0.1:0080/
http://127.0.0.1:8080/ http://[::1]:8443/ https://127.0.0.1/ https://[::1]/ https://localhost/
http://127.0.0.1:22/ http://127.0.0.1:6379/ http://127.0.0.1:65616/ http://localhost:5432/
http://journal.example@127.0.0.1/ http://user:secret@127.0.0.1/ http://journal.example:80@127.0.0.1/
http://journal.example%40127.0.0.1/ http://@127.0.0.1/ http://a@b@127.0.0.1/ http://:@[::1]/
http://127.0.0.1#@journal.example/ http://127.0.0.1?@journal.example/
http://127.0.0.1\\@journal.example/ http://127.0.0.1;journal.example/ http://127.0.0.1,journal.example/
HTTP://127.0.0.1/ hTTp://LOCALHOST/ http://127.0.0.1/../../ http://127.0.0.1//x http://0x7f.1:80/
file:///etc/passwd ftp://127.0.0.1/ gopher://127.0.0.1:6379/_x dict://127.0.0.1:11211/ ws://127.0.0.1/
unix:///run/docker.sock http+unix://%2Frun%2Fdocker.sock/ jar:http://127.0.0.1!/ data:,x
//127.0.0.1/
""")

TARGETS = [
    *(f"http://{address}/" for address in LITERAL + ENCODED),
    *(f"http://[{address}]/" for address in SIX),
    *(f"http://{name}/" for name in NAMES),
    *SPELT,
]


@dataclass
class Network:
    """counted: connections that the listeners took. asked: names that were looked up, in turn.
    tried: addresses of connections, PUBLIC left out. location: where PUBLIC sends its visitors.
    answers: per name what the next look-ups say, in turn; then as in NAMES."""

    counted: list[str] = field(default_factory=list)
    asked: list[str] = field(default_factory=list)
    tried: list[str] = field(default_factory=list)
    location: Callable[[str], str] = lambda path: ""
    answers: dict[str, list[list[str]]] = field(default_factory=dict)
    visits: list[str] = field(default_factory=list)

    def settled(self) -> int:
        """How many connections came, after some time for those under way."""
        time.sleep(0.05)
        return len(self.counted)


def _listen(family: int, host: str, network: Network, stop: threading.Event) -> tuple[Any, Any]:
    listener = socket.socket(family, socket.SOCK_STREAM)
    listener.bind((host, 0))
    listener.listen(200)
    listener.settimeout(0.05)

    def take() -> None:
        while not stop.is_set():
            try:
                made, _ = listener.accept()
            except TimeoutError:
                continue
            network.counted.append(host)
            body = b"HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 6\r\n\r\nsecret"
            with made:
                made.sendall(body)
        listener.close()

    thread = threading.Thread(target=take)
    thread.start()
    return listener.getsockname()[1], thread


def _front(network: Network) -> ThreadingHTTPServer:
    """What answers for PUBLIC: a redirect, or an empty page."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            network.visits.append(self.path)
            to = network.location(self.path)
            self.send_response(302 if to else 200)
            if to:
                self.send_header("Location", to)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, format: str, *args: object) -> None:
            del format, args

    return ThreadingHTTPServer(("127.0.0.1", 0), Handler)


@contextmanager
def network(patch: pytest.MonkeyPatch) -> Iterator[Network]:
    """Lead every look-up and connection of this process as the module says."""
    made, stop = Network(), threading.Event()
    four, thread4 = _listen(socket.AF_INET, "127.0.0.1", made, stop)
    six, thread6 = _listen(socket.AF_INET6, "::1", made, stop)
    front = _front(made)
    serving = threading.Thread(target=front.serve_forever, args=(0.02,))
    serving.start()
    look_up = socket.getaddrinfo

    def getaddrinfo(host: Any, port: Any, *rest: Any, **more: Any) -> Any:
        name = host.decode() if isinstance(host, bytes) else str(host)
        made.asked.append(name)
        queue = made.answers.get(name)
        known = queue.pop(0) if queue else NAMES.get(name)
        if known is None and name.endswith("journal.example"):
            known = [PUBLIC]
        if known is None:  # numbers alone: no name server is asked
            return look_up(host, port, type=socket.SOCK_STREAM, flags=socket.AI_NUMERICHOST)
        if not known:
            raise socket.gaierror(socket.EAI_NONAME, "no such name")
        found = []
        for address in known:
            family = socket.AF_INET6 if ":" in address else socket.AF_INET
            place = (address, port, 0, 0) if ":" in address else (address, port)
            found.append((family, socket.SOCK_STREAM, 6, "", place))
        return found

    def connect(self: socket.socket, address: Any) -> None:
        host = str(address[0])
        if host == PUBLIC:
            _socket.socket.connect(self, ("127.0.0.1", front.server_address[1]))
            return
        made.tried.append(host)
        is_six = self.family == socket.AF_INET6
        _socket.socket.connect(self, ("::1", six, 0, 0) if is_six else ("127.0.0.1", four))

    patch.setattr(socket, "getaddrinfo", getaddrinfo)
    patch.setattr(socket.socket, "connect", connect)
    try:
        yield made
    finally:
        stop.set()
        front.shutdown()
        front.server_close()
        for thread in (thread4, thread6, serving):
            thread.join()
