"""The fault suite: ``make faults`` runs every part, ``make faults ARGS="kills sqlite"`` one.

    make faults ARGS="all 120"         all parts one after the other, for so many minutes at most
    make faults ARGS="kills postgres"  one part, 44 minutes at most
    make faults ARGS="points 40"       so many trials of it (kills, points, starts, ...)
    make faults ARGS="kills again"     forgets what was done; "alone": in one process, not in two

Each part keeps its book in bench/results/faults after every round and goes on where it ended. Ends
with 1 when a promise was broken: the book says which.

    kills       kill -9 at random moments of sends to 20,000 readers, 8 connections, 50 kills each
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
    inbound     kill -9 at every such call of who reads real mails that came back (needs root)
    byhand      kill -9 before and after every write of sends by hand: at an instant, at each
                reader's hour, with a first few, a pause and the rest
"""

import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from support.postgres import running_cluster
from support.storm.book import RESULTS, Book
from support.storm.hands import Act, carry_out, rounds
from support.storm.parts import PARTS, SEED, Part, Site
from support.storm.report import told

from service import log

MINUTES = 44.0
"""No part takes longer at a time."""
ALONE = frozenset({"locked", "clock", "schedulers"})
"""These mind the time; two at once would measure each other."""


def calls_of(part: Part, database: str, folder: Path) -> dict[str, int]:
    """The system calls of what is hit, undisturbed; {} where nobody asks."""
    if not part.names:
        return {}
    folder.mkdir()
    folder.chmod(0o755)
    with _cluster(part, database) as cluster:
        return part.count(folder, cluster, part.names)


@contextmanager
def _cluster(part: Part, database: str) -> Iterator[object]:
    if database == "sqlite":
        yield None
    else:
        with running_cluster(careful=part.careful) as cluster:
            yield cluster


def site_of(part: Part, database: str, book: Book, most: int) -> Callable[[Path], object]:
    """What each process lays for its rounds."""

    @contextmanager
    def lay(folder: Path) -> Iterator[Act]:
        with _cluster(part, database) as cluster:
            site = Site(folder, cluster, book.seed, most, book.facts.get("calls", {}))
            with part.lay(site) as act:
                yield act

    return lay


@dataclass(frozen=True, slots=True)
class Asked:
    """many: trials to have in the end, 0 = all that are wanted · minutes: for one part."""

    many: int = 0
    minutes: float = MINUTES
    again: bool = False
    hands: int = 2


def campaign(name: str, database: str, asked: Asked) -> Book:
    """One part on one database, as far as it comes; its book."""
    part = PARTS[name]
    begun = time.monotonic()
    book = Book(
        RESULTS / f"{name}-{database}.json", what=part.what, seed=SEED, wanted=part.wanted,
        command=f'make faults ARGS="{name} {database}"', trial=part.trial, again=asked.again,
    )  # fmt: skip
    with tempfile.TemporaryDirectory(prefix="paperpost-faults-") as made:
        folder = Path(made)
        folder.chmod(0o755)
        if part.names and "calls" not in book.facts:
            book.facts["calls"] = calls_of(part, database, folder / "calls")
        book.facts["wanted"] = part.wanted or sum(book.facts["calls"].values())
        many = min(asked.many or book.facts["wanted"], book.facts["wanted"])
        left = rounds(book.done, many, part.each)
        if left:
            most = max(trials for _, trials in left)
            spent = (time.monotonic() - begun) / 60
            carry_out(
                site_of(part, database, book, most), left, book, folder,
                hands=1 if name in ALONE else asked.hands, minutes=asked.minutes - spent,
            )  # fmt: skip
    return book


def main() -> None:
    """Every part that is asked for, one after the other."""
    log.set_up("text", quiet=True)
    words = sys.argv[1:]
    numbers = [int(word) for word in words if word.isdigit()]
    names = [word for word in words if word in PARTS] or list(PARTS)
    databases = [word for word in words if word in ("sqlite", "postgres")]
    known = {*names, *databases, "again", "alone", "all", *map(str, numbers)}
    if unknown := set(words) - known:
        sys.exit(f"no such part: {', '.join(sorted(unknown))}. Parts: {', '.join(PARTS)}.")
    number = numbers[0] if numbers else 0
    end = time.monotonic() + 60 * (number if "all" in words and number else 24 * 60)
    many = 0 if "all" in words else number
    broken = False
    for name in names:
        for database in databases or PARTS[name].databases:
            minutes = min(MINUTES, (end - time.monotonic()) / 60)
            if database not in PARTS[name].databases or minutes <= 0:
                continue
            hands = 1 if "alone" in words else 2
            book = campaign(name, database, Asked(many, minutes, "again" in words, hands))
            sys.stdout.write(told(name, database, book.facts))
            sys.stdout.flush()
            broken = broken or bool(book.tally.breaches)
    sys.exit(1 if broken else 0)


if __name__ == "__main__":
    main()
