"""What flows work with: built once by wiring, handed to every flow."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from functools import cached_property
from pathlib import Path
from typing import Any, Protocol

from service.defaults import Defaults
from service.delivery.i18n import Catalogs
from service.delivery.links import Links
from service.delivery.press import Press
from service.delivery.render import Renderer
from service.delivery.site import Site
from service.delivery.smtp import Mailer
from service.flows.learned import LiveWords
from service.flows.live_corpus import LiveCorpus
from service.flows.live_index import LiveIndex
from service.sources.adapter import Parsed
from service.sources.fetch import Fetcher
from service.store.db import Database
from service.store.instance import Instance, get_defaults
from service.store.processes import Process
from service.subscribers.tokens import Signer

SEND_SOON = "send soon"
"""The task that follows a stranger's request: in a second or so mails go out, if there are any. At
once the work of sending would slow down the next page, and tell that this address gets mail."""


class Engine(Protocol):
    """The port that flows need: somebody runs a task soon, or wakes the sender."""

    def enqueue(self, task: str, ids: tuple[int, ...] = (), *, priority: int = 5) -> None:
        """Run ``task`` soon; a repeated or lost call is harmless (rows hold the truth)."""


class NoEngine:
    """For commands that do their work themselves: nothing else runs."""

    def enqueue(self, task: str, ids: tuple[int, ...] = (), *, priority: int = 5) -> None:
        """Do nothing; the caller goes on to do the work."""


Parser = Callable[[str, bytes, Any], Parsed]


@dataclass(kw_only=True)
class Runtime:
    """The house at work. ``clock`` gives aware UTC; nobody else asks the time.

    open_mailer: makes a pool of SMTP connections · fetcher: the one HTTP client ·
    parse: bytes to sightings in a process that can be killed · owner: this process as an owner
    of leases, registered on first use · zone, signup, private_sources, test_recipient,
    bounce_address: settings · relay_host: of the mail server that takes
    our mails, "" where they stay on this machine.
    """

    db: Database
    clock: Callable[[], datetime]
    site: Site
    links: Links
    catalogs: Catalogs
    open_renderer: Callable[[], Renderer]
    instance: Instance
    signer: Signer
    open_mailer: Callable[[Defaults], Mailer]
    open_fetcher: Callable[[], Fetcher]
    parse: Parser
    owner: Callable[[], Process]
    zone: str
    signup: str
    data_dir: Path
    private_sources: bool = False
    test_recipient: str = ""
    bounce_address: str = ""
    relay_host: str = ""
    engine: Engine = field(default_factory=NoEngine)
    log: Callable[..., None] = lambda event, **facts: None
    index: LiveIndex = field(default_factory=LiveIndex)
    corpus: LiveCorpus = field(init=False)
    words: LiveWords = field(default_factory=LiveWords)

    def __post_init__(self) -> None:
        self.corpus = LiveCorpus(self.data_dir / "corpus")

    @cached_property
    def renderer(self) -> Renderer:
        """All mails of this installation; its templates are read at the first mail."""
        return self.open_renderer()

    def read_templates(self) -> None:
        """Before rows are decided or claimed: templates that are broken are nobody's mail's fault.

        Raises TemplateError.
        """
        _ = self.renderer

    @cached_property
    def press(self) -> Press:
        """Digests, put together from pieces that are rendered once."""
        return Press(self.renderer, log=self.log)

    def defaults(self) -> Defaults:
        """The values of taste in force now."""
        return self.db.read(get_defaults)

    @property
    def mail_domain(self) -> str:
        """The domain of our Message-IDs."""
        return self.site.sender.rpartition("@")[2]


def facts(report: object) -> Mapping[str, Any]:
    """A report's numbers for a log line (names and counts, never addresses)."""
    return {
        name: value
        for name, value in vars(report).items()
        if isinstance(value, int | float | str | bool) and name != "email"
    }
