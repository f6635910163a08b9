"""Short lists by their address: words, order, page."""

import pytest
from fastapi import Request

from service.pages.listing import listed

ROWS = [("Ben", 3), ("ada", None), ("Cy", 10), ("ben 2", 1)]


def asked(query, *, rows=ROWS, size=50):
    scope = {
        "type": "http", "method": "GET", "path": "/admin/x", "query_string": query.encode(),
        "headers": [(b"host", b"h.example")], "scheme": "http", "server": ("h.example", 80),
    }  # fmt: skip
    columns = {"name": lambda row: row[0], "mails": lambda row: row[1]}
    return listed(Request(scope), rows, columns, lambda row: row[0], size=size)


@pytest.mark.parametrize(
    ("query", "names"),
    [
        ("", ["Ben", "ada", "Cy", "ben 2"]),
        ("sort=x&page=x", ["Ben", "ada", "Cy", "ben 2"]),
        ("sort=name", ["ada", "Ben", "ben 2", "Cy"]),
        ("sort=mails", ["ben 2", "Ben", "Cy", "ada"]),
        ("sort=-mails", ["Cy", "Ben", "ben 2", "ada"]),
        ("q=BEN&sort=-name", ["ben 2", "Ben"]),
        ("q=nobody", []),
    ],
)
def test_words_and_order_stand_in_the_address(query, names):
    assert [name for name, _ in asked(query).rows] == names


def test_pages_keep_words_and_order():
    found = asked("q=b&sort=name&page=2", size=1)
    assert [name for name, _ in found.rows] == ["ben 2"]
    assert (found.paging.pages, found.every, found.has_filter) == (2, 4, True)
    assert found.address_of_page(1) == "/admin/x?q=b&sort=name&page=1"
    assert found.sorting.address("mails", first_down=True) == "/admin/x?q=b&sort=-mails"
    assert not asked("").has_filter
    assert asked("", rows=ROWS * 3).has_filter
