"""Which service the names of mail servers belong to."""

import pytest

from service.delivery.mail_services import service_of


@pytest.mark.parametrize(
    ("records", "service"),
    [
        (["1 aspmx.l.google.com", "5 alt1.aspmx.l.google.com"], "google.com"),
        (["0 example-org.mail.protection.outlook.com"], "outlook.com"),
        (["10 mx.uni.ac.uk"], "uni.ac.uk"),
        (["10 mail.example.co.jp"], "example.co.jp"),
        (["10 mx1.mail.ovh.net", "5 other.example"], "ovh.net"),
        (["10 mx.uni-ulm.de"], "uni-ulm.de"),
        (["10 mx.ab.se"], "mx.ab.se"),
        (["10 ab.se"], "ab.se"),
        (["10 MX.Example.ORG."], "example.org"),
        (["10 localhost", "20 mx.example.org"], "example.org"),
        (["10 192.0.2.1"], ""),
        (["0 "], ""),
        ([], ""),
    ],
)
def test_the_registered_name_of_the_first_server(records, service):
    assert service_of(records) == service
