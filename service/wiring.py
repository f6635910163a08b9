"""Settings -> Runtime: the only place that builds clients and reads the clock."""

import gc
import secrets
import sys
import threading
from collections.abc import Callable
from datetime import UTC, datetime
from urllib.parse import urlsplit

from service import log
from service.defaults import Defaults
from service.delivery import template_trial
from service.delivery.accounts import Accounts
from service.delivery.dkim import keys_of
from service.delivery.dns import Resolver
from service.delivery.i18n import Catalogs
from service.delivery.links import Links
from service.delivery.override_folder import Fault, told
from service.delivery.render import Renderer
from service.delivery.site import Site
from service.delivery.smtp import Mailer, Relay
from service.errors import SettingError
from service.flows.runtime import Runtime
from service.resources import product_version, resource_dir
from service.settings import Settings, relay_address
from service.sources.arxiv_days import (
    CALENDAR_FILE,
    Calendar,
    CalendarError,
    read_calendar,
    use_calendar,
)
from service.sources.fetch import Fetcher
from service.sources.parse_pool import ParsePool
from service.sources.post import Poster
from service.store import migrations
from service.store.db import Database, DatabaseError
from service.store.faults import explained
from service.store.instance import add_instance
from service.store.processes import Process
from service.subscribers.tokens import Signer
from service.subscribers.zone import use_zone


def now() -> datetime:
    """The one clock."""
    return datetime.now(UTC)  # noqa: TID251


SWITCH_S = 0.0005
"""Seconds after which a thread that computes lets another one go on; Python's own are 0.005, which
a conversation with a relay would wait several times for each mail."""

GARBAGE = (20_000, 20, 100)
"""When Python looks for garbage in circles (its own: 700, 10, 10): a digest is some thousand values
that come and go, and none of them is in a circle."""


class House:
    """A runtime and what must be closed after it."""

    def __init__(
        self,
        settings: Settings,
        *,
        mailbox_port: Callable[[], int] | None = None,
        clock: Callable[[], datetime] = now,
        allow_private: bool = False,
    ) -> None:
        """mailbox_port: starts the development mailbox and returns its port, called at the first
        mail. Raises SettingError, CalendarError or DatabaseError."""
        sys.setswitchinterval(SWITCH_S)
        gc.set_threshold(*GARBAGE)
        use_calendar(calendar_of(settings))
        use_zone(settings.zone)
        self.settings = settings
        self._mailbox_port = mailbox_port
        self._process: Process | None = None
        self._owner_lock = threading.Lock()
        self._pool = ParsePool()
        self._clock = clock
        self.db = open_database(settings)
        try:
            self.runtime = self._runtime(settings, clock, allow_private)
        except BaseException:
            self.db.close()
            raise

    def _runtime(
        self, settings: Settings, clock: Callable[[], datetime], allow_private: bool
    ) -> Runtime:
        site = site_of(settings)
        links = Links(settings.base_url)
        private = allow_private or settings.private_sources
        catalogs = Catalogs.load(resource_dir("templates") / "locale")
        return Runtime(
            db=self.db,
            clock=clock,
            site=site,
            links=links,
            catalogs=catalogs,
            open_renderer=lambda: checked(renderer_of(settings, catalogs)),
            instance=self.db.write(add_instance),
            signer=Signer(_keys(settings)),
            open_mailer=self._open_mailer,
            open_fetcher=lambda: Fetcher(
                _user_agent(settings),
                clock=clock,
                allow_private=private,
                ca_file=str(settings.sources_ca_file or ""),
            ),
            open_poster=lambda: Poster(
                _user_agent(settings),
                clock=clock,
                allow_private=private,
                ca_file=str(settings.sources_ca_file or ""),
            ),
            parse=lambda kind, body, day: self._pool.parse(kind, body, day=day),
            owner=self._owner,
            zone=settings.zone,
            signup=settings.signup,
            data_dir=settings.data_dir,
            private_sources=private,
            test_recipient=settings.test_recipient or "",
            bounce_address=settings.bounce_address or "",
            relay_host=relay_host(settings),
            relay_log=settings.relay_log,
            dns=resolver_of(settings),
            dkim=keys_of(settings.dkim_keys, settings.sender),
            log=log.log,
        )

    def _owner(self) -> Process:
        with self._owner_lock:
            if self._process is None:
                self._process = Process(self.db, self.settings.data_dir / "locks", self._clock())
            return self._process

    def relay(self) -> Relay:
        """Where mail is handed in: the operator's relay, or the mailbox on this machine."""
        relay = self._relay_of(self.settings.smtp_url.get_secret_value())
        if relay is not None:
            return relay
        if self._mailbox_port is None:
            raise SettingError(
                "The development mailbox is not open in this process.",
                "PAPERPOST_SMTP_URL",
                "Set it to your relay.",
            )
        return Relay(host="127.0.0.1", port=self._mailbox_port())

    def second_relay(self) -> Relay | None:
        """The account that takes mails while the first cannot, None where there is none."""
        second = self.settings.smtp_url_2
        name = "PAPERPOST_SMTP_URL_2"
        return None if second is None else self._relay_of(second.get_secret_value(), name)

    def _relay_of(self, url: str, setting: str = "PAPERPOST_SMTP_URL") -> Relay | None:
        address = relay_address(url, setting)
        if address is None:
            return None
        host, port, user, password = address
        scheme = url.partition(":")[0]
        return Relay(
            host=host,
            port=port,
            tls={"smtp": "none", "smtps": "tls", "smtp+starttls": "starttls"}[scheme],  # type: ignore[arg-type]
            user=user,
            password=password,
            ca_file=str(self.settings.smtp_ca_file or ""),
            setting=setting,
        )

    def _open_mailer(self, limits: Defaults) -> Mailer | Accounts:
        def opened(relay: Relay) -> Mailer:
            return Mailer(
                relay,
                connections=limits.smtp_connections,
                per_connection=limits.per_connection,
            )

        first, second = self.relay(), self.second_relay()
        if second is None:
            return opened(first)
        other = second.name if second.name != first.name else f"{second.name} (2)"
        return Accounts(opened(first), opened(second), names=(first.name, other))

    def close(self) -> None:
        """Give everything back: the profiles for the next start, the parser, the process row, the
        database."""
        self.runtime.index.save(self.settings.data_dir, ending=True)
        self.runtime.corpus.close()
        self._pool.close()
        if self._process is not None:
            self._process.close()
        self.db.close()


def relay_host(settings: Settings) -> str:
    """The host of the operator's relay, "" for the mailbox on this machine."""
    address = relay_address(settings.smtp_url.get_secret_value())
    return address[0] if address is not None else ""


def resolver_of(settings: Settings) -> Resolver | None:
    """Who is asked about domains, None = nobody. Raises SettingError."""
    text = settings.nameserver or ""
    if text == "none" or (not text and settings.links_stay_here):
        return None
    servers = tuple(part.strip() for part in text.split(",") if part.strip())
    try:
        return Resolver(servers)
    except ValueError:
        raise SettingError(
            f"PAPERPOST_NAMESERVER: {text!r} is no address of a DNS server",
            "PAPERPOST_NAMESERVER",
            "Write its address in digits, with its port if that is not 53: 192.0.2.1:5353.",
        ) from None


def calendar_of(settings: Settings) -> Calendar | None:
    """The operator's own calendar of arXiv in the data folder, None where there is none.

    Raises CalendarError when it is there and cannot be read.
    """
    path = settings.data_dir / CALENDAR_FILE
    try:
        text = path.read_text("utf-8-sig")
    except FileNotFoundError:
        return None
    except OSError as error:
        what = f"The calendar cannot be opened: {error.strerror}."
        raise CalendarError(what, str(path), "Let this user read it, or remove it.") from None
    except UnicodeDecodeError:
        raise CalendarError("The calendar is no UTF-8.", str(path), "Save it as UTF-8.") from None
    return read_calendar(text, str(path))


def open_database(settings: Settings, *, migrate: bool = True) -> Database:
    """Open the database; an empty one is brought to the newest revision.

    Raises DatabaseError when it is behind this code or cannot be opened.
    """
    try:
        settings.data_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError as error:
        raise DatabaseError(
            f"The data folder cannot be used: {error.strerror}",
            str(settings.data_dir),
            "Set PAPERPOST_DATA_DIR to a folder this user may write to.",
        ) from None
    with explained(settings.database):
        db = Database(settings.database)
        found = migrations.current(db)
        if found is None and migrate:
            migrations.migrate(db)
            return db
    if migrate and found != migrations.newest():
        db.close()
        raise DatabaseError(
            f"The database is at revision {found}; this version needs {migrations.newest()}.",
            "",
            "Run: paperpost migrate",
        )
    return db


def renderer_of(settings: Settings, catalogs: Catalogs | None = None) -> Renderer:
    """The mails of this house, of the operator's own templates where there are some; nothing is
    read yet. Raises CatalogError."""
    ours = resource_dir("templates")
    folders = [ours] if settings.templates_dir is None else [settings.templates_dir, ours]
    catalogs = catalogs or Catalogs.load(ours / "locale")
    return Renderer(folders, catalogs, site_of(settings))


def checked(renderer: Renderer) -> Renderer:
    """The same one, its operator's templates tried. Raises TemplateError: one is broken."""

    def tell(fault: Fault) -> None:
        log.log("template", what=fault.what, where=fault.where, next=fault.next_step)

    told(template_trial.examine(renderer).faults, tell)
    return renderer


def site_of(settings: Settings) -> Site:
    """Who runs this house, as its mails say it."""
    base = settings.base_url.rstrip("/")
    return Site(
        name=settings.site_name,
        org=settings.org_name,
        contact=settings.contact_email or "",
        postal=settings.postal_address,
        base_url=base,
        privacy_url=settings.privacy_url or f"{base}/privacy",
        sender=settings.sender,
        reply_to=settings.reply_to or settings.contact_email or "",
        thumbnails=settings.thumbnails,
        inbox=settings.leave_address,
    )


def _keys(settings: Settings) -> tuple[str, ...]:
    """The signing keys: from the setting, else made once in the data folder (loopback only)."""
    given = settings.secret_key.get_secret_value() if settings.secret_key else ""
    keys = tuple(k.strip() for k in given.split(",") if k.strip())
    if given:
        if not keys or any(len(k) < 16 for k in keys):
            raise SettingError(
                "PAPERPOST_SECRET_KEY is shorter than 16 characters.",
                "PAPERPOST_SECRET_KEY",
                "Make one with: python3 -c 'import secrets; print(secrets.token_urlsafe(32))'",
            )
        return keys
    if not settings.is_loopback:
        raise SettingError(
            f"PAPERPOST_SECRET_KEY is missing, and {settings.base_url} is open to the network.",
            "PAPERPOST_SECRET_KEY",
            "Make one with: python3 -c 'import secrets; print(secrets.token_urlsafe(32))'",
        )
    path = settings.data_dir / "secret_key"
    if not path.exists():
        path.touch(mode=0o600)
        path.write_text(secrets.token_urlsafe(32), encoding="ascii")
    return (path.read_text(encoding="ascii").strip(),)


def _user_agent(settings: Settings) -> str:
    contact = settings.contact_email or settings.base_url
    return f"Paperpost/{product_version()} (+{urlsplit(settings.base_url).netloc}; {contact})"
