"""What else a description or a title says of a paper; the table of ``sources test``."""

from dataclasses import fields
from datetime import date
from typing import get_args

import pytest

from service.papers.model import SCHEMES, Alias, Link, Paper, Sighting
from service.sources.adapter import Parsed
from service.sources.authors import feed_authors, listed_authors
from service.sources.describe import Filled, filled
from service.sources.journal import abstract_of, authors_in, note_in, published_in
from service.sources.withdrawal import is_withdrawn


@pytest.mark.parametrize(
    ("title", "is_gone"),
    [
        ("RETRACTED: A study of rivers", True),
        ("[Retracted] A study", True),
        ("WITHDRAWN: A study", True),
        ("Retracted Article: A study", True),
        ("Retraction: A study of rivers", False),
        ("Retracted: why papers are withdrawn"[10:], False),
        ("Withdrawn consent in trials", False),
    ],
)
def test_withdrawn_by_its_title(title: str, is_gone: bool) -> None:
    assert is_withdrawn("", "", title) is is_gone


@pytest.mark.parametrize(
    ("description", "day"),
    [
        ("<p>Publication date: Available online 12 May 2031</p>", date(2031, 5, 12)),
        ("<p>Publication date: June 2031</p>", None),
        ("<p>Nature, Published online: 18 July 2031; doi:10.5555/x</p>", date(2031, 7, 18)),
        ("<p><b>Published:</b> 2031-05-09T17:59:58Z</p>", date(2031, 5, 9)),
        ("<p>Edge Article — 17 August 2031</p>", date(2031, 8, 17)),
        ("<p>In 12 May 2031 a river rose.</p>", None),
    ],
)
def test_the_day_in_a_description(description: str, day: date | None) -> None:
    assert published_in(description) == day


@pytest.mark.parametrize(
    ("description", "note"),
    [
        ("<p>Publication date: June 2031</p><p>Source: Rivers, Volume 9</p>",
         "Rivers, Volume 9, June 2031"),
        ("Journal: Rivers; Volume: 3; Pages: 4-7<br>Abstract: A.", "Rivers, Volume 3, Pages 4-7"),
        ("<p>River Keys 85: 109-125</p><p>DOI: 10.5555/x</p>", "River Keys 85: 109-125"),
        ("<p>Comments: 9 pages</p><p>Journal: Rivers</p>", "9 pages"),
        ("<p>Upvotes: 498</p><p>Stars: 7</p>", ""),
        ("<p>Ann Other, writing back in 2017:</p><p>Rivers rise.</p>", ""),
        ("<p>River Magazine, pp. 2-15</p>", "River Magazine, pp. 2-15"),
        ("<p>Volume 55, Issue 31-32, May 2031, Page 1-9</p>",
         "Volume 55, Issue 31-32, May 2031, Page 1-9"),
        ("<p>A paper about 12 rivers. It is of 1999.</p>", ""),
    ],
)  # fmt: skip
def test_where_it_appeared(description: str, note: str) -> None:
    assert note_in(description) == note


def test_words_before_a_quotation_are_no_citation() -> None:
    said = "<p>Ann Other, writing back in 2017:</p><p>Rivers rise every year.</p>"
    assert abstract_of(said, "T") == "Ann Other, writing back in 2017: Rivers rise every year."


def test_a_lone_author_before_the_citation() -> None:
    description = "Ana Silva<br/>Rivers Magazine, pp. 2-4<br/>DOI: 10.5555/x"
    assert authors_in(description) == "Ana Silva"
    assert abstract_of(description, "T") == ""


@pytest.mark.parametrize(
    ("entries", "names"),
    [
        (["The GLACIER Collaboration", ":", "A. One"], ("The GLACIER Collaboration", "A. One")),
        (["Ann One*", "Bo Two†", "Cy Three¹"], ("Ann One", "Bo Two", "Cy Three")),
        (["Ann One; Bo Two"], ("Ann One", "Bo Two")),
        (["Ann One (MIT, Boston)", "Li (Max) Fu"], ("Ann One", "Li (Max) Fu")),
        ([" ", "*", "7"], ()),
    ],
)
def test_lists_with_one_name_each(entries: list[str], names: tuple[str, ...]) -> None:
    assert listed_authors(entries) == names


def test_affiliations_and_pages_of_authors_are_dropped() -> None:
    assert feed_authors(["Ann One (MIT, Boston), Bo Two [X] and Cy Three"]) == (
        "Ann One", "Bo Two", "Cy Three",
    )  # fmt: skip
    assert feed_authors(["Ann One https://orcid.example/0000"]) == ("Ann One",)


def test_the_table_lists_every_field_link_and_name() -> None:
    paper = Paper(
        aliases=(Alias("arxiv", "3105.00001"),), title="T", votes=0, withdrawn=True,
        links={"thumbnail": "https://i.example/1"},
    )  # fmt: skip
    rows = {row.field: row for row in filled(Parsed(1, (Sighting(paper=paper),)))}
    left_out = {"id", "paper", "raw_title", "raw_abstract", "aliases", "links", "latest_on"}
    expected = {field.name for kind in (Paper, Sighting) for field in fields(kind)} - left_out
    expected |= {f"link: {kind}" for kind in get_args(Link)} | {f"name: {s}" for s in SCHEMES}
    assert set(rows) == expected
    assert (rows["votes"].filled, rows["votes"].example) == (1, "0")
    assert (rows["withdrawn"].filled, rows["withdrawn"].example) == (1, "yes")
    assert (rows["author_takes_part"].filled, rows["comments"].filled) == (0, 0)
    assert rows["link: thumbnail"].example == "https://i.example/1"


def test_per_cent_is_all_or_none_only_where_it_is() -> None:
    assert [Filled("f", n, 400 - n, "").percent for n in (0, 1, 200, 399, 400)] == [
        0, 1, 50, 99, 100,
    ]  # fmt: skip
