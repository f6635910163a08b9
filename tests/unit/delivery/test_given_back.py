"""The field by which a mail service gives our Message-ID back."""

import pytest

from service.delivery.given_back import NONE, given_back

ID = "<" + "a" * 32 + "@papers.example.org>"
BARE = ID.strip("<>")


@pytest.mark.parametrize(
    ("host", "field"),
    [
        ("smtp.postmarkapp.com", ("X-PM-Metadata-paperpost", BARE)),
        ("SMTP-Broadcasts.PostmarkApp.com.", ("X-PM-Metadata-paperpost", BARE)),
        ("smtp.sendgrid.net", ("X-SMTPAPI", '{"unique_args": {"paperpost": "' + BARE + '"}}')),
        ("smtp.eu.mailgun.org", NONE),
        ("evilpostmarkapp.com", NONE),
        ("postmarkapp.com.example.org", NONE),
        ("127.0.0.1", NONE),
        ("", NONE),
    ],
)
def test_the_field_that_the_service_behind_the_relay_knows(host, field) -> None:
    assert given_back(host, ID) == field


def test_postmark_takes_80_characters() -> None:
    long = f"<{'a' * 32}@{'b' * 50}.example.org>"
    assert given_back("smtp.postmarkapp.com", long) == NONE
