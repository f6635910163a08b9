"""Which network addresses a source may have. Pure.

``ip.is_private`` is not enough: 100.64.0.1, 224.0.0.1 and 64:ff9b::7f00:1 pass it. Registries:
RFC 6890, RFC 6052 (NAT64), RFC 3056 (6to4), RFC 4380 (Teredo), RFC 9637 (3fff::/20).
"""

from ipaddress import IPv6Address, ip_address, ip_network
from urllib.parse import urlsplit

PORTS = (80, 443, 8080, 8443)
"""Ports that serve pages."""

_REFUSED = tuple(
    ip_network(network)
    for network in (
        "192.0.0.0/24",  # IETF assignments; Oracle's metadata is 192.0.0.192
        "168.63.129.16/32",  # Azure's metadata
        "192.88.99.0/24",  # relays of 6to4
        "64:ff9b::/96",  # NAT64: the network decides what is behind it
        "64:ff9b:1::/48",
        "2002::/16",  # 6to4
        "2001::/32",  # Teredo
        "3fff::/20",  # documentation
        "::/96",  # IPv4-compatible
    )
)


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
        if found.is_site_local:
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
