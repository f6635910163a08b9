"""A probe is a mail of ours to our own return path, by which the doctor sees that mails come back.

It goes to an address of its own, ``bounces+probe-TOKEN@...``, as every return path has one: so it
also shows that what stands behind the ``+`` arrives. It says nothing about any reader. Pure.
"""

import re
from collections.abc import Sequence

from service.reports.mail import Mail, every

SIGN = "probe-"
TOKEN = re.compile(r"[0-9a-f]{16}")
CARRIED = ("to", "delivered-to", "x-original-to", "envelope-to")


def probe_address(bounce_address: str, token: str) -> str:
    """Where a probe goes. token: 16 hexadecimal digits."""
    local, _, domain = bounce_address.rpartition("@")
    return f"{local}+{SIGN}{token}@{domain}"


def probe_token(mail: Mail, bounce_address: str, rcpts: Sequence[str] = ()) -> str:
    """The token of a probe, "" where the mail is none. rcpts: whom it was handed over for."""
    local, _, domain = bounce_address.lower().rpartition("@")
    if not local:
        return ""
    wanted = re.compile(
        rf"(?<![^\s<,;:]){re.escape(local)}\+{SIGN}({TOKEN.pattern})@{re.escape(domain)}(?![\w.-])"
    )
    named = [*rcpts, *(value for name in CARRIED for value in every(mail.headers, name))]
    found = (wanted.search(text.lower()) for text in named)
    return next((one[1] for one in found if one), "")
