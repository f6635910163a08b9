"""Any order of claims by two senders, answers, failures and waits: limits hold, and all goes."""

import random
from collections import Counter
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest
from sqlmodel import col, select

from service.delivery.pace import Rates
from service.store import migrations
from service.store.claims import Place, take
from service.store.db import Database
from service.store.editions import add_edition
from service.store.routes import keep_route
from service.store.send_pace import Pace
from service.store.tables import DeliveryRow

NOON = datetime(2026, 11, 18, 12, tzinfo=UTC)
GROUPS = {"a.example": "mx.example", "b.example": "mx.example", "c.example": "c.example"}
LENGTHS = {"minute": timedelta(minutes=1), "hour": timedelta(hours=1)}


@pytest.fixture
def db(database_url: str) -> Iterator[Database]:
    made = Database(database_url)
    if migrations.current(made) is None:
        migrations.migrate(made)
    yield made
    made.close()


def fill(db: Database, chance: random.Random) -> int:
    """Four editions of very different sizes, and notices."""
    sizes = {"large": 24, "middle": 8, "small": 2, "one": 1, "notices": 3}

    def work(session):
        until = NOON + timedelta(days=30)
        for domain, group in GROUPS.items():
            keep_route(session, domain, group, now=NOON, until=until)
        for slot, size in sizes.items():
            kind = "notice" if slot == "notices" else "digest"
            edition, _ = add_edition(session, kind=kind, slot=slot, now=NOON)
            session.flush()
            for n in range(size):
                domain, key = chance.choice(sorted(GROUPS)), f"{slot}-{n}"
                session.add(
                    DeliveryRow(
                        edition_id=edition.id,
                        recipient_key=key,
                        rcpt=f"{key}@{domain}",
                        domain=domain,
                        kind=kind,
                        priority=0 if kind == "notice" else 2,
                        state="ready",
                        message_id=f"<{key}>",
                        bounce_id=key,
                        token=key,
                        planned_at=NOON,
                    )
                )

    db.write(work)
    return sum(sizes.values())


def most_in(times: list[datetime], length: timedelta) -> int:
    return max(
        (sum(1 for at in times if begun <= at < begun + length) for begun in times), default=0
    )


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(2))
def test_limits_hold_in_every_window_and_all_goes(db, seed):
    chance = random.Random(seed)
    total = fill(db, chance)
    pace = Pace(
        account="relay:25",
        mails=Rates(minute=chance.randint(3, 9), hour=chance.randint(20, 40)),
        domain=Rates(minute=chance.randint(2, 6), hour=chance.randint(12, 30)),
    )
    now, places, left = NOON, [Place(), Place()], total
    went: list[tuple[datetime, str, int, int]] = []
    for _ in range(1000):
        if not left:
            break
        who = chance.randrange(2)
        place, limit = places[who], chance.randint(1, 12)
        claimed = db.write(
            lambda s, w=who, p=place, n=limit, t=now: take(  # type: ignore[misc]
                s, owner=w + 1, now=t, limit=n, pace=pace, place=p
            )
        )
        places[who] = claimed.place
        went += [(now, row.domain, row.id, row.edition_id) for row in claimed.rows]
        if claimed.rows:
            left -= db.write(lambda s, c=claimed, t=now: answer(s, chance, c.rows, t))  # type: ignore[misc]
        now += timedelta(seconds=chance.choice((0, 0.5, 30, 61, 400)))
    assert len({i for _, _, i, _ in went}) == total
    assert not waiting(db)
    by_group: dict[str, list[datetime]] = {}
    for at, domain, _, _ in went:
        by_group.setdefault(GROUPS[domain], []).append(at)
    for name, length in LENGTHS.items():
        assert most_in([at for at, *_ in went], length) <= getattr(pace.mails, name)
        for group, times in by_group.items():
            assert most_in(times, length) <= getattr(pace.domain, name), group
    assert_fair(went)


def answer(session, chance: random.Random, rows, now: datetime) -> int:
    """Most are accepted (how many is returned), some come back for a while, some lost their
    sender."""
    accepted = 0
    for row in rows:
        kept, fate = session.get(DeliveryRow, row.id), chance.random()
        kept.lease_owner = kept.lease_until = None
        if fate < 0.85:
            kept.state, accepted = "accepted", accepted + 1
        elif fate < 0.95:
            kept.state, kept.not_before = "deferred", now + timedelta(minutes=2)
        else:
            kept.state = "ready"
    return accepted


def waiting(db: Database) -> int:
    query = select(DeliveryRow.id).where(col(DeliveryRow.state) != "accepted")
    return len(db.read(lambda s: s.exec(query).all()))


def assert_fair(went: list[tuple[datetime, str, int, int]]) -> None:
    """The small ones were through before the large one was half done."""
    sizes = Counter(edition for _, _, _, edition in went)
    large = sizes.most_common(1)[0][0]
    first: dict[int, int] = {}
    for at, (_, _, row, edition) in enumerate(went):
        if row not in [went[n][2] for n in range(at)]:
            first[edition] = at  # where the last row of an edition went for the first time
    half = [at for at, one in enumerate(went) if one[3] == large][sizes[large] // 2]
    for edition in sizes:
        if sizes[edition] <= 4:
            assert first[edition] < half, edition
