"""What readers had: papers that count as sent, and those that ride in the next mail."""

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from functools import lru_cache

import sqlalchemy as sa
from sqlmodel import Session, col

from service.store import contents
from service.store.given import run, table_of
from service.store.tables import CarryRow, DeliveryRow, PaperRow, SentPaperRow, SubscriberRow

UNDER_WAY = ("ready", "leased", "sending", "deferred", "unknown")
"""States of a delivery whose papers must not ride in another."""

TESTED = "test mode"
"""Reason of an accepted mail that went to the operator's address: nothing of it was sent to its
reader."""

_LISTED = {
    "sqlite": "SELECT DISTINCT d.subscriber_id, COALESCE(p.merged_into, p.id), 'new', d.id "
    "FROM delivery d JOIN content c ON c.id = d.content_id, json_each(c.papers) j "
    "JOIN paper p ON p.id = CAST(j.value AS INTEGER)",
    "postgresql": "SELECT DISTINCT d.subscriber_id, COALESCE(p.merged_into, p.id), 'new', d.id "
    "FROM delivery d JOIN content c ON c.id = d.content_id "
    "CROSS JOIN LATERAL json_array_elements_text(c.papers) j(value) "
    "JOIN paper p ON p.id = CAST(j.value AS BIGINT)",
}
"""Papers of a delivery; one that was found to be another's twin meanwhile counts as that one."""

_LATE = {
    name: query.replace("'new'", "'signal'").replace("c.papers", "c.signals")
    for name, query in _LISTED.items()
}
"""The same of papers that had come before and of which it told later news."""


def add_sent_papers(session: Session, delivery_id: int) -> None:
    """All that an accepted digest shows, lists or counts is sent, and what it told of papers sent
    before is told, each in one statement."""
    for listed in (_LISTED, _LATE):
        papers = listed[session.get_bind().dialect.name]
        session.execute(
            sa.text(
                "INSERT INTO sent_paper (subscriber_id, paper_id, occasion, delivery_id) "  # nosec B608
                f"{papers} WHERE d.id = :id AND d.subscriber_id IS NOT NULL "
                "ON CONFLICT DO NOTHING"
            ),
            {"id": delivery_id},
        )
    if session.get_bind().dialect.name == "postgresql":
        _add_sent_twins(session, delivery_id)
    session.execute(
        sa.text(
            "DELETE FROM carry WHERE subscriber_id = "
            "(SELECT d.subscriber_id FROM delivery d WHERE d.id = :id) "
            "AND EXISTS (SELECT 1 FROM sent_paper s WHERE s.subscriber_id = carry.subscriber_id "
            "AND s.paper_id = carry.paper_id AND s.occasion = 'new')"
        ),
        {"id": delivery_id},
    )


def _add_sent_twins(session: Session, *delivery_ids: int) -> None:
    """A paper that another process merged while the statement above waited for its row counts as
    the other one, too (``twins.merge_papers`` holds the row; SQLite has one writer at a time)."""
    session.execute(
        sa.text(
            "INSERT INTO sent_paper (subscriber_id, paper_id, occasion, delivery_id) "
            "SELECT s.subscriber_id, p.merged_into, s.occasion, s.delivery_id FROM sent_paper s "
            "JOIN paper p ON p.id = s.paper_id "
            "WHERE s.delivery_id IN :ids AND p.merged_into IS NOT NULL ON CONFLICT DO NOTHING"
        ).bindparams(sa.bindparam("ids", expanding=True)),
        {"ids": list(delivery_ids)},
    )


_GIVEN = {
    "sqlite": "SELECT d.subscriber_id, COALESCE(p.merged_into, p.id), 'new', d.id "
    "FROM json_each(:given) g CROSS JOIN delivery d ON d.id = json_extract(g.value, '$[0]') "
    "CROSS JOIN content c ON c.id = d.content_id CROSS JOIN json_each(c.papers) j "
    "CROSS JOIN paper p ON p.id = j.value WHERE d.subscriber_id IS NOT NULL",
    "postgresql": "SELECT d.subscriber_id, COALESCE(p.merged_into, p.id), 'new', d.id "
    "FROM json_array_elements(CAST(:given AS JSON)) g(value) "
    "JOIN delivery d ON d.id = CAST(g.value->>0 AS BIGINT) "
    "JOIN content c ON c.id = d.content_id "
    "CROSS JOIN LATERAL json_array_elements_text(c.papers) j(value) "
    "JOIN paper p ON p.id = CAST(j.value AS BIGINT) WHERE d.subscriber_id IS NOT NULL",
}
"""Papers of many deliveries, whose numbers come first in each given row; in an order that leaves
SQLite no other way than by keys."""


@lru_cache
def _listing(dialect: str) -> tuple[str, str]:
    """What inserts the papers of many and the news told of earlier ones; what ends their carry."""
    papers = _GIVEN[dialect]
    told = papers.replace("'new'", "'signal'").replace("c.papers", "c.signals")
    mine = table_of(dialect, {"id": "id"})
    return (
        "INSERT INTO sent_paper (subscriber_id, paper_id, occasion, delivery_id) "  # nosec B608
        f"{papers} UNION ALL {told} ON CONFLICT DO NOTHING",
        "DELETE FROM carry WHERE subscriber_id IN (SELECT d.subscriber_id FROM delivery d "  # nosec B608
        f"WHERE d.id IN (SELECT id FROM ({mine}) AS given)) "
        "AND EXISTS (SELECT 1 FROM sent_paper s WHERE s.subscriber_id = carry.subscriber_id "
        "AND s.paper_id = carry.paper_id AND s.occasion = 'new')",
    )


def add_sent_of_many(session: Session, delivery_ids: Sequence[int], given: str) -> None:
    """``add_sent_papers`` for many. given: JSON of rows that begin with their numbers.

    An erased reader, or a content that was taken away meanwhile, has none.
    """
    name = session.get_bind().dialect.name
    insert, end_carry = _listing(name)
    run(session, insert, given)
    if name == "postgresql":
        _add_sent_twins(session, *delivery_ids)
    run(session, end_carry, given)


def add_carry(session: Session, delivery_id: int) -> None:
    """The papers of an unconfirmed or failed digest ride in the reader's next mail.

    A paper that rode already and is in doubt now counts as in doubt.
    """
    papers = _LISTED[session.get_bind().dialect.name].replace("'new', d.id", "d.id")
    session.execute(
        sa.text(
            f"INSERT INTO carry (subscriber_id, paper_id, delivery_id) {papers} "  # nosec B608
            "WHERE d.id = :id AND d.subscriber_id IS NOT NULL "
            "ON CONFLICT (subscriber_id, paper_id) DO UPDATE SET delivery_id = excluded.delivery_id"
            " WHERE EXISTS (SELECT 1 FROM delivery x WHERE x.id = excluded.delivery_id"
            " AND x.state = 'presumed')"
        ),
        {"id": delivery_id},
    )


def list_carried(
    session: Session, subscriber_ids: Sequence[int], since: datetime | None = None
) -> dict[int, dict[int, bool]]:
    """Per reader: paper -> True when the reader may have seen it (presumed). since: of mails that
    were planned from then on."""
    rows = session.execute(
        sa.select(
            col(CarryRow.subscriber_id),
            sa.func.coalesce(col(PaperRow.merged_into), col(PaperRow.id)),
            col(DeliveryRow.state),
        )
        .join(DeliveryRow, col(DeliveryRow.id) == col(CarryRow.delivery_id))
        .join(PaperRow, col(PaperRow.id) == col(CarryRow.paper_id))
        .where(
            col(CarryRow.subscriber_id).in_(list(subscriber_ids)),
            col(PaperRow.quarantined) == "",
            *([col(DeliveryRow.planned_at) >= since] if since is not None else []),
        )
    ).all()
    found: dict[int, dict[int, bool]] = {}
    for subscriber_id, paper_id, state in rows:
        found.setdefault(subscriber_id, {})[paper_id] = state == "presumed"
    return found


def list_sent(
    session: Session, subscriber_ids: Sequence[int], paper_ids: Sequence[int] | None = None
) -> dict[int, set[int]]:
    """Per reader: papers that count as sent."""
    query = sa.select(col(SentPaperRow.subscriber_id), col(SentPaperRow.paper_id)).where(
        col(SentPaperRow.subscriber_id).in_(list(subscriber_ids)),
        col(SentPaperRow.occasion) == "new",
    )
    if paper_ids is not None:
        query = query.where(col(SentPaperRow.paper_id).in_(list(paper_ids)))
    found: dict[int, set[int]] = {}
    for subscriber_id, paper_id in session.execute(query).all():
        found.setdefault(subscriber_id, set()).add(paper_id)
    return found


def list_in_flight(session: Session, subscriber_ids: Sequence[int]) -> dict[int, set[int]]:
    """Per reader: papers of deliveries that are under way (they must not ride twice)."""
    found = _papers_of(session, subscriber_ids, col(DeliveryRow.state).in_(UNDER_WAY))
    twins = _merged(session, sorted({paper for ids in found.values() for paper in ids}))
    for ids in found.values():
        ids.update([twins[paper] for paper in ids if paper in twins])
    return found


def _merged(session: Session, papers: Sequence[int]) -> dict[int, int]:
    """Those of the papers that were found to be another's twin, with that other."""
    twins: dict[int, int] = {}
    for start in range(0, len(papers), 500):
        rows = session.execute(
            sa.select(col(PaperRow.id), col(PaperRow.merged_into)).where(
                col(PaperRow.id).in_(list(papers[start : start + 500])),
                col(PaperRow.merged_into).is_not(None),
            )
        )
        twins.update((gone, keep) for gone, keep in rows)
    return twins


def list_tested(
    session: Session, subscriber_ids: Sequence[int], since: datetime
) -> dict[int, set[int]]:
    """Per reader: papers of mails that went to the operator's address from an instant on."""
    return _papers_of(
        session,
        subscriber_ids,
        col(DeliveryRow.state) == "accepted",
        col(DeliveryRow.reason) == TESTED,
        col(DeliveryRow.accepted_at) >= since,
    )


def _papers_of(
    session: Session, subscriber_ids: Sequence[int], *which: sa.ColumnElement[bool]
) -> dict[int, set[int]]:
    """Per reader: papers of some of their mails."""
    rows = session.execute(
        sa.select(col(DeliveryRow.subscriber_id), col(DeliveryRow.content_id)).where(
            col(DeliveryRow.subscriber_id).in_(list(subscriber_ids)),
            *which,
            col(DeliveryRow.content_id).is_not(None),
        )
    ).all()
    papers = contents.list_papers(session, {content_id for _, content_id in rows})
    found: dict[int, set[int]] = {}
    for subscriber_id, content_id in rows:
        found.setdefault(subscriber_id, set()).update(papers.get(content_id, ()))
    return found


def list_resting(
    session: Session, subscriber_ids: Sequence[int], now: datetime
) -> dict[int, dict[int, set[int]]]:
    """Per reader: alerts that wait for their hour, with their papers. A daily that is composed
    meanwhile takes them along."""
    rows = session.execute(
        sa.select(
            col(DeliveryRow.subscriber_id),
            col(DeliveryRow.id),
            col(DeliveryRow.content_id),
        ).where(col(DeliveryRow.subscriber_id).in_(list(subscriber_ids)), *_rests(now))
    ).all()
    papers = contents.list_papers(session, {content_id for *_, content_id in rows})
    found: dict[int, dict[int, set[int]]] = {}
    for subscriber_id, delivery_id, content_id in rows:
        found.setdefault(subscriber_id, {})[delivery_id] = set(papers.get(content_id, ()))
    return found


def _rests(now: datetime) -> list[sa.ColumnElement[bool]]:
    return [
        col(DeliveryRow.kind) == "alert",
        col(DeliveryRow.state).in_(["ready", "deferred"]),
        col(DeliveryRow.not_before) > now,
    ]


def skip_resting(session: Session, delivery_id: int, now: datetime) -> bool:
    """A daily takes the papers of an alert that rests; False when it does not rest any more."""
    held = contents.hold_of(session, col(DeliveryRow.id) == delivery_id)
    change = (
        sa.update(DeliveryRow)
        .where(col(DeliveryRow.id) == delivery_id, *_rests(now))
        .values(state="skipped", reason="in_digest", own=None, content_id=None)
        .execution_options(synchronize_session=False)
    )
    is_skipped = bool(session.execute(change).rowcount)  # type: ignore[attr-defined]
    contents.delete_unused(session, held)
    return is_skipped


def hold_readers(session: Session, subscriber_ids: Sequence[int], *, wait: bool) -> set[int]:
    """Readers for whom nobody else makes a mail ready before this transaction ends.

    Whoever freezes papers for a reader holds the reader first and then looks what is taken: so
    no two processes freeze the same paper. PostgreSQL locks the rows, in one order; without
    ``wait`` those that somebody else holds are left out. SQLite has one writer anyway.
    """
    held: set[int] = set()
    wanted = sorted(subscriber_ids)
    for start in range(0, len(wanted), 500):
        query = (
            sa.select(col(SubscriberRow.id))
            .where(col(SubscriberRow.id).in_(wanted[start : start + 500]))
            .order_by(col(SubscriberRow.id))
            .with_for_update(key_share=True, skip_locked=not wait)
        )
        held.update(row[0] for row in session.execute(query))
    return held


def list_taken(session: Session, wanted: Mapping[int, Collection[int]]) -> dict[int, set[int]]:
    """Per reader: which of these papers were had, or are under way to this reader.

    A paper that was found to be another's twin counts as that one; where both are asked for, one is
    enough. Under way is read first: a paper that is accepted between the two statements is in one
    of them.
    """
    twins = _merged(session, sorted({paper for ids in wanted.values() for paper in ids}))
    asked = {i: {twins.get(paper, paper) for paper in ids} for i, ids in wanted.items()}
    readers = list(asked)
    taken = {i: ids & asked[i] for i, ids in list_in_flight(session, readers).items()}
    papers = sorted({paper for ids in asked.values() for paper in ids})
    for start in range(0, len(papers), 500):
        for reader, ids in list_sent(session, readers, papers[start : start + 500]).items():
            taken.setdefault(reader, set()).update(ids & asked[reader])
    return {
        i: _repeated(ids, twins, taken.get(i, set())) if twins else taken.get(i, set())
        for i, ids in wanted.items()
    }


def _repeated(ids: Collection[int], twins: Mapping[int, int], taken: set[int]) -> set[int]:
    """Those of the papers that were taken, and all but one of those that are one paper now."""
    seen, repeated = set(taken), set()
    for paper in sorted(ids, key=lambda i: (i in twins, i)):
        current = twins.get(paper, paper)
        if current in seen:
            repeated.add(paper)
        seen.add(current)
    return repeated
