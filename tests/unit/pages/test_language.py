"""Which language a request gets."""

import pytest
from starlette.requests import Request

from service.pages.language import locale_of

LANGUAGES = ("en", "de", "zh-Hans", "fr")


def _request(header: str, query: str = "") -> Request:
    headers = [(b"accept-language", header.encode())] if header else []
    return Request(
        {
            "type": "http",
            "method": "GET",
            "path": "/",
            "query_string": query.encode(),
            "headers": headers,
        }
    )


@pytest.mark.parametrize(
    ("header", "query", "expected"),
    [
        ("", "", "en"),
        ("de-CH,de;q=0.9,en;q=0.8", "", "de"),
        ("en;q=0.1, fr;q=0.9", "", "fr"),
        ("zh-Hans-CN", "", "zh-Hans"),
        ("de;q=0, fr;q=0.2", "", "fr"),
        ("xx, *;q=0.5", "", "en"),
        ("de", "lang=fr", "fr"),
        ("de", "lang=xx", "de"),
        ("de", "lang=en-XA", "en-XA"),
        ("en-XB", "", "en"),
        ("de;q=high, fr", "", "fr"),
        ("," * 5000 + "de", "", "en"),
    ],
)
def test_the_wanted_language_that_exists(header: str, query: str, expected: str) -> None:
    assert locale_of(_request(header, query), LANGUAGES) == expected
