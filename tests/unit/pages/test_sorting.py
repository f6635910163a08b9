"""Lists in the order of a column: what the address says, what a heading leads to."""

import pytest
from fastapi import Request

from service.pages.sorting import sorting_of

NAMES = ("name", "begun")


def asked(query):
    scope = {
        "type": "http", "method": "GET", "path": "/admin/x", "query_string": query.encode(),
        "headers": [(b"host", b"h.example")], "scheme": "http", "server": ("h.example", 80),
    }  # fmt: skip
    return sorting_of(Request(scope), NAMES, "-begun")


@pytest.mark.parametrize(
    ("query", "word"),
    [("", "-begun"), ("sort=name", "name"), ("sort=-name", "-name"), ("sort=x", "-begun"),
     ("sort=--name", "-begun"), ("sort=-", "-begun")],
)  # fmt: skip
def test_only_columns_of_the_list_order_it(query, word):
    assert asked(query).word == word


def test_a_heading_turns_its_own_order_and_keeps_filters_but_no_page():
    found = asked("sort=name&q=a%26b&page=3")
    assert found.address("name") == "/admin/x?q=a%26b&sort=-name"
    assert found.address("begun", first_down=True) == "/admin/x?q=a%26b&sort=-begun"
    assert found.said_of("name") == "ascending"
    assert found.said_of("begun") == ""
    assert asked("").said_of("begun") == "descending"
