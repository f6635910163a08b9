"""What flows work with: built once by wiring, handed to every flow."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import cached_property
from pathlib import Path
from typing import Any, Protocol

from service.defaults import Defaults
from service.delivery.accounts import Accounts
from service.delivery.breakers import Tally
from service.delivery.dkim import DkimKeys
from service.delivery.dns import Resolver
from service.delivery.i18n import Catalogs
from service.delivery.links import Links
from service.delivery.press import Press
from service.delivery.render import Renderer
from service.delivery.site import Site
from service.delivery.smtp import Mailer
from service.flows.learned import LiveWords
from service.flows.live_corpus import LiveCorpus
from service.flows.live_index import LiveIndex
from service.flows.token_pace import TokenPace
from service.sources.adapter import Parsed
from service.sources.fetch import Fetcher
from service.sources.post import Poster
from service.store.db import Database
from service.store.instance import Instance, get_defaults
from service.store.processes import Process
from service.store.witness import WitnessFile
from service.subscribers.tokens import Signer

SEND_SOON = "send soon"
"""The task that follows a stranger's request: in a second or so mails go out, if there are any. At
once the work of sending would slow down the next page, and tell that this address gets mail."""


@dataclass(slots=True)
class Stats:
    """One task of this process: how often it ran, when it began, what went wrong the last time."""

    runs: int = 0
    failures: int = 0
    running: bool = False
    last_at: datetime | None = None
    last_error: str = ""


class Engine(Protocol):
    """The port that flows need: somebody runs a task soon, or wakes the sender."""

    def enqueue(self, task: str, ids: tuple[int, ...] = (), *, priority: int = 5) -> None:
        """Run ``task`` soon; a repeated or lost call is harmless (rows hold the truth)."""

    def stats(self) -> Mapping[str, Stats]:
        """Per task that ever ran in this process: its figures."""


class NoEngine:
    """For commands that do their work themselves: nothing else runs."""

    def enqueue(self, task: str, ids: tuple[int, ...] = (), *, priority: int = 5) -> None:
        """Do nothing; the caller goes on to do the work."""

    def stats(self) -> Mapping[str, Stats]:
        """No task ever ran."""
        return {}


Parser = Callable[[str, bytes, Any], Parsed]

_HELD: ContextVar[tuple[object, Defaults] | None] = ContextVar("held", default=None)
"""A runtime and the values of taste that it works with for now, in one thread or task."""


@dataclass(kw_only=True)
class Runtime:
    """The house at work. ``clock`` gives aware UTC; nobody else asks the time.

    open_mailer: makes a pool of SMTP connections · fetcher: the one HTTP client ·
    parse: bytes to sightings in a process that can be killed · owner: this process as an owner
    of leases, registered on first use · witness: the epoch beside the database · epoch_raised: when
    this process counted it last, by time.monotonic · apart: by so much mails that strangers
    ask for begin later, where the process that answers them also sends ·
    token_uses: last uses of tokens that are not written down yet, with the address they came
    from · token_pace: how many requests each may make now ·
    zone, signup, private_sources, test_recipient, bounce_address: settings ·
    relay_host: of the mail server that takes our mails, "" where they stay on this machine ·
    dns: whom we ask about domains, None = nobody ·
    dkim: keys that sign our mails, None = the relay does, or nobody ·
    relay_log: the file in which the relay says what it took, None where it is not to be had.
    """

    db: Database
    clock: Callable[[], datetime]
    site: Site
    links: Links
    catalogs: Catalogs
    open_renderer: Callable[[], Renderer]
    instance: Instance
    signer: Signer
    open_mailer: Callable[[Defaults], Mailer | Accounts]
    open_fetcher: Callable[[], Fetcher]
    open_poster: Callable[[], Poster]
    parse: Parser
    owner: Callable[[], Process]
    zone: str
    signup: str
    data_dir: Path
    private_sources: bool = False
    test_recipient: str = ""
    bounce_address: str = ""
    relay_host: str = ""
    relay_log: Path | None = None
    dns: Resolver | None = None
    dkim: DkimKeys | None = None
    engine: Engine = field(default_factory=NoEngine)
    log: Callable[..., None] = lambda event, **facts: None
    index: LiveIndex = field(default_factory=LiveIndex)
    corpus: LiveCorpus = field(init=False)
    words: LiveWords = field(default_factory=LiveWords)
    tally: Tally = field(default_factory=Tally)
    token_uses: dict[int, tuple[datetime, str]] = field(default_factory=dict)
    token_pace: TokenPace = field(default_factory=TokenPace)
    apart: timedelta = timedelta(0)
    witness: WitnessFile = field(init=False)
    epoch_raised: float = float("-inf")

    def __post_init__(self) -> None:
        self.corpus = LiveCorpus(self.data_dir / "corpus")
        self.witness = WitnessFile(self.data_dir / "epoch")

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
        held = _HELD.get()
        if held is not None and held[0] is self:
            return held[1]
        return self.db.read(get_defaults)

    @contextmanager
    def holding(self, limits: Defaults) -> Iterator[None]:
        """Many mails are made with the same values: they are not read anew for each."""
        token = _HELD.set((self, limits))
        try:
            yield
        finally:
            _HELD.reset(token)

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
