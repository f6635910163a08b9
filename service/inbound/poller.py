"""The mailbox is watched for as long as a process works: by IDLE where the server has it, else by
looking again. One process at a time; a thread of its own, since the library waits.

What goes wrong is tried again, ever later; after some failures in a row the staff is told, and once
more when it is over. Meanwhile mails wait in the mailbox: nothing is lost.
"""

import threading
from collections.abc import Sequence

from service.errors import PaperpostError
from service.flows.alarms import Alarm, end_alarm, raise_alarm
from service.flows.epoch import standing
from service.flows.runtime import Runtime, Stats
from service.inbound.imap import Conversation, Fetched, opened, read_all
from service.inbound.place import Inbox, InboxError
from service.store import alarms as alarms_store
from service.store.db import Priority, Session
from service.store.sole import Sole

NAME = "inbox"
"""Of the task in figures, of the alarm, of the lock."""

BACK_OFF = (10.0, 30.0, 60.0, 120.0, 300.0)
"""Seconds after the first, second, ... failure in a row; the last repeats."""

TOLD_AFTER = 3
"""Failures in a row after which the staff is told: 40 seconds and what the tries took."""

IDLE_S = 300.0
"""Seconds after which it is looked even if the server said nothing: a connection may be dead."""

LOOK_S = 60.0
"""Seconds between two looks where the server has no IDLE, or another process reads."""

DRAIN_S = 20.0
"""Seconds that the mail in hand has when the process is to end."""

GREETED_S = 1.0
"""Seconds for a thread that has no mail in hand; should it still wait for a server to greet, it
ends with the process."""


class Poller:
    """Reads one inbox from ``start`` to ``stop``."""

    def __init__(
        self,
        rt: Runtime,
        inbox: Inbox,
        stats: Stats | None = None,
        *,
        back_off: Sequence[float] = BACK_OFF,
        idle_s: float = IDLE_S,
        look_s: float = LOOK_S,
    ) -> None:
        """stats: where its figures go."""
        self._rt, self._inbox = rt, inbox
        self.stats = stats if stats is not None else Stats()
        self._back_off, self._idle_s, self._look_s = back_off, idle_s, look_s
        self._sole = Sole(rt.db, rt.data_dir / "locks", NAME)
        self._over = threading.Event()
        self._line: Conversation | None = None
        self._is_waiting = False
        self._lock = threading.Lock()
        self._failures = 0
        self._thread = threading.Thread(target=self._work, name=NAME, daemon=True)

    def start(self) -> None:
        """Begin."""
        self._thread.start()

    def stop(self, drain: float = DRAIN_S) -> None:
        """Begin no further mail; finish the one in hand within ``drain`` seconds. A server that
        does not even greet is not waited for."""
        self._over.set()
        with self._lock:
            line, is_waiting = self._line, self._is_waiting
            if line is not None and is_waiting:
                line.hang_up()
        self._thread.join(drain if line is not None else GREETED_S)
        if line is not None and self._thread.is_alive():
            line.hang_up()
            self._thread.join(5.0)

    def _work(self) -> None:
        while not self._over.is_set():
            try:
                if not standing(self._rt).held and self._sole.take():
                    self._read_on()
                else:  # another process reads, or a person says first which database this is
                    self._over.wait(self._look_s)
            except Exception as error:  # whatever it is: mails wait, and it is tried again
                if not self._over.is_set():
                    self._failed(error)
                    last = len(self._back_off) - 1
                    self._over.wait(self._back_off[min(self._failures - 1, last)])
            finally:
                self.stats.running = False
        self._sole.give()

    def _read_on(self) -> None:
        """Read and wait, again and again, on one connection."""
        self._begun()
        with opened(self._inbox) as line:
            with self._lock:
                self._line = line
            try:
                while self._is_open() and self._sole.take():
                    self._begun()
                    found = read_all(self._rt, line, self._is_open)
                    self._went_well(found)
                    self._wait(line)
            finally:
                with self._lock:
                    self._line = None

    def _wait(self, line: Conversation) -> None:
        with self._lock:
            if self._over.is_set():
                return
            self._is_waiting = True
        try:
            if line.can_idle:
                line.wait(self._idle_s)
            else:
                self._over.wait(self._look_s)
                line.refresh()
        finally:
            with self._lock:
                self._is_waiting = False

    def _is_open(self) -> bool:
        return not self._over.is_set()

    def _begun(self) -> None:
        self.stats.runs += 1
        self.stats.running = True
        self.stats.last_at = self._rt.clock()

    def _went_well(self, found: Fetched) -> None:
        self.stats.running = False
        self._failures = 0
        self.stats.last_error = found.why
        if found.taken or found.failed:
            self._rt.log(
                "inbox", **found.states, again=found.again, cut=found.cut, failed=found.failed
            )
        self._tell(self._about_mails(found) if found.failed else None, "mails")
        self._tell(None, "way")

    def _failed(self, error: Exception) -> None:
        self._failures += 1
        self.stats.failures += 1
        words = str(error) if isinstance(error, PaperpostError) else _plain(error)
        self.stats.last_error = words[:500]
        self._rt.log("inbox_failed", error=self.stats.last_error, in_a_row=self._failures)
        if self._failures < TOLD_AFTER:
            return
        try:
            self._tell(self._about_way(error), "way")
        except Exception as second:  # the database is away too: /readyz says so by itself
            self._rt.log("inbox_alarm_failed", error=_plain(second))

    def _about_way(self, error: Exception) -> Alarm:
        if isinstance(error, InboxError):
            what, step = error.what, error.next_step
        else:
            what, step = _plain(error), "Look at the log, and run paperpost doctor."
        return Alarm(
            kind=NAME,
            key="way",
            what="The inbox cannot be read: bounces and letters to leave wait there.",
            place=what,
            next_step=f"{step} Nothing is lost; it is tried again by itself.",
        )

    def _about_mails(self, found: Fetched) -> Alarm:
        return Alarm(
            kind=NAME,
            key="mails",
            what="Mails in the inbox cannot be taken; they stay where they are.",
            place=f"{self._inbox.name}, folder {self._inbox.folder}: {found.why}",
            next_step="Look at the log; move such a mail elsewhere if it is none of ours.",
        )

    def _tell(self, alarm: Alarm | None, key: str) -> None:
        """Raise the alarm of this key, or end it where one stands."""
        rt = self._rt
        if alarm is not None:
            rt.db.write(lambda s: raise_alarm(rt, s, alarm), Priority.MAIL)
        elif rt.db.read(lambda s: _stands(s, key)):
            rt.db.write(lambda s: end_alarm(rt, s, NAME, key), Priority.MAIL)


def _plain(error: Exception) -> str:
    """What happened. Not its repr: that of a text that cannot be encoded holds the whole text."""
    return f"{type(error).__name__}: {error}"[:300]


def _stands(session: Session, key: str) -> bool:
    row = alarms_store.get_alarm(session, NAME, key)
    return row is not None and row.ended_at is None
