"""What a mail holds, furnished by hand."""

from collections.abc import Mapping
from typing import Any

import sqlalchemy as sa
from sqlmodel import Session, col
from support.arrows import by_hand

from service.flows.runtime import Runtime
from service.store import contents
from service.store.tables import DeliveryRow


def hold(rt: Runtime, delivery_id: int | None, content: Mapping[str, Any] | None) -> None:
    """A delivery holds this from now on."""

    def change(session: Session) -> None:
        held = {"content_id": None, "own": None}
        if content is not None:
            (held,) = contents.put(session, [content])
        which = col(DeliveryRow.id) == delivery_id
        before = contents.hold_of(session, which)
        session.execute(sa.update(DeliveryRow).where(which).values(**held))
        contents.delete_unused(session, before)

    with by_hand():
        rt.db.write(change)
