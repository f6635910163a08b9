"""Serve pages, and with them the engine and the clock, in one process until a signal ends it."""

import asyncio
import errno
import signal
import socket
import sys
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import AsyncExitStack, asynccontextmanager, contextmanager, suppress
from typing import TYPE_CHECKING, Any

import typer

from service.errors import PaperpostError, Sentence, SettingError
from service.flows.staff import owner_link
from service.settings import Settings
from service.store import sources as sources_store

if TYPE_CHECKING:
    from service.wiring import House

SWITCH_S = 0.001
"""Seconds for which one thread keeps the interpreter while others wait. While 1,000 papers were
stored in a thread, the event loop was late by 128, 12 and 149 ms at the 99th percentile with
Python's own 0.005, by 22, 5 and 9 ms with this (load 4; storing took up to a third longer)."""

DEMO_BANNER = Sentence("Demo data. Nothing leaves this machine.")


class PortError(PaperpostError):
    """The address to listen on cannot be had."""


def listen(host: str, port: int) -> socket.socket:
    """Return a bound socket. Raises PortError: the port is taken, or the host is not ours."""
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)
        family, kind, protocol, _, address = found[0]
        sock = socket.socket(family, kind, protocol)
    except OSError as error:
        raise PortError(f"{host} is no address to listen on: {error.strerror}", "--host") from None
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        sock.bind(address)
    except OSError as error:
        sock.close()
        if error.errno == errno.EADDRINUSE:
            raise PortError(
                f"Port {port} is taken.", "", f"paperpost run --port {port + 1}"
            ) from None
        raise PortError(
            f"{host}:{port} cannot be listened on: {error.strerror}", "", "Choose another port."
        ) from None
    return sock


def check_engine(settings: Settings) -> None:
    """Only the embedded engine is there. Raises SettingError."""
    if settings.engine != "embedded":
        raise SettingError(
            f"This version has no engine {settings.engine} yet.",
            "PAPERPOST_ENGINE",
            "Set it to embedded: paperpost run does everything in one process.",
        )


def address_of(sock: socket.socket) -> str:
    """The address to open in a browser."""
    host, port = sock.getsockname()[:2]
    everywhere = {"0.0.0.0": "127.0.0.1", "::": "[::1]"}  # nosec B104: named, not bound to
    shown = everywhere.get(host, f"[{host}]" if ":" in host else host)
    return f"http://{shown}:{port}"


@asynccontextmanager
async def working(house: "House", lmtp: socket.socket | None = None) -> AsyncIterator[None]:
    """The engine and the clock, at work for as long as the block lasts; then they are drained.
    Mails that come back are read from the inbox. lmtp: and taken there."""
    from service import scheduler
    from service.cli import ways
    from service.engine import Embedded

    engine = Embedded(house.runtime)
    house.runtime.engine = engine
    await engine.start()
    clock = scheduler.start(engine)
    try:
        async with AsyncExitStack() as open_ways:
            await open_ways.enter_async_context(ways.listening(house, engine, lmtp))
            await open_ways.enter_async_context(ways.reading(house, engine))
            yield
    finally:
        clock.shutdown(wait=False)
        await engine.stop()


class Told:
    """Notes that a signal came, for as long as nobody else hears it; ``act`` is done then."""

    def __init__(self) -> None:
        self.came = False
        self.act: Callable[[], None] = lambda: None

    def __call__(self, *_: Any) -> None:
        self.came = True
        self.act()

    @contextmanager
    def hearing(self, *numbers: signal.Signals) -> Iterator[None]:
        """These signals do nothing but be noted while the block lasts."""
        old = {}
        with suppress(ValueError):  # not in the main thread: nobody signals us
            for number in numbers:
                old[number] = signal.signal(number, self)
        try:
            yield
        finally:
            for number, handler in old.items():
                signal.signal(number, handler)


def serve(
    house: "House",
    sock: socket.socket,
    told: Told,
    *,
    with_work: bool,
    lmtp: socket.socket | None = None,
    banner: str = "",
) -> None:
    """Serve until SIGTERM or SIGINT; what is in flight is finished first. told: hears SIGTERM
    since the house was opened · lmtp: where mails are taken that come back, by who works."""
    import uvicorn

    from service.app import make_app
    from service.mailbox import Mailbox

    settings = house.settings
    mailbox = Mailbox(settings.data_dir / "mailbox") if settings.uses_mailbox else None

    @asynccontextmanager
    async def lifespan(_app: Any) -> AsyncIterator[None]:
        if not with_work:
            yield
            return
        async with working(house, lmtp):
            yield

    app = make_app(house.runtime, settings, mailbox=mailbox, banner=banner, lifespan=lifespan)
    config = uvicorn.Config(
        app,
        log_level="warning",
        log_config=None,  # its warnings go where ours go, in our form
        access_log=False,
        lifespan="on",
        proxy_headers=False,
        server_header=False,
        timeout_graceful_shutdown=10,
    )
    server = uvicorn.Server(config)
    sys.setswitchinterval(SWITCH_S)

    def stop() -> None:
        server.should_exit = True

    # the server raises a signal again after its shutdown; everything is drained by then
    with told.hearing(signal.SIGTERM, signal.SIGINT):
        told.act = stop
        if not told.came:
            asyncio.run(server.serve(sockets=[sock]))


async def work_until_told(house: "House", told: Told) -> None:
    """The engine and the clock without pages, until SIGTERM or SIGINT. told: as in ``serve``."""
    over = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, over.set)
    if told.came:
        return
    async with working(house):
        await over.wait()


def greet(house: "House", address: str, *, demo: bool) -> None:
    """Say where the pages are and what to do next."""
    settings = house.settings
    folders = (
        house.runtime.renderer.template_dirs
    )  # tried now: nothing is greeted with a broken one
    rows = house.runtime.db.read(sources_store.list_sources)
    if demo:
        typer.echo(DEMO_BANNER)
        if not rows:
            typer.echo("There is no demo data yet: make demo (or paperpost demo), then run again.")
        link = owner_link(house.runtime, by="demo")
        once = "  (choose a password; works once)" if link else ""
        typer.echo(f"Staff: {link or address + '/admin'}{once}")
        typer.echo("Your own installation: paperpost setup")
    elif not any(row.state != "paused" for row in rows):
        typer.echo("No source is asked yet.")
        typer.echo("Next: paperpost setup, or paperpost sources add hf_daily")
    if not settings.is_loopback and settings.links_stay_here:
        typer.echo(
            f"Links in mails lead to {settings.base_url}, to this machine alone. Set"
            " PAPERPOST_BASE_URL to the name that people use, PAPERPOST_ALLOWED_HOSTS to others."
        )
    if settings.test_recipient:
        typer.echo(f"Test mode: every mail goes to {settings.test_recipient}, none to readers.")
    if len(folders) > 1:
        typer.echo(f"Templates of your own: {folders[0]}")
    if settings.uses_mailbox:
        typer.echo(f"Mails: {address}/mailbox  (nothing leaves this machine)")
    typer.echo(f"Paperpost: {address}  (Ctrl-C ends it)")
