"""What a press of Send asked for, kept while its rows are planned: what a crash breaks off is
completed by it, for the readers who were confirmed and for nobody else.

It holds numbers of readers and no address of theirs, and goes with the last row that is planned.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Self

from service.errors import PaperpostError
from service.flows.audience import Audience, Plan
from service.store.db import Session
from service.store.editions import hold_number
from service.store.half_planned import INTENT, Half, changed, planner_of
from service.text.ranges import packed, unpacked

WITHIN = timedelta(hours=1)
"""So long after a press it is completed by itself; later a person says it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Intent:
    """ids: readers, whatever becomes of each · first: those who go before a person looks, None
    where all go · mails: the number that was confirmed · wait: the time to take it back · at,
    own_hour: as in Plan · address: from where it was pressed · pressed: when, or when somebody
    resumed it · paused: somebody paused it while it was planned. Beside them stands, once it could
    not be completed, why (``fault``), and whether it rests."""

    ids: Sequence[int]
    first: Sequence[int] | None
    mails: int
    wait: timedelta
    at: datetime | None
    own_hour: bool
    address: str
    pressed: datetime
    paused: bool = False

    def as_dict(self) -> dict[str, Any]:
        """For the JSON of a row."""
        return {
            "ids": packed(self.ids),
            "first": None if self.first is None else packed(self.first),
            "mails": self.mails,
            "wait_s": self.wait.total_seconds(),
            "at": self.at.isoformat() if self.at else "",
            "own_hour": self.own_hour,
            "address": self.address,
            "pressed": self.pressed.isoformat(),
            "paused": self.paused,
        }

    @classmethod
    def read(cls, kept: Mapping[str, Any]) -> Self:
        """What ``as_dict`` wrote."""
        return cls(
            ids=unpacked(kept["ids"]),
            first=None if kept["first"] is None else unpacked(kept["first"]),
            mails=kept["mails"],
            wait=timedelta(seconds=kept["wait_s"]),
            at=datetime.fromisoformat(kept["at"]) if kept["at"] else None,
            own_hour=kept["own_hour"],
            address=kept["address"],
            pressed=datetime.fromisoformat(kept["pressed"]),
            paused=kept["paused"],
        )


def intent_of(
    plan: Plan, audience: Audience, wait: timedelta, address: str, now: datetime, canary: int
) -> Intent:
    """What is kept of a press. canary: how many go first, where the plan asks for it."""
    mails = audience.groups.get("mails", ())
    everybody = [i for ids in audience.groups.values() for i in ids]
    return Intent(
        ids=mails if plan.kind == "alert" else everybody,
        first=mails[:canary] if plan.canary else None,
        mails=audience.mails,
        wait=wait,
        at=plan.at,
        own_hour=plan.own_hour,
        address=address,
        pressed=now,
    )


def is_timely(options: Mapping[str, Any], now: datetime) -> bool:
    """Whether what these options keep is completed by itself: soon after it was pressed, or before
    the instant at which it begins; not what was refused (``note_fault``)."""
    kept = options.get(INTENT)
    if not kept or kept.get("rests"):
        return False
    ends = [datetime.fromisoformat(kept["pressed"]) + WITHIN]
    if kept["at"]:
        ends.append(datetime.fromisoformat(kept["at"]))
    return now <= max(ends)


def note_fault(session: Session, half: Half, us: int, error: Exception) -> str:
    """Keep why a press was not completed by this process. What is refused rests until a person
    resumes it; other faults may pass, and it is tried again. Returns the words, "" where they are
    no news, or another process has it by now."""
    row = hold_number(session, half.id)
    kept = row.options.get(INTENT) if row is not None else None
    words, is_refused = f"an unforeseen fault, {type(error).__name__}", False
    if isinstance(error, PaperpostError):
        words, is_refused = error.what, True
    if row is None or not kept or planner_of(row) not in (us, half.planner):
        return ""
    if kept.get("fault") == words:
        return ""
    row.options = changed(row.options, fault=words, rests=is_refused)
    session.add(row)
    return words
