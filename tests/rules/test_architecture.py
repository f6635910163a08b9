"""ARCHITECTURE.md stays a map, and docs/decisions.md names parts that exist."""

import re
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
MAP = (ROOT / "ARCHITECTURE.md").read_text(encoding="utf-8")
DECISIONS = (ROOT / "docs" / "decisions.md").read_text(encoding="utf-8")
DATED = re.compile(r"^- (\d{4}-\d{2}(?:-\d{2})?) \*\*\S", re.M)


def test_the_map_fits_200_lines_and_sends_decisions_to_their_page() -> None:
    assert len(MAP.splitlines()) <= 200
    assert DATED.findall(MAP) == []
    assert "(docs/decisions.md)" in MAP.split("## Decisions")[1]


def test_every_decision_is_dated_and_stands_in_a_part_whose_rooms_exist() -> None:
    parts = DECISIONS.split("\n## ")[1:]
    assert len(parts) > 10
    for part in parts:
        name, _, text = part.partition("\n")
        where, _, listed = text.strip().partition("\n")
        rooms = re.findall(r"`([\w/]+)`", where)
        assert rooms, name
        for room in rooms:
            places = (ROOT / room, ROOT / "service" / room, ROOT / "service" / f"{room}.py")
            assert any(place.exists() for place in places), f"{name}: {room}"
        starts = re.findall(r"^\S.*", listed, re.M)
        assert starts, name
        assert [line for line in starts if not DATED.match(line)] == [], name
