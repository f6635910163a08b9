"""Sends by hand that are being planned, or were when their process ended."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa
from sqlmodel import Session, col, select

from service.store.editions import DRAFT, hold_number
from service.store.tables import EditionRow
from service.text.ranges import packed, unpacked

INTENT = "intent"
"""In the options of an edition, or of the draft of a daily or alerts: what its press asked for."""


@dataclass(frozen=True, slots=True)
class Half:
    """kind: of the row, ``draft`` for a daily or alerts · slot: the key of its press · planner: the
    process that plans it, or planned it."""

    id: int
    kind: str
    slot: str
    planner: int
    options: dict[str, Any]


def list_half_planned(session: Session) -> list[Half]:
    """All of them, oldest first."""
    rows = session.exec(select(EditionRow).where(*_is_half()).order_by(col(EditionRow.id)))
    return [
        Half(
            id=row.id or 0,
            kind=row.kind,
            slot=row.slot,
            planner=planner_of(row),
            options=row.options,
        )
        for row in rows
    ]


def planner_of(row: EditionRow) -> int:
    """The process that plans one, or planned it."""
    return int((row.options if row.kind != DRAFT else row.options["act"])["planner"])


def find_half_planned(session: Session, slot: str) -> EditionRow | None:
    """The one of a key, but for a daily or alerts."""
    query = select(EditionRow).where(
        *_is_half(), col(EditionRow.slot) == slot, col(EditionRow.kind) != DRAFT
    )
    return session.exec(query).first()


_IS_KEPT = col(EditionRow.options)[INTENT]["pressed"].as_string().is_not(None)


def half_planned_ids() -> sa.Select[Any]:
    """Their numbers, as a part of another question."""
    return sa.select(col(EditionRow.id)).where(*_is_half())


def _is_half() -> list[sa.ColumnElement[bool]]:
    return [
        col(EditionRow.state).in_(["open", DRAFT]),
        col(EditionRow.planned).is_(None),
        col(EditionRow.kind).in_(["manual", "newsletter", DRAFT]),
        _IS_KEPT,
    ]


def without_intent(options: Mapping[str, Any]) -> dict[str, Any]:
    """The options once all is planned."""
    return {name: value for name, value in options.items() if name != INTENT}


def changed(options: Mapping[str, Any], **values: Any) -> dict[str, Any]:
    """The options with what is kept of their press changed; nothing where it is all planned."""
    kept = options.get(INTENT)
    return {**options, INTENT: {**kept, **values}} if kept else dict(options)


@dataclass(frozen=True, slots=True)
class Held:
    """is_wanted: what its press asked for is kept still, or it is planned to its end."""

    state: str
    planner: int
    is_wanted: bool


def hold_planning(session: Session, edition_id: int) -> Held | None:
    """An edition that is being planned, and nobody else changes it before this transaction ends.
    Its options, which may name 100,000 readers, are not read."""
    found = session.execute(
        sa.select(
            col(EditionRow.state),
            col(EditionRow.options)["planner"].as_integer(),
            sa.or_(col(EditionRow.planned).is_not(None), _IS_KEPT),
        )
        .where(col(EditionRow.id) == edition_id)
        .with_for_update()
    ).first()
    return Held(str(found[0]), int(found[1] or 0), bool(found[2])) if found is not None else None


def drop_intents(session: Session) -> None:
    """None of them is completed by itself: this database is a copy, or was restored."""
    for row in session.exec(select(EditionRow).where(*_is_half())).all():
        row.options = without_intent(row.options)
        session.add(row)


def forget_reader(session: Session, reader_ids: Collection[int]) -> None:
    """Who is erased is planned no more; their number may be another reader's one day."""
    gone = set(reader_ids)
    for number in session.exec(select(EditionRow.id).where(*_is_half())).all():
        row = hold_number(session, number or 0)
        kept = row.options.get(INTENT) if row is not None else None
        if row is None or kept is None or not gone & {*unpacked(kept["ids"])}:
            continue
        named = {
            name: packed({*unpacked(kept[name])} - gone)
            for name in ("ids", "first")
            if kept[name] is not None
        }
        row.options = changed(row.options, **named)
        session.add(row)
