"""The doctor on what comes back: the inbox, LMTP, the return path, and a probe's round trip."""

import asyncio
import secrets
import socket
import time
from collections.abc import Callable, Iterator

from service.cli.doctor_line import Check, failed
from service.cli.doctor_webhooks import webhooks
from service.cli.printing import tally
from service.cli.ways import inbox_of
from service.delivery.dns import Found
from service.errors import PaperpostError
from service.inbound.imap import Conversation, opened
from service.inbound.place import Inbox
from service.reports.probe import SIGN, probe_address
from service.settings import Settings, lmtp_address
from service.store.probes import has_probe
from service.wiring import House

GUIDE = "docs/bounces.md shows how."

PROBE_S = 15.0
"""Seconds for which a probe is looked for."""

LOOK_S = 0.5


def ways_in(house: House) -> Iterator[Check]:
    """The inbox, LMTP, the return path with its MX, and whether a mail to it arrives."""
    settings = house.settings
    yield from webhooks(house)
    if settings.uses_mailbox and not settings.bounce_address and not has_way(settings):
        return  # mails stay on this machine
    if not has_way(settings):
        yield Check(
            "bounces",
            "warn",
            "no way in: what bounces after the relay took it is not noticed",
            "Set PAPERPOST_BOUNCE_ADDRESS and PAPERPOST_INBOX_URL; where the mail server starts "
            f"paperpost inbound (a pipe) all is well. {GUIDE}",
        )
        if settings.bounce_address:
            yield from _return_path(house)
        return
    is_read = True
    try:
        inbox = inbox_of(settings)
        if inbox is not None:
            yield _inbox(inbox)
        if settings.lmtp_listen is not None:
            yield _lmtp(settings.lmtp_listen)
    except PaperpostError as error:
        is_read = False
        yield failed("inbox", error)
    yield from _return_path(house)
    if settings.inbox_url is None and settings.lmtp_listen is None:
        return  # programs post what they know; no mail needs to arrive
    yield _leaving(settings)
    if is_read and settings.bounce_address and not settings.uses_mailbox:
        yield _round_trip(house, inbox_of(settings))


def has_way(settings: Settings) -> bool:
    """Whether mails that come back can be noticed: by IMAP, LMTP or a webhook."""
    named = (
        settings.inbox_url,
        settings.lmtp_listen,
        *(getattr(settings, name) for name in Settings.model_fields if name.startswith("inbound_")),
    )
    return any(named)


def _inbox(inbox: Inbox) -> Check:
    with opened(inbox) as line:
        waiting = len(line.waiting())
        says = [f"{inbox.name}, folder {inbox.folder}: {tally(waiting, 'mail')} to read"]
        if line.made:
            says.append(f"made {', '.join(line.made)}")
        if not line.can_idle:
            says.append("no IDLE: it is looked every minute")
    tls = {"none": "clear text", "starttls": "STARTTLS", "tls": "TLS"}[inbox.tls]
    return Check("inbox", "ok", f"{'; '.join(says)} ({tls})")


def _lmtp(value: str) -> Check:
    place = lmtp_address(value)
    family = socket.AF_UNIX if isinstance(place, str) else socket.AF_INET
    if not isinstance(place, str) and ":" in place[0]:
        family = socket.AF_INET6
    with socket.socket(family) as line:
        line.settimeout(5)
        try:
            line.connect(place)
            greeting = line.recv(200).decode("ascii", "replace").strip()
        except OSError as error:
            why = error.strerror or str(error)
            says = f"nobody takes mail on {value}: {why}"
            return Check("LMTP", "warn", says, "paperpost run listens there while it works.")
    return Check("LMTP", "ok", f'{value} says "{greeting}"')


def _return_path(house: House) -> Iterator[Check]:
    settings, rt = house.settings, house.runtime
    address = settings.bounce_address
    if not address:
        yield Check(
            "return path",
            "warn",
            f"bounces go to {settings.sender}, and only what they quote says whose they are",
            "Set PAPERPOST_BOUNCE_ADDRESS to an address of the inbox, such as bounces@"
            f"{settings.sender.partition('@')[2]}; {GUIDE}",
        )
        return
    local, _, domain = address.partition("@")
    says = f"each mail has its own: {local}+...@{domain}"
    if not has_way(settings):
        yield Check("return path", "warn", f"{says}, which nothing reads", f"{GUIDE}")
        return
    if rt.dns is None or "." not in domain:
        yield Check("return path", "ok", says)
        return
    yield _about_mx(says, domain, asyncio.run(rt.dns.mx(domain)))


def _about_mx(says: str, domain: str, found: Found) -> Check:
    if found.failed:
        step = "Look at the name server (PAPERPOST_NAMESERVER)."
        return Check(
            "return path", "warn", f"{says}; the DNS does not answer: {found.failed}", step
        )
    if found.missing:
        return Check(
            "return path",
            "fail",
            f"{says}; {domain} has no MX, so that bounces find no way back",
            f"Publish one that leads to the inbox's mail server: {domain}. MX 10 mail.example.org.",
        )
    hosts = ", ".join(record.partition(" ")[2] for record in found.records[:3])
    return Check("return path", "ok", f"{says}; received by {hosts}")


def _leaving(settings: Settings) -> Check:
    if settings.leave_address:
        return Check("leave by mail", "ok", f"readers may write to {settings.leave_address}")
    return Check(
        "leave by mail",
        "warn",
        "mails name no address for it",
        "Set PAPERPOST_INBOX_ADDRESS to an address of the inbox.",
    )


def _round_trip(house: House, inbox: Inbox | None) -> Check:
    """Send a mail to an address of our own return path, and look for it."""
    from service.cli.trial_mail import send_trial

    settings, rt = house.settings, house.runtime
    if settings.test_recipient:
        return Check("round trip", "ok", "not tried: in test mode no mail goes to its address")
    token = secrets.token_hex(8)
    address = probe_address(settings.bounce_address or "", token)
    shown = address.replace(token, "...")
    began = time.monotonic()
    try:
        made = send_trial(house, address)
    except PaperpostError as error:
        return failed("round trip", error)
    if not made.accepted:
        return Check(
            "round trip",
            "fail",
            f"the relay did not take a mail to {shown}: {made.words}",
            "It must take mail to what stands behind a + too; show these words to its operator.",
        )

    def is_taken() -> bool:
        return rt.db.read(lambda s: has_probe(s, token))

    try:
        came = _came(inbox, token, is_taken)
    except PaperpostError as error:
        return failed("round trip", error)
    took = time.monotonic() - began
    if came:
        return Check("round trip", "ok", f"a mail to {shown} {came} after {took:.1f} s")
    where = f"{inbox.name} ({inbox.folder})" if inbox is not None else settings.lmtp_listen
    return Check(
        "round trip",
        "warn",
        f"a mail to {shown} was taken by the relay, and is not in {where} after {took:.0f} s",
        f"Look where {settings.bounce_address} is delivered, and whether {SIGN}ANYTHING behind a + "
        f"arrives there too; a slow relay needs longer. {GUIDE}",
    )


def _came(inbox: Inbox | None, token: str, is_taken: Callable[[], bool]) -> str:
    """How a probe was found within ``PROBE_S``, "" = it was not."""
    if inbox is None:
        return _looked(lambda: "was taken" if is_taken() else "")
    with opened(inbox) as line:
        return _looked(lambda: "was taken" if is_taken() else _lies(line, inbox, token))


def _lies(line: Conversation, inbox: Inbox, token: str) -> str:
    for folder, says in ((inbox.folder, "arrived"), (line.folder("done"), "was read")):
        if line.find("To", token, folder):
            return says
    return ""


def _looked(look: Callable[[], str]) -> str:
    end = time.monotonic() + PROBE_S
    while not (found := look()) and time.monotonic() < end:
        time.sleep(LOOK_S)
    return found
