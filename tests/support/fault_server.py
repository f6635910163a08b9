"""A web server on 127.0.0.1 that does everything wrong; each path is one fault.

``with FaultServer() as server: server.url("drip")``, or ``python -m tests.support.fault_server``,
a process of its own, which prints its port.
"""

import asyncio
import contextlib
import gzip
import socket
import ssl
import struct
import threading
import zlib
from collections.abc import Awaitable, Callable
from functools import cache
from types import TracebackType
from typing import Self

Fault = Callable[["Talk"], Awaitable[None]]
FAULTS: dict[str, Fault] = {}
FEED_TYPE = "application/rss+xml"
ZEROS = bytes(256 * 1024)


def feed(number: int = 0, items: int = 5, encoding: str = "utf-8") -> bytes:
    """A good feed of invented papers, named after ``number``."""
    entries = "".join(
        f"<item><title>Paper {n} of journal {number}: \xfcber fish</title>"
        f"<guid>https://journal.example/{number}/{n}</guid>"
        f"<link>https://journal.example/{number}/{n}</link><description>About.</description></item>"
        for n in range(items)
    )
    return (
        f'<?xml version="1.0" encoding="{encoding}"?><rss version="2.0"><channel>'
        f"<title>Journal {number}</title><link>https://journal.example/</link>"
        f"<description>d</description>{entries}</channel></rss>"
    ).encode(encoding)


def laughs(layers: int = 12) -> bytes:
    """An XML bomb: each entity is ten of the one before."""
    entities = b"".join(
        b'<!ENTITY a%d "%s">' % (n, b"&a%d;" % (n - 1) * 10 if n else b"ha" * 5)
        for n in range(layers)
    )
    return (
        b"<!DOCTYPE r [" + entities + b"]><rss version='2.0'><channel><title>&a%d;</title>"
        b"</channel></rss>" % (layers - 1)
    )


def quadratic() -> bytes:
    """An XML bomb without layers: one long entity, used often."""
    return (
        b'<!DOCTYPE r [<!ENTITY a "' + b"x" * 100_000 + b'">]><rss version="2.0"><channel><title>'
        + b"&a;" * 20_000 + b"</title></channel></rss>"
    )  # fmt: skip


@cache
def packed_zeros() -> bytes:
    """100 MB of zeros as one gzip member of about 100 kB."""
    packer = zlib.compressobj(9, wbits=31)
    return b"".join(packer.compress(bytes(1_000_000)) for _ in range(100)) + packer.flush()


class Talk:
    """One request and what is said to it. headers: as asked, names in lower case."""

    def __init__(self, path: str, headers: dict[str, str], writer: asyncio.StreamWriter) -> None:
        self.path, self.headers, self.writer = path, headers, writer

    async def say(self, data: bytes) -> None:
        self.writer.write(data)
        await self.writer.drain()

    async def head(self, status: str = "200 OK", **headers: str) -> None:
        lines = [f"HTTP/1.1 {status}", "Connection: close"]
        lines += [f"{name.replace('_', '-')}: {value}" for name, value in headers.items()]
        await self.say("\r\n".join([*lines, "", ""]).encode("latin-1"))

    async def page(self, body: bytes, status: str = "200 OK", **headers: str) -> None:
        headers = {"Content_Length": str(len(body)), "Content_Type": FEED_TYPE, **headers}
        await self.head(status, **headers)
        await self.say(body)

    def reset(self) -> None:
        """Break the connection the hard way."""
        linger = struct.pack("ii", 1, 0)
        self.writer.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
        self.writer.transport.abort()


def fault(work: Fault) -> Fault:
    FAULTS[work.__name__] = work
    return work


def page(name: str, body: Callable[[], bytes], status: str = "200 OK", **headers: str) -> None:
    async def work(talk: Talk) -> None:
        await talk.page(body(), status, **headers)

    FAULTS[name] = work


def raw(name: str, answer: bytes) -> None:
    async def work(talk: Talk) -> None:
        await talk.say(answer)

    FAULTS[name] = work


@fault
async def good(talk: Talk) -> None:
    await talk.page(feed(int(talk.path.rpartition("/")[2] or 0)))


@fault
async def two_gb(talk: Talk) -> None:
    await talk.head(Content_Length=str(2 * 1024**3))
    for _ in range(2 * 1024**3 // len(ZEROS)):
        await talk.say(ZEROS)


@fault
async def two_gb_in_chunks(talk: Talk) -> None:
    await talk.head(Transfer_Encoding="chunked")
    for _ in range(2 * 1024**3 // len(ZEROS)):
        await talk.say(b"%x\r\n%s\r\n" % (len(ZEROS), ZEROS))


@fault
async def gzip_bomb(talk: Talk) -> None:
    await talk.head(Content_Encoding="gzip")
    member = packed_zeros()
    for _ in range(20):
        await talk.say(member)


@fault
async def gzip_bomb_on_a_redirect(talk: Talk) -> None:
    """The redirect itself has a body without end, too; nobody needs to read it."""
    await talk.head("302 Found", Location="/gzip_bomb", Content_Encoding="gzip")
    member = packed_zeros()
    for _ in range(20):
        await talk.say(member)


@fault
async def drip(talk: Talk) -> None:
    await talk.head(Content_Type=FEED_TYPE)
    while True:
        await talk.say(b"<")
        await asyncio.sleep(1)


@fault
async def drip_after_a_megabyte(talk: Talk) -> None:
    await talk.head(Content_Type=FEED_TYPE)
    await talk.say(b"<rss>" + bytes(3 * 1024 * 1024))
    while True:
        await talk.say(b"<")
        await asyncio.sleep(1)


@fault
async def silence(talk: Talk) -> None:
    await asyncio.sleep(3600)


@fault
async def slow_headers(talk: Talk) -> None:
    await talk.say(b"HTTP/1.1 200 OK\r\n")
    while True:
        await talk.say(b"X-A: b\r\n")
        await asyncio.sleep(0.2)


@fault
async def endless_headers(talk: Talk) -> None:
    await talk.say(b"HTTP/1.1 200 OK\r\n")
    while True:
        await talk.say(b"".join(b"X-%d: %s\r\n" % (n, b"a" * 100) for n in range(500)))


@fault
async def endless_header(talk: Talk) -> None:
    await talk.say(b"HTTP/1.1 200 OK\r\nX-A: ")
    while True:
        await talk.say(b"a" * 50_000)


@fault
async def endless_continue(talk: Talk) -> None:
    while True:
        await talk.say(b"HTTP/1.1 100 Continue\r\n\r\n" * 100)
        await asyncio.sleep(0.001)


@fault
async def endless_trailers(talk: Talk) -> None:
    await talk.head(Transfer_Encoding="chunked")
    await talk.say(b"5\r\n<rss>\r\n0\r\n")
    while True:
        await talk.say(b"X-A: %s\r\n" % (b"a" * 1000))


@fault
async def reset_at_once(talk: Talk) -> None:
    talk.reset()


@fault
async def reset_in_the_body(talk: Talk) -> None:
    await talk.head(Content_Length="100000")
    await talk.say(feed()[:200])
    talk.reset()


@fault
async def chain(talk: Talk) -> None:
    """/chain/6 leads to /chain/5 and so on; /chain/0 is a feed."""
    left = int(talk.path.rpartition("/")[2])
    if left:
        await talk.page(b"", "301 Moved", Location=f"/chain/{left - 1}")
    else:
        await talk.page(feed())


@fault
async def tags(talk: Talk) -> None:
    """A tag that no header may have; who sends it back gets a 500."""
    if "if-none-match" in talk.headers:
        await talk.page(b"", "500 Broken")
        return
    bad = {"/tags/0": b'"\xfcber"', "/tags/1": b'"a\tb"', "/tags/2": b'"' + b"x" * 9000 + b'"'}
    await talk.say(b"HTTP/1.1 200 OK\r\nConnection: close\r\nETag: %s\r\n" % bad[talk.path])
    await talk.say(b"Last-Modified: \xe4\xf6\r\nContent-Length: %d\r\n\r\n" % len(feed()))
    await talk.say(feed())


LONG = b"HTTP/1.1 200 OK\r\nConnection: close\r\n"
page("xml_bomb", laughs)
page("xml_bomb_on_a_redirect", lambda: b"", "302 Found", Location="/xml_bomb")
page("xml_bomb_packed", lambda: gzip.compress(quadratic()), Content_Encoding="gzip")
page("quadratic_bomb", quadratic)
page("nested", lambda: b"<rss version='2.0'><channel>" + b"<a b='c'>" * 1_600_000)
page("nested_json", lambda: b'{"version":' + b"[" * 3_000_000)
page("gzip_of_gzip", lambda: gzip.compress(gzip.compress(feed())), Content_Encoding="gzip")
page("gzip_twice", lambda: gzip.compress(gzip.compress(feed())), Content_Encoding="gzip, gzip")
page("not_gzip", feed, Content_Encoding="gzip")
page("half_gzip", lambda: gzip.compress(feed())[:200], Content_Encoding="gzip")
page("says_utf8", lambda: feed(encoding="latin-1").replace(b"latin-1", b"utf-8"))
page("says_ascii", feed, Content_Type="text/xml; charset=us-ascii")
page("says_utf16", feed, Content_Type="text/xml; charset=utf-16")
page("is_utf16", lambda: feed(encoding="utf-16"))
page("says_klingon", lambda: feed().replace(b"utf-8", b"klingon"))
page("html", lambda: b"<!DOCTYPE html><html><head><title>Sign in</title></head></html>")
page("zeros", lambda: bytes(100_000))
page("nothing", lambda: b"")
page("no_content", lambda: b"", "204 No Content")
page("gone", lambda: b"gone for ever", "410 Gone")
page("broken", lambda: b"<h1>sorry</h1>", "500 Internal Server Error")
page("loop", lambda: b"", "301 Moved", Location="/loop")
page("to_file", lambda: b"", "302 Found", Location="file:///etc/passwd")
page("to_gopher", lambda: b"", "302 Found", Location="gopher://127.0.0.1:70/")
page("to_data", lambda: b"", "302 Found", Location="data:text/xml,<rss/>")
page("to_nowhere", lambda: b"", "302 Found", Location="http://")
page("to_garbage", lambda: b"", "302 Found", Location="http://[::1/\x7f")
raw("short_length", LONG + b"Content-Length: 100\r\n\r\n" + feed())
raw("long_length", LONG + b"Content-Length: 90000\r\n\r\n" + feed())
raw("two_lengths", LONG + b"Content-Length: 5\r\nContent-Length: 90\r\n\r\n" + feed())
raw("negative_length", LONG + b"Content-Length: -5\r\n\r\n" + feed())
raw("cut_chunks", LONG + b"Transfer-Encoding: chunked\r\n\r\nfff\r\n<rss>")
raw("wrong_chunks", LONG + b"Transfer-Encoding: chunked\r\n\r\nnumber\r\n<rss>\r\n0\r\n\r\n")
raw("huge_chunk", LONG + b"Transfer-Encoding: chunked\r\n\r\n" + b"f" * 40 + b"\r\n<rss>")
raw("not_http", b"SSH-2.0-OpenSSH_9.9\r\n")
raw("old_http", b"<rss version='2.0'></rss>")
raw("zero_in_header", LONG + b'ETag: "a\0b"\r\nContent-Length: 0\r\n\r\n')


async def _head(reader: asyncio.StreamReader) -> bytes:
    first = await reader.readexactly(1)
    if first == b"\x16":  # somebody begins with TLS
        return b"GET /broken HTTP/1.1\r\n\r\n"
    return first + await reader.readuntil(b"\r\n\r\n")


async def _talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    with contextlib.suppress(OSError, EOFError, asyncio.CancelledError):
        head = (await _head(reader)).decode("latin-1")
        first, *lines = head.split("\r\n")
        path = first.split()[1]
        pairs = (line.partition(":") for line in lines if line)
        headers = {name.lower(): value.strip() for name, _, value in pairs}
        await FAULTS[path.strip("/").partition("/")[0]](Talk(path, headers, writer))
    with contextlib.suppress(OSError):
        writer.close()


async def serve(told: Callable[[int], None], tls: ssl.SSLContext | None = None) -> None:
    """Serve until cancelled; ``told`` gets the port."""
    server = await asyncio.start_server(_talk, "127.0.0.1", 0, ssl=tls)
    told(server.sockets[0].getsockname()[1])
    async with server:
        await server.serve_forever()


class FaultServer:
    """The server in a thread of this process."""

    def __init__(self, tls: ssl.SSLContext | None = None) -> None:
        self._tls = tls

    def __enter__(self) -> Self:
        ready = threading.Event()

        def told(port: int) -> None:
            self.port = port
            ready.set()

        async def run() -> None:
            self._loop = asyncio.get_running_loop()
            self._task = asyncio.current_task()
            with contextlib.suppress(asyncio.CancelledError):
                await serve(told, self._tls)

        self._thread = threading.Thread(target=lambda: asyncio.run(run()))
        self._thread.start()
        ready.wait(5)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        fault: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        assert self._task is not None
        self._loop.call_soon_threadsafe(self._task.cancel)
        self._thread.join()

    def url(self, path: str, host: str = "127.0.0.1") -> str:
        return f"http://{host}:{self.port}/{path}"


if __name__ == "__main__":
    with contextlib.suppress(KeyboardInterrupt):
        asyncio.run(serve(lambda port: print(port, flush=True)))
