"""Readers, their profiles, consent and suppression."""

import secrets
from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any, NamedTuple

import sqlalchemy as sa
from sqlmodel import Session, col, select

from service.store.numbers import next_number
from service.store.tables import ProfileRow, SubscriberRow
from service.subscribers.model import (
    DAYS,
    Cadence,
    Profile,
    ProfileKind,
    Subscriber,
    SubscriberState,
)


class ProfileForm(NamedTuple):
    """What the index of profiles needs of one."""

    id: int
    kind: str
    text: str
    compiled: dict[str, Any] | None
    options: dict[str, Any]
    paused: bool
    changed_at: datetime


def days_of(text: str) -> frozenset[int]:
    """Return the weekdays (0 = Monday) of "mon,tue"."""
    return frozenset(DAYS.index(d) for d in text.split(",") if d in DAYS)


def days_text(days: Iterable[int]) -> str:
    """The inverse of ``days_of``."""
    return ",".join(DAYS[d] for d in sorted(days))


def to_subscriber(row: SubscriberRow) -> Subscriber:
    """Row to value."""
    assert row.id is not None
    return Subscriber(
        id=row.id,
        email=row.email,
        name=row.name,
        state=SubscriberState(row.state),
        locale=row.locale,
        format=row.format,
        style=row.style,
        trending=row.trending,
        zone=row.zone,
        hour=row.hour,
        weekdays=days_of(row.weekdays),
        paused_until=row.paused_until,
        confirmed_at=row.confirmed_at,
        created_at=row.created_at,
        unsubscribe_token=row.unsubscribe_token,
        added_by=row.added_by,
        first_digest=row.first_digest,
        at_least=row.at_least,
        on_time=row.on_time,
        tell_anyway=row.tell_anyway,
        picks=row.picks,
        quiet_from=row.quiet_from,
        quiet_until=row.quiet_until,
    )


def to_profile(row: ProfileRow) -> Profile:
    """Row to value."""
    assert row.id is not None
    return Profile(
        id=row.id,
        subscriber_id=row.subscriber_id,
        name=row.name,
        kind=ProfileKind(row.kind),
        text=row.text,
        compiled=row.compiled,
        cadence=Cadence(row.cadence),
        weekday=row.weekday,
        cap=row.cap,
        threshold=row.threshold,
        since=row.since,
        paused=row.paused,
        options=row.options,
    )


def get_subscriber_row(
    session: Session,
    *,
    id: int | None = None,
    email_key: str | None = None,
    token: str | None = None,
    feed_token: str | None = None,
) -> SubscriberRow | None:
    """Find one reader by id, folded address, unsubscribe token, or token of their feed."""
    if id is not None:
        return session.get(SubscriberRow, id)
    query = select(SubscriberRow)
    if email_key is not None:
        query = query.where(col(SubscriberRow.email_key) == email_key)
    elif token is not None:
        query = query.where(col(SubscriberRow.unsubscribe_token) == token)
    elif feed_token is not None:
        query = query.where(col(SubscriberRow.feed_token) == feed_token)
    else:
        raise ValueError("name an id, an address or a token")
    return session.exec(query).first()


def add_subscriber(
    session: Session, *, email: str, email_key: str, now: datetime, **values: Any
) -> SubscriberRow:
    """Insert a reader with fresh random tokens."""
    row = SubscriberRow(
        id=next_number(session, SubscriberRow),
        email=email,
        email_key=email_key,
        created_at=now,
        unsubscribe_token=secrets.token_urlsafe(16),
        feed_token=secrets.token_urlsafe(16),
        **values,
    )
    session.add(row)
    session.flush()
    return row


def add_subscribers(
    session: Session, now: datetime, people: Sequence[Mapping[str, Any]]
) -> list[SubscriberRow]:
    """Insert several readers at once (values as for ``add_subscriber``); their ids are known."""
    rows = [
        SubscriberRow(
            created_at=now,
            unsubscribe_token=secrets.token_urlsafe(16),
            feed_token=secrets.token_urlsafe(16),
            **values,
        )
        for values in people
    ]
    session.add_all(rows)
    session.flush()
    return rows


def find_subscribers(session: Session, keys: Sequence[str]) -> dict[str, SubscriberRow]:
    """Readers by their folded addresses."""
    query = select(SubscriberRow).where(col(SubscriberRow.email_key).in_(keys))
    return {row.email_key: row for row in session.exec(query)}


def list_subscriber_rows(
    session: Session,
    *,
    state: str | None = None,
    search: str = "",
    ids: Sequence[int] | None = None,
    limit: int | None = None,
    offset: int = 0,
) -> list[SubscriberRow]:
    """Readers by address; ``search`` is a part of the address or name."""
    query = select(SubscriberRow).order_by(col(SubscriberRow.email_key)).offset(offset)
    if state:
        query = query.where(col(SubscriberRow.state) == state)
    if search:
        part = f"%{search.lower()}%"
        query = query.where(
            sa.or_(
                col(SubscriberRow.email_key).like(part),
                sa.func.lower(col(SubscriberRow.name)).like(part),
            )
        )
    if ids is not None:
        query = query.where(col(SubscriberRow.id).in_(ids))
    if limit is not None:
        query = query.limit(limit)
    return list(session.exec(query).all())


def list_active_ids(session: Session, *, email_key: str | None = None) -> list[int]:
    """Numbers of active readers by address, of one address where it is given."""
    query = sa.select(col(SubscriberRow.id)).where(col(SubscriberRow.state) == "active")
    if email_key is not None:
        query = query.where(col(SubscriberRow.email_key) == email_key)
    found = session.scalars(query.order_by(col(SubscriberRow.email_key)))
    return [i for i in found if i is not None]


def count_subscribers(session: Session) -> dict[str, int]:
    """Number of readers per state."""
    rows = session.execute(
        sa.select(col(SubscriberRow.state), sa.func.count()).group_by(col(SubscriberRow.state))
    ).all()
    return {str(state): int(count) for state, count in rows}


def list_due(session: Session, now: datetime, limit: int) -> list[SubscriberRow]:
    """Active readers whose hour has come."""
    return list(
        session.exec(
            select(SubscriberRow)
            .where(col(SubscriberRow.state) == "active", col(SubscriberRow.next_digest_at) <= now)
            .order_by(col(SubscriberRow.next_digest_at), col(SubscriberRow.id))
            .limit(limit)
        ).all()
    )


def list_profiles(session: Session, subscriber_ids: Sequence[int]) -> dict[int, list[Profile]]:
    """Profiles of several readers, in the order they were made."""
    found: dict[int, list[Profile]] = {i: [] for i in subscriber_ids}
    for start in range(0, len(subscriber_ids), 500):
        part = subscriber_ids[start : start + 500]
        for row in session.exec(
            select(ProfileRow)
            .where(col(ProfileRow.subscriber_id).in_(part))
            .order_by(col(ProfileRow.id))
        ):
            found[row.subscriber_id].append(to_profile(row))
    return found


def get_profile_row(session: Session, profile_id: int) -> ProfileRow | None:
    """One profile by id."""
    return session.get(ProfileRow, profile_id)


def add_profile(
    session: Session,
    *,
    subscriber_id: int,
    name: str,
    kind: str,
    text: str,
    now: datetime,
    taken: set[str] | None = None,
    **values: Any,
) -> ProfileRow:
    """Insert a profile; a name already taken gets a number.

    taken: names this reader has, where the caller knows them all (those of a reader just made);
    the new one is added to it, and nothing is asked or flushed: several go in together.
    """
    is_known = taken is not None
    if taken is None:
        values["id"] = next_number(session, ProfileRow)
        taken = set(
            session.exec(
                select(col(ProfileRow.name)).where(col(ProfileRow.subscriber_id) == subscriber_id)
            ).all()
        )
    wanted, n = name[:190] or "Papers", 2
    unique = wanted
    while unique in taken:
        unique, n = f"{wanted} ({n})", n + 1
    taken.add(unique)
    row = ProfileRow(
        subscriber_id=subscriber_id,
        name=unique,
        kind=kind,
        text=text,
        created_at=now,
        changed_at=now,
        **values,
    )
    session.add(row)
    if not is_known:
        session.flush()
    return row


def delete_profiles(session: Session, subscriber_id: int) -> None:
    """Remove every profile of a reader (their match rows go with them)."""
    session.execute(sa.delete(ProfileRow).where(col(ProfileRow.subscriber_id) == subscriber_id))


def list_expired_pending(session: Session, now: datetime) -> list[SubscriberRow]:
    """Requests that were never confirmed and whose link has ended."""
    return list(
        session.exec(
            select(SubscriberRow).where(
                col(SubscriberRow.state) == "pending", col(SubscriberRow.confirm_until) < now
            )
        ).all()
    )


def list_left_before(session: Session, before: datetime) -> list[SubscriberRow]:
    """Readers who left before an instant and are to be erased."""
    return list(
        session.exec(
            select(SubscriberRow).where(
                col(SubscriberRow.state) == "left", col(SubscriberRow.left_at) < before
            )
        ).all()
    )


def list_changed_profiles(session: Session, since: datetime) -> list[tuple[int, datetime]]:
    """(id, changed_at) of the profiles that changed at or after an instant."""
    query = sa.select(col(ProfileRow.id), col(ProfileRow.changed_at))
    rows = session.execute(query.where(col(ProfileRow.changed_at) >= since))
    return [(profile_id, changed_at) for profile_id, changed_at in rows]


def list_profile_forms(
    session: Session,
    *,
    after_id: int = 0,
    limit: int | None = None,
    ids: Sequence[int] | None = None,
) -> list[ProfileForm]:
    """Profiles by id; with ``ids`` these alone."""
    columns = [getattr(ProfileRow, name) for name in ProfileForm._fields]
    query = sa.select(*columns).where(col(ProfileRow.id) > after_id).order_by(col(ProfileRow.id))
    if ids is not None:
        query = query.where(col(ProfileRow.id).in_(ids))
    return [ProfileForm(*row) for row in session.execute(query.limit(limit))]


def sum_profiles(session: Session) -> tuple[int, int]:
    """How many profiles there are, and the sum of their ids: whether some came or went unseen."""
    count, total = session.execute(
        sa.select(sa.func.count(), sa.func.coalesce(sa.func.sum(col(ProfileRow.id)), 0))
    ).one()
    return int(count), int(total)


def list_living(session: Session, ids: Collection[int]) -> set[int]:
    """Those of the profiles that still exist."""
    found: set[int] = set()
    some = sorted(ids)
    for start in range(0, len(some), 500):
        part = some[start : start + 500]
        query = sa.select(col(ProfileRow.id)).where(col(ProfileRow.id).in_(part))
        found.update(session.scalars(query))
    return found


def list_profile_ids(session: Session) -> set[int]:
    """Ids of every profile there is."""
    return {i for i in session.exec(select(col(ProfileRow.id))).all() if i is not None}


def list_unmatched_profiles(session: Session, limit: int) -> list[ProfileRow]:
    """Profiles that have not met the papers that are still new."""
    return list(
        session.exec(
            select(ProfileRow)
            .where(col(ProfileRow.matched_at).is_(None), col(ProfileRow.kind) != "trending")
            .order_by(col(ProfileRow.id))
            .limit(limit)
        ).all()
    )


def set_profiles_matched(
    session: Session, seen: Sequence[tuple[int, datetime]], now: datetime
) -> None:
    """These profiles, as they were changed at that instant, have met the papers."""
    for profile_id, changed_at in seen:
        session.execute(
            sa.update(ProfileRow)
            .where(col(ProfileRow.id) == profile_id, col(ProfileRow.changed_at) == changed_at)
            .values(matched_at=now)
        )


def set_state(
    session: Session, subscriber_id: int, state: str, *, only: str | None = None, **values: Any
) -> None:
    """Change a reader's state (and other columns with it). only: from this state alone."""
    change = sa.update(SubscriberRow).where(col(SubscriberRow.id) == subscriber_id)
    if only is not None:
        change = change.where(col(SubscriberRow.state) == only)
    session.execute(change.values(state=state, **values))


def list_profile_rows(session: Session, subscriber_id: int) -> list[ProfileRow]:
    """A reader's profiles as rows, in the order they were made."""
    return list(
        session.exec(
            select(ProfileRow)
            .where(col(ProfileRow.subscriber_id) == subscriber_id)
            .order_by(col(ProfileRow.id))
        ).all()
    )
