"""arXiv's announcements in three formats."""

from collections import Counter
from datetime import date
from pathlib import Path

import pytest

from service.papers.model import Alias
from service.sources.adapter import CaptureError, ParameterError, Parsed
from service.sources.registry import ADAPTERS

ARXIV = ADAPTERS["arxiv_rss"]
RSS = (
    b'<rss xmlns:arxiv="http://arxiv.org/schemas/atom" version="2.0"'
    b' xmlns:dc="http://purl.org/dc/elements/1.1/"><channel><title>%s</title>'
    b"<description>%s</description><pubDate>Wed, 29 Jul 2026 00:00:00 -0400</pubDate>"
    b"%s</channel></rss>"
)
OLD_RDF = b"""<?xml version="1.0" encoding="UTF-8"?>
<rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#" xmlns="http://purl.org/rss/1.0/"
 xmlns:dc="http://purl.org/dc/elements/1.1/">
<channel rdf:about="http://arxiv.org/"><title>cs.CL updates on arXiv.org</title>
<link>http://arxiv.org/</link><dc:date>2021-03-02T20:30:00-05:00</dc:date></channel>
<item rdf:about="http://arxiv.org/abs/2103.00001">
<title>A title with $x^2$. (arXiv:2103.00001v1 [cs.CL])</title>
<link>http://arxiv.org/abs/2103.00001</link>
<description>&lt;p&gt;We study it.&lt;/p&gt;</description>
<dc:creator>&lt;a href="http://arxiv.org/find/1"&gt;Ann One&lt;/a&gt;,
&lt;a href="x"&gt;Ben Two&lt;/a&gt;</dc:creator></item>
<item rdf:about="http://arxiv.org/abs/2102.00002">
<title>Another. (arXiv:2102.00002v2 [cs.AI] UPDATED)</title><link>http://arxiv.org/abs/2102.00002</link>
<description>Text</description></item>
<item rdf:about="http://arxiv.org/abs/2102.00003">
<title>Third. (arXiv:2102.00003v1 [math.ST] CROSS LISTED)</title>
<link>http://arxiv.org/abs/2102.00003</link><description>Text</description></item>
</rdf:RDF>"""


def read(shared: Path, name: str) -> Parsed:
    return ARXIV.parse((shared / "feeds" / name).read_bytes())


def test_rss(shared: Path) -> None:
    result = read(shared, "arxiv_rss20/cs.AI_2026-04-27.xml")
    first = result.sightings[0]
    assert result.items == 3
    assert first.paper.aliases[0] == Alias("arxiv", "2604.21935")
    assert first.paper.authors == ("Michael Cooper", "Samuel Cooper")
    assert first.listed_on == first.paper.announced_on == date(2026, 4, 27)
    assert first.paper.published_on is None
    assert (first.announce_type, first.paper.categories) == ("new", ("cs.AI", "cs.LG"))
    assert first.paper.abstract.startswith("Although")
    assert first.paper.links["abs"] == "https://arxiv.org/abs/2604.21935"
    assert first.paper.licence.startswith("http://creativecommons.org/")


def test_atom(shared: Path) -> None:
    result = read(shared, "arxiv_atom/cs.AI_2025-08-20.xml")
    assert result.items == len(result.sightings) == 7
    first = result.sightings[0]
    assert first.announce_type == "cross"
    assert first.listed_on == date(2025, 8, 20)
    assert len(first.paper.authors) == 3
    assert not first.paper.abstract.startswith("arXiv:")


def test_the_old_rdf() -> None:
    result = ARXIV.parse(OLD_RDF)
    first, second, third = result.sightings
    assert first.paper.title == "A title with x²"
    assert first.paper.abstract == "We study it."
    assert first.paper.authors == ("Ann One", "Ben Two")
    assert first.paper.categories == ("cs.CL",)
    assert first.listed_on == date(2021, 3, 3)
    assert [s.announce_type for s in (first, second, third)] == ["new", "replace", "cross"]


def test_a_whole_day(shared: Path) -> None:
    result = read(shared, "arxiv_rss20/RECONSTRUCTED_cs.CL_2026-06-17.xml")
    assert len({s.paper.key for s in result.sightings}) == 65
    assert Counter(s.announce_type for s in result.sightings)["cross"] > 0


def test_an_empty_weekend_is_no_error(shared: Path) -> None:
    result = read(shared, "arxiv_rss20/cs.CL_2026-08-01_weekend_empty.xml")
    assert (result.items, result.sightings, result.problems) == (0, (), ())
    assert result.title == "cs.CL updates on arXiv.org"


def test_drifting_descriptions_and_a_missing_title(shared: Path) -> None:
    result = read(shared, "arxiv_rss20/SYNTHETIC_cs.CL_2026-07-29_from_spec.xml")
    assert [s.paper.key.value for s in result.sightings] == [
        "2607.11111",
        "2607.22222",
        "2203.01250",
        "2607.33333",
    ]
    assert [s.announce_type for s in result.sightings] == ["new", "cross", "replace-cross", "new"]
    assert [(problem.item, problem.what) for problem in result.problems] == [(5, "it has no title")]
    assert result.sightings[1].paper.aliases[1] == Alias("doi", "10.1234/example.2607.22222")
    assert result.sightings[2].is_replacement
    assert result.sightings[2].paper.updated_at is None  # announced then, submitted before


def test_authors_with_affiliations_and_accents() -> None:
    item = (
        b"<item><title>T</title><link>https://arxiv.org/abs/2607.00001</link>"
        b"<guid>oai:arXiv.org:2607.00001v1</guid><description>arXiv:2607.00001v1 "
        b"Announce Type: new \nAbstract: This paper has been withdrawn by the author.</description>"
        b'<dc:creator>K. M\\"uller (Inst. A, City, Land), B. Two (1 and 2) ((1) X, (2) Y), '
        b"C. Three, Jr.</dc:creator></item>"
    )
    sighting = ARXIV.parse(RSS % (b"cs.CL updates", b"", item)).sightings[0]
    assert sighting.paper.authors == ("K. Müller", "B. Two", "C. Three, Jr.")
    assert sighting.paper.withdrawn
    assert sighting.listed_on == date(2026, 7, 29)


def test_an_unknown_category_is_an_error_with_arxivs_words() -> None:
    body = RSS % (b"Feed error for query: cs.XX", b"Invalid archive 'cs.XX'", b"")
    with pytest.raises(CaptureError, match=r"Invalid archive 'cs\.XX'"):
        ARXIV.parse(body)


@pytest.mark.slow
def test_a_full_list_is_warned_of() -> None:
    item = b"<item><title>T</title><guid>oai:arXiv.org:2607.%05dv1</guid></item>"
    result = ARXIV.parse(RSS % (b"x", b"", b"".join(item % n for n in range(1, 2001))))
    assert len(result.sightings) == 2000
    assert [problem.item for problem in result.problems] == [0]


def test_the_sources_setting_takes_or_leaves_cross_lists(shared: Path) -> None:
    cross = read(shared, "arxiv_atom/cs.AI_2025-08-20.xml").sightings[0]
    assert ARXIV.wanted({"category": "cs.AI"}, cross)
    assert not ARXIV.wanted({"category": "cs.AI", "take": "new"}, cross)


def test_parameters() -> None:
    today = date(2026, 6, 19)
    asked = ARXIV.requests(ARXIV.checked({"category": "cs.CL"}), today=today)
    assert [request.url for request in asked] == ["https://rss.arxiv.org/rss/cs.CL"]
    assert ARXIV.requests({"category": "cs.CL"}, today=today, days=(today,)) == ()
    assert ARXIV.history_params({"category": "cs.CL+hep-th"}) == {
        "query": "cat:cs.CL OR cat:hep-th"
    }
    for wrong in ({"category": "cs"}, {"category": "cs.CL/../x"}, {}, {"cat": "cs.CL"}):
        with pytest.raises(ParameterError) as caught:
            ARXIV.checked(wrong)
        assert caught.value.next_step
