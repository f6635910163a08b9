"""Open the house for one command, with the development mailbox behind it when that is the relay."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from service.flows.runtime import Runtime
    from service.settings import Settings
    from service.wiring import House

DEMO_DIR = Path("var/demo")
_OWN = ("PAPERPOST_DATA_DIR", "PAPERPOST_DATABASE_URL", "PAPERPOST_SMTP_URL")


def is_bare() -> bool:
    """True when nothing was set up here: no .env and none of the three variables."""
    return not Path(".env").is_file() and not any(os.environ.get(name) for name in _OWN)


def settings(**values: Any) -> "Settings":
    """Read the settings of this folder and environment."""
    from service.settings import load_settings

    return load_settings(**values)


@contextmanager
def house(chosen: "Settings | None" = None, *, quiet: bool = True) -> Iterator["House"]:
    """The house, closed again at the end. Its mailbox listens only once a mail is to be sent.

    quiet: a command, which logs warnings alone; what serves for long logs all, and keeps it.
    """
    from service import log
    from service.defaults import FIXED
    from service.store.faults import explained
    from service.wiring import House

    chosen = chosen or settings()
    kept = None if quiet else log.KeptLines(chosen.data_dir / "logs", FIXED.keep_log_days)
    log.set_up(chosen.log_format, quiet=quiet and chosen.log_format != "json", kept=kept)
    server: list[Any] = []

    def port() -> int:
        if not server:
            from service.mailbox import Mailbox, MailboxServer

            server.append(MailboxServer(Mailbox(chosen.data_dir / "mailbox")))
            server[0].start()
        return int(server[0].port)

    with explained(chosen.database):
        made = House(chosen, mailbox_port=port if chosen.uses_mailbox else None)
        try:
            yield made
        finally:
            made.close()
            for one in server:
                one.stop()


@contextmanager
def runtime(chosen: "Settings | None" = None) -> Iterator["Runtime"]:
    """What flows work with."""
    with house(chosen) as made:
        yield made.runtime
