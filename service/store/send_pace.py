"""How many mails may go now: what rests, and the windows of accounts and receiving domains.

Rows of ``pace``, so that all processes together obey. Scope "send:account", key = the account's
name; scope "send:domain", key = the domain's group. windows: parts and counts of ``delivery.pace``,
at = when something went last, until = when a group whose window is full has room again. What rests
(``rests``) is written by the answers; who claims asks here for both.
"""

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Literal

import sqlalchemy as sa
from sqlmodel import Session, col, select

from service.delivery.pace import Rates, added, free_at, gone, room, spent
from service.store import rests
from service.store.db import insert_once
from service.store.house_tables import PaceRow
from service.store.rests import EVERY, Rest, list_rests
from service.store.routes import domains_of, groups_of
from service.store.tables import DeliveryRow

ACCOUNT, DOMAIN = "send:account", "send:domain"
ON_WIRE = ("wire:account", "wire:domain")
"""Of the same, what is counted just before the body (``wire_pace``)."""

MOST_NAMED = 10_000
"""Domains that one statement leaves out; those beyond are looked at row by row."""

IN_TURN = timedelta(seconds=1)
"""After which a domain that takes one at a time is looked at again."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Pace:
    """What one sender obeys. account: the name of the one it hands mails to · mails: its limits ·
    domain: those of every group of receiving domains."""

    account: str = ""
    mails: Rates = field(default_factory=Rates)
    domain: Rates = field(default_factory=Rates)

    @property
    def counts(self) -> bool:
        """Whether there is any limit, so that mails are counted."""
        return bool(self.mails) or bool(self.domain)


Whom = Literal["everything", "notices", "others"]
"""Notices have a share of a limit of their own, so they wait for it less often than the others."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Hold:
    """Due rows that may not go. kind: account or domain · key: which one ("*": every account; of
    domains, their group) · domains: of which, None = all · until: the earliest time to look again ·
    why: in words for staff · whom: everything, notices alone, or all but notices."""

    kind: str
    key: str
    whom: Whom = "everything"
    domains: frozenset[str] | None
    until: datetime
    why: str


class Gate:
    """Whom one claim may let through; made, asked and written back in its transaction.

    locks: this session writes, and holds the rows it counts in until it ends; every claim begins
    with the row of its account, so that two never wait for each other.
    """

    def __init__(self, session: Session, pace: Pace, now: datetime, *, locks: bool = True) -> None:
        self._session, self._pace, self._now, self._locks = session, pace, now, locks
        self._rests = list_rests(session, now)
        self._account = self._row(ACCOUNT, pace.account) if pace.counts else None
        self._groups: dict[str, str] = {}
        self._left: dict[tuple[str, bool], int | None] = {}
        self._rows: dict[str, PaceRow] = {}
        self._gone: Counter[str] = Counter()
        self._total = 0
        self._at_once = {
            rest.key: rest.at_once
            for rest in self._rests
            if rest.scope == rests.DOMAIN and rest.at_once is not None
        }
        self._flying = self._in_flight() if self._has_counts() else Counter()
        self.blocked = self._named_blocked()

    def _has_counts(self) -> bool:
        return any(rest.at_once is not None for rest in self._rests)

    def _own_rests(self) -> list[Rest]:
        mine = (EVERY, self._pace.account)
        return [r for r in self._rests if r.scope == rests.ACCOUNT and r.key in mine]

    def _in_flight(self) -> Counter[str]:
        """Mails that are claimed and not answered, by group, those of all processes."""
        found = self._session.execute(
            sa.select(col(DeliveryRow.domain), sa.func.count())
            .where(col(DeliveryRow.state).in_(["leased", "sending"]))
            .group_by(col(DeliveryRow.domain))
        ).all()
        groups = groups_of(self._session, [domain for domain, _ in found])
        flying: Counter[str] = Counter()
        for domain, n in found:
            flying[groups[domain]] += n
        return flying

    def _named_blocked(self) -> list[str]:
        """Domains that nothing goes to now, notices neither; for a statement to leave out."""
        resting = {
            rest.key
            for rest in self._rests
            if rest.scope == rests.DOMAIN
            and (rest.until is not None or self._flying[rest.key] >= (rest.at_once or 1_000_000))
        }
        return sorted(domains_of(self._session, resting))[:MOST_NAMED]

    def full_domains(self) -> list[str]:
        """Domains whose windows have no room but for notices."""
        if not self._pace.domain:
            return []
        full = self._session.exec(
            select(PaceRow.key).where(PaceRow.scope == DOMAIN, col(PaceRow.until) > self._now)
        ).all()
        return sorted(domains_of(self._session, full))[:MOST_NAMED]

    def room(self, *, notices: bool) -> int | None:
        """How many the account takes now; None = any number."""
        rooms: list[int] = []
        for rest in self._own_rests():
            if rest.until is not None:
                return 0
            if rest.at_once is not None:
                rooms.append(max(0, rest.at_once - self._flying.total() - self._total))
        if self._account is not None:
            free = room(self._account.windows, self._pace.mails, self._now, notices=notices)
            if free is not None:
                rooms.append(max(0, free - self._total))
        return min(rooms, default=None)

    def admit(self, domains: Sequence[str], *, notices: bool) -> list[bool]:
        """For each mail, by its domain and in this order, whether it goes; those that do count."""
        if not self._pace.domain and not self._at_once:
            self._total += len(domains)
            return [True] * len(domains)
        self._learn(domains)
        answers = []
        for domain in domains:
            group = self._groups[domain]
            left = self._left_for(group, notices)
            may = left is None or left > self._gone[group]
            answers.append(may)
            if may:
                self._gone[group] += 1
                self._total += 1
            elif domain not in self.blocked:
                self.blocked.append(domain)
        return answers

    def _learn(self, domains: Iterable[str]) -> None:
        new = sorted({domain for domain in domains if domain not in self._groups})
        if not new:
            return
        self._groups.update(groups_of(self._session, new))
        keys = sorted({self._groups[domain] for domain in new} - set(self._rows))
        if self._pace.domain:
            query = select(PaceRow).where(PaceRow.scope == DOMAIN, col(PaceRow.key).in_(keys))
            query = query.order_by(col(PaceRow.key))
            if self._locks:
                query = query.with_for_update()
            self._rows.update({row.key: row for row in self._session.exec(query)})

    def _left_for(self, group: str, notices: bool) -> int | None:
        if (group, notices) not in self._left:
            row = self._rows.get(group)
            windows = row.windows if row is not None else {}
            left = room(windows, self._pace.domain, self._now, notices=notices)
            if (at_once := self._at_once.get(group)) is not None:
                free = max(0, at_once - self._flying[group])
                left = free if left is None else min(left, free)
            self._left[group, notices] = left
        return self._left[group, notices]

    def count(self) -> None:
        """Write down what was let through."""
        if not self._total or not self._pace.counts:
            return
        assert self._account is not None
        account, now, pace = self._account, self._now, self._pace
        account.windows = added(account.windows, pace.mails, self._total, now)
        account.at = now
        self._session.add(account)
        if not pace.domain:
            return
        for group in sorted(self._gone):
            row = self._rows.get(group) or self._row(DOMAIN, group)
            row.windows = added(row.windows, pace.domain, self._gone[group], now)
            then = free_at(row.windows, pace.domain, now, notices=False)
            row.at, row.until = now, then if then > now else None
            self._session.add(row)

    def _row(self, scope: str, key: str) -> PaceRow:
        query = select(PaceRow).where(PaceRow.scope == scope, PaceRow.key == key[:254])
        if self._locks:
            query = query.with_for_update()
        row = self._session.exec(query).first()
        if row is None:
            row = PaceRow(scope=scope, key=key[:254])
            if self._locks and not insert_once(self._session, row):
                row = self._session.exec(query).one()
        return row

    def holds(self) -> list[Hold]:
        """Everything that keeps due rows back now, the account first."""
        now, held = self._now, []
        for rest in self._own_rests():
            if rest.until is not None:
                held.append(_of_all(rest.key, rest.until, rest.why))
            elif self._flying.total() >= (rest.at_once or 1_000_000):
                held.append(_of_all(rest.key, now + IN_TURN, rest.why))
        if self._account is not None:
            for whom, until, full in _spent(self._account, self._pace.mails, now):
                why = f"the limit of {_limit(*full)} is reached"
                held.append(_of_all(self._pace.account, until, why, whom))
        for rest in self._rests:
            if rest.scope != rests.DOMAIN:
                continue
            is_taken = self._flying[rest.key] >= (rest.at_once or 1_000_000)
            if rest.until is None and not is_taken:
                continue
            held.append(self._of_group(rest.key, rest.until or now + IN_TURN, rest.why))
        return held + self._full_groups()

    def _full_groups(self) -> list[Hold]:
        if not self._pace.domain:
            return []
        rows = self._session.exec(
            select(PaceRow).where(PaceRow.scope == DOMAIN, col(PaceRow.until) > self._now)
        ).all()
        held = []
        for row in rows:
            for whom, until, full in _spent(row, self._pace.domain, self._now):
                why = f"the limit of {_limit(*full)} to {row.key} is reached"
                held.append(self._of_group(row.key, until, why, whom))
        return held

    def _of_group(self, group: str, until: datetime, why: str, whom: Whom = "everything") -> Hold:
        domains = frozenset(domains_of(self._session, [group]))
        return Hold(kind="domain", key=group, domains=domains, until=until, why=why, whom=whom)


def _spent(
    row: PaceRow, rates: Rates, now: datetime
) -> Iterator[tuple[Whom, datetime, tuple[str, int]]]:
    """For whom a limit is reached, until when, and which (window, mails)."""
    whoms: tuple[tuple[Whom, bool], ...] = (("others", False), ("notices", True))
    for whom, notices in whoms:
        if full := spent(row.windows, rates, now, notices=notices):
            yield whom, free_at(row.windows, rates, now, notices=notices), full


def _of_all(account: str, until: datetime, why: str, whom: Whom = "everything") -> Hold:
    return Hold(kind="account", key=account, domains=None, until=until, why=why, whom=whom)


def _limit(name: str, most: int) -> str:
    article = "an" if name == "hour" else "a"
    return f"{most:,} {'mail' if most == 1 else 'mails'} {article} {name}"


def add_elsewhere(session: Session, pace: Pace, n: int, now: datetime) -> None:
    """Count mails for an account that took them, though they were claimed for another."""
    if pace.mails:
        gate = Gate(session, Pace(account=pace.account, mails=pace.mails), now)
        gate.admit([""] * n, notices=True)
        gate.count()
        session.flush()


@dataclass(frozen=True, slots=True, kw_only=True)
class Counted:
    """What an account or a group of domains had of late. counts: mails in the last second, minute,
    hour and day, of the windows that have a limit · until: when one that is full has room again."""

    scope: str
    key: str
    counts: dict[str, int]
    until: datetime | None


def list_counts(session: Session, now: datetime) -> list[Counted]:
    """Everybody who was counted, accounts first."""
    rows = session.exec(
        select(PaceRow)
        .where(col(PaceRow.scope).in_([ACCOUNT, DOMAIN]))
        .order_by(col(PaceRow.scope), col(PaceRow.key))
    ).all()
    return [
        Counted(
            scope=row.scope,
            key=row.key,
            counts={name: gone(row.windows, name, now) for name in row.windows},
            until=row.until if row.until is not None and row.until > now else None,
        )
        for row in rows
    ]


def forget_quiet(session: Session, now: datetime) -> int:
    """Remove counts of which no window holds anything any more; returns how many rows."""
    done = session.execute(
        sa.delete(PaceRow).where(
            col(PaceRow.scope).in_([ACCOUNT, DOMAIN, *ON_WIRE]),
            sa.or_(col(PaceRow.at).is_(None), col(PaceRow.at) < now - timedelta(days=2)),
        )
    )
    return int(done.rowcount)  # type: ignore[attr-defined]
