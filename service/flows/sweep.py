"""What nobody works on any more: rows of dead processes, rows whose time is over, rows in doubt."""

from collections.abc import Sequence
from datetime import datetime

from service.flows.epoch import watch
from service.flows.reconcile import reconcile
from service.flows.runtime import Runtime
from service.store import leases as leases_store
from service.store.db import Priority, Session
from service.store.processes import end_processes


def sweep(rt: Runtime) -> int:
    """Give back what dead processes held, expire what is overdue, settle what stays in doubt.
    Returns how many expired: none while this database must not send (``epoch``), since what waits
    in it may have gone."""
    now, owner = rt.clock(), rt.owner()
    owner.renew(now)
    dead = owner.dead()
    ready, unknown = rt.db.write(lambda s: _recover(s, dead, now), Priority.MAIL)
    if dead or ready or unknown:
        rt.log("recovered", processes=len(dead), ready=ready, unknown=unknown)
    expired = 0 if watch(rt).held else _expire(rt, now)
    reconcile(rt)
    return expired


def _expire(rt: Runtime, now: datetime) -> int:
    """A part at a time: after an outage there may be many."""

    def work(session: Session, after_id: int) -> tuple[int, int]:
        rows = leases_store.list_overdue(session, now, after_id=after_id)
        for row in rows:
            leases_store.mark_expired(session, row, now, row.reason or "deadline")
        return len(rows), rows[-1].id or 0 if rows else 0

    expired, last = 0, 0
    if not rt.db.read(lambda s: leases_store.list_overdue(s, now, limit=1)):
        return 0
    while True:
        n, last = rt.db.write(lambda s, i=last: work(s, i), Priority.MAIL)  # type: ignore[misc]
        expired += n
        if not n:
            return expired


def _recover(session: Session, dead: Sequence[int], now: datetime) -> tuple[int, int]:
    if dead:
        end_processes(session, dead)
    return leases_store.release_orphans(session, now)
