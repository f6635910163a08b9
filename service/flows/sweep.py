"""What nobody works on any more: rows of dead processes, rows whose time is over, rows in doubt."""

from collections.abc import Sequence
from datetime import datetime, timedelta

from service.delivery.states import State
from service.flows.runtime import Runtime
from service.store import editions as editions_store
from service.store import leases as leases_store
from service.store.db import Priority, Session
from service.store.processes import end_processes
from service.store.tables import DeliveryRow

DOUBT = timedelta(minutes=30)
"""A digest in unknown becomes presumed after this long without proof."""


def sweep(rt: Runtime) -> int:
    """Give back what dead processes held, expire what is overdue, settle what stays in doubt.
    Returns how many expired."""
    now, owner = rt.clock(), rt.owner()
    owner.renew(now)
    dead = owner.dead()
    ready, unknown = rt.db.write(lambda s: _recover(s, dead, now), Priority.MAIL)
    if dead or ready or unknown:
        rt.log("recovered", processes=len(dead), ready=ready, unknown=unknown)
    overdue = rt.db.read(lambda s: leases_store.list_overdue(s, now))
    for row in overdue:
        rt.db.write(
            lambda s, r=row: leases_store.mark_expired(s, r, now, r.reason or "deadline"),  # type: ignore[misc]
            Priority.MAIL,
        )
    for row in rt.db.read(lambda s: leases_store.list_doubtful(s, now - DOUBT)):
        rt.db.write(lambda s, r=row: _settle_doubt(s, r, now), Priority.MAIL)  # type: ignore[misc]
    return len(overdue)


def _recover(session: Session, dead: Sequence[int], now: datetime) -> tuple[int, int]:
    if dead:
        end_processes(session, dead)
    return leases_store.release_orphans(session, now)


def _settle_doubt(session: Session, row: DeliveryRow, now: datetime) -> None:
    """By kind: a notice is sent again (same Message-ID), a digest becomes presumed and its papers
    ride in the next one, a newsletter stays held until an admin decides."""
    edition = editions_store.get_edition(session, id=row.edition_id)
    if edition is None or edition.kind == "newsletter":
        return
    if edition.kind == "notice":
        leases_store.mark_outcome(session, row, State.READY, now, reason="sent again after doubt")
    else:
        leases_store.mark_outcome(session, row, State.PRESUMED, now)
