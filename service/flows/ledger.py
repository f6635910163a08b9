"""The ledger as lists: deliveries, and which of them are held.

Held is what nobody can say of whether it came: in doubt, presumed, or left in ``sending`` by a
process that is gone. Every list and page counts it by ``store.deliveries.is_held``.
"""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from service.delivery.states import State
from service.flows.editions import EditionError, need_edition
from service.flows.runtime import Runtime
from service.store import deliveries as deliveries_store
from service.store.db import Session
from service.store.tables import DeliveryRow


def gone_owners(rt: Runtime) -> list[int]:
    """Processes that are gone; nobody is asked when no mail is in ``sending``."""
    if not rt.db.read(deliveries_store.count_waiting).get("sending"):
        return []
    return rt.owner().dead()


def deliveries(
    session: Session,
    edition_id: int | None = None,
    state: str = "",
    *,
    dead: Sequence[int] = (),
    search: str = "",
    limit: int | None = None,
    offset: int = 0,
) -> list[dict[str, Any]]:
    """One object per delivery. state: one of the states, or "held" (dead: of ``gone_owners``).

    Raises EditionError: no such edition or state.
    """
    if edition_id is not None:
        need_edition(session, edition_id)
    if state not in ("", "held", *(str(s) for s in State)):
        raise EditionError(f"{state!r} is no state.", "--state", f"Use {', '.join(State)} or held.")
    is_held = state == "held"
    rows = deliveries_store.list_deliveries(
        session,
        edition_id=edition_id,
        states=[state] if state and not is_held else None,
        held_by=dead if is_held else None,
        search=search,
        limit=limit,
        offset=offset,
    )
    return [delivery_facts(row) for row in rows]


def delivery_facts(row: DeliveryRow) -> dict[str, Any]:
    """One delivery as plain values."""
    return {
        "id": row.id,
        "edition": row.edition_id,
        "email": row.rcpt or "",
        "kind": row.kind,
        "state": row.state,
        "code": row.code,
        "enhanced": row.enhanced,
        "reason": row.reason,
        "attempts": row.attempts,
        "message_id": row.message_id,
        "planned_at": _iso(row.planned_at),
        "not_before": _iso(row.not_before),
        "accepted_at": _iso(row.accepted_at),
    }


def _iso(at: datetime | None) -> str | None:
    return at.isoformat() if at is not None else None
