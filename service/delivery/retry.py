"""What one outcome means for a delivery. Pure.

Enhanced status codes: RFC 3463 and the IANA registry. A person is only blamed (and suppressed)
when the server named the mailbox; everything about us is policy, and nobody is suppressed.
"""

import re
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from service.defaults import Defaults, spread
from service.delivery.outcome import Accepted, Broken, Outcome, Phase, Refused, Reply
from service.delivery.states import State

Kind = Literal["accepted", "deferred", "failed", "unknown", "expired", "stopped"]
Why = Literal["", "person", "policy", "content", "full", "other"]

_ENHANCED = re.compile(r"(?<![\d.])([245])\.(\d{1,3})\.(\d{1,3})(?![\d.])")
_OURS = re.compile(
    r"spam|block(ed|ing)?\b|block ?list|black ?list|banned|reputation|polic(y|ies)|\bspf\b|dkim|"
    r"dmarc|relay(ing)? (access )?denied|not permitted to relay|\brbls?\b|dnsbl|spamhaus|"
    r"sender (address )?rejected|too many|rate limit|client host|greylist",
    re.IGNORECASE,
)
_FULL = re.compile(r"quota|mailbox (is )?full|full mailbox|insufficient (system )?storage", re.I)
_NOBODY = re.compile(
    r"(user|recipient|mailbox|address|account|alias)( \S{1,320})?( is| does)? "
    r"(unknown|not exist|not found|unavailable|disabled|inactive|invalid|not known|rejected)|"
    r"(unknown|no such|invalid|bad|nonexistent|non-existent) "
    r"(local )?(user|recipient|mailbox|address|account|person)|"
    r"no mailbox (here|by that name)|doesn'?t exist|does not exist|not our customer",
    re.IGNORECASE,
)
_SIZE = re.compile(r"too (big|large)|size|exceed", re.IGNORECASE)
_SIGN_IN = frozenset({454, 530, 534, 535, 538})


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

    @property
    def suppresses(self) -> bool:
        """True when the mailbox itself is gone: no mail to this address again."""
        return self.reason == "person"


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
        return Verdict("accepted", None, "", reply.code, enhanced(reply), reply.text)
    if isinstance(outcome, Broken):
        if outcome.is_unknown:
            return Verdict("unknown", text=outcome.text)
        return _later(Reply(0, "", outcome.text), attempts, now, deadline, jitter, defaults)
    if isinstance(outcome, Refused):
        reply = outcome.reply
        # The relay refusing the connection or the log-in says nothing about this mail.
        ours = outcome.phase == "connect" or (outcome.phase == "mail" and reply.code in _SIGN_IN)
        if outcome.is_temporary or ours:
            return _later(reply, attempts, now, deadline, jitter, defaults)
        why = _reason(outcome.phase, reply)
        return Verdict("failed", None, why, reply.code, enhanced(reply), reply.text)
    return Verdict("stopped")


def enhanced(reply: Reply) -> str:
    """Return the enhanced status ("5.1.1") given or found in the words, of the code's class."""
    if reply.enhanced:
        return reply.enhanced
    for found in _ENHANCED.finditer(reply.text):
        if found[1] == str(reply.code)[0]:
            return found[0]
    return ""


def _later(
    reply: Reply,
    attempts: int,
    now: datetime,
    deadline: datetime,
    jitter: float,
    defaults: Defaults,
) -> Verdict:
    waits = defaults.retries
    wait = waits[min(max(attempts, 1), len(waits)) - 1] * spread(jitter)
    status = enhanced(reply)
    until = now + wait
    is_late = until >= deadline
    return Verdict(
        "expired" if is_late else "deferred",
        None if is_late else until,
        "",
        reply.code,
        status,
        reply.text,
        reply.code == 421 or status == "4.7.28",
    )


def _reason(phase: Phase, reply: Reply) -> Why:
    status = enhanced(reply)
    if status:
        return _by_status(phase, status, reply.text)
    words = reply.text
    if _FULL.search(words):
        return "full"
    if _OURS.search(words):
        return "policy"
    if reply.code == 552 or (phase == "reply" and _SIZE.search(words)):
        return "content"
    if phase == "rcpt" and reply.code in (550, 551, 553, 554) and _NOBODY.search(words):
        return "person"
    return "policy" if phase == "mail" else "other"


def _by_status(phase: Phase, status: str, words: str) -> Why:
    _, subject, detail = status.split(".")
    if subject == "7":
        return "policy"
    if subject == "1":
        # .7 and .8 speak of the sender's address, and so does any answer to MAIL
        is_sender = detail in ("7", "8", "9") or phase == "mail"
        return "policy" if is_sender else "person"
    if subject == "2":
        by_detail: dict[str, Why] = {"1": "person", "2": "full", "3": "content"}
        return by_detail.get(detail, "full" if _FULL.search(words) else "other")
    if subject in ("5", "6") or (subject, detail) == ("3", "4"):
        return "content"
    return "policy" if _OURS.search(words) else "other"
