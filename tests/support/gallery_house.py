"""The week of the gallery: captured days into a real house, and real keyword lists.

Without the captures the bundled sample day stands in, and the demo's words. The clock is set, and
what is drawn at random comes from a seed, so that two runs make the same mails.
"""

import gzip
import json
import random
import secrets
from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any
from unittest.mock import patch
from xml.sax.saxutils import escape

from support.house import Clock, open_house
from support.smtp_server import SmtpServer

from service.flows.ingest import ingest_files
from service.flows.match import match_new
from service.flows.runtime import Runtime
from service.wiring import House

ROOT = Path(__file__).resolve().parents[2]
CAPTURES = ROOT.parent / "shared" / "data"
SAMPLE = ROOT / "service" / "data" / "sample_day.json"
LAST = date(2026, 6, 19)  # a Friday; both sources were captured in its week
DAYS = tuple(date(2026, 6, day) for day in (10, 11, 12, 15, 16, 17, 18, 19))
SAMPLE_LAST = date(2026, 6, 1)
SEED = 2026

SITE = {
    "base_url": "https://papers.example.org",
    "mail_from": "papers@example.org",
    "contact_email": "papers@example.org",
    "org_name": "Example University Library",
    "secret_key": "the gallery signs its links with this",
    "timezone": "Europe/Zurich",
}


@dataclass
class Scene:
    """A house with its week. words: by a short name, the reader's words as they are typed ·
    people: names to follow · days: with papers, the last one is today."""

    house: House
    clock: Clock
    smtp: SmtpServer
    folder: Path
    words: Mapping[str, str]
    people: str
    days: tuple[date, ...]
    is_captured: bool

    @property
    def rt(self) -> Runtime:
        return self.house.runtime

    def morning(self, on: date, hour: int = 6, minute: int = 10) -> None:
        """The clock to a time of a day, UTC."""
        self.clock.at = datetime(on.year, on.month, on.day, hour, minute, tzinfo=UTC)

    def take(self, on: date) -> None:
        """The papers of a day, as its sources named them that morning."""
        self.morning(on, 5)
        if not self.is_captured:
            if on == self.days[-1]:
                ingest_files(self.rt, "hf_daily", [SAMPLE], on=on)
            return
        feed = self.folder / f"arxiv-{on}.xml"
        feed.write_text(_announcement(on), encoding="utf-8")
        ingest_files(self.rt, "arxiv_rss", [feed], on=on)
        listed = CAPTURES / "hf_daily" / f"{on}.json"
        if listed.exists():
            ingest_files(self.rt, "hf_daily", [listed], on=on)
        match_new(self.rt)


@contextmanager
def scene(folder: Path, *, captured: bool, **values: Any) -> Iterator[Scene]:
    """The house before its first day. values: settings."""
    last = LAST if captured else SAMPLE_LAST
    days = (
        DAYS
        if captured
        else tuple(last - timedelta(days=n) for n in (12, 11, 10, 7, 6, 5, 4, 3, 0))
    )
    clock = Clock(datetime(days[0].year, days[0].month, days[0].day, 4, tzinfo=UTC))
    with (
        patch.object(secrets, "token_bytes", random.Random(SEED).randbytes),
        SmtpServer() as smtp,
        open_house(folder, smtp_port=smtp.port, clock=clock, **{**SITE, **values}) as house,
    ):
        words, people = _real_words() if captured else _sample_words()
        yield Scene(house, clock, smtp, folder, words, people, days, captured)


def _real_words() -> tuple[dict[str, str], str]:
    """Lists of public configurations, as typed with commas; the week's busiest authors."""
    lines = (CAPTURES / "profiles" / "profiles.jsonl").read_text("utf-8").splitlines()
    lists: dict[str, list[str]] = {}
    for row in map(json.loads, lines):
        lists.setdefault(row["name"], row["terms"])
    asked = {
        "tuning": "Reparameterization & Compression",
        "robots": "VLA",
        "weekly": "Diffusion Models",
        "rare": "keyword_groups.hallucination",
        "letter": "Argument Quality",
        "first": "Quantization",
        "alert": "Dexterous",
    }
    words = {name: ", ".join(lists[of]) for name, of in asked.items()}
    busy = Counter(author for row in _rows(DAYS[-1]) for author in row["authors"] if " " in author)
    people = [name for name, n in sorted(busy.items(), key=lambda one: (-one[1], one[0])) if n > 1]
    return words, "\n".join(people[:3])


def _sample_words() -> tuple[dict[str, str], str]:
    """The demo's words, and one author of the bundled day."""
    names = [one["paper"]["authors"][0]["name"] for one in json.loads(SAMPLE.read_text("utf-8"))]
    words = {
        "tuning": "reasoning, reinforcement learning",
        "robots": "world model, multimodal",
        "weekly": "diffusion, video generation",
        "rare": "LoRA, low-rank adaptation, PEFT",
        "letter": "benchmark",
        "first": "agent, retrieval",
        "alert": "image editing, video generation",
    }
    return words, names[0]


_listed: dict[date, list[dict[str, Any]]] = {}


def _rows(on: date) -> list[dict[str, Any]]:
    """The captured lines of a day, each paper once."""
    if not _listed:
        path = CAPTURES / "arxiv_corpus" / "arxiv_daily_2026-05-25_2026-06-19.jsonl.gz"
        seen: set[str] = set()
        with gzip.open(path, "rt", encoding="utf-8") as lines:
            for row in map(json.loads, lines):
                if row.get("id") and row.get("title") and row["id"] not in seen:
                    seen.add(row["id"])
                    _listed.setdefault(date.fromisoformat(row["listed"]), []).append(row)
    return _listed.get(on, [])


def _announcement(on: date) -> str:
    """The day's lines as arXiv's own feed writes them."""
    items = "".join(_item(row) for row in _rows(on))
    return (
        '<?xml version="1.0" encoding="UTF-8"?>\n'
        '<rss version="2.0" xmlns:arxiv="http://arxiv.org/schemas/atom"'
        ' xmlns:dc="http://purl.org/dc/elements/1.1/"><channel>'
        "<title>cs updates on arXiv.org</title><link>http://rss.arxiv.org/rss/cs</link>"
        f"<pubDate>{on:%a, %d %b %Y} 00:00:00 -0400</pubDate>{items}</channel></rss>"
    )


def _item(row: Mapping[str, Any]) -> str:
    categories = "".join(f"<category>{escape(name)}</category>" for name in row["categories"])
    return (
        f"<item><title>{escape(row['title'])}</title>"
        f"<link>https://arxiv.org/abs/{row['id']}</link>"
        f"<description>arXiv:{row['id']}v1 Announce Type: new \nAbstract: "
        f"{escape(row['summary'] or '')}</description>"
        f'<guid isPermaLink="false">oai:arXiv.org:{row["id"]}v1</guid>{categories}'
        f"<arxiv:announce_type>new</arxiv:announce_type>"
        f"<dc:creator>{escape(', '.join(row['authors']))}</dc:creator></item>"
    )
