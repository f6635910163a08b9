"""A press of Send: planning goes on when whoever pressed has been led to the edition's page."""

import asyncio
from asyncio import to_thread

from service.flows import drafts, manual
from service.flows.audience import Plan, Started
from service.flows.runtime import Runtime

PATIENCE_S = 2.0
"""So long a page waits for all rows to be planned; the edition's own page shows the rest."""

_under_way: set[asyncio.Task[Started]] = set()
"""Kept here, since the loop itself keeps no task alive."""


async def begin(rt: Runtime, plan: Plan, expected: int, address: str) -> tuple[int, str]:
    """Begin a send: (edition, what is said there); edition 0 where nobody was to get a mail.

    Raises what ``manual.start`` raises while nothing is planned yet. What goes wrong later is
    logged, and the edition's page says that it was not planned to its end.
    """
    act = to_thread(manual.start, rt, plan, expected=expected, address=address)
    task = asyncio.create_task(act)
    _under_way.add(task)
    task.add_done_callback(_under_way.discard)
    while True:
        done, _ = await asyncio.wait({task}, timeout=PATIENCE_S)
        if done:
            made = task.result()
            return made.edition_id, "" if made.is_new else "begun"
        if number := await to_thread(drafts.begun, rt, plan.key):
            task.add_done_callback(lambda over: _log(rt, over))
            return number, ""


def _log(rt: Runtime, over: asyncio.Task[Started]) -> None:
    if not over.cancelled() and (error := over.exception()) is not None:
        rt.log("planning_broke_off", error=type(error).__name__)
