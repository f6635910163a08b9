"""Links of code, projects and images, out of what authors and publishers write."""

from time import process_time

import pytest

from service.papers.model import Alias
from service.sources.links import labelled_links, links_of, pictured, said_links, thumbnail


@pytest.mark.parametrize(
    ("note", "abstract", "found"),
    [
        ("12 pages. https://github.com/a/b.", "", {"code": "https://github.com/a/b"}),
        ("see github.com/a/b.git for more", "", {"code": "https://github.com/a/b"}),
        (r"code: https://www.github.com/a/b\_c", "", {"code": "https://github.com/a/b_c"}),
        ("Project page: https://p.example/x.", "", {"project": "https://p.example/x"}),
        ("Details on https://a.github.io/p/", "", {"project": "https://a.github.io/p/"}),
        ("Workshop of https://conf.example/2031, doi https://doi.org/10.5555/x", "", {}),
        ("", "Our code is at https://gitlab.com/a/b/tree/main/c.",
         {"code": "https://gitlab.com/a/b/tree/main/c"}),
        ("", r"Data and code: \url{https://github.com/a/b}.", {"code": "https://github.com/a/b"}),
        ("", "Code: https://anonymous.4open.science/r/a-D4B0",
         {"code": "https://anonymous.4open.science/r/a-D4B0"}),
        ("", "We crawl ten million issues of https://github.com/torvalds/linux daily.", {}),
        ("", "A model of github.com/ users and gitlab.com", {}),
        ("code: https://github.com/a/note", "Code: https://github.com/a/abstract",
         {"code": "https://github.com/a/note"}),
    ],
)  # fmt: skip
def test_what_authors_say(note: str, abstract: str, found: dict[str, str]) -> None:
    assert said_links(note, abstract) == found


def test_links_that_say_what_they_are() -> None:
    description = (
        '<a href="https://a.example/pdf?x=1&amp;y=2">PDF</a> <a href="javascript:x">Code</a>'
        "<a class='b' href='https://github.com/a/b'><b>GitHub</b></a>"
        '<a href="https://a.example/other">read on</a><a href="https://p.example/">Project Page</a>'
    )
    assert labelled_links(description) == {
        "pdf": "https://a.example/pdf?x=1&y=2",
        "code": "https://github.com/a/b",
        "project": "https://p.example/",
    }


def test_only_a_graphical_abstract_over_https_is_an_image_of_the_paper() -> None:
    pixel = '<img src="https://count.example/1.gif" alt="">'
    shown = '<img alt="Graphical abstract" width="9" src="https://i.example/a?b=1&amp;c=2">'
    assert pictured(pixel) == ""
    assert pictured(pixel + shown) == "https://i.example/a?b=1&c=2"
    assert thumbnail((None, 7, "http://i.example/a", "https://i.example/b")) == (
        "https://i.example/b"
    )
    assert thumbnail(("javascript:x", "data:image/png;base64,xx")) == ""


def test_arxivs_own_pages_stand_for_its_papers_but_not_for_a_journals() -> None:
    names = (Alias("arxiv", "3105.00001"), Alias("doi", "10.5555/x"))
    assert links_of(names)["abs"] == "https://arxiv.org/abs/3105.00001"
    at_home = links_of(names, abs_link="http://dx.doi.org/10.5555/X", pdf="javascript:x")
    assert at_home == {"abs": "https://doi.org/10.5555/X", "doi": "https://doi.org/10.5555/x"}
    assert links_of((Alias("doi", "10.5555/x"),))["abs"] == "https://doi.org/10.5555/x"


@pytest.mark.parametrize(
    "text",
    ["<a " * 20_000, '<a href="https://x.example/1">' * 2_000, "<img " * 15_000,
     "github.com/a/" * 5_000, "http://" * 8_000, "https://a.example/" * 3_000],
    ids=["anchors", "open anchors", "images", "repositories", "schemes", "pages"],
)  # fmt: skip
def test_hostile_text_costs_no_more_than_a_blink(text: str) -> None:
    began = process_time()
    said_links(text, text)
    labelled_links(text)
    pictured(text)
    assert process_time() - began < 1.0
