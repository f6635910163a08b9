"""One event per line, as text or JSON; control characters escaped; no address and no token.

Everything goes to standard error; what serves for long also keeps its lines for some days. Flows
get ``log(event, **facts)`` from wiring and pass numbers and ids only.
"""

import logging
import os
import re
import sys
import threading
from collections.abc import MutableMapping
from contextlib import suppress
from datetime import date, timedelta
from pathlib import Path
from typing import Any, Literal, TextIO

import structlog

_ADDRESS = re.compile(r"[^\s@<>]+(?:@|%40)[^\s@<>]+")
_TOKEN = re.compile(
    r"/(u|d|tune|manage|confirm|never|history|mine|link|address)/[^/\s?#\"'<>)]{8,}"
)
"""What stands behind these is a reader's, whatever its shape; so is a signed text anywhere."""
_SIGNED = re.compile(
    r"[A-Za-z0-9_-]{12,}\.(?:[A-Za-z0-9_-]{6}\.)?[A-Za-z0-9_-]{27}(?![A-Za-z0-9_-])"
)


def scrub(text: str) -> str:
    """Mask addresses and tokens, and escape control characters."""
    masked = _SIGNED.sub("…", _TOKEN.sub(r"/\1/…", _ADDRESS.sub("…@…", text)))
    return "".join(c if c.isprintable() else f"\\x{ord(c):02x}" for c in masked)


def _scrubbed(_logger: Any, _name: str, event: Any) -> Any:
    return {k: _clean(k, v) if isinstance(v, str) else v for k, v in event.items()}


def _clean(name: str, text: str) -> str:
    if name != "exception":
        return scrub(text)
    return "\n".join(map(scrub, text.splitlines()))  # a traceback keeps its lines


class _Stderr(logging.StreamHandler[TextIO]):
    """Writes to what standard error is at that moment."""

    @property
    def stream(self) -> TextIO:
        return sys.stderr

    @stream.setter
    def stream(self, value: TextIO) -> None:
        pass


class KeptLines:
    """A step of structlog that also keeps each event, as a line of JSON, in a file of its UTC day.

    folder: made when it is missing, for this user alone · days: files of days further back go.
    Files are only appended to, line by line, and never renamed: several processes may share them.
    """

    def __init__(self, folder: Path, days: int) -> None:
        self._folder, self._days = folder, days
        self._lock = threading.Lock()
        self._day, self._file = "", -1
        self._as_json = structlog.processors.JSONRenderer()

    def __call__(self, logger: Any, name: str, event: MutableMapping[str, Any]) -> Any:
        line = self._as_json(logger, name, dict(event))
        text = line if isinstance(line, str) else line.decode()
        # a full disk stops no mail: the line stands on standard error too
        with self._lock, suppress(OSError):
            self._turn_to(str(event["timestamp"])[:10])
            os.write(self._file, f"{text}\n".encode(errors="replace"))
        return event

    def _turn_to(self, day: str) -> None:
        """Open the file of a day; at each new one what had its time goes."""
        if day == self._day:
            return
        self._folder.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        self._folder.mkdir(mode=0o700, exist_ok=True)
        made = os.open(
            self._folder / f"paperpost-{day}.log", os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600
        )
        if self._file >= 0:
            os.close(self._file)
        self._day, self._file = day, made
        first = f"paperpost-{date.fromisoformat(day) - timedelta(days=self._days)}.log"
        for file in self._folder.glob("paperpost-????-??-??.log"):
            if file.name < first:
                file.unlink(missing_ok=True)


def set_up(
    form: Literal["text", "json"], *, quiet: bool = False, kept: KeptLines | None = None
) -> None:
    """Configure logging once, at a door. quiet: only warnings · kept: where lines are kept too."""
    level = logging.WARNING if quiet else logging.INFO
    renderer: Any = (
        structlog.processors.JSONRenderer()
        if form == "json"
        else structlog.dev.ConsoleRenderer(colors=sys.stderr.isatty())
    )
    dated: list[Any] = [
        structlog.processors.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
    ]
    keep = [kept] if kept is not None else []
    rendered: list[Any] = [structlog.processors.format_exc_info, _scrubbed, *keep, renderer]
    structlog.configure(
        processors=[*dated, *rendered],
        wrapper_class=structlog.make_filtering_bound_logger(level),
        logger_factory=structlog.PrintLoggerFactory(sys.stderr),
        cache_logger_on_first_use=False,
    )
    _set_up_others(dated, rendered)


def _set_up_others(dated: list[Any], rendered: list[Any]) -> None:
    """Warnings of libraries and our own faults come by ``logging``: with the same care."""
    handler = _Stderr()
    handler.set_name("paperpost")
    bare = structlog.stdlib.ProcessorFormatter.remove_processors_meta
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(foreign_pre_chain=dated, processors=[bare, *rendered])
    )
    root = logging.getLogger()
    for old in [one for one in root.handlers if one.get_name() == "paperpost"]:
        root.removeHandler(old)
    root.addHandler(handler)
    root.setLevel(logging.WARNING)
    # Its detectors log a traceback of each mail they stumble over; reports/read.py says so itself.
    logging.getLogger("flufl.bounce").setLevel(logging.CRITICAL)


def log(event: str, **facts: Any) -> None:
    """Write one event."""
    structlog.get_logger().info(event, **facts)
