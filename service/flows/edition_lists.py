"""The list of editions for the doors: filters as they are typed, pages, a spreadsheet's table."""

from collections.abc import Iterator, Sequence
from datetime import date, datetime
from typing import Any

from service.flows.editions import summary
from service.flows.ledger import ChosenError, gone_owners
from service.flows.runtime import Runtime
from service.flows.spreadsheet import csv_lines
from service.store import deliveries as deliveries_store
from service.store import edition_lists as store
from service.store.db import Priority, Session
from service.store.edition_lists import SORTS, Wanted
from service.store.tables import EditionRow
from service.subscribers.cadence import bounds

KINDS = ("digest", "alert", "manual", "newsletter", "quiet")
"""Editions for many; notices are editions of one mail."""

STATES = ("open", "closing", "paused", "incomplete", "done", "cancelled")

COLUMNS = (
    "id", "kind", "slot", "title", "state", "opened_at", "created_by", "planned", "accepted",
    "waiting", "deferred", "failed", "expired", "held", "skipped", "suppressed", "cancelled",
    "missing", "uneven", "paused_why",
)  # fmt: skip
"""Columns of an export."""

_PART = 500


def read_wanted(
    *,
    kind: str = "",
    state: str = "",
    first: date | None = None,
    last: date | None = None,
    words: str = "",
    notices: bool = False,
    zone: str = "UTC",
) -> Wanted:
    """Which editions were asked for. first, last: days of the installation on which they were
    opened. Raises ChosenError: no such kind or state, or a last day before the first."""
    if kind not in ("", "notice", *KINDS):
        raise ChosenError(
            f"{kind!r} is no kind of edition.", "--kind", f"Use {', '.join(KINDS)} or notice."
        )
    if state not in ("", *STATES):
        raise ChosenError(
            f"{state!r} is no state of an edition.", "--state", f"Use {', '.join(STATES)}."
        )
    if first is not None and last is not None and first > last:
        raise ChosenError(
            f"{first} is after {last}: no day is in between.",
            "--since",
            "Give the earlier day as --since and the later one as --until.",
        )
    every = (*KINDS, "notice") if notices else KINDS
    since, until = bounds(first, last, zone)
    return Wanted(
        kinds=(kind,) if kind else every,
        state=state,
        since=since,
        until=until,
        words=words.strip(),
    )


def check_sort(sort: str) -> str:
    """A column of the list, "-" before it: downwards. Raises ChosenError."""
    if sort.removeprefix("-") not in SORTS:
        raise ChosenError(
            f"{sort!r} is no order.", "--sort", f"Use {', '.join(SORTS)}, or -begun for downwards."
        )
    return sort


def list_page(
    session: Session,
    wanted: Wanted,
    *,
    dead: Sequence[int],
    now: datetime,
    sort: str = "-begun",
    limit: int | None = None,
    offset: int = 0,
) -> list[dict[str, Any]]:
    """Editions with their balance, as ``editions.summary`` has it. dead: owners that are gone."""
    rows = store.list_found(session, wanted, sort=sort, limit=limit, offset=offset)
    return summaries(session, rows, dead=dead, now=now)


def summaries(
    session: Session, rows: Sequence[EditionRow], *, dead: Sequence[int], now: datetime
) -> list[dict[str, Any]]:
    """The same of rows in hand."""
    states = store.states_of(session, rows)
    left = deliveries_store.count_left(session, dead)
    return [summary(e, states.get(e.id or 0, {}), left.get(e.id or 0, 0), now) for e in rows]


def parts(rt: Runtime, wanted: Wanted, sort: str = "-begun") -> Iterator[list[dict[str, Any]]]:
    """All that there are, some at a time."""
    dead, now, offset = gone_owners(rt), rt.clock(), 0
    while rows := rt.db.read(
        lambda s, o=offset: list_page(  # type: ignore[misc]
            s, wanted, dead=dead, now=now, sort=sort, limit=_PART, offset=o
        )
    ):
        yield rows
        offset += _PART


def csv_parts(rt: Runtime, wanted: Wanted, sort: str = "-begun") -> Iterator[str]:
    """The same as a table for a spreadsheet; no cell starts a formula."""
    yield csv_lines([COLUMNS])
    for rows in parts(rt, wanted, sort):
        yield csv_lines([row[c] for c in COLUMNS] for row in rows)


def keep_counts(rt: Runtime) -> int:
    """Take down the mails by state of editions that are done and have none yet, of before revision
    0009; some at a time, newest first. Returns how many."""

    def act(session: Session) -> int:
        rows = store.list_uncounted(session, KINDS, _PART)
        states = store.states_of(session, rows)
        for row in rows:
            row.counted = states.get(row.id or 0, {})
            session.add(row)
        return len(rows)

    if not rt.db.read(lambda s: store.list_uncounted(s, KINDS, 1)):
        return 0
    return rt.db.write(act, Priority.BULK)
