"""A reader's interests by the hand of the staff: seen, added, changed, paused, removed."""

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


def add_by_hand(rt: Runtime, email_key: str, change: InterestChange) -> dict[str, Any]:
    """Add an interest to those of a reader. Where the reader signed up it begins with the day
    before; where the staff added them it begins at once, like the others. Raises PaperpostError."""

    def add(session: Session) -> dict[str, Any]:
        reader = _reader(session, email_key)
        since = None
        if not reader.added_by:
            since = local_date(rt.clock(), reader.zone) - timedelta(days=1)
        made = add_one_more(
            session, reader.id or 0, change, rt.clock(), since=since, most=rt.defaults().interests
        )
        return facts_of(made)

    return rt.db.write(add, Priority.WEB)


def change_by_hand(
    rt: Runtime, email_key: str, which: Which, change: Callable[[ProfileRow], InterestChange]
) -> dict[str, Any]:
    """Make an interest what it is to be, from what it is. Raises PaperpostError."""

    def edit(session: Session) -> dict[str, Any]:
        row = _interest(session, email_key, which)
        apply_change(session, row, change(row), rt.clock())
        return facts_of(row)

    return rt.db.write(edit, Priority.WEB)


def pause_by_hand(rt: Runtime, email_key: str, which: Which, *, paused: bool) -> None:
    """Let an interest rest, or take it up again. Raises ReaderError: it is not there."""
    rt.db.write(
        lambda s: pause_interest(s, _interest(s, email_key, which), rt.clock(), paused=paused),
        Priority.WEB,
    )


def remove_by_hand(rt: Runtime, email_key: str, which: Which) -> dict[str, Any]:
    """Remove an interest, and say what it was; the last one stays. Raises PaperpostError."""

    def remove(session: Session) -> dict[str, Any]:
        reader = _reader(session, email_key)
        row = _interest(session, email_key, which)
        was = facts_of(row)
        remove_interest(session, row, has_trending=reader.trending)
        return was

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


def _interest(session: Session, email_key: str, which: Which) -> ProfileRow:
    rows = subscribers_store.list_profile_rows(session, _reader(session, email_key).id or 0)
    found = [row for row in rows if which in (row.name, row.id)]
    if not found:
        names = ", ".join(repr(row.name) for row in rows) or "none"
        what = f"This reader has no interest called {which!r}."
        raise ReaderError(what, "", f"There are: {names}")
    return found[0]
