"""Our part as a process of its own: fill (FOLDER READERS CAP [INTERESTS [DATABASE]]), plan (and
compose; FOLDER [DATABASE]), or send (FOLDER PORT SESSIONS [DATABASE]; ``unmarked`` the same without
a mark before each body, to see what it costs). Figures go to the parent."""

import asyncio
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from pathlib import Path
from typing import Any

from bench.measured.process import Figures, memory_mb, peak_mb, report
from bench.sending import house
from service.flows import send as flow
from service.flows.journal import Journal
from service.flows.send import send_ready
from service.store.wire import Mark, mark_sending


@contextmanager
def unmarked() -> Iterator[None]:
    """Mails are marked when they are claimed, many in one statement, and bodies wait for nothing:
    what a sender would do that may send twice after a crash."""
    real_lease, real_mark = flow._lease, Journal.mark

    async def lease(run: Any, limit: int) -> Any:
        jobs = await real_lease(run, limit)
        marks = [Mark(job.row.id or 0, job.row.fence, job.hashed, "") for job in jobs]
        now = run.rt.clock()
        await run.rt.db.awrite(lambda s: mark_sending(s, marks, owner=run.owner, now=now))
        return jobs

    async def mark(journal: Journal, job: Any, sha: str) -> bool:
        return True

    flow._lease, Journal.mark = lease, mark  # type: ignore[assignment,method-assign]
    try:
        yield
    finally:
        flow._lease, Journal.mark = real_lease, real_mark  # type: ignore[method-assign]


def send(folder: Path, port: int, sessions: int, database: str) -> Figures:
    """Send all that is ready; counted are rows that the relay took."""
    with house.house(folder, port=port, database=database, sessions=sessions) as made:
        rt = made.runtime
        rt.read_templates()
        before = memory_mb()
        used, begun = time.process_time(), time.perf_counter()
        done = asyncio.run(send_ready(rt))
        wall, spent = time.perf_counter() - begun, time.process_time() - used
        return {
            "taken": done.accepted,
            "others": done.tried - done.accepted,
            "wall": wall,
            "used": spent,
            "memory_mb": round(before),
            "peak_mb": round(peak_mb()),
        }


def main() -> None:
    act, folder, *more = sys.argv[1:]
    place = Path(folder)
    if act == "fill":
        readers, cap, *others = (int(number) for number in more[:3])
        house.fill(place, readers, cap, *others, database="".join(more[3:]))
    elif act == "plan":
        report(lambda: {**house.plan(place, "".join(more)), "peak_mb": round(peak_mb())})
    elif act in ("send", "unmarked"):
        with unmarked() if act == "unmarked" else nullcontext():
            report(lambda: send(place, int(more[0]), int(more[1]), "".join(more[2:])))


if __name__ == "__main__":
    main()
