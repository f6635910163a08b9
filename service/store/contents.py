"""Contents that mails share: each is written once, and goes with the last mail that holds it.

Whoever takes a reference away looks in the same transaction whether it was the last one
(``delete_unused``). On PostgreSQL both sides hold the row of the content first, so that nobody
begins to refer to what somebody removes at that moment; SQLite has one writer at a time.
"""

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite
from sqlmodel import Session, col, select

from service.store.split import Shared, is_shared, own_of, shared_of
from service.store.tables import ContentRow, DeliveryRow

_PART = 500
_NAMES = ("digest", "notice", "data", "papers", "signals")


def put(session: Session, contents: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """Write down what mails hold; for each the columns of its row, ``content_id`` and ``own``.

    Values that are one object in several contents are read once.
    """
    made: dict[tuple[int, ...], tuple[str, Shared]] = {}
    keys = []
    for content in contents:
        key = tuple([id(content.get(name)) for name in _NAMES]) if is_shared(content) else ()
        if key and key not in made:
            shared = shared_of(content)
            made[key] = (shared.sha(), shared)
        keys.append(key)
    ids = ids_of(session, (wanted := dict(made.values())), wanted.__getitem__)
    return [
        {"content_id": ids[made[key][0]], "own": own_of(content)}
        if key
        else {"content_id": None, "own": dict(content)}
        for key, content in zip(keys, contents, strict=True)
    ]


def ids_of(session: Session, shas: Iterable[str], made: Callable[[str], Shared]) -> dict[str, int]:
    """Per SHA: its content, which nobody removes before this transaction ends. In one order, so
    that two who write the same do not wait for each other. made: a content that is not there yet.
    """
    wanted = set(shas)
    found: dict[str, int] = {}
    module = sqlite if session.get_bind().dialect.name == "sqlite" else postgresql
    while missing := sorted(wanted - found.keys()):
        for start in range(0, len(missing), _PART):
            query = (
                sa.select(col(ContentRow.sha), col(ContentRow.id))
                .where(col(ContentRow.sha).in_(missing[start : start + _PART]))
                .order_by(col(ContentRow.sha))
                .with_for_update(read=True, key_share=True)
            )
            found.update((sha, number) for sha, number in session.execute(query))
        if rows := [_row(sha, made(sha)) for sha in missing if sha not in found]:
            session.execute(module.insert(ContentRow).on_conflict_do_nothing(), rows)
    return found


def _row(sha: str, shared: Shared) -> dict[str, Any]:
    return {
        "sha": sha,
        "papers": list(shared.papers),
        "signals": list(shared.signals),
        "body": dict(shared.body),
    }


def hold_of(session: Session, *which: sa.ColumnElement[bool]) -> set[int | None]:
    """The contents of some deliveries, which nobody else changes before this transaction ends."""
    query = sa.select(col(DeliveryRow.content_id)).where(*which).with_for_update()
    return set(session.scalars(query))


def delete_unused(session: Session, ids: Iterable[int | None]) -> int:
    """Remove those of some contents that no delivery holds any more; how many went."""
    wanted = sorted({i for i in ids if i is not None})
    count = 0
    for start in range(0, len(wanted), _PART):
        part = col(ContentRow.id).in_(wanted[start : start + _PART])
        # held before it is asked who refers to them: another's reference is committed by then
        held = sa.select(col(ContentRow.id)).where(part).order_by(col(ContentRow.id))
        session.execute(held.with_for_update())
        is_used = sa.exists().where(col(DeliveryRow.content_id) == col(ContentRow.id))
        gone = session.execute(
            sa.delete(ContentRow)
            .where(part, sa.not_(is_used))
            .execution_options(synchronize_session=False)
        )
        count += int(gone.rowcount)  # type: ignore[attr-defined]
    return count


def list_rows(session: Session, ids: Collection[int]) -> list[ContentRow]:
    """Contents by their numbers; those that are there."""
    wanted = sorted(ids)
    return [
        row
        for start in range(0, len(wanted), _PART)
        for row in session.exec(
            select(ContentRow).where(col(ContentRow.id).in_(wanted[start : start + _PART]))
        )
    ]


def list_papers(session: Session, ids: Collection[int | None]) -> dict[int, list[int]]:
    """Per content: its papers. Each is read once, however many mails share it."""
    return _listed(session, ids, col(ContentRow.papers))


def list_signals(session: Session, ids: Collection[int | None]) -> dict[int, list[int]]:
    """Per content: the papers of which it tells later news; none of those that tell none."""
    return {i: told for i, told in _listed(session, ids, col(ContentRow.signals)).items() if told}


def _listed(session: Session, ids: Collection[int | None], column: Any) -> dict[int, list[int]]:
    wanted = sorted({i for i in ids if i is not None})
    found: dict[int, list[int]] = {}
    for start in range(0, len(wanted), _PART):
        rows = session.execute(
            sa.select(col(ContentRow.id), column).where(
                col(ContentRow.id).in_(wanted[start : start + _PART])
            )
        )
        found.update((number, listed) for number, listed in rows)
    return found
