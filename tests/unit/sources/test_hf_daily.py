"""Hugging Face's list, on real days."""

import json
from datetime import date
from pathlib import Path

import pytest

from service.sources.adapter import CaptureError, Parsed
from service.sources.registry import ADAPTERS

HF = ADAPTERS["hf_daily"]


def item(**changes: object) -> dict[str, object]:
    paper = {
        "id": "2511.01234",
        "title": "A title\n  broken over lines",
        "summary": "We think <think> helps, $x^2$.",
        "publishedAt": "2025-11-03T00:00:00.000Z",
        "authors": [{"name": "Ann One"}, {"name": "Ben Two", "hidden": True}],
        "upvotes": 0,
    }
    paper.update(changes)
    return {"paper": paper, "numComments": 4, "publishedAt": "2025-11-02T19:00:00.000Z"}


def parsed(*items: object, day: date | None = None) -> Parsed:
    return HF.parse(json.dumps(items).encode(), day=day)


def test_the_machines_line_is_read_as_titles_are() -> None:
    (sighting,) = parsed(item(ai_summary=" A$^2$Search ends\n early. ")).sightings
    assert sighting.paper.summary_line == "A²Search ends early."


def test_a_real_day(shared: Path) -> None:
    result = HF.parse((shared / "hf_daily" / "2025-09-08.json").read_bytes())
    assert (result.items, len(result.sightings), result.problems) == (7, 7, ())
    first = result.sightings[0]
    assert first.paper.key.value == "2509.04664"
    assert first.paper.published_on == date(2025, 9, 4)
    assert first.listed_on == date(2025, 9, 8)
    assert (first.paper.votes, first.paper.comments) == (27, 1)
    assert len(first.paper.authors) == 4
    assert set(first.paper.links) == {"abs", "pdf", "discuss", "thumbnail"}
    assert [s.author_takes_part for s in result.sightings].count(True) >= 1


def test_the_exact_wire_form(shared: Path) -> None:
    path = shared / "hf_daily_wire" / "hf_daily_papers_2026-06-12_wire.json"
    result = HF.parse(path.read_bytes())
    assert len(result.sightings) == 30
    first = result.sightings[0]
    assert (first.paper.votes, first.paper.comments, len(first.paper.authors)) == (0, 2, 3)
    assert first.paper.organisation.startswith("California")
    assert first.submitter == "Rafal Kocielnik"
    assert first.listed_on == date(2026, 6, 12)
    assert first.paper.summary_line


def test_fields_stand_where_they_stand() -> None:
    sighting = parsed(item()).sightings[0]
    paper = sighting.paper
    assert paper.title == "A title broken over lines"
    assert paper.raw_title == "A title\n  broken over lines"
    assert paper.abstract == "We think <think> helps, x²."
    assert paper.published_on == date(2025, 11, 3)
    assert paper.authors == ("Ann One",)
    assert (paper.votes, paper.comments) == (0, 4)
    assert sighting.listed_on is None


def test_no_votes_are_not_zero_votes() -> None:
    without = item()
    del without["paper"]["upvotes"]  # type: ignore[attr-defined]
    assert parsed(without).sightings[0].paper.votes is None
    assert parsed(item(upvotes=-3)).sightings[0].paper.votes is None
    assert parsed(item(upvotes="7")).sightings[0].paper.votes is None


def test_the_list_date_is_never_converted() -> None:
    late = item(submittedOnDailyAt="2026-05-04T00:00:00.000Z")
    assert parsed(late).sightings[0].listed_on == date(2026, 5, 4)
    assert parsed(late, day=date(2026, 5, 5)).sightings[0].listed_on == date(2026, 5, 5)


def test_extras_may_be_absent_or_unsafe() -> None:
    paper = (
        parsed(item(githubRepo="https://github.com/a/b", projectPage="javascript:alert(1)"))
        .sightings[0]
        .paper
    )
    assert paper.links["code"] == "https://github.com/a/b"
    assert "project" not in paper.links


@pytest.mark.parametrize(
    "poison",
    [None, 7, "text", [], {}, {"paper": None}, {"paper": {}}, {"paper": {"id": "2511.00001"}}],
)
def test_a_poisoned_item_harms_only_itself(poison: object) -> None:
    result = parsed(item(), poison, item(id="2511.05678"))
    assert [s.paper.key.value for s in result.sightings] == ["2511.01234", "2511.05678"]
    assert result.items == 3
    assert [problem.item for problem in result.problems] == [2]
    assert result.problems[0].what


@pytest.mark.parametrize(
    ("body", "said"),
    [
        (b"", "empty"),
        (b"<html><title>502 Bad Gateway</title></html>", "502 Bad Gateway"),
        (b'{"error":"Invalid date"}', "Invalid date"),
        (b'{"papers":[]}', "no list"),
        (b"[{", "not JSON"),
        (b"[" * 100_000, "not JSON"),
    ],
)
def test_what_is_no_list_is_named_in_three_parts(body: bytes, said: str) -> None:
    with pytest.raises(CaptureError, match=said) as caught:
        HF.parse(body)
    assert caught.value.where
    assert caught.value.next_step


def test_an_empty_day_is_no_error() -> None:
    assert parsed() == Parsed(0, (), (), title=HF.title)


def test_a_poll_asks_for_the_last_three_weekdays_and_what_lies_between() -> None:
    monday = HF.requests({}, today=date(2026, 6, 15))
    assert [request.day for request in monday] == [date(2026, 6, n) for n in (15, 14, 13, 12, 11)]
    friday = HF.requests({}, today=date(2026, 6, 19))
    assert len(friday) == 3
    assert friday[0].url.endswith("?date=2026-06-19&limit=100&p=0")
    asked = HF.requests({}, today=date(2026, 6, 19), days=(date(2026, 1, 2),))
    assert [request.day for request in asked] == [date(2026, 1, 2)]


def test_a_full_page_has_a_successor() -> None:
    request = HF.requests({}, today=date(2026, 6, 19))[0]
    after = HF.next_page(request, Parsed(100, ()))
    assert after is not None
    assert after.url.endswith("&p=1")
    assert HF.next_page(after, Parsed(50, ())) is None
