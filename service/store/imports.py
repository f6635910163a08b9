"""Imported lists: what was looked at, how far each is, its rows with a problem, who came by it."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlmodel import Session, col, select

from service.store.desk_tables import ImportedRow, ImportFileRow, ImportRow
from service.store.tables import DeliveryRow, ProfileRow, SubscriberRow

LIST, TRIED, PROBLEMS, UNDO = "list", "tried", "problems", "undo"
"""Kinds of files of an import: the lists, the rows with a problem of the look and of the import,
and the readers who are still to be erased where it is being undone."""


def add_import(session: Session, row: ImportRow, files: Sequence[tuple[str, bytes]]) -> int:
    """Keep a list that was looked at. files: (name, gzip)."""
    session.add(row)
    session.flush()
    assert row.id is not None
    for place, (name, body) in enumerate(files):
        add_file(session, row.id, LIST, place, body, name)
    return row.id


def add_file(
    session: Session, import_id: int, kind: str, place: int, body: bytes, name: str = ""
) -> None:
    """Keep a file (gzip), or a part of one."""
    session.add(
        ImportFileRow(import_id=import_id, kind=kind, place=place, name=name[:255], body=body)
    )
    session.flush()


def get_import(session: Session, import_id: int) -> ImportRow | None:
    """One by its number."""
    return session.get(ImportRow, import_id)


def hold_import(session: Session, import_id: int) -> ImportRow | None:
    """The same, as it is now, and nobody else changes it until this transaction ends."""
    return session.get(ImportRow, import_id, with_for_update=True, populate_existing=True)


def find_tried(session: Session, digest: str) -> ImportRow | None:
    """The newest look at these very files with these very choices."""
    query = select(ImportRow).where(col(ImportRow.digest) == digest)
    return session.exec(query.order_by(col(ImportRow.id).desc()).limit(1)).first()


ORDERS: Mapping[str, Any] = {
    "at": col(ImportRow.id),
    "state": col(ImportRow.state),
    "by": col(ImportRow.done_by),
}
"""What imports are sorted by; -NAME is the other way round."""

STATES = ("looking", "refused", "tried", "wanted", "running", "stopped", "done", "undoing")


def list_imports(
    session: Session, *, limit: int, offset: int = 0, state: str = "", sort: str = "-at"
) -> list[ImportRow]:
    """Imports, the newest of alike ones first; those that were only looked at too, while their
    list is kept. state: only these."""
    order = ORDERS[sort.removeprefix("-")]
    query = select(ImportRow).where(*_in(state)).order_by(
        order.desc() if sort.startswith("-") else order, col(ImportRow.id).desc()
    )  # fmt: skip
    return list(session.exec(query.limit(limit).offset(offset)).all())


def count_imports(session: Session, state: str = "") -> int:
    """How many there are."""
    query = sa.select(sa.func.count()).select_from(ImportRow).where(*_in(state))
    return int(session.execute(query).scalar_one())


def _in(state: str) -> list[Any]:
    return [col(ImportRow.state) == state] if state else []


OPEN = ("looking", "wanted", "running", "undoing")
"""States in which something is to be done."""


def list_open(session: Session, states: Sequence[str] = OPEN) -> list[int]:
    """Imports that are to be looked at, to go on or to be undone, oldest first."""
    query = (
        sa.select(col(ImportRow.id))
        .where(col(ImportRow.state).in_(states))
        .order_by(col(ImportRow.id))
    )
    return [i for i in session.scalars(query) if i is not None]


def set_state(
    session: Session, import_id: int, state: str, only: Sequence[str], **values: Any
) -> bool:
    """Change it from one of some states; False: it was in none of them."""
    change = (
        sa.update(ImportRow)
        .where(col(ImportRow.id) == import_id, col(ImportRow.state).in_(only))
        .values(state=state, **values)
    )
    return bool(session.execute(change).rowcount)  # type: ignore[attr-defined]


def set_step(session: Session, import_id: int, before: int) -> bool:
    """One portion more goes in. False: another process does this one."""
    change = (
        sa.update(ImportRow)
        .where(
            col(ImportRow.id) == import_id,
            col(ImportRow.state) == "running",
            col(ImportRow.step) == before,
        )
        .values(step=before + 1)
    )
    return bool(session.execute(change).rowcount)  # type: ignore[attr-defined]


def list_files(session: Session, import_id: int, kind: str) -> list[tuple[str, bytes]]:
    """(name, gzip) of the files of a kind, in their order."""
    query = (
        sa.select(col(ImportFileRow.name), col(ImportFileRow.body))
        .where(col(ImportFileRow.import_id) == import_id, col(ImportFileRow.kind) == kind)
        .order_by(col(ImportFileRow.place))
    )
    return [(name, body) for name, body in session.execute(query)]


def file_names(session: Session, ids: Sequence[int]) -> dict[int, dict[str, list[str]]]:
    """Per import and kind: the names of the files that are kept."""
    query = (
        sa.select(col(ImportFileRow.import_id), col(ImportFileRow.kind), col(ImportFileRow.name))
        .where(col(ImportFileRow.import_id).in_(ids))
        .order_by(col(ImportFileRow.place))
    )
    found: dict[int, dict[str, list[str]]] = {i: {} for i in ids}
    for import_id, kind, name in session.execute(query):
        found[import_id].setdefault(kind, []).append(name)
    return found


def get_part(session: Session, import_id: int, kind: str, place: int) -> bytes | None:
    """One part of a file."""
    row = session.get(ImportFileRow, (import_id, kind, place))
    return row.body if row is not None else None


def set_part(session: Session, import_id: int, kind: str, place: int, body: bytes) -> None:
    """Keep another content of a part."""
    session.execute(
        sa.update(ImportFileRow)
        .where(
            col(ImportFileRow.import_id) == import_id,
            col(ImportFileRow.kind) == kind,
            col(ImportFileRow.place) == place,
        )
        .values(body=body)
    )


def list_places(session: Session, import_id: int, kind: str) -> list[int]:
    """Which parts of a file there are."""
    query = (
        sa.select(col(ImportFileRow.place))
        .where(col(ImportFileRow.import_id) == import_id, col(ImportFileRow.kind) == kind)
        .order_by(col(ImportFileRow.place))
    )
    return list(session.scalars(query))


def delete_files(session: Session, import_id: int, kinds: Sequence[str]) -> None:
    """Throw files of an import away."""
    session.execute(
        sa.delete(ImportFileRow).where(
            col(ImportFileRow.import_id) == import_id, col(ImportFileRow.kind).in_(kinds)
        )
    )


def delete_part(session: Session, import_id: int, kind: str, place: int) -> None:
    """Throw one part of a file away."""
    session.execute(
        sa.delete(ImportFileRow).where(
            col(ImportFileRow.import_id) == import_id,
            col(ImportFileRow.kind) == kind,
            col(ImportFileRow.place) == place,
        )
    )


def add_imported(session: Session, import_id: int, reader_ids: Sequence[int]) -> None:
    """These readers came by it."""
    rows = [{"import_id": import_id, "subscriber_id": i} for i in reader_ids]
    if rows:
        session.execute(sa.insert(ImportedRow), rows)


def list_unmailed(
    session: Session, import_id: int, among: Sequence[int] | None = None
) -> list[int]:
    """Readers who came by it, have not left, and were never mailed anything, nor is a mail on its
    way. among: of these alone."""
    query = (
        sa.select(col(ImportedRow.subscriber_id))
        .join(SubscriberRow, col(SubscriberRow.id) == col(ImportedRow.subscriber_id))
        .where(
            col(ImportedRow.import_id) == import_id,
            col(SubscriberRow.state) != "left",
            sa.not_(_was_mailed()),
        )
        .order_by(col(ImportedRow.subscriber_id))
    )
    if among is not None:
        query = query.where(col(ImportedRow.subscriber_id).in_(among))
    return list(session.scalars(query))


def _was_mailed() -> Any:
    return sa.exists().where(
        col(DeliveryRow.subscriber_id) == col(ImportedRow.subscriber_id),
        col(DeliveryRow.state).in_(
            ["accepted", "presumed", "unknown", "sending", "leased", "deferred", "failed"]
        ),
    )


def count_changed(session: Session, import_id: int, since: datetime) -> int:
    """Of those whom undoing would erase, how many have an interest that was changed since."""
    changed = sa.exists().where(
        col(ProfileRow.subscriber_id) == col(ImportedRow.subscriber_id),
        col(ProfileRow.changed_at) > since,
    )
    query = (
        sa.select(sa.func.count())
        .select_from(ImportedRow)
        .join(SubscriberRow, col(SubscriberRow.id) == col(ImportedRow.subscriber_id))
        .where(
            col(ImportedRow.import_id) == import_id,
            col(SubscriberRow.state) != "left",
            sa.not_(_was_mailed()),
            changed,
        )
    )
    return int(session.execute(query).scalar_one())


def count_left(session: Session, import_id: int) -> int:
    """Of those who came by it and were never mailed, how many have left."""
    query = (
        sa.select(sa.func.count())
        .select_from(ImportedRow)
        .join(SubscriberRow, col(SubscriberRow.id) == col(ImportedRow.subscriber_id))
        .where(
            col(ImportedRow.import_id) == import_id,
            col(SubscriberRow.state) == "left",
            sa.not_(_was_mailed()),
        )
    )
    return int(session.execute(query).scalar_one())


def is_waited_for(session: Session) -> bool:
    """Whether an import is under way, or a file of one is kept."""
    kept = sa.select(sa.exists().where(col(ImportFileRow.import_id).is_not(None)))
    return bool(list_open(session)) or bool(session.execute(kept).scalar_one())


def list_kept(session: Session) -> list[ImportRow]:
    """Imports that are not under way and of which a file is kept."""
    file = sa.exists().where(col(ImportFileRow.import_id) == col(ImportRow.id))
    quiet = col(ImportRow.state).in_(["tried", "stopped", "done"])
    return list(session.exec(select(ImportRow).where(file, quiet)).all())


def count_imported(session: Session, import_id: int) -> int:
    """How many of them are here still."""
    query = sa.select(sa.func.count()).select_from(ImportedRow)
    return int(session.execute(query.where(col(ImportedRow.import_id) == import_id)).scalar_one())


def list_of_reader(session: Session, reader_id: int) -> list[ImportRow]:
    """Imports that brought a reader."""
    query = (
        select(ImportRow)
        .join(ImportedRow, col(ImportedRow.import_id) == col(ImportRow.id))
        .where(col(ImportedRow.subscriber_id) == reader_id)
    )
    return list(session.exec(query).all())


def forget_files(session: Session, looked_before: datetime, done_before: datetime) -> int:
    """Lists that were looked at and never pressed go with all of it, and the rest of those that
    were stopped; of imports that are over the rows with a problem. A list that is to be brought in
    once it was looked at waits for that, however long nothing ran."""
    is_pressed = col(ImportRow.report)["press"]["by"].as_string().is_not(None)
    never = session.execute(
        sa.delete(ImportRow).where(
            col(ImportRow.state).in_(["looking", "tried", "refused"]),
            sa.func.coalesce(ImportRow.done_at, ImportRow.at) < looked_before,
            sa.not_(sa.and_(col(ImportRow.state) == "looking", is_pressed)),
        )
    )
    file = col(ImportFileRow.import_id)
    for states, before, kinds in (
        (["stopped"], looked_before, [LIST, TRIED]),
        (["stopped", "done"], done_before, [LIST, TRIED, PROBLEMS]),
    ):
        over = sa.select(col(ImportRow.id)).where(
            col(ImportRow.state).in_(states), col(ImportRow.done_at) < before
        )
        kind = col(ImportFileRow.kind)
        session.execute(sa.delete(ImportFileRow).where(file.in_(over), kind.in_(kinds)))
    return int(never.rowcount)  # type: ignore[attr-defined]
