"""What one outcome means for a delivery. Pure."""

from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from service.defaults import Defaults
from service.delivery.outcome import Outcome
from service.delivery.states import State

Kind = Literal["accepted", "deferred", "failed", "unknown", "expired", "stopped"]
Why = Literal["", "person", "policy", "content", "full", "other"]


@dataclass(frozen=True, slots=True)
class Verdict:
    """kind and, with it: until (deferred), reason (failed), code, enhanced and text as said.

    is_throttled: the relay or the domain asked us to go slower (421, 4.7.28).
    """

    kind: Kind
    until: datetime | None = None
    reason: Why = ""
    code: int = 0
    enhanced: str = ""
    text: str = ""
    is_throttled: bool = False

    @property
    def state(self) -> State | None:
        """The delivery's next state; None when stopped (the flow reads the row again)."""
        return None if self.kind == "stopped" else State(self.kind)


def judge(
    outcome: Outcome,
    attempts: int,
    now: datetime,
    deadline: datetime,
    jitter: float,
    defaults: Defaults,
) -> Verdict:
    """Return what becomes of the delivery. attempts: tries so far, this one included (>= 1).

    jitter: a number from 0 to 1, spreads the wait by +-20 %.
    """
    raise NotImplementedError
