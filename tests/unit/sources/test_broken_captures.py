"""Truncated, flipped and mixed bytes of real captures: a value or a CaptureError, nothing else."""

from functools import cache
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from support.captures import shared_data

from service.sources.adapter import CaptureError, Parsed
from service.sources.registry import ADAPTERS

CAPTURES = [
    ("hf_daily", "hf_daily/2025-09-08.json"),
    ("arxiv_rss", "feeds/arxiv_rss20/cs.AI_2026-04-27.xml"),
    ("arxiv_rss", "feeds/arxiv_atom/cs.AI_2025-08-20.xml"),
    ("arxiv_api", "feeds/arxiv_api/glacier_2026-08-07.xml"),
    ("biorxiv", "feeds/biorxiv/api_details_biorxiv_2026-08-01.json"),
    ("arxiv_oai", "golden/arxiv_oai/records.xml"),
    ("pubmed", "golden/pubmed/search.xml"),
    ("feed", "feeds/zotero/feedDetailed.rss"),
    ("feed", "feeds/biorxiv/rdf_genomics_2023-12.xml"),
    ("feed", "feeds/hf_derived/huggingface_daily_papers_atom.xml"),
    ("feed", "feeds/jsonfeed/daringfireball_2020.json"),
]
HOSTILE = [
    b"\x00",
    b"\xff\xfe",
    b"<![CDATA[",
    b"&#0;",
    b"]]>",
    b"<script>",
    b"\xed\xa0\x80",
    b'"',
    b"<",
]


@cache
def _body(name: str) -> bytes:
    own = name.startswith("golden/")
    root = Path(__file__).resolve().parents[2] if own else shared_data()
    return (root / name).read_bytes()[:12_000]


def _read(kind: str, body: bytes) -> Parsed | None:
    try:
        return ADAPTERS[kind].parse(body)
    except CaptureError:
        return None


@given(st.data())
@settings(max_examples=15)
@pytest.mark.parametrize(("kind", "name"), CAPTURES)
@pytest.mark.slow  # a second or more
def test_broken_bytes(kind: str, name: str, data: st.DataObject) -> None:
    body = bytearray(_body(name))
    for _ in range(data.draw(st.integers(0, 4))):
        at = data.draw(st.integers(0, len(body) - 1))
        body[at : at + data.draw(st.integers(0, 3))] = data.draw(st.sampled_from(HOSTILE))
    end = data.draw(st.integers(0, len(body)))
    parsed = _read(kind, bytes(body[:end]) if data.draw(st.booleans()) else bytes(body))
    for sighting in parsed.sightings if parsed else ():
        assert sighting.paper.title
        assert "\x00" not in sighting.paper.title + sighting.paper.raw_abstract
        assert sighting.paper.raw_abstract.encode() is not None


@given(st.binary(max_size=300))
@pytest.mark.parametrize("kind", sorted(ADAPTERS))
def test_any_bytes(kind: str, body: bytes) -> None:
    parsed = _read(kind, body)
    assert parsed is None or parsed.items >= 0


def test_every_kind_refuses_the_captures_of_no_kind() -> None:
    bodies = [b"", b"  \n", b"\xef\xbb\xbf", b"<html></html>", b"null", b"[]]", b"%PDF-1.7"]
    for kind in ADAPTERS:
        for body in bodies:
            with pytest.raises(CaptureError):
                ADAPTERS[kind].parse(body)
