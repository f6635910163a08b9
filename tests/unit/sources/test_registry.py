"""Kinds by their words, and what a capture fills."""

from datetime import date
from pathlib import Path

import pytest

from service.sources.adapter import ParameterError
from service.sources.describe import filled
from service.sources.registry import ADAPTERS, adapter


def test_every_kind_is_found_by_its_word() -> None:
    assert set(ADAPTERS) >= {
        "hf_daily", "arxiv_rss", "arxiv_api", "arxiv_oai", "biorxiv", "pubmed", "feed",
    }  # fmt: skip
    assert all(adapter(kind).kind == kind for kind in ADAPTERS)
    assert [ADAPTERS[kind].has_votes for kind in ("hf_daily", "feed")] == [True, False]
    assert [ADAPTERS[kind].is_batch for kind in ("arxiv_rss", "hf_daily")] == [True, False]
    assert {ADAPTERS[kind].politeness for kind in ADAPTERS if kind.startswith("arxiv")} == {"arxiv"}


@pytest.mark.parametrize(("typed", "meant"), [("hf-daily", "hf_daily"), ("arxiv", "arxiv_rss")])
def test_a_wrong_word_is_answered_with_the_nearest(typed: str, meant: str) -> None:
    with pytest.raises(ParameterError) as caught:
        adapter(typed)
    assert caught.value.what == f'There is no kind of source "{typed}".'
    assert meant in caught.value.next_step


def test_examples_of_parameters_are_themselves_accepted() -> None:
    for found in ADAPTERS.values():
        params = found.checked({each.name: each.example for each in found.parameters})
        requests = found.requests(params, today=date(2026, 6, 17))
        assert requests
        assert all(request.url.startswith("https://") for request in requests)


def test_fields_filled_and_left_empty(shared: Path) -> None:
    body = (shared / "feeds/arxiv_rss20/SYNTHETIC_cs.CL_2026-07-29_from_spec.xml").read_bytes()
    rows = {row.field: row for row in filled(adapter("arxiv_rss").parse(body))}
    assert (rows["title"].filled, rows["title"].empty) == (4, 0)
    assert (rows["name: doi"].filled, rows["name: doi"].empty) == (1, 3)
    assert (rows["votes"].filled, rows["votes"].example) == (0, "")
    assert rows["name: arxiv"].example == "2607.11111"
