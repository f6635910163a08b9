"""The built-in development mailbox: SMTP in, pages out. It never relays."""

from service.mailbox.folder import Mailbox, MailHead, ReceivedMail
from service.mailbox.listener import MailboxServer
from service.mailbox.pages import router

__all__ = ["MailHead", "Mailbox", "MailboxServer", "ReceivedMail", "router"]
