"""What came of asking a source: three values, no exceptions. Pure."""

import math
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True, kw_only=True)
class Fetched:
    """The answer. url: where it came from after redirects. moved_to: the new address when the
    source says that it moved for good (301, 308), else ``""``."""

    body: bytes
    url: str
    status: int = 200
    etag: str = ""
    last_modified: str = ""
    moved_to: str = ""
    content_type: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class NotModified:
    """304: nothing changed since ``etag`` or ``last_modified``."""

    moved_to: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Failed:
    """No answer that can be read.

    permanent: asking again soon cannot help (4xx, a refused address). gone: the source ended (410).
    retry_after: seconds to wait, as the source asked (at most a day), else None. status: HTTP
    status, 0 where there was none. body: what an error answer held (cut), for its message.
    where: the address that was asked last. ``reason``, ``where`` and ``next_step`` are the three
    parts of what a person is told.
    """

    reason: str
    permanent: bool = False
    gone: bool = False
    retry_after: float | None = None
    status: int = 0
    body: bytes = b""
    where: str = field(default="", compare=False)

    @property
    def next_step(self) -> str:
        """What happens now, or what to do about it."""
        if self.gone:
            return "It is not asked any more: remove it, or add its new address."
        if self.retry_after:
            return f"It is asked again in {math.ceil(self.retry_after / 60)} minutes or later."
        if self.permanent:
            return "Check its address; it is asked again a few times a day."
        return "It is asked again soon, and less often each time that it fails."


Outcome = Fetched | NotModified | Failed
