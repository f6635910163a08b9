"""What the operator sets: deployment only, from the environment or ``.env``.

Everything of taste (caps, hours, hold) is a row of ``setting`` with a default in ``defaults``.
Read by the doors and by wiring; no other room may import this room.
"""

from service.settings.addresses import (
    inbox_address,
    lmtp_address,
    relay_address,
    web_address,
)
from service.settings.checks import check, check_authority, load_settings
from service.settings.fields import PREFIX, Settings, machine_zone, secrets_in

__all__ = [
    "PREFIX",
    "Settings",
    "check",
    "check_authority",
    "inbox_address",
    "lmtp_address",
    "load_settings",
    "machine_zone",
    "relay_address",
    "secrets_in",
    "web_address",
]
