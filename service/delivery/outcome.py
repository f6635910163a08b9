"""What came of one try at a delivery. Pure values between smtp and flows."""

from dataclasses import dataclass
from typing import Literal

Phase = Literal["connect", "mail", "rcpt", "data", "body", "reply"]
"""How far the conversation came; from "body" on the relay may have taken the message."""


BY_US = "(said by us)"
"""Ends the words of a refusal that no server was asked for."""


@dataclass(frozen=True, slots=True)
class Reply:
    """A server's answer: code (0 = none came), enhanced status ("5.1.1" or ""), its words."""

    code: int
    enhanced: str = ""
    text: str = ""


@dataclass(frozen=True, slots=True)
class Accepted:
    """The final 250."""

    reply: Reply


@dataclass(frozen=True, slots=True)
class Refused:
    """A 5xx, or a 4xx (``is_temporary``), with the phase it came in."""

    phase: Phase
    reply: Reply

    @property
    def is_temporary(self) -> bool:
        return 400 <= self.reply.code < 500


@dataclass(frozen=True, slots=True)
class Broken:
    """No answer: connection lost, refused or timed out. In body or reply = nobody knows."""

    phase: Phase
    text: str

    @property
    def is_unknown(self) -> bool:
        return self.phase in ("body", "reply")


@dataclass(frozen=True, slots=True)
class Stopped:
    """The write-ahead mark was refused (lease lost, reader left): nothing was sent."""


Outcome = Accepted | Refused | Broken | Stopped


@dataclass(frozen=True, slots=True)
class Envelope:
    """Who to whom, and the bytes: fixed at the first render. lines: the message as it goes before
    the final dot (CRLF, dots doubled), None where that is to be looked for."""

    sender: str
    recipient: str
    message: bytes
    lines: bytes | None = None
