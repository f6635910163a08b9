"""Parsing in a process of its own that can be ended: no bytes a source sends can hang us. IO.

The process is spawned at the first use and kept; memory and processor time are bounded by the
system, the time on the clock by the pool (pebble), which ends the process and starts another.
"""

import multiprocessing
import os
import resource
import signal
import threading
from concurrent.futures import BrokenExecutor, CancelledError
from concurrent.futures import TimeoutError as DeadlineError
from contextlib import suppress
from datetime import date
from types import TracebackType
from typing import Any, Self

from pebble import ProcessExpired, ProcessFuture, ProcessPool

from service.sources.adapter import CaptureError, Parsed
from service.sources.registry import adapter

MEMORY_BYTES = 1024 * 1024 * 1024
DEADLINE_SECONDS = 60.0
QUICK_SECONDS = 3.0
QUICK_BYTES = 4 * 1024 * 1024
"""What is larger, or was not read within QUICK_SECONDS of processor time, goes to the second
worker. On a busy machine a second of it takes many: time on the clock would send good feeds there,
each for the price of a new process."""

QUICK_PATIENCE = 5
"""So many times that on the clock, and the first worker is ended: a loop in C hears no signal."""

CPU_SECONDS = 3600
"""Processor time of one worker over its whole life; it is renewed after MOST_TASKS."""

SLOW_NICE = 5
"""The second worker leaves the processor to whatever else has work."""

_SMALL = (
    b"<rss version='2.0'><channel><title>A</title><item><title>B &amp; C</title>"
    b"<description>&lt;p&gt;D&lt;/p&gt;</description></item></channel></rss>"
)
MOST_TASKS = 500
_TELL = "Fetch it again later; when it stays so, pause the source."


class ParsePool:
    """Two workers, each a process made when it is first needed: one for what is read at once, one
    for what takes long, so that bytes that hang the reader never make the others wait.

    Usable from several threads; each worker parses one capture after the other.
    """

    def __init__(
        self,
        *,
        deadline: float = DEADLINE_SECONDS,
        memory_bytes: int = MEMORY_BYTES,
        quick: float = QUICK_SECONDS,
    ) -> None:
        self._deadline = deadline
        self._quick = min(quick, deadline)
        self._memory_bytes = memory_bytes
        self._workers: dict[bool, ProcessPool] = {}
        self._awaited: set[ProcessFuture[Any]] = set()
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
        size = f"{len(body):,} bytes"
        parsed: Parsed | tuple[str, str, str] | None = None
        try:
            if len(body) <= QUICK_BYTES:
                with suppress(DeadlineError):
                    parsed = self._worked(True, kind, body, day)
            if parsed is None:
                parsed = self._worked(False, kind, body, day)
        except DeadlineError as fault:
            what = f"Parsing was ended after {self._deadline:g} seconds."
            raise CaptureError(what, size, _TELL) from fault
        except (ProcessExpired, BrokenExecutor) as fault:
            what = "Parsing took too much processor time or crashed."
            raise CaptureError(what, size, _TELL) from fault
        except (MemoryError, RecursionError) as fault:
            raise CaptureError("Parsing took too much memory.", size, _TELL) from fault
        except CancelledError as fault:
            raise CaptureError("The process was shut down.", "", _TELL) from fault
        if isinstance(parsed, Parsed):
            return parsed
        raise CaptureError(*(parsed or ("Nothing was read.", size, _TELL)))

    def close(self) -> None:
        """End the workers; the next capture starts another."""
        with self._lock:
            workers = list(self._workers.values())
            self._workers.clear()
            awaited = list(self._awaited)
        for future in awaited:  # a pool that is stopped may leave its tasks without an end
            future.cancel()  # type: ignore[no-untyped-call]
        for worker in workers:
            worker.stop()  # type: ignore[no-untyped-call]
            worker.join()

    def _worked(
        self, is_quick: bool, kind: str, body: bytes, day: date | None
    ) -> Parsed | tuple[str, str, str] | None:
        """Return what a worker made of it; None when that took longer than is quick."""
        worker = self._started(is_quick)
        future = worker.schedule(
            _parse_in_worker,
            args=(kind, body, day, self._quick if is_quick else 0.0),
            timeout=min(QUICK_PATIENCE * self._quick, self._deadline)
            if is_quick
            else self._deadline,
        )
        self._awaited.add(future)
        try:
            found: Parsed | tuple[str, str, str] | None = future.result()
        except DeadlineError:
            raise
        except (TypeError, OSError, BrokenExecutor) as fault:  # the library's, when it is stopped
            if worker.active:
                raise
            raise CancelledError from fault
        finally:
            self._awaited.discard(future)
        return found

    def _started(self, is_quick: bool) -> ProcessPool:
        with self._lock:
            worker = self._workers.get(is_quick)
            if worker is None or not worker.active:
                worker = self._workers[is_quick] = ProcessPool(
                    max_workers=1,
                    max_tasks=MOST_TASKS,
                    initializer=_bound,
                    initargs=(self._memory_bytes, 0 if is_quick else SLOW_NICE),
                    context=multiprocessing.get_context("spawn"),
                )
            return worker


def _bound(memory_bytes: int, nice: int) -> None:
    """Runs in the worker: bound its memory and processor time for good, and read something once,
    so that no capture's time goes into loading libraries."""
    os.nice(nice)
    with suppress(ValueError, OSError):  # a system with a lower limit of its own keeps that
        resource.setrlimit(resource.RLIMIT_AS, (memory_bytes, memory_bytes))
    with suppress(ValueError, OSError):
        resource.setrlimit(resource.RLIMIT_CPU, (CPU_SECONDS, CPU_SECONDS))
    with suppress(ValueError, OSError):
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    signal.signal(signal.SIGPROF, _stop)
    _parse_in_worker("feed", _SMALL, None, 0.0)


class _SlowError(BaseException):
    """This takes more processor time than is quick; no reader may take it for a fault of its
    own."""


def _stop(number: int, frame: Any) -> None:
    raise _SlowError


def _parse_in_worker(
    kind: str, body: bytes, day: date | None, quick: float
) -> Parsed | tuple[str, str, str] | None:
    """Runs in the worker. An expected fault comes back as its three parts; None after ``quick``
    seconds of processor time (0 = without end)."""
    try:
        signal.setitimer(signal.ITIMER_PROF, quick, quick)
        try:
            return _parsed(kind, body, day)
        finally:
            signal.setitimer(signal.ITIMER_PROF, 0)
    except _SlowError:
        signal.setitimer(signal.ITIMER_PROF, 0)
        return None


def _parsed(kind: str, body: bytes, day: date | None) -> Parsed | tuple[str, str, str]:
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
