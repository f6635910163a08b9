"""Addresses that settings name: of the pages, the relay, the inbox, and what is listened on."""

import re
from collections.abc import Container
from ipaddress import ip_address
from urllib.parse import SplitResult, unquote, urlsplit

from service.errors import SettingError

_LABEL = "[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?"
_NAME = rf"(?:{_LABEL}\.)*{_LABEL}"
_HOST = re.compile(_NAME, re.IGNORECASE)
DOMAIN = re.compile(rf"(?:{_LABEL}\.)+{_LABEL}", re.IGNORECASE)
# looser than a reader's address (localhost and .local may send), stricter than any header
_ADDRESS = re.compile(rf"[a-z0-9!#$%&'*+/=?^_`{{|}}~.-]+@{_NAME}", re.IGNORECASE)


def web_address(value: str) -> str:
    """Return the public address as it is. Raises SettingError: links cannot begin with it."""
    where, step = "PAPERPOST_BASE_URL", "Write it like https://papers.example.org."
    parts = split(value)
    if parts is None or parts.scheme not in ("http", "https") or not _is_host(parts.hostname):
        raise SettingError(f"{where} is {value!r}, not a web address", where, step)
    if set(value) & set("?#@<>,\"' ") or not value.isascii() or not value.isprintable():
        raise SettingError(
            f"{where} is {value!r}; every link begins with it, so it ends with its host or a path",
            where,
            step,
        )
    return value


def is_plain_address(value: str) -> bool:
    """Whether it is one address in ASCII letters, without a name before it."""
    return len(value) <= 254 and bool(_ADDRESS.fullmatch(value))


def split(url: str) -> SplitResult | None:
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


def stays_here(host: str) -> bool:
    """Whether a host is this machine, by its name alone."""
    try:
        return host == "localhost" or ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return False


def _door(url: str, *, has_path: bool = False) -> SplitResult | None:
    """The parts of scheme://user:password@host:port; None when a character of the password was
    not written as %XX: what follows it would be taken for the host, a path or a comment.

    has_path: a path may follow, which then holds no ``@`` (else it was a ``/`` of the password).
    """
    parts = split(url)
    if parts is None or not _is_host(parts.hostname) or parts.netloc.count("@") > 1:
        return None
    is_short = parts.path in ("", "/") or (has_path and "@" not in parts.path)
    return None if not is_short or set(url) & set("?#") else parts


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
    if scheme == "smtp" and parts.username and not stays_here(parts.hostname):
        what = f"{variable}: the password for {parts.hostname} would travel in clear text"
        raise SettingError(what, variable, "Write smtp+starttls:// or smtps://.")
    port = parts.port or usual[scheme]
    return parts.hostname, port, unquote(parts.username or ""), unquote(parts.password or "")


def _inbox_fault(url: str, parts: SplitResult | None, ways: Container[str]) -> str:
    """What is wrong with it, without a word of it that may be the password."""
    scheme, door, _ = url.partition("://")
    if not door:
        return "no imaps:// stands before it"
    if scheme not in ways and scheme.isalnum():
        return f"{scheme}:// leads to none"
    if parts is None:
        return "its host is none, or a sign before it is not written as %XX"
    return "it has no password" if parts.username else "it names no user"


def inbox_address(url: str) -> tuple[str, int, str, str, str, str]:
    """Return (host, port, tls, user, password, folder) of INBOX_URL; tls: none, starttls or tls.

    Raises SettingError: it cannot be read, or a password would go to another machine in clear text.
    """
    variable = "PAPERPOST_INBOX_URL"
    ways = {"imap": ("none", 143), "imaps": ("tls", 993), "imap+starttls": ("starttls", 143)}
    parts = _door(url, has_path=True)
    if parts is None or parts.scheme not in ways or not (parts.username and parts.password):
        raise SettingError(
            f"{variable} is not the address of an inbox: {_inbox_fault(url, parts, ways)}",
            variable,
            "Write imaps://user:password@host; in user and password write @ as %40, / as %2F, "
            "# as %23.",
        )
    host = parts.hostname or ""
    if parts.scheme == "imap" and not stays_here(host):
        what = f"{variable}: the password for {host} would travel in clear text"
        raise SettingError(what, variable, "Write imaps:// or imap+starttls://.")
    tls, port = ways[parts.scheme]
    user, password = unquote(parts.username), unquote(parts.password)
    return host, parts.port or port, tls, user, password, unquote(parts.path[1:]) or "INBOX"


def lmtp_address(value: str) -> str | tuple[str, int]:
    """Return what LMTP_LISTEN names: the path of a socket, or (host, port).

    Raises SettingError: it cannot be read, or other machines could hand in mail unasked.
    """
    variable, near = "PAPERPOST_LMTP_LISTEN", "127.0.0.1:2424"
    if value.startswith("unix:"):
        path = value.removeprefix("unix:")
        if not path.startswith("/") or len(path.encode()) > 100:
            what = f"{variable} is {value!r}; a socket has a whole path of at most 100 bytes"
            raise SettingError(what, variable, "Write it like unix:/run/paperpost/lmtp.")
        return path
    parts = split(f"lmtp://{value.removeprefix('public:')}")
    if parts is None or not parts.port or not _is_host(parts.hostname) or "@" in parts.netloc:
        what = f"{variable} is {value!r}, not where one can listen"
        raise SettingError(what, variable, f"Write {near}, or unix:/run/paperpost/lmtp.")
    host = parts.hostname or ""
    if not stays_here(host) and not value.startswith("public:"):
        raise SettingError(
            f"{variable}: who reaches {host} could hand in mail, for LMTP asks nobody who they are",
            variable,
            f"Write {near}; or public:{value} where a firewall lets only your mail server through.",
        )
    return host, parts.port
