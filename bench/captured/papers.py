"""The captured papers and profiles as the product reads them, for measurements."""

import gzip
import itertools
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from service.papers.model import Alias, Paper
from service.text.tex import to_unicode

ROOT = Path(__file__).resolve().parents[2]
CAPTURES = ROOT.parent / "shared" / "data"
RESULTS = ROOT / "bench" / "results"


def hf_papers(*, every: int = 1) -> Iterator[Paper]:
    """Distinct papers of the captured days of Hugging Face, oldest day first; one in ``every``."""
    return map(_hf_paper, itertools.islice(hf_items(), 0, None, every))


def hf_items() -> Iterator[dict[str, Any]]:
    """The items of the captured days, each paper once, oldest day first."""
    seen: set[str] = set()
    for path in sorted((CAPTURES / "hf_daily").glob("*.json")):
        for item in json.loads(path.read_text("utf-8")):
            if item["paper"]["id"] not in seen:
                seen.add(item["paper"]["id"])
                yield item


def _hf_paper(item: dict[str, Any]) -> Paper:
    row = item["paper"]
    shown = [author for author in row.get("authors", ()) if not author.get("hidden")]
    return Paper(
        aliases=(Alias("arxiv", row["id"]),),
        title=to_unicode(row["title"]),
        abstract=to_unicode(row.get("summary") or ""),
        authors=tuple(author["name"] for author in shown),
        organisation=(row.get("organization") or {}).get("fullname", ""),
        votes=row.get("upvotes"),
        comments=item.get("numComments"),
    )


def arxiv_rows() -> Iterator[dict[str, Any]]:
    """Distinct lines of the captured arXiv listings (without those that hold no paper)."""
    seen: set[str] = set()
    for path in sorted((CAPTURES / "arxiv_corpus").glob("arxiv_daily_*.jsonl.gz")):
        with gzip.open(path, "rt", encoding="utf-8") as lines:
            for row in map(json.loads, lines):
                if row.get("id") and row.get("title") and row["id"] not in seen:
                    seen.add(row["id"])
                    yield row


def arxiv_papers(*, every: int = 1) -> Iterator[Paper]:
    """Distinct papers of the captured arXiv listings, oldest day first; one in ``every``."""
    for row in itertools.islice(arxiv_rows(), 0, None, every):
        yield Paper(
            aliases=(Alias("arxiv", row["id"]),),
            title=to_unicode(row["title"]),
            abstract=to_unicode(row.get("summary") or ""),
            authors=tuple(row.get("authors") or ()),
            categories=tuple(row.get("categories") or ()),
        )


def keyword_lists() -> list[list[str]]:
    """The terms of each real keyword list of public configurations."""
    text = (CAPTURES / "profiles" / "profiles.jsonl").read_text("utf-8")
    return [json.loads(line)["terms"] for line in text.splitlines()]
