"""A reader's own acts on their interests, behind the signed link.

Every act reads the token again inside its transaction, as in ``flows/manage``.
"""

from collections.abc import Callable
from datetime import timedelta

from service.errors import Sentence
from service.flows.interests import (
    InterestChange,
    add_one_more,
    apply_change,
    pause_interest,
    remove_interest,
)
from service.flows.manage import ManageError, reader_of
from service.flows.runtime import Runtime
from service.flows.voted import check_offered
from service.store import subscribers as subscribers_store
from service.store.db import Priority, Session
from service.store.tables import ProfileRow
from service.subscribers.cadence import local_date


def add_wanted(rt: Runtime, token: str, *changes: InterestChange) -> None:
    """Add interests, all or none; like a new reader's they begin with the day before. Raises
    TokenError, InterestError."""

    def add(session: Session) -> None:
        reader, _ = reader_of(rt, session, token)
        assert reader.id is not None
        since = local_date(rt.clock(), reader.zone) - timedelta(days=1)
        for change in changes:
            check_offered(session, change.wanted)
            add_one_more(
                session, reader.id, change, rt.clock(), since=since, most=rt.defaults().interests
            )

    rt.db.write(add, Priority.WEB)


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


def remove_wanted(rt: Runtime, token: str, profile_id: int) -> None:
    """Remove one interest; the last one stays. Raises TokenError, InterestError."""

    def remove(session: Session) -> None:
        row = _own(rt, session, token, profile_id)
        reader = subscribers_store.get_subscriber_row(session, id=row.subscriber_id)
        remove_interest(session, row, has_trending=reader is not None and reader.trending)

    rt.db.write(remove, Priority.WEB)


def _own(rt: Runtime, session: Session, token: str, profile_id: int) -> ProfileRow:
    reader, _ = reader_of(rt, session, token)
    row = subscribers_store.get_profile_row(session, profile_id)
    if row is None or row.subscriber_id != reader.id:
        what = Sentence("This interest is not there any more.")
        raise ManageError(what, "", Sentence("Open the page again."))
    return row
