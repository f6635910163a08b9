"""A reader's interests by the hand of the staff: seen, added, changed, paused, removed.

Each act is one transaction with its row in the record of acts. by, reason, address: who did it, in
their words why, and from where.
"""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

from service.defaults import DAYS
from service.flows.estimate import likings_of
from service.flows.interests import (
    InterestChange,
    add_one_more,
    apply_change,
    pause_interest,
    remove_interest,
)
from service.flows.runtime import Runtime
from service.flows.spreadsheet import ReaderError
from service.flows.staff import write_audit
from service.matching.counting import Likings
from service.store import subscribers as subscribers_store
from service.store.db import Priority, Session
from service.store.tables import ProfileRow, SubscriberRow
from service.subscribers.cadence import local_date
from service.subscribers.options import read_options

Which = str | int
"""An interest of a reader: by its name, or by its number."""

_HERE = ("active", "pending", "bounced")
_PRIVATE = ("name", "text", "own")


def facts_of(row: ProfileRow) -> dict[str, Any]:
    """An interest as plain values: what it asks for, when it comes, and what was chosen for it."""
    options = read_options(row.options)
    return {
        "name": row.name,
        "kind": row.kind,
        "text": row.text,
        "cadence": row.cadence,
        "weekday": DAYS[row.weekday],
        "cap": row.cap,
        "threshold": row.threshold,
        "own": options.own,
        "late_news": options.signals is not None,
        "votes": options.signals.votes if options.signals else None,
        "paused": row.paused,
        "since": row.since.isoformat() if row.since else None,
    }


def chosen_line(facts: dict[str, Any]) -> str:
    """What was chosen for an interest beside its words and days, in as few words as it takes."""
    said = [
        "paused" if facts["paused"] else "",
        f"cap {facts['cap']}" if facts["cap"] else "",
        f"score {facts['threshold']:g}" if facts["threshold"] else "",
        "later news" if facts["late_news"] else "",
        f"without {facts['own']}" if facts["own"] else "",
    ]
    return ", ".join(one for one in said if one)


def list_interests(rt: Runtime, email_key: str) -> list[dict[str, Any]]:
    """A reader's interests in the order they were made. Raises ReaderError: no such reader."""

    def load(session: Session) -> list[dict[str, Any]]:
        rows = subscribers_store.list_profile_rows(session, _reader(session, email_key).id or 0)
        return [facts_of(row) for row in rows]

    return rt.db.read(load)


def reader_name(rt: Runtime, email_key: str) -> str:
    """As the reader is called, "" where nobody knows. Raises ReaderError: no such reader."""
    return rt.db.read(lambda s: _reader(s, email_key).name)


def likings_by_hand(rt: Runtime, email_key: str) -> Likings:
    """What a reader marked, for an estimate. Raises ReaderError: no such reader."""
    return likings_of(rt, rt.db.read(lambda s: _reader(s, email_key).id or 0))


def add_by_hand(
    rt: Runtime,
    email_key: str,
    change: InterestChange,
    *,
    by: str,
    reason: str = "",
    address: str = "",
) -> dict[str, Any]:
    """Add an interest to those of a reader. Where the reader signed up it begins with the day
    before; where the staff added them it begins at once, like the others. Raises PaperpostError."""

    def add(session: Session) -> dict[str, Any]:
        reader, now = _reader(session, email_key), rt.clock()
        since = None
        if not reader.added_by:
            since = local_date(now, reader.zone) - timedelta(days=1)
        row = add_one_more(
            session, reader.id or 0, change, now, since=since, most=rt.defaults().interests
        )
        session.flush()
        made = facts_of(row)
        before, after = told({}, made)
        write_audit(
            session, now, who=by, what="add interest", target=f"reader {reader.id}",
            before=before, after=after | {"interest": row.id}, address=address, reason=reason,
        )  # fmt: skip
        return {"id": row.id, **made}

    return rt.db.write(add, Priority.WEB)


def change_by_hand(
    rt: Runtime,
    email_key: str,
    which: Which,
    change: Callable[[ProfileRow], InterestChange] | None = None,
    *,
    paused: bool | None = None,
    by: str,
    reason: str = "",
    address: str = "",
) -> dict[str, Any]:
    """Make an interest what it is to be, from what it is; paused: let it rest, or take it up again.
    Raises PaperpostError."""

    def edit(session: Session) -> dict[str, Any]:
        reader, at = _reader(session, email_key), rt.clock()
        row = _interest(session, reader, which)
        was, what = facts_of(row), "change interest"
        if change is None:
            what = "pause interest" if paused else "resume interest"
        else:
            apply_change(session, row, change(row), at)
        if paused is not None:
            pause_interest(session, row, at, paused=paused)
        now = facts_of(row)
        before, after = ({**facts, "interest": row.id} for facts in told(was, now))
        write_audit(
            session, at, who=by, what=what, target=f"reader {reader.id}",
            before=before, after=after, address=address, reason=reason,
        )  # fmt: skip
        return {"id": row.id, **now}

    return rt.db.write(edit, Priority.WEB)


def remove_by_hand(
    rt: Runtime, email_key: str, which: Which, *, by: str, reason: str = "", address: str = ""
) -> dict[str, Any]:
    """Remove an interest, and say what it was; the last one stays. Raises PaperpostError."""

    def remove(session: Session) -> dict[str, Any]:
        reader = _reader(session, email_key)
        row = _interest(session, reader, which)
        number, was = row.id, facts_of(row)
        remove_interest(session, row, has_trending=reader.trending)
        before, after = told(was, {})
        write_audit(
            session, rt.clock(), who=by, what="remove interest", target=f"reader {reader.id}",
            before=before, after=after, address=address, reason=reason,
        )  # fmt: skip
        return {"id": number, **was}

    return rt.db.write(remove, Priority.WEB)


def told(before: dict[str, Any], now: dict[str, Any]) -> tuple[dict[str, Any], dict[str, Any]]:
    """What differs, for the record of the staff's acts; {} stands for no interest. Of its words and
    names the record says only that they changed: they go when the reader is erased, it does not."""
    names = [n for n in (now or before) if n != "since" and before.get(n) != now.get(n)]

    def shown(facts: dict[str, Any]) -> dict[str, Any]:
        return {name: facts[name] for name in names if facts and name not in _PRIVATE}

    reworded = [name for name in names if name in _PRIVATE] if before and now else []
    return shown(before), shown(now) | ({"changed": reworded} if reworded else {})


def _reader(session: Session, email_key: str) -> SubscriberRow:
    row = subscribers_store.get_subscriber_row(session, email_key=email_key)
    if row is None or row.state not in _HERE:
        raise ReaderError(f"There is no reader {email_key}.", "", "paperpost subscribers list")
    return row


def _interest(session: Session, reader: SubscriberRow, which: Which) -> ProfileRow:
    rows = subscribers_store.list_profile_rows(session, reader.id or 0)
    found = [row for row in rows if which in (row.name, row.id)]
    if not found:
        names = ", ".join(repr(row.name) for row in rows) or "none"
        what = f"This reader has no interest called {which!r}."
        raise ReaderError(what, "", f"There are: {names}")
    return found[0]
