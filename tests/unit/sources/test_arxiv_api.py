"""arXiv's query interface."""

from dataclasses import replace
from datetime import UTC, date, datetime
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import pytest
from support.polling import arxiv_answer, arxiv_feed

from service.papers.model import Alias
from service.sources.adapter import CaptureError, Parsed
from service.sources.arxiv_rss import ArxivRss
from service.sources.registry import ADAPTERS
from service.sources.withdrawal import is_withdrawn

API = ADAPTERS["arxiv_api"]
ERROR = b"""<feed xmlns="http://www.w3.org/2005/Atom"><title>ArXiv Query</title>
<entry><id>http://arxiv.org/api/errors#incorrect_id_format_for_1234</id><title>Error</title>
<summary>incorrect id format for 1234</summary></entry></feed>"""


def read(shared: Path, name: str) -> Parsed:
    return API.parse((shared / "feeds" / "arxiv_api" / name).read_bytes())


def test_one_entry(shared: Path) -> None:
    paper = read(shared, "arxivpy_id_2104.12255v1_s0_m100.http200.xml").sightings[0].paper
    assert paper.aliases[0] == Alias("arxiv", "2104.12255")
    assert paper.title == "0"
    assert paper.published_on == date(2021, 4, 20)
    assert "$35,000" in paper.abstract


def test_an_id_of_before_2007(shared: Path) -> None:
    paper = read(shared, "arxivpy_id_quant-ph_0201082v1_s0_m100.http200.xml").sightings[0].paper
    assert paper.key.value == "quant-ph/0201082"
    assert paper.categories == ("quant-ph", "cs.PL")
    assert paper.note == "32 pages"


def test_a_page_of_a_query(shared: Path) -> None:
    result = read(shared, "arxivpy_q_testing_s0_m10.http200.xml")
    first = result.sightings[0].paper
    assert (result.items, len(result.sightings)) == (10, 10)
    assert result.total is not None
    assert result.total > 10
    assert first.key.value == "2202.12139"
    assert Alias("doi", "10.1109/icstw55395.2022.00035") in first.aliases
    assert first.updated_at is not None
    assert first.authors == ("Mohit Kumar Ahuja", "Arnaud Gotlieb", "Helge Spieker")


def test_an_unknown_id_is_an_empty_answer(shared: Path) -> None:
    result = read(shared, "arxivpy_id_0000.0000_s0_m100.http200.xml")
    assert (result.items, result.total) == (0, 0)
    assert result.built_at == datetime(2026, 4, 12, 22, 9, 26, tzinfo=UTC)


def test_an_error_is_one_entry_titled_error() -> None:
    with pytest.raises(CaptureError, match="incorrect id format for 1234"):
        API.parse(ERROR)


def test_the_past_is_one_window_read_to_its_end() -> None:
    days = (date(2026, 6, 1), date(2026, 6, 3), date(2026, 6, 2))
    (request,) = API.requests({"query": "cat:cs.CL"}, today=date(2026, 6, 19), days=days)
    asked = parse_qs(urlsplit(request.url).query)
    window = "submittedDate:[202606010000 TO 202606032359]"
    assert asked["search_query"] == [f"(cat:cs.CL) AND {window}"]
    after = API.next_page(request, Parsed(500, (), total=700))
    assert after is not None
    assert parse_qs(urlsplit(after.url).query)["start"] == ["500"]
    assert API.next_page(after, Parsed(200, (), total=700)) is None
    (poll,) = API.requests({"query": "cat:cs.CL"}, today=date(2026, 6, 19))
    assert API.next_page(poll, Parsed(200, (), total=90_000)) is None


def test_a_poll_goes_two_weeks_deep_at_most() -> None:
    (poll,) = API.requests({"query": "cat:cs.CL"}, today=date(2026, 6, 19))
    made_at = datetime(2026, 6, 19, tzinfo=UTC)

    def follows(last: str, total: int = 90_000) -> bool:
        body = arxiv_answer([("2606.00001", "One", "2026-06-19"), ("2605.00001", "Two", last)])
        read = replace(API.parse(body), built_at=made_at, total=total)
        return API.next_page(poll, read) is not None

    assert follows("2026-06-05")
    assert not follows("2026-06-04")
    assert not follows("2026-06-19", total=2)


def test_an_announcement_is_no_answer_of_the_query_interface() -> None:
    announced = arxiv_feed("cs.CL", [("2606.00001", "One", "new")])
    with pytest.raises(CaptureError, match="announcement of arXiv") as caught:
        API.parse(announced)
    assert "arxiv_rss" in caught.value.next_step
    with pytest.raises(CaptureError, match="query interface") as caught:
        ArxivRss().parse(arxiv_answer([("2606.00001", "One", "2026-06-19")]))
    assert "arxiv_api" in caught.value.next_step


@pytest.mark.parametrize(
    ("note", "abstract", "gone"),
    [
        ("This paper has been withdrawn by the author", "", True),
        ("", "This submission has been withdrawn due to an error in Lemma 2.", True),
        ("9 pages", "Patients were withdrawn from the trial after a week.", False),
        ("", "We study the paper trail of funds withdrawn at banks.", False),
    ],
)
def test_withdrawal(note: str, abstract: str, gone: bool) -> None:
    assert is_withdrawn(note, abstract) is gone
