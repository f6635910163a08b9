"""No request leaves for an address outside of the public internet."""

import asyncio
import socket
import threading
from collections.abc import Iterator
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest

from service.sources import public
from service.sources.fetch import Fetcher
from service.sources.outcome import Failed, Fetched, Outcome

NOW = datetime(2026, 6, 17, tzinfo=UTC)

INSIDE = [
    "http://127.0.0.1/",
    "http://127.1/",
    "http://localhost/",
    "http://localhost./",
    "http://0x7f000001/",
    "http://2130706433/",
    "http://017700000001/",
    "http://0.0.0.0/",
    "http://[::1]/",
    "http://[::]/",
    "http://[::ffff:127.0.0.1]/",
    "http://[64:ff9b::7f00:1]/",
    "http://[2002:7f00:1::]/",
    "http://169.254.169.254/latest/meta-data",
    "http://10.0.0.1/",
    "http://100.64.0.1/",
    "http://224.0.0.1/",
    "http://[fe80::1]/",
    "http://user:secret@127.0.0.1/",
]


@pytest.fixture
def door() -> Iterator[tuple[str, list[str]]]:
    """A server on 127.0.0.1 that notes each visit and sends visitors on to 127.0.0.2."""
    visits: list[str] = []

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            visits.append(f"{self.headers['Host']} {self.path}")
            moved = self.path == "/away"
            self.send_response(302 if moved else 200)
            if moved:
                self.send_header("Location", f"http://127.0.0.2:{port}/secret")
            self.send_header("Content-Length", "2")
            self.end_headers()
            self.wfile.write(b"ok")

        def log_message(self, format: str, *args: object) -> None:
            del format, args

    server = ThreadingHTTPServer(("0.0.0.0", 0), Handler)
    port = server.server_address[1]
    thread = threading.Thread(target=server.serve_forever, args=(0.05,))
    thread.start()
    yield f"http://127.0.0.1:{port}", visits
    server.shutdown()
    server.server_close()
    thread.join()


def fetch(url: str) -> Outcome:
    async def once() -> Outcome:
        async with Fetcher("Paperpost/0.1", clock=lambda: NOW, seconds=5) as fetcher:
            return await fetcher.fetch(url)

    return asyncio.run(once())


@pytest.mark.parametrize("url", INSIDE)
def test_refused_before_any_connection(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    def connect(*_: object) -> None:
        raise AssertionError("a connection was opened")

    monkeypatch.setattr(socket.socket, "connect", connect)
    found = fetch(url)
    assert isinstance(found, Failed)
    assert found.permanent or found.reason.startswith("no connection: the name")
    assert "assert" not in found.reason


@pytest.mark.parametrize("port", [22, 25, 3306, 6379])
def test_ports_that_serve_no_pages(port: int) -> None:
    found = fetch(f"http://93.184.216.34:{port}/")
    assert found == Failed(reason=f"refused: port {port} is not allowed", permanent=True)


def test_a_redirect_inside_is_refused(
    door: tuple[str, list[str]], monkeypatch: pytest.MonkeyPatch
) -> None:
    url, visits = door
    port = int(url.rpartition(":")[2])
    monkeypatch.setattr(public, "is_public", lambda address: address == "127.0.0.1")
    monkeypatch.setattr(public, "PORTS", (port,))
    assert isinstance(fetch(url + "/here"), Fetched)
    found = fetch(url + "/away")
    assert isinstance(found, Failed)
    assert "127.0.0.2 is not a public address" in found.reason
    assert [visit.split()[1] for visit in visits] == ["/here", "/away"]


def test_a_name_is_resolved_once_and_what_was_checked_is_used(
    door: tuple[str, list[str]], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A name that answers with a public address first and with a private one afterwards."""
    url, visits = door
    port = int(url.rpartition(":")[2])
    answers = iter(["127.0.0.1", "127.0.0.2"])
    asked: list[str] = []
    real = socket.getaddrinfo

    def resolve(host: Any, *rest: Any, **more: Any) -> Any:
        if host in ("rebind.example.test", b"rebind.example.test"):
            asked.append(str(host))
            host = next(answers)
        return real(host, *rest, **more)

    monkeypatch.setattr(socket, "getaddrinfo", resolve)
    monkeypatch.setattr(public, "is_public", lambda address: address == "127.0.0.1")
    monkeypatch.setattr(public, "PORTS", (port,))
    first = fetch(f"http://rebind.example.test:{port}/here")
    assert isinstance(first, Fetched)
    assert len(asked) == 1
    assert visits == [f"rebind.example.test:{port} /here"]
    second = fetch(f"http://rebind.example.test:{port}/here")
    assert isinstance(second, Failed)
    assert len(visits) == 1


def test_one_private_address_among_public_ones_is_enough(monkeypatch: pytest.MonkeyPatch) -> None:
    def resolve(*_: object, **__: object) -> list[Any]:
        kind = (socket.AF_INET, socket.SOCK_STREAM, 6, "")
        return [(*kind, ("93.184.216.34", 80)), (*kind, ("10.0.0.1", 80))]

    monkeypatch.setattr(socket, "getaddrinfo", resolve)
    found = fetch("http://mixed.example.test/")
    assert isinstance(found, Failed)
    assert found.reason == "refused: mixed.example.test is not a public address"
