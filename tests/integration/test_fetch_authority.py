"""Sources behind an authority of one's own: asked with its file, and told of without it."""

import asyncio
import threading
from collections.abc import Iterator
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from support.house import lay_database
from support.tls import TlsAuthority, make_authority

from service.settings import load_settings
from service.sources.fetch import Fetcher
from service.sources.outcome import Failed, Fetched, Outcome
from service.sources.trouble import reason_of
from service.wiring import House


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> TlsAuthority:
    return make_authority(tmp_path_factory.mktemp("tls"))


@pytest.fixture
def port(authority: TlsAuthority) -> Iterator[int]:
    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200)
            self.send_header("Content-Length", "6")
            self.end_headers()
            self.wfile.write(b"<rss/>")

        def log_message(self, format: str, *args: object) -> None:
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.socket = authority.context().wrap_socket(server.socket, server_side=True)
    thread = threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True)
    thread.start()
    yield server.server_port
    server.shutdown()
    server.server_close()
    thread.join()


async def ask(fetcher: Fetcher, url: str) -> Outcome:
    async with fetcher:
        return await fetcher.fetch(url)


def fetcher(ca_file: str) -> Fetcher:
    return Fetcher(
        "Paperpost", clock=lambda: datetime.now(UTC), allow_private=True, ca_file=ca_file
    )


def test_an_unknown_authority_is_named_with_what_to_do(port: int) -> None:
    found = asyncio.run(ask(fetcher(""), f"https://localhost:{port}/"))
    assert isinstance(found, Failed)
    assert found.reason == (
        "no connection: this server shows a certificate of an unknown authority"
    )
    what, to_do = reason_of(found.reason)
    assert what == "Its server shows a certificate of an unknown authority."
    assert "PAPERPOST_SOURCES_CA_FILE" in to_do


def test_the_house_trusts_the_authority_of_its_setting(
    port: int, authority: TlsAuthority, tmp_path: Path
) -> None:
    settings = load_settings(
        None, data_dir=tmp_path, timezone="UTC", sources_ca_file=authority.file
    )
    lay_database(settings)
    house = House(settings, allow_private=True)
    try:
        found = asyncio.run(ask(house.runtime.open_fetcher(), f"https://localhost:{port}/"))
    finally:
        house.close()
    assert isinstance(found, Fetched)
    assert found.body == b"<rss/>"
