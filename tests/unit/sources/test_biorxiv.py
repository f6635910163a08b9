"""bioRxiv and medRxiv by day; every paper here is invented."""

import json
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import pytest

from service.papers.model import Alias, Paper
from service.sources.adapter import CaptureError, ParameterError, Parsed
from service.sources.novelty import novelty
from service.sources.registry import ADAPTERS

BIO = ADAPTERS["biorxiv"]
SATURDAY = date(2026, 8, 1)
CELLS = {"server": "biorxiv", "subject": "cell biology"}


def post(**fields: str) -> dict[str, str]:
    return {
        "title": "Sleeping sponges remember light",
        "authors": "Silva, A. B.; van den Berg, J.; Chen, B.",
        "author_corresponding_institution": "University of Nowhere",
        "doi": "10.64898/2026.07.31.700001",
        "date": "2026-08-01",
        "version": "1",
        "type": "new results",
        "license": "cc_by_nc_nd",
        "category": "Cell Biology",
        "abstract": "We watched sponges. They slept.",
        "published": "NA",
        "server": "bioRxiv",
        **fields,
    }


def answer(posts: list[Any], status: str = "ok", **said: Any) -> bytes:
    return json.dumps({"messages": [{"status": status, **said}], "collection": posts}).encode()


def one(**fields: str) -> Paper:
    parsed = BIO.parse(answer([post(**fields)], total="1"))
    assert parsed.problems == ()
    return parsed.sightings[0].paper


def test_a_first_version() -> None:
    parsed = BIO.parse(answer([post()], total="873", count=30))
    (sighting,) = parsed.sightings
    paper = sighting.paper
    assert (parsed.total, parsed.title) == (873, "bioRxiv")
    assert paper.key == Alias("doi", "10.64898/2026.07.31.700001")
    assert paper.authors == ("A. B. Silva", "J. van den Berg", "B. Chen")
    assert (paper.published_on, paper.announced_on, paper.updated_at) == (SATURDAY, SATURDAY, None)
    assert (sighting.listed_on, sighting.is_replacement) == (SATURDAY, False)
    assert paper.licence == "https://creativecommons.org/licenses/by-nc-nd/4.0/"
    assert (paper.categories, paper.organisation) == (("cell biology",), "University of Nowhere")
    assert paper.links["abs"] == "https://www.biorxiv.org/content/10.64898/2026.07.31.700001v1"
    assert paper.links["pdf"].endswith("700001v1.full.pdf")
    assert paper.note == ""


def test_a_later_version_is_the_same_paper_and_never_news() -> None:
    (sighting,) = BIO.parse(answer([post(version="2", date="2026-8-5")])).sightings
    assert sighting.paper.key == one().key
    assert sighting.paper.published_on is None
    assert sighting.paper.updated_at == datetime(2026, 8, 5, tzinfo=UTC)
    verdicts = novelty(
        "biorxiv", [sighting], today=date(2026, 8, 5), first_poll=False, history=False
    )
    assert verdicts == ("refresh",)


def test_the_journals_doi_is_a_second_name() -> None:
    paper = one(published="10.5555/Nature.2026.1")
    assert [alias.value for alias in paper.aliases if alias.scheme == "doi"] == [
        "10.64898/2026.07.31.700001",
        "10.5555/nature.2026.1",
    ]
    assert paper.links["doi"] == "https://doi.org/10.5555/nature.2026.1"
    assert one().links["doi"] == "https://doi.org/10.64898/2026.07.31.700001"


@pytest.mark.parametrize(
    ("written", "shown"),
    [
        ("MethodsWe measured.\n\nResultsIt grew.", "Methods: We measured. Results: It grew."),
        ("O_ST_ABSAimsC_ST_ABSTo see.", "Aims: To see."),
        ("Use GO_SCPLOWRAC_SCPLOWNPA on O_SCPLOWDC_SCPLOW-ribose.", "Use GRANPA on D-ribose."),
        ("Low {beta}-catenin at 4 {degrees}C, {Delta}F {+/-} 1.", "Low β-catenin at 4 °C, ΔF ± 1."),
        ("First.\nO_LIone\nC_LIO_LItwo\nC_LI", "First. one two"),
        ("Seen. O_FIG O_LINKSMALLFIG WIDTH=200 C_FIG Done.", "Seen. Done."),
        ("<p>A <i>new</i> &lt;think&gt; cell</p>", "A new <think> cell"),
        ("Aims to be plain.", "Aims to be plain."),
        ("RESULTS We saw.", "RESULTS We saw."),
        ("Resultsets are joined.", "Resultsets are joined."),
        ("Designing proteins", "Designing proteins"),
    ],
)
def test_marks_of_the_typesetting_are_taken_out(written: str, shown: str) -> None:
    assert one(abstract=written).abstract == shown


@pytest.mark.parametrize(
    ("word", "address"),
    [("cc0_ng", "publicdomain/zero/1.0/"), ("cc_by", "licenses/by/4.0/"), ("cc_no", "")],
)
def test_licences(word: str, address: str) -> None:
    assert one(license=word).licence.removeprefix("https://creativecommons.org/") == address


@pytest.mark.parametrize("fields", [{"type": "withdrawn"}, {"title": "WITHDRAWN: Sponges"}])
def test_withdrawn(fields: dict[str, str]) -> None:
    assert one(**fields).withdrawn
    assert not one().withdrawn


def test_one_bad_post_is_a_problem() -> None:
    parsed = BIO.parse(answer([post(), post(doi="none"), post(date="soon"), "no object", post()]))
    assert [(problem.item, problem.what) for problem in parsed.problems] == [
        (2, "it has no DOI"),
        (3, "it has no date"),
        (4, "it has no DOI"),
    ]
    assert len(parsed.sightings) == 2


def test_no_posts_is_an_empty_answer_and_an_error_is_told() -> None:
    assert BIO.parse(answer([], "no posts found")).items == 0
    with pytest.raises(CaptureError, match="answered with an error: server is not supported"):
        BIO.parse(answer([], "server is not supported"))
    with pytest.raises(CaptureError, match="no list of posts"):
        BIO.parse(b'{"collection": []}')


def test_a_poll_asks_for_two_days_page_by_page() -> None:
    today, before = BIO.requests(CELLS, today=SATURDAY)
    assert today.url == (
        "https://api.biorxiv.org/details/biorxiv/2026-08-01/2026-08-01/0/json?category=cell_biology"
    )
    assert (today.day, before.day) == (SATURDAY, date(2026, 7, 31))
    assert BIO.day_of(before.url) == date(2026, 7, 31)
    assert BIO.day_of("https://example.org/x") is None
    after = BIO.next_page(today, Parsed(30, (), total=75))
    assert after is not None
    assert after.day == SATURDAY
    assert after.url.endswith("/2026-08-01/2026-08-01/30/json?category=cell_biology")
    last = BIO.next_page(after, Parsed(30, (), total=75))
    assert last is not None
    assert BIO.next_page(last, Parsed(15, (), total=75)) is None
    assert BIO.next_page(today, Parsed(0, (), total=75)) is None


def test_past_days_are_asked_one_by_one() -> None:
    days = (date(2026, 7, 2), date(2026, 7, 1))
    asked = BIO.requests({"server": "medrxiv"}, today=SATURDAY, days=days)
    assert [request.day for request in asked] == list(days)
    assert asked[0].url.endswith("/medrxiv/2026-07-02/2026-07-02/0/json")


def test_a_subject_is_spelt_in_its_own_way_and_kept_to() -> None:
    params = BIO.checked({"server": "bioRxiv", "subject": "Cell_Biology"})
    assert (params, BIO.called(params)) == (CELLS, "bioRxiv cell biology")
    (mine,) = BIO.parse(answer([post()])).sightings
    (other,) = BIO.parse(answer([post(category="zoology")])).sightings
    assert (BIO.wanted(CELLS, mine), BIO.wanted(CELLS, other)) == (True, False)
    assert BIO.wanted({"server": "biorxiv"}, other)
    with pytest.raises(ParameterError):
        BIO.checked({"server": "chemrxiv"})


def test_a_real_answer(shared: Path) -> None:
    path = shared / "feeds" / "biorxiv" / "api_details_biorxiv_2026-08-01.json"
    parsed = BIO.parse(path.read_bytes())
    assert (parsed.items, parsed.total, parsed.problems) == (10, 873, ())
    assert sum(sighting.is_replacement for sighting in parsed.sightings) == 5
    papers = [sighting.paper for sighting in parsed.sightings]
    assert all(paper.licence and paper.categories and paper.organisation for paper in papers)
    assert not any("SCPLOW" in paper.abstract or "{" in paper.abstract for paper in papers)
    assert papers[1].abstract.startswith("Purpose: We introduce GRANPA")
