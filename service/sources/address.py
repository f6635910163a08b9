"""Which network addresses a source may have. Pure.

``ip.is_private`` is not enough: 100.64.0.1, 224.0.0.1 and 64:ff9b::7f00:1 pass it. Registries:
RFC 6890, RFC 4291 (2000::/3), RFC 3056 (6to4), RFC 4380 (Teredo), RFC 5214 (ISATAP), RFC 9637.
"""

from ipaddress import IPv4Address, IPv6Address, IPv6Network, ip_address, ip_network
from urllib.parse import urlsplit

PORTS = (80, 443, 8080, 8443)
"""Ports that serve pages."""

_GLOBAL_UNICAST = IPv6Network("2000::/3")
"""Nothing else of IPv6 leads anywhere public. NAT64, compatible and translated IPv4 addresses lie
outside: the network decides what is behind them."""

_REFUSED = tuple(
    ip_network(network)
    for network in (
        "192.0.0.0/24",  # IETF assignments; Oracle's metadata is 192.0.0.192
        "168.63.129.16/32",  # Azure's metadata
        "192.88.99.0/24",  # relays of 6to4
        "2001::/23",  # IETF assignments: Teredo, benchmarks, ORCHID
        "2002::/16",  # 6to4
        "3fff::/20",  # documentation
    )
)
_ISATAP = (b"\0\0\x5e\xfe", b"\2\0\x5e\xfe")


def is_public(address: str) -> bool:
    """Say whether ``address`` (an IP address, a zone allowed) lies in the public internet, also
    when it is an IPv4 address mapped into an IPv6 one. False for what is no address."""
    try:
        found = ip_address(address.partition("%")[0])
    except ValueError:
        return False
    if isinstance(found, IPv6Address):
        if found.ipv4_mapped is not None:
            return is_public(str(found.ipv4_mapped))
        if found not in _GLOBAL_UNICAST:
            return False
        if found.packed[8:12] in _ISATAP and not is_public(str(IPv4Address(found.packed[12:]))):
            return False
    if any(found in network for network in _REFUSED if network.version == found.version):
        return False
    return found.is_global and not (
        found.is_multicast or found.is_reserved or found.is_unspecified or found.is_link_local
    )


def why_refused(url: str) -> str:
    """Say why a source at ``url`` can never be asked, as far as its text tells; "" otherwise.

    A name may resolve to anything; only the fetcher sees that.
    """
    try:
        parts = urlsplit(url)
        host, port = (parts.hostname or "").rstrip(".").lower(), parts.port
    except ValueError:
        return "it is no address"
    if port is not None and port not in PORTS:
        return f"port {port} is not allowed"
    numbers = host.partition("%")[0]
    is_numbers = ":" in host or numbers.replace(".", "").isdecimal() or numbers.startswith("0x")
    if host == "localhost" or host.endswith(".localhost") or (is_numbers and not is_public(host)):
        return f"{host} is not a public address"
    return ""
