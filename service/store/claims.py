"""Which rows go next: leases on what is due, notices first, editions in turn.

A lease holds fence and owner; ``leases`` moves a row on from there. Each edition that has rows
gets the same share of a claim, and what one does not need the others get: a large one never keeps a
small one waiting. What rests, or has had what it may have by now, is passed over (``send_pace``).
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import raiseload
from sqlmodel import Session, col

from service.delivery.states import State, leaving
from service.store.send_pace import Gate, Pace
from service.store.tables import DeliveryRow, EditionRow
from service.store.waiting import list_waiting, sendable

LEASE = timedelta(minutes=30)
"""Longer than any conversation: 600 s after the dot and what comes before."""

ROUNDS = 50
"""How often one claim looks further because what it found may not go; each time a domain less."""


@dataclass(frozen=True, slots=True)
class Place:
    """Where a sender was: a hint, harmless when it is lost. after: per edition, the last row taken,
    while others are passed over · edition: the one that was served last."""

    after: Mapping[int, int] = field(default_factory=dict)
    edition: int = 0


@dataclass(frozen=True, slots=True)
class Claimed:
    """The leased rows, notices first; and where to go on."""

    rows: list[DeliveryRow]
    place: Place


def claim(
    session: Session,
    *,
    owner: int,
    now: datetime,
    limit: int,
    edition_ids: Sequence[int] | None = None,
    pace: Pace | None = None,
) -> list[DeliveryRow]:
    """Lease up to ``limit`` rows whose time has come (of these editions)."""
    return take(session, owner=owner, now=now, limit=limit, edition_ids=edition_ids, pace=pace).rows


def take(
    session: Session,
    *,
    owner: int,
    now: datetime,
    limit: int,
    edition_ids: Collection[int] | None = None,
    pace: Pace | None = None,
    place: Place | None = None,
) -> Claimed:
    """The same, going on where the last claim ended. deferred rows whose wait is over are taken as
    ready ones are. The Date header is fixed here, once."""
    desk = _Desk(
        session, owner, now, Gate(session, Pace() if pace is None else pace, now), edition_ids
    )
    place = place or Place()
    desk.take_notices(limit)
    left = desk.left(limit)
    if left <= 0:
        desk.gate.count()
        return Claimed(desk.rows, place)
    desk.leave_out(desk.gate.full_domains())
    waiting = _in_turn(list_waiting(session, now, edition_ids), place.edition)
    after = {i: place.after[i] for _, i in waiting if i in place.after}
    last = place.edition
    for round_ in ("share", "rest"):
        hungry = []
        for n, (priority, edition) in enumerate(waiting):
            if (left := desk.left(limit)) <= 0:
                break
            share = max(1, left // (len(waiting) - n)) if round_ == "share" else left
            got = desk.take_edition(priority, edition, share, after)
            if got:
                last = edition
            if got >= share:
                hungry.append((priority, edition))
        waiting = hungry
    desk.gate.count()
    return Claimed(desk.rows, Place(after, last))


def _in_turn(waiting: list[tuple[int, int]], last: int) -> list[tuple[int, int]]:
    """The editions, beginning after the one that was served last, so that a claim too small for all
    of them serves each in its turn."""
    at = next((n for n, (_, edition) in enumerate(waiting) if edition == last), -1)
    return waiting[at + 1 :] + waiting[: at + 1]


class _Desk:
    """One claim: what was leased so far."""

    def __init__(
        self,
        session: Session,
        owner: int,
        now: datetime,
        gate: Gate,
        edition_ids: Collection[int] | None,
    ) -> None:
        self.session, self.owner, self.now, self.gate = session, owner, now, gate
        self.edition_ids = None if edition_ids is None else list(edition_ids)
        self.rows: list[DeliveryRow] = []
        self._full: list[str] = []

    def leave_out(self, domains: list[str]) -> None:
        self._full = domains

    def left(self, limit: int, *, notices: bool = False) -> int:
        free = self.gate.room(notices=notices)
        return limit - len(self.rows) if free is None else min(free, limit - len(self.rows))

    def take_notices(self, limit: int) -> None:
        """People wait for them: before anything else, and from the share that is kept for them.

        The sums with 0 keep databases from walking all rows by their key, or all editions: they do
        not know that hardly any of those that wait is a notice.
        """
        query = (
            sa.select(col(DeliveryRow.id), col(DeliveryRow.domain))
            .join(EditionRow, col(EditionRow.id) == col(DeliveryRow.edition_id) + 0)
            .where(
                col(DeliveryRow.state).in_(leaving(State.LEASED, State.READY, State.DEFERRED)),
                col(DeliveryRow.priority) == 0,
                sa.or_(
                    col(DeliveryRow.not_before).is_(None), col(DeliveryRow.not_before) <= self.now
                ),
                *sendable(self.now),
            )
            .order_by(col(DeliveryRow.id) + 0)
        )
        if self.edition_ids is not None:
            query = query.where(col(DeliveryRow.edition_id).in_(self.edition_ids))
        self._take(query, self.left(limit, notices=True), notices=True)

    def take_edition(self, priority: int, edition: int, share: int, after: dict[int, int]) -> int:
        """Lease up to ``share`` rows of one edition: those whose wait is over take at most half of
        it while fresh ones are there."""
        begun = len(self.rows)
        of_it = (
            col(DeliveryRow.priority) == priority,
            col(DeliveryRow.edition_id) == edition,
        )
        row = sa.select(col(DeliveryRow.id), col(DeliveryRow.domain)).where(*of_it)
        again = row.where(
            col(DeliveryRow.state).in_(leaving(State.LEASED, State.READY, State.DEFERRED)),
            col(DeliveryRow.not_before) <= self.now,
        ).order_by(col(DeliveryRow.not_before), col(DeliveryRow.id))
        fresh = row.where(
            col(DeliveryRow.state) == str(State.READY), col(DeliveryRow.not_before).is_(None)
        ).order_by(col(DeliveryRow.not_before), col(DeliveryRow.id))
        has_more = self._take(again, (share + 1) // 2)
        taken = len(self.rows)
        at = after.get(edition, 0)
        self._take(fresh.where(col(DeliveryRow.id) > at) if at else fresh, share - taken + begun)
        if (
            at and len(self.rows) - begun < share
        ):  # and those before it that were left, or came back
            after.pop(edition)
            self._take(fresh.where(col(DeliveryRow.id) <= at), share - len(self.rows) + begun)
        elif len(self.rows) > taken and (self.gate.blocked or self._full):
            after[edition] = self.rows[-1].id or 0
        if has_more:
            self._take(again, share - len(self.rows) + begun)
        return len(self.rows) - begun

    def _take(self, query: Any, want: int, *, notices: bool = False) -> bool:
        """Lease what may go of up to ``want`` rows of a query; where some may not, look further.
        Returns whether there may be more of them."""
        for _ in range(ROUNDS):
            if want <= 0:
                return True
            out = self.gate.blocked if notices else [*self.gate.blocked, *self._full]
            looked = query.where(col(DeliveryRow.domain).not_in(out)) if out else query
            looked = looked.limit(want)
            if self.session.get_bind().dialect.name == "postgresql":
                looked = looked.with_for_update(skip_locked=True, of=DeliveryRow)
            found = self.session.execute(looked).all()
            if not found:
                return False
            may = self.gate.admit([domain for _, domain in found], notices=notices)
            ids = [i for (i, _), goes in zip(found, may, strict=True) if goes]
            asked, want = want, want - self._lease(ids)
            if len(ids) == len(found):
                return len(found) == asked
        return True

    def _lease(self, ids: list[int]) -> int:
        if not ids:
            return 0
        rows = self.session.scalars(
            sa.update(DeliveryRow)
            .where(
                col(DeliveryRow.id).in_(ids),
                # as a sum, so that no database reads all that wait to find these few
                col(DeliveryRow.state)
                .concat("")
                .in_(leaving(State.LEASED, State.READY, State.DEFERRED)),
            )
            .values(
                state=str(State.LEASED),
                fence=col(DeliveryRow.fence) + 1,
                attempts=col(DeliveryRow.attempts) + 1,
                lease_owner=self.owner,
                lease_until=self.now + LEASE,
                date_header=sa.func.coalesce(col(DeliveryRow.date_header), self.now),
            )
            .returning(DeliveryRow)
            .options(raiseload(DeliveryRow.shared)),  # type: ignore[arg-type]
            execution_options={"synchronize_session": False, "populate_existing": True},
        ).all()
        for row in rows:  # they outlive this session, and other units must not touch them
            self.session.expunge(row)
        order = {i: n for n, i in enumerate(ids)}
        self.rows += sorted(rows, key=lambda row: order[row.id or 0])
        return len(rows)
