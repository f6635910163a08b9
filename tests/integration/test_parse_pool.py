"""Parsing in a process that can be ended."""

import signal
import threading
import time
from collections.abc import Iterator
from datetime import date

import pytest

from service.sources import parse_pool
from service.sources.adapter import CaptureError, ParameterError
from service.sources.parse_pool import ParsePool, parse_here

GOOD = (
    b'<rss version="2.0"><channel><title>T</title>'
    b"<item><title>A paper</title><guid>1</guid></item></channel></rss>"
)
HF = b'[{"paper":{"id":"2511.01234","title":"T"}}]'


@pytest.fixture(scope="module")
def pool() -> Iterator[ParsePool]:
    with ParsePool(deadline=20) as pool:
        yield pool


def test_nothing_is_started_before_it_is_needed() -> None:
    pool = ParsePool()
    assert pool._workers == {}
    pool.close()


def test_the_same_as_in_this_process(pool: ParsePool) -> None:
    assert pool.parse("feed", GOOD) == parse_here("feed", GOOD)
    day = date(2026, 6, 17)
    assert pool.parse("hf_daily", HF, day=day).sightings[0].listed_on == day


def test_faults_come_back_in_three_parts(pool: ParsePool) -> None:
    with pytest.raises(CaptureError) as caught:
        pool.parse("feed", b"<html><title>Sorry</title></html>")
    assert caught.value.what == 'This is a web page, no feed ("Sorry").'
    assert caught.value.where
    assert caught.value.next_step
    with pytest.raises(ParameterError):
        pool.parse("fed", GOOD)


def test_an_entity_bomb_harms_nobody(pool: ParsePool) -> None:
    layers = b"".join(
        b'<!ENTITY a%d "%s">' % (n, b"&a%d;" % (n - 1) * 10 if n else b"aaaaaaaaaa")
        for n in range(12)
    )
    bomb = (
        b"<!DOCTYPE r ["
        + layers
        + b"]><rss version='2.0'><channel><title>&a11;</title></channel></rss>"
    )
    with pytest.raises(CaptureError, match="XML bomb"):
        pool.parse("feed", bomb)
    assert pool.parse("feed", GOOD).items == 1


@pytest.mark.slow
def test_what_takes_long_by_the_processor_goes_to_the_second_worker_unharmed() -> None:
    """Neither worker is ended for it: the first says that it gave up."""
    items = b"".join(
        b"<item><title>Paper %d</title><guid>%d</guid></item>" % (n, n) for n in range(150)
    )
    many = GOOD.replace(b"</channel>", items + b"</channel>")
    with ParsePool(deadline=30, quick=0.01) as pool:
        assert pool.parse("feed", many).items == 151
        assert sorted(pool._workers) == [False, True]
        assert all(worker.active for worker in pool._workers.values())


def test_the_bound_of_the_first_worker_is_processor_time(monkeypatch: pytest.MonkeyPatch) -> None:
    """Waiting costs none: what sleeps longer than is quick is not given up."""
    monkeypatch.setattr(parse_pool, "_parsed", lambda *given: time.sleep(0.3) or ("a", "b", "c"))
    old = signal.signal(signal.SIGPROF, parse_pool._stop)
    try:
        assert parse_pool._parse_in_worker("feed", GOOD, None, 0.1) == ("a", "b", "c")
        monkeypatch.setattr(parse_pool, "_parsed", _busy)
        assert parse_pool._parse_in_worker("feed", GOOD, None, 0.1) is None
    finally:
        signal.signal(signal.SIGPROF, old)


def _busy(*given: object) -> None:
    while True:
        sum(range(1000))


def test_several_threads_share_it(pool: ParsePool) -> None:
    found: list[int] = []
    threads = [
        threading.Thread(target=lambda: found.append(pool.parse("feed", GOOD).items))
        for _ in range(6)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert found == [1] * 6


# Starts two processes more; the others start and close one each.
@pytest.mark.slow
def test_closed_and_used_again() -> None:
    pool = ParsePool(deadline=20)
    assert pool.parse("feed", GOOD).items == 1
    pool.close()
    assert pool.parse("feed", GOOD).items == 1
    pool.close()


@pytest.mark.slow  # waits for the deadline of a parse
def test_a_hang_is_ended_and_the_next_capture_is_read() -> None:
    """2 million nested elements keep the parser busy far longer than the deadline."""
    with ParsePool(deadline=1.5) as pool:
        assert pool.parse("feed", GOOD).items == 1
        with pytest.raises(CaptureError, match=r"ended after 1\.5 seconds"):
            pool.parse("feed", b"<rss version='2.0'><channel>" + b"<a b='c'>" * 2_000_000)
        assert pool.parse("feed", GOOD).items == 1


# Two processes, one of which is kept busy.
@pytest.mark.slow
def test_what_hangs_the_reader_makes_nobody_wait() -> None:
    """These bytes take minutes; closing the pool ends it."""
    said: list[str] = []
    with ParsePool(deadline=100, quick=0.5) as pool:
        pool.parse("feed", GOOD)

        def hang() -> None:
            try:
                pool.parse("feed", b"<rss version='2.0'><channel>" + b"<a b='c'>" * 460_000)
            except CaptureError as error:
                said.append(error.what)

        hanging = threading.Thread(target=hang)
        hanging.start()
        time.sleep(1.5)  # by now it has gone over to the second worker
        assert pool.parse("feed", GOOD).items == 1
        assert hanging.is_alive()
    hanging.join()
    assert said == ["The process was shut down."]


# The bounds themselves are read in a quick run; here a process meets one.
@pytest.mark.slow
def test_memory_is_bounded() -> None:
    with ParsePool(deadline=60, memory_bytes=300 * 1024 * 1024) as pool:
        items = b"<item><title>" + b"x" * 60_000 + b"</title></item>"
        with pytest.raises(CaptureError):
            pool.parse("feed", b"<rss version='2.0'><channel>" + items * 1500 + b"</channel></rss>")
        assert pool.parse("feed", GOOD).items == 1


def test_the_worker_is_bounded() -> None:
    assert parse_pool.MEMORY_BYTES <= 1024**3
    assert parse_pool.DEADLINE_SECONDS <= 60


def test_a_huge_file_is_refused_here() -> None:
    with pytest.raises(CaptureError, match="64 MB"):
        parse_here("feed", bytes(65 * 1024 * 1024))
