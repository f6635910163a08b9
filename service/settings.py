"""What the operator sets: deployment only, from the environment or ``.env``.

Everything of taste (caps, hours, hold) is a row of ``setting`` with a default in ``defaults``.
Read by the doors and by wiring; no other room may import this module.
"""

from pathlib import Path
from typing import Annotated, Any, Literal
from urllib.parse import unquote, urlsplit
from zoneinfo import ZoneInfo, available_timezones

from pydantic import BeforeValidator, Field, SecretStr, ValidationError
from pydantic_settings import BaseSettings, SettingsConfigDict

from service.errors import SettingError

PREFIX = "PAPERPOST_"


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
    smtp_ca_file: Annotated[Path | None, BeforeValidator(_blank_is_none)] = Field(
        None, description="PEM file with the authority of the relay's certificate"
    )
    mail_from: OptionalText = Field(
        None, description="Sender address; empty = papers@<host of BASE_URL>"
    )
    reply_to: OptionalText = Field(None, description="Reply-To address; empty = CONTACT_EMAIL")
    bounce_address: OptionalText = Field(
        None, description="Switches on a return path of its own per mail: bounces+TOKEN@..."
    )
    inbox_url: Annotated[SecretStr | None, BeforeValidator(_blank_is_none)] = Field(
        None, description="imaps:// inbox that is read for bounces and mailto unsubscribes"
    )
    site_name: str = Field("Paperpost", description="Name of this service")
    org_name: str = Field("", description="Organisation that runs it")
    contact_email: OptionalText = Field(None, description="Who answers questions")
    postal_address: str = Field("", description="Shown at the foot of every mail when set")
    privacy_url: OptionalText = Field(None, description="Own privacy page; empty = /privacy")
    timezone: OptionalText = Field(None, description="IANA zone; empty = the machine's, else UTC")
    signup: str = Field("open", description="open, closed, or domains:a.edu,b.org")
    trusted_proxies: str = Field(
        "", description="Addresses of reverse proxies, comma separated, whose headers are believed"
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
            return self.database_url
        return f"sqlite:///{(self.data_dir / 'paperpost.db').as_posix()}"

    @property
    def uses_mailbox(self) -> bool:
        """True when mail goes to the built-in development mailbox."""
        return self.smtp_url.get_secret_value().startswith("mailbox:")

    @property
    def is_loopback(self) -> bool:
        """True when both the public address and the listener are this machine only."""
        return _loopback(urlsplit(self.base_url).hostname or "") and _loopback(self.host)

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
    return host in ("localhost", "::1", "[::1]", "127.0.0.1") or host.startswith("127.")


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
    return name if name in available_timezones() else "UTC"


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
    parts = urlsplit(settings.base_url)
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise SettingError(
            f"PAPERPOST_BASE_URL is {settings.base_url!r}, not a web address",
            "PAPERPOST_BASE_URL",
            "Write it like https://papers.example.org.",
        )
    if settings.timezone:
        try:
            ZoneInfo(settings.timezone)
        except (KeyError, ValueError, OSError):
            raise SettingError(
                f"PAPERPOST_TIMEZONE is {settings.timezone!r}, which is no IANA zone",
                "PAPERPOST_TIMEZONE",
                "Write it like Europe/Zurich.",
            ) from None
    if settings.signup not in ("open", "closed") and not settings.signup.startswith("domains:"):
        raise SettingError(
            f"PAPERPOST_SIGNUP is {settings.signup!r}",
            "PAPERPOST_SIGNUP",
            "Use open, closed, or domains:a.edu,b.org.",
        )
    url = settings.smtp_url.get_secret_value()
    scheme = url.partition(":")[0]
    if scheme not in ("mailbox", "smtp", "smtps", "smtp+starttls"):
        raise SettingError(
            f"PAPERPOST_SMTP_URL begins with {scheme!r}",
            "PAPERPOST_SMTP_URL",
            "Use smtp://, smtps://, smtp+starttls:// or mailbox:.",
        )
    if settings.uses_mailbox and not settings.is_loopback and url != "mailbox:public":
        raise SettingError(
            "The development mailbox would be open to the network: "
            f"PAPERPOST_BASE_URL or PAPERPOST_HOST is not loopback ({settings.base_url}, "
            f"{settings.host})",
            "PAPERPOST_SMTP_URL",
            "Set PAPERPOST_SMTP_URL to your relay, or mailbox:public to allow it all the same.",
        )
    relay_address(url)


def relay_address(url: str) -> tuple[str, int, str, str] | None:
    """Return (host, port, user, password) of an SMTP URL, None for the mailbox.

    In the password ``@`` is written %40, ``/`` %2F, ``#`` %23 (RFC 3986 section 2.1).
    Raises SettingError when host or port cannot be read.
    """
    if url.startswith("mailbox:"):
        return None
    try:
        parts = urlsplit(url)
        host, port = parts.hostname, parts.port
    except ValueError:
        host, port = None, None
    if not host:
        raise SettingError(
            "PAPERPOST_SMTP_URL has no host that can be read",
            "PAPERPOST_SMTP_URL",
            "Write smtp://user:password@host:port; in the password write @ as %40, / as %2F, "
            "# as %23.",
        )
    usual = {"smtp": 25, "smtps": 465, "smtp+starttls": 587}[parts.scheme]
    return host, port or usual, unquote(parts.username or ""), unquote(parts.password or "")
