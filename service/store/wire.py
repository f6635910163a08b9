"""Marks before, and acceptances after, of all mails that are on the wire at once: each one
statement for many. A lease is looked at row by row in it, as if there were but one."""

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache

from sqlmodel import Session

from service.delivery.relay_log import queued_as
from service.delivery.states import State, leaving
from service.store.consent import BARRED_BY_LIST, CONFIRMATION, LIFTED_BY_BEGIN
from service.store.given import run, table_of
from service.store.sent import TESTED, add_sent_of_many


def _quoted(words: Iterable[str]) -> str:
    """Our own words as SQL."""
    return ", ".join(f"'{word}'" for word in words)


@dataclass(frozen=True, slots=True)
class Mark:
    """What goes now, under which lease. hashed: its address (``consent.email_hash``) · sha: of the
    bytes."""

    delivery_id: int
    fence: int
    hashed: str
    sha: str


@lru_cache
def _marking(dialect: str) -> str:
    """Rows are found by their numbers: COALESCE keeps the indexes of other columns out of it."""
    mine = table_of(dialect, {"id": "id", "fence": "int", "hashed": "text", "sha": "text"})
    barred = "SELECT 1 FROM suppression p WHERE p.email_hash = given.hashed"
    return (
        f"UPDATE delivery SET state = '{State.SENDING}', marked_at = :now, body_sha = given.sha, "  # nosec B608
        f"tested_to = :tested_to FROM ({mine}) AS given "
        "WHERE delivery.id = given.id AND delivery.fence = given.fence "
        f"AND COALESCE(delivery.state, '') IN ({_quoted(leaving(State.SENDING))}) "
        "AND COALESCE(delivery.lease_owner, 0) = :owner "
        # a notice passes bars that are about subscriptions, and asks for no active reader
        "AND ((EXISTS (SELECT 1 FROM edition e WHERE e.id = delivery.edition_id "
        f"AND e.kind = 'notice') AND NOT EXISTS ({barred} "
        f"AND p.reason NOT IN ({_quoted(LIFTED_BY_BEGIN)}) "
        f"AND (p.reason <> '{BARRED_BY_LIST}' OR delivery.kind <> '{CONFIRMATION}'))) "
        "OR (EXISTS (SELECT 1 FROM subscriber r WHERE r.id = delivery.subscriber_id "
        f"AND r.state = 'active') AND NOT EXISTS ({barred}))) "
        "AND NOT EXISTS (SELECT 1 FROM edition e WHERE e.id = delivery.edition_id "
        f"AND (e.paused OR e.state = '{State.CANCELLED}'))"
    )


def mark_sending(
    session: Session,
    marks: Sequence[Mark],
    *,
    owner: int,
    now: datetime,
    tested_to: str | None = None,
) -> set[tuple[int, int]]:
    """The write-ahead mark of many, in one statement: leased -> sending. Returns the leases
    (delivery, fence) that may be used; of the others nothing may go out. One process may ask for
    two leases of one mail at once: its old one, which was over, and its new one.

    One is left out when its lease was lost, the reader is no longer active, the address is
    suppressed, or the edition was paused or cancelled meanwhile. A notice does not ask for an
    active reader, and passes the bar of somebody who left (``consent.lets_pass``). Who leaves also
    changes the rows of their mails: of the two the second waits for the first and sees it.
    tested_to: where all of them go in test mode.
    """
    dialect = session.get_bind().dialect
    sql = _marking(dialect.name)
    rows = [(mark.delivery_id, mark.fence, mark.hashed, mark.sha) for mark in marks]
    given = {"owner": owner, "now": now, "tested_to": tested_to}
    if dialect.update_returning:
        done = run(session, f"{sql} RETURNING delivery.id, delivery.fence", rows, **given)
        return set(done.rows)
    return {  # SQLite before 3.35
        (row[0], row[1]) for row in rows if run(session, sql, [row], **given).changed
    }


@dataclass(frozen=True, slots=True)
class Taken:
    """A mail that the relay took. n: which try."""

    delivery_id: int
    fence: int
    n: int
    code: int
    enhanced: str
    text: str


class Uneven(Exception):
    """Not every row of a batch could be moved; nothing of it may be committed."""


@lru_cache
def _accepting(dialect: str) -> tuple[str, str]:
    """The rows; and their tries."""
    mine = table_of(
        dialect,
        {
            "id": "id",
            "fence": "int",
            "n": "int",
            "code": "int",
            "enhanced": "text",
            "said": "text",
            "relay_id": "text",
        },
    )
    olds = _quoted(leaving(State.ACCEPTED, State.SENDING))
    return (
        f"UPDATE delivery SET state = '{State.ACCEPTED}', reason = :reason, meaning = '', "  # nosec B608
        "code = given.code, enhanced = given.enhanced, accepted_at = :now, "
        "lease_owner = NULL, lease_until = NULL "
        f"FROM ({mine}) AS given WHERE delivery.id = given.id AND delivery.fence = given.fence "
        f"AND COALESCE(delivery.state, '') IN ({olds})",
        "INSERT INTO attempt "  # nosec B608
        "(delivery_id, n, phase, at, code, enhanced, text, connection, relay_id) "
        "SELECT given.id, given.n, 'reply', :now, given.code, given.enhanced, given.said, '', "
        f"given.relay_id FROM ({mine}) AS given",
    )


def accept_many(session: Session, taken: Sequence[Taken], now: datetime, *, reason: str) -> None:
    """sending -> accepted for many, with each try and what was sent, in a few statements.

    reason: "", or TESTED. Raises Uneven: one of them is not as it was left; then each is written
    down by itself (``mark_outcome``).
    """
    move, tries = _accepting(session.get_bind().dialect.name)
    rows = json.dumps(
        [
            (t.delivery_id, t.fence, t.n, t.code, t.enhanced, t.text, queued_as(t.text))
            for t in taken
        ]
    )
    if run(session, move, rows, reason=reason, now=now).changed != len(taken):
        raise Uneven
    run(session, tries, rows, now=now)
    if reason != TESTED:
        add_sent_of_many(session, [t.delivery_id for t in taken], rows)
