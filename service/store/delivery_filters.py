"""Which deliveries: what the staff chooses by, as conditions that indexes answer."""

import re
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import sqlalchemy as sa
from sqlmodel import Session, col

from service.store.deliveries import is_held
from service.store.planners import unindexed
from service.store.tables import (
    UNSAID,
    AttemptRow,
    ConsentRow,
    DeliveryRow,
    EditionRow,
    SubscriberRow,
)

ANSWERED = ("failed", "expired", "deferred", "unknown", "presumed", "suppressed")
"""States that groups by meaning are made of: something was said, or ought to have been."""

_MEANT = (*ANSWERED, "ready", "leased", "sending", "cancelled")
"""States in which a row may have a meaning."""

_OLD = ("person", "full", "policy", "relay", "content")


@dataclass(frozen=True, slots=True, kw_only=True)
class Chosen:
    """Which deliveries; what is empty or None leaves all in.

    held_by: only held ones, given the owners that are gone · since, until: planned from, before ·
    address, words: parts of the address, of the server's words or the reason.
    """

    edition_id: int | None = None
    states: tuple[str, ...] = ()
    held_by: tuple[int, ...] | None = None
    meaning: str = ""
    domain: str = ""
    since: datetime | None = None
    until: datetime | None = None
    address: str = ""
    words: str = ""
    ids: tuple[int, ...] = ()


def meaning_column() -> sa.ColumnElement[str]:
    """What a row's last refusal was about. Rows of before revision 0006 have it as the first word
    of their reason; "temporary" = its time was over before anybody said anything else, "late" =
    before anybody tried."""
    reason, state = col(DeliveryRow.reason), col(DeliveryRow.state)
    failed = [(sa.and_(state == "failed", reason.like(f"{m}:%")), m) for m in _OLD]
    return sa.case(
        (col(DeliveryRow.meaning) != "", col(DeliveryRow.meaning)),
        *failed,
        (state == "failed", "other"),
        (sa.and_(state == "expired", col(DeliveryRow.attempts) == 0), "late"),
        (state == "expired", "temporary"),
        (state.in_(["unknown", "presumed"]), "silent"),
        else_="",
    )


def conditions(session: Session, chosen: Chosen) -> list[sa.ColumnElement[bool]]:
    found: list[sa.ColumnElement[bool]] = []
    if chosen.edition_id is not None:
        found.append(col(DeliveryRow.edition_id) == chosen.edition_id)
    if chosen.states:
        found.append(col(DeliveryRow.state).in_(chosen.states))
    if chosen.held_by is not None:
        found.append(is_held(chosen.held_by))
    if chosen.meaning:
        found.append(_means(chosen))
    if chosen.domain:
        found.append(col(DeliveryRow.domain) == chosen.domain)
    if chosen.domain and not is_few(chosen):
        # the index of domains is asked for by its own words, so that no other statement takes it
        found.append(sa.literal_column("domain > ''"))
    if chosen.since is not None or chosen.until is not None:
        found += _planned(chosen)
    if chosen.address:
        found.append(_of_address(session, chosen))
    if chosen.words:
        found.append(_says(session, chosen))
    if chosen.ids:
        found.append(col(DeliveryRow.id).in_(chosen.ids))
    return found


MOST_SAID = 10_000
"""Answers that are looked through for words where nothing else narrows the list."""

_FEW_READERS = 2000
"""So many readers' mails are found by the readers; of more, a look through all mails is quicker."""


def is_few(chosen: Chosen) -> bool:
    """Whether what is chosen is little enough to be gone through row by row."""
    states = set(chosen.states)
    return bool(
        chosen.edition_id is not None
        or chosen.held_by is not None
        or chosen.meaning
        or chosen.ids
        or (states and not states & {"accepted", "skipped"})
    )


def _means(chosen: Chosen) -> sa.ColumnElement[bool]:
    """By the index of meanings; of rows without one (of before revision 0006, or that nobody
    answered) by theirs."""
    means = meaning_column() == chosen.meaning
    if chosen.edition_id is not None or chosen.ids:
        return means
    about: Any = sa.union_all(
        sa.select(col(DeliveryRow.id)).where(
            sa.literal_column("meaning <> ''"),
            col(DeliveryRow.meaning) == chosen.meaning,
            col(DeliveryRow.state).in_(_MEANT),
        ),
        sa.select(col(DeliveryRow.id)).where(sa.literal_column(UNSAID), means),
    )
    return col(DeliveryRow.id).in_(about)


def _planned(chosen: Chosen) -> list[sa.ColumnElement[bool]]:
    """In a span of time: by the index of instants, where no other one finds fewer rows."""
    at: Any = col(DeliveryRow.planned_at)
    found: list[sa.ColumnElement[bool]] = []
    if chosen.edition_id is not None:
        at = sa.func.coalesce(at, at)  # a value that stands in no index
    elif is_few(chosen):
        at = unindexed(at)
        found.append(_of_editions(chosen))
    if chosen.since is not None:
        found.append(at >= chosen.since)
    if chosen.until is not None:
        found.append(at < chosen.until)
    return found


def _of_editions(chosen: Chosen) -> sa.ColumnElement[bool]:
    """Of the editions that were open then; one that was broken off may be completed later."""
    editions: list[sa.ColumnElement[bool]] = []
    if chosen.since is not None:
        late = chosen.since - timedelta(days=7)
        rolling = sa.and_(
            col(EditionRow.kind) != "notice",
            sa.func.coalesce(col(EditionRow.closes_at), chosen.since) >= late,
        )
        editions.append(sa.or_(col(EditionRow.opened_at) >= late, rolling))
    if chosen.until is not None:
        editions.append(col(EditionRow.opened_at) < chosen.until)
    return col(DeliveryRow.edition_id).in_(sa.select(col(EditionRow.id)).where(*editions))


def _of_address(session: Session, chosen: Chosen) -> sa.ColumnElement[bool]:
    """Mails of readers whose address holds the words, and mails that went to such an address: one
    that its reader has no more, or that is nobody's."""
    holds = _holds(col(DeliveryRow.recipient_key), chosen.address)
    if is_few(chosen):
        return holds
    now = sa.select(col(SubscriberRow.id)).where(
        _holds(col(SubscriberRow.email_key), chosen.address)
    )
    readers = list(session.scalars(now.limit(_FEW_READERS + 1)))
    if len(readers) > _FEW_READERS:
        return holds
    moved = sa.select(col(ConsentRow.subscriber_id)).where(
        col(ConsentRow.act) == "address-changed", col(ConsentRow.subscriber_id).is_not(None)
    )
    reader = col(DeliveryRow.subscriber_id)
    ids: Any = sa.union_all(
        sa.select(col(DeliveryRow.id)).where(reader.in_(readers)),
        sa.select(col(DeliveryRow.id)).where(reader.in_(moved), holds),
        sa.select(col(DeliveryRow.id)).where(reader.is_(None), holds),
    )
    return col(DeliveryRow.id).in_(ids)


def _says(session: Session, chosen: Chosen) -> sa.ColumnElement[bool]:
    """In what a server said to any try, or in the reason of a row that was not accepted. Without an
    edition or a state: in the newest ``MOST_SAID`` answers that were no, and reasons."""
    no = sa.or_(col(AttemptRow.code) == 0, col(AttemptRow.code) >= 300)
    said = _holds(sa.func.lower(AttemptRow.text), chosen.words)
    reason = _holds(sa.func.lower(DeliveryRow.reason), chosen.words)
    state = col(DeliveryRow.state)
    if is_few(chosen):
        return sa.or_(_tried(session, chosen, said), sa.and_(state != "accepted", reason))
    # numbers first, by indexes alone; texts are read of the newest of them
    tries = sa.select(col(AttemptRow.delivery_id)).where(no)
    tries = tries.order_by(col(AttemptRow.delivery_id).desc()).limit(MOST_SAID)
    ended = sa.select(col(DeliveryRow.id)).where(state.in_([*ANSWERED, "cancelled"]))
    ended = ended.order_by(col(DeliveryRow.id).desc()).limit(MOST_SAID)
    ids: Any = sa.union(
        sa.select(col(AttemptRow.delivery_id)).where(
            col(AttemptRow.delivery_id).in_(tries), no, said
        ),
        sa.select(col(DeliveryRow.id)).where(col(DeliveryRow.id).in_(ended), reason),
    )
    return col(DeliveryRow.id).in_(ids)


def _tried(
    session: Session, chosen: Chosen, said: sa.ColumnElement[bool]
) -> sa.ColumnElement[bool]:
    """Deliveries with a try of which something holds. Of an edition, tries are read from its first
    mail to its last, not those of all editions."""
    of = col(AttemptRow.delivery_id)
    if chosen.edition_id is None:
        return sa.exists().where(of == col(DeliveryRow.id), said)
    number = col(DeliveryRow.id) + 0  # else PostgreSQL goes through all numbers for the ends
    ends = sa.select(sa.func.min(number), sa.func.max(number))
    first, last = session.execute(
        ends.where(col(DeliveryRow.edition_id) == chosen.edition_id)
    ).one()
    return col(DeliveryRow.id).in_(sa.select(of).where(of.between(first or 0, last or 0), said))


def _holds(column: Any, part: str) -> sa.ColumnElement[bool]:
    escaped = re.sub(r"([\\%_])", r"\\\1", part.lower())
    found: sa.ColumnElement[bool] = column.like(f"%{escaped}%", escape="\\")
    return found
