"""The fetcher against a real HTTP server on loopback: bounds, conditions, redirects, codings."""

import asyncio
import gzip
import threading
import time
import zlib
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from email.utils import format_datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from service.sources.fetch import Fetcher
from service.sources.outcome import Failed, Fetched, NotModified, Outcome, retry_after

NOW = datetime(2026, 6, 17, 10, 0, tzinfo=UTC)
AGENT = "Paperpost/0.1 (+https://papers.example.org; mailto:post@papers.example.org)"
Answer = Callable[[BaseHTTPRequestHandler], None]


class Site:
    """A server whose pages are functions; it remembers what it was asked."""

    def __init__(self) -> None:
        self.pages: dict[str, Answer] = {}
        self.asked: list[tuple[str, dict[str, str]]] = []
        site = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self) -> None:
                site.asked.append((self.path, dict(self.headers)))
                self.close_connection = True
                site.pages[self.path](self)

            def log_message(self, format: str, *args: object) -> None:
                del format, args

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.thread = threading.Thread(target=self.server.serve_forever, args=(0.05,))
        self.thread.start()
        self.url = f"http://127.0.0.1:{self.server.server_address[1]}"

    def close(self) -> None:
        self.server.shutdown()
        self.server.server_close()
        self.thread.join()


@pytest.fixture
def site() -> Iterator[Site]:
    site = Site()
    yield site
    site.close()


def page(body: bytes = b"", status: int = 200, **headers: str) -> Answer:
    def answer(handler: BaseHTTPRequestHandler) -> None:
        handler.send_response(status)
        for name, value in headers.items():
            handler.send_header(name.replace("_", "-"), value)
        handler.send_header("Content-Length", str(len(body)))
        handler.end_headers()
        try:
            handler.wfile.write(body)
        except OSError:
            return  # the client hung up, as it may

    return answer


def fetch(url: str, *, seconds: float = 5, most_bytes: int = 1_000_000, **more: str) -> Outcome:
    async def once() -> Outcome:
        async with Fetcher(
            AGENT,
            clock=lambda: NOW,
            allow_private=True,
            seconds=seconds,
            most_bytes=most_bytes,
        ) as fetcher:
            return await fetcher.fetch(url, **more)

    return asyncio.run(once())


def test_a_page(site: Site) -> None:
    site.pages["/feed"] = page(b"<rss/>", ETag='"1"', Last_Modified="Tue, 16 Jun 2026 00:00:00 GMT")
    found = fetch(site.url + "/feed")
    assert isinstance(found, Fetched)
    assert (found.body, found.etag, found.status) == (b"<rss/>", '"1"', 200)
    assert found.last_modified == "Tue, 16 Jun 2026 00:00:00 GMT"
    assert (found.url, found.moved_to) == (site.url + "/feed", "")
    _, headers = site.asked[0]
    assert headers["User-Agent"] == AGENT
    assert headers["Host"] == site.url.removeprefix("http://")
    assert "If-None-Match" not in headers


def test_an_unchanged_page(site: Site) -> None:
    site.pages["/feed"] = page(status=304)
    found = fetch(site.url + "/feed", etag='W/"7"', last_modified="Tue, 16 Jun 2026 00:00:00 GMT")
    assert found == NotModified()
    _, headers = site.asked[0]
    assert headers["If-None-Match"] == 'W/"7"'
    assert headers["If-Modified-Since"] == "Tue, 16 Jun 2026 00:00:00 GMT"


@pytest.mark.parametrize(
    ("coding", "body"),
    [
        ("gzip", gzip.compress(b"text " * 900)),
        ("deflate", zlib.compress(b"text " * 900)),
        ("gzip", gzip.compress(b"text " * 400) + gzip.compress(b"text " * 500)),
        ("gzip", gzip.compress(b"text " * 900) + bytes(300_000)),
        ("gzip", gzip.compress(b"text " * 400) + bytes(9) + gzip.compress(b"text " * 500)),
    ],
    ids=["gzip", "deflate", "two gzip members", "zeros behind", "zeros between"],
)
def test_codings(site: Site, coding: str, body: bytes) -> None:
    site.pages["/"] = page(body, Content_Encoding=coding)
    found = fetch(site.url + "/")
    assert isinstance(found, Fetched)
    assert found.body == b"text " * 900


@pytest.mark.parametrize(
    ("body", "headers"),
    [
        (b"x" * 1_000_001, {}),
        (gzip.compress(b"\0" * 80_000_000), {"Content_Encoding": "gzip"}),
    ],
    ids=["plain", "packed"],
)
def test_too_many_bytes(site: Site, body: bytes, headers: dict[str, str]) -> None:
    site.pages["/"] = page(body, **headers)
    found = fetch(site.url + "/")
    assert isinstance(found, Failed)
    assert "larger than 1,000,000 bytes" in found.reason


@pytest.mark.parametrize("coding", ["gzip", "br", "zstd"])
def test_a_coding_that_cannot_be_unpacked(site: Site, coding: str) -> None:
    site.pages["/"] = page(b"this is plain text", Content_Encoding=coding)
    found = fetch(site.url + "/")
    assert isinstance(found, Failed)
    assert found.reason.startswith("the answer cannot be unpacked")


def test_a_byte_now_and_then_is_ended_in_time(site: Site) -> None:
    stop = threading.Event()

    def drip(handler: BaseHTTPRequestHandler) -> None:
        handler.send_response(200)
        handler.end_headers()
        while not stop.wait(0.05):
            try:
                handler.wfile.write(b"x")
            except OSError:
                return

    site.pages["/"] = drip
    began = time.monotonic()
    found = fetch(site.url + "/", seconds=0.6)
    stop.set()
    assert found == Failed(reason="no full answer within 0.6 seconds")
    assert time.monotonic() - began < 3


def test_a_broken_answer_and_no_server(site: Site) -> None:
    def cut(handler: BaseHTTPRequestHandler) -> None:
        handler.send_response(200)
        handler.send_header("Content-Length", "100")
        handler.end_headers()
        handler.wfile.write(b"only this")

    site.pages["/"] = cut
    broken = fetch(site.url + "/")
    assert isinstance(broken, Failed)
    assert broken.reason.startswith("the connection broke")
    closed = fetch("http://127.0.0.1:1/")
    assert isinstance(closed, Failed)
    assert closed.reason.startswith("no connection")
    assert not closed.permanent


@pytest.mark.parametrize("status", [301, 308])
def test_a_move_for_good_is_told(site: Site, status: int) -> None:
    site.pages["/old"] = page(status=status, Location="/new")
    site.pages["/new"] = page(b"here")
    found = fetch(site.url + "/old")
    assert isinstance(found, Fetched)
    assert (found.body, found.moved_to) == (b"here", site.url + "/new")


def test_a_move_for_a_while_is_not(site: Site) -> None:
    site.pages["/a"] = page(status=301, Location="/b")
    site.pages["/b"] = page(status=302, Location="/c")
    site.pages["/c"] = page(b"here")
    found = fetch(site.url + "/a")
    assert isinstance(found, Fetched)
    assert (found.url, found.moved_to) == (site.url + "/c", "")


def test_five_redirects_and_no_more(site: Site) -> None:
    for number in range(6):
        site.pages[f"/{number}"] = page(status=302, Location=f"/{number + 1}")
    site.pages["/6"] = page(b"here")
    assert isinstance(fetch(site.url + "/1"), Fetched)
    assert fetch(site.url + "/0") == Failed(reason="more than 5 redirects", permanent=True)


def test_a_redirect_out_of_the_web(site: Site) -> None:
    site.pages["/"] = page(status=302, Location="file:///etc/passwd")
    found = fetch(site.url + "/")
    assert isinstance(found, Failed)
    assert found.permanent
    assert "only http and https" in found.reason


def test_a_source_that_ended(site: Site) -> None:
    site.pages["/"] = page(b"gone", status=410)
    found = fetch(site.url + "/")
    assert isinstance(found, Failed)
    assert (found.gone, found.permanent, found.status) == (True, True, 410)


def test_the_words_of_an_error_are_kept(site: Site) -> None:
    site.pages["/"] = page(b"Feed error for query", status=400)
    found = fetch(site.url + "/")
    assert isinstance(found, Failed)
    assert (found.body, found.status, found.permanent) == (b"Feed error for query", 400, True)


@pytest.mark.parametrize(
    ("headers", "wait"),
    [
        ({"Retry_After": "120"}, 120.0),
        ({"Retry_After": "9999999"}, 86_400.0),
        ({"Retry_After": format_datetime(NOW.replace(hour=11), usegmt=True)}, 3600.0),
        ({"Retry_After": "soon"}, None),
        ({"Retry_After": "Wed, 21 Oct 99999999999 07:28:00 GMT"}, None),
        ({"RateLimit": '"api";r=0;t=77'}, 77.0),
        ({}, None),
    ],
)
def test_how_long_to_wait(site: Site, headers: dict[str, str], wait: float | None) -> None:
    site.pages["/"] = page(status=429, **headers)
    found = fetch(site.url + "/")
    assert isinstance(found, Failed)
    assert (found.retry_after, found.permanent) == (wait, False)


def test_a_date_in_the_past_means_now() -> None:
    assert retry_after("Tue, 16 Jun 2026 00:00:00 GMT", NOW) == 0.0


def test_cookies_are_not_carried(site: Site) -> None:
    site.pages["/a"] = page(status=302, Location="/b", Set_Cookie="id=1")
    site.pages["/b"] = page(b"here")
    fetch(site.url + "/a")
    assert all("Cookie" not in headers for _, headers in site.asked)


def test_no_proxy_of_the_environment(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:1")
    monkeypatch.setenv("ALL_PROXY", "http://127.0.0.1:1")
    site.pages["/"] = page(b"here")
    assert isinstance(fetch(site.url + "/"), Fetched)


@pytest.mark.parametrize("url", ["", "not a url", "ftp://a.example/", "http://", "http://\u0000/"])
def test_addresses_that_cannot_be_asked(url: str) -> None:
    found = fetch(url)
    assert isinstance(found, Failed)
    assert found.permanent
