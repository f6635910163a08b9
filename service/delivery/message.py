"""From rendered texts to the bytes of one message (RFC 5322, 2045, 2369, 8058). Pure.

``email.policy.SMTP`` turns a ``List-Unsubscribe`` above 77 characters into encoded-words, and
one-click unsubscribing dies of it; so address headers are written as they are, unfolded.
"""

import base64
import hashlib
import hmac
import quopri
import re
from contextlib import suppress
from datetime import UTC, datetime
from email.headerregistry import Address
from email.message import EmailMessage
from email.policy import EmailPolicy
from email.utils import format_datetime
from typing import Any

from email_validator import EmailNotValidError, validate_email

from service.delivery import plain
from service.delivery.frame import Rendered
from service.delivery.given_back import NAME, NONE
from service.delivery.quoted import LINE, header_text, is_too_long
from service.errors import Sentence, SpokenError

_AS_IS = frozenset(
    {"list-unsubscribe", "list-unsubscribe-post", "list-id", "list-help"}
    | {"feedback-id", "message-id", "x-smtpapi", f"x-pm-metadata-{NAME}"}
)
_LONGEST_LINE = 998
_VISIBLE = re.compile(r"[\x20-\x7e]+")
_NOT_IN_LINKS = re.compile("[<> ,]")
_ADDRESS = re.compile(r"[^\s@<>,;:()\[\]\\\"\x00-\x1f\x7f]+@[^\s@<>,;:()\[\]\\\"\x00-\x1f\x7f]+")


class MessageError(SpokenError):
    """A header or an address cannot be written; ``where`` names the header. Where the address is
    the reader's, the reader's page says so."""

    @property
    def is_ours(self) -> bool:
        """True when the header holds the same in every mail: mended once, it is for all."""
        return self.where in ("From", "Reply-To", "Message-ID", "List-Id", "List-Help")


class _MailPolicy(EmailPolicy):
    """SMTP's policy, but headers that carry addresses of pages are neither folded nor encoded."""

    def header_store_parse(self, name: str, value: Any) -> tuple[str, Any]:
        if name.lower() == "subject":  # a title that looks like an encoded word is not one
            return name, str(value)
        return super().header_store_parse(name, value)

    def fold(self, name: str, value: str) -> str:
        return self.fold_binary(name, value).decode("ascii")

    def fold_binary(self, name: str, value: str) -> bytes:
        if name.lower() in _AS_IS:
            return f"{name}: {value}\r\n".encode("ascii")
        if name.lower() == "subject":  # email's own folding puts a second blank into some
            return header_text(name, str(value))
        return super().fold_binary(name, value)


_POLICY = _MailPolicy(linesep="\r\n", max_line_length=LINE, cte_type="7bit")


def message_id(key: bytes, edition_id: str, recipient_key: str, domain: str) -> str:
    """Return "<...@domain>": unique per edition and recipient, the same at every try."""
    digest = hmac.new(key, f"{edition_id}|{recipient_key}".encode(), hashlib.sha256).digest()
    local = base64.b32encode(digest[:20]).decode("ascii").lower()
    return f"<{local}@{ascii_address(f'x@{domain}', 'Message-ID').partition('@')[2]}>"


def domain_of(address: str) -> str:
    """Return the domain that receives an address's mail, lower case, in the form for DNS; of an
    address that is none, what stands after its last @."""
    with suppress(MessageError):  # it will be refused when its mail is sent, with its reason
        address = ascii_address(f"x@{address.rpartition('@')[2]}")
    return address.rpartition("@")[2].lower()[:254]


def ascii_address(address: str, header: str = "To", *, utf8: bool = False) -> str:
    """Return the address with its domain in punycode (RFC 5891).

    Raises MessageError: not one address, or a local part beyond ASCII (that needs SMTPUTF8 along
    the whole way, RFC 6531, which few relays offer; ``utf8`` lets it through).
    """
    if not _ADDRESS.fullmatch(address):
        raise MessageError(
            Sentence("'%(address)s' is not one plain address.", address=plain.one_line(address)),
            header,
            Sentence("Like name@host.org."),
        )
    local, _, domain = address.rpartition("@")
    if not (local.isascii() or utf8):
        raise MessageError(
            Sentence(
                "The part before the @ of %(address)s has letters beyond ASCII.", address=address
            ),
            header,
            Sentence("Most mail servers cannot carry it; use an address of plain letters."),
        )
    if domain.isascii():
        return address
    try:
        found = validate_email(f"x@{domain}", check_deliverability=False).ascii_domain
    except EmailNotValidError as error:
        raise MessageError(
            Sentence("'%(domain)s' is no domain name.", domain=domain),
            header,
            Sentence("Correct the part after the @."),
        ) from error
    return f"{local}@{found}"


def build(
    rendered: Rendered,
    *,
    sender: str,
    sender_name: str,
    recipient: str,
    recipient_name: str = "",
    message_id: str,
    date: datetime,
    reply_to: str = "",
    list_id: str = "",
    unsubscribe_url: str | None = None,
    unsubscribe_mail: str = "",
    help_url: str = "",
    feedback_id: str = "",
    given_back: tuple[str, str] = NONE,
    is_notice: bool = False,
    format: str = "html",
) -> bytes:
    """Return the whole message, CRLF, the same bytes for the same arguments.

    message_id: with its angle brackets · date: aware · list_id: "Paperpost <papers.example.org>".
    unsubscribe_url: https, also answers the RFC 8058 POST; None writes no List-Unsubscribe.
    given_back: name and value of ``given_back``'s field.
    unsubscribe_mail: "mailto:..." that does the same, where somebody reads it; it stands second.
    format: "html" = text and HTML, "text" = text alone.
    Raises MessageError: an address, a link or a name that cannot stand in its header.
    """
    message = EmailMessage(policy=_POLICY)
    message["From"] = _mailbox(sender, sender_name, "From")
    message["To"] = _mailbox(recipient, recipient_name, "To")
    if reply_to:
        message["Reply-To"] = _mailbox(reply_to, "", "Reply-To")
    message["Subject"] = plain.one_line(rendered.subject)
    if date.tzinfo is None:
        raise MessageError(Sentence("The date has no time zone."), "Date")
    message["Date"] = format_datetime(date.astimezone(UTC))
    message["Message-ID"] = as_is(message_id, "Message-ID")
    if list_id:
        message["List-Id"] = as_is(list_id, "List-Id")
    if unsubscribe_url:
        message["List-Unsubscribe"] = leaving(unsubscribe_url, unsubscribe_mail)
        message["List-Unsubscribe-Post"] = "List-Unsubscribe=One-Click"
    if help_url:
        message["List-Help"] = link(help_url, "List-Help")
    if feedback_id:
        message["Feedback-ID"] = as_is(feedback_id, "Feedback-ID")
    if given_back != NONE:
        name, value = given_back
        message[name] = as_is(value, name)
    if is_notice:
        message["Auto-Submitted"] = "auto-generated"
    else:
        message["Precedence"] = "bulk"
    message["X-Auto-Response-Suppress"] = "OOF, AutoReply"
    _fill(message, rendered, format)
    return message.as_bytes()


def _fill(message: EmailMessage, rendered: Rendered, format: str) -> None:
    text = plain.body(rendered.text)
    message.set_content(text, charset="utf-8", cte=_encoding(text))
    if format != "html":
        return
    html = plain.body(rendered.html)
    message.add_alternative(html, subtype="html", charset="utf-8", cte=_encoding(html))
    message.set_boundary(boundary(str(message["Message-ID"])))


def boundary(message_id: str) -> str:
    """Return what parts the parts: "=_" cannot occur in quoted-printable or base64."""
    return f"=_{hashlib.sha256(message_id.encode()).hexdigest()[:32]}"


def mailbox_header(name: str, address: str, shown: str) -> bytes:
    """Return "From: name <address>" and CRLF, folded. Raises MessageError."""
    value = _POLICY.header_factory(name, _mailbox(address, shown, name))
    return _POLICY.fold_binary(name, value)


def _encoding(text: str) -> str:
    """Quoted-printable, unless it would exceed base64 by a third (Chinese, Japanese)."""
    raw = text.encode("utf-8")
    is_long = is_too_long(len(quopri.encodestring(raw)), len(raw))
    return "base64" if is_long else "quoted-printable"


def _mailbox(address: str, name: str, header: str) -> Address:
    local, _, domain = ascii_address(address, header).rpartition("@")
    return Address(plain.one_line(name), local, domain)


def as_is(value: str, header: str) -> str:
    """Return the value where it can stand in a header unfolded. Raises MessageError."""
    if not _VISIBLE.fullmatch(value) or len(header) + 2 + len(value) > _LONGEST_LINE:
        raise MessageError(
            Sentence(
                "%(header)s holds a character beyond ASCII, a line break, or is too long.",
                header=header,
            ),
            header,
        )
    return value


def link(url: str, header: str) -> str:
    """Return "<https://...>". Raises MessageError."""
    if not url.startswith(("https://", "http://")) or _NOT_IN_LINKS.search(url):
        raise MessageError(
            Sentence("'%(url)s' is no web address.", url=plain.one_line(url)[:80]), header
        )
    return as_is(f"<{url}>", header)


def leaving(url: str, mail: str) -> str:
    """Return "<https://...>, <mailto:...>", or the first alone. Raises MessageError."""
    header = "List-Unsubscribe"
    if not mail:
        return link(url, header)
    if not mail.startswith("mailto:") or _NOT_IN_LINKS.search(mail):
        raise MessageError(
            Sentence("'%(url)s' is no web address.", url=plain.one_line(mail)[:80]), header
        )
    return as_is(f"{link(url, header)}, <{mail}>", header)


def wire_size(text: str) -> int:
    """Return the bytes that one part will take, encoded."""
    raw = text.encode("utf-8", "replace")
    if _encoding(text) == "base64":
        return -(-len(raw) // 57) * 78
    return len(quopri.encodestring(raw)) + text.count("\n")
