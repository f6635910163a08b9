"""What came of asking a source: three values, no exceptions. Pure."""

from dataclasses import dataclass


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
    """

    reason: str
    permanent: bool = False
    gone: bool = False
    retry_after: float | None = None
    status: int = 0
    body: bytes = b""


Outcome = Fetched | NotModified | Failed
