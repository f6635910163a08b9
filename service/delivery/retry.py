"""What one outcome means for a delivery: its next state, when it is tried again. Pure.

What the answer was about stands in ``delivery.answers``. A person is only blamed (and suppressed)
when the server named the mailbox; everything about us is policy, and nobody is suppressed.
"""

from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from service.defaults import Defaults, spread
from service.delivery.answers import Meaning, enhanced, meaning_of
from service.delivery.outcome import Accepted, Broken, Outcome, Phase, Refused, Reply
from service.delivery.states import State

Kind = Literal["accepted", "deferred", "failed", "unknown", "expired", "stopped"]


@dataclass(frozen=True, slots=True)
class Verdict:
    """kind and, with it: until (deferred), meaning (of a refusal or of silence), code, enhanced and
    text as said, phase: what was answered ("" = accepted or stopped)."""

    kind: Kind
    until: datetime | None = None
    meaning: Meaning | None = None
    code: int = 0
    enhanced: str = ""
    text: str = ""
    phase: Phase | Literal[""] = ""

    @property
    def state(self) -> State | None:
        """The delivery's next state; None when stopped (the flow reads the row again)."""
        return None if self.kind == "stopped" else State(self.kind)

    @property
    def suppresses(self) -> bool:
        """True when the mailbox itself is gone: no mail to this address again."""
        return self.kind == "failed" and self.meaning is Meaning.PERSON


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
    if isinstance(outcome, Accepted):
        reply = outcome.reply
        return Verdict("accepted", None, None, reply.code, enhanced(reply), reply.text)
    if isinstance(outcome, Broken):
        silent, phase = Meaning.SILENT, outcome.phase
        if outcome.is_unknown:
            return Verdict("unknown", None, silent, text=outcome.text, phase=phase)
        reply = Reply(0, "", outcome.text)
        return _later(reply, phase, silent, attempts, now, deadline, jitter, defaults)
    if isinstance(outcome, Refused):
        reply, phase = outcome.reply, outcome.phase
        meaning = meaning_of(phase, reply)
        if outcome.is_temporary or is_ours(phase, meaning):
            return _later(reply, phase, meaning, attempts, now, deadline, jitter, defaults)
        return Verdict("failed", None, meaning, reply.code, enhanced(reply), reply.text, phase)
    return Verdict("stopped")


def doubted(
    verdict: Verdict,
    attempts: int,
    now: datetime,
    deadline: datetime,
    jitter: float,
    defaults: Defaults,
) -> Verdict:
    """A refusal for good that is not believed yet: as one for now."""
    reply = Reply(verdict.code, verdict.enhanced, verdict.text)
    assert verdict.meaning is not None
    assert verdict.phase
    return _later(reply, verdict.phase, verdict.meaning, attempts, now, deadline, jitter, defaults)


def is_ours(phase: Phase, meaning: Meaning) -> bool:
    """Whether a refusal for good says nothing about this mail: the relay refused the connection, or
    our set-up is wrong (signing in, sender, relaying). It goes when that is mended."""
    return phase == "connect" or meaning is Meaning.RELAY


def _later(
    reply: Reply,
    phase: Phase,
    meaning: Meaning,
    attempts: int,
    now: datetime,
    deadline: datetime,
    jitter: float,
    defaults: Defaults,
) -> Verdict:
    waits = defaults.retries
    until = now + waits[min(max(attempts, 1), len(waits)) - 1] * spread(jitter)
    status = enhanced(reply)
    if until >= deadline:
        return Verdict("expired", None, meaning, reply.code, status, reply.text, phase)
    return Verdict("deferred", until, meaning, reply.code, status, reply.text, phase)
