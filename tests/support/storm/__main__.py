"""The fault suite: ``make faults`` runs every part, ``make faults ARGS="kills sqlite"`` one.

Each part keeps its book in bench/results/faults after every point and goes on where it ended; none
takes longer than 45 minutes on two cores (a part that is one long send begins anew). ``again``
forgets what was done; a number is how many points (kills, starts, ...) it shall have. Ends with 1
when a promise was broken: the book says which.

    kills       kill -9 at random moments of one send to 20,000 readers, 8 connections
    points      kill -9 at every fdatasync, fsync, sendto, write, writev and sendmsg of a small send
    answers     a relay that drops, hangs, closes and refuses at random: every mail's end is right
    stops       a sender stands still for three leases while another goes on, then wakes up
    senders     two senders at once
    schedulers  two `paperpost run` at once, at the hour when all are due
    clock       the machine's clock jumps while mails go out
    leaving     readers leave and are erased during a send
    restarts    PostgreSQL is killed or stopped, and started again (postgres)
    commits     COMMITs whose answer is lost (postgres)
    locked      another process holds the database for 60 s (sqlite)
    full        the disk is full (sqlite; needs the right to mount a tmpfs)
    eio         fdatasync, fsync, pwrite64 and ftruncate fail with EIO (sqlite)
    postfix     a real Postfix before smtp-sink, killed and started again (sqlite; needs root)
"""

import random
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from support.postgres import running_cluster
from support.storm import answers, halts, kills, leaving, points, postfix, rough
from support.storm.book import RESULTS, Book
from support.storm.ground import Ground, Template, relay, template
from support.storm.nursery import nursery

from service import log

SEED = 20261122
CONNECTIONS = 8
EIGHT = {"smtp_connections": str(CONNECTIONS), "spread_minutes": "0"}


@dataclass(frozen=True, slots=True)
class Part:
    """What ``run`` does with a book: many points on one database (a cluster, or None = SQLite)."""

    run: Callable[[Path, Any, Book, int], None]
    many: int
    what: str
    databases: tuple[str, ...] = ("sqlite", "postgres")
    careful: bool = False
    is_one_send: bool = False


@contextmanager
def laid(folder: Path, cluster: Any, script: Any = None, **what: Any) -> Iterator[Ground]:
    """One installation with its relay."""
    made = template(folder / "laid", cluster, settings=EIGHT, **what)
    relay_log = folder / "relay.jsonl"
    with (
        relay(relay_log, script) as (port, _),
        made.copy(folder / "ground", port, relay_log) as ground,
    ):
        yield ground


def _kills(folder: Path, cluster: Any, book: Book, many: int) -> None:
    readers = 100 * many
    with laid(folder, cluster, kills.SCRIPT, readers=readers) as ground:
        kills.run(ground, book, many, CONNECTIONS)


def _points(folder: Path, cluster: Any, book: Book, many: int) -> None:
    made = template(folder / "laid", cluster, readers=25, settings={"smtp_connections": "4"})
    with nursery() as nest:
        every = points.every_point(nest, made, folder)
        book.facts["every_point"] = len(every)
        chosen = every if many == 0 else points.spread(every, many)
        points.sweep(nest, made, folder, chosen, "signal=KILL", book, connections=4)


def _eio(folder: Path, cluster: Any, book: Book, many: int) -> None:
    made = template(folder / "laid", cluster, readers=25, settings={"smtp_connections": "4"})
    with nursery() as nest:
        every = points.every_point(nest, made, folder, points.DISK)
        book.facts["every_point"] = len(every)
        chosen = points.spread(every, many)
        points.sweep(nest, made, folder, chosen, "error=EIO", book, connections=4)


def _answers(folder: Path, cluster: Any, book: Book, many: int) -> None:
    while book.done < many:
        here = folder / f"round{book.done}"
        here.mkdir()
        script = answers.script(book.facts["seed"] + book.done)
        with laid(here, cluster, script, readers=0, addresses=answers.addresses(1000)) as ground:
            answers.run(ground, book, CONNECTIONS)


def _each(
    folder: Path,
    cluster: Any,
    book: Book,
    many: int,
    one: Callable[[Ground], None],
    script: Any = None,
    **what: Any,
) -> None:
    """So many points, each on a copy of its own."""
    made: Template = template(folder / "laid", cluster, settings=EIGHT, **what)
    while book.done < many:
        name = f"p{book.done}"
        place = folder / f"{name}.jsonl"
        with relay(place, script) as (port, _), made.copy(folder / name, port, place) as ground:
            one(ground)
        book.step()


def _dice(book: Book) -> random.Random:
    return random.Random(f"{book.facts['seed']}:{book.done}")


def _stops(folder: Path, cluster: Any, book: Book, many: int) -> None:
    def one(ground: Ground) -> None:
        halts.stand_still(ground, book, _dice(book), connections=CONNECTIONS)

    _each(folder, cluster, book, many, one, kills.SCRIPT, readers=200)


def _senders(folder: Path, cluster: Any, book: Book, many: int) -> None:
    _each(folder, cluster, book, many, lambda g: halts.two_senders(g, book), readers=40)


def _schedulers(folder: Path, cluster: Any, book: Book, many: int) -> None:
    _each(folder, cluster, book, many, lambda g: halts.two_schedulers(g, book), readers=40)


def _clock(folder: Path, cluster: Any, book: Book, many: int) -> None:
    def one(ground: Ground) -> None:
        halts.clock_jumps(ground, book, _dice(book), connections=CONNECTIONS)

    slow = {"rules": [{"step": "DOT", "act": "slow", "seconds": 0.1}]}
    _each(folder, cluster, book, many, one, slow, readers=800)


def _leaving(folder: Path, cluster: Any, book: Book, many: int) -> None:
    with laid(folder, cluster, kills.SCRIPT, readers=10 * many) as ground:
        leaving.run(ground, book, leave=many, forget=many // 5)


def _restarts(folder: Path, cluster: Any, book: Book, many: int) -> None:
    with laid(folder, cluster, kills.SCRIPT, readers=150 * many) as ground:
        rough.restarts(ground, book, cluster, many, connections=CONNECTIONS)


def _commits(folder: Path, cluster: Any, book: Book, many: int) -> None:
    while book.done < many:
        here = folder / f"round{book.done}"
        here.mkdir()
        with laid(here, cluster, kills.SCRIPT, readers=500) as ground:
            rough.lost_commits(ground, book, share=0.05, connections=CONNECTIONS)


def _locked(folder: Path, cluster: Any, book: Book, many: int) -> None:
    while book.done < many:
        here = folder / f"round{book.done}"
        here.mkdir()
        with laid(here, cluster, kills.SCRIPT, readers=1000) as ground:
            rough.locked(ground, book, 60.0, connections=CONNECTIONS)


def _full(folder: Path, cluster: Any, book: Book, many: int) -> None:
    made = template(folder / "laid", cluster, settings=EIGHT, readers=300)
    while book.done < many:
        place = folder / f"p{book.done}.jsonl"
        free_kb = 8 + book.done * 3000 // many  # what a whole send of these needs, and less
        with (
            relay(place) as (port, _),
            rough.small_disk(folder / f"disk{book.done}", 40) as disk,
            made.copy(disk / "p", port, place) as ground,
        ):
            rough.full(ground, book, free_kb, connections=CONNECTIONS)
        book.step()


def _postfix(folder: Path, cluster: Any, book: Book, many: int) -> None:
    with postfix.sink(folder) as (sink, dumps):
        mta = postfix.Postfix(folder / "postfix", sink)
        mta.start()
        try:
            made = template(folder / "laid", cluster, settings=EIGHT, readers=100 * many)
            with made.copy(folder / "ground", mta.port, folder / "none.jsonl") as ground:
                postfix.run(ground, book, mta, dumps, many)
        finally:
            mta.stop()


PARTS: dict[str, Part] = {
    "kills": Part(_kills, 200, "kill -9 at random moments, 8 connections", is_one_send=True),
    "points": Part(_points, 0, "kill -9 at every system call that changes something, 25 readers"),
    "answers": Part(_answers, 4, "a relay that drops, hangs, closes and refuses at random"),
    "stops": Part(_stops, 20, "SIGSTOP for three leases while another sender goes on"),
    "senders": Part(_senders, 100, "two senders started at once"),
    "schedulers": Part(_schedulers, 50, "two schedulers started at once"),
    "clock": Part(_clock, 10, "the clock jumps during a send"),
    "leaving": Part(_leaving, 500, "readers leave and are erased during a send"),
    "restarts": Part(_restarts, 20, "PostgreSQL restarted mid-send", ("postgres",), True, True),
    "commits": Part(_commits, 4, "COMMITs whose answer is lost", ("postgres",), careful=True),
    "locked": Part(_locked, 2, "SQLite locked for 60 s", ("sqlite",)),
    "full": Part(_full, 20, "a full disk", ("sqlite",)),
    "eio": Part(_eio, 60, "a disk that fails", ("sqlite",)),
    "postfix": Part(_postfix, 50, "a real Postfix killed and restarted", ("sqlite",), False, True),
}


def carry_out(name: str, database: str, many: int, *, again: bool = False) -> Book:
    """One part on one database; its book."""
    part = PARTS[name]
    many = many or part.many
    if again:
        (RESULTS / f"{name}-{database}.json").unlink(missing_ok=True)
    book = Book.of(name, database, part.what, SEED)
    if part.many and book.done >= many:
        return book
    if part.is_one_send and book.done:  # it cannot be taken up over another database
        return carry_out(name, database, many, again=True)
    with tempfile.TemporaryDirectory(prefix="paperpost-faults-") as made:
        folder = Path(made)
        folder.chmod(0o755)
        if database == "sqlite":
            part.run(folder, None, book, many)
        else:
            with running_cluster(careful=part.careful) as cluster:
                part.run(folder, cluster, book, many)
    return book


def main() -> None:
    """Every part that is asked for, one after the other."""
    log.set_up("text", quiet=True)
    words = sys.argv[1:]
    again = "again" in words
    numbers = [int(word) for word in words if word.isdigit()]
    names = [word for word in words if word in PARTS] or list(PARTS)
    databases = [word for word in words if word in ("sqlite", "postgres")]
    if unknown := set(words) - set(names) - set(databases) - {"again"} - {str(n) for n in numbers}:
        sys.exit(f"no such part: {', '.join(sorted(unknown))}. Parts: {', '.join(PARTS)}.")
    broken = False
    for name in names:
        for database in databases or PARTS[name].databases:
            if database not in PARTS[name].databases:
                continue
            book = carry_out(name, database, numbers[0] if numbers else 0, again=again)
            sys.stdout.write(f"{name} {database}: {book.totals}\n")
            for case in book.breaches[:20]:
                sys.stdout.write(f"  broken: {case}\n")
            sys.stdout.flush()
            broken = broken or bool(book.breaches)
    sys.exit(1 if broken else 0)


if __name__ == "__main__":
    main()
