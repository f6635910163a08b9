"""Whether the mail server answers at all, for a page that promises a mail, and for what waits.

The server is greeted, never asked about anybody, and what it said holds for a while: so the answer
is the same for every address, and takes the same time.
"""

import asyncio
import threading
from datetime import datetime, timedelta

from service.errors import PaperpostError
from service.flows.breakers import is_relay_resting, relay_is_back
from service.flows.runtime import Runtime
from service.store import leases as leases_store
from service.store.db import Priority

PATIENCE_S = 1.5
"""Seconds that a person waits at most for a mail server that says nothing."""

_KNOWN_UP = timedelta(seconds=60)
_KNOWN_DOWN = timedelta(seconds=15)


class RelayWatch:
    """One for a process; may be asked from any thread."""

    def __init__(self, rt: Runtime) -> None:
        self._rt = rt
        self._lock = threading.Lock()
        self._known: tuple[datetime, bool] | None = None

    def answers(self) -> bool:
        """Whether mail goes out by now; True also where this process cannot know."""
        with self._lock:
            now = self._rt.clock()
            if self._known is not None:
                at, was_up = self._known
                if abs(now - at) < (_KNOWN_UP if was_up else _KNOWN_DOWN):
                    return was_up
            is_up = asyncio.run(self._greet())
            self._known = (now, is_up)
            return is_up

    def try_unheard(self) -> int:
        """Notices that nobody answered go as soon as the server does, not hours later when their
        next try is due: people wait for them; with them goes what rests because the server was
        silent. Returns how many are due now."""
        rt = self._rt
        if is_relay_resting(rt) and self.answers():
            relay_is_back(rt)
        if not rt.db.read(lambda s: leases_store.count_unheard(s, rt.clock())):
            return 0
        if not self.answers():
            return 0
        return rt.db.write(lambda s: leases_store.try_unheard_now(s, rt.clock()), Priority.MAIL)

    async def _greet(self) -> bool:
        try:
            pool = self._rt.open_mailer(self._rt.defaults())
        except PaperpostError:
            return True  # a mailbox of another process, or a setting that doctor tells of
        return await pool.answers(PATIENCE_S)
