"""A house of many readers with a month of mails behind it, for measuring the desk.

Run from the checkout: ``PYTHONPATH=.:tests python -m bench.desk_house FOLDER [READERS [DAYS]]``
(100,000 readers and 30 days unless given: 3 million deliveries, as many tries, 2 million matches),
on SQLite in the folder, or with ``--on URL`` on an empty PostgreSQL database. Mails and tries are
made by the database itself, with its indexes put away meanwhile: some minutes. Everything is
invented and the same each time; a folder that was filled is left as it is.

A day: one daily for all (of a thousand 850 taken, 120 with nothing new, the others refused, out of
time, barred, presumed), forty alert editions of 25 mails, sixty notices, 700 papers; each week a
chosen selection for a tenth, a part of it sent again. The last day's daily is still under way.
"""

import json
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import UTC, date, datetime, timedelta
from hashlib import sha256
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import sqlalchemy as sa
from sqlmodel import SQLModel, col, select
from support.house import Clock, add, ingest_items, open_house, paper_item

from bench.measured.process import Figures
from service import log
from service.flows.compose import compose_planned
from service.flows.daily import plan_daily
from service.settings import load_settings
from service.store.desk_tables import ReaderTagRow
from service.store.house_tables import AlarmRow, AuditRow
from service.store.report_tables import InboundRow, ReportRow
from service.store.tables import (
    ConsentRow,
    ContentRow,
    DeliveryRow,
    EditionRow,
    PaperRow,
    ProfileRow,
    SightingRow,
    SourceDayRow,
    SourceRow,
    SubscriberRow,
    SuppressionRow,
)
from service.wiring import House, open_database

NOW = datetime(2026, 11, 20, 14, 0, tzinfo=UTC)
READERS, DAYS = 100_000, 30
PAPERS_A_DAY, CONTENTS_A_DAY, MATCHED_DAYS = 700, 200, 7  # matched ones, all but today's, were sent
WORDS = ("diffusion", "LoRA", "robotics", "proteins", "retrieval", "speech", "graphs", "agents")
ZONES = ("Europe/Zurich", "America/New_York", "Asia/Tokyo", "UTC")
PART = 5000

_ENDS = (  # of a thousand mails of a day that is over, up to here
    (850, "accepted", ""),
    (970, "skipped", "nothing_new"),
    (980, "failed", "550 5.1.1 no such user"),
    (985, "failed", "550 5.7.1 refused by policy"),
    (990, "expired", "deadline"),
    (997, "suppressed", "hard"),
    (1000, "presumed", "the connection broke after the body"),
)
_NOW = (  # of the last day, which is under way
    (550, "accepted", ""),
    (670, "skipped", "nothing_new"),
    (680, "failed", "550 5.1.1 no such user"),
    (760, "deferred", "451 4.7.1 try again later"),
    (762, "unknown", "the connection broke after the body"),
    (1000, "ready", ""),
)


@contextmanager
def opened(folder: Path, url: str = "") -> Iterator[House]:
    """The house, at the hour for which it was made."""
    log.set_up("text", quiet=True)
    values: dict[str, Any] = {"database_url": url} if url else {}
    settings = load_settings(
        None,
        data_dir=folder,
        smtp_url="smtp://127.0.0.1:9",
        mail_from="papers@example.org",
        timezone="UTC",
        contact_email="papers@example.org",
        **values,
    )
    house = House(settings, clock=Clock(NOW))
    try:
        yield house
    finally:
        house.close()


def make(folder: Path, readers: int = READERS, days: int = DAYS, url: str = "") -> Figures:
    """Fill an empty database; what was filled before is only told of."""
    told = folder / "made.json"
    if told.exists():
        return dict(json.loads(told.read_text("utf-8")))
    folder.mkdir(parents=True, exist_ok=True)
    began = time.perf_counter()
    body, own = _mail()
    values: dict[str, Any] = {"database_url": url} if url else {}
    settings = load_settings(None, data_dir=folder, **values)
    db = open_database(settings)
    try:
        with db.engine.connect().execution_options(write=True) as made:
            with _bare(made, db.is_sqlite):
                filler = _Filler(made, db.is_sqlite, readers, days)
                filler.people()
                filler.papers()
                filler.contents(body)
                filler.mails(json.dumps(own))
                filler.rest()
                made.commit()
            made.commit()
            made.exec_driver_sql("ANALYZE")
            made.commit()
            rows = {
                name: made.execute(sa.text(f"SELECT count(*) FROM {name}")).scalar_one()  # nosec B608
                for name in ("subscriber", "delivery", "attempt", "edition", "match", "paper")
            }
    finally:
        db.close()
    figures = {"rows": rows, "seconds": round(time.perf_counter() - began), "readers": readers}
    told.write_text(json.dumps(figures), "utf-8")
    return figures


def _mail() -> tuple[Mapping[str, Any], Mapping[str, Any]]:
    """What a real digest of a few papers holds: what all share, and one reader's own."""
    with TemporaryDirectory() as folder, open_house(Path(folder)) as house:
        rt = house.runtime
        add(rt, "ada@example.org", "adapters")
        items = [paper_item(n, f"Adapters, number {n}", "On adapters. " * 40) for n in range(8)]
        ingest_items(rt, Path(folder), items, date(2026, 11, 17))
        rt.clock.go(days=1)  # type: ignore[attr-defined]
        plan_daily(rt)
        for edition in rt.db.read(lambda s: s.exec(select(EditionRow)).all()):
            compose_planned(rt, edition.id or 0, date(2026, 11, 19))
        with rt.db.reading() as session:
            content = session.exec(select(ContentRow)).first()
            mails = select(DeliveryRow).where(col(DeliveryRow.content_id).is_not(None))
            mail = session.exec(mails).first()
            assert content is not None
            assert mail is not None
            return content.body, mail.own or {}


@contextmanager
def _bare(made: sa.Connection, is_sqlite: bool) -> Iterator[None]:
    """The tables that get most rows without their indexes, until they are filled."""
    many = ("delivery", "attempt", "match", "sighting", "sent_paper")
    if is_sqlite:
        raw: Any = made.connection.dbapi_connection
        for pragma in ("synchronous=OFF", "foreign_keys=OFF", "cache_size=-400000"):
            raw.execute(f"PRAGMA {pragma}")
        found = made.exec_driver_sql(
            "SELECT name, sql FROM sqlite_master WHERE type = 'index' AND sql IS NOT NULL "
            f"AND tbl_name IN {many}"  # nosec B608
        ).all()
    else:
        found = made.exec_driver_sql(
            "SELECT indexname, indexdef FROM pg_indexes WHERE schemaname = 'public' "
            f"AND tablename IN {many} AND indexname LIKE 'ix_%%'"  # nosec B608
        ).all()
    for name, _ in found:
        made.exec_driver_sql(f"DROP INDEX {name}")
    yield
    for _, statement in found:
        made.exec_driver_sql(statement)


class _Filler:
    """Rows for one database, in the order in which they refer to each other."""

    def __init__(self, made: sa.Connection, is_sqlite: bool, readers: int, days: int) -> None:
        self._made = made
        self._is_sqlite = is_sqlite
        self._readers = readers
        self._days = [NOW.date() - timedelta(days=n) for n in range(days - 1, -1, -1)]

    def _put(self, rows: Iterator[SQLModel]) -> None:
        part: list[dict[str, Any]] = []
        table: Any = None
        for row in rows:
            table = type(row).__table__  # type: ignore[attr-defined]
            values = {c.name: getattr(row, c.key) for c in table.columns}
            part.append({k: v for k, v in values.items() if k != "id" or v is not None})
            if len(part) == PART:
                self._made.execute(table.insert(), part)
                part = []
        if part:
            self._made.execute(table.insert(), part)

    def _run(self, statement: str, **values: Any) -> None:
        instants = [
            sa.bindparam(k, type_=DeliveryRow.__table__.c.planned_at.type)  # type: ignore[attr-defined]
            for k, v in values.items()
            if isinstance(v, datetime)
        ]
        self._made.execute(sa.text(statement).bindparams(*instants), values)

    def people(self) -> None:
        """Readers, one interest each, what they agreed to, tags of a tenth."""

        def joined(n: int) -> datetime:
            return NOW - timedelta(minutes=n * 13 % (400 * 1440))

        def state(n: int) -> str:
            ends = ((2, "pending"), (4, "bounced"), (10, "left"), (100, "active"))
            return next(word for most, word in ends if n % 100 < most)

        def readers() -> Iterator[SQLModel]:
            for n in range(1, self._readers + 1):
                email = f"reader{n * 7919 % self._readers}.{n}@{domain(n)}"
                yield SubscriberRow(
                    id=n,
                    email=email,
                    email_key=email,
                    name=f"Reader {n}" if n % 3 else "",
                    locale=("en", "de", "fr")[n % 3],
                    zone=ZONES[n % 4],
                    hour=6 + n % 6,
                    state=state(n),
                    unsubscribe_token=f"u{n}",
                    feed_token=f"f{n}",
                    created_at=joined(n),
                    confirmed_at=joined(n) if n % 100 >= 2 else None,
                    left_at=min(joined(n) + timedelta(days=n % 300), NOW)
                    if state(n) == "left"
                    else None,
                    next_digest_at=NOW + timedelta(minutes=n % 1440),
                )

        def interests() -> Iterator[SQLModel]:
            for n in range(1, self._readers + 1):
                words = WORDS[n % len(WORDS)]
                yield ProfileRow(
                    id=n,
                    subscriber_id=n,
                    name=words,
                    kind="keywords",
                    text=f"{words}\nword{n % 997}",
                    cadence=("daily", "daily", "weekly", "instant")[n % 4],
                    created_at=joined(n),
                    changed_at=joined(n),
                    matched_at=NOW,
                    since=joined(n).date(),
                )

        def agreed() -> Iterator[SQLModel]:
            for n in range(1, self._readers + 1):
                yield ConsentRow(subscriber_id=n, act="confirm", at=joined(n), wording_version="1")
                if state(n) == "left":
                    at = min(joined(n) + timedelta(days=n % 300), NOW)
                    yield ConsentRow(subscriber_id=n, act="leave", at=at, wording_version="1")

        self._put(readers())
        self._put(interests())
        self._put(agreed())
        self._put(
            ReaderTagRow(subscriber_id=n, tag=("staff", "guests", "alumni")[n % 3])
            for n in range(10, self._readers + 1, 10)
        )
        self._put(
            SuppressionRow(
                email_hash=sha256(b"%d" % n).hexdigest(),
                reason=("hard", "left", "complaint")[n % 3],
                since=NOW - timedelta(days=n % 300),
            )
            for n in range(self._readers // 20)
        )

    def papers(self) -> None:
        """Sources with their days, papers, which source listed them, who wants those of a week."""
        self._put(
            SourceRow(
                id=n,
                kind="arxiv_rss",
                params_key=name,
                params={"categories": name},
                title=f"arXiv {name}",
                created_at=NOW - timedelta(days=400),
                first_polled=True,
                last_poll_at=NOW,
                next_poll_at=NOW + timedelta(minutes=20),
            )
            for n, name in enumerate(("cs.LG", "cs.CL", "cs.CV", "q-bio", "stat.ML", "cs.RO"), 1)
        )
        self._put(
            SourceDayRow(
                source_id=source,
                day=day,
                polled_at=NOW,
                items=120,
                new=100,
                state="complete" if day.weekday() < 5 else "none",
            )
            for source in range(1, 7)
            for day in self._days
        )

        def numbered() -> Iterator[tuple[int, date]]:
            number = 0
            for day in self._days:
                for _ in range(PAPERS_A_DAY):
                    number += 1
                    yield number, day

        self._put(
            PaperRow(
                id=n,
                title=f"On {WORDS[n % 8]}, number {n}",
                abstract="An invented text. " * 60,
                authors=["Ana Silva", "Bo Chen"],
                categories=["cs.LG"],
                published_on=day,
                listed_on=day,
                first_seen_at=_at(day, 1),
                eligible_at=_at(day, 1),
                matched_at=_at(day, 1),
                votes=n % 60,
            )
            for n, day in numbered()
        )
        self._put(
            SightingRow(source_id=1 + n % 6, paper_id=n, listed_on=day, first_seen_at=_at(day, 1))
            for n, day in numbered()
        )
        matched = min(MATCHED_DAYS, len(self._days))
        first = (len(self._days) - matched) * PAPERS_A_DAY
        for day in range(matched):
            for turn in range(3):
                self._run(
                    "INSERT INTO match (profile_id, paper_id, score) "
                    "SELECT id, :first + 3 * (id % :third) + :turn, 1.0 FROM profile WHERE true",
                    first=first + day * PAPERS_A_DAY + 1,
                    third=PAPERS_A_DAY // 3,
                    turn=turn,
                )
        self._run(
            "INSERT INTO sent_paper (subscriber_id, paper_id, occasion) "
            "SELECT profile_id, paper_id, 'new' FROM match WHERE paper_id <= :last",
            last=(len(self._days) - 1) * PAPERS_A_DAY,
        )

    def contents(self, body: Mapping[str, Any]) -> None:
        """What mails hold, shared by those who want the same."""
        count = CONTENTS_A_DAY * len(self._days)
        self._put(
            ContentRow(id=n, sha=f"{n:064x}", papers=list(range(n, n + 8)), body=dict(body))
            for n in range(1, count + 1)
        )

    def mails(self, own: str) -> None:
        """Editions with their deliveries and tries, day after day."""
        self._run(
            "CREATE TEMPORARY TABLE minute (n INTEGER PRIMARY KEY, at TIMESTAMP)"
            if self._is_sqlite
            else "CREATE TEMPORARY TABLE minute (n INTEGER PRIMARY KEY, at TIMESTAMPTZ)"
        )
        number = 0
        for place, day in enumerate(self._days):
            is_last = place == len(self._days) - 1
            self._run("DELETE FROM minute")
            for n in range(480):
                self._run(
                    "INSERT INTO minute VALUES (:n, :at)",
                    n=n,
                    at=_at(day, 6) + timedelta(minutes=n),
                )
            number += 1
            planned = None if is_last else self._readers
            self._edition(number, "digest", day.isoformat(), _at(day, 4), planned)
            ends = _NOW if is_last else _ENDS
            self._deliver(number, "digest", day, ends, own, place, "true")
            for n in range(40):
                number += 1
                at = _at(day, 6) + timedelta(minutes=12 * n)
                slot = f"{at:%Y-%m-%dT%H:%M}"
                self._edition(number, "alert", slot, at, 25)
                self._deliver(number, "alert", day, _ENDS[:1], own, place, f"id % 4000 = {n * 97}")
            for n in range(60):
                number += 1
                at = _at(day, 5) + timedelta(minutes=15 * n)
                self._edition(number, "notice", f"confirm:{number}", at, 1)
                reader = 1 + (place * 60 + n) % self._readers
                self._deliver(number, "notice", day, _ENDS[:1], own, place, f"id = {reader}")
            if day.weekday() == 2:
                number += 1
                self._edition(number, "manual", f"picked-{day}", _at(day, 9), self._readers // 10)
                self._deliver(number, "manual", day, _ENDS, own, place, "id % 10 = 3")
                number += 1
                again = f"resend:{number - 1}:temporary"
                self._edition(number, "manual", again, _at(day, 12), self._readers // 1000)
                self._deliver(number, "manual", day, _ENDS[:1], own, place, "id % 1000 = 3")
        self._run(
            "INSERT INTO attempt (delivery_id, n, phase, at, code, enhanced, text, connection,"
            " relay_id) SELECT id, 1, CASE state WHEN 'accepted' THEN 'dot' ELSE 'rcpt' END,"
            " planned_at, COALESCE(code, 0), enhanced,"
            " CASE state WHEN 'accepted' THEN '2.0.0 Ok: queued as 4F' || id ELSE reason END,"
            " 'c1', '4F' || id FROM delivery"
            " WHERE state IN ('accepted', 'failed', 'deferred', 'unknown', 'presumed', 'expired')"
            " ORDER BY id"
        )
        if not self._is_sqlite:
            for name in ("delivery", "attempt", "subscriber", "profile", "paper", "edition",
                         "content", "source", "sighting", "inbound"):  # fmt: skip
                self._run(
                    f"SELECT setval(pg_get_serial_sequence('{name}', 'id'), max(id)) FROM {name}"  # nosec B608
                )

    def _edition(
        self, number: int, kind: str, slot: str, at: datetime, planned: int | None
    ) -> None:
        state = "open" if planned is None else "done"
        closes = at + timedelta(days=2)
        self._put(
            iter(
                [
                    EditionRow(
                        id=number,
                        kind=kind,
                        slot=slot,
                        state=state,
                        planned=planned,
                        opened_at=at,
                        closes_at=closes if kind in ("digest", "alert") else None,
                        created_by="" if kind != "manual" else "ann",
                    )
                ]
            )
        )

    def _deliver(
        self,
        edition: int,
        kind: str,
        day: date,
        ends: Sequence[tuple[int, str, str]],
        own: str,
        place: int,
        which: str,
    ) -> None:
        turn = f"((id * 7919 + {place * 131}) % {ends[-1][0]})"

        def case(values: Sequence[str]) -> str:
            whens = "".join(
                f" WHEN {turn} < {end[0]} THEN {value}"
                for end, value in zip(ends, values, strict=True)
            )
            return f"CASE{whens} END"

        states = [f"'{state}'" for _, state, _ in ends]
        meanings = {
            "550 5.1.1 no such user": "'address'",
            "550 5.7.1 refused by policy": "'policy'",
            "deadline": "'temporary'",
            "451 4.7.1 try again later": "'temporary'",
        }
        words = [r[4:] if r[:3].isdecimal() else r for _, _, r in ends]
        codes = [
            reason[:3] if reason[:3].isdecimal() else "250" if state == "accepted" else "NULL"
            for _, state, reason in ends
        ]
        tried = [
            (
                "1"
                if s in ("accepted", "failed", "expired", "deferred", "presumed", "unknown")
                else "0"
            )
            for _, s, _ in ends
        ]
        accepted = ["at" if s == "accepted" else "NULL" for _, s, _ in ends]
        priority = {"notice": 0, "alert": 1, "digest": 2, "manual": 3}[kind]
        content = (
            "NULL" if kind == "notice" else f"{place * CONTENTS_A_DAY + 1} + id % {CONTENTS_A_DAY}"
        )
        null = "CAST(NULL AS INTEGER)" if self._is_sqlite else "CAST(NULL AS TIMESTAMPTZ)"
        shown = "json(:own)" if self._is_sqlite else "CAST(:own AS JSON)"
        self._run(
            "INSERT INTO delivery (edition_id, recipient_key, subscriber_id, rcpt, domain,"  # nosec B608
            " kind, locale, priority, state, fence, attempts, message_id, bounce_id, token,"
            " body_sha,"
            " content_id, own,"
            " code, enhanced, reason, meaning, planned_at, accepted_at, deadline_at)"
            f" SELECT {edition}, email_key, id, email,"
            " substr(email, 1 + position_of), :kind, locale,"
            f" {priority}, {case(states)}, 1, {case(tried)},"
            f" '<{edition}.' || id || '@papers.example.org>', 'b{edition}x' || id,"
            f" 't{edition}x' || id,"
            f" '', {content}, {shown}, {case(codes)}, '', {case([repr(r) for r in words])},"
            f" {case([meanings.get(r, chr(39) * 2) for _, _, r in ends])}, at, {case(accepted)},"
            f" {null}"
            " FROM (SELECT id, email, email_key, locale, "
            + ("instr(email, '@')" if self._is_sqlite else "position('@' in email)")
            + f" AS position_of, id % 480 AS m FROM subscriber WHERE {which}) AS s"
            " JOIN minute ON minute.n = s.m ORDER BY id",
            kind=kind,
            own=own,
        )

    def rest(self) -> None:
        """What came back, acts of the staff, an alarm."""
        kinds = ("hard", "soft", "soft", "policy", "complaint")
        count = self._readers // 5

        def mail(n: int) -> InboundRow:
            state = "review" if n % 200 == 0 else "foreign" if n % 50 == 0 else "done"
            return InboundRow(
                id=n,
                sha=f"{n:064x}",
                at=came(n),
                way="imap",
                state=state,
                sender="mailer-daemon@example.org",
                subject="Undelivered mail",
                size=3000,
                raw=b"From: x\r\n\r\nno such user" * 40,
            )

        def came(n: int) -> datetime:
            return NOW - timedelta(minutes=n * 17 % (len(self._days) * 1440))

        self._put(mail(n) for n in range(1, count + 1))
        self._put(
            ReportRow(
                inbound_id=n,
                delivery_id=n,
                subscriber_id=n % self._readers + 1,
                kind=kinds[n % 5],
                reason="unknown_user",
                domain=domain(n),
                recipient=f"r{n}@{domain(n)}",
                status="5.1.1",
                code=550,
                words="550 5.1.1 no such user",
                at=came(n),
                said="scored",
            )
            for n in range(1, count + 1)
        )
        acts = ("pause", "resume", "change reader", "send", "add reader", "log in")
        self._put(
            AuditRow(
                at=NOW - timedelta(minutes=n * 3),
                who=("ann", "ben", "chen")[n % 3],
                what=acts[n % 6],
                target=f"reader {n % self._readers}",
                before={"hour": 7},
                after={"hour": 8},
                address="192.0.2.1",
                reason="asked by phone" if n % 6 == 2 else "",
            )
            for n in range(count)
        )
        self._put(
            iter(
                [
                    AlarmRow(
                        kind="domain",
                        key="uni.example",
                        what="uni.example refuses us (5.7.1).",
                        place="uni.example",
                        next_step="Look at its words: paperpost deliveries groups.",
                        since=NOW - timedelta(hours=2),
                        seen_at=NOW,
                    )
                ]
            )
        )


def domain(n: int) -> str:
    """Half of the readers are at three large domains, the others at three hundred."""
    return f"large{n % 3}.example.net" if n % 2 else f"d{n % 300}.example.org"


def _at(day: date, hour: int) -> datetime:
    return datetime(day.year, day.month, day.day, hour, tzinfo=UTC)


def main(argv: Sequence[str]) -> None:
    """As the first lines say."""
    words = list(argv)
    url = ""
    if "--on" in words:
        at = words.index("--on")
        url = words[at + 1]
        del words[at : at + 2]
    if not words:
        sys.exit(__doc__)
    numbers = [int(word) for word in words[1:]]
    sys.stdout.write(json.dumps(make(Path(words[0]), *numbers, url=url)) + "\n")


if __name__ == "__main__":
    main(sys.argv[1:])
