"""How many mails strangers can have sent: by address they are dropped, by network they wait.

A seminar room behind one address is no attack: what an hour has no room for gets a place in one of
the next 24, told on the page. Places are taken by what was asked, whether or not a mail comes of
it, so that no answer and no wait tells who is a reader. What an address is asked for again takes
no place: ten thousand requests for one victim make nobody else wait.
"""

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from ipaddress import IPv4Network, ip_network

from service.store import mail_caps
from service.store.db import Session

MOST_HOURS = 24
"""Hours that a mail can wait for its place; a network that has filled them is told so."""

UNASKED = "unasked"
"""Mails to people who may not have asked for them: confirmations, and links to a new address."""

LINK = "link"
"""Links to a reader's own page."""

_HOUR = timedelta(hours=1)
_DAY = timedelta(days=1)
_MONTH = timedelta(days=30)


@dataclass(frozen=True, slots=True, kw_only=True)
class Most:
    """How many mails: to one address in 24 hours and in 30 days (None: not counted), and for one
    network and for all in an hour of the clock."""

    a_day: int
    a_month: int | None = None
    a_network: int
    in_all: int


@dataclass(frozen=True, slots=True)
class Place:
    """dropped: the address had its mails, or no hour has room · wait: until the mail may go ·
    hours: the same in hours, rounded up · full: no hour has room, whatever the address."""

    dropped: bool
    wait: timedelta
    hours: int
    full: bool


@dataclass(frozen=True, slots=True)
class Answer:
    """What a page may say: the mail follows at once, or within so many hours; full: this network
    asked for a day's mails already, nothing more is taken. Never anything of the address.
    number: of the request, for what may follow it (``again``)."""

    delayed: bool
    hours: int = 0
    full: bool = False
    number: int = field(default=0, compare=False)


def answer_of(place: Place, number: int = 0) -> Answer:
    """What may be told of a place: not whether a mail was dropped."""
    return Answer(place.hours > 0, place.hours, place.full, number)


def take_place(
    session: Session, kind: str, most: Most, *,
    hashed: str, network: str, now: datetime, is_copy: bool = False,
) -> Place:  # fmt: skip
    """Ask for one mail. kind: of mails that are counted together · hashed: of the address's
    ``cap_key`` · is_copy: of a mail that was sent; copies and first mails of a day are counted
    apart, those of a month together. Call inside a write transaction; the same statements whatever
    the answer."""
    whose, others = f"{kind} {hashed}", f"{kind} copy {hashed}"
    if is_copy:
        whose, others = others, whose
    mail_caps.hold(session, now)
    times = [at for at in mail_caps.asked_at(session, whose) if at > now - _MONTH]
    month = len(times) + sum(at > now - _MONTH for at in mail_caps.asked_at(session, others))
    today = sum(at > now - _DAY for at in times)
    had = today >= most.a_day or (most.a_month is not None and month >= most.a_month)
    start = now.replace(minute=0, second=0, microsecond=0)
    network = network_of(network)
    hour = _free_hour(session, kind, most, network, start)
    takes = not had and hour is not None
    mail_caps.set_asked(session, whose, [*times, now] if takes else times, now, now + _MONTH)
    at = start + (hour or 0) * _HOUR
    for key in (_key(kind, at, network), _key(kind, at, mail_caps.ALL)):
        mail_caps.add(session, key, int(takes), now, at + _HOUR)
    wait = max(at - now, timedelta())
    return Place(had or hour is None, wait, hour or 0, hour is None)


def free_at(
    session: Session, kind: str, most: Most, *, hashed: str, now: datetime
) -> datetime:  # fmt: skip
    """From when on an address may have one mail more; ``now`` where it may at once."""
    times = mail_caps.asked_at(session, f"{kind} {hashed}")
    month = sorted([*times, *mail_caps.asked_at(session, f"{kind} copy {hashed}")])
    free = now
    if len(times) >= most.a_day:
        free = max(free, times[-most.a_day] + _DAY)
    if most.a_month is not None and len(month) >= most.a_month:
        free = max(free, month[-most.a_month] + _MONTH)
    return free


def note_mail(session: Session, kind: str, *, hashed: str, now: datetime) -> None:
    """Count a mail that somebody else had sent (the staff), which waits for no place."""
    whose = f"{kind} {hashed}"
    times = [at for at in mail_caps.asked_at(session, whose) if at > now - _MONTH]
    mail_caps.set_asked(session, whose, [*times, now], now, now + _MONTH)


def _free_hour(
    session: Session, kind: str, most: Most, network: str, start: datetime
) -> int | None:
    """The next hour with room, 0 = this one; None: none of a day's hours."""
    hours = [start + n * _HOUR for n in range(MOST_HOURS + 1)]
    here = [_key(kind, at, network) for at in hours]
    everywhere = [_key(kind, at, mail_caps.ALL) for at in hours]
    taken = mail_caps.counts(session, [*here, *everywhere])
    for n, (own, all_) in enumerate(zip(here, everywhere, strict=True)):
        if taken.get(own, 0) < most.a_network and taken.get(all_, 0) < most.in_all:
            return n
    return None


def network_of(address: str) -> str:
    """What one customer of a provider easily has at hand: an IPv4 /24, an IPv6 /64. Text that is
    no address counts as it is."""
    try:
        found = ip_network(address, strict=False)
    except ValueError:
        return address
    wide = 24 if isinstance(found, IPv4Network) else 64
    return str(found.supernet(new_prefix=wide) if found.prefixlen > wide else found)


def _key(kind: str, at: datetime, whose: str) -> str:
    return f"{kind} {at:%Y-%m-%dT%H} {whose}"
