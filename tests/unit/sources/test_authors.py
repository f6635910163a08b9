"""Lists of authors in the ways in which feeds write them."""

from time import process_time
from typing import Any

import pytest

from service.sources.authors import arxiv_authors, feed_authors, listed_authors
from service.sources.journal import abstract_of, authors_in


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("Ann One, Ben Two", ("Ann One", "Ben Two")),
        ("A. One (MIT, Boston, USA), B. Two", ("A. One", "B. Two")),
        ("A. One (1), B. Two (2) ((1) X, (2) Y)", ("A. One", "B. Two")),
        (r"J. Garc\'ia, K. M\"uller, {\L}. Z", ("J. García", "K. Müller", "Ł. Z")),
        ("A. One, Jr., B. Two III", ("A. One, Jr.", "B. Two III")),
        ("A. One (broken, B. Two", ("A. One",)),
        ("", ()),
    ],
)
def test_arxiv(text: str, names: tuple[str, ...]) -> None:
    assert arxiv_authors(text) == names


@pytest.mark.parametrize(
    ("entries", "names"),
    [
        (["Ann One", "Two, Ben"], ("Ann One", "Ben Two")),
        (["One, Ann"], ("Ann One",)),
        (["Ann One, Ben Two"], ("Ann One", "Ben Two")),
        (["Ann One, Ben Two and Cy Three"], ("Ann One", "Ben Two", "Cy Three")),
        (["One, A.; Two, B. C."], ("A. One", "B. C. Two")),
        (["ONE, N., Two, P.-L."], ("N. ONE", "P.-L. Two")),
        (["范存祥,林志斌"], ("范存祥", "林志斌")),
        (["Authors: Ann One, Ben Two, et al."], ("Ann One", "Ben Two")),
        (["person1@a.example (Ann One)"], ("Ann One",)),
        (["Ann One (person1@a.example)", "Ben Two"], ("Ann One", "Ben Two")),
        (["<b>Ann One</b>", "", "Ann One"], ("Ann One",)),
        ([""], ()),
    ],
)
def test_feeds(entries: list[str], names: tuple[str, ...]) -> None:
    assert feed_authors(entries) == names


def test_mail_addresses_are_dropped() -> None:
    assert feed_authors(["ann@a.example (Ann Other)"]) == ("Ann Other",)
    assert feed_authors(["Ann Other ann@a.example, Bo @home"]) == ("Ann Other", "Bo @home")


@pytest.mark.parametrize("entries", [{"text": "Ann Other"}, "Ann Other", [{"text": "Ann Other"}]])
def test_what_is_no_list_of_names_is_told(entries: Any) -> None:
    with pytest.raises(ValueError, match="author"):
        listed_authors(entries)


@pytest.mark.parametrize(
    "field",
    ["<!--" * 15_000, "a" + "\u0301" * 59_000, '"' * 60_000, "@" * 60_000, "a@" * 30_000,
     "<style>" * 8_000, "\n " * 30_000, " " * 59_000 + "x"],
    ids=["comments", "marks", "quotes", "at", "addresses", "style", "lines", "blanks"],
)  # fmt: skip
def test_a_hostile_field_costs_no_more_than_a_blink(field: str) -> None:
    began = process_time()
    feed_authors([field])
    authors_in(field)
    abstract_of(field, "A title")
    assert process_time() - began < 1.5
