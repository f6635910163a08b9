"""Paging."""

import pytest
from starlette.requests import Request

from service.pages.paging import address_of_page, paging_of


def _request(query: str) -> Request:
    return Request(
        {
            "type": "http",
            "method": "GET",
            "path": "/papers",
            "query_string": query.encode(),
            "headers": [],
            "server": ("x", 80),
            "scheme": "http",
        }
    )


@pytest.mark.parametrize(
    ("query", "number", "first", "last", "previous", "following"),
    [
        ("", 1, 1, 100, None, 2),
        ("page=2", 2, 101, 200, 1, 3),
        ("page=3", 3, 201, 250, 2, None),
        ("page=99", 3, 201, 250, 2, None),
        ("page=0", 1, 1, 100, None, 2),
        ("page=-1", 1, 1, 100, None, 2),
        ("page=" + "9" * 5000, 1, 1, 100, None, 2),
    ],
)
def test_pages_of_250(
    query: str, number: int, first: int, last: int, previous: int | None, following: int | None
) -> None:
    page = paging_of(_request(query), 250)
    assert (page.number, page.first, page.last) == (number, first, last)
    assert (page.previous, page.next, page.offset) == (previous, following, first - 1)


def test_an_empty_list_has_one_page_and_no_rows() -> None:
    page = paging_of(_request("page=4"), 0)
    assert (page.number, page.pages, page.first, page.last, page.next) == (1, 1, 0, 0, None)


def test_other_parameters_stay() -> None:
    assert address_of_page(_request("q=a%26b&page=1"), 3) == "/papers?q=a%26b&page=3"
