"""The mailbox that is read: where it is, and what is wrong with it in words of an operator."""

import ssl
from dataclasses import dataclass
from imaplib import IMAP4
from typing import Literal

from imap_tools import MailboxFolderSelectError, MailboxLoginError, UnexpectedCommandStatusError

from service.errors import PaperpostError

URL = "PAPERPOST_INBOX_URL"

Tls = Literal["none", "starttls", "tls"]


class InboxError(PaperpostError):
    """The mailbox cannot be read as it is set up."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Inbox:
    """A folder of an IMAP mailbox. tls: none, starttls or tls (from the first byte) · ca_file: PEM
    of an authority of its own, trusted beside the system's."""

    host: str
    port: int
    tls: Tls
    user: str
    password: str
    folder: str = "INBOX"
    ca_file: str = ""

    def __repr__(self) -> str:
        return f"Inbox({self.name}, {self.tls}, {self.folder})"

    @property
    def name(self) -> str:
        """Return "host:port"."""
        return f"{self.host}:{self.port}"

    def trusting(self) -> ssl.SSLContext:
        """Who is believed to be the server. Raises OSError: the authority's file."""
        context = ssl.create_default_context(ssl.Purpose.SERVER_AUTH)
        if self.ca_file:
            context.load_verify_locations(cafile=self.ca_file)
        return context


def explained(error: BaseException, inbox: Inbox) -> InboxError:
    """What a person can do about a conversation that failed."""
    if isinstance(error, InboxError):
        return error
    if isinstance(error, ssl.SSLCertVerificationError):
        return _about_certificate(error, inbox)
    if isinstance(error, MailboxLoginError):
        return InboxError(
            f"{inbox.name} refused the log-in ({said(error)}).",
            "",
            f"Check {URL}; in user and password write @ as %40, / as %2F, # as %23.",
        )
    if isinstance(error, MailboxFolderSelectError):
        what = f"{inbox.name} has no folder {inbox.folder} ({said(error)})."
        return InboxError(what, "", f"Write one that is there behind the host in {URL}, or none.")
    if isinstance(error, TimeoutError):
        return InboxError(
            f"{inbox.name} does not answer.",
            "",
            f"Check host and port in {URL}, and whether a firewall lets this machine out.",
        )
    if isinstance(error, ssl.SSLError) and inbox.tls == "tls":
        return InboxError(
            f"{inbox.name} speaks no TLS from the first byte.",
            "",
            f"Write imap+starttls:// (usually port 143) in {URL}; imaps:// is for port 993.",
        )
    words = said(error)
    if inbox.tls == "starttls" and ("TLS not supported" in words or "STARTTLS" in words):
        step = f"Write imaps:// (usually port 993) in {URL}, or ask its operator."
        return InboxError(f"{inbox.name} offers no STARTTLS.", "", step)
    if isinstance(error, IMAP4.abort):
        return InboxError(
            f"{inbox.name} hung up ({words}).", "", f"It is tried again; check {URL}."
        )
    if isinstance(error, OSError):
        what = f"{inbox.name} cannot be reached ({words})."
        return InboxError(what, "", f"Check host and port in {URL}.")
    return InboxError(f"{inbox.name} answered: {words}.", "", f"Check {URL}; it is tried again.")


def said(error: BaseException) -> str:
    """The server's own words, at most 300 characters."""
    if isinstance(error, UnexpectedCommandStatusError):
        data = error.command_result[1]
        last = data[-1] if isinstance(data, list) and data else data
        text = last.decode("utf-8", "replace") if isinstance(last, bytes) else str(last)
        return f"{error.command_result[0]} {text}"[:300]
    if isinstance(error, OSError) and error.strerror:
        return error.strerror[:300]
    return (str(error) or type(error).__name__)[:300]


def _about_certificate(error: ssl.SSLCertVerificationError, inbox: Inbox) -> InboxError:
    # OpenSSL's X509_V_ERR_*: 10 has expired, 62 and 64 another name
    if error.verify_code == 10:
        return InboxError(f"The certificate of {inbox.host} has ended.", "", "Ask its operator.")
    if error.verify_code in (62, 64):
        return InboxError(
            f"{inbox.host} shows a certificate for another name.",
            "",
            f"Write the name that is in its certificate into {URL}.",
        )
    return InboxError(
        f"{inbox.host} shows a certificate of an unknown authority.",
        "",
        "Set PAPERPOST_INBOX_CA_FILE to the PEM file of that authority.",
    )
