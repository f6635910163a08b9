"""Readers as lists: filtered, counted, sorted and paged by the database."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import Any

import sqlalchemy as sa
from sqlmodel import Session, col, select

from service.store.deliveries import is_held
from service.store.desk_tables import ImportedRow, ReaderTagRow
from service.store.tables import DeliveryRow, ProfileRow, SubscriberRow


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """Which readers; what is empty or None leaves all in.

    search: a part of address, name or an interest's text, or a tag · words: a part of an interest's
    text · joined: first and last day (UTC) · keys: folded addresses, 500 at most · of_edition:
    (edition, states of its deliveries; "held" with the owners of ``held_by`` gone) · paused: the
    pause goes beyond this date · resting: no mail before, since it came back, beyond this instant ·
    import_id: whom an import brought · had_none: nothing was ever mailed to them.
    """

    search: str = ""
    words: str = ""
    tag: str = ""
    states: tuple[str, ...] = ()
    lang: str = ""
    cadence: str = ""
    joined: tuple[date, date] | None = None
    keys: tuple[str, ...] | None = None
    of_edition: tuple[int, tuple[str, ...]] | None = None
    held_by: tuple[int, ...] = ()
    paused: date | None = None
    resting: datetime | None = None
    import_id: int | None = None
    had_none: bool = False
    ids: tuple[int, ...] | None = None


_JOINED: Any = sa.func.coalesce(col(SubscriberRow.confirmed_at), col(SubscriberRow.created_at))

ORDERS: Mapping[str, Any] = {
    "address": col(SubscriberRow.email_key),
    "name": sa.func.lower(col(SubscriberRow.name)),
    "state": col(SubscriberRow.state),
    "hour": col(SubscriberRow.hour),
    "joined": _JOINED,
    "next": col(SubscriberRow.next_digest_at),
}
"""Columns a list can be put in the order of."""


def like(text: str) -> str:
    """A pattern that finds the text anywhere, its own signs as they are (escape: backslash)."""
    return "%" + re.sub(r"([\\%_])", r"\\\1", text.lower()) + "%"


def conditions(wanted: Wanted) -> list[Any]:
    """What a statement over readers asks for."""
    made: list[Any] = []
    if wanted.search:
        part = like(wanted.search)
        made.append(
            sa.or_(
                col(SubscriberRow.email_key).like(part, escape="\\"),
                sa.func.lower(col(SubscriberRow.name)).like(part, escape="\\"),
                col(SubscriberRow.id).in_(_with_words(part)),
                col(SubscriberRow.id).in_(
                    sa.select(col(ReaderTagRow.subscriber_id)).where(
                        col(ReaderTagRow.tag) == wanted.search.lower()
                    )
                ),
            )
        )
    if wanted.words:
        made.append(col(SubscriberRow.id).in_(_with_words(like(wanted.words))))
    if wanted.tag:
        tagged = sa.select(col(ReaderTagRow.subscriber_id)).where(
            col(ReaderTagRow.tag) == wanted.tag
        )
        made.append(col(SubscriberRow.id).in_(tagged))
    if wanted.states:
        made.append(col(SubscriberRow.state).in_(wanted.states))
    if wanted.lang:
        lang = sa.func.lower(col(SubscriberRow.locale))
        made.append(
            sa.or_(
                lang == wanted.lang.lower(), lang.like(like(wanted.lang)[1:-1] + "-%", escape="\\")
            )
        )
    if wanted.cadence:
        has = sa.exists().where(
            col(ProfileRow.subscriber_id) == col(SubscriberRow.id),
            col(ProfileRow.cadence) == wanted.cadence,
        )
        made.append(has)
    if wanted.joined is not None:
        start, end = _instants(*wanted.joined)
        made += [start <= _JOINED, end > _JOINED]
    if wanted.keys is not None:
        made.append(col(SubscriberRow.email_key).in_(wanted.keys))
    if wanted.of_edition is not None:
        edition_id, states = wanted.of_edition
        state: Any = col(DeliveryRow.state).in_(states)
        if "held" in states:
            state = sa.or_(state, is_held(wanted.held_by))
        made.append(
            col(SubscriberRow.id).in_(
                sa.select(col(DeliveryRow.subscriber_id)).where(
                    col(DeliveryRow.edition_id) == edition_id, state
                )
            )
        )
    return made + _more(wanted)


def _more(wanted: Wanted) -> list[Any]:
    made: list[Any] = []
    if wanted.paused is not None:
        made.append(col(SubscriberRow.paused_until) > wanted.paused)
    if wanted.resting is not None:
        made.append(col(SubscriberRow.rests_until) > wanted.resting)
    if wanted.import_id is not None:
        by_import = sa.select(col(ImportedRow.subscriber_id)).where(
            col(ImportedRow.import_id) == wanted.import_id
        )
        made.append(col(SubscriberRow.id).in_(by_import))
    if wanted.had_none:
        went = sa.exists().where(
            col(DeliveryRow.subscriber_id) == col(SubscriberRow.id),
            col(DeliveryRow.state).in_(["accepted", "presumed", "unknown", "sending", "leased"]),
        )
        made.append(sa.not_(went))
    if wanted.ids is not None:
        made.append(col(SubscriberRow.id).in_(wanted.ids))
    return made


def _with_words(part: str) -> Any:
    return sa.select(col(ProfileRow.subscriber_id)).where(
        sa.func.lower(col(ProfileRow.text)).like(part, escape="\\")
    )


_LAST = date.max - timedelta(days=2)
"""Nobody joins later, and there is a day after it in every zone."""


def _instants(first: date, last: date) -> tuple[datetime, datetime]:
    zone = datetime.fromisoformat("2000-01-01T00:00:00+00:00").tzinfo
    return (
        datetime.combine(first, time(), zone),
        datetime.combine(min(last, _LAST) + timedelta(days=1), time(), zone),
    )


def count_wanted(session: Session, wanted: Wanted) -> int:
    """How many readers these are."""
    query = sa.select(sa.func.count()).select_from(SubscriberRow).where(*conditions(wanted))
    return int(session.execute(query).scalar_one())


MOST_HELD = 10_000
"""So many readers that words were found at are named by their numbers."""


def find_wanted(session: Session, wanted: Wanted) -> tuple[int, Wanted]:
    """How many readers these are, and the same readers for pages of them. Where words are looked
    for in texts, these are read once: the pages name who was found."""
    if not wanted.search and not wanted.words:
        return count_wanted(session, wanted), wanted
    query = sa.select(col(SubscriberRow.id)).where(*conditions(wanted))
    ids = tuple(i for i in session.scalars(query.limit(MOST_HELD + 1)) if i is not None)
    if len(ids) > MOST_HELD:
        return count_wanted(session, wanted), wanted
    return len(ids), Wanted(ids=ids)


def list_wanted(
    session: Session,
    wanted: Wanted,
    *,
    order: str = "address",
    is_down: bool = False,
    limit: int,
    offset: int = 0,
) -> list[SubscriberRow]:
    """A page of them, of 1,000 at most. order: of ``ORDERS``; what has none stands last."""
    column = ORDERS[order]
    first = column.desc() if is_down else column.asc()
    query = (
        sa.select(col(SubscriberRow.id))
        .where(*conditions(wanted))
        .order_by(first.nulls_last(), col(SubscriberRow.id))
        .limit(limit)
        .offset(offset)
    )
    # numbers alone are put in order: whole rows of 100,000 readers would be carried along
    ids = list(session.scalars(query))
    rows = session.exec(select(SubscriberRow).where(col(SubscriberRow.id).in_(ids))).all()
    place = {number: n for n, number in enumerate(ids)}
    return sorted(rows, key=lambda row: place[row.id or 0])


def list_after(session: Session, wanted: Wanted, after: str, limit: int) -> list[SubscriberRow]:
    """The next readers behind an address, by address: for lists that are written in pieces."""
    query = (
        select(SubscriberRow)
        .where(col(SubscriberRow.email_key) > after, *conditions(wanted))
        .order_by(col(SubscriberRow.email_key))
        .limit(limit)
    )
    return list(session.exec(query).all())


def list_ids(session: Session, wanted: Wanted) -> list[int]:
    """Their numbers, by address."""
    query = (
        sa.select(col(SubscriberRow.id))
        .where(*conditions(wanted))
        .order_by(col(SubscriberRow.email_key))
    )
    return [i for i in session.scalars(query) if i is not None]


def set_pause(session: Session, ids: Sequence[int], until: date | None) -> int:
    """A pause of several readers, or its end (None); how many it changes."""
    changed = 0
    for start in range(0, len(ids), 500):
        change = (
            sa.update(SubscriberRow)
            .where(
                col(SubscriberRow.id).in_(ids[start : start + 500]),
                col(SubscriberRow.paused_until).is_distinct_from(until),
            )
            .values(paused_until=until)
            .execution_options(synchronize_session=False)
        )
        changed += int(session.execute(change).rowcount)  # type: ignore[attr-defined]
    return changed
