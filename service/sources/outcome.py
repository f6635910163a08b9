"""What came of asking a source: three values, no exceptions. Pure."""

from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

MOST_WAIT = 86_400.0


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


def retry_after(value: str, now: datetime) -> float | None:
    """Return the seconds of a Retry-After header, at most a day; None when it says nothing.

    RFC 9110, section 10.2.3: seconds, or a date.
    """
    value = value.strip()
    if value.isdecimal():
        return min(float(value[:9]), MOST_WAIT)
    try:
        until = parsedate_to_datetime(value)
    except (TypeError, ValueError, OverflowError):
        return None
    if until.tzinfo is None:
        until = until.replace(tzinfo=UTC)
    return min(max((until - now).total_seconds(), 0.0), MOST_WAIT)
