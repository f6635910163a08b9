"""A paper's own page tells what changed; a withdrawn paper says so wherever it is shown."""

import json
from collections.abc import Iterator
from datetime import UTC, date, datetime
from pathlib import Path

import pytest
from support.house import add, ingest_items, paper_item
from support.reading_house import Reading, reading_house
from support.sightings import bring, seen

from service.delivery.i18n import Texts, pseudo
from service.flows.changes import Changed, PaperHistory
from service.flows.daily import plan_daily
from service.web.changes import change_lines, votes_sentence


@pytest.fixture
def house(tmp_path: Path) -> Iterator[Reading]:
    with reading_house(tmp_path) as made:
        yield made


def test_the_page_tells_what_changed(house: Reading, tmp_path: Path) -> None:
    item = paper_item(100, "Adapters that forget less", votes=45)
    item["paper"]["githubRepo"] = "https://github.com/lab/adapters"
    assert "What changed" not in house.client.get("/papers/arxiv/2611.00100").text
    ingest_items(house.rt, tmp_path, [item], on=date(2026, 11, 19))
    page = house.client.get("/papers/arxiv/2611.00100").text
    part = page[page.index("What changed") :]
    assert '<time datetime="2026-11-19">Thu 19 November</time>' in part
    assert 'Code was linked: <a href="https://github.com/lab/adapters">github.com</a>' in part
    assert "Votes: 9 at first and 45 on 19 Nov." in part


def test_every_change_has_words_in_the_readers_language() -> None:
    on = date(2026, 11, 19)
    values = {
        "code": "https://github.com/a/b",
        "project": "javascript:alert(1)",
        "doi": "10.1000/x",
        "version": "2",
        "withdrawn": "",
        "title": "The <title> of before",
        "merged": "arxiv:2611.00001",
    }
    history = PaperHistory(tuple(Changed(kind, on, value) for kind, value in values.items()))
    lines = change_lines(history, Texts("en"))
    assert [(line.words, line.address) for line in lines] == [
        ("Code was linked:", "https://github.com/a/b"),
        ("A project page was linked:", ""),
        ("It has a DOI:", "https://doi.org/10.1000/x"),
        ("Version 2 was seen.", ""),
        ("It was withdrawn.", ""),
        ("The title was: The <title> of before", ""),
        ("arXiv 2611.00001 was found to be this paper, too.", ""),
    ]
    accented = change_lines(history, Texts("en-XA"))
    assert all(line.words.startswith("⟦") for line in accented)
    before = {"version": "2025-12-01 00:00:00+00:00", "doi": "(Alias(", "hidden": "broken"}
    earlier = PaperHistory(tuple(Changed(kind, on, value) for kind, value in before.items()))
    assert change_lines(earlier, Texts("en")) == []  # as rows of earlier days were written
    other = PaperHistory((Changed("merged", on, "guid:https://x.example/1"),))
    assert change_lines(other, Texts("en"))[0].words == "Two entries were found to be this paper."


def test_votes_over_time_are_one_sentence() -> None:
    points = ((date(2026, 11, 3), 1200), (date(2026, 12, 4), 1300))
    history = PaperHistory(votes_before=12, votes=points)
    said = votes_sentence(history, Texts("en"), date(2027, 1, 1))
    assert said == "Votes: 12 at first, 1,200 on 3 Nov 2026, and 1,300 on 4 Dec 2026."
    assert votes_sentence(PaperHistory(), Texts("en"), date(2027, 1, 1)) == ""
    unknown = PaperHistory(votes=points[:1])
    assert votes_sentence(unknown, Texts("en-XA"), date(2026, 11, 4)).startswith(
        pseudo("Votes: ")[:-1]
    )


def test_a_withdrawn_paper_says_so_on_pages_in_feeds_and_in_mails(
    house: Reading, tmp_path: Path
) -> None:
    bring(
        house.rt,
        "arxiv_api",
        seen("arxiv:2611.00100", title="Adapters that forget less", withdrawn=True, version=2,
             updated_at=datetime(2026, 11, 18, 8, tzinfo=UTC)),
    )  # fmt: skip
    for address in ("/papers/arxiv/2611.00100", "/papers/2026-11-18", "/search?q=forget"):
        page = house.client.get(address).text
        assert '<span class="whole">withdrawn</span>' in page, address
    titles = [
        one["title"] for one in json.loads(house.client.get("/feeds/papers.json").text)["items"]
    ]
    assert "Adapters that forget less (withdrawn)" in titles
    for kind in ("atom", "rss"):
        feed = house.client.get(f"/feeds/papers.{kind}").text
        assert "Adapters that forget less (withdrawn)</title>" in feed
    add(house.rt, "zoe@example.org", "forget")
    plan_daily(house.rt)
    house.send()
    (mail,) = house.mails("zoe@example.org")
    for form in ("plain", "html"):
        body = mail.get_body((form,))
        assert body is not None
        assert "withdrawn" in body.get_content()


def test_categories_have_their_names_on_a_papers_page(house: Reading) -> None:
    paper = seen("arxiv:2611.04321", categories=("cs.LG", "cs.CL", "Genomics"))
    bring(house.rt, "arxiv_rss", paper)
    page = house.client.get("/papers/arxiv/2611.04321").text
    assert "<bdi>Machine Learning (cs.LG)</bdi>" in page
    assert "<bdi>Computation and Language (cs.CL)</bdi></span><span><bdi>Genomics</bdi>" in page
