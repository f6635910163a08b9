"""Which network addresses a source may have. Pure.

``ip.is_private`` is not enough: 100.64.0.1, 224.0.0.1 and 64:ff9b::7f00:1 pass it. Registries:
RFC 6890, RFC 6052 (NAT64), RFC 3056 (6to4), RFC 4380 (Teredo).
"""

from ipaddress import IPv4Address, IPv6Address, IPv6Network, ip_address

_NAT64 = (IPv6Network("64:ff9b::/96"), IPv6Network("64:ff9b:1::/48"))
_COMPATIBLE = IPv6Network("::/96")


def is_public(address: str) -> bool:
    """Say whether ``address`` (an IP address, a zone allowed) lies in the public internet, also
    when it is an IPv4 address inside an IPv6 one. False for what is no address."""
    try:
        found = ip_address(address.partition("%")[0])
    except ValueError:
        return False
    inner = _inside(found)
    if inner is not None:
        return is_public(str(inner))
    if isinstance(found, IPv6Address) and (found in _COMPATIBLE or found.is_site_local):
        return False
    return found.is_global and not (
        found.is_multicast or found.is_reserved or found.is_unspecified or found.is_link_local
    )


def _inside(address: IPv4Address | IPv6Address) -> IPv4Address | None:
    """Return the IPv4 address that an IPv6 address stands for."""
    if isinstance(address, IPv4Address):
        return None
    if address.ipv4_mapped is not None:
        return address.ipv4_mapped
    if address.sixtofour is not None:
        return address.sixtofour
    if address.teredo is not None:
        return address.teredo[1]
    if any(address in network for network in _NAT64):
        return IPv4Address(address.packed[-4:])
    return None
