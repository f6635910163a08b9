"""The doctor on what mail services post: the ways that are open, and one that should be."""

from collections.abc import Iterator

from service.app import keys_of
from service.cli.doctor_line import Check, failed
from service.errors import SettingError
from service.inbound.webhook import providers
from service.wiring import House

GUIDE = "docs/webhooks.md shows how."

_SERVICES = {
    ".amazonaws.com": ("Amazon SES", "ses"),
    ".postmarkapp.com": ("Postmark", "postmark"),
    ".mailgun.org": ("Mailgun", "mailgun"),
    ".sendgrid.net": ("SendGrid", "sendgrid"),
}
"""Relays that read what comes back themselves, by how their hosts end."""


def webhooks(house: House) -> Iterator[Check]:
    """Which addresses take something, and whether the service behind the relay has one."""
    keys = keys_of(house.settings)
    try:
        found = [*providers(house.runtime, keys), *(["raw"] if keys.raw else [])]
    except SettingError as error:
        yield failed("webhooks", error)
        return
    if found:
        said = "open: " + ", ".join(f"/inbound/{name}" for name in sorted(found))
        is_plain = not house.settings.base_url.startswith("https://")
        if is_plain and not house.settings.links_stay_here:
            yield Check(
                "webhooks",
                "warn",
                f"{said}; signatures and passwords travel in clear text",
                "Serve Paperpost by https, and write PAPERPOST_BASE_URL so.",
            )
        else:
            yield Check("webhooks", "ok", said)
    host = house.runtime.relay_host.lower().rstrip(".")
    for end, (service, name) in _SERVICES.items():
        if host.endswith(end) and name not in found:
            yield Check(
                "webhooks",
                "warn",
                f"{service} reads what comes back itself and tells nobody here",
                f"Set PAPERPOST_INBOUND_{name.upper()}; {GUIDE}",
            )
