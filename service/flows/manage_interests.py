"""A reader's own acts on their interests, behind the signed link.

Every act reads the token again inside its transaction, as in ``flows/manage``.
"""

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta

from service.errors import Sentence
from service.flows.interests import (
    InterestChange,
    add_one_more,
    apply_change,
    change_of,
    pause_interest,
    remove_interest,
)
from service.flows.manage import ManageError, reader_of
from service.flows.runtime import Runtime
from service.flows.voted import check_offered
from service.store import sent as sent_store
from service.store import subscribers as subscribers_store
from service.store.db import Priority, Session
from service.store.tables import ProfileRow, SubscriberRow
from service.subscribers.cadence import local_date

_ONE_PRESS = timedelta(minutes=1)
"""For so long the very same interest, asked for again, is a second press of the button."""


def add_wanted(rt: Runtime, token: str, *changes: InterestChange) -> int:
    """Add interests, all or none; like a new reader's they begin with the day before. Returns the
    number of the first. Raises TokenError, InterestError."""

    def add(session: Session) -> int:
        reader, _ = reader_of(rt, session, token)
        assert reader.id is not None
        now, most = rt.clock(), rt.defaults().interests
        since = local_date(now, reader.zone) - timedelta(days=1)
        sent_store.hold_readers(session, [reader.id], wait=True)  # for another process's press
        rows = subscribers_store.list_profile_rows(session, reader.id)
        fresh = [row for row in rows if now - row.created_at < _ONE_PRESS]
        added = []
        for change in changes:
            row = next((row for row in fresh if _is_made_of(row, change)), None)
            if row is None:
                check_offered(session, change.wanted)
                row = add_one_more(session, reader.id, change, now, since=since, most=most)
            added.append(row.id or 0)
        return added[0]

    return rt.db.write(add, Priority.WEB)


def _is_made_of(row: ProfileRow, change: InterestChange) -> bool:
    wanted = change.wanted
    return (row.kind, row.text) == (wanted.kind.value, wanted.text) and change_of(
        row, wanted
    ) == replace(change, name=change.name or row.name)


def change_wanted(
    rt: Runtime, token: str, profile_id: int, change: Callable[[ProfileRow], InterestChange]
) -> None:
    """Edit one interest of the reader: what it is to be, from what it is. Raises TokenError,
    InterestError."""

    def edit(session: Session) -> None:
        row = _own(rt, session, token, profile_id)
        made = change(row)
        if row.kind != made.wanted.kind:
            check_offered(session, made.wanted)
        apply_change(session, row, made, rt.clock())

    rt.db.write(edit, Priority.WEB)


def pause_wanted(rt: Runtime, token: str, profile_id: int, *, paused: bool) -> None:
    """Let one interest rest, or take it up again. Raises TokenError, ManageError."""
    rt.db.write(
        lambda s: pause_interest(s, _own(rt, s, token, profile_id), rt.clock(), paused=paused),
        Priority.WEB,
    )


def remove_wanted(rt: Runtime, token: str, profile_id: int) -> ProfileRow | None:
    """Remove one interest; the last one stays. Returns what it was, None where it was gone already.
    Raises TokenError, InterestError."""

    def remove(session: Session) -> ProfileRow | None:
        reader, _ = reader_of(rt, session, token)
        if subscribers_store.get_profile_row(session, profile_id) is None:
            return None
        row = _of_reader(session, reader, profile_id)
        was = ProfileRow(**row.model_dump())
        remove_interest(session, row, has_trending=reader.trending)
        return was

    return rt.db.write(remove, Priority.WEB)


def _own(rt: Runtime, session: Session, token: str, profile_id: int) -> ProfileRow:
    return _of_reader(session, reader_of(rt, session, token)[0], profile_id)


def _of_reader(session: Session, reader: SubscriberRow, profile_id: int) -> ProfileRow:
    row = subscribers_store.get_profile_row(session, profile_id)
    if row is None or row.subscriber_id != reader.id:
        what = Sentence("This interest is not there any more.")
        raise ManageError(what, "", Sentence("Open the page again."))
    return row
