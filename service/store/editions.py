"""Editions: one sending occasion for one audience and slot; their balance."""

import json
import re
from collections.abc import Collection
from datetime import date, datetime
from typing import Any

import sqlalchemy as sa
from sqlmodel import Session, col, select

from service.store.db import insert_once
from service.store.naming import named_in
from service.store.tables import DeliveryRow, EditionRow

DRAFT = "draft"
"""Kind and state of what was composed and not begun; no list of editions shows it."""


def add_edition(
    session: Session,
    *,
    kind: str,
    slot: str,
    now: datetime,
    audience: str = "all",
    **values: Any,
) -> tuple[EditionRow, bool]:
    """Insert, or return the one with this kind, audience and slot: (row, is new)."""
    row = get_edition(session, kind=kind, slot=slot, audience=audience)
    if row is not None:
        return row, False
    row = EditionRow(kind=kind, slot=slot, audience=audience, opened_at=now, **values)
    if insert_once(session, row):
        return row, True
    there = get_edition(session, kind=kind, slot=slot, audience=audience)
    assert there is not None  # the key it met is this one: an edition has no other
    return there, False


def open_again(session: Session, edition: EditionRow, until: datetime) -> None:
    """A rolling edition that gets more rows, perhaps after it was closed: its balance is "so far"
    again, and taken at ``until`` or later. One that was cancelled stays so."""
    if edition.state != "cancelled":
        edition.state, edition.planned = "open", None
        edition.closes_at = max(edition.closes_at or until, until)
        session.add(edition)


def put_draft(session: Session, slot: str, *, now: datetime, **values: Any) -> EditionRow:
    """Keep a draft under its key; what was kept under it before is replaced, but for a daily or
    alerts that are being planned under it."""
    row, is_new = add_edition(session, kind=DRAFT, slot=slot, now=now, state=DRAFT, **values)
    if not is_new:
        act = {name: row.options[name] for name in ("act", "intent") if name in row.options}
        values["options"] = {**values.get("options", {}), **act}
        row.sqlmodel_update({"opened_at": now, **values})
        session.add(row)
    return row


def begin_draft(session: Session, row: EditionRow, **values: Any) -> EditionRow:
    """A draft's row becomes the edition. What it holds in ``options`` stays beside the new."""
    options = {**row.options, **values.pop("options", {})}
    row.sqlmodel_update({"state": "open", **values, "options": options})
    session.add(row)
    session.flush()
    return row


def forget_in_drafts(session: Session, addresses: Collection[str]) -> None:
    """Take addresses out of what was composed and not begun; a send that was for these alone goes.
    Only drafts that name such a mailbox, at whatever host, are read."""
    pattern = named_in(addresses)
    options = sa.func.lower(sa.cast(col(EditionRow.options), sa.Text))
    boxes = {one.lower().rpartition("@")[0] + "@" for one in addresses}
    found = session.exec(
        select(EditionRow.id).where(
            col(EditionRow.kind) == DRAFT,
            sa.or_(*(options.contains(json.dumps(one)[1:-1], autoescape=True) for one in boxes)),
        )
    )
    for number in found.all():
        row = hold_number(session, number or 0)
        if (
            row is None
            or row.kind != DRAFT
            or (less := _without(row.options, pattern)) == row.options
        ):
            continue
        row.options = less
        segment = str(less.get("draft", {}).get("segment", ""))
        if segment.startswith("list:") and "@" not in segment:
            session.delete(row)
        else:
            session.add(row)


def _without(value: Any, pattern: re.Pattern[str]) -> Any:
    if isinstance(value, dict):
        return {name: _without(one, pattern) for name, one in value.items()}
    if isinstance(value, list):
        return [_without(one, pattern) for one in value]
    return pattern.sub("erased", value) if isinstance(value, str) else value


def get_edition(
    session: Session,
    *,
    id: int | None = None,
    kind: str = "",
    slot: str = "",
    audience: str = "all",
) -> EditionRow | None:
    """One edition by id or by its key."""
    if id is not None:
        return session.get(EditionRow, id)
    return session.exec(
        select(EditionRow).where(
            col(EditionRow.kind) == kind,
            col(EditionRow.slot) == slot,
            col(EditionRow.audience) == audience,
        )
    ).first()


def hold_edition(session: Session, *, kind: str, slot: str) -> EditionRow | None:
    """One edition by its key, as it is now; nobody else changes it before this transaction ends."""
    query = select(EditionRow).where(
        col(EditionRow.kind) == kind,
        col(EditionRow.slot) == slot,
        col(EditionRow.audience) == "all",
    )
    return session.exec(
        query.with_for_update(), execution_options={"populate_existing": True}
    ).first()


def hold_number(session: Session, edition_id: int) -> EditionRow | None:
    """The same by its number."""
    return session.get(EditionRow, edition_id, with_for_update=True, populate_existing=True)


def share_edition(session: Session, edition: EditionRow) -> None:
    """Read an edition as it is now; others may give it rows as well, and nobody cancels it, or
    takes its balance, before this transaction ends."""
    session.refresh(edition, with_for_update={"read": True, "key_share": True})


def list_editions(
    session: Session, *, kinds: list[str] | None = None, limit: int | None = None
) -> list[EditionRow]:
    """Editions, newest first; notices and drafts are left out unless asked for."""
    query = select(EditionRow).order_by(col(EditionRow.id).desc())
    if kinds is None:
        query = query.where(col(EditionRow.kind).not_in(["notice", DRAFT]))
    else:
        query = query.where(col(EditionRow.kind).in_(kinds))
    if limit is not None:
        query = query.limit(limit)
    return list(session.exec(query).all())


def list_unsettled(session: Session) -> list[EditionRow]:
    """Editions whose balance is still open."""
    return list(
        session.exec(
            select(EditionRow).where(col(EditionRow.state).in_(["open", "closing", "incomplete"]))
        ).all()
    )


def list_doubtful_editions(session: Session, before: datetime) -> list[EditionRow]:
    """Editions that may not balance: incomplete ones, and those that were never planned to their
    end: opened before an instant, or refused when they were completed (``intent.note_fault``)."""
    rests = col(EditionRow.options)["intent"]["rests"].as_boolean()
    half = sa.and_(
        col(EditionRow.state) == "open",
        col(EditionRow.planned).is_(None),
        col(EditionRow.kind).in_(["manual", "newsletter", "notice"]),
        sa.or_(col(EditionRow.opened_at) < before, rests),
    )
    query = select(EditionRow).where(sa.or_(col(EditionRow.state) == "incomplete", half))
    return list(session.exec(query.order_by(col(EditionRow.id))).all())


def list_paused(session: Session, ids: Collection[int]) -> list[tuple[int, str]]:
    """Those of some editions that paused by themselves, and why."""
    found = session.execute(
        sa.select(col(EditionRow.id), col(EditionRow.paused_why)).where(
            col(EditionRow.id).in_(list(ids)),
            col(EditionRow.paused) == sa.true(),
            col(EditionRow.paused_why) != "",
        )
    ).all()
    return [(int(number), str(why)) for number, why in found]


def count_states(session: Session, edition_id: int) -> dict[str, int]:
    """Deliveries of an edition per state."""
    rows = session.execute(
        sa.select(col(DeliveryRow.state), sa.func.count())
        .where(col(DeliveryRow.edition_id) == edition_id)
        .group_by(col(DeliveryRow.state))
    ).all()
    return {state: int(count) for state, count in rows}


def count_reasons(session: Session, edition_id: int, state: str) -> dict[str, int]:
    """Deliveries of an edition in one state per reason."""
    rows = session.execute(
        sa.select(col(DeliveryRow.reason), sa.func.count())
        .where(col(DeliveryRow.edition_id) == edition_id, col(DeliveryRow.state) == state)
        .group_by(col(DeliveryRow.reason))
    ).all()
    return {reason: int(count) for reason, count in rows}


def note_of(session: Session, on: date) -> str:
    """The editor's words on top of the digests of a date, "" for none."""
    edition = get_edition(session, kind="digest", slot=on.isoformat())
    return str(edition.options.get("note", "")) if edition is not None else ""


def set_edition(session: Session, edition_id: int, **values: Any) -> None:
    """Change columns of an edition."""
    session.execute(sa.update(EditionRow).where(col(EditionRow.id) == edition_id).values(**values))
