"""One event per line, as text or JSON; control characters escaped; no address and no token.

Flows get ``log(event, **facts)`` from wiring and pass numbers and ids only.
"""

import logging
import re
import sys
from typing import Any, Literal

import structlog

_ADDRESS = re.compile(r"[^\s@<>]+@[^\s@<>]+")
_TOKEN = re.compile(r"/(u|d|tune|manage|confirm|never|history|mine)/[A-Za-z0-9_\-.]{8,}")


def scrub(text: str) -> str:
    """Mask addresses and tokens, and escape control characters."""
    masked = _TOKEN.sub(r"/\1/…", _ADDRESS.sub("…@…", text))
    return "".join(c if c.isprintable() else f"\\x{ord(c):02x}" for c in masked)


def _scrubbed(_logger: Any, _name: str, event: Any) -> Any:
    return {k: scrub(v) if isinstance(v, str) else v for k, v in event.items()}


def set_up(form: Literal["text", "json"], *, quiet: bool = False) -> None:
    """Configure logging once, at a door. quiet: only warnings."""
    level = logging.WARNING if quiet else logging.INFO
    renderer: Any = (
        structlog.processors.JSONRenderer()
        if form == "json"
        else structlog.dev.ConsoleRenderer(colors=sys.stderr.isatty())
    )
    structlog.configure(
        processors=[
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            _scrubbed,
            renderer,
        ],
        wrapper_class=structlog.make_filtering_bound_logger(level),
        logger_factory=structlog.PrintLoggerFactory(sys.stderr),
        cache_logger_on_first_use=False,
    )
    logging.basicConfig(
        level=logging.WARNING, stream=sys.stderr, format="%(levelname)s %(message)s"
    )


def log(event: str, **facts: Any) -> None:
    """Write one event."""
    structlog.get_logger().info(event, **facts)
