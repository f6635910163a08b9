"""Where a storm happens: a database with readers and papers, laid once and copied for each point; a
relay by script; and ``paperpost`` as an operator starts it."""

import asyncio
import compileall
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from support.house import START, Clock, ingest_items, open_house, paper_item
from support.storm.checker import STAFF, Event, Plan, Tail, events
from support.storm.nursery import ROOT, Forked, Nursery

from service.flows.daily import plan_daily
from service.flows.readers import import_readers
from service.flows.send import send_ready
from service.store import instance as instance_store
from service.store.db import make_engine

ON = START.date()
"""The date of the daily that is sent: a Wednesday in the past."""

SEND = ("send", "daily", "--on", str(ON), "--json")
IN_DOUBT = ("unknown", "presumed", "sending")

_PORTS = "smtp://127.0.0.1:{}"

Child = subprocess.Popen[str] | Forked
"""A running `paperpost`."""


def address(number: int) -> str:
    """Reader number so much."""
    return f"r{number}@example.org"


def lay(
    folder: Path,
    url: str,
    *,
    readers: int,
    papers: int = 4,
    settings: Mapping[str, str] | None = None,
    addresses: Sequence[str] = (),
) -> Plan:
    """Readers who all want every paper, and the papers; no mail is planned yet."""
    addresses = addresses or [address(n) for n in range(readers)]
    with open_house(folder, database_url=url) as house:
        items = [paper_item(n, f"Adapters, part {n}") for n in range(1, papers + 1)]
        ingest_items(house.runtime, folder, items)
        table = "email,keywords\n" + "".join(f"{one},adapters\n" for one in addresses)
        added = import_readers(house.runtime, table.encode()).added
        assert added == len(addresses), added
        for name, value in (settings or {}).items():
            house.db.write(lambda s, n=name, v=value: instance_store.set_setting(s, n, v))  # type: ignore[misc]
    return Plan(tuple(addresses), tuple(range(1, papers + 1)))


@contextmanager
def relay(
    log: Path, script: Mapping[str, Any] | None = None, port: int = 0
) -> Iterator[tuple[int, subprocess.Popen[str]]]:
    """A relay by script in a process of its own: its port, and the process."""
    command = [sys.executable, "-S", "-E", str(ROOT / "tests/support/storm/relay.py"),
               "--log", str(log), "--port", str(port)]  # fmt: skip
    if script:
        file = log.with_suffix(".script.json")
        file.write_text(json.dumps(script))
        command += ["--script", str(file)]
    log.touch()
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as child:
        assert child.stdout is not None
        try:
            yield int(child.stdout.readline()), child
        finally:
            child.kill()


@dataclass
class Ground:
    """One installation: its data folder, its database, its relay's port and log.

    more: of the environment · source: where the relays' events are read, when not in ``log`` ·
    nest: where sends are forked, without it each is a command of its own.
    """

    folder: Path
    url: str
    port: int
    log: Path
    plan: Plan
    more: dict[str, str] = field(default_factory=dict)
    source: Callable[[], list[Event]] | None = None
    nest: Nursery | None = None
    children: list[Child] = field(default_factory=list)
    _tail: Tail = field(init=False)

    def __post_init__(self) -> None:
        self._tail = Tail(self.log)

    @property
    def data(self) -> Path:
        return self.folder / "data"

    @property
    def errors(self) -> Path:
        """What the last process said on standard error."""
        return self.folder / "errors"

    @property
    def environment(self) -> dict[str, str]:
        """Of every process of this installation."""
        return {
            "PATH": os.environ["PATH"],
            "PYTHONDONTWRITEBYTECODE": "1",
            "PAPERPOST_DATA_DIR": str(self.data),
            "PAPERPOST_DATABASE_URL": self.url,
            "PAPERPOST_SMTP_URL": _PORTS.format(self.port),
            "PAPERPOST_TIMEZONE": "UTC",
            "PAPERPOST_CONTACT_EMAIL": STAFF,
            **self.more,
        }

    def start(self, *words: str, **more: str) -> subprocess.Popen[str]:
        """`paperpost WORDS`; more: of its environment."""
        with self.errors.open("a") as errors:
            child = subprocess.Popen(
                [sys.executable, "-m", "service", *words],
                cwd=ROOT, env=self.environment | more, stdout=subprocess.PIPE, stderr=errors,
                text=True,
            )  # fmt: skip
        self.children.append(child)
        return child

    def end(self) -> None:
        """Whoever still runs, or stands still, when a storm broke off."""
        for child in self.children:
            if child.poll() is None:
                child.kill()
                child.wait()

    def send(self, **more: str) -> Child:
        """The daily, planned and sent; by another clock (more: of its environment) it is a command
        of its own."""
        if self.nest is None or more:
            return self.start(*SEND, **more)
        child = self.nest.start(SEND, self.environment, self.errors)
        self.children.append(child)
        return child

    def finish(self, seconds: float = 600.0) -> dict[str, Any]:
        """Send to the end; what the command said. Raises AssertionError: it broke down."""
        with self.start(*SEND) as child:
            try:
                said, _ = child.communicate(timeout=seconds)
            except subprocess.TimeoutExpired:
                child.kill()
                raise
        fine = child.returncode in (0, 1) and said.startswith("{")
        assert fine, f"send ended with {child.returncode}: {said}" + self.errors.read_text()[-3000:]
        found: dict[str, Any] = json.loads(said)
        return found

    def finish_here(self, later: timedelta = timedelta(0)) -> dict[str, Any]:
        """The same in this process, which needs no second to start. later: of the clock."""
        clock = Clock(datetime.now(UTC) + later)
        with open_house(
            self.data, smtp_port=self.port, database_url=self.url, clock=clock
        ) as house:
            plan_daily(house.runtime, ON)
            asyncio.run(send_ready(house.runtime))
        held = sum(row["state"] in IN_DOUBT for row in self.rows())
        return {"held": held}

    def events(self) -> list[Event]:
        return self.source() if self.source is not None else events(self.log)

    def logged(self) -> int:
        """Lines of the relay's log so far: cheap, asked often."""
        return self._tail.look().lines

    def arrived(self) -> int:
        """Mails that the relay took so far; as cheap."""
        return self._tail.look().taken

    def rows(self) -> list[dict[str, Any]]:
        """The digests of the ledger as it stands, read from a connection of our own."""
        engine = make_engine(self.url)
        try:
            with engine.connect() as connection:
                found = connection.execute(
                    sa.text(
                        "SELECT d.id, rcpt, d.state, reason, code, message_id, edition_id"
                        " FROM delivery d JOIN edition e ON e.id = d.edition_id"
                        " WHERE e.kind = 'digest'"
                    )
                )
                return [dict(row._mapping) for row in found]
        finally:
            engine.dispose()

    def states(self) -> dict[str, int]:
        """How many mails stand where."""
        counts: dict[str, int] = {}
        for row in self.rows():
            counts[row["state"]] = counts.get(row["state"], 0) + 1
        return counts

    def next_mail(self, later: timedelta = timedelta(0)) -> None:
        """Half an hour later what nobody can say of is presumed; the day after, its readers get a
        mail with the papers that may not have come. later: how far the senders' clock was ahead."""
        clock = Clock(datetime.now(UTC) + later + timedelta(minutes=31))
        with open_house(
            self.data, smtp_port=self.port, database_url=self.url, clock=clock
        ) as house:
            asyncio.run(send_ready(house.runtime))
            clock.at = START + timedelta(days=1)
            plan_daily(house.runtime)
            asyncio.run(send_ready(house.runtime))


class Template:
    """A laid installation, copied for each point."""

    def __init__(self, folder: Path, url: str, plan: Plan, cluster: Any = None) -> None:
        self.folder, self.url, self.plan, self._cluster = folder, url, plan, cluster

    @contextmanager
    def copy(
        self, folder: Path, port: int, log: Path, nest: Nursery | None = None
    ) -> Iterator[Ground]:
        """The same, to be hurt; gone afterwards."""
        folder.mkdir(parents=True)
        try:
            if self._cluster is None:
                shutil.copytree(self.folder, folder / "data")
                url = f"sqlite:///{(folder / 'data' / 'paperpost.db').as_posix()}"
                yield from self._on(Ground(folder, url, port, log, self.plan, nest=nest))
            else:
                (folder / "data").mkdir()
                with self._cluster.copy_of(self.url.rpartition("/")[2]) as url:
                    yield from self._on(Ground(folder, url, port, log, self.plan, nest=nest))
        finally:
            shutil.rmtree(folder, ignore_errors=True)

    @staticmethod
    def _on(ground: Ground) -> Iterator[Ground]:
        try:
            yield ground
        finally:
            ground.end()


def template(folder: Path, cluster: Any, **what: Any) -> Template:
    """Lay an installation once. cluster: a PostgreSQL to lay it in, None = SQLite.

    The program is compiled before, so that no process of a storm does it anew (or writes files).
    """
    compileall.compile_dir(ROOT / "service", quiet=2)
    data = folder / "template"
    if cluster is None:
        url = f"sqlite:///{(data / 'paperpost.db').as_posix()}"
    else:
        data.mkdir(parents=True)
        url = cluster.url(cluster.lay())
    return Template(data, url, lay(data, url, **what), cluster)
