"""The whole application as it is built for real, served on loopback, its clock set by hand."""

import asyncio
import socket
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from support.house import Clock, open_house
from support.reader_site import serving

from service.app import make_app
from service.flows.alerts import plan_alerts
from service.flows.daily import plan_due
from service.flows.runtime import NoEngine, Runtime
from service.flows.send import send_ready
from service.mailbox import Mailbox, MailboxServer


class Woken(NoEngine):
    """Stands where the engine is: the test itself says when work is done."""

    def enqueue(self, task: str, ids: tuple[int, ...] = (), *, priority: int = 5) -> None:
        """Do nothing."""


@dataclass
class WholeSite:
    """address: of the pages · mailbox: what the built-in mailbox holds."""

    rt: Runtime
    clock: Clock
    address: str
    folder: Path
    mailbox: Mailbox

    def go(self, **by: float) -> None:
        """Move the clock on, as timedelta(**by)."""
        self.clock.go(**by)

    def tick(self) -> None:
        """What the clock does each minute, but for sending."""
        plan_alerts(self.rt)
        plan_due(self.rt)

    def send(self) -> int:
        """Hand everything that waits to the relay; how many mails it took."""
        with ThreadPoolExecutor(1) as thread:  # a browser test has a loop in its own thread
            return thread.submit(lambda: asyncio.run(send_ready(self.rt)).accepted).result()

    def sends(self, mails: int) -> None:
        """Just so many mails go out now."""
        assert self.send() == mails


@contextmanager
def whole_site(
    folder: Path, *, relay_port: int | None = None, **values: Any
) -> Iterator[WholeSite]:
    """Readers' pages, staff's pages and the mailbox. relay_port: mails go there instead · values:
    settings."""
    values = {"org_name": "Example University Library", **values}
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    clock, mailbox = Clock(), Mailbox(folder / "mailbox")
    address = f"http://127.0.0.1:{port}"
    listener = MailboxServer(mailbox, clock=clock)
    with (
        listener,
        open_house(
            folder,
            smtp_port=relay_port or listener.start(),
            clock=clock,
            base_url=address,
            **values,
        ) as house,
    ):
        house.runtime.engine = Woken()
        app = make_app(house.runtime, house.settings, mailbox=mailbox)
        with serving(app, port):
            yield WholeSite(house.runtime, clock, address, folder, mailbox)
