"""The network of a client: believed only from our own proxies, IPv4 whole, IPv6 by /64."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from starlette.datastructures import Headers

from service.errors import SettingError
from service.pages.network import client_of, forwarded_of, read_proxies

PROXIES = read_proxies("127.0.0.1, 10.0.0.0/8, 2001:db8:1::/48")


@pytest.mark.parametrize(
    ("peer", "forwarded", "network"),
    [
        ("198.51.100.7", "", "198.51.100.7"),
        ("198.51.100.7", "203.0.113.9", "198.51.100.7"),
        ("127.0.0.1", "203.0.113.9", "203.0.113.9"),
        ("127.0.0.1", "1.2.3.4, 203.0.113.9", "203.0.113.9"),
        ("127.0.0.1", "203.0.113.9, 10.1.2.3", "203.0.113.9"),
        ("127.0.0.1", "10.1.2.3", "10.1.2.3"),
        ("127.0.0.1", "203.0.113.9:4711", "203.0.113.9"),
        ("127.0.0.1", "[2001:db8:2:3:4::1]:80", "2001:db8:2:3::/64"),
        ("2001:db8:2:3:4:5:6:7", "", "2001:db8:2:3::/64"),
        ("::ffff:198.51.100.7", "", "198.51.100.7"),
        ("fe80::1%eth0", "", "fe80::/64"),
        ("127.0.0.1", "nonsense", ""),
        ("testclient", "203.0.113.9", ""),
        ("", "", ""),
    ],
)
def test_networks(peer: str, forwarded: str, network: str) -> None:
    assert client_of(peer, forwarded, PROXIES) == network


@given(st.text(), st.text())
def test_nothing_in_a_header_is_trusted_from_a_stranger(peer: str, forwarded: str) -> None:
    assert client_of(peer, forwarded, ()) == client_of(peer, "", ())


@given(st.text())
def test_any_header_gives_a_network_or_nothing(forwarded: str) -> None:
    found = client_of("127.0.0.1", forwarded, PROXIES)
    assert len(found) <= 64


def test_a_line_that_a_proxy_adds_below_is_read_too() -> None:
    sent = [(b"x-forwarded-for", b"192.0.2.1"), (b"x-forwarded-for", b"203.0.113.9")]
    forwarded = forwarded_of(Headers(raw=sent))
    assert client_of("127.0.0.1", forwarded, PROXIES) == "203.0.113.9"


def test_a_wrong_setting_is_named() -> None:
    with pytest.raises(SettingError, match="PAPERPOST_TRUSTED_PROXIES"):
        read_proxies("10.0.0.1, proxy.example")
