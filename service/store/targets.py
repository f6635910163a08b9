"""Which of the things that acts name are still there."""

from collections.abc import Collection, Mapping
from typing import Any, NamedTuple

import sqlalchemy as sa
from sqlmodel import Session, col

from service.store.desk_tables import ImportRow, ReaderTagRow, SubmissionRow, WebhookRow
from service.store.house_tables import AdminRow, AlarmRow, ApiTokenRow, TopicRow
from service.store.report_tables import InboundRow
from service.store.tables import (
    DeliveryRow,
    EditionRow,
    PaperRow,
    ProfileRow,
    SourceRow,
    SubscriberRow,
)

_NUMBERED: Mapping[str, Any] = {
    "reader": SubscriberRow, "interest": ProfileRow, "edition": EditionRow,
    "delivery": DeliveryRow, "paper": PaperRow, "source": SourceRow, "import": ImportRow,
    "submission": SubmissionRow, "alarm": AlarmRow, "mail": InboundRow, "webhook": WebhookRow,
}  # fmt: skip
_NAMED: Mapping[str, Any] = {
    "topic": col(TopicRow.name), "token": col(ApiTokenRow.name), "account": col(AdminRow.name),
    "tag": col(ReaderTagRow.tag),
}  # fmt: skip


class Named(NamedTuple):
    """A thing by its kind and its number, or its name, as it stands in a record."""

    kind: str
    key: str


def find_there(session: Session, wanted: Collection[Named]) -> dict[Named, int]:
    """Those that are still there, each with the number of its row (0 for a tag, which has none),
    in one statement whatever they are."""
    keys: dict[str, set[str]] = {}
    for one in wanted:
        keys.setdefault(one.kind, set()).add(one.key)
    parts = [_part(kind, sorted(found)) for kind, found in sorted(keys.items())]
    if not parts:
        return {}
    return {
        Named(row.kind, row.key): int(row.number)
        for row in session.execute(sa.union_all(*parts) if len(parts) > 1 else parts[0])
    }


def _part(kind: str, keys: list[str]) -> Any:
    """kind, key and number of the rows of one kind."""
    literal = sa.literal(kind).label("kind")
    if kind in _NUMBERED:
        number = col(_NUMBERED[kind].id)
        key = sa.cast(number, sa.String).label("key")
        query: Any = sa.select(literal, key, number.label("number"))
        if kind == "interest":  # of who has left none is shown
            query = query.join(SubscriberRow, col(SubscriberRow.id) == ProfileRow.subscriber_id)
            query = query.where(col(SubscriberRow.state) != "left")
        return query.where(number.in_([int(one) for one in keys]))
    name = _NAMED[kind]
    if kind == "tag":
        return (
            sa.select(literal, name.label("key"), sa.literal(0).label("number"))
            .distinct()
            .where(name.in_(keys))
        )
    return sa.select(literal, name.label("key"), col(name.class_.id).label("number")).where(
        name.in_(keys)
    )
