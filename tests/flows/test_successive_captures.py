"""Successive captures of real feeds: what is new is counted right, and nothing is new twice.

Compared with a count that shares no code with the product: items by regular expression, told apart
by their link without its query.
"""

import re
from datetime import date, timedelta
from html import unescape
from pathlib import Path

import pytest
from support.house import open_house

from service.flows.ingest import ingest_files

ITEM = re.compile(r"<(item|entry)\b(.*?)</\1>", re.DOTALL)
LINK = re.compile(
    r'<link>\s*(?:<!\[CDATA\[)?(.*?)(?:\]\]>)?\s*</link>|<link[^>]*href="([^"]+)"', re.DOTALL
)


def naive_keys(file: Path) -> set[str]:
    keys = set()
    for item in ITEM.finditer(file.read_text("utf-8", "replace")):
        link = LINK.search(item[2])
        assert link
        keys.add(re.sub(r"[?#].*", "", unescape(link[1] or link[2]).strip()).lower())
    return keys


def captures(shared: Path, name: str) -> list[Path]:
    feeds = shared / "feeds"
    if name in ("jacs", "jcim"):
        return sorted((feeds / "journals_2026" / "history" / name).iterdir())
    days = [feeds / "journals_2021" / day for day in ("2021-12-14", "2021-12-21")]
    return [next(day.glob(f"{name}*")) for day in days]


NAMES = [
    "jacs",
    "jcim",
    "biotaxa",
    "cambridge",
    "et-online",
    "journals.flvc",
    "mapress",
    "mycokeys",
    "phytokeys",
    "pubmed",
    "tandfonline.com-feed-rss-nnfe20",
    "tandfonline.com-feed-rss-tzme20",
    "threatenedtaxa",
    "zookeys",
]


@pytest.mark.slow  # up to six captures of 150 items each
@pytest.mark.parametrize("name", NAMES)
def test_successive_captures_bring_each_paper_once(shared: Path, tmp_path: Path, name: str) -> None:
    seen: set[str] = set()
    counted, found = [], []
    files = captures(shared, name)
    with open_house(tmp_path) as house:
        for number, file in enumerate(files):
            keys = naive_keys(file)
            counted.append(len(keys - seen))
            seen |= keys
            on = date(2026, 11, 1) + timedelta(days=number)
            report = ingest_files(house.runtime, "feed", [file], on=on)
            assert not report.problems
            found.append(report.new)
        again = ingest_files(house.runtime, "feed", files[::-1], on=date(2026, 11, 9))
    assert found == counted
    assert (again.new, again.known, again.refreshed) == (0, 0, again.items)
