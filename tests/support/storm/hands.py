"""Some processes do the rounds of a campaign, each with what it has laid for itself; the book hears
of them in their order, so that a run that is broken off goes on behind the last one it knows."""

import multiprocessing
import time
import traceback
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from multiprocessing.connection import Connection, wait
from multiprocessing.process import BaseProcess
from pathlib import Path

from support.storm.book import Book, Tally

Round = tuple[int, int]
"""The number of its first trial, and how many it has."""

Act = Callable[[int, int, Tally], None]
"""One round: its first trial, how many, and where it counts."""

Lay = Callable[[Path], AbstractContextManager[Act]]
"""Lays in a folder of its own what all rounds of one process share."""

_FORK = multiprocessing.get_context("fork")


class BrokeDown(RuntimeError):
    """A round could not be judged: the words of its error."""


def rounds(done: int, many: int, each: int) -> list[Round]:
    """What is left of so many trials, in rounds of ``each``."""
    return [(first, min(each, many - first)) for first in range(done, many, each)]


def carry_out(
    lay: Lay, left: Sequence[Round], book: Book, folder: Path, *, hands: int = 2, minutes: float
) -> None:
    """Do the rounds until all are done, or until no further one would end within the minutes.

    Raises BrokeDown with the first error of a round; what was done before it stands in the book.
    """
    end = time.monotonic() + minutes * 60
    longest = 0.0
    waiting = iter(left)
    begun: dict[Connection, tuple[Round, float]] = {}
    ended: dict[Round, Tally] = {}
    following = iter(left)
    awaited = next(following, None)
    with _made(lay, folder, min(hands, len(left))) as made:

        def give(hand: Connection) -> None:
            if time.monotonic() + longest < end and (one := next(waiting, None)) is not None:
                hand.send(one)
                begun[hand] = one, time.monotonic()

        for hand in made:
            give(hand)
        while begun:
            for hand in wait(list(begun)):
                assert isinstance(hand, Connection)
                one, since = begun.pop(hand)
                ended[one] = _result(hand)
                longest = max(longest, time.monotonic() - since)
                while awaited is not None and awaited in ended:
                    book.step(awaited[1], ended.pop(awaited))
                    awaited = next(following, None)
                give(hand)


def _result(hand: Connection) -> Tally:
    try:
        found = hand.recv()
    except EOFError:
        raise BrokeDown("a process of the campaign is gone") from None
    if isinstance(found, str):
        raise BrokeDown(found)
    assert isinstance(found, Tally)
    return found


@contextmanager
def _made(lay: Lay, folder: Path, many: int) -> Iterator[list[Connection]]:
    """So many processes, told to end afterwards."""
    made: list[tuple[Connection, BaseProcess]] = []
    try:
        for number in range(many):
            mine, theirs = _FORK.Pipe()
            earlier = [*(hand for hand, _ in made), mine]
            child = _FORK.Process(
                target=_work, args=(lay, folder / f"hand{number}", theirs, earlier)
            )
            child.start()
            theirs.close()
            made.append((mine, child))
        yield [hand for hand, _ in made]
    finally:
        for hand, _ in made:
            hand.close()
        for _, child in made:
            child.join()


def _work(lay: Lay, folder: Path, hand: Connection, others: list[Connection]) -> None:
    """In a process of its own: round after round, until the other end is closed."""
    for other in others:  # else nobody would see the end of them
        other.close()
    folder.mkdir()
    folder.chmod(0o755)
    try:
        with lay(folder) as act:
            while True:
                first, trials = hand.recv()
                tally = Tally()
                act(first, trials, tally)
                hand.send(tally)
    except (EOFError, KeyboardInterrupt):
        return
    except BaseException:  # whatever it was, the campaign says so and ends
        hand.send(traceback.format_exc())
