"""What a monitor asks for: numbers of the whole installation from the database, so that it does not
matter which process answers, and of this process's tasks. docs/metrics.md names them all."""

import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal

from service.flows import epoch, readiness
from service.flows.breakers import is_relay_resting
from service.flows.runtime import Runtime
from service.flows.watchdog import PATIENCE
from service.resources import product_version
from service.store import alarms as alarms_store
from service.store import deliveries as deliveries_store
from service.store import health, rests, runs

KEPT_TIMES = 50
"""What counts whole tables is asked again after so many times the seconds that it took."""

KEPT_LEAST_S = 15.0


@dataclass(frozen=True, slots=True)
class Family:
    """One metric. values: per labels, in the order of ``labels``."""

    name: str
    kind: Literal["gauge", "counter"]
    about: str
    labels: tuple[str, ...] = ()
    values: Mapping[tuple[str, ...], float] = field(default_factory=dict)


class Figures:
    """Reads them for one runtime; keeps what is dear to count for a while."""

    def __init__(self, rt: Runtime) -> None:
        self._rt = rt
        self._kept: tuple[float, list[Family]] | None = None

    def read(self) -> list[Family]:
        """Every family that is known now; one that cannot be read is left out, and
        ``paperpost_ready`` is 0."""
        found = readiness.look(self._rt)
        ready = _one(
            "paperpost_ready", "1 = ready, 0.5 = degraded (/readyz says why), 0 = it cannot serve",
            {"ready": 1.0, "degraded": 0.5, "down": 0.0}[found.status],
        )  # fmt: skip
        build = Family(
            "paperpost_build_info", "gauge", "the version that runs", ("version",),
            {(product_version(),): 1.0},
        )  # fmt: skip
        if not found.can_serve:
            return [ready, build]
        return [ready, build, *_live(self._rt), *self._counted(), *_tasks(self._rt)]

    def _counted(self) -> list[Family]:
        now = time.monotonic()
        if self._kept is None or now >= self._kept[0]:
            families = list(_whole_tables(self._rt))
            took = time.monotonic() - now
            self._kept = (time.monotonic() + max(KEPT_LEAST_S, KEPT_TIMES * took), families)
        return self._kept[1]


def _one(name: str, about: str, value: float) -> Family:
    return Family(name, "gauge", about, (), {(): value})


def _seconds(at: datetime) -> float:
    return at.timestamp()


def _live(rt: Runtime) -> Iterator[Family]:
    now = rt.clock()
    held = epoch.standing(rt).held
    read = rt.db.read
    waiting = read(deliveries_store.count_waiting)
    yield Family(
        "paperpost_deliveries_waiting", "gauge", "mails without an end", ("state",),
        {(state,): waiting.get(state, 0) for state in
         ("planned", "ready", "leased", "sending", "deferred", "unknown")},
    )  # fmt: skip
    oldest = read(lambda s: runs.oldest_waiting(s, now))
    yield _one(
        "paperpost_oldest_waiting_seconds", "since when the oldest mail waits that could go now",
        max(0.0, (now - oldest).total_seconds()) if oldest else 0.0,
    )  # fmt: skip
    yield _one(
        "paperpost_readers_overdue", "readers whose hour is 20 minutes past and who have no mail",
        read(lambda s: health.count_overdue_readers(s, now, PATIENCE)),
    )  # fmt: skip
    yield _one("paperpost_editions_paused", "editions that wait for a person",
               read(runs.count_paused))  # fmt: skip
    yield _one("paperpost_sending_held", "1 = nothing is sent until a person says which database"
               " this is", float(held))  # fmt: skip
    yield _one("paperpost_relay_resting", "1 = the mail server does not answer",
               float(is_relay_resting(rt)))  # fmt: skip
    found = read(lambda s: rests.list_rests(s, now))
    yield Family(
        "paperpost_rests", "gauge", "domains and accounts to which nothing, or little, goes now",
        ("scope",),
        {(name,): sum(one.scope == f"rest:{name}" for one in found)
         for name in ("domain", "account")},
    )  # fmt: skip
    yield Family(
        "paperpost_alarms_open", "gauge", "alarms that are not over", ("kind",),
        {(kind,): n for kind, n in read(alarms_store.count_open).items()},
    )  # fmt: skip
    marks = read(runs.marks)
    for key, name, about in (
        (runs.CLOCK, "paperpost_clock_seen_timestamp_seconds", "when the clock was last at work"),
        (runs.MADE, "paperpost_run_complete_timestamp_seconds",
         "when nothing was due and unsent last"),
    ):  # fmt: skip
        if key in marks:
            yield _one(name, about, _seconds(marks[key]))
    yield Family(
        "paperpost_source_answer_timestamp_seconds", "gauge",
        "when a source last answered, of those that do not fail", ("source", "kind"),
        {(str(i), kind): _seconds(at) for i, kind, at in read(runs.last_answers)},
    )  # fmt: skip
    yield _one("paperpost_disk_free_bytes", "free where the data folder is",
               readiness.disk_free(rt))  # fmt: skip


def _whole_tables(rt: Runtime) -> Iterator[Family]:
    about = {
        "readers": "readers per state",
        "deliveries": "rows of the ledger per state",
        "sources": "sources per state",
    }
    for name, states in rt.db.read(runs.count_by_state).items():
        yield Family(
            f"paperpost_{name}", "gauge", about[name], ("state",),
            {(state,): n for state, n in states.items()},
        )  # fmt: skip
    yield _one("paperpost_papers", "papers that are known", rt.db.read(runs.count_papers))


def _tasks(rt: Runtime) -> Iterator[Family]:
    """Of this process alone; none where it only serves pages."""
    stats = rt.engine.stats()
    if not stats:
        return
    yield Family(
        "paperpost_task_runs", "counter", "how often a task of this process ran", ("task",),
        {(name,): one.runs for name, one in stats.items()},
    )  # fmt: skip
    yield Family(
        "paperpost_task_failures", "counter", "and how often it failed", ("task",),
        {(name,): one.failures for name, one in stats.items()},
    )  # fmt: skip
    yield Family(
        "paperpost_task_begun_timestamp_seconds", "gauge", "when it last began", ("task",),
        {(name,): _seconds(one.last_at) for name, one in stats.items() if one.last_at is not None},
    )  # fmt: skip
    yield Family(
        "paperpost_task_running", "gauge", "1 = it runs now", ("task",),
        {(name,): float(one.running) for name, one in stats.items()},
    )  # fmt: skip
