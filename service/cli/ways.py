"""The ways in for mails that come back, as the settings name them, at work beside the engine."""

import asyncio
import socket
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from typing import TYPE_CHECKING, cast

from service.inbound.place import Inbox, Tls
from service.settings import Settings, inbox_address, lmtp_address

if TYPE_CHECKING:
    from service.engine import Embedded
    from service.wiring import House


def inbox_of(settings: Settings) -> Inbox | None:
    """The mailbox that is read, None where there is none. Raises SettingError."""
    if settings.inbox_url is None:
        return None
    host, port, tls, user, password, folder = inbox_address(settings.inbox_url.get_secret_value())
    return Inbox(
        host=host,
        port=port,
        tls=cast(Tls, tls),
        user=user,
        password=password,
        folder=folder,
        ca_file=str(settings.inbox_ca_file or settings.smtp_ca_file or ""),
    )


@asynccontextmanager
async def reading(house: "House", engine: "Embedded") -> AsyncIterator[None]:
    """The inbox is read for as long as the block lasts, where there is one."""
    inbox = inbox_of(house.settings)
    if inbox is None:
        yield
        return
    from service.inbound.poller import NAME, Poller

    poller = Poller(house.runtime, inbox, engine.beside(NAME))
    poller.start()
    try:
        yield
    finally:
        await asyncio.to_thread(poller.stop)


@contextmanager
def bound(settings: Settings) -> Iterator[socket.socket | None]:
    """Where mails are taken by LMTP, for as long as the block lasts; None where it is not set.
    Raises LmtpError."""
    if settings.lmtp_listen is None:
        yield None
        return
    from service.inbound.lmtp import bind

    with bind(lmtp_address(settings.lmtp_listen)) as made:
        yield made


@asynccontextmanager
async def listening(
    house: "House", engine: "Embedded", place: socket.socket | None
) -> AsyncIterator[None]:
    """Mails are taken by LMTP for as long as the block lasts. place: as ``bound`` gave it."""
    if place is None:
        yield
        return
    from service.inbound.lmtp import NAME, LmtpServer

    server = LmtpServer(house.runtime, place, engine.beside(NAME))
    await server.start()
    try:
        yield
    finally:
        await server.stop()
