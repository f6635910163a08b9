"""Where a request comes from, for the records of consent and of the staff's acts: an IPv4 address,
an IPv6 /64. Caps count wider ones (``flows/caps``)."""

from collections.abc import Sequence
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network

from starlette.datastructures import Headers

from service.errors import SettingError

Proxies = Sequence[IPv4Network | IPv6Network]
_MOST_HOPS = 20


def read_proxies(text: str) -> Proxies:
    """Addresses or networks, comma separated. Raises SettingError."""
    found = []
    for part in filter(None, (piece.strip() for piece in text.split(","))):
        try:
            found.append(ip_network(part, strict=False))
        except ValueError:
            raise SettingError(
                f"PAPERPOST_TRUSTED_PROXIES names {part[:60]!r}, which is no address",
                "PAPERPOST_TRUSTED_PROXIES",
                "Write addresses or networks: 127.0.0.1, 10.0.0.0/8.",
            ) from None
    return tuple(found)


def forwarded_of(headers: Headers) -> str:
    """X-Forwarded-For from all its lines: some proxies (HAProxy) put a line of their own below
    what came, instead of adding to it."""
    return ",".join(headers.getlist("x-forwarded-for"))


def client_of(peer: str, forwarded: str, proxies: Proxies) -> str:
    """ "203.0.113.9", "2001:db8:2:3::/64"; "" when it cannot be told."""
    address = _client(peer, forwarded, proxies)
    if isinstance(address, IPv6Address):
        return str(ip_network((address, 64), strict=False))
    return str(address or "")


def _client(peer: str, forwarded: str, proxies: Proxies) -> IPv4Address | IPv6Address | None:
    """The address that asks. forwarded: the X-Forwarded-For header; it is believed only from a
    trusted peer, and read from the right: the first address that is no proxy of ours is the client;
    what stands left of it anybody may have written."""
    at = peer
    hops = [hop.strip() for hop in forwarded.split(",") if hop.strip()][-_MOST_HOPS:]
    while hops and _is_trusted(at, proxies):
        at = hops.pop()
    return _address(at)


def _address(text: str) -> IPv4Address | IPv6Address | None:
    host = text.strip()
    if host.startswith("["):
        host = host[1:].partition("]")[0]
    elif host.count(":") == 1:
        host = host.partition(":")[0]
    try:
        found = ip_address(host.partition("%")[0])
    except ValueError:
        return None
    if isinstance(found, IPv6Address) and found.ipv4_mapped is not None:
        return found.ipv4_mapped
    return found


def _is_trusted(text: str, proxies: Proxies) -> bool:
    address = _address(text)
    return address is not None and any(address in network for network in proxies)
