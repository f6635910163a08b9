"""The ledger of a database that was restored or copied: what waits in it may have gone since."""

from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlmodel import Session, col, select

from service.delivery.states import OPEN, State, leaving
from service.store.house_tables import PaceRow
from service.store.tables import DeliveryRow, EditionRow

_SCOPE, _KEY = "instance", "restored"

RESTORED = "restored from a backup: it may have gone since"


def _notices() -> sa.Select[Any]:
    return sa.select(col(EditionRow.id)).where(col(EditionRow.kind) == "notice")


def note_restored(session: Session, until: datetime) -> None:
    """Papers that became new before an instant may have been mailed by what the backup does not
    know of."""
    row = _noted(session) or PaceRow(scope=_SCOPE, key=_KEY)
    row.until = until
    session.add(row)


def doubted_until(session: Session) -> datetime | None:
    """That instant, None where nothing was ever restored."""
    row = _noted(session)
    return row.until if row is not None else None


def _noted(session: Session) -> PaceRow | None:
    query = select(PaceRow).where(col(PaceRow.scope) == _SCOPE, col(PaceRow.key) == _KEY)
    return session.exec(query).first()


def doubt_open(session: Session, now: datetime) -> int:
    """Mails that waited, or were under way, are in doubt from now on; notices stay, since they go
    at least once and keep their Message-ID. Those that were in doubt before say, too, that there
    may have been more tries than the ledger knows of. Returns how many are in doubt only now."""
    told = (
        sa.update(DeliveryRow)
        .where(
            col(DeliveryRow.state) == str(State.UNKNOWN),
            col(DeliveryRow.edition_id).not_in(_notices()),
        )
        .values(reason=RESTORED)
        .execution_options(synchronize_session=False)
    )
    session.execute(told)
    change = (
        sa.update(DeliveryRow)
        .where(
            col(DeliveryRow.state).in_(
                leaving(State.UNKNOWN, State.READY, State.LEASED, State.DEFERRED, State.SENDING)
            ),
            col(DeliveryRow.edition_id).not_in(_notices()),
        )
        .values(
            state=str(State.UNKNOWN),
            reason=RESTORED,
            lease_owner=None,
            lease_until=None,
            marked_at=sa.func.coalesce(col(DeliveryRow.marked_at), now),
        )
        .execution_options(synchronize_session=False)
    )
    return int(session.execute(change).rowcount)  # type: ignore[attr-defined]


def stop_planned(session: Session, state: State, reason: str) -> int:
    """Rows that were not composed hold no papers yet: their readers' next mail takes them."""
    change = (
        sa.update(DeliveryRow)
        .where(col(DeliveryRow.state).in_(leaving(state, State.PLANNED)))
        .values(state=str(state), reason=reason)
        .execution_options(synchronize_session=False)
    )
    return int(session.execute(change).rowcount)  # type: ignore[attr-defined]


def cancel_open(session: Session, reason: str) -> int:
    """Everything that waits is cancelled, notices too: the original sends it. Returns how many."""
    change = (
        sa.update(DeliveryRow)
        .where(col(DeliveryRow.state).in_(leaving(State.CANCELLED, *sorted(OPEN))))
        .values(state=str(State.CANCELLED), reason=reason, lease_owner=None, lease_until=None)
        .execution_options(synchronize_session=False)
    )
    return int(session.execute(change).rowcount)  # type: ignore[attr-defined]
