"""A house with a few invented days and readers, for the tests of the pages."""

import asyncio
import email
import re
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import date, timedelta
from email.message import EmailMessage
from email.policy import default
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import cast

import sqlalchemy as sa
from fastapi.testclient import TestClient
from support.house import Clock, ingest_items, open_house, paper_item
from support.reader_site import make_site
from support.smtp_server import SmtpServer

from service.flows.manage_link import manage_token
from service.flows.runtime import Runtime
from service.flows.send import send_ready
from service.store.subscribers import get_subscriber_row, list_profile_rows
from service.store.tables import ProfileRow, SubscriberRow

WEDNESDAY = date(2026, 11, 18)
_LINK = r"http://[^/\s]+(/{}/\S+)"


@dataclass
class Reading:
    """rt, its clock, the relay that takes the mails, and a browser without JavaScript."""

    rt: Runtime
    clock: Clock
    smtp: SmtpServer
    client: TestClient
    folder: Path

    def send(self) -> int:
        """Hand everything that waits to the relay, one mail after the other in the order of the
        ledger; how many it took."""
        with ThreadPoolExecutor(1) as thread:  # a browser test has a loop in its own thread
            return thread.submit(lambda: asyncio.run(self._sent())).result()

    async def _sent(self) -> int:
        mailer = self.rt.open_mailer(replace(self.rt.defaults(), smtp_connections=1))
        try:
            return (await send_ready(self.rt, mailer=mailer)).accepted
        finally:
            await mailer.aclose()

    def mails(self, to: str) -> list[EmailMessage]:
        """What the relay took for an address, oldest first."""
        return [read(one.data) for one in self.smtp.accepted if one.recipient == to]

    def path_to(self, address: str, kind: str) -> str:
        """The path of the newest link of a kind that was mailed to an address."""
        for mail in reversed(self.mails(address)):
            if found := re.search(_LINK.format(kind), text_of(mail)):
                return found[1]
        raise AssertionError(f"no mail to {address} has a link to /{kind}/")

    def reader(self, address: str) -> SubscriberRow:
        row = self.rt.db.read(lambda s: get_subscriber_row(s, email_key=address))
        assert row is not None
        return row

    def own_page(self, address: str) -> tuple[str, ProfileRow]:
        """The path of a reader's own page, and the first of their interests."""
        reader = self.reader(address)
        assert reader.id is not None
        reader_id = reader.id
        path = f"/manage/{manage_token(self.rt, reader, self.clock())}"
        return path, self.rt.db.read(lambda s: list_profile_rows(s, reader_id))[0]

    def subscribe(self, address: str, words: str = "", **more: str) -> None:
        """Post the form as a browser without JavaScript does, and press Begin in the mail."""
        self.client.post("/", data={"email": address, "words": words, "hour": "08", **more})
        self.send()
        link = self.path_to(address, "confirm")
        answer = self.client.post(link, data={"asked": "1"})
        assert answer.status_code == 200

    def tables(self) -> dict[str, list[tuple[object, ...]]]:
        """Every row of every table."""
        with self.rt.db.engine.connect() as connection:
            names = sa.inspect(connection).get_table_names()
            return {
                name: sorted(
                    map(tuple, connection.execute(sa.text(f'SELECT * FROM "{name}"'))), key=repr
                )
                for name in names
            }


def read(data: bytes) -> EmailMessage:
    """Bytes to a message."""
    return cast(EmailMessage, email.message_from_bytes(data, policy=default))


def text_of(mail: EmailMessage) -> str:
    """The text part."""
    part = mail.get_body(("plain",))
    assert part is not None
    return cast(str, part.get_content())


def path_in(mail: EmailMessage, kind: str) -> str:
    """The path of the first link of a kind: "/confirm/..."."""
    found = re.search(_LINK.format(kind), text_of(mail))
    assert found is not None, text_of(mail)
    return found[1]


@contextmanager
def reading_house(
    folder: Path, *, papers: bool = True, reader: tuple[str, str] | None = None, **values: object
) -> Iterator[Reading]:
    """Three list days ending on Wednesday 18 November 2026 (Monday's papers have most votes).

    reader: (address, words) of somebody who subscribed before; their mail of then is not there."""
    clock = Clock()
    laid = None
    if papers and "database_url" not in values:
        laid = _filled() if reader is None else _subscribed(*reader)
    with (
        SmtpServer() as smtp,
        open_house(folder, smtp_port=smtp.port, clock=clock, content=laid, **values) as house,
    ):
        rt = house.runtime
        if papers and laid is None:
            fill_three_days(rt, folder)
        # the form is filled by a script: it says so by leaving the time field away
        client = TestClient(make_site(rt), base_url=rt.site.base_url, follow_redirects=False)
        yield Reading(rt, clock, smtp, client, folder)


@cache
def _filled() -> bytes:
    """The SQLite database with the three days, made once for all tests of this process."""
    with TemporaryDirectory() as folder:
        with open_house(Path(folder)) as house:
            fill_three_days(house.runtime, Path(folder))
        return (Path(folder) / "paperpost.db").read_bytes()


@cache
def _subscribed(address: str, words: str) -> bytes:
    """The same with a reader, made once for all tests of this process."""
    with TemporaryDirectory() as folder:
        with reading_house(Path(folder)) as made:
            made.subscribe(address, words)
        return (Path(folder) / "paperpost.db").read_bytes()


def fill_three_days(rt: Runtime, folder: Path) -> None:
    """Monday to Wednesday, each with its six papers."""
    for back in (2, 1, 0):
        fill(rt, folder, WEDNESDAY - timedelta(days=back), back)


def fill(rt: Runtime, folder: Path, on: date, back: int) -> None:
    """Six papers listed on a day: three about adapters, three about robots, one unvoted."""
    first = 100 * (back + 1)
    items = [
        paper_item(first, "Adapters that forget less", votes=9 + 10 * back),
        paper_item(first + 1, "Small adapters for <b>large</b> models", votes=4),
        paper_item(first + 2, "Robots fold towels", "They use adapters too.", votes=7),
        paper_item(first + 3, "A survey of robots & hands", votes=5),
        paper_item(first + 4, "Walking robots", votes=1),
        paper_item(first + 5, "Nobody voted for this robot", votes=0),
    ]
    for item in items:
        item["paper"]["submittedOnDailyBy"] = {"name": "carla"}
    ingest_items(rt, folder, items, on=on)
