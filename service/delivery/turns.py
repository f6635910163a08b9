"""Whose turn it is on a connection, and what the relay's answers come to."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

from service.delivery.hot_path import SILENT, Asked, HotPath, Said
from service.delivery.outcome import Accepted, Broken, Outcome, Phase, Refused


class Step(NamedTuple):
    """One command of an envelope: where it stands, and which answers let the next one count."""

    phase: Phase
    good: tuple[int, ...]
    is_reset: bool = False


RESET = Step("mail", (250,), is_reset=True)
STEPS = (Step("mail", (250,)), Step("rcpt", (250, 251)), Step("data", (354,)))


@dataclass(eq=False, slots=True)
class Line:
    """One open connection. needs_reset: an envelope on it was refused (RSET before the next) ·
    doubt: the last body on it and its answer."""

    path: HotPath
    carried: int = 0
    needs_reset: bool = False
    doubt: Asked | None = None


@dataclass(eq=False, slots=True)
class Turn:
    """The right to send on a line. asked: the envelope went out behind another's dot already."""

    line: Line
    asked: Asked | None = None
    is_fresh: bool = False
    is_behind: bool = False


def heard(line: Line, steps: Sequence[Step], said: Sequence[Said]) -> Refused | Broken | None:
    """What the answers to an envelope come to; None = the relay waits for the body."""
    path = line.path
    for step, one in zip(steps, said, strict=False):
        if one.code in step.good:
            continue
        if step.is_reset:
            path.close("the relay refused RSET")
            return Broken("mail", path.ended)
        if said[-1].code == 354:  # waits for a body without a recipient
            path.close("354 after a refusal")
        line.needs_reset = True
        return _refused(step.phase, one)
    if len(said) < len(steps):
        return Broken(steps[len(said)].phase, path.ended or "passed over")
    return None


def after_the_dot(path: HotPath, said: Sequence[Said]) -> Outcome:
    if not said:
        return Broken("reply" if path.is_body_out else "body", path.ended)
    if said[0].code == 250:
        return Accepted(said[0].reply)
    return _refused("reply", said[0])


def _refused(phase: Phase, said: Said) -> Refused | Broken:
    if not 400 <= said.code < 600:
        return Broken(phase, f"unexpected answer: {said.code} {said.reply.text}"[:300])
    return Refused(phase, said.reply)


def is_usable(turn: Turn, outcome: Outcome) -> bool:
    """Whether the connection is in order for a next message."""
    path = turn.line.path
    if path.ended or path.is_retiring or is_421(outcome):
        return False
    return turn.asked is None or not isinstance(outcome, Broken)


def is_stale(turn: Turn, not_sent: Refused | Broken) -> bool:
    """True when the connection was over before it was told of this mail, or ends by itself now."""
    path = turn.line.path
    if turn.is_behind and not_sent.phase == "mail":  # asked by itself, its answer counts
        return True
    if turn.is_fresh:
        return False
    if isinstance(not_sent, Broken):
        return path.ended not in ("", SILENT)
    return not_sent.phase == "mail" and is_421(not_sent)


def does_not_follow(turn: Turn, not_sent: Refused | Broken) -> bool:
    """True when the relay took the body before, and then no envelope that came behind its dot: it
    offers PIPELINING and forgets what it had not yet read, or calls it out of order."""
    if not turn.is_behind or not_sent.phase != "mail" or is_421(not_sent):
        return False
    doubt = turn.line.doubt
    is_silent = turn.line.path.ended == SILENT and doubt is not None and bool(doubt.said)
    return is_silent or isinstance(not_sent, Refused)


def is_421(outcome: Outcome) -> bool:
    return isinstance(outcome, Refused) and outcome.reply.code == 421
