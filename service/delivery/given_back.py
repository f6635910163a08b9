"""A header field that a mail service takes for itself and gives back with whatever it posts about
the mail. Pure.

Postmark writes a Message-ID of its own, and SendGrid leaves ours out of complaints: without such a
field nobody knows whose mail they tell of. Sources: postmarkapp.com/support/article/
1125-custom-metadata-faq (X-PM-Metadata-NAME, values of at most 80 characters) and
www.twilio.com/docs/sendgrid/for-developers/sending-email/unique-arguments (X-SMTPAPI).
"""

import json

NAME = "paperpost"
"""The field's name where it comes back; its value is the Message-ID without angle brackets."""

NONE = ("", "")

_POSTMARK, _SENDGRID = ".postmarkapp.com", ".sendgrid.net"
_LONGEST_METADATA = 80


def given_back(relay_host: str, message_id: str) -> tuple[str, str]:
    """Name and value of the field for whoever takes our mail; ``NONE`` for a relay that gives
    nothing back, or the Message-ID as it is."""
    host, named = relay_host.lower().rstrip("."), message_id.strip("<>")
    if host.endswith(_POSTMARK) and len(named) <= _LONGEST_METADATA:
        return f"X-PM-Metadata-{NAME}", named
    if host.endswith(_SENDGRID):
        return "X-SMTPAPI", json.dumps({"unique_args": {NAME: named}})
    return NONE
