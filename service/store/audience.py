"""Who a send is for, and what an edition has come to: the questions of the admin's hand."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

import sqlalchemy as sa
from sqlmodel import Session, col, select

from service.store import contents
from service.store.deliveries import is_held
from service.store.reader_lists import Wanted, conditions
from service.store.tables import (
    DeliveryRow,
    EditionRow,
    SightingRow,
    SubscriberRow,
    SuppressionRow,
)

READERS = ("active", "bounced")
"""States that count as readers: those who left or never confirmed are nobody's audience."""


PART = 1000
"""Readers that one statement names."""


@dataclass(frozen=True, slots=True)
class Candidate:
    """One reader of a segment. paused_until: a local date or None · rests_until: no mail
    before, since the last ones came back; or None."""

    id: int
    email: str
    email_key: str
    state: str
    locale: str
    zone: str
    style: str
    paused_until: date | None
    rests_until: datetime | None


def list_candidates(
    session: Session,
    *,
    words: str = "",
    lang: str = "",
    cadence: str = "",
    tag: str = "",
    joined: tuple[date, date] | None = None,
    keys: Sequence[str] | None = None,
    of_edition: tuple[int, Sequence[str]] | None = None,
    held_by: Sequence[int] = (),
    ids: Sequence[int] | None = None,
) -> list[Candidate]:
    """Readers by address. words: a part of an interest's text · joined: first and last day (UTC) ·
    keys: folded addresses · of_edition: (edition, states of its deliveries; "held" with the owners
    of ``held_by`` gone) · ids: of these alone, ``PART`` at most."""
    query = _people().where(col(SubscriberRow.state).in_(READERS))
    query = query.where(
        *conditions(
            Wanted(
                words=words, lang=lang, cadence=cadence, tag=tag, joined=joined,
                of_edition=(of_edition[0], tuple(of_edition[1])) if of_edition else None,
                held_by=tuple(held_by), ids=None if ids is None else tuple(ids),
            )
        )
    )  # fmt: skip
    rows = [
        Candidate(*row) for row in session.execute(query.order_by(col(SubscriberRow.email_key)))
    ]
    if keys is None:
        return rows
    wanted = set(keys)
    return [row for row in rows if row.email_key in wanted]


def _people() -> Any:
    return sa.select(
        col(SubscriberRow.id),
        col(SubscriberRow.email),
        col(SubscriberRow.email_key),
        col(SubscriberRow.state),
        col(SubscriberRow.locale),
        col(SubscriberRow.zone),
        col(SubscriberRow.style),
        col(SubscriberRow.paused_until),
        col(SubscriberRow.rests_until),
    )


def list_people(session: Session, ids: Sequence[int]) -> list[Candidate]:
    """These readers by address, whatever their state is."""
    found: list[Candidate] = []
    for start in range(0, len(ids), PART):
        query = _people().where(col(SubscriberRow.id).in_(ids[start : start + PART]))
        found += [Candidate(*row) for row in session.execute(query)]
    return sorted(found, key=lambda one: one.email_key)


def list_late(session: Session, *, since: datetime, editions: Sequence[int]) -> list[int]:
    """Active readers who joined or confirmed since an instant and have a row in none of some
    editions."""
    joined: Any = sa.func.coalesce(SubscriberRow.confirmed_at, SubscriberRow.created_at)
    has_one = sa.exists().where(
        col(DeliveryRow.subscriber_id) == col(SubscriberRow.id),
        col(DeliveryRow.edition_id).in_(list(editions)),
    )
    query = sa.select(col(SubscriberRow.id)).where(
        col(SubscriberRow.state) == "active", joined >= since, sa.not_(has_one)
    )
    return [i for i in session.scalars(query) if i is not None]


def list_suppressed_hashes(session: Session) -> set[str]:
    """Every barred address, as its keyed hash."""
    return set(session.exec(select(SuppressionRow.email_hash)).all())


def list_slot_rows(
    session: Session, slot: str, *, edition_id: int | None = None
) -> dict[int, tuple[str, str]]:
    """Per reader: (state, reason) of the daily of a local date."""
    query = (
        sa.select(col(DeliveryRow.subscriber_id), col(DeliveryRow.state), col(DeliveryRow.reason))
        .join(EditionRow, col(EditionRow.id) == col(DeliveryRow.edition_id))
        .where(col(EditionRow.kind) == "digest", col(EditionRow.slot) == slot)
    )
    if edition_id is not None:
        query = query.where(col(DeliveryRow.edition_id) == edition_id)
    return {i: (state, reason) for i, state, reason in session.execute(query) if i is not None}


def count_all_states(session: Session, *, notices: bool = False) -> dict[int, dict[str, int]]:
    """Deliveries of every edition per state, notices left out unless asked for."""
    query = (
        sa.select(col(DeliveryRow.edition_id), col(DeliveryRow.state), sa.func.count())
        .join(EditionRow, col(EditionRow.id) == col(DeliveryRow.edition_id))
        .group_by(col(DeliveryRow.edition_id), col(DeliveryRow.state))
    )
    if not notices:
        query = query.where(col(EditionRow.kind) != "notice")
    rows = session.execute(query).all()
    found: dict[int, dict[str, int]] = {}
    for edition_id, state, n in rows:
        found.setdefault(edition_id, {})[state] = int(n)
    return found


def list_deferrals(
    session: Session, edition_ids: Sequence[int] | None = None
) -> list[tuple[int | None, str, int, datetime | None]]:
    """(code, reason, number, until when the last of them is tried again) of what is put off, of
    some editions or of all."""
    last = sa.func.max(col(DeliveryRow.deadline_at))
    query = (
        sa.select(col(DeliveryRow.code), col(DeliveryRow.reason), sa.func.count(), last)
        .where(col(DeliveryRow.state) == "deferred")
        .group_by(col(DeliveryRow.code), col(DeliveryRow.reason))
    )
    if edition_ids is not None:
        query = query.where(col(DeliveryRow.edition_id).in_(list(edition_ids)))
    return [(code, reason, int(n), at) for code, reason, n, at in session.execute(query).all()]


def count_taken(session: Session, edition_id: int, since: datetime) -> tuple[int, datetime]:
    """Mails of an edition that were accepted after an instant, or after its first one where that
    came later: (how many, after when)."""
    at: Any = col(DeliveryRow.accepted_at)
    of = col(DeliveryRow.edition_id) + 0  # else all of the edition are read, not the newest alone
    newest = sa.select(sa.func.count(), sa.func.min(at)).where(of == edition_id)
    n, first = session.execute(newest.where(at > since)).one()
    before = sa.exists().where(
        col(DeliveryRow.edition_id) == edition_id,
        col(DeliveryRow.state) == "accepted",
        at <= since,
    )
    if not n or session.scalar(sa.select(before)):
        return int(n), since
    n, _ = session.execute(newest.where(at > first)).one()
    return int(n), first


def count_tested(session: Session, edition_id: int) -> dict[str, int]:
    """How many mails of an edition went to whom in test mode, in place of their readers."""
    to = col(DeliveryRow.tested_to)
    rows = session.execute(
        sa.select(to, sa.func.count())
        .where(col(DeliveryRow.edition_id) == edition_id, to.is_not(None))
        .group_by(to)
        .order_by(to)
    )
    return {address: int(n) for address, n in rows}


def find_refusal(session: Session, edition_id: int) -> tuple[str, str]:
    """(domain, words) of the commonest refusal of an edition, ("", "") for none."""
    row = session.execute(
        sa.select(col(DeliveryRow.domain), col(DeliveryRow.reason), sa.func.count())
        .where(
            col(DeliveryRow.edition_id) == edition_id,
            col(DeliveryRow.state).in_(["failed", "expired"]),
        )
        .group_by(col(DeliveryRow.domain), col(DeliveryRow.reason))
        .order_by(sa.func.count().desc(), col(DeliveryRow.domain))
        .limit(1)
    ).first()
    return (str(row[0]), str(row[1])) if row is not None else ("", "")


def count_later(session: Session, edition_id: int, now: datetime) -> int:
    """Mails of an edition that were never tried and are to begin after an instant."""
    return count_later_of(session, [edition_id], now).get(edition_id, 0)


def count_later_of(session: Session, edition_ids: Collection[int], now: datetime) -> dict[int, int]:
    """The same of some editions; those with none have no entry."""
    of = col(DeliveryRow.edition_id)
    query = (
        sa.select(of, sa.func.count())
        .where(
            of.in_(edition_ids),
            col(DeliveryRow.state).in_(["planned", "ready"]),
            col(DeliveryRow.attempts) == 0,
            col(DeliveryRow.not_before) > now,
        )
        .group_by(of)
    )
    return {int(edition): int(count) for edition, count in session.execute(query)}


def list_minutes(session: Session, edition_id: int) -> list[tuple[datetime, int]]:
    """Mails of an edition that were accepted, by minute (UTC), oldest first; empty minutes have no
    entry."""
    at: Any = col(DeliveryRow.accepted_at)
    if session.get_bind().dialect.name == "sqlite":
        minute = sa.func.substr(at, 1, len("2026-11-18 07:00"))
    else:
        minute = sa.func.to_char(sa.func.timezone("UTC", at), 'YYYY-MM-DD"T"HH24:MI')
    rows = session.execute(
        sa.select(minute.label("minute"), sa.func.count())
        .where(
            col(DeliveryRow.edition_id) == edition_id,
            col(DeliveryRow.state) == "accepted",
            at.is_not(None),
        )
        .group_by("minute")
        .order_by("minute")
    )
    return [(datetime.fromisoformat(f"{when}:00+00:00"), int(n)) for when, n in rows]


def set_wait(
    session: Session,
    edition_id: int,
    until: datetime | None,
    *,
    ids: Sequence[int] | None = None,
    after: datetime | None = None,
) -> int:
    """Rows of an edition that were never tried wait until an instant (None = go now).

    ids: only these · after: only those that wait beyond this instant.
    """
    change = (
        sa.update(DeliveryRow)
        .where(
            col(DeliveryRow.edition_id) == edition_id,
            col(DeliveryRow.state).in_(["planned", "ready"]),
            col(DeliveryRow.attempts) == 0,
        )
        .values(not_before=until)
    )
    if ids is not None:
        change = change.where(col(DeliveryRow.id).in_(list(ids)))
    if after is not None:
        change = change.where(col(DeliveryRow.not_before) > after)
    return int(session.execute(change).rowcount)  # type: ignore[attr-defined]


def count_untried(session: Session, edition_id: int, now: datetime) -> tuple[int, int]:
    """(mails that wait beyond now without a try, mails due whose first try is not over)."""
    waits = sa.and_(
        col(DeliveryRow.state).in_(["planned", "ready"]),
        col(DeliveryRow.attempts) == 0,
        col(DeliveryRow.not_before) > now,
    )
    open_ = col(DeliveryRow.attempts) <= 1
    waiting, first = session.execute(
        sa.select(
            sa.func.coalesce(sa.func.sum(sa.case((waits, 1), else_=0)), 0),
            sa.func.coalesce(sa.func.sum(sa.case((open_, 1), else_=0)), 0),
        ).where(
            col(DeliveryRow.edition_id) == edition_id,
            col(DeliveryRow.state).in_(["planned", "ready", "leased", "sending"]),
        )
    ).one()
    return int(waiting), int(first) - int(waiting)


def take_back(session: Session, edition_ids: Sequence[int], wait: datetime, began: datetime) -> int:
    """Undo a daily begun by hand: rows that still wait for exactly this undo window go.

    Rows planned by the act are removed, so that the clock plans them at their hour; rows that
    were opened again are skipped again, as they were.
    """
    mine = [
        col(DeliveryRow.edition_id).in_(list(edition_ids)),
        col(DeliveryRow.state).in_(["planned", "ready", "skipped"]),
        col(DeliveryRow.attempts) == 0,
        col(DeliveryRow.not_before) == wait,
    ]
    planned_now = col(DeliveryRow.planned_at) >= began
    held = contents.hold_of(session, *mine)
    gone = session.execute(sa.delete(DeliveryRow).where(*mine, planned_now))
    before = col(DeliveryRow.own)["before"]
    back = session.execute(
        sa.update(DeliveryRow)
        .where(*mine, sa.not_(planned_now))
        .values(
            state="skipped",
            reason=sa.func.coalesce(before["reason"].as_string(), "nothing_new"),
            own=before["content"],
            content_id=None,
            not_before=None,
        )
        .execution_options(synchronize_session=False)
    )
    contents.delete_unused(session, held)
    return int(gone.rowcount) + int(back.rowcount)  # type: ignore[attr-defined]


def count_held_papers(session: Session) -> dict[int, int]:
    """Per source: papers of a burst that wait for a person's word."""
    rows = session.execute(
        sa.select(col(SightingRow.source_id), sa.func.count(sa.distinct(col(SightingRow.paper_id))))
        .where(col(SightingRow.held) == sa.true())
        .group_by(col(SightingRow.source_id))
    ).all()
    return {source_id: int(n) for source_id, n in rows}


def count_deliveries(
    session: Session,
    *,
    edition_id: int | None = None,
    states: Sequence[str] | None = None,
    held_by: Sequence[int] | None = None,
    search: str = "",
) -> int:
    """How many deliveries a list has. held_by: as in ``list_deliveries``."""
    query = sa.select(sa.func.count()).select_from(DeliveryRow)
    if edition_id is not None:
        query = query.where(col(DeliveryRow.edition_id) == edition_id)
    if states is not None:
        query = query.where(col(DeliveryRow.state).in_(list(states)))
    if held_by is not None:
        query = query.where(is_held(held_by))
    if search:
        query = query.where(col(DeliveryRow.recipient_key).like(f"%{search.lower()}%"))
    return int(session.execute(query).scalar_one())
