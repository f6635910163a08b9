"""One field per ``PAPERPOST_*`` variable."""

import re
from pathlib import Path
from typing import Annotated, Any, Literal
from urllib.parse import unquote, urlsplit
from zoneinfo import ZoneInfo

from pydantic import BeforeValidator, Field, SecretStr
from pydantic_settings import BaseSettings, SettingsConfigDict

from service.settings.addresses import is_plain_address, stays_here

PREFIX = "PAPERPOST_"
SHORT_POSTGRESQL = re.compile(r"^postgres(ql)?://")


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
        description="Mailbox in which bounces and letters to leave arrive: imaps:// or "
        "imap+starttls://user:password@host:port/FOLDER (INBOX without one); imap:// on this "
        "machine alone (docs/bounces.md)",
    )
    inbox_ca_file: Annotated[Path | None, BeforeValidator(_blank_is_none)] = Field(
        None,
        description="PEM file with the authority of its certificate; empty = SMTP_CA_FILE",
    )
    inbox_address: OptionalText = Field(
        None,
        description="Address to which readers may write to leave; empty = BOUNCE_ADDRESS, or the "
        "user of INBOX_URL where that is an address, once INBOX_URL or LMTP_LISTEN is set",
    )
    lmtp_listen: OptionalText = Field(
        None,
        description="Where run takes mails that come back by LMTP: 127.0.0.1:2424 or "
        "unix:/run/paperpost/lmtp; public:HOST:PORT where other machines may hand in mail",
    )
    inbound_secret: Annotated[SecretStr | None, BeforeValidator(_blank_is_none)] = Field(
        None,
        description="Opens /inbound/raw for mails that come back, each signed with it (HMAC); "
        "several separated by commas: any of them",
    )
    inbound_ses: str = Field(
        "",
        description="Opens /inbound/ses: ARNs of the SNS topics to which Amazon SES reports, "
        "comma separated",
    )
    inbound_ses_password: Annotated[SecretStr | None, BeforeValidator(_blank_is_none)] = Field(
        None,
        description="Password in the address of that subscription, instead of the signature: for "
        "machines that cannot fetch Amazon's certificates",
    )
    inbound_postmark: Annotated[SecretStr | None, BeforeValidator(_blank_is_none)] = Field(
        None, description="Opens /inbound/postmark: the password in the address of its webhooks"
    )
    inbound_mailgun: Annotated[SecretStr | None, BeforeValidator(_blank_is_none)] = Field(
        None, description="Opens /inbound/mailgun: the HTTP webhook signing key of the account"
    )
    inbound_sendgrid: str = Field(
        "", description="Opens /inbound/sendgrid: the verification key of its signed event webhook"
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
        return self.links_stay_here and stays_here(self.host)

    @property
    def links_stay_here(self) -> bool:
        """Whether links in mails lead to the reader's own machine, whoever opens them."""
        return stays_here(urlsplit(self.base_url).hostname or "")

    @property
    def leave_address(self) -> str:
        """Where readers may write to leave, "" while no way in is set that would read it."""
        if self.inbox_address:
            return self.inbox_address
        if self.inbox_url is None and self.lmtp_listen is None:
            return ""
        if self.bounce_address or self.inbox_url is None:
            return self.bounce_address or ""
        user = unquote(urlsplit(self.inbox_url.get_secret_value()).username or "")
        return user if is_plain_address(user) else ""

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
        return f"papers@{'localhost' if stays_here(host) else host}"


def secrets_in(value: SecretStr | None) -> list[str]:
    """The secrets of a setting, which are separated by commas."""
    return [one.strip() for one in value.get_secret_value().split(",")] if value else []


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
