"""The SMTP pool: persistent connections, and the write-ahead mark before the body."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Literal

from service.delivery.outcome import Envelope, Outcome


@dataclass(frozen=True, slots=True, kw_only=True)
class Relay:
    """Where mail is handed in. tls: none, starttls or tls (from the first byte)."""

    host: str
    port: int
    tls: Literal["none", "starttls", "tls"] = "none"
    user: str = ""
    password: str = ""
    ca_file: str = ""
    local_hostname: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Timeouts:
    """Seconds. reply: after the final dot (RFC 5321 section 4.5.3.2.6)."""

    connect: float = 30.0
    command: float = 60.0
    data: float = 120.0
    reply: float = 600.0


@dataclass(frozen=True, slots=True)
class Probed:
    """What the relay said."""

    greeting: str
    features: tuple[str, ...]
    tls: str
    signed_in: bool


class Mailer:
    """At most ``connections`` conversations with one relay at once."""

    def __init__(
        self,
        relay: Relay,
        *,
        connections: int = 10,
        per_connection: int = 100,
        timeouts: Timeouts | None = None,
    ) -> None:
        raise NotImplementedError

    async def deliver(self, envelope: Envelope, mark: Callable[[], Awaitable[bool]]) -> Outcome:
        raise NotImplementedError

    async def probe(self, sender: str = "") -> Probed:
        raise NotImplementedError

    async def rest(self) -> None:
        """Close idle connections with QUIT; the next delivery opens new ones."""
        raise NotImplementedError

    async def aclose(self) -> None:
        raise NotImplementedError
