"""Whether this installation can serve, and what keeps it from doing all its work, in words that
anybody may read: no address, no name of a domain, no number of readers."""

import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

from service.flows import epoch
from service.flows.breakers import is_relay_resting
from service.flows.runtime import Runtime
from service.flows.watchdog import PATIENCE, SILENT
from service.store import alarms as alarms_store
from service.store import health, listing, migrations, runs
from service.store import sources as sources_store

READY_S = 5.0
"""Seconds in which a write must get its turn."""

MB = 1024 * 1024
LEAST_DISK = 200 * MB
"""Below this nothing is safe, as the doctor says."""

Status = Literal["ready", "degraded", "down"]


@dataclass(frozen=True, slots=True)
class Readiness:
    """status: down = it cannot serve · says: what is wrong, plainly; () when all is well."""

    status: Status
    says: tuple[str, ...] = ()

    @property
    def can_serve(self) -> bool:
        return self.status != "down"


def look(rt: Runtime) -> Readiness:
    """Look at the database, the disk, the clock, mail, sources and alarms. Never raises."""
    try:
        if why := _down(rt):
            rt.log("not_ready", error=why)
            return Readiness("down", (why,))
        says = tuple(_degraded(rt))
    except Exception as error:
        # whatever the driver raises: its name is for the log, not for the world
        rt.log("not_ready", error=type(error).__name__)
        return Readiness("down", ("the database does not answer",))
    return Readiness("degraded" if says else "ready", says)


def _down(rt: Runtime) -> str:
    rt.db.read(listing.list_source_names)
    if not rt.db.can_write(READY_S):
        return "nothing can be written to the database"
    if migrations.current(rt.db) != migrations.newest():
        return "the database is of another version than this process; start it again"
    return ""


def _degraded(rt: Runtime) -> Iterator[str]:
    now = rt.clock()
    if epoch.standing(rt).held:
        yield "nothing is sent: the database may be a restored backup or a copy"
    seen = rt.db.read(runs.marks).get(runs.CLOCK)
    if seen is not None and now - seen > SILENT:
        yield "nothing is at work: paperpost run, or paperpost scheduler, does not tick"
    if rt.db.read(lambda s: health.count_overdue_readers(s, now, PATIENCE)):
        yield "mails are due and not planned"
    if is_relay_resting(rt):
        yield "the mail server does not answer; mails wait"
    asked = [row for row in rt.db.read(sources_store.list_sources) if row.state != "paused"]
    if asked and all(row.failures or row.state in ("failing", "gone") for row in asked):
        yield "no source answers"
    if disk_free(rt) < LEAST_DISK:
        yield "the disk is nearly full"
    for name, stats in rt.engine.stats().items():  # of this process
        if stats.last_error:
            yield f"the task {name} ended with an error; it is tried again, and the log says which"
    if alarms := rt.db.read(alarms_store.count_open):
        yield "alarms are open: " + ", ".join(f"{kind} {n}" for kind, n in sorted(alarms.items()))


def disk_free(rt: Runtime) -> int:
    """Bytes that are free where the data folder is."""
    return shutil.disk_usage(rt.data_dir).free
