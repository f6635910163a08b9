"""Where waiting mail will be received: domains are looked up beside the sending, never before it.

Domains of one mail service share limits and rests. Until a domain was looked up it is a group of
its own, and so it stays where no DNS is asked (``Runtime.dns``).
"""

import asyncio
from datetime import timedelta

from service.delivery.dns import Found
from service.delivery.mail_services import service_of
from service.flows.runtime import Runtime
from service.store import routes as routes_store
from service.store.db import Priority, Session

AT_ONCE = 8
MOST = 500
"""Domains looked up in one go."""

GOOD = timedelta(days=7)
NONE = timedelta(days=1)
"""A domain without mail servers; its own host may take mail (RFC 5321, 5.1)."""

UNHEARD = timedelta(hours=1)


async def learn_routes(rt: Runtime) -> int:
    """Look up the domains of waiting mail that nobody looked up of late; returns how many."""
    resolver = rt.dns
    if resolver is None:
        return 0
    domains = await rt.db.aread(lambda s: routes_store.list_unknown(s, rt.clock(), MOST))
    desk = asyncio.Semaphore(AT_ONCE)

    async def ask(domain: str) -> None:
        async with desk:
            found = await resolver.mx(domain)
        await rt.db.awrite(lambda s: _keep(rt, s, domain, found), Priority.BULK)

    await asyncio.gather(*(ask(domain) for domain in domains))
    return len(domains)


def _keep(rt: Runtime, session: Session, domain: str, found: Found) -> None:
    now = rt.clock()
    if found.failed:
        routes_store.extend_route(session, domain, now=now, until=now + UNHEARD)
        return
    wait = NONE if found.missing else GOOD
    group = service_of(found.records)
    routes_store.keep_route(session, domain, group, now=now, until=now + wait)


class Learning:
    """Looks domains up while a run sends, and ends with it."""

    def __init__(self, rt: Runtime) -> None:
        self._rt = rt
        self._task: asyncio.Task[int] | None = None

    def begin(self) -> None:
        if self._rt.dns is not None:
            self._task = asyncio.create_task(learn_routes(self._rt))

    async def aclose(self) -> None:
        """Stop asking; what was answered is kept. What went wrong is for the log: mail goes all the
        same."""
        if self._task is None:
            return
        self._task.cancel()
        (end,) = await asyncio.gather(self._task, return_exceptions=True)
        if isinstance(end, Exception):
            self._rt.log("routes_failed", error=type(end).__name__)
