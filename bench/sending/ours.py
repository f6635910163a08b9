"""Our part as a process of its own: fill (FOLDER READERS CAP [INTERESTS [DATABASE]]), plan (and
compose; FOLDER [DATABASE]), or send (FOLDER PORT SESSIONS [DATABASE]). Figures go to the parent."""

import asyncio
import sys
import time
from pathlib import Path

from bench.measured.process import Figures, memory_mb, peak_mb, report
from bench.sending import house
from service.flows.send import send_ready


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
    elif act == "send":
        report(lambda: send(place, int(more[0]), int(more[1]), "".join(more[2:])))


if __name__ == "__main__":
    main()
