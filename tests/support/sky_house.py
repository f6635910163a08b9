"""Pollers, readers and a relay under the simulated sky, led through the days hour by hour.

One poller runs in this thread; several run in threads, or in processes of their own
(``sky_poller``), on one database and one clock.
"""

import asyncio
import random
import re
import ssl
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any, Protocol
from urllib.parse import urlsplit

import httpx2
import pytest
import sqlalchemy as sa
from sqlmodel import col
from support.house import add, hasten, lay_database
from support.keyword_oracle import KeywordOracle
from support.reading_house import read, text_of
from support.sky import Sky
from support.sky_clock import SharedClock
from support.sky_poller import spawned
from support.sky_script import Script, Work
from support.smtp_server import SmtpServer

from service.flows import asking
from service.flows.daily import plan_due
from service.flows.poll import poll_due
from service.flows.runtime import Runtime
from service.flows.send import send_ready
from service.flows.sources import add_source
from service.flows.watch import mark_late
from service.settings import load_settings
from service.sources.fetch import Fetcher
from service.sources.outcome import Outcome
from service.sources.parse_pool import parse_here
from service.store import deliveries as deliveries_store
from service.store import sources as sources_store
from service.store.db import Session
from service.store.instance import set_setting
from service.store.tables import SourceDayRow, SubscriberRow
from service.wiring import House

READERS = {
    "all@example.org": ("invented", "UTC", "8"),
    "adapters@example.org": ("adapters, towels", "UTC", "8"),
    "tokyo@example.org": ("robots", "Asia/Tokyo", "8"),
    "west@example.org": ("proofs, speech", "America/Los_Angeles", "8"),
    "early@example.org": ("graphs", "UTC", "5"),
}
SOURCES = (
    ("hf_daily", ""),
    ("arxiv_rss", "cs.CL"),
    ("arxiv_rss", "cs.AI"),
    ("arxiv_rss", "stat.ML"),
    ("feed", "https://towels.journal.example/feed"),
    ("feed", "https://proofs.journal.example/feed"),
)
TICK = timedelta(minutes=20)
_TRUST = ssl.create_default_context()


class SkyFetcher(Fetcher):
    """Asks the sky for every host; all else is the real fetcher."""

    def __init__(self, base: str, clock: Callable[[], datetime]) -> None:
        super().__init__("Paperpost/test (papers@example.org)", clock=clock, allow_private=True)
        self._base = base

    async def fetch(self, url: str, **kept: Any) -> Outcome:
        parts = urlsplit(url)
        query = f"?{parts.query}" if parts.query else ""
        return await super().fetch(f"{self._base}/{parts.hostname}{parts.path}{query}", **kept)


def share_turns(clock: SharedClock, patch: pytest.MonkeyPatch) -> None:
    """The clock stands still while somebody has a turn; certificates are read once."""
    claim, end = asking.claim_turn, asking.end_turn

    def claimed(*args: Any, **kept: Any) -> Any:
        turn = claim(*args, **kept)
        if turn.granted:
            clock.begin()
        return turn

    def ended(*args: Any, **kept: Any) -> None:
        end(*args, **kept)
        clock.end()

    patch.setattr(asking, "claim_turn", claimed)
    patch.setattr(asking, "end_turn", ended)
    patch.setattr(httpx2._transports.default, "create_ssl_context", lambda **kept: _TRUST)


@contextmanager
def sky_house(
    folder: Path, base: str, clock: SharedClock, smtp_port: int, **values: Any
) -> Iterator[Runtime]:
    """One house that sees the sky."""
    settings = load_settings(
        None,
        data_dir=folder,
        timezone="UTC",
        contact_email="papers@example.org",
        smtp_url=f"smtp://127.0.0.1:{smtp_port}",
        **values,
    )
    lay_database(settings)
    house = House(settings, clock=clock, allow_private=True)
    hasten(house.db.engine)
    rt = house.runtime
    rt.log = lambda event, **facts: None
    rt.parse = lambda kind, body, day: parse_here(kind, body, day=day)
    rt.open_fetcher = lambda: SkyFetcher(base, clock)
    try:
        yield rt
    finally:
        house.close()


class Poller(Protocol):
    """Asks what is due, or one source now; returns its reports."""

    def __call__(self, only: int | None = None) -> list[dict[str, Any]]: ...


def poller_of(rt: Runtime, clock: SharedClock) -> Poller:
    """A poller in this process."""
    return lambda only=None: asyncio.run(poll_due(rt, only, sleep=clock.sleep))


def _asked(poller: Poller, part: list[int] | None) -> list[dict[str, Any]]:
    """What is due (None), or each of these sources."""
    return poller() if part is None else [row for one in part for row in poller(one)]


@dataclass(frozen=True, slots=True)
class Mail:
    """One mail as it came. marks: of the papers in it, in their order. states: what the ledger
    said of the sources' own day then (title -> state)."""

    to: str
    at: datetime
    text: str
    marks: list[int]
    states: dict[str, str]


@dataclass
class Fortnight:
    """What was played: script, sky, mails, the runtime that knows the end."""

    script: Script
    sky: Sky
    clock: SharedClock
    rt: Runtime
    smtp: SmtpServer
    pollers: Sequence[Poller]
    tick: timedelta = TICK
    readers: Sequence[str] = ()
    mails: list[Mail] = field(default_factory=list)
    reports: list[tuple[datetime, dict[str, Any]]] = field(default_factory=list)
    chance: random.Random = field(default_factory=lambda: random.Random(5))

    def furnish(
        self,
        sources: Sequence[tuple[str, str]] = SOURCES,
        readers: Sequence[str] = tuple(READERS),
        *,
        history_days: int = 5,
    ) -> None:
        """The sources with their past, and the readers."""
        self.readers = readers
        for name, value in (("spread_minutes", "0"), ("line_entries", "200")):
            self.rt.db.write(lambda s, n=name, v=value: set_setting(s, n, v))  # type: ignore[misc]
        for kind, what in sources:
            add_source(self.rt, kind, what, history_days=history_days)
        for address in readers:
            words, zone, hour = READERS[address]
            add(self.rt, address, words, tz=zone, hour=hour)

    def play(self, until: datetime, *, down: tuple[datetime, datetime] | None = None) -> None:
        """Go on until an instant; from ``down[0]`` to ``down[1]`` nothing of ours runs."""
        while (now := self.clock()) < until:
            if down is not None and down[0] <= now < down[1]:
                self.clock.set(down[1])
            self.round()
            self.clock.set(min(until, max(self._next(), self.clock() + timedelta(seconds=20))))

    def round(self) -> None:
        """One tick of everything: polls, the ledger, the digests whose hour has come, the relay."""
        due = self.rt.db.read(lambda s: sources_store.list_due_sources(s, self.clock()))
        if due:
            self._poll([row.id for row in due if row.id is not None])
        else:
            mark_late(self.rt)
        plan_due(self.rt)
        if self.rt.db.read(deliveries_store.count_waiting):
            asyncio.run(send_ready(self.rt))
        self._look()

    def _poll(self, due: list[int]) -> None:
        """Every poller at once: all look for what is due, or each is told to ask its part, or all
        are told to ask one source first."""
        if len(self.pollers) == 1:
            self._note(self.pollers[0]())
            return
        count = len(self.pollers)
        with ThreadPoolExecutor(count) as threads:
            made = [threads.submit(_asked, p, part) for p, part in self._parts(due, count)]
            for one in made:
                self._note(one.result())

    def _parts(self, due: list[int], count: int) -> list[tuple[Poller, list[int] | None]]:
        way = self.chance.random()
        if way < 0.3:
            same = self.chance.choice(due)
            rest = [one for one in due if one != same]
            return [(poller, [same, *rest[n::count]]) for n, poller in enumerate(self.pollers)]
        if way < 0.8:
            return [(poller, due[n::count]) for n, poller in enumerate(self.pollers)]
        return [(poller, None) for poller in self.pollers]

    def _note(self, reports: list[dict[str, Any]]) -> None:
        self.reports += [(self.clock(), row) for row in reports]

    def _next(self) -> datetime:
        """When a reader is due next, at most a tick from now; polls are looked at each time."""
        due = sa.select(sa.func.min(col(SubscriberRow.next_digest_at))).where(
            col(SubscriberRow.state) == "active"
        )
        with self.rt.db.reading() as session:
            at = session.execute(due).scalar()
        tick = self.clock() + self.tick
        return min(at, tick) if at is not None else tick

    def _look(self) -> None:
        """Note the mails that came."""
        new = self.smtp.accepted[len(self.mails) :]
        if not new:
            return
        states = self.states()
        for one in new:
            text = text_of(read(one.data))
            marks = [int(n) for n in re.findall(r"\bNo(\d+):", text)]
            self.mails.append(Mail(one.recipient, self.clock(), text, marks, states))

    def states(self) -> dict[str, str]:
        """What the ledger says of each source's newest day."""
        with self.rt.db.reading() as session:
            titles = {row.id: row.title for row in sources_store.list_sources(session)}
            since = self.clock().date() - timedelta(days=1)
            rows = sources_store.list_source_days(session, since)
            return {titles[row.source_id]: row.state for row in rows}

    def ledger(self) -> dict[tuple[str, date], SourceDayRow]:
        """(title, day) -> row."""

        def load(session: Session) -> dict[tuple[str, date], SourceDayRow]:
            titles = {row.id: row.title for row in sources_store.list_sources(session)}
            rows = sources_store.list_source_days(session, date(2026, 1, 1))
            return {(titles[row.source_id], row.day): row for row in rows}

        return self.rt.db.read(load)

    def wanted(self, address: str, works: Sequence[Work]) -> set[int]:
        """Marks of the works that a reader's words fit, by the naive matcher."""
        oracle = KeywordOracle([word.strip() for word in READERS[address][0].split(",")])
        return {w.mark for w in works if oracle.wants({"title": w.title, "abstract": w.abstract})}


@contextmanager
def fortnight(
    folder: Path,
    script: Script,
    start: datetime,
    patch: pytest.MonkeyPatch,
    *,
    pollers: int = 1,
    in_processes: bool = False,
    tick: timedelta = TICK,
    **values: Any,
) -> Iterator[Fortnight]:
    """Everything, ready to be furnished and played. pollers: houses in threads of this process, or
    in processes of their own."""
    clock = SharedClock(folder / "clock", start)
    share_turns(clock, patch)
    chance = random.Random(7)
    with ExitStack() as stack:
        stack.callback(clock.close)
        sky = stack.enter_context(
            Sky(script, clock, takes=lambda: clock.turn(chance.uniform(0.1, 2.5)))
        )
        smtp = stack.enter_context(SmtpServer())
        count = 1 if in_processes else pollers
        houses = [
            stack.enter_context(sky_house(folder, sky.base, clock, smtp.port, **values))
            for _ in range(count)
        ]
        made: list[Poller] = [poller_of(rt, clock) for rt in houses]
        if in_processes:
            url = str(values.get("database_url", ""))
            made = [stack.enter_context(spawned(folder, sky.base, url)) for _ in range(pollers)]
        yield Fortnight(script, sky, clock, houses[0], smtp, made, tick)
