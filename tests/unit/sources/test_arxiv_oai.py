"""arXiv's records by OAI-PMH; every paper here is invented."""

from datetime import UTC, date, datetime
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import pytest
from support.oai import error, oai_answer, oai_record, raw_record

from service.papers.model import Alias
from service.sources.adapter import CaptureError, ParameterError
from service.sources.novelty import novelty
from service.sources.registry import ADAPTERS

OAI = ADAPTERS["arxiv_oai"]
TODAY = date(2026, 11, 18)
BOMB = b"""<?xml version="1.0"?><!DOCTYPE b [<!ENTITY a "xxxxxxxxxx"><!ENTITY b "&a;&a;&a;&a;">]>
<OAI-PMH><ListRecords><record><header><identifier>&b;</identifier></header></record></ListRecords>
</OAI-PMH>"""


def test_a_record() -> None:
    record = oai_record(
        "2611.00005", "Sponges of G\\'odel", created="2026-11-16", changed="2026-11-17",
        people=(("Silva", "Ana", ""), ("Smith", "Bo", "Jr"), ("Kollektiv", "", "")),
        categories="cs.CL cs.AI", comments="12 pages", doi="10.5555/X.1",
        journal="J. Sponges 1 (2026)", licence="http://creativecommons.org/licenses/by/4.0/",
    )  # fmt: skip
    parsed = OAI.parse(oai_answer([record]))
    (sighting,) = parsed.sightings
    paper = sighting.paper
    assert (parsed.items, parsed.problems, parsed.bookmark) == (1, (), "")
    assert parsed.built_at == datetime(2026, 11, 18, 3, 40, tzinfo=UTC)
    assert paper.aliases[:2] == (Alias("arxiv", "2611.00005"), Alias("doi", "10.5555/x.1"))
    assert paper.title == "Sponges of Gódel"
    assert paper.authors == ("Ana Silva", "Bo Smith, Jr", "Kollektiv")
    assert (paper.categories, paper.note) == (("cs.CL", "cs.AI"), "12 pages; J. Sponges 1 (2026)")
    assert (paper.published_on, paper.updated_at) == (date(2026, 11, 16), None)
    assert (sighting.listed_on, sighting.announce_type) == (date(2026, 11, 17), "")
    assert paper.licence == "http://creativecommons.org/licenses/by/4.0/"
    assert paper.links["abs"] == "https://arxiv.org/abs/2611.00005"


def test_the_history_of_versions() -> None:
    record = raw_record(
        "2611.00005", "Sponges", changed="2026-11-17",
        versions=("Mon, 2 Nov 2026 18:00:00 GMT", "Mon, 16 Nov 2026 09:30:00 GMT"),
    )  # fmt: skip
    (sighting,) = OAI.parse(oai_answer([record])).sightings
    assert (sighting.version, sighting.submitter) == (2, "Ana Silva")
    assert sighting.paper.published_on == date(2026, 11, 2)
    assert sighting.paper.updated_at == datetime(2026, 11, 16, 9, 30, tzinfo=UTC)
    assert sighting.paper.authors == ("Ana Silva", "Bo Chen", "Cy Diaz")


def test_an_old_paper_that_changed_is_never_new() -> None:
    records = [
        oai_record("1905.00005", "Old", created="2019-05-02", changed="2026-11-17"),
        oai_record("2611.00006", "Held", created="2026-09-01", changed="2026-11-17"),
        oai_record("2611.00005", "Fresh", created="2026-11-16", changed="2026-11-17"),
    ]
    old, held, fresh = OAI.parse(oai_answer(records)).sightings
    assert (old.is_replacement, held.is_replacement, fresh.is_replacement) == (True, False, False)
    for first in (True, False):
        verdicts = novelty("arxiv_oai", [old, fresh], today=TODAY, first_poll=first, history=False)
        assert verdicts[0] in ("refresh", "known")
        assert verdicts[1] == "new"


def test_nothing_that_matches_is_an_empty_answer() -> None:
    parsed = OAI.parse(error("noRecordsMatch"))
    assert (parsed.items, parsed.sightings, parsed.bookmark) == (0, (), "")


@pytest.mark.parametrize("code", ["badResumptionToken", "badArgument", "noSetHierarchy"])
def test_an_error_is_told_in_arxivs_own_words(code: str) -> None:
    with pytest.raises(CaptureError, match=f"arXiv answered with an error: {code}: in words"):
        OAI.parse(error(code))


def test_deleted_records_and_broken_ones_harm_no_other() -> None:
    deleted = (
        '<record><header status="deleted"><identifier>oai:arXiv.org:2611.00001</identifier>'
        "<datestamp>2026-11-17</datestamp></header></record>"
    )
    empty = "<record><header><datestamp>2026-11-17</datestamp></header></record>"
    untitled = oai_record("2611.00003", "", created="2026-11-16", changed="2026-11-17")
    good = oai_record("2611.00002", "Good", created="2026-11-16", changed="2026-11-17")
    parsed = OAI.parse(oai_answer([deleted, empty, untitled, good]))
    assert [x.paper.title for x in parsed.sightings] == ["Good"]
    assert [(x.item, x.what) for x in parsed.problems] == [
        (2, "it holds no arXiv record"),
        (3, "it has no title"),
    ]


def test_the_token_alone_asks_for_the_next_page() -> None:
    token = "verb%3DListRecords%26from%3D2026-11-16%26skip%3D1300"
    (first,) = OAI.requests({"set": "cs:cs:AI"}, today=TODAY)
    parsed = OAI.parse(oai_answer([], token=token))
    after = OAI.next_page(first, parsed)
    assert after is not None
    asked = parse_qs(urlsplit(after.url).query)
    assert asked == {"verb": ["ListRecords"], "resumptionToken": [token]}
    assert OAI.next_page(after, OAI.parse(oai_answer([], token=""))) is None


def test_what_is_asked() -> None:
    params = OAI.checked({"set": "cs.cl+hep-th"})
    assert params == {"set": "cs:cs:CL+physics:hep-th", "format": "arXiv"}
    poll = OAI.requests(params, today=TODAY)
    assert [parse_qs(urlsplit(one.url).query) for one in poll] == [
        {"verb": ["ListRecords"], "metadataPrefix": ["arXiv"], "set": [name],
         "from": ["2026-11-17"]}
        for name in ("cs:cs:CL", "physics:hep-th")
    ]  # fmt: skip
    days = (date(2026, 11, 3), date(2026, 11, 1))
    (past,) = OAI.requests({"set": "cs:cs:CL", "format": "arXivRaw"}, today=TODAY, days=days)
    asked = parse_qs(urlsplit(past.url).query)
    assert (asked["from"], asked["until"]) == (["2026-11-01"], ["2026-11-03"])
    assert asked["metadataPrefix"] == ["arXivRaw"]


@pytest.mark.parametrize(
    ("typed", "meant"),
    [
        ("cs.ai", "cs:cs:AI"),
        ("astro-ph.GA", "physics:astro-ph:GA"),
        ("physics.optics", "physics:physics:optics"),
        ("q-bio.NC", "q-bio:q-bio:NC"),
        ("quant-ph", "physics:quant-ph"),
        ("physics", "physics"),
        ("cs:cs:LG", "cs:cs:LG"),
    ],
)
def test_sets_are_found_by_the_names_of_categories(typed: str, meant: str) -> None:
    assert OAI.checked({"set": typed})["set"] == meant


@pytest.mark.parametrize("typed", ["everything at all", "cs:cs:AI&x=1", "cs::"])
def test_other_words_are_refused(typed: str) -> None:
    with pytest.raises(ParameterError):
        OAI.checked({"set": typed})


def test_entities_are_never_expanded() -> None:
    with pytest.raises(CaptureError, match="declares a document type"):
        OAI.parse(BOMB)


@pytest.mark.parametrize("page", [b"<!DOCTYPE html><html></html>", b"<!doctype HTML>\n<p>Busy"])
def test_a_web_page_is_called_one(page: bytes) -> None:
    with pytest.raises(CaptureError, match="web page"):
        OAI.parse(page)


def test_what_is_nested_too_deep_is_refused() -> None:
    with pytest.raises(CaptureError, match="nested too deep"):
        OAI.parse(b"<OAI-PMH>" + b"<a>" * 5000)


@pytest.mark.parametrize("all_but", [5, 40, 300])
def test_an_answer_cut_off_keeps_its_whole_records(all_but: int) -> None:
    records = [
        oai_record(f"2611.0000{n}", f"Paper {n}", created="2026-11-16", changed="2026-11-17")
        for n in (1, 2, 3)
    ]
    parsed = OAI.parse(oai_answer(records, token="next")[:-all_but])
    assert (parsed.is_cut, parsed.bookmark) == (True, "")
    assert [x.paper.title for x in parsed.sightings][:2] == ["Paper 1", "Paper 2"]
    assert "ends in the middle" in parsed.problems[-1].what


def test_bytes_that_are_no_text_stop_nothing() -> None:
    record = oai_record("2611.00001", "Odd", created="2026-11-16", changed="2026-11-17")
    body = oai_answer([record]).replace(b"About Odd", b"About \x0b \xff Odd")
    parsed = OAI.parse(body)
    assert [x.paper.title for x in parsed.sightings] == ["Odd"]
    assert "no UTF-8" in parsed.problems[0].what


def test_names_of_another_prefix_are_the_same_names() -> None:
    record = oai_record("2611.00001", "Prefixed", created="2026-11-16", changed="2026-11-17")
    plain = oai_answer([record]).decode()
    other = plain.replace("<", "<o:").replace("<o:/", "</o:").replace("<o:?", "<?")
    other = other.replace(' xmlns="', ' xmlns:o="')
    assert OAI.parse(other.encode()).sightings == OAI.parse(plain.encode()).sightings


def test_other_kinds_are_refused(shared: Path) -> None:
    body = (shared / "feeds" / "arxiv_api" / "glacier_2026-08-07.xml").read_bytes()
    with pytest.raises(CaptureError, match=r"no answer of OAI-PMH"):
        OAI.parse(body)
