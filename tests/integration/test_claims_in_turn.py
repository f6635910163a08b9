"""Who goes next, on both databases: notices first, editions in turn, limits, rests."""

from collections import Counter
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import event
from sqlmodel import col, select

from service.delivery.breakers import Breaker
from service.delivery.pace import Rates
from service.store import migrations, rests
from service.store.claims import Claimed, Place, take
from service.store.db import Database
from service.store.editions import add_edition
from service.store.house_tables import PaceRow
from service.store.routes import SCOPE
from service.store.send_pace import DOMAIN, Hold, Pace
from service.store.tables import DeliveryRow
from service.store.waiting import list_holds, put_off

NOON = datetime(2026, 11, 18, 12, tzinfo=UTC)


@pytest.fixture
def db(database_url: str) -> Iterator[Database]:
    made = Database(database_url)
    if migrations.current(made) is None:
        migrations.migrate(made)
    yield made
    made.close()


def fill(db: Database, slot: str, count: int, *, domain: str = "a.example", **values) -> int:
    """An edition with rows that are ready; its id."""
    priority = values.pop("priority", 2)
    kind = "notice" if priority == 0 else "digest"

    def work(session):
        edition, _ = add_edition(session, kind=kind, slot=slot, now=NOON)
        session.flush()
        old = len(session.exec(select(DeliveryRow.id)).all())
        for n in range(old, old + count):
            key = f"{slot}-{n}@{domain}"
            session.add(
                DeliveryRow(
                    **{
                        "edition_id": edition.id,
                        "recipient_key": key,
                        "rcpt": key,
                        "domain": domain,
                        "kind": kind,
                        "priority": priority,
                        "state": "ready",
                        "message_id": f"<{key}>",
                        "bounce_id": key,
                        "token": key,
                        "planned_at": NOON,
                        **values,
                    }
                )
            )
        return edition.id

    return db.write(work)


def grab(
    db: Database,
    limit: int,
    *,
    now: datetime = NOON,
    pace: Pace | None = None,
    place: Place | None = None,
    only: list[int] | None = None,
) -> Claimed:
    return db.write(
        lambda s: take(s, owner=1, now=now, limit=limit, pace=pace, place=place, edition_ids=only)
    )


def answer(db: Database, claimed: Claimed) -> None:
    """What was claimed is accepted, so that nothing of it is in flight any more."""

    def work(session):
        for row in claimed.rows:
            session.get(DeliveryRow, row.id).state = "accepted"

    db.write(work)


def split(claimed: Claimed) -> Counter[int]:
    return Counter(row.edition_id for row in claimed.rows)


def rest(db: Database, key: str, *, scope=rests.DOMAIN, until=None, at_once=None) -> None:
    breaker = Breaker(cause="rate", until=until or NOON, at_once=at_once)
    db.write(lambda s: rests.write(s, scope, {key: breaker}))


def route(db: Database, **groups: str) -> None:
    def work(session):
        for domain, group in groups.items():
            kept = PaceRow(scope=SCOPE, key=domain.replace("_", "."), windows={"group": group})
            session.add(kept)

    db.write(work)


def test_a_large_edition_never_keeps_a_small_one_waiting(db):
    large, small = fill(db, "large", 60), fill(db, "small", 6)
    notice = fill(db, "notice", 2, priority=0)
    first = grab(db, 20)
    assert [row.edition_id for row in first.rows[:2]] == [notice] * 2
    assert split(first) == {notice: 2, small: 6, large: 12}
    assert len({row.id for row in first.rows}) == 20
    assert all(
        row.state == "leased" and row.fence == 1 and row.lease_owner == 1 for row in first.rows
    )
    assert split(grab(db, 20, place=first.place)) == {large: 20}


@pytest.mark.slow
def test_a_claim_too_small_for_all_serves_each_in_its_turn(db):
    editions = [fill(db, f"e{n}", 5) for n in range(4)]
    place, served = Place(), Counter()
    for _ in range(8):
        claimed = grab(db, 1, place=place)
        place = claimed.place
        served += split(claimed)
    assert served == dict.fromkeys(editions, 2)


def test_what_must_not_go_is_passed_over(db):
    late = fill(db, "late", 2, not_before=NOON + timedelta(minutes=1))
    again = fill(db, "again", 2, state="deferred", not_before=NOON - timedelta(minutes=1))
    done = fill(db, "done", 2, state="accepted")
    only = fill(db, "only", 2)
    assert split(grab(db, 1, only=[only])) == {only: 1}
    assert split(grab(db, 20)) == {again: 2, only: 1}
    assert split(grab(db, 20, now=NOON + timedelta(minutes=2))) == {late: 2}
    assert done not in split(grab(db, 20, now=NOON + timedelta(days=2)))


def test_the_limit_of_an_account_holds_over_all_claims(db):
    fill(db, "e", 30)
    pace = Pace(account="relay:25", mails=Rates(minute=8))
    first = grab(db, 5, pace=pace)
    second = grab(db, 5, pace=pace, now=NOON + timedelta(seconds=2))
    assert [len(first.rows), len(second.rows)] == [5, 3]
    assert not grab(db, 5, pace=pace, now=NOON + timedelta(seconds=59)).rows
    other = Pace(account="other:25", mails=Rates(minute=8))
    assert len(grab(db, 5, pace=other).rows) == 5  # each account has its own
    assert len(grab(db, 50, pace=pace, now=NOON + timedelta(seconds=70)).rows) == 8


def test_a_share_of_the_limit_is_kept_for_notices(db):
    fill(db, "e", 30)
    pace = Pace(account="relay:25", mails=Rates(hour=20))
    assert len(grab(db, 50, pace=pace).rows) == 19
    notice = fill(db, "notice", 3, priority=0)
    assert split(grab(db, 50, pace=pace)) == {notice: 1}
    assert not grab(db, 50, pace=pace).rows


def test_the_limit_of_a_domain_holds_over_its_group(db):
    route(db, a_example="mx.example", b_example="mx.example")
    a, b, c = (fill(db, f"{x}", 10, domain=f"{x}.example") for x in "abc")
    pace = Pace(account="relay:25", domain=Rates(minute=4))
    first = grab(db, 50, pace=pace)
    groups = split(first)
    assert (groups[a] + groups[b], groups[c]) == (4, 4)
    assert not grab(db, 50, pace=pace).rows
    later = split(grab(db, 50, pace=pace, now=NOON + timedelta(seconds=70)))
    assert (later[a] + later[b], later[c]) == (4, 4)
    kept = db.read(lambda s: s.exec(select(PaceRow.key).where(PaceRow.scope == DOMAIN)).all())
    assert sorted(kept) == ["c.example", "mx.example"]


def test_a_domain_at_its_limit_does_not_stop_the_others_behind_it(db):
    """Its rows stand first, more of them than one claim looks at."""
    fill(db, "e", 40, domain="full.example")
    fill(db, "e", 10, domain="free.example")
    pace = Pace(account="relay:25", domain=Rates(hour=9))
    place, got = Place(), Counter()
    for n in range(6):
        claimed = grab(db, 4, pace=pace, place=place, now=NOON + timedelta(seconds=n))
        place = claimed.place
        got += Counter(row.domain for row in claimed.rows)
    assert got == {"full.example": 9, "free.example": 9}


def test_a_domain_that_rests_gets_nothing_and_then_one_at_a_time(db):
    route(db, a_example="mx.example")
    e = fill(db, "e", 6, domain="a.example")
    notice = fill(db, "n", 1, domain="a.example", priority=0)
    other = fill(db, "o", 1, domain="b.example")
    rest(db, "mx.example", until=NOON + timedelta(minutes=10), at_once=1)
    assert split(grab(db, 50)) == {other: 1}
    probe = grab(db, 50, now=NOON + timedelta(minutes=11))
    assert split(probe) == {notice: 1}
    assert not grab(db, 50, now=NOON + timedelta(minutes=11)).rows
    answer(db, probe)
    assert split(grab(db, 50, now=NOON + timedelta(minutes=11))) == {e: 1}


@pytest.mark.parametrize("key", ["*", "relay:25"])
def test_an_account_that_rests_gets_nothing(db, key):
    fill(db, "e", 3)
    fill(db, "n", 3, priority=0)
    rest(db, key, scope=rests.ACCOUNT, until=NOON + timedelta(minutes=1), at_once=2)
    assert not grab(db, 50, pace=Pace(account="relay:25")).rows
    assert len(grab(db, 50, pace=Pace(account="relay:25"), now=NOON + timedelta(hours=1)).rows) == 2
    other = grab(db, 50, pace=Pace(account="other:25"))
    assert len(other.rows) == (0 if key == "*" else 4)


def test_what_is_passed_over_is_found_again(db):
    """The sender goes on where it was; who rested stands before that place."""
    fill(db, "e", 5, domain="slow.example")
    fill(db, "e", 10, domain="fast.example")
    rest(db, "slow.example", until=NOON + timedelta(minutes=10))
    place, got = Place(), []
    for _ in range(3):
        claimed = grab(db, 3, place=place)
        place = claimed.place
        got += [row.domain for row in claimed.rows]
    assert got == ["fast.example"] * 9
    assert place.after
    later = grab(db, 10, place=place, now=NOON + timedelta(minutes=11))
    assert Counter(row.domain for row in later.rows) == {"fast.example": 1, "slow.example": 5}
    assert not later.place.after


def test_what_waits_for_a_limit_says_so_and_when(db):
    e = fill(db, "e", 12)
    pace = Pace(account="relay:25", mails=Rates(hour=10))
    assert db.read(lambda s: list_holds(s, NOON, pace)) == []
    assert len(grab(db, 50, pace=pace).rows) == 9
    ((hold, waiting),) = db.read(lambda s: list_holds(s, NOON, pace))
    assert waiting == 3
    assert hold.whom == "others"
    assert hold.domains is None
    assert timedelta(hours=1) <= hold.until - NOON <= timedelta(minutes=63)
    assert hold.why == "the limit of 10 mails an hour is reached"
    assert db.read(lambda s: list_holds(s, NOON, pace, [e + 1])) == []
    args = {"until": hold.until, "limit": 2}
    assert db.write(lambda s: put_off(s, NOON, hold, **args)) == 2
    assert db.write(lambda s: put_off(s, NOON, hold, **args)) == 1
    assert db.write(lambda s: put_off(s, NOON, hold, **args)) == 0
    rows = db.read(
        lambda s: s.exec(select(DeliveryRow).where(col(DeliveryRow.state) == "deferred")).all()
    )
    assert {(r.meaning, r.reason, r.not_before) for r in rows} == {("rest", hold.why, hold.until)}
    assert db.read(lambda s: list_holds(s, NOON, pace)) == []
    assert len(grab(db, 50, pace=pace, now=hold.until).rows) == 3


def test_a_notice_is_not_put_off_with_the_others(db):
    """It has its share of the limit; without any left it waits, but is not put off for long."""
    pace = Pace(account="relay:25", mails=Rates(hour=20))
    fill(db, "e", 21)
    assert len(grab(db, 50, pace=pace).rows) == 19
    notices = fill(db, "n", 3, priority=0)
    ((hold, waiting),) = db.read(lambda s: list_holds(s, NOON, pace))
    assert (hold.whom, waiting) == ("others", 2)
    assert db.write(lambda s: put_off(s, NOON, hold, until=hold.until, limit=100)) == 2
    assert split(grab(db, 50, pace=pace)) == {notices: 1}
    ((hold, waiting),) = db.read(lambda s: list_holds(s, NOON, pace))
    assert (hold.whom, waiting) == ("notices", 2)


def test_only_the_domains_of_a_hold_are_put_off(db):
    fill(db, "e", 2, domain="a.example")
    fill(db, "e", 2, domain="b.example")
    hold = Hold(
        kind="domain",
        key="a.example",
        domains=frozenset({"a.example"}),
        until=NOON + timedelta(hours=1),
        why="it rests",
    )
    assert db.write(lambda s: put_off(s, NOON, hold, until=hold.until, limit=100)) == 2
    assert {row.domain for row in grab(db, 10).rows} == {"b.example"}


def test_a_claim_finds_its_rows_by_the_index(tmp_path):
    """However many rows there are: none of its statements walks through them all."""
    db = Database(f"sqlite:///{(tmp_path / 'plans.db').as_posix()}")
    migrations.migrate(db)
    fill(db, "e", 20)
    fill(db, "n", 1, priority=0)
    rest(db, "b.example", until=NOON + timedelta(minutes=10))
    asked: list[tuple[str, object]] = []
    event.listen(
        db.engine,
        "before_cursor_execute",
        lambda _c, _cur, statement, values, _ctx, _many: asked.append((statement, values)),
    )
    place = Place(after={1: 3})
    assert len(grab(db, 10, place=place).rows) == 10
    plans = []
    with db.engine.connect() as connection:
        for statement, values in list(asked):
            if "delivery" in statement and not statement.startswith("INSERT"):
                plan = connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {statement}", values)
                plans += [row[-1] for row in plan]
    db.close()
    assert any("ix_delivery_due (state=? AND priority=?)" in step for step in plans)
    assert any("not_before=? AND id>?" in step for step in plans)
    assert [step for step in plans if step.startswith(("SCAN d", "SCAN e"))] == []
