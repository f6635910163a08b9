"""Who runs this installation, as the mails say it. Pure."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Site:
    """Texts and addresses of the frame; empty ones are left out of the mail.

    base_url: without a final slash · sender: the address in From · contact: an address ·
    thumbnails: papers are shown with their picture, from the source's server.
    """

    name: str = "Paperpost"
    org: str = ""
    contact: str = ""
    postal: str = ""
    base_url: str
    privacy_url: str = ""
    sender: str
    reply_to: str = ""
    thumbnails: bool = False
