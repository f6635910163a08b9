"""Feeds of journals and blogs, with their oddities."""

import json
from datetime import UTC, date, datetime
from pathlib import Path

import pytest

from service.papers.model import Alias, Paper
from service.sources.adapter import CaptureError, ParameterError, Parsed
from service.sources.describe import filled
from service.sources.registry import ADAPTERS

FEED = ADAPTERS["feed"]
J21 = "journals_2021/2021-12-21/"


def read(shared: Path, name: str) -> Parsed:
    return FEED.parse((shared / "feeds" / name).read_bytes())


def names(paper: Paper) -> dict[str, str]:
    return {alias.scheme: alias.value for alias in paper.aliases}


def rss(item: str, head: str = "") -> Parsed:
    link = "<link>https://journal.example/</link>"
    return FEED.parse(
        f'<rss version="2.0"><channel><title>T</title>{link}{head}'
        f"<item>{item}</item></channel></rss>".encode()
    )


def only(result: Parsed) -> Paper:
    (sighting,) = result.sightings
    return sighting.paper


def test_rdf_with_prism(shared: Path) -> None:
    paper = read(shared, "nature/nature_rdf_2024-07-18_b7968e4.rss").sightings[0].paper
    assert names(paper)["doi"] == "10.1038/s41586-024-07811-4"
    assert paper.title == "Catalysis of an SN2 pathway by geometric preorganization"
    assert len(paper.authors) == 3
    assert paper.published_on == date(2024, 7, 18)
    assert paper.note == "Nature"
    assert paper.abstract == ""  # the description only repeats the title


def test_rss_091_that_puts_everything_into_the_description(shared: Path) -> None:
    result = read(shared, J21 + "mycokeys.pensoft.net-rss.php.xml")
    paper = result.sightings[0].paper
    assert len(result.sightings) == 100
    assert paper.title.startswith("Two new species of Phallus")  # the byte order mark is gone
    assert names(paper)["doi"] == "10.3897/mycokeys.85.75309"
    assert paper.authors[0] == "Ting Li"
    assert len(paper.authors) == 6
    assert not paper.abstract.startswith(("Abstract", "MycoKeys", "DOI"))


def test_a_saved_search_of_pubmed(shared: Path) -> None:
    name = (
        "pubmed.ncbi.nlm.nih.gov-rss-search-1rE397IRBYU0-ogsyRnEw9o91K808u0evolcHK9IDZ0PVH5cqD-.xml"
    )
    result = read(shared, J21 + name)
    paper = next(s.paper for s in result.sightings if names(s.paper)["pmid"] == "34929406")
    assert names(paper)["doi"] == "10.1016/j.parint.2021.102531"
    assert paper.links["abs"] == "https://pubmed.ncbi.nlm.nih.gov/34929406/"
    assert len(paper.authors) == 7
    assert "PMID" not in paper.abstract


def test_taylor_and_francis_have_no_abstract(shared: Path) -> None:
    result = read(shared, J21 + "tandfonline.com-feed-rss-nnfe20.xml")
    assert len(result.sightings) == 95
    assert not any(s.paper.abstract for s in result.sightings)
    assert all("?af=R" not in s.paper.links["abs"] for s in result.sightings)


def test_elsevier_has_only_a_label_of_authors(shared: Path) -> None:
    result = read(shared, "journals_2026/head/bioorg_med_chem.xml")
    paper = result.sightings[0].paper
    assert len(paper.authors) == 10
    assert paper.abstract == ""
    assert names(paper)["guid"].startswith("urn:elsevier")


def test_initials_behind_commas_are_names(shared: Path) -> None:
    paper = only(read(shared, "biorxiv/rdf_genomics_2023-12.xml"))
    assert names(paper)["doi"] == "10.1101/2023.12.16.571984"
    assert paper.authors[2:5] == ("A. Lu", "P.-L. Plaumann", "J. Amselem")


def test_a_preprint_keeps_its_name_over_versions(shared: Path) -> None:
    result = read(shared, "biorxiv/scraped_biorxiv_2026-01-20.xml")
    assert names(result.sightings[0].paper)["doi"] == "10.64898/2026.01.19.700241"


def test_german_weekdays(shared: Path) -> None:
    result = read(shared, "journals_2021/examples/ce.xml")
    assert result.sightings[0].paper.published_on == date(2021, 6, 30)
    assert result.sightings[0].paper.authors == ("Volker Assing", "Heinrich Meybohm")
    assert result.hint_seconds == 3600


def test_chinese_feeds(shared: Path) -> None:
    (name,) = (shared / "feeds/journals_2021/examples").glob("xbk*")
    paper = FEED.parse(name.read_bytes()).sightings[0].paper
    assert len(paper.authors) == 7
    assert paper.published_on == date(2021, 10, 16)


def test_a_feed_without_date_or_guid_still_names_its_papers(shared: Path) -> None:
    result = read(shared, "journals_2021/examples/sb.xml")
    paper = result.sightings[0].paper
    assert paper.published_on is None
    assert paper.authors == ("Jeffrey P. Rose",)
    assert all(s.paper.aliases for s in result.sightings)


@pytest.mark.slow
def test_a_feed_of_arxiv_papers_names_them_by_arxiv(shared: Path) -> None:
    result = read(shared, "arxiv_custom/jwst_feed_2026-08-22.xml")
    paper = result.sightings[0].paper
    assert paper.aliases[0] == Alias("arxiv", "2608.20339")
    assert paper.links["abs"] == "https://arxiv.org/abs/2608.20339"
    assert "5% Z⊙" in paper.abstract
    assert len(paper.authors) > 5


def test_most_of_a_flipping_feed_keeps_its_names(shared: Path) -> None:
    folder = shared / "feeds/journals_2026/history/jacs"
    polls = [FEED.parse(path.read_bytes()) for path in sorted(folder.glob("*.xml"))[:2]]
    keys = [{s.paper.key for s in poll.sightings} for poll in polls]
    assert all(len(key) >= 148 for key in keys)
    assert len(keys[0] & keys[1]) > 90
    assert all(key.scheme == "doi" for key in keys[0])


@pytest.mark.parametrize(
    "name", ["nature/empty_scrape_2026-02-08.xml", "arxiv_custom/cnchat_cs.LG_empty_2026-08.xml"]
)
def test_valid_and_empty(shared: Path, name: str) -> None:
    result = read(shared, name)
    assert (result.items, result.sightings, result.problems) == (0, (), ())
    assert result.title


def test_json_feed(shared: Path) -> None:
    result = read(shared, "jsonfeed/daringfireball_2020.json")
    assert len(result.sightings) == 14
    paper = result.sightings[0].paper
    assert (paper.title, paper.authors) == ("Square", ("John Gruber",))
    assert paper.published_on == date(2020, 2, 16)


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("biorxiv/api_details_biorxiv_2026-08-01.json", "no JSON Feed"),
        ("pubmed/efetch_2026-08.xml", "XML, but no feed"),
        ("arxiv_docs/rss_specifications.md", "no feed"),
    ],
)
def test_what_is_no_feed(shared: Path, name: str, said: str) -> None:
    with pytest.raises(CaptureError, match=said) as caught:
        read(shared, name)
    assert caught.value.next_step


def test_titles_escaped_twice_with_marks_and_breaks() -> None:
    paper = only(
        rss(
            "<title>\n [ASAP] &amp;lt;i&amp;gt;In&amp;lt;/i&amp;gt; vivo\n  R&amp;amp;D of "
            "CO&lt;sub&gt;2&lt;/sub&gt;</title>"
            "<link>https://journal.example/a b?utm_source=rss</link>"
        )
    )
    assert paper.title == "In vivo R&D of CO₂"
    assert paper.links["abs"] == "https://journal.example/a%20b"


def test_links_that_are_relative_or_unsafe() -> None:
    assert only(rss("<title>A</title><link>/x/1</link>")).links["abs"] == (
        "https://journal.example/x/1"
    )
    unsafe = only(rss("<title>A</title><guid>7</guid><link>javascript:alert(1)</link>"))
    assert unsafe.links == {}
    assert unsafe.aliases == (Alias("guid", "journal.example:7"),)


def test_a_nameless_item_is_a_problem_of_its_own() -> None:
    result = rss("<title>Short</title></item><item><link>https://a.example/1</link></item><item>"
                 "<title>Good</title><link>https://a.example/2</link>")  # fmt: skip
    assert [s.paper.title for s in result.sightings] == ["Good"]
    assert [problem.item for problem in result.problems] == [1, 2]
    assert result.items == 3


def test_poison_in_json_harms_only_itself() -> None:
    good = {"id": "https://a.example/1", "title": "Good", "content_text": "<think> stays"}
    feed = {
        "version": "https://jsonfeed.org/version/1.1",
        "items": [None, 7, good, {"id": "2", "title": ["B"]}],
    }
    result = FEED.parse(json.dumps(feed).encode())
    assert [s.paper.title for s in result.sightings] == ["Good"]
    assert [problem.item for problem in result.problems] == [1, 2, 4]


def test_atom_dates_are_not_mixed() -> None:
    body = b"""<feed xmlns="http://www.w3.org/2005/Atom"><title>T</title><id>urn:x</id>
    <entry><id>urn:uuid:1</id><title>A</title><published>2026-01-02T23:30:00-05:00</published>
    <updated>2026-02-01T00:00:00Z</updated></entry></feed>"""
    paper = only(FEED.parse(body))
    assert paper.published_on == date(2026, 1, 2)
    assert paper.updated_at == datetime(2026, 2, 1, tzinfo=UTC)


def test_hints() -> None:
    assert rss("<title>A</title>", "<ttl>180</ttl>").hint_seconds == 10_800
    assert rss("<title>A</title>", "<ttl>soon</ttl>").hint_seconds is None


def test_the_address_must_be_of_the_web() -> None:
    assert FEED.checked({"url": " https://a.example/f x "}) == {"url": "https://a.example/f%20x"}
    for wrong in ("file:///etc/passwd", "javascript:x", "a.example"):
        with pytest.raises(ParameterError):
            FEED.checked({"url": wrong})


def test_links_relative_to_the_feed_that_begin_like_a_number_are_papers_of_their_own() -> None:
    told = [
        only(rss(f"<title>A post about {name}</title><link>2024/0{n}/{name}.html</link>"))
        for n, name in enumerate(("glaciers", "volcanoes"), start=5)
    ]
    assert names(told[0]) == {"link": "https://journal.example/2024/05/glaciers.html"}
    assert names(told[1]) == {"link": "https://journal.example/2024/06/volcanoes.html"}


def test_a_feed_that_is_not_closed_is_named() -> None:
    whole = (
        '<rss version="2.0"><channel><title>T</title><link>https://a.example/</link>'
        "<item><title>One of a few papers</title><guid>1</guid></item>"
        "<item><title>Another of the few papers</title><guid>2</guid></item></channel></rss>"
    )
    assert not FEED.parse(whole.encode()).is_cut
    assert not FEED.parse((whole.replace("few", "few & fine") + "<!-- made -->").encode()).is_cut
    for end, left in ((1, 2), (15, 2), (20, 1), (50, 1)):
        parsed = FEED.parse(whole[:-end].encode())
        assert len(parsed.sightings) == left
        assert parsed.is_cut
        assert [(p.item, p.what) for p in parsed.problems] == [(0, "the answer ends in the middle")]


def test_one_wrong_byte_does_not_turn_the_rest_into_other_letters() -> None:
    body = (
        '<?xml version="1.0"?><rss version="2.0"><channel><title>T</title>'
        "<link>https://a.example/</link><item><title>Ångström, Erdős and Schrödinger</title>"
        "<description>A caf\x00 by the sea.</description><guid>1</guid></item></channel></rss>"
    ).encode()
    parsed = FEED.parse(body.replace(b"\x00", b"\xe9"))
    assert only(parsed).title == "Ångström, Erdős and Schrödinger"
    assert [(p.item, "UTF-8" in p.what) for p in parsed.problems] == [(0, True)]
    latin = FEED.parse(body.decode().replace("\x00", "é").replace("ő", "o").encode("latin-1"))
    assert only(latin).title == "Ångström, Erdos and Schrödinger"
    assert not latin.problems


@pytest.mark.parametrize(
    ("odd", "authors"),
    [
        ({"authors": [None, {"name": "Ann Other"}, "Bo Chen", {"name": None}, 7]}, ("Ann Other",)),
        ({"author": "Ann Other"}, ("Ann Other",)),
        ({"authors": "Ann Other"}, ("Ann Other",)),
        ({"authors": 3}, ()),
        ({"attachments": [None, "x", {"url": 5}]}, ()),
        ({"attachments": "x"}, ()),
        ({"tags": 5}, ()),
        ({"title": "A paper", "tags": {"a": 1}, "url": ["x"]}, ()),
    ],
)
def test_an_odd_optional_field_of_a_json_feed_loses_no_paper(
    odd: dict[str, object], authors: tuple[str, ...]
) -> None:
    item = {"id": "1", "title": "A paper", "url": "https://a.example/1", **odd}
    parsed = FEED.parse(
        json.dumps({"version": "https://jsonfeed.org/version/1.1", "items": [item]}).encode()
    )
    assert not parsed.problems
    assert only(parsed).authors[:1] == authors


def test_an_item_of_a_json_feed_that_is_no_object_is_named_in_words() -> None:
    parsed = FEED.parse(b'{"version": "https://jsonfeed.org/version/1.1", "items": [null, "x"]}')
    assert [p.what for p in parsed.problems] == ["it is no object", "it is no object"]


@pytest.mark.parametrize(
    ("written", "day", "latest"),
    [
        ("2019", None, date(2019, 12, 31)),
        ("2024-02", None, date(2024, 2, 29)),
        ("February 2023", None, date(2023, 2, 28)),
        ("2023-02-03", date(2023, 2, 3), None),
        ("2023-13", None, None),
        ("Spring 2023", None, None),
    ],
)
def test_a_year_or_month_alone_is_no_day_but_has_a_last_one(
    written: str, day: date | None, latest: date | None
) -> None:
    body = (
        '<rss version="2.0" xmlns:prism="http://prismstandard.org/namespaces/basic/2.0/"><channel>'
        "<title>Records</title><item><title>Sleep of glass sponges</title><guid>1</guid>"
        f"<prism:publicationDate>{written}</prism:publicationDate></item></channel></rss>"
    )
    (sighting,) = FEED.parse(body.encode()).sightings
    assert (sighting.paper.published_on, sighting.latest_on) == (day, latest)
    rows = {row.field for row in filled(FEED.parse(body.encode()))}
    assert ("latest_on" in rows) == (latest is not None)
