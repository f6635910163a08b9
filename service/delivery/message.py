"""From rendered texts to the bytes of one message (RFC 5322). Pure."""

from datetime import datetime

from service.delivery.frame import Rendered


def message_id(key: bytes, edition_id: str, recipient_key: str, domain: str) -> str:
    """Return "<...@domain>": unique per edition and recipient, the same at every try."""
    raise NotImplementedError


def build(
    rendered: Rendered,
    *,
    sender: str,
    sender_name: str,
    recipient: str,
    message_id: str,
    date: datetime,
    reply_to: str = "",
    list_id: str = "",
    unsubscribe_url: str | None = None,
    help_url: str = "",
    feedback_id: str = "",
    is_notice: bool = False,
    format: str = "html",
) -> bytes:
    """Return the whole message, CRLF, the same bytes for the same arguments."""
    raise NotImplementedError
