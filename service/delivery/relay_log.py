"""What a relay's log says of our mails: Postfix's lines, by queue id. Pure.

Sources: POSTFIX OVERVIEW README ("how Postfix receives mail"), cleanup(8), qmgr(8), postconf(5)
``enable_long_queue_ids`` and ``maillog_file``. A queue id is a message that Postfix has taken only
once the queue manager has it: ``qmgr[..]: ID: from=<..>, size=.., nrcpt=.. (queue active)``, or
when a delivery agent speaks of it. cleanup's ``message-id=<..>`` alone is written while the body
still comes, and says nothing of its end.

Long queue ids alone are believed: short ones are used again within seconds, and after a line that
was lost the next mail's fate would be taken for ours.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

MOST = 20_000
"""Queue ids that are remembered at once; the oldest are let go."""

_LINE = re.compile(
    r"(?:[A-Z][a-z]{2} [ \d]\d [\d:.]{8,15}|\d{4}-\d\d-\d\dT\S{8,40}) (?:\S+ )?"
    r"\S+/(?P<who>[a-z]+)\[\d+\]: (?P<id>[0-9A-Za-z]{6,25}): (?P<rest>.*)$"
)
"""Date, host, program: so that what other programs log of strangers' words is not read as these."""

_BASE_51 = "0-9B-DF-HJ-NP-TV-Zb-df-hj-np-tv-y"
_LONG = re.compile(rf"[{_BASE_51}z]{{10,}}z[{_BASE_51}]+")
_MESSAGE_ID = re.compile(r"message-id=(<[^<>\s]+>)")
_STATUS = re.compile(
    r"(?:^|, )status=(?:sent|deferred|bounced|expired|deliverable|undeliverable)\b"
)
_REFUSED = re.compile(r"(?:milter-)?reject: (?P<words>.+)$")
_CODE = re.compile(r": ((?:[45]\d\d )?[45]\.\d{1,3}\.\d{1,3})\b")

_QUEUED = re.compile(r"\b(?:queued as |id=)([0-9A-Za-z-]{5,60})\b")
"""Of the 250: Postfix ("2.0.0 Ok: queued as ID"), Exim ("OK id=ID")."""

_AGENTS = frozenset({"smtp", "lmtp", "local", "virtual", "pipe", "error", "discard", "retry"})

Verdict = Literal["taken", "refused"]


def queued_as(reply: str) -> str:
    """The relay's own number of a mail, as its last answer names it; "" where it names none."""
    found = _QUEUED.search(reply)
    return found[1] if found else ""


@dataclass(frozen=True, slots=True)
class Proof:
    """What became of one mail at the relay. words: of the log, without an address."""

    message_id: str
    verdict: Verdict
    queue_id: str
    words: str


@dataclass(slots=True)
class Reader:
    """Reads lines in their order; what is known of queue ids that are under way goes on with it.

    domain: of our Message-IDs; others' mails are not remembered · short: lines with a short queue
    id that carried one of our Message-IDs · known: lines that are Postfix's, of any mail.
    """

    domain: str
    queue: dict[str, str]
    short: int = 0
    known: int = 0

    @classmethod
    def resumed(cls, domain: str, kept: Mapping[str, Any]) -> "Reader":
        """One that goes on where ``kept`` ended."""
        return cls(domain, {str(k): str(v) for k, v in kept.get("queue", {}).items()})

    def kept(self) -> dict[str, Any]:
        """What a later reader must know."""
        return {"queue": dict(list(self.queue.items())[-MOST:])}

    def read(self, lines: Sequence[str]) -> list[Proof]:
        """The proofs in some lines."""
        found = []
        for line in lines:
            if (proof := self._line(line)) is not None:
                found.append(proof)
        return found

    def _line(self, line: str) -> Proof | None:
        if (parts := _LINE.match(line)) is None:
            return None
        self.known += 1
        who, queue_id, rest = parts["who"], parts["id"], parts["rest"]
        if who == "cleanup" and (named := _MESSAGE_ID.search(rest)):
            self._begin(queue_id, named[1])
            return None
        message_id = self.queue.get(queue_id)
        if message_id is None:
            return None
        if who == "qmgr":
            if rest.startswith("removed"):
                del self.queue[queue_id]
            elif rest.endswith("(queue active)"):
                return Proof(message_id, "taken", queue_id, f"queued as {queue_id}")
            return None
        if who in _AGENTS and _STATUS.search(rest):
            return Proof(message_id, "taken", queue_id, f"queued as {queue_id}")
        if who in ("cleanup", "smtpd") and (refused := _REFUSED.match(rest)):
            return self._refusal(queue_id, message_id, refused["words"])
        return None

    def _begin(self, queue_id: str, message_id: str) -> None:
        """A new mail under this id, ours or not: what the id stood for before is over."""
        self.queue.pop(queue_id, None)
        if not message_id.endswith(f"@{self.domain}>"):
            return
        if not _LONG.fullmatch(queue_id):
            self.short += 1
            return
        self.queue[queue_id] = message_id

    def _refusal(self, queue_id: str, message_id: str, words: str) -> Proof | None:
        """A milter or a header check said no to the whole message, while the client waited."""
        step, _, said = words.partition(" ")
        if step not in ("END-OF-MESSAGE", "header", "body"):
            return None  # of a recipient: the mail may still come
        del self.queue[queue_id]
        codes = _CODE.findall(said)
        return Proof(message_id, "refused", queue_id, f"{step}: {codes[-1] if codes else 'reject'}")
