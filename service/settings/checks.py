"""Values that would only fail later are refused at the start."""

import ssl
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from pydantic import SecretStr, ValidationError

from service.errors import SettingError
from service.settings.addresses import (
    DOMAIN,
    inbox_address,
    is_plain_address,
    lmtp_address,
    relay_address,
    split,
    web_address,
)
from service.settings.fields import PREFIX, Settings, secrets_in

ADDRESSES = (
    "mail_from",
    "reply_to",
    "bounce_address",
    "inbox_address",
    "contact_email",
    "test_recipient",
)
INBOUND = ("inbound_secret", "inbound_ses_password", "inbound_postmark", "inbound_mailgun")
SHORTEST_SECRET = 16
DATABASES = ("sqlite", "sqlite+pysqlite", "postgresql+psycopg")


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
    for name in ADDRESSES:
        _check_address(name, getattr(settings, name))
    _check_address("mail_from", settings.sender)
    _check_zone(settings.timezone)
    _check_signup(settings.signup)
    _check_privacy(settings.privacy_url)
    _check_database(settings.database)
    _check_relay(settings)
    check_authority(settings.smtp_ca_file)
    check_authority(settings.sources_ca_file, "sources_ca_file", "the sources'")
    check_authority(settings.inbox_ca_file, "inbox_ca_file", "the mailbox's")
    for name in INBOUND:
        _check_secrets(name, getattr(settings, name))
    if settings.inbox_url is not None:
        inbox_address(settings.inbox_url.get_secret_value())
    if settings.lmtp_listen is not None:
        lmtp_address(settings.lmtp_listen)


def _check_address(name: str, value: str | None) -> None:
    if value is not None and not is_plain_address(value):
        raise SettingError(
            f"{PREFIX}{name.upper()} is {value!r}, not one plain address",
            f"{PREFIX}{name.upper()}",
            "Write the address alone, in ASCII letters, like papers@example.org; "
            "the name before it is PAPERPOST_SITE_NAME.",
        )


def _check_secrets(name: str, value: SecretStr | None) -> None:
    variable = f"{PREFIX}{name.upper()}"
    if any(len(one) < SHORTEST_SECRET for one in secrets_in(value)):
        raise SettingError(
            f"{variable} has fewer than {SHORTEST_SECRET} characters: it could be guessed.",
            variable,
            'Make one: python3 -c "import secrets; print(secrets.token_urlsafe(32))"',
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
    is_list = rule.startswith("domains:") and all(DOMAIN.fullmatch(d) for d in domains)
    if rule not in ("open", "closed") and not is_list:
        step = "Use open, closed, or domains:a.edu,b.org."
        raise SettingError(f"PAPERPOST_SIGNUP is {rule!r}", "PAPERPOST_SIGNUP", step)


def _check_privacy(url: str | None) -> None:
    parts = split(url or "")
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
