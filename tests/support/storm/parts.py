"""The campaigns: what each lays once, what one of its rounds does, and how many trials are wanted.

A round is one send (of one point, or with some kills); it is named by its first trial, and all its
chance comes from the seed and that number: two processes may share the rounds of a campaign.
"""

import random
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from support.storm import answers, byhand, halts, kills, leaving, points, postfix, returns, rough
from support.storm.book import Tally
from support.storm.ground import Ground, Template, relay, template
from support.storm.hands import Act
from support.storm.nursery import Nursery, nursery

SEED = 20261122
CONNECTIONS = 8
EIGHT = {"smtp_connections": str(CONNECTIONS), "spread_minutes": "0"}
FOUR = {"smtp_connections": "4"}
POINT_READERS = 25


@dataclass(frozen=True, slots=True)
class Site:
    """Where one process does its rounds. cluster: a PostgreSQL of its own, None = SQLite · most:
    the most trials of a round · calls: of a send that nobody disturbs (``points``)."""

    folder: Path
    cluster: Any
    seed: int
    most: int
    calls: Mapping[str, int]

    def dice(self, first: int) -> str:
        """The seed of a round."""
        return f"{self.seed}:{first}"


def _calls_of_a_send(folder: Path, cluster: Any, names: Sequence[str]) -> dict[str, int]:
    """The calls of a send that nobody disturbs."""
    with nursery() as nest:
        made = template(folder / "laid", cluster, readers=POINT_READERS, settings=FOUR)
        return points.calls(nest, made, folder, names)


@dataclass(frozen=True, slots=True)
class Part:
    """lay: what all rounds of a process share · wanted: trials, 0 = as many as there are points ·
    each: trials of a round · trial: the figure that counts them, and N of 3/N · names: system calls
    to be counted before · count: how they are counted, in a folder of their own · careful: a
    PostgreSQL that waits for the disk."""

    lay: Callable[[Site], AbstractContextManager[Act]]
    wanted: int
    what: str
    trial: str
    each: int = 1
    databases: tuple[str, ...] = ("sqlite", "postgres")
    careful: bool = False
    names: tuple[str, ...] = ()
    count: Callable[[Path, Any, Sequence[str]], dict[str, int]] = _calls_of_a_send


@contextmanager
def _grounds(
    site: Site, **what: Any
) -> Iterator[Callable[[int, Any], AbstractContextManager[Ground]]]:
    """Gives a ground by number and script: a copy of what is laid once, with a relay of its own."""
    made = template(site.folder / "laid", site.cluster, settings=EIGHT, **what)
    with nursery() as nest:
        yield lambda first, script: _ground(site.folder, made, nest, first, script)


@contextmanager
def _ground(
    folder: Path, made: Template, nest: Nursery, first: int, script: Any
) -> Iterator[Ground]:
    log = folder / f"p{first}.jsonl"
    with (
        relay(log, script) as (port, _),
        made.copy(folder / f"p{first}", port, log, nest) as ground,
    ):
        yield ground
    log.unlink()


@contextmanager
def _kills(site: Site) -> Iterator[Act]:
    readers = 400 * site.most
    with _grounds(site, readers=readers) as at:

        def act(first: int, trials: int, tally: Tally) -> None:
            with at(first, kills.script(readers)) as ground:
                kills.run(ground, tally, site.dice(first), trials, CONNECTIONS)

        yield act


def _struck(blow: str) -> Callable[[Site], AbstractContextManager[Act]]:
    """A blow at each of the points."""

    @contextmanager
    def lay(site: Site) -> Iterator[Act]:
        made = template(site.folder / "laid", site.cluster, readers=POINT_READERS, settings=FOUR)
        every = points.every_point(site.calls)
        random.Random(site.seed).shuffle(every)  # a part of them is of all sorts
        with nursery() as nest:

            def act(first: int, _: int, tally: Tally) -> None:
                points.hit(nest, made, site.folder, every[first], blow, tally, most_held=8)

            yield act

    return lay


@contextmanager
def _answers(site: Site) -> Iterator[Act]:
    with _grounds(site, readers=0, addresses=answers.addresses(1000)) as at:

        def act(first: int, _: int, tally: Tally) -> None:
            with at(first, answers.script(site.seed + first)) as ground:
                answers.run(ground, tally, CONNECTIONS)

        yield act


def _each(
    one: Callable[[Ground, Tally, Site, int], None], readers: int, script: Any = None
) -> Callable[[Site], AbstractContextManager[Act]]:
    """A ground for each trial."""

    @contextmanager
    def lay(site: Site) -> Iterator[Act]:
        with _grounds(site, readers=readers) as at:

            def act(first: int, _: int, tally: Tally) -> None:
                with at(first, script) as ground:
                    one(ground, tally, site, first)

            yield act

    return lay


def _stops(ground: Ground, tally: Tally, site: Site, first: int) -> None:
    dice = random.Random(site.dice(first))
    halts.stand_still(ground, tally, dice, connections=CONNECTIONS)


def _senders(ground: Ground, tally: Tally, site: Site, first: int) -> None:
    halts.two_senders(ground, tally, first)


def _schedulers(ground: Ground, tally: Tally, site: Site, first: int) -> None:
    halts.two_schedulers(ground, tally, first)


def _clock(ground: Ground, tally: Tally, site: Site, first: int) -> None:
    dice = random.Random(site.dice(first))
    halts.clock_jumps(ground, tally, dice, connections=CONNECTIONS)


def _commits(ground: Ground, tally: Tally, site: Site, first: int) -> None:
    rough.lost_commits(ground, tally, site.seed + first, share=0.05, connections=CONNECTIONS)


def _locked(ground: Ground, tally: Tally, site: Site, first: int) -> None:
    rough.locked(ground, tally, 60.0, connections=CONNECTIONS)


@contextmanager
def _leaving(site: Site) -> Iterator[Act]:
    with _grounds(site, readers=10 * site.most) as at:

        def act(first: int, trials: int, tally: Tally) -> None:
            with at(first, kills.SCRIPT) as ground:
                forget = trials // 6
                leave = trials - forget
                leaving.run(ground, tally, site.dice(first), leave=leave, forget=forget)

        yield act


@contextmanager
def _restarts(site: Site) -> Iterator[Act]:
    with _grounds(site, readers=400 * site.most) as at:

        def act(first: int, trials: int, tally: Tally) -> None:
            with at(first, kills.SCRIPT) as ground:
                rough.restarts(
                    ground, tally, site.dice(first), site.cluster, trials, connections=CONNECTIONS
                )

        yield act


@contextmanager
def _full(site: Site) -> Iterator[Act]:
    made = template(site.folder / "laid", site.cluster, settings=EIGHT, readers=300)
    with nursery() as nest:

        def act(first: int, _: int, tally: Tally) -> None:
            free_kb = 8 + first * 150  # what a whole send of these needs, and less
            log = site.folder / f"p{first}.jsonl"
            with (
                relay(log) as (port, _),
                rough.small_disk(site.folder / f"disk{first}", 40) as disk,
                made.copy(disk / "p", port, log, nest) as ground,
            ):
                rough.full(ground, tally, free_kb, connections=CONNECTIONS)

        yield act


@contextmanager
def _postfix(site: Site) -> Iterator[Act]:
    made = template(site.folder / "laid", site.cluster, settings=EIGHT, readers=100 * site.most)

    def act(first: int, trials: int, tally: Tally) -> None:
        here = site.folder / f"p{first}"
        here.mkdir(mode=0o755)
        with postfix.sink(here) as (sink, dumps):
            mta = postfix.Postfix(here / "postfix", sink)
            mta.start()
            try:
                with made.copy(here / "ground", mta.port, here / "none.jsonl") as ground:
                    postfix.run(ground, tally, site.dice(first), mta, dumps, trials)
            finally:
                mta.stop()

    yield act


@contextmanager
def _read_back(folder: Path, cluster: Any) -> Iterator[returns.Returned]:
    with (
        nursery() as nest,
        returns.returned(folder, cluster, returns.readers(2), nest) as back,
    ):
        yield back


def _calls_of_a_reading(folder: Path, cluster: Any, names: Sequence[str]) -> dict[str, int]:
    """The calls of a reading of the mailbox that nobody disturbs."""
    with _read_back(folder, cluster) as back:
        return returns.undisturbed(back, folder, names)


@contextmanager
def _inbound(site: Site) -> Iterator[Act]:
    every = points.every_point(site.calls)
    random.Random(site.seed).shuffle(every)
    with _read_back(site.folder, site.cluster) as back:
        returns.undisturbed(back, site.folder)

        def act(first: int, _: int, tally: Tally) -> None:
            returns.hit(back, site.folder, every[first], tally)

        yield act


@contextmanager
def _by_hand(site: Site) -> Iterator[Act]:
    made = byhand.laid(site.folder / "laid", site.cluster)
    every = points.every_point(site.calls)
    random.Random(site.seed).shuffle(every)
    with nursery() as nest:

        def act(first: int, _: int, tally: Tally) -> None:
            byhand.hit(nest, made, site.folder, every[first], tally)

        yield act


SLOW = {"rules": [{"step": "DOT", "act": "slow", "seconds": 0.1}]}
ONLY_SQLITE, ONLY_POSTGRES = ("sqlite",), ("postgres",)

PARTS: dict[str, Part] = {
    "kills": Part(_kills, 200, "kill -9 at random moments, 8 connections", "kills", 50),
    "points": Part(
        _struck("signal=KILL"), 0, "kill -9 at every system call that changes something",
        "points", names=points.CALLS,
    ),
    "answers": Part(_answers, 4, "a relay that drops, hangs, closes, refuses at random", "rounds"),
    "stops": Part(
        _each(_stops, 200, kills.SCRIPT), 20, "SIGSTOP for three leases, another sender goes on",
        "stops",
    ),
    "senders": Part(_each(_senders, 40), 100, "two senders started at once", "starts"),
    "schedulers": Part(_each(_schedulers, 40), 100, "two schedulers started at once", "starts"),
    "clock": Part(_each(_clock, 800, SLOW), 10, "the clock jumps during a send", "sends"),
    "leaving": Part(_leaving, 600, "readers leave and are erased during a send", "acts", 120),
    "restarts": Part(
        _restarts, 20, "PostgreSQL restarted mid-send", "restarts", 5, ONLY_POSTGRES, careful=True
    ),
    "commits": Part(
        _each(_commits, 500, kills.SCRIPT), 4, "COMMITs whose answer is lost", "commits_lost",
        databases=ONLY_POSTGRES, careful=True,
    ),
    "locked": Part(
        _each(_locked, 1000, kills.SCRIPT), 2, "SQLite locked for 60 s", "locks",
        databases=ONLY_SQLITE,
    ),
    "full": Part(_full, 20, "a full disk", "points", databases=ONLY_SQLITE),
    "eio": Part(
        _struck("error=EIO"), 0, "a disk that fails", "points", databases=ONLY_SQLITE,
        names=points.DISK,
    ),
    "postfix": Part(
        _postfix, 50, "a real Postfix killed and restarted", "kills", 10, ONLY_SQLITE
    ),
    "inbound": Part(
        _inbound, 0, "kill -9 at every system call of who reads what comes back", "points",
        names=returns.CALLS, count=_calls_of_a_reading,
    ),
    "byhand": Part(
        _by_hand, 0, "kill -9 before and after every write of sends by hand", "points",
        names=tuple(byhand.TIMES), count=byhand.calls,
    ),
}  # fmt: skip
