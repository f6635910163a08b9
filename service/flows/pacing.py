"""What one sender may take next, and what it does when it may take nothing for now.

Limits and rests stand in the database; the sender asks at each claim. A wait of seconds it sits
out; rows that wait longer say so, are put off until then, and the run comes to its end.
"""

import asyncio
from collections import Counter
from collections.abc import Awaitable, Callable, Sequence
from datetime import datetime, timedelta

from service.defaults import Defaults
from service.delivery.pace import Rates
from service.flows.outcomes import awake
from service.flows.runtime import Runtime
from service.store import alerts as alerts_store
from service.store import claims as claims_store
from service.store import waiting as waiting_store
from service.store.claims import Claimed, Place
from service.store.db import Session
from service.store.send_pace import Hold, Pace, add_elsewhere
from service.store.tables import DeliveryRow

PATIENCE = timedelta(seconds=90)
"""The longest wait that a run sits out: that of a limit per second or minute."""

NO_WAIT = timedelta(0)

NAP_S = 1.0
"""So soon is a notice seen that was asked for meanwhile."""

LEAST_NAP_S = 0.02

LOOKS = 4
"""A run sleeps this many times as long as it took to see what waits."""

AT_ONCE = 5_000
"""Rows put off in one write."""

NIGHT_LOOK_S = 30.0
"""How often a long run looks whose alerts are to wait for the morning by now."""

Sleep = Callable[[float], Awaitable[None]]


def pace_of(limits: Defaults, account: str) -> Pace:
    """The limits in force for mails that go by this account."""
    return Pace(
        account=account,
        mails=Rates(
            second=limits.mails_a_second,
            minute=limits.mails_a_minute,
            hour=limits.mails_an_hour,
            day=limits.mails_a_day,
        ),
        domain=Rates(
            second=limits.domain_a_second,
            minute=limits.domain_a_minute,
            hour=limits.domain_an_hour,
            day=limits.domain_a_day,
        ),
    )


class Desk:
    """Where one run of sending gets its rows. account: the name of the one that takes mails now ·
    put_off: how many mails it put off, by reason."""

    def __init__(
        self,
        rt: Runtime,
        limits: Defaults,
        edition_ids: Sequence[int] | None = None,
        *,
        account: Callable[[], str] = lambda: "",
        sleep: Sleep = asyncio.sleep,
    ) -> None:
        self._rt, self._limits, self._edition_ids = rt, limits, edition_ids
        self._account, self._sleep = account, sleep
        self._place = Place()
        self._sat_out = timedelta(0)
        self._looked: float | None = None
        self._cold = 0
        self._claimed: tuple[str, int] = ("", 0)
        self.put_off: Counter[str] = Counter()

    async def claim(self, owner: int, limit: int, *, is_warm: bool = True) -> list[DeliveryRow]:
        """Lease up to ``limit`` rows that may go now. is_warm: mails of this run had answers;
        before that they wait for templates and connections, and what several seconds allowed would
        go in one."""
        pace, place, only = self._pace(), self._place, self._edition_ids
        if not is_warm and (burst := self._burst(pace)):
            limit = min(limit, burst - self._cold)
            if limit <= 0:
                return []
        at = asyncio.get_running_loop().time()
        if self._looked is None or at - self._looked >= NIGHT_LOOK_S:
            self._looked = at
            if late := await self._rt.db.aread(self._asleep):
                await self._rt.db.awrite(lambda s: _let_sleep(s, late))
        account, strayed = self._claimed

        def work(session: Session) -> Claimed:
            now = self._rt.clock()
            if strayed and account != pace.account:  # they were claimed, and counted, for another
                add_elsewhere(session, pace, strayed, now)
            return claims_store.take(
                session,
                owner=owner,
                now=now,
                limit=limit,
                edition_ids=only,
                pace=pace,
                place=place,
            )

        claimed = await self._rt.db.awrite(work)
        self._place = claimed.place
        if claimed.rows or account != pace.account:
            self._claimed = (pace.account, len(claimed.rows))
        if claimed.rows:
            self._sat_out = timedelta(0)
            self._cold += len(claimed.rows)
        return claimed.rows

    async def waits(self) -> bool:
        """For a run that has nothing left in hand: True after a nap, for it may be that something
        may go now; False when nothing is due that a short wait would let through."""
        rt, pace, only = self._rt, self._pace(), self._edition_ids
        loop = asyncio.get_running_loop()
        at = loop.time()
        holds = await rt.db.aread(
            lambda s: waiting_store.list_holds(s, rt.clock(), pace, edition_ids=only)
        )
        looking, now, patience = loop.time() - at, rt.clock(), PATIENCE - self._sat_out
        for hold, _ in holds:
            if hold.until - now > patience:
                await self._put_off(hold)
        short = [hold.until for hold, _ in holds if hold.until - now <= patience]
        if not holds and patience > NO_WAIT:  # between the claim and now there came room again
            short = [now] * await rt.db.aread(lambda s: waiting_store.has_due(s, now, only))
        if not short:
            return False
        nap = min(NAP_S, max(LEAST_NAP_S, (min(short) - now).total_seconds()))
        nap = max(nap, LOOKS * looking)
        self._sat_out += timedelta(seconds=nap)
        await self._sleep(nap)
        return True

    def _pace(self) -> Pace:
        return pace_of(self._limits, self._account())

    def _burst(self, pace: Pace) -> int:
        """Mails that may go at once where there is a limit a second, 0 = there is none."""
        each = [dict(rates.limits()).get("tenth", 0) for rates in (pace.mails, pace.domain)]
        return min((most for most in each if most), default=0)

    def _asleep(self, session: Session) -> list[tuple[int, datetime]]:
        """Alerts whose readers sleep by now, and when they wake."""
        now, limits = self._rt.clock(), self._limits
        due = alerts_store.list_due_alerts(session, now, self._edition_ids)
        wakes = [(delivery_id, awake(now, reader, limits)) for delivery_id, reader in due]
        return [(delivery_id, at) for delivery_id, at in wakes if at > now]

    async def _put_off(self, hold: Hold) -> None:
        rt, only, mails = self._rt, self._edition_ids, 0
        until = max(hold.until, rt.clock() + PATIENCE)
        while True:
            done = await rt.db.awrite(
                lambda s: waiting_store.put_off(
                    s, rt.clock(), hold, until=until, limit=AT_ONCE, edition_ids=only
                )
            )
            mails += done
            if done < AT_ONCE:
                break
        self.put_off[hold.why] += mails
        rt.log("put_off", mails=mails, until=until.isoformat(), why=hold.why)


def _let_sleep(session: Session, late: Sequence[tuple[int, datetime]]) -> None:
    for delivery_id, at in late:
        alerts_store.rest_until(session, delivery_id, at)
