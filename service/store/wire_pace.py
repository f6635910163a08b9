"""How many mails may go on the wire now: limits a second and a minute, counted at the mark.

Between the claim and the wire a mail takes more or less long, and what was claimed in two seconds
could meet in one. So each is counted once more just before its body, for the account that takes it.
Rows of ``pace``, scope "wire:account" and "wire:domain"; an hour and a day are so long that the
claim is near enough.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlmodel import Session, select

from service.delivery.pace import Rates, added, free_at, room
from service.store.db import insert_once
from service.store.house_tables import PaceRow
from service.store.routes import groups_of
from service.store.send_pace import ON_WIRE, Pace

ACCOUNT, DOMAIN = ON_WIRE

LAG = timedelta(milliseconds=50)
"""From the mark to the body; windows are longer by it."""


@dataclass(frozen=True, slots=True)
class Asked:
    """A mail that would go now. lease: which · domain: of its reader."""

    lease: tuple[int, int]
    domain: str
    is_notice: bool


def has_limits(pace: Pace) -> bool:
    """Whether anything is counted here."""
    return bool(_on_wire(pace.mails)) or bool(_on_wire(pace.domain))


def let_through(
    session: Session, pace: Pace, asked: Sequence[Asked], now: datetime
) -> dict[tuple[int, int], datetime]:
    """Count those that go now, in this order. Returns the others: when to ask for them again.

    The rows are held to the end of the transaction, the account's first, so that two processes
    never wait for each other.
    """
    mails, domain = _on_wire(pace.mails), _on_wire(pace.domain)
    groups = groups_of(session, {one.domain for one in asked}) if domain else {}
    rows = [(mails, _held(session, ACCOUNT, [pace.account]))] if mails else []
    by_group = _held(session, DOMAIN, set(groups.values())) if domain else {}
    then, later = now - LAG, {}
    for one in asked:
        own = [(rates, row) for rates, found in rows for row in found.values()]
        own += [(domain, by_group[groups[one.domain][:254]])] if domain else []
        if all(room(row.windows, r, then, notices=one.is_notice) != 0 for r, row in own):
            for rates, row in own:
                row.windows, row.at = added(row.windows, rates, 1, now), now
                session.add(row)
        else:
            free = [free_at(row.windows, r, then, notices=one.is_notice) for r, row in own]
            later[one.lease] = max(free) + LAG
    session.flush()
    return later


def _on_wire(rates: Rates) -> Rates:
    return Rates(second=rates.second, minute=rates.minute)


def _held(session: Session, scope: str, keys: Collection[str]) -> dict[str, PaceRow]:
    """The rows of some keys, made where there are none."""
    found = {}
    for key in sorted({key[:254] for key in keys}):
        query = select(PaceRow).where(PaceRow.scope == scope, PaceRow.key == key).with_for_update()
        row = session.exec(query).first()
        if row is None:
            row = PaceRow(scope=scope, key=key)
            if not insert_once(session, row):
                row = session.exec(query).one()
        found[key] = row
    return found
