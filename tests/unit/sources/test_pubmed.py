"""Saved searches of PubMed; every paper here is invented."""

from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest

from service.papers.model import Alias
from service.sources.adapter import CaptureError, ParameterError
from service.sources.outcome import Fetched
from service.sources.registry import ADAPTERS
from service.sources.schedule import PollState, next_poll

PUBMED = ADAPTERS["pubmed"]
URL = "https://pubmed.ncbi.nlm.nih.gov/rss/search/1abcDEF/?limit=15"
ITEM = """<item><title>Sleep in glass sponges</title>
<link>https://pubmed.ncbi.nlm.nih.gov/{number}/?utm_source=Other&amp;fc=2021&amp;ff={fetched}&amp;v=2.1</link>
<description>We watched glass sponges for a year, and they...</description>
<content:encoded><![CDATA[<div><p style="color: #4aa564;">J Sponge Res. 2026 Nov 2:1-9.
doi: 10.5555/jsr.2026.1. Online ahead of print.</p><p><b>ABSTRACT</b></p>
<p>We watched glass sponges for a year, and they slept through all of it.</p>
<p style="color: lightgray">PMID:<a href="https://pubmed.ncbi.nlm.nih.gov/{number}/">{number}</a> |
DOI:<a href="https://doi.org/10.5555/jsr.2026.1">10.5555/jsr.2026.1</a></p></div>]]></content:encoded>
<guid isPermaLink="false">pubmed:{number}</guid><pubDate>Mon, 02 Nov 2026 06:00:00 -0500</pubDate>
<dc:creator>Ana Silva</dc:creator><dc:creator>Bo Chen</dc:creator><dc:date>2026-11-02</dc:date>
<dc:source>Journal of sponge research</dc:source>
<dc:identifier>pmid:{number}</dc:identifier><dc:identifier>doi:10.5555/jsr.2026.1</dc:identifier>
</item>"""


def feed(*items: str) -> bytes:
    return (
        '<?xml version="1.0" encoding="UTF-8"?><rss version="2.0"'
        ' xmlns:dc="http://purl.org/dc/elements/1.1/"'
        ' xmlns:content="http://purl.org/rss/1.0/modules/content/"><channel>'
        "<title>sponges AND sleep</title><link>https://pubmed.ncbi.nlm.nih.gov/rss-feed/</link>"
        f"<description>d</description><ttl>120</ttl>{''.join(items)}</channel></rss>"
    ).encode()


def test_number_doi_journal_and_the_abstract_without_its_citation() -> None:
    parsed = PUBMED.parse(feed(ITEM.format(number=41234567, fetched=1)))
    (paper,) = [sighting.paper for sighting in parsed.sightings]
    assert parsed.title == "sponges AND sleep"
    assert paper.aliases[:2] == (Alias("doi", "10.5555/jsr.2026.1"), Alias("pmid", "41234567"))
    assert paper.title == "Sleep in glass sponges"
    assert (
        paper.abstract == "We watched glass sponges for a year, and they slept through all of it."
    )
    assert (paper.note, paper.authors) == ("Journal of sponge research", ("Ana Silva", "Bo Chen"))
    assert (paper.published_on, paper.announced_on) == (date(2026, 11, 2), None)
    assert paper.links == {
        "abs": "https://pubmed.ncbi.nlm.nih.gov/41234567/",
        "doi": "https://doi.org/10.5555/jsr.2026.1",
    }


def test_the_same_paper_of_two_fetches_has_the_same_names() -> None:
    one, other = (
        PUBMED.parse(feed(ITEM.format(number=41234567, fetched=at))).sightings[0].paper
        for at in (1, 2)
    )
    assert one == other


def test_it_is_asked_twice_an_hour_whatever_its_own_hint() -> None:
    now = datetime(2026, 11, 18, 9, 0, tzinfo=UTC)
    parsed = PUBMED.parse(feed(ITEM.format(number=41234567, fetched=1)))
    assert parsed.hint_seconds is None
    plan = next_poll("pubmed", Fetched(body=b"", url=URL), now=now, before=PollState())
    assert plan.next_poll_at == now + timedelta(minutes=30)


def test_an_empty_search_is_fine_and_another_feed_is_refused() -> None:
    assert PUBMED.parse(feed()).items == 0
    other = "<item><title>Notes of a society</title><link>https://a.example/1</link></item>"
    with pytest.raises(CaptureError, match="none of its papers has a PubMed number"):
        PUBMED.parse(feed(other))


@pytest.mark.parametrize(
    ("url", "fits"),
    [
        (URL, True),
        ("https://pubmed.ncbi.nlm.nih.gov/?term=sponges", False),
        ("https://example.org/rss/search/1", False),
        ("javascript:alert(1)", False),
    ],
)
def test_only_the_address_of_a_saved_search(url: str, fits: bool) -> None:
    if fits:
        assert PUBMED.checked({"url": url}) == {"url": url}
        return
    with pytest.raises(ParameterError):
        PUBMED.checked({"url": url})


@pytest.mark.parametrize("day", ["2021-12-14", "2021-12-21"])
def test_real_searches(shared: Path, day: str) -> None:
    (path,) = (shared / "feeds" / "journals_2021" / day).glob("pubmed*")
    parsed = PUBMED.parse(path.read_bytes())
    papers = [sighting.paper for sighting in parsed.sightings]
    assert (parsed.items, len(papers), parsed.problems) == (15, 15, ())
    assert all(paper.note and paper.authors and paper.published_on for paper in papers)
    schemes = [{alias.scheme for alias in paper.aliases} for paper in papers]
    assert all("pmid" in names for names in schemes)
    assert sum("doi" in names for names in schemes) >= 14
    assert not any("PMID" in paper.abstract or "doi:" in paper.abstract for paper in papers)
