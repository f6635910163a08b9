"""What the operator sets: deployment only, from the environment or ``.env``.

Everything of taste (caps, hours, hold) is a row of ``setting`` with a default in ``defaults``.
Read by the doors and by wiring; no other room may import this module.
"""

import re
import ssl
from ipaddress import ip_address
from pathlib import Path
from typing import Annotated, Any, Literal
from urllib.parse import SplitResult, unquote, urlsplit
from zoneinfo import ZoneInfo

from pydantic import BeforeValidator, Field, SecretStr, ValidationError
from pydantic_settings import BaseSettings, SettingsConfigDict

from service.errors import SettingError

PREFIX = "PAPERPOST_"
DATABASES = ("sqlite", "sqlite+pysqlite", "postgresql+psycopg")
SHORT_POSTGRESQL = re.compile(r"^postgres(ql)?://")

_LABEL = "[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?"
_NAME = rf"(?:{_LABEL}\.)*{_LABEL}"
_HOST = re.compile(_NAME, re.IGNORECASE)
_DOMAIN = re.compile(rf"(?:{_LABEL}\.)+{_LABEL}", re.IGNORECASE)
# looser than a reader's address (localhost and .local may send), stricter than any header
_ADDRESS = re.compile(rf"[a-z0-9!#$%&'*+/=?^_`{{|}}~.-]+@{_NAME}", re.IGNORECASE)


def _blank_is_none(value: Any) -> Any:
    return None if isinstance(value, str) and not value.strip() else value


OptionalText = Annotated[str | None, BeforeValidator(_blank_is_none)]


class Settings(BaseSettings):
    """One field per ``PAPERPOST_*`` variable; the descriptions are what docs and --help print."""

    model_config = SettingsConfigDict(
        env_prefix=PREFIX, env_file=".env", env_file_encoding="utf-8", extra="ignore", frozen=True
    )

    data_dir: Path = Field(Path("var"), description="Folder for the database, mailbox and locks")
    database_url: OptionalText = Field(
        None, description="SQLAlchemy URL; empty = SQLite in the data folder"
    )
    base_url: str = Field(
        "http://127.0.0.1:8000", description="Public address; every link in a mail begins with it"
    )
    host: str = Field("127.0.0.1", description="Address to listen on")
    port: int = Field(8000, ge=0, le=65535, description="Port to listen on")
    secret_key: Annotated[SecretStr | None, BeforeValidator(_blank_is_none)] = Field(
        None,
        description="Signs links; several separated by commas: the first signs, all verify. "
        "Made once in the data folder when empty and BASE_URL is loopback",
    )
    smtp_url: SecretStr = Field(
        SecretStr("mailbox:"),
        description="smtp://, smtps:// or smtp+starttls://user:password@host:port; "
        "mailbox: = the built-in development mailbox",
    )
    smtp_url_2: Annotated[SecretStr | None, BeforeValidator(_blank_is_none)] = Field(
        None,
        description="A second account, written alike: takes the mails while the first cannot be "
        "reached or refuses the log-in",
    )
    smtp_ca_file: Annotated[Path | None, BeforeValidator(_blank_is_none)] = Field(
        None, description="PEM file with the authority of the relay's certificate"
    )
    relay_log: Annotated[Path | None, BeforeValidator(_blank_is_none)] = Field(
        None,
        description="Log file of a Postfix that takes our mails (/var/log/mail.log): it proves "
        "what became of a mail whose answer was lost. Needs enable_long_queue_ids = yes there",
    )
    dkim_keys: str = Field(
        "",
        description="Private keys that sign our mails (extra dkim): SELECTOR=FILE, more after "
        "a comma; SELECTOR@2027-01-15=FILE signs from that date on (docs/dkim.md)",
    )
    metrics_token: Annotated[SecretStr | None, BeforeValidator(_blank_is_none)] = Field(
        None, description="Bearer token for /metrics; empty = it answers this machine alone"
    )
    mail_from: OptionalText = Field(
        None, description="Sender address; empty = papers@<host of BASE_URL>"
    )
    reply_to: OptionalText = Field(None, description="Reply-To address; empty = CONTACT_EMAIL")
    bounce_address: OptionalText = Field(
        None, description="Switches on a return path of its own per mail: bounces+TOKEN@..."
    )
    inbox_url: Annotated[SecretStr | None, BeforeValidator(_blank_is_none)] = Field(
        None,
        description="imaps:// inbox for bounces and unsubscribes by mail; its form is checked at "
        "the start, nothing reads it yet",
    )
    site_name: str = Field("Paperpost", description="Name of this service")
    nameserver: OptionalText = Field(
        None,
        description="DNS server (address or address:port) asked for where a domain receives its "
        "mail; none = nobody is asked; empty = the machine's, nobody where BASE_URL is loopback",
    )
    org_name: str = Field("", description="Organisation that runs it")
    contact_email: OptionalText = Field(None, description="Who answers questions")
    postal_address: str = Field("", description="Shown at the foot of every mail when set")
    privacy_url: OptionalText = Field(None, description="Own privacy page; empty = /privacy")
    templates_dir: Annotated[Path | None, BeforeValidator(_blank_is_none)] = Field(
        None,
        description="Folder with templates of your own, which go before ours (docs/templates.md)",
    )
    timezone: OptionalText = Field(None, description="IANA zone; empty = the machine's, else UTC")
    signup: str = Field("open", description="open, closed, or domains:a.edu,b.org")
    trusted_proxies: str = Field(
        "", description="Addresses of reverse proxies, comma separated, whose headers are believed"
    )
    allowed_hosts: str = Field(
        "",
        description="Further names under which the pages may be opened, comma separated "
        "(papers.example.org, *.example.org); BASE_URL's, this machine's and addresses in digits "
        "always may",
    )
    private_sources: bool = Field(
        False,
        description="Sources may lie in private networks and on any port; anybody who may add a "
        "source can then reach what this machine reaches",
    )
    sources_ca_file: Annotated[Path | None, BeforeValidator(_blank_is_none)] = Field(
        None,
        description="PEM file with an authority of your own, trusted beside the public ones when "
        "sources are asked",
    )
    thumbnails: bool = Field(
        False,
        description="Mails show the picture that a source names for a paper. It lies on the "
        "source's server, which then learns who opened the mail, and when",
    )
    test_recipient: OptionalText = Field(
        None, description="Test mode: all mail goes to this one address"
    )
    engine: Literal["embedded", "procrastinate"] = Field(
        "embedded", description="Who runs the work: embedded = this process"
    )
    log_format: Literal["text", "json"] = Field("text", description="text or json")

    @property
    def database(self) -> str:
        """The SQLAlchemy URL in use."""
        if self.database_url:
            return SHORT_POSTGRESQL.sub("postgresql+psycopg://", self.database_url)
        return f"sqlite:///{(self.data_dir / 'paperpost.db').as_posix()}"

    @property
    def uses_mailbox(self) -> bool:
        """True when mail goes to the built-in development mailbox."""
        return self.smtp_url.get_secret_value().startswith("mailbox:")

    @property
    def is_loopback(self) -> bool:
        """True when both the public address and the listener are this machine only."""
        return self.links_stay_here and _loopback(self.host)

    @property
    def links_stay_here(self) -> bool:
        """Whether links in mails lead to the reader's own machine, whoever opens them."""
        return _loopback(urlsplit(self.base_url).hostname or "")

    @property
    def zone(self) -> str:
        """The installation's IANA zone."""
        return self.timezone or machine_zone()

    @property
    def sender(self) -> str:
        """The address in From."""
        if self.mail_from:
            return self.mail_from
        host = urlsplit(self.base_url).hostname or "localhost"
        return f"papers@{'localhost' if _loopback(host) else host}"


def _loopback(host: str) -> bool:
    try:
        return host == "localhost" or ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return False


def machine_zone() -> str:
    """Return the machine's IANA zone, or UTC when it cannot be told."""
    link = Path("/etc/localtime")
    try:
        target = str(link.resolve())
    except OSError:
        return "UTC"
    name = target.partition("zoneinfo/")[2]
    if name in ("Etc/UTC", "Universal", "Zulu"):
        return "UTC"
    try:
        ZoneInfo(name)
    except (KeyError, ValueError, OSError):  # no such zone, no name at all, a folder of zones
        return "UTC"
    return name


def load_settings(env_file: Path | None = Path(".env"), **values: Any) -> Settings:
    """Read and check the settings.

    Raises SettingError with the variable's full name for the first value that cannot be used.
    """
    try:
        settings = Settings(_env_file=env_file, **values)
    except ValidationError as error:
        first = error.errors()[0]
        name = PREFIX + str(first["loc"][0]).upper()
        raise SettingError(
            f"{name} cannot be used: {first['msg']}", name, "Correct it in the environment or .env."
        ) from None
    check(settings)
    return settings


def check(settings: Settings) -> None:
    """Refuse values that would only fail later. Raises SettingError."""
    web_address(settings.base_url)
    for name in ("mail_from", "reply_to", "bounce_address", "contact_email", "test_recipient"):
        _check_address(name, getattr(settings, name))
    _check_address("mail_from", settings.sender)
    _check_zone(settings.timezone)
    _check_signup(settings.signup)
    _check_privacy(settings.privacy_url)
    _check_database(settings.database)
    _check_relay(settings)
    check_authority(settings.smtp_ca_file)
    check_authority(settings.sources_ca_file, "sources_ca_file", "the sources'")
    if settings.inbox_url is not None:
        _check_inbox(settings.inbox_url.get_secret_value())


def web_address(value: str) -> str:
    """Return the public address as it is. Raises SettingError: links cannot begin with it."""
    where, step = "PAPERPOST_BASE_URL", "Write it like https://papers.example.org."
    parts = _split(value)
    if parts is None or parts.scheme not in ("http", "https") or not _is_host(parts.hostname):
        raise SettingError(f"{where} is {value!r}, not a web address", where, step)
    if set(value) & set("?#@<>,\"' ") or not value.isascii() or not value.isprintable():
        raise SettingError(
            f"{where} is {value!r}; every link begins with it, so it ends with its host or a path",
            where,
            step,
        )
    return value


def _split(url: str) -> SplitResult | None:
    """The parts, None when the brackets or the port (1 to 65535) cannot be read."""
    try:
        parts = urlsplit(url)
        return None if parts.port == 0 else parts
    except ValueError:
        return None


def _is_host(host: str | None) -> bool:
    """A name of ASCII letters, or an address."""
    try:
        ip_address(host or "")
        return True
    except ValueError:
        name = (host or "").removesuffix(".")
        return bool(_HOST.fullmatch(name)) and not name.rpartition(".")[2].isdecimal()


def _check_address(name: str, value: str | None) -> None:
    if value is not None and (not _ADDRESS.fullmatch(value) or len(value) > 254):
        raise SettingError(
            f"{PREFIX}{name.upper()} is {value!r}, not one plain address",
            f"{PREFIX}{name.upper()}",
            "Write the address alone, in ASCII letters, like papers@example.org; "
            "the name before it is PAPERPOST_SITE_NAME.",
        )


def _check_zone(zone: str | None) -> None:
    try:
        if zone:
            ZoneInfo(zone)
    except (KeyError, ValueError, OSError):
        what = f"PAPERPOST_TIMEZONE is {zone!r}, which is no IANA zone"
        raise SettingError(what, "PAPERPOST_TIMEZONE", "Write it like Europe/Zurich.") from None


def _check_signup(rule: str) -> None:
    domains = [d.strip() for d in rule.removeprefix("domains:").split(",")]
    is_list = rule.startswith("domains:") and all(_DOMAIN.fullmatch(d) for d in domains)
    if rule not in ("open", "closed") and not is_list:
        step = "Use open, closed, or domains:a.edu,b.org."
        raise SettingError(f"PAPERPOST_SIGNUP is {rule!r}", "PAPERPOST_SIGNUP", step)


def _check_privacy(url: str | None) -> None:
    parts = _split(url or "")
    if url and (parts is None or parts.scheme not in ("http", "https") or not parts.hostname):
        raise SettingError(
            f"PAPERPOST_PRIVACY_URL is {url!r}, not a web address",
            "PAPERPOST_PRIVACY_URL",
            "Write it like https://example.org/privacy, or leave it empty.",
        )


def _check_database(url: str) -> None:
    if url.partition("://")[0] not in DATABASES:
        raise SettingError(
            "PAPERPOST_DATABASE_URL names no database that Paperpost works with",
            "PAPERPOST_DATABASE_URL",
            "Write sqlite:////folder/paperpost.db or "
            "postgresql+psycopg://user:password@host/database.",
        )


def _check_relay(settings: Settings) -> None:
    url = settings.smtp_url.get_secret_value()
    if settings.uses_mailbox and not settings.is_loopback and url != "mailbox:public":
        raise SettingError(
            "The development mailbox would be open to the network: "
            f"PAPERPOST_BASE_URL or PAPERPOST_HOST is not loopback ({settings.base_url}, "
            f"{settings.host})",
            "PAPERPOST_SMTP_URL",
            "Set PAPERPOST_SMTP_URL to your relay, or mailbox:public to allow it all the same.",
        )
    relay_address(url)
    if settings.smtp_url_2 is not None:
        relay_address(settings.smtp_url_2.get_secret_value(), "PAPERPOST_SMTP_URL_2")


def check_authority(
    file: Path | None, name: str = "smtp_ca_file", whose: str = "the relay's"
) -> None:
    """Refuse a file without a certificate. Raises SettingError."""
    variable = f"{PREFIX}{name.upper()}"
    try:
        if file is not None:
            ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT).load_verify_locations(file)
    except OSError as error:
        is_read = isinstance(error, ssl.SSLError)
        why = "holds no certificate" if is_read else f"cannot be read: {error.strerror}"
        raise SettingError(
            f"{variable}: {file} {why}",
            variable,
            f"Name the PEM file of the authority that signed {whose} certificate.",
        ) from None


def _check_inbox(url: str) -> None:
    parts = _door(url)
    if parts is None or parts.scheme not in ("imaps", "imap"):
        raise SettingError(
            "PAPERPOST_INBOX_URL is not the address of an inbox",
            "PAPERPOST_INBOX_URL",
            "Write imaps://user:password@host; in the password write @ as %40, / as %2F, # as %23.",
        )


def _door(url: str) -> SplitResult | None:
    """The parts of scheme://user:password@host:port; None when a character of the password was
    not written as %XX: what follows it would be taken for the host, a path or a comment."""
    parts = _split(url)
    if parts is None or not _is_host(parts.hostname) or parts.netloc.count("@") > 1:
        return None
    return None if parts.path not in ("", "/") or set(url) & set("?#") else parts


def relay_address(
    url: str, variable: str = "PAPERPOST_SMTP_URL"
) -> tuple[str, int, str, str] | None:
    """Return (host, port, user, password) of an SMTP URL, None for the mailbox.

    In the password ``@`` is written %40, ``/`` %2F, ``#`` %23 (RFC 3986 section 2.1).
    Raises SettingError: it cannot be read, or a password would go to another machine in clear text.
    """
    is_first = variable == "PAPERPOST_SMTP_URL"
    if url.startswith("mailbox:") and is_first:
        return None
    usual = {"smtp": 25, "smtps": 465, "smtp+starttls": 587}
    scheme = url.partition(":")[0]
    if scheme not in usual:
        step = f"Use smtp://, smtps://, smtp+starttls://{' or mailbox:' if is_first else ''}."
        raise SettingError(f"{variable} begins with no way to a relay", variable, step)
    if (parts := _door(url)) is None or not parts.hostname:
        raise SettingError(
            f"{variable} has no host and port that can be read",
            variable,
            "Write smtp://user:password@host:port; in the password write @ as %40, / as %2F, "
            "# as %23, ? as %3F.",
        )
    if scheme == "smtp" and parts.username and not _loopback(parts.hostname):
        what = f"{variable}: the password for {parts.hostname} would travel in clear text"
        raise SettingError(what, variable, "Write smtp+starttls:// or smtps://.")
    port = parts.port or usual[scheme]
    return parts.hostname, port, unquote(parts.username or ""), unquote(parts.password or "")
