"""Every real capture is read, whole, by the adapter it belongs to."""

import gzip
import json
from pathlib import Path

import pytest
from support.captures import shared_data

from service.papers.identity import is_same
from service.sources.adapter import CaptureError, Parsed
from service.sources.describe import filled
from service.sources.registry import ADAPTERS

NO_FEEDS = {
    "api_details_biorxiv_2026-08-01.json",
    "scraped_biorxiv_2026-01-20.json",
    "efetch_2026-08.xml",
    "pubmed-article.xml",
    "rss_specifications.md",
    "atom_specifications.md",
}
RSS = '<rss version="2.0"><channel><title>cs updates</title>{}</channel></rss>'


def _feeds() -> list[object]:
    """All captures; successive captures of one feed and the largest run in test-all only."""
    try:
        root = shared_data() / "feeds"
    except pytest.skip.Exception:
        return []
    return [
        pytest.param(path, marks=[pytest.mark.slow] if _is_slow(path) else [])
        for path in sorted(root.rglob("*"))
        if path.is_file()
    ]


def _is_slow(path: Path) -> bool:
    repeated = "history" in path.parts or "2021-12-14" in path.parts
    return repeated or path.stat().st_size > 120_000


def _kind(path: Path) -> str:
    if path.parent.name in ("arxiv_rss20", "arxiv_atom"):
        return "arxiv_rss"
    return "arxiv_api" if path.parent.name == "arxiv_api" else "feed"


def _is_sound(parsed: Parsed) -> None:
    """What must hold of every paper that any source brings."""
    assert len(parsed.sightings) + len(parsed.problems) >= parsed.items - 2
    for sighting in parsed.sightings:
        paper = sighting.paper
        assert paper.title
        assert paper.aliases
        for text in (paper.title, paper.abstract, *paper.authors, paper.note):
            assert text == " ".join(text.split())
            assert "\x00" not in text
            assert text.encode("utf-8") is not None
        assert all(url.startswith(("http://", "https://")) for url in paper.links.values())
        assert not any("@" in name or "<" in name for name in paper.authors)


@pytest.mark.parametrize("path", _feeds(), ids=lambda path: f"{path.parent.name}/{path.name}"[:60])
def test_every_feed(path: Path) -> None:
    body = path.read_bytes()
    if path.name in NO_FEEDS:
        with pytest.raises(CaptureError):
            ADAPTERS["feed"].parse(body)
        return
    parsed = ADAPTERS[_kind(path)].parse(body)
    _is_sound(parsed)
    rows = {row.field: row for row in filled(parsed)}
    assert rows["title"].filled == len(parsed.sightings)


def test_every_twelfth_day_of_the_daily_papers(shared: Path) -> None:
    seen = 0
    for path in sorted((shared / "hf_daily").glob("*.json"))[::12]:
        parsed = ADAPTERS["hf_daily"].parse(path.read_bytes())
        _is_sound(parsed)
        assert parsed.problems == ()
        assert {s.listed_on.isoformat() for s in parsed.sightings if s.listed_on} <= {path.stem}
        assert all(s.paper.votes is not None for s in parsed.sightings)
        assert all("  " not in s.paper.title for s in parsed.sightings)
        seen += len(parsed.sightings)
    assert seen > 150


def test_real_announcement_texts(shared: Path) -> None:
    path = shared / "arxiv_corpus" / "arxiv_rss_items_2026-08.jsonl.gz"
    with gzip.open(path, "rt", encoding="utf-8") as lines:
        rows = [json.loads(line) for line in lines][::30]
    items = "".join(
        f"<item><title>{_xml(row['title'])}</title><link>{_xml(row['link'])}</link>"
        f"<description>{_xml(row['description'])}</description></item>"
        for row in rows
    )
    parsed = ADAPTERS["arxiv_rss"].parse(RSS.format(items).encode())
    _is_sound(parsed)
    assert parsed.problems == ()
    assert len(parsed.sightings) == len({row["link"] for row in rows})
    assert {s.announce_type for s in parsed.sightings} == {
        "new",
        "cross",
        "replace",
        "replace-cross",
    }
    assert not any(s.paper.abstract.startswith(("arXiv:", "Abstract")) for s in parsed.sightings)


def _xml(text: str) -> str:
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def test_no_capture_holds_two_papers_under_one_trusted_name(shared: Path) -> None:
    for name in ("journals_2026/head/jacs.xml", "nature/nature_rdf_2024-07-18_b7968e4.rss"):
        papers = ADAPTERS["feed"].parse((shared / "feeds" / name).read_bytes()).sightings
        same = [
            (one.paper.title, other.paper.title)
            for index, one in enumerate(papers)
            for other in papers[index + 1 :]
            if is_same(one.paper.aliases, other.paper.aliases)
        ]
        assert all(one == other for one, other in same)
