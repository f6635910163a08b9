"""How often a server is asked: counted, spaced and paused in the database, for every process."""

import asyncio
import threading
import time
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from email.utils import format_datetime
from itertools import pairwise
from pathlib import Path

import pytest
from support.house import lay_database
from support.polling import Clock, poll, polling_house, rss_feed, source
from support.web_site import WebSite

from service.flows import asking
from service.flows.asking import GAPS, HOST_GAP, key_of
from service.flows.poll import poll_due
from service.flows.runtime import Runtime
from service.flows.sources import add_source
from service.settings import load_settings
from service.store import migrations
from service.store.db import Database
from service.store.pace import PaceState, claim_turn, end_turn, list_paces

NOON = datetime(2026, 11, 18, 12, tzinfo=UTC)
HOLD = timedelta(seconds=120)
FEED = rss_feed([("a", "One", "2026-11-17")])


@pytest.fixture
def db(database_url: str, tmp_path: Path) -> Iterator[Database]:
    lay_database(load_settings(None, data_dir=tmp_path))
    made = Database(database_url)
    if migrations.current(made) is None:
        migrations.migrate(made)
    yield made
    made.close()


def take(db: Database, key: str, now: datetime, gap: float = 3.0) -> bool:
    """Claim a turn and end it at once."""

    def work(session: object) -> bool:
        turn = claim_turn(session, "fetch", key, now=now, gap=timedelta(seconds=gap), hold=HOLD)  # type: ignore[arg-type]
        if turn.granted:
            end_turn(session, "fetch", key, now=now)  # type: ignore[arg-type]
        return turn.granted

    return db.write(work)


def test_requests_are_counted_by_day_and_key(db: Database) -> None:
    for hours in (0, 1, 2, 13):
        assert take(db, "arxiv", NOON + timedelta(hours=hours))
    assert not take(db, "arxiv", NOON + timedelta(hours=13, seconds=2.9))
    assert take(db, "journal.example", NOON, gap=1)
    rows = db.read(lambda s: list_paces(s, NOON.date()))
    assert rows == [
        PaceState(key="arxiv", today=3, gap_seconds=3.0),
        PaceState(key="journal.example", today=1, gap_seconds=1.0),
    ]
    (first, second) = db.read(lambda s: list_paces(s, date(2026, 11, 19)))
    assert (first.key, first.today, second.today) == ("arxiv", 1, 0)
    assert take(db, "arxiv", NOON + timedelta(days=40))
    counts = {x.key: x.today for x in db.read(lambda s: list_paces(s, NOON.date()))}
    assert counts == {"arxiv": 0, "journal.example": 1}  # forty days later it is not known any more


def test_the_gap_begins_when_the_answer_is_there(db: Database) -> None:
    """A request that was under way for 20 s may have reached the server at the end of them."""
    gap = timedelta(seconds=3)
    assert db.write(lambda s: claim_turn(s, "fetch", "arxiv", now=NOON, gap=gap, hold=HOLD)).granted
    later = NOON + timedelta(seconds=20)
    db.write(lambda s: end_turn(s, "fetch", "arxiv", now=later))
    assert not take(db, "arxiv", later + timedelta(seconds=2.9))
    assert take(db, "arxiv", later + timedelta(seconds=3))


def test_three_pollers_that_begin_together_take_turns(db: Database) -> None:
    """Nobody knows the key before; each has connections of its own."""
    gap, spans, faults = timedelta(seconds=0.03), [], []
    pollers = [Database(db.url) for _ in range(3)]
    gate = threading.Barrier(3)

    def run(mine: Database) -> None:
        try:
            gate.wait()
            for _ in range(3):
                while not mine.write(
                    lambda s: claim_turn(
                        s, "fetch", "arxiv", now=datetime.now(UTC), gap=gap, hold=HOLD
                    )
                ).granted:
                    time.sleep(0.005)
                begun = time.time()
                time.sleep(0.01)
                spans.append((begun, time.time()))
                mine.write(lambda s: end_turn(s, "fetch", "arxiv", now=datetime.now(UTC)))
        except Exception as fault:
            faults.append(fault)

    threads = [threading.Thread(target=run, args=(poller,)) for poller in pollers]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for poller in pollers:
        poller.close()
    assert not faults
    spans.sort()
    assert len(spans) == 9
    assert all(after[0] - before[1] >= 0.03 for before, after in pairwise(spans))
    (row,) = db.read(lambda s: list_paces(s, datetime.now(UTC).date()))
    assert row.today == 9


def test_hugging_face_is_asked_less_than_its_limit(tmp_path: Path) -> None:
    """500 in 5 minutes: here somebody asks as often as the pace allows, for ten."""
    lay_database(load_settings(None, data_dir=tmp_path))
    db = Database(f"sqlite:///{(tmp_path / 'paperpost.db').as_posix()}")
    gap = GAPS["huggingface"].total_seconds()
    instants = [NOON + timedelta(seconds=n * 0.1) for n in range(1200)]
    granted = db.write(
        lambda s: [
            at
            for at in instants
            if claim_turn(
                s, "fetch", "huggingface", now=at, gap=timedelta(seconds=gap), hold=HOLD
            ).granted
            and end_turn(s, "fetch", "huggingface", now=at) is None
        ]
    )
    db.close()
    busiest = max(
        sum(start <= at < start + timedelta(minutes=1) for at in granted) for start in granted
    )
    assert 60 < busiest < 500 / 5


@pytest.mark.parametrize(
    ("url", "politeness", "key"),
    [
        ("https://rss.arxiv.org/rss/cs.CL", "arxiv", "arxiv"),
        ("https://export.arxiv.org/api/query", "", "arxiv"),
        ("https://arxiv.org./rss", "", "arxiv"),
        ("https://huggingface.co/papers", "", "huggingface"),
        ("https://notarxiv.org/rss", "", "notarxiv.org"),
        ("https://arxiv.org.example/rss", "", "arxiv.org.example"),
        ("https://Journal.Example:8443/a", "", "journal.example"),
    ],
)
def test_a_generic_feed_of_arxiv_keeps_arxivs_pace(url: str, politeness: str, key: str) -> None:
    assert key_of(url, politeness) == key


@pytest.fixture
def clock() -> Clock:
    return Clock("2026-11-18T12:00:00")


@pytest.fixture
def site() -> Iterator[WebSite]:
    with WebSite() as made:
        yield made


@pytest.fixture
def rt(tmp_path: Path, clock: Clock) -> Iterator[Runtime]:
    with polling_house(tmp_path, clock, contact_email="papers@example.org") as house:
        yield house.runtime


def paused(rt: Runtime, clock: Clock) -> float:
    """Seconds until the one key may be asked again."""
    (row,) = rt.db.read(lambda s: list_paces(s, clock().date()))
    return (row.paused_until - clock()).total_seconds() if row.paused_until else 0.0


DAY = 86_400
EVERY_KIND: list[tuple[dict[str, str | timedelta], int, int]] = [
    ({"Retry-After": "120"}, 120, 120),
    ({"Retry-After": " 120 "}, 120, 120),
    ({"Retry-After": "0"}, 60, 60),
    ({"Retry-After": "99999999999999999999999"}, DAY, DAY),
    ({"Retry-After": timedelta(hours=1)}, 3590, 3600),
    ({"Retry-After": timedelta(days=2000)}, DAY, DAY),
    ({"Retry-After": timedelta(hours=-9)}, 60, 60),
    ({"Retry-After": "Tuesday, 18-Nov-25 12:30:00 GMT"}, 60, 60),
    ({"Retry-After": "-5"}, 480, 720),
    ({"Retry-After": "1e9"}, 480, 720),
    ({"Retry-After": "120.5"}, 480, 720),
    ({"Retry-After": "in a while"}, 480, 720),
    ({"Retry-After": "Wed, 21 Oct 99999999999 07:28:00 GMT"}, 480, 720),
    ({"Retry-After": ""}, 480, 720),
    ({}, 480, 720),
    ({"RateLimit": '"api";r=0;t=77'}, 77, 77),
    ({"RateLimit": '"api";r=0;t=999999'}, DAY, DAY),
    ({"RateLimit": '"api";r=0;t=-3'}, 480, 720),
    ({"RateLimit": '"api";r=0;t=77', "Retry-After": "200"}, 200, 200),
]


# Twenty polls; that a header is read as it should be is tested quickly with the fetcher.
@pytest.mark.slow
def test_every_kind_of_retry_after_pauses_the_host(
    rt: Runtime, site: WebSite, clock: Clock
) -> None:
    """Headers and the least and most seconds that follow; a timedelta stands for a date."""
    add_source(rt, "feed", f"url={site.base}/feed")
    for number, (headers, least, most) in enumerate(EVERY_KIND):
        sent = {
            name: value if isinstance(value, str) else format_datetime(clock() + value, usegmt=True)
            for name, value in headers.items()
        }
        site.at["/feed"] = (503 if number % 2 else 429, sent, b"")
        (row,) = poll(rt, clock, only=1)
        assert row["outcome"] == "failed", headers
        assert least <= round(paused(rt, clock)) <= most, headers
        due = source(rt).next_poll_at
        assert due is not None
        assert due <= clock() + timedelta(days=1)
        clock.turn(days=1, seconds=1)
        rt.db.write(lambda s: end_turn(s, "fetch", "127.0.0.1"))  # as after a good answer


def test_a_server_that_refuses_again_and_again_rests_longer_each_time(
    rt: Runtime, site: WebSite, clock: Clock
) -> None:
    site.at["/feed"] = (429, {}, b"")
    add_source(rt, "feed", f"url={site.base}/feed")
    rests = []
    for _ in range(9):
        poll(rt, clock, only=1)
        rests.append(paused(rt, clock))
        clock.turn(seconds=rests[-1] + 1)
    for number, rest in enumerate(rests):
        usual = min(600 * 2**number, DAY)
        assert usual * 0.79 <= rest <= min(usual * 1.21, DAY)
    assert len({rest % 600 for rest in rests[:7]}) > 1  # spread, so that hosts do not come together
    assert max(rests) <= DAY


def test_a_redirect_is_a_request_of_its_own(rt: Runtime, site: WebSite, clock: Clock) -> None:
    site.at["/old"] = (301, {"Location": "/older"}, b"")
    site.at["/older"] = (301, {"Location": "/feed"}, b"")
    site.at["/feed"] = (200, {}, FEED)
    add_source(rt, "feed", f"url={site.base}/old")
    begun = clock()
    (row,) = poll(rt, clock)
    assert row["outcome"] == "read"
    assert clock() - begun >= 2 * HOST_GAP
    (pace,) = rt.db.read(lambda s: list_paces(s, clock().date()))
    assert (pace.key, pace.today) == ("127.0.0.1", 3)


def test_a_redirect_into_a_server_that_rests_waits_for_it(
    rt: Runtime, site: WebSite, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    home = asking._host
    monkeypatch.setattr(asking, "_host", lambda url: "arxiv.org" if "/rss" in url else home(url))
    site.at["/old"] = (302, {"Location": "/rss"}, b"")
    site.at["/rss"] = (200, {}, FEED)
    until = clock() + timedelta(hours=1)
    rt.db.write(lambda s: end_turn(s, "fetch", "arxiv", paused_until=until, refused=1))
    add_source(rt, "feed", f"url={site.base}/old")
    (row,) = poll(rt, clock)
    assert (row["outcome"], site.count("/old"), site.count("/rss")) == ("postponed", 1, 0)
    clock.turn(hours=2)
    (row,) = poll(rt, clock)
    assert (row["outcome"], site.count("/rss")) == ("read", 1)
    rows = {x.key: x.today for x in rt.db.read(lambda s: list_paces(s, clock().date()))}
    assert rows == {"127.0.0.1": 2, "arxiv": 1}


def test_who_asks_says_who_it_is_and_whom_to_write_to(
    rt: Runtime, site: WebSite, clock: Clock
) -> None:
    seen: list[str] = []

    def answer(query: dict[str, str], headers: dict[str, str]) -> tuple[int, dict[str, str], bytes]:
        seen.append(headers["user-agent"])
        return 200, {}, FEED

    site.at["/feed"] = answer
    add_source(rt, "feed", f"url={site.base}/feed")
    poll(rt, clock)
    assert seen[0].startswith("Paperpost/")
    assert "papers@example.org" in seen[0]


def test_a_visit_that_is_broken_off_gives_its_turn_back(
    rt: Runtime, site: WebSite, clock: Clock
) -> None:
    begun, stop = threading.Event(), threading.Event()

    def hang(query: dict[str, str], headers: dict[str, str]) -> tuple[int, dict[str, str], bytes]:
        begun.set()
        stop.wait(5)
        return 200, {}, FEED

    site.at["/feed"] = hang
    add_source(rt, "feed", f"url={site.base}/feed")

    async def begin_and_stop() -> None:
        polling = asyncio.create_task(poll_due(rt, sleep=clock.sleep))
        await asyncio.to_thread(begun.wait, 5)
        polling.cancel()
        await asyncio.gather(polling, return_exceptions=True)

    asyncio.run(begin_and_stop())
    stop.set()
    clock.turn(seconds=1)
    due = source(rt).next_poll_at
    assert due is not None
    assert due <= clock()
    turn = rt.db.write(
        lambda s: claim_turn(s, "fetch", "127.0.0.1", now=clock(), gap=HOST_GAP, hold=HOLD)
    )
    assert turn.granted
