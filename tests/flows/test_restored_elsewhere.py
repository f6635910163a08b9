"""A backup restored on another machine under another key: whoever left stays away."""

import asyncio
import sqlite3
import subprocess
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import pytest
from sqlalchemy import make_url
from support.house import Clock, add, ingest_items, open_house, paper_item
from support.postgres import binaries
from support.smtp_server import SmtpServer

from service.flows import leave
from service.flows.daily import plan_daily
from service.flows.readers import ReaderError, add_reader, import_readers, read_new
from service.flows.runtime import Runtime
from service.flows.send import send_ready
from service.flows.subscribe import read_wish, request
from service.flows.suppress import suppress
from service.flows.tidy import tidy
from service.store.subscribers import get_subscriber_row, list_subscriber_rows
from service.subscribers.address import read_address

STAYS = "stays@uni.example"
GONE = {
    "left@uni.example": "by one click",
    "long.ago@uni.example": "by one click, and erased since",
    "erased@uni.example": "on request, everything",
    "never@uni.example": "never again",
    "bounced@uni.example": "refused for good",
    "complained@uni.example": "called it spam",
    "mueller@bücher.example": "by one click, in another alphabet",
}

pytestmark = pytest.mark.slow


@pytest.fixture
def restored(
    request: pytest.FixtureRequest, database_url: str, tmp_path: Path
) -> Callable[[], str]:
    """Make a backup as docs/install.md says, and bring it in elsewhere; returns its URL."""

    def of_sqlite() -> str:
        copy = tmp_path / "elsewhere.db"
        source = str(make_url(database_url).database)
        with closing(sqlite3.connect(source)) as one, closing(sqlite3.connect(copy)) as two:
            one.backup(two)
        return f"sqlite:///{copy.as_posix()}"

    def of_postgres() -> str:
        url = request.getfixturevalue("empty_postgres_url")
        plain = [one.replace("+psycopg", "") for one in (database_url, url)]
        tools = binaries()
        dump = subprocess.run([tools / "pg_dump", plain[0]], capture_output=True, check=True)
        subprocess.run(
            [tools / "psql", "-q", "-v", "ON_ERROR_STOP=1", plain[1]],
            input=dump.stdout, capture_output=True, check=True,
        )  # fmt: skip
        return str(url)

    return of_sqlite if database_url.startswith("sqlite") else of_postgres


@contextmanager
def house_at(folder: Path, url: str, clock: Clock, server: SmtpServer) -> Iterator[Runtime]:
    with open_house(
        folder, smtp_port=server.port, database_url=url, clock=clock, secret_key="another key " * 3
    ) as house:
        yield house.runtime


def _fill(rt: Runtime, clock: Clock) -> None:
    for email in (*GONE, STAYS):
        add(rt, email, "adapters")

    def click(email: str) -> None:
        row = rt.db.read(lambda s: get_subscriber_row(s, email_key=read_address(email).key))
        assert row is not None
        leave.unsubscribe(rt, row.unsubscribe_token)

    click("long.ago@uni.example")
    clock.go(days=31)
    tidy(rt)
    click("left@uni.example")
    click("mueller@bücher.example")
    leave.erase(rt, "erased@uni.example")
    for email, reason in (
        ("never@uni.example", "never"),
        ("bounced@uni.example", "hard"),
        ("complained@uni.example", "complaint"),
    ):
        suppress(rt, read_address(email), reason=reason, by="tests")


def test_nobody_who_left_comes_back(rt, restored, server, clock, tmp_path):
    _fill(rt, clock)
    url = restored()
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    with house_at(elsewhere, url, clock, server) as there:
        assert there.signer.keys != rt.signer.keys
        spellings = [
            one for email in GONE for one in (email, email.upper(), f" {email} ", f"<{email}>")
        ]
        table = "email,keywords\n" + "".join(f"{one},adapters\n" for one in spellings)
        for _ in range(2):
            made = import_readers(there, table.encode())
            assert made.added == 0, made
        for email in spellings:
            with pytest.raises(ReaderError):
                add_reader(there, read_new({"email": email, "keywords": "adapters"}))
        clock.go(days=2)  # Monday
        ingest_items(
            there, elsewhere, [paper_item(1, "Adapters that forget less")], on=clock().date()
        )
        clock.go(days=1)
        plan_daily(there)
        asyncio.run(send_ready(there))
        assert {one.recipient for one in server.accepted} == {STAYS}
        active = there.db.read(lambda s: list_subscriber_rows(s, state="active"))
        assert [row.email_key for row in active] == [STAYS]


def test_links_to_leave_work_elsewhere(rt, restored, server, clock, tmp_path):
    _fill(rt, clock)
    token = rt.db.read(lambda s: get_subscriber_row(s, email_key=STAYS)).unsubscribe_token
    url = restored()
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    with house_at(elsewhere, url, clock, server) as there:
        clock.go(days=3 * 365)
        leave.unsubscribe(there, token)
        assert there.db.read(lambda s: list_subscriber_rows(s, state="active")) == []
        made = import_readers(there, f"email,keywords\n{STAYS},adapters\n".encode())
        assert made.added == 0


def test_who_asked_for_no_mail_ever_gets_none_elsewhere(rt, restored, server, clock, tmp_path):
    _fill(rt, clock)
    url = restored()
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    with house_at(elsewhere, url, clock, server) as there:
        for email in GONE:
            wish, _ = read_wish(
                there, email=email, words="robots", hour="8", zone="UTC", locale="en"
            )
            request(there, wish)
        asyncio.run(send_ready(there))
    may_ask_again = {"left@uni.example", "long.ago@uni.example", "erased@uni.example"}
    may_ask_again.add(read_address("mueller@bücher.example").key)
    assert {one.recipient for one in server.accepted} == may_ask_again
