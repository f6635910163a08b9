"""What goes after its time, and what stays."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from zlib import compress
from zoneinfo import ZoneInfo

import pytest
from sqlmodel import Session, select
from support.arrows import by_hand
from support.house import Clock, add, ingest_items, open_house, paper_item

from service.flows.daily import plan_daily
from service.flows.leave import erase, unsubscribe
from service.flows.runtime import Runtime
from service.flows.subscribe import read_wish, request
from service.flows.tidy import forget_unconfirmed, tidy
from service.store.consent import email_hash, get_suppression
from service.store.deliveries import add_attempt, list_deliveries
from service.store.house_tables import AdminRow, SessionRow
from service.store.keeping import clear_contents
from service.store.raw_polls import add_raw_poll
from service.store.subscribers import get_subscriber_row, list_subscriber_rows
from service.store.tables import AttemptRow, DeliveryRow, MatchRow, RawPollRow, SentPaperRow


@pytest.fixture
def rt(tmp_path: Path, clock: Clock) -> Iterator[Runtime]:
    with open_house(tmp_path, clock=clock) as house:
        yield house.runtime


def test_a_request_that_was_never_confirmed_is_forgotten_after_its_link(
    rt: Runtime, clock: Clock
) -> None:
    wish, errors = read_wish(
        rt, email="eva@example.org", words="glacier", hour="", zone="", locale="en"
    )
    assert wish is not None, errors
    request(rt, wish)
    clock.go(days=6, hours=23)
    assert "never_confirmed" not in tidy(rt).removed
    clock.go(hours=2)
    assert tidy(rt).removed["never_confirmed"] == 1
    assert rt.db.read(lambda s: list_subscriber_rows(s)) == []
    assert [row.rcpt for row in rt.db.read(lambda s: list_deliveries(s))] == [None]
    assert tidy(rt).total == 0


def test_those_who_left_are_erased_but_for_the_keyed_hash(rt: Runtime, clock: Clock) -> None:
    reader = add(rt, "eva@example.org", "glacier")
    row = rt.db.read(lambda s: get_subscriber_row(s, id=reader))
    assert row is not None
    unsubscribe(rt, row.unsubscribe_token)
    clock.go(days=29)
    assert "left" not in tidy(rt).removed
    clock.go(days=2)
    assert tidy(rt).removed["left"] == 1
    assert rt.db.read(lambda s: list_subscriber_rows(s)) == []
    hashed = email_hash(rt.instance.key, "eva@example.org")
    assert rt.db.read(lambda s: get_suppression(s, hashed)) is not None


def test_raw_polls_attempts_and_contents_have_their_days(
    rt: Runtime, clock: Clock, tmp_path: Path
) -> None:
    add(rt, "eva@example.org", "adapters")
    ingest_items(rt, tmp_path, [paper_item(1, "Adapters that forget less")])
    plan_daily(rt)
    (delivery,) = rt.db.read(lambda s: list_deliveries(s))

    def store(session) -> None:  # type: ignore[no-untyped-def]
        add_raw_poll(session, 1, "https://a.example", "0" * 64, compress(b"x"), clock())
        add_attempt(session, delivery_id=delivery.id, n=1, phase="reply", at=clock(), code=250)
        row = session.get(DeliveryRow, delivery.id)
        row.state = "accepted"
        session.add(row)

    with by_hand():
        rt.db.write(store)

    def left() -> tuple[int, int, int]:
        return rt.db.read(
            lambda s: (
                len(s.exec(select(RawPollRow)).all()),
                len(s.exec(select(AttemptRow)).all()),
                sum(row.content is not None for row in s.exec(select(DeliveryRow)).all()),
            )
        )

    clock.go(days=29)
    tidy(rt)
    assert left() == (1, 1, 1)
    clock.go(days=2)
    tidy(rt)
    assert left() == (0, 1, 1)
    clock.go(days=60)
    tidy(rt)
    assert left() == (0, 0, 1)
    clock.go(days=310)
    tidy(rt)
    assert left() == (0, 0, 0)


def test_only_contents_before_the_first_of_a_later_edition_go(
    rt: Runtime, clock: Clock, tmp_path: Path
) -> None:
    for n in range(3):
        add(rt, f"eva{n}@example.org", "adapters")
    ingest_items(rt, tmp_path, [paper_item(1, "Adapters that forget less")])
    for _ in range(2):
        plan_daily(rt)
        clock.go(days=196)  # the same weekday
    rows = rt.db.read(lambda s: list_deliveries(s))

    def end(session) -> None:  # type: ignore[no-untyped-def]
        for row in rows:
            session.get(DeliveryRow, row.id).state = "accepted"
            session.get(DeliveryRow, row.id).own = {"v": 1}

    with by_hand():
        rt.db.write(end)
    clock.go(days=9)
    before = clock() - timedelta(days=400)
    assert [rt.db.write(lambda s: clear_contents(s, before, 2)) for _ in range(3)] == [2, 1, 0]
    kept = [row.edition_id for row in rt.db.read(lambda s: list_deliveries(s)) if row.content]
    assert kept == [max(row.edition_id for row in rows)] * 3


def test_what_is_under_way_is_never_touched(rt: Runtime, clock: Clock, tmp_path: Path) -> None:
    add(rt, "eva@example.org", "adapters")
    ingest_items(rt, tmp_path, [paper_item(1, "Adapters that forget less")])
    plan_daily(rt)
    clock.go(days=500)
    tidy(rt)
    (row,) = rt.db.read(lambda s: list_deliveries(s))
    assert (row.state, row.content is not None) == ("ready", True)


def test_matches_stay_while_a_paper_can_be_new(rt: Runtime, clock: Clock, tmp_path: Path) -> None:
    add(rt, "eva@example.org", "adapters")
    ingest_items(rt, tmp_path, [paper_item(1, "Adapters that forget less")])
    plan_daily(rt)

    def count() -> int:
        return rt.db.read(lambda s: len(s.exec(select(MatchRow)).all()))

    clock.go(days=400)
    tidy(rt)
    assert count() == 1  # nothing newer came: a replay of that day must still find it
    ingest_items(rt, tmp_path, [paper_item(2, "Another paper")])
    tidy(rt)
    assert count() == 0


def test_sessions_end(rt: Runtime, clock: Clock) -> None:
    def store(session) -> None:  # type: ignore[no-untyped-def]
        session.add(AdminRow(id=1, name="a", role="owner", created_at=clock()))
        session.flush()
        for n, seen in enumerate((timedelta(), timedelta(hours=11))):
            session.add(
                SessionRow(admin_id=1, id_hash=f"h{n}", created_at=clock(), seen_at=clock() + seen)
            )

    rt.db.write(store)
    clock.go(hours=13)
    assert tidy(rt).removed == {"sessions": 1}
    assert rt.db.read(lambda s: [r.id_hash for r in s.exec(select(SessionRow)).all()]) == ["h1"]


def test_an_address_is_forgotten_on_the_date_that_the_mail_names(rt: Runtime, clock: Clock) -> None:
    wish, errors = read_wish(
        rt, email="eva@example.org", words="glacier", hour="", zone="", locale="en"
    )
    assert wish is not None, errors
    request(rt, wish)
    row = rt.db.read(list_subscriber_rows)[0]
    until = row.confirm_until
    assert until is not None
    named = until.astimezone(ZoneInfo(rt.zone)).date()
    clock.go(days=6, hours=20)
    while clock().astimezone(ZoneInfo(rt.zone)).date() <= named:
        if forget_unconfirmed(rt):
            break
        clock.go(minutes=10)
    there = clock().astimezone(ZoneInfo(rt.zone))
    assert (there.date(), there.hour) == (named, 23), "late on that very date, and not after it"
    assert rt.db.read(list_subscriber_rows) == []


def test_no_file_of_the_database_holds_an_erased_address(rt: Runtime, tmp_path: Path) -> None:
    if not rt.db.is_sqlite:
        pytest.skip("SQLite's own files")
    add(rt, "eva@example.org", "glacier")
    erase(rt, "eva@example.org")
    tidy(rt)
    files = [file for file in tmp_path.rglob("*") if file.is_file()]
    assert {file.name for file in files} >= {"paperpost.db", "paperpost.db-wal"}
    assert [file.name for file in files if b"eva@example.org" in file.read_bytes()] == []


def test_which_papers_came_goes_long_after_they_could_come_again(
    rt: Runtime, clock: Clock, tmp_path: Path
) -> None:
    add(rt, "ada@example.org", "adapters")
    mails = []
    for day, wait in ((1, 300), (2, 0)):
        ingest_items(rt, tmp_path, [paper_item(day, f"Adapters of {day}")], on=clock.at.date())
        plan_daily(rt)
        mails.append(rt.db.read(lambda s: list_deliveries(s))[-1])
        row = mails[-1]
        papers = (row.content or {})["papers"]
        rt.db.write(
            lambda s, r=row, p=papers: s.add_all(
                SentPaperRow(subscriber_id=r.subscriber_id, paper_id=i, delivery_id=r.id) for i in p
            )
        )
        clock.go(days=wait)
    clock.go(days=99)
    assert "sent" not in tidy(rt).removed
    clock.go(days=2)
    assert tidy(rt).removed["sent"] == 1
    left = rt.db.read(lambda s: s.exec(select(SentPaperRow.delivery_id)).all())
    assert left == [mails[1].id]
    assert "sent" not in tidy(rt).removed


def test_what_cannot_go_keeps_nothing_else(
    rt: Runtime, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_: object) -> int:
        raise RuntimeError("no such index")

    monkeypatch.setattr("service.flows.tidy.keeping.delete_raw_polls", broken)

    def session_of(session: Session) -> None:
        row = SessionRow(
            admin_id=_admin(session), id_hash="x", created_at=clock.at, seen_at=clock.at
        )
        session.add(row)

    rt.db.write(session_of)
    clock.go(days=30)
    report = tidy(rt)
    assert report.failed == {"raw_polls": "RuntimeError: no such index"}
    assert report.removed["sessions"] == 1


def _admin(session: Session) -> int:
    row = AdminRow(name="ann", role="owner", created_at=datetime(2026, 1, 1, tzinfo=UTC))
    session.add(row)
    session.flush()
    assert row.id is not None
    return row.id
