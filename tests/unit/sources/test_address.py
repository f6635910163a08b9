"""Addresses inside and outside of the public internet."""

import pytest

from service.sources.address import is_public, why_refused

INSIDE = [
    "127.0.0.1", "10.0.0.1", "172.16.0.1", "192.168.1.1", "169.254.169.254", "0.0.0.0",
    "100.64.0.1", "224.0.0.1", "239.1.1.1", "240.0.0.1", "255.255.255.255", "192.0.2.1",
    "::", "::1", "::7f00:1", "fe80::1", "fe80::1%eth0", "fc00::1", "fec0::1", "ff02::1",
    "::ffff:127.0.0.1", "::ffff:10.0.0.1", "64:ff9b::7f00:1", "64:ff9b::a9fe:a9fe",
    "64:ff9b:1::a00:1", "2002:7f00:1::", "2002:a00:1::1", "2001:0:4136:e378:8000:63bf:80ff:fffe",
    "192.0.0.192", "168.63.129.16", "192.88.99.1", "3fff::1", "64:ff9b::8.8.8.8", "2002:808:808::1",
    "::ffff:168.63.129.16", "2001:db8::1", "localhost", "2130706433", "0x7f000001", "",
]  # fmt: skip

OUTSIDE = ["8.8.8.8", "151.101.1.42", "2606:4700::6810:84e5", "::ffff:8.8.8.8", "168.63.129.17"]


@pytest.mark.parametrize("address", INSIDE)
def test_inside(address: str) -> None:
    assert not is_public(address)


@pytest.mark.parametrize("address", OUTSIDE)
def test_outside(address: str) -> None:
    assert is_public(address)


@pytest.mark.parametrize(
    ("url", "why"),
    [
        ("http://127.0.0.1:8080/x", "127.0.0.1 is not a public address"),
        ("http://[::1]/x", "::1 is not a public address"),
        ("http://LocalHost./x", "localhost is not a public address"),
        ("http://2130706433/x", "2130706433 is not a public address"),
        ("https://journal.example:8090/x", "port 8090 is not allowed"),
        ("https://journal.example:8443/x", ""),
        ("https://8.8.8.8/x", ""),
    ],
)
def test_what_can_never_be_asked_is_seen_in_its_address(url: str, why: str) -> None:
    assert why_refused(url) == why
