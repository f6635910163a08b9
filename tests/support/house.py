"""A whole house for tests: real database, real SMTP conversations, a clock that is set by hand."""

import sqlite3
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager
from datetime import UTC, date, datetime, timedelta
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from sqlalchemy import Dialect, Engine, event, make_url
from sqlalchemy.util import LRUCache
from support.arrows import watch

from service.flows.daily import plan_daily
from service.flows.ingest import ingest_files
from service.flows.readers import add_reader, read_new
from service.flows.runtime import Runtime
from service.settings import Settings, load_settings
from service.store import subscribers as subscribers_store
from service.store.claims import claim
from service.store.db import Session, make_engine
from service.store.deliveries import list_deliveries
from service.store.missed_rows import MISSED
from service.store.tables import DeliveryRow
from service.store.wire import Mark, mark_sending
from service.wiring import House, open_database

START = datetime(2026, 11, 18, 9, 0, tzinfo=UTC)  # a Wednesday


class Clock:
    """Tells the time it was set to."""

    def __init__(self, at: datetime = START) -> None:
        self.at = at

    def __call__(self) -> datetime:
        return self.at

    def go(self, **by: float) -> datetime:
        """Move on, as timedelta(**by)."""
        self.at += timedelta(**by)
        return self.at


@cache
def _migrated() -> bytes:
    """A new SQLite database, brought to the newest revision once for all tests of this process."""
    with TemporaryDirectory() as folder:
        settings = load_settings(None, data_dir=Path(folder))
        open_database(settings).close()
        return (Path(folder) / "paperpost.db").read_bytes()


def lay_database(settings: Settings, content: bytes | None = None) -> None:
    """Put a migrated database where the settings look for a file; what is there stays.

    content: of the file; without it the database is empty.
    """
    place = make_url(settings.database)
    if place.get_backend_name() != "sqlite":
        return
    file = Path(str(place.database))
    if not file.exists():
        settings.data_dir.mkdir(parents=True, exist_ok=True)
        file.write_bytes(content or _migrated())
        if content is not None:  # else it would look like a copy of the other one
            with closing(sqlite3.connect(file)) as made, made:
                made.execute("UPDATE instance SET epoch = 0")


_STATEMENTS: dict[str, tuple[Dialect, LRUCache[Any]]] = {}


def _statements(engine: Engine) -> tuple[Dialect, LRUCache[Any]]:
    """What the statements of a kind of database are compiled for and kept in, for all houses of
    this process."""
    name = engine.dialect.name
    if name not in _STATEMENTS:
        first = make_engine("sqlite://") if name == "sqlite" else engine
        first.connect().close()  # a dialect learns from its first connection
        first.dispose()
        _STATEMENTS[name] = first.dialect, LRUCache(1500)
    return _STATEMENTS[name]


def hasten(engine: Engine) -> None:
    """What costs every small house of a test its time and a process that runs for long has once:
    statements are compiled for all of them together; and nothing waits for the disk, as on the
    tests' PostgreSQL."""
    watch(engine)
    engine.dialect, kept = _statements(engine)
    engine.update_execution_options(compiled_cache=kept)
    if engine.dialect.name == "sqlite":
        event.listen(engine, "connect", lambda made, _: made.execute("PRAGMA synchronous=OFF"))
    engine.dispose()  # the connections that were opened before


@contextmanager
def open_house(
    folder: Path,
    *,
    smtp_port: int = 9,
    clock: Clock | None = None,
    content: bytes | None = None,
    **values: Any,
) -> Iterator[House]:
    """A house over ``folder``; its relay is a test server on loopback. values: settings;
    content: of a new SQLite database, else it is empty."""
    values = {"timezone": "UTC", "contact_email": "papers@example.org", **values}
    if unknown := set(values) - set(Settings.model_fields):
        raise TypeError(f"no settings: {sorted(unknown)}")
    settings = load_settings(
        None, data_dir=folder, smtp_url=f"smtp://127.0.0.1:{smtp_port}", **values
    )
    lay_database(settings, content)
    house = House(settings, clock=clock or Clock(), allow_private=True)
    hasten(house.db.engine)
    try:
        yield house
    finally:
        house.close()


def add(rt: Runtime, email: str, keywords: str = "", **cells: str) -> int:
    """Add a confirmed reader; without keywords and profile: trending."""
    return add_reader(rt, read_new({"email": email, "keywords": keywords, **cells}))


def rows(rt: Runtime, kind: str = "", *, missed: bool = False) -> list[DeliveryRow]:
    """The ledger of mails in its order; kind: of these alone. missed: also of days on which a test
    let nothing run, which its clock just jumps over, and the alarm about them."""
    return [
        row
        for row in rt.db.read(list_deliveries)
        if (not kind or row.kind == kind)
        and (missed or (row.reason != MISSED and (kind or row.kind != "alarm")))
    ]


def paper_item(
    number: int, title: str, summary: str = "", votes: int = 3, **more: Any
) -> dict[str, Any]:
    """One item in the shape of the Hugging Face list (invented)."""
    inner: Mapping[str, Any] = {
        "id": f"2611.{number:05d}",
        "authors": [{"name": "Ana Silva"}, {"name": "Bo Chen"}],
        "publishedAt": "2026-11-16T00:00:00.000Z",
        "title": title,
        "summary": summary or f"An invented summary, number {number}.",
        "upvotes": votes,
    }
    return {"paper": {**inner, **more}, "title": title, "numComments": 1}


def ingest_items(
    rt: Runtime, folder: Path, items: list[dict[str, Any]], on: date | None = None
) -> None:
    """Take invented items as a captured day."""
    import json

    file = folder / "items.json"
    file.write_text(json.dumps(items), encoding="utf-8")
    ingest_files(rt, "hf_daily", [file], on=on)


def plan_one(rt: Runtime, folder: Path) -> None:
    """One reader, one paper, the daily planned: its mail is ready."""
    add(rt, "ada@example.org", "adapters")
    ingest_items(rt, folder, [paper_item(1, "Adapters that forget less")])
    plan_daily(rt)


def take(rt: Runtime, owner: int) -> DeliveryRow:
    """Lease the first mail that is ready, for a process."""
    return rt.db.write(lambda s: claim(s, owner=owner, now=rt.clock(), limit=5)[0])


def mark(rt: Runtime, taken: DeliveryRow, owner: int) -> bool:
    """The write-ahead mark of a leased mail; False: it may not be sent."""
    one = Mark(taken.id or 0, taken.fence, "-", "")
    return rt.db.write(lambda s: bool(mark_sending(s, [one], owner=owner, now=rt.clock())))


def make_due(rt: Runtime, reader_id: int, at: datetime | None) -> None:
    """A reader's next slot begins at ``at`` (None = never)."""

    def act(session: Session) -> None:
        row = subscribers_store.get_subscriber_row(session, id=reader_id)
        assert row is not None
        row.next_digest_at = at
        session.add(row)

    rt.db.write(act)
