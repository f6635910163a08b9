"""How a send goes, as a line that moves: on a terminal only, on standard error."""

import sys
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from service.flows.runtime import Runtime

EVERY_S = 0.5


@contextmanager
def shown_while(rt: "Runtime", editions: Sequence[int]) -> Iterator[None]:
    """Show a bar of some editions while the block lasts, read from the ledger. Nothing is written
    where standard error is no terminal, or nothing waits."""
    if not editions or not sys.stderr.isatty():
        yield
        return
    from rich.console import Console
    from rich.progress import (
        BarColumn,
        MofNCompleteColumn,
        Progress,
        TextColumn,
        TimeRemainingColumn,
    )

    from service.store.db import DOUBTFUL
    from service.store.deliveries import count_waiting

    def waiting() -> int:
        left = rt.db.read(lambda s: count_waiting(s, editions))
        return left.get("ready", 0) + left.get("leased", 0) + left.get("sending", 0)

    total = waiting()
    if not total:
        yield
        return
    over = threading.Event()
    columns = (
        TextColumn("Sending"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeRemainingColumn(elapsed_when_finished=True),
    )
    with Progress(*columns, console=Console(stderr=True)) as bar:
        task = bar.add_task("", total=total)

        def follow() -> None:
            while not over.wait(EVERY_S):
                with suppress(*DOUBTFUL):  # the bar is for the eye: it never breaks a send
                    bar.update(task, completed=max(0, total - waiting()))

        thread = threading.Thread(target=follow, daemon=True)
        thread.start()
        try:
            yield
        finally:
            over.set()
            thread.join(5)
            bar.update(task, completed=max(0, total - waiting()))
