"""One event per line, as text or JSON; control characters escaped; no address and no token.

Flows get ``log(event, **facts)`` from wiring and pass numbers and ids only.
"""

import logging
import re
import sys
from typing import Any, Literal, TextIO

import structlog

_ADDRESS = re.compile(r"[^\s@<>]+@[^\s@<>]+")
_TOKEN = re.compile(r"/(u|d|tune|manage|confirm|never|history|mine|link)/[A-Za-z0-9_\-.]{8,}")


def scrub(text: str) -> str:
    """Mask addresses and tokens, and escape control characters."""
    masked = _TOKEN.sub(r"/\1/…", _ADDRESS.sub("…@…", text))
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


def set_up(form: Literal["text", "json"], *, quiet: bool = False) -> None:
    """Configure logging once, at a door. quiet: only warnings."""
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
    rendered: list[Any] = [structlog.processors.format_exc_info, _scrubbed, renderer]
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


def log(event: str, **facts: Any) -> None:
    """Write one event."""
    structlog.get_logger().info(event, **facts)
