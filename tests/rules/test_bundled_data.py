"""The bundled sample day and the presets: facts in the captured shape, words of our own."""

import json
import re
from datetime import date, datetime
from pathlib import Path
from typing import Any

import pytest

from service.matching.document import prepare
from service.matching.evaluate import evaluate
from service.matching.parse import parse_keywords
from service.sources.hf_daily import HfDaily
from service.sources.registry import ADAPTERS

DATA = Path(__file__).resolve().parents[2] / "service" / "data"
DAY: list[dict[str, Any]] = json.loads((DATA / "sample_day.json").read_text(encoding="utf-8"))
READ = HfDaily().parse((DATA / "sample_day.json").read_bytes())
FIELDS = json.loads((DATA / "presets.json").read_text(encoding="utf-8"))["fields"]


def _matched(keywords: str) -> list[str]:
    """Titles of the papers that a reader with these keywords gets."""
    query = parse_keywords(keywords)
    papers = [sighting.paper for sighting in READ.sightings]
    return [p.title for p in papers if evaluate(query, prepare(p)) is not None]


def test_forty_papers_of_one_list_day() -> None:
    assert len({item["paper"]["id"] for item in DAY}) == len(DAY) == 40
    assert {sighting.listed_on for sighting in READ.sightings} == {date(2026, 6, 1)}
    assert (READ.items, READ.problems) == (40, ())


@pytest.mark.parametrize("item", DAY, ids=lambda item: item["paper"]["id"])
def test_a_paper_has_its_facts_and_our_words(item: dict[str, Any]) -> None:
    paper = item["paper"]
    assert re.fullmatch(r"\d{4}\.\d{5}", paper["id"])
    assert paper["title"] == item["title"].strip()
    assert all(author["name"].strip() for author in paper["authors"])
    assert datetime.fromisoformat(paper["publishedAt"]).year == 2026
    assert isinstance(paper["upvotes"], int)
    assert isinstance(item["numComments"], int)
    assert item["summaryBy"] == "Paperpost"
    assert "submittedBy" not in item
    assert 100 <= len(paper["summary"]) <= 600


def test_the_four_readers_of_the_demo_get_what_the_demo_shows() -> None:
    assert len(_matched("reasoning, reinforcement learning")) == 8
    words = "diffusion, video generation, world model, multimodal, image editing"
    assert len(_matched(words)) == 14
    assert sum((sighting.paper.votes or 0) > 0 for sighting in READ.sightings) >= 10
    assert _matched("LoRA, low-rank adaptation, PEFT, parameter-efficient") == []


def test_the_summaries_are_not_the_abstracts(shared: Path) -> None:
    captured = json.loads((shared / "hf_daily" / "2026-06-01.json").read_text(encoding="utf-8"))
    abstracts = {item["paper"]["id"]: item["paper"]["summary"] for item in captured}
    copied = {
        item["paper"]["id"]: shared_runs
        for item in DAY
        if (shared_runs := _runs(item["paper"]["summary"]) & _runs(abstracts[item["paper"]["id"]]))
    }
    assert copied == {}


def _runs(text: str, length: int = 7) -> set[tuple[str, ...]]:
    words = re.findall(r"[a-z0-9]+", text.lower())
    return {tuple(words[i : i + length]) for i in range(len(words) - length + 1)}


def test_the_presets_cover_the_fields_that_setup_offers() -> None:
    assert [field["name"] for field in FIELDS] == [
        "machine_learning", "robotics", "statistics", "physics", "biology", "medicine",
        "mathematics",
    ]  # fmt: skip


@pytest.mark.parametrize("field", FIELDS, ids=lambda field: field["name"])
def test_a_field_brings_sources_and_words(field: dict[str, Any]) -> None:
    assert field["label"]
    assert len(field["keywords"]) >= 3
    assert len({json.dumps(source["params"]) for source in field["sources"]}) >= 3
    for source in field["sources"]:
        assert source["title"]
        adapter = ADAPTERS[source["kind"]]
        assert set(source["params"].items()) <= set(adapter.checked(source["params"]).items())
        assert source["params"].get("url", "https://").startswith("https://")
