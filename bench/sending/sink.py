"""Postfix's smtp-sink on loopback, and smtp-source into it: the anchor of every rate."""

import os
import resource
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from bench.measured.process import Figures

PROGRAMS = Path("/usr/sbin")
_TICK = os.sysconf("SC_CLK_TCK")


@dataclass(frozen=True, slots=True)
class Sink:
    """A running smtp-sink."""

    port: int
    pid: int

    def processor_s(self) -> float:
        """Seconds of processor time it has used so far."""
        fields = Path(f"/proc/{self.pid}/stat").read_text("ascii").rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / _TICK


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@contextmanager
def sink() -> Iterator[Sink]:
    """A sink that takes everything; needs Debian's package postfix, not started."""
    port = free_port()
    who = ["-u", "nobody"] if os.geteuid() == 0 else []
    command = [str(PROGRAMS / "smtp-sink"), *who, f"127.0.0.1:{port}", "1000"]
    with subprocess.Popen(command) as process:
        try:
            for _ in range(200):
                with socket.socket() as probe:
                    if probe.connect_ex(("127.0.0.1", port)) == 0:
                        break
                time.sleep(0.02)
            yield Sink(port, process.pid)
        finally:
            process.terminate()


def source(into: Sink, message: Path, count: int, sessions: int) -> Figures:
    """Send the message ``count`` times over kept connections; the rate, and microseconds of
    processor time for each."""
    command = [
        *(str(PROGRAMS / "smtp-source"), "-d", "-F", str(message)),
        *("-m", str(count), "-s", str(sessions)),
        *("-f", "papers@example.org", "-t", "reader@example.org", f"127.0.0.1:{into.port}"),
    ]
    before, sink_before = resource.getrusage(resource.RUSAGE_CHILDREN), into.processor_s()
    begun = time.perf_counter()
    subprocess.run(command, check=True)
    wall = time.perf_counter() - begun
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    used = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return told(count, wall, used, into.processor_s() - sink_before)


def told(count: int, wall: float, used: float, sink_used: float) -> Figures:
    """Messages per second, and microseconds of processor time per message."""
    return {
        "count": count,
        "per_second": round(count / wall),
        "cpu_us": round(used / count * 1e6, 1),
        "sink_us": round(sink_used / count * 1e6, 1),
        "wall_s": round(wall, 2),
    }
