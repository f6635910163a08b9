"""Parsing in a process of its own that can be ended: no bytes a source sends can hang us. IO.

The process is spawned at the first use and kept; memory and processor time are bounded by the
system, the time on the clock by the pool (pebble), which ends the process and starts another.
"""

import multiprocessing
import resource
import threading
from concurrent.futures import CancelledError
from concurrent.futures import TimeoutError as DeadlineError
from contextlib import suppress
from datetime import date
from types import TracebackType
from typing import Self

from pebble import ProcessExpired, ProcessPool

from service.sources.adapter import CaptureError, Parsed
from service.sources.registry import adapter

MEMORY_BYTES = 1024 * 1024 * 1024
DEADLINE_SECONDS = 60.0
CPU_SECONDS = 3600
"""Processor time of one worker over its whole life; it is renewed after MOST_TASKS."""

MOST_TASKS = 500
_TELL = "Fetch it again later; when it stays so, pause the source."


class ParsePool:
    """One worker process, made when it is first needed.

    Usable from several threads; captures are parsed one after the other.
    """

    def __init__(
        self, *, deadline: float = DEADLINE_SECONDS, memory_bytes: int = MEMORY_BYTES
    ) -> None:
        self._deadline = deadline
        self._memory_bytes = memory_bytes
        self._pool: ProcessPool | None = None
        self._lock = threading.Lock()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        fault: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def parse(self, kind: str, body: bytes, *, day: date | None = None) -> Parsed:
        """Return what ``body`` holds; raises CaptureError, also for what had to be ended."""
        adapter(kind)
        future = self._started().schedule(
            _parse_in_worker, args=(kind, body, day), timeout=self._deadline
        )
        try:
            parsed = future.result()
        except DeadlineError as fault:
            what = f"Parsing was ended after {self._deadline:g} seconds."
            raise CaptureError(what, f"{len(body):,} bytes", _TELL) from fault
        except ProcessExpired as fault:
            what = "Parsing took too much processor time or crashed."
            raise CaptureError(what, f"{len(body):,} bytes", _TELL) from fault
        except (MemoryError, RecursionError) as fault:
            what = "Parsing took too much memory."
            raise CaptureError(what, f"{len(body):,} bytes", _TELL) from fault
        except CancelledError as fault:
            raise CaptureError("The process was shut down.", "", _TELL) from fault
        if isinstance(parsed, Parsed):
            return parsed
        raise CaptureError(*parsed)

    def close(self) -> None:
        """End the worker; the next capture starts another."""
        with self._lock:
            pool, self._pool = self._pool, None
        if pool is not None:
            pool.stop()  # type: ignore[no-untyped-call]
            pool.join()

    def _started(self) -> ProcessPool:
        with self._lock:
            if self._pool is None or not self._pool.active:
                self._pool = ProcessPool(
                    max_workers=1,
                    max_tasks=MOST_TASKS,
                    initializer=_bound,
                    initargs=(self._memory_bytes,),
                    context=multiprocessing.get_context("spawn"),
                )
            return self._pool


def _bound(memory_bytes: int) -> None:
    """Runs in the worker: bound its memory and processor time for good."""
    with suppress(ValueError, OSError):  # a system with a lower limit of its own keeps that
        resource.setrlimit(resource.RLIMIT_AS, (memory_bytes, memory_bytes))
    with suppress(ValueError, OSError):
        resource.setrlimit(resource.RLIMIT_CPU, (CPU_SECONDS, CPU_SECONDS))
    with suppress(ValueError, OSError):
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))


def _parse_in_worker(kind: str, body: bytes, day: date | None) -> Parsed | tuple[str, str, str]:
    """Runs in the worker. An expected fault comes back as its three parts."""
    try:
        return adapter(kind).parse(body, day=day)
    except CaptureError as fault:
        return (fault.what, fault.where, fault.next_step)
    except Exception as fault:  # one source must never stop the others, whatever it sends
        what = f"These bytes broke the reader ({type(fault).__name__}: {str(fault)[:200]})."
        return (what, f"{len(body):,} bytes", "Report it with the capture.")


def parse_here(kind: str, body: bytes, *, day: date | None = None) -> Parsed:
    """Parse in this process, for a file that the operator names. Bounded only in size."""
    if len(body) > 64 * 1024 * 1024:
        raise CaptureError("This file is larger than 64 MB.", f"{len(body):,} bytes", "Split it.")
    return adapter(kind).parse(body, day=day)
