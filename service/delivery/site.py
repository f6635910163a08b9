"""Who runs this installation, as the mails say it. Pure."""

from dataclasses import dataclass
from urllib.parse import quote


@dataclass(frozen=True, slots=True, kw_only=True)
class Site:
    """Texts and addresses of the frame; empty ones are left out of the mail.

    base_url: without a final slash · sender: the address in From · contact: an address ·
    thumbnails: papers are shown with their picture, from the source's server · inbox: the address
    to which people may write to leave, "" while nobody reads one.
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
    inbox: str = ""

    def leave_mail(self, token: str) -> str:
        """The mailto that ends mail for whom an unsubscribe token belongs to; "" for none."""
        subject = quote(f"unsubscribe {token}")
        return f"mailto:{quote(self.inbox, safe='@')}?subject={subject}" if self.inbox else ""
