"""What captures give is what was written down; ``make golden`` writes it anew."""

import asyncio
import json
import tomllib
from fnmatch import fnmatch
from pathlib import Path
from typing import Any

import pytest
from support.goldens import (
    GOLDEN,
    SUMMARY,
    cases,
    expected_of,
    read_case,
    read_row,
    real_captures,
    summary,
    written,
)

from service.sources.adapter import Parsed
from service.sources.describe import filled
from service.sources.registry import ADAPTERS

FIELDS = [row.field for row in filled(Parsed(0, ())) if not row.field.startswith("name: ")]
ASKED_OF_FEEDS = ("abstract", "authors", "published_on", "categories", "note")
SMALL = 12
REASONS = tomllib.loads((GOLDEN / "why_empty.toml").read_text("utf-8"))


def committed() -> dict[str, dict[str, Any]]:
    found: dict[str, dict[str, Any]] = json.loads(SUMMARY.read_text("utf-8"))["captures"]
    return found


@pytest.mark.parametrize(
    "case", cases(), ids=lambda case: case.relative_to(GOLDEN).as_posix() if case else ""
)
def test_invented_papers(case: Path) -> None:
    assert expected_of(case).exists(), "make golden writes it"
    assert read_case(case) == json.loads(expected_of(case).read_text("utf-8"))


def test_every_kind_has_a_case_with_papers() -> None:
    with_papers = {
        case.parent.name
        for case in cases()
        if json.loads(expected_of(case).read_text("utf-8")).get("papers")
    }
    assert with_papers == set(ADAPTERS)


def test_nothing_is_written_down_of_a_capture_that_is_gone() -> None:
    assert {path.name for path in GOLDEN.glob("*/*.expected.json")} == {
        expected_of(case).name for case in cases()
    }


def test_a_dozen_real_captures(shared: Path) -> None:
    """The smallest of each kind and the first small ones of feeds; all of them in test-all."""
    rows = committed()
    sizes = sorted(((shared / name).stat().st_size, name) for name in rows)
    first = {rows[name]["kind"]: name for _, name in reversed(sizes) if rows[name].get("papers")}
    chosen = [*first.values(), *(name for _, name in sizes if rows[name].get("papers"))]
    for name in list(dict.fromkeys(chosen))[:SMALL]:
        assert read_row(shared, name, rows[name]["kind"]) == rows[name], name


@pytest.mark.timeout(300)
@pytest.mark.slow  # three hundred answers over HTTP and through a process of its own
def test_every_real_capture(shared: Path) -> None:
    told, _ = asyncio.run(summary(shared, real_captures(shared)))
    assert written(told).splitlines() == SUMMARY.read_text("utf-8").splitlines()


def _filled_by_kind() -> dict[str, set[str]]:
    found: dict[str, set[str]] = {}
    for row in committed().values():
        if row.get("papers"):
            found.setdefault(row["kind"], set()).update(row["filled"])
    return found


def test_every_field_that_a_kind_never_fills_has_a_reason() -> None:
    by_kind = _filled_by_kind()
    assert set(REASONS["kind"]) <= set(by_kind)
    for kind, fields in by_kind.items():
        given = set(REASONS["kind"].get(kind, {}))
        elsewhere = {name for name, kinds in REASONS["elsewhere"].items() if kind in kinds}
        assert set(FIELDS) - fields == given | elsewhere, kind


def test_every_empty_field_of_a_feed_has_a_reason() -> None:
    used = set()
    for name, row in committed().items():
        if row["kind"] != "feed" or not row.get("papers"):
            continue
        for field in ASKED_OF_FEEDS:
            if field not in row["filled"]:
                hit = _reason("files", name, field)
                assert hit, f"{name}: why has it no {field}?"
                used |= hit
    assert used == _patterns("files")


def test_every_refused_capture_has_a_reason() -> None:
    refused = [name for name, row in committed().items() if "refused" in row]
    found = [_reason("refused", name, "") for name in refused]
    assert all(found)
    assert set().union(*found) == _patterns("refused")


def _reason(table: str, name: str, field: str) -> set[tuple[int, str]]:
    """Every reason that holds of a file: (number, pattern)."""
    return {
        (number, pattern)
        for number, entry in enumerate(REASONS[table])
        for pattern in entry["match"]
        if (not field or field in entry["fields"]) and fnmatch(name, pattern)
    }


def _patterns(table: str) -> set[tuple[int, str]]:
    return {(n, pattern) for n, entry in enumerate(REASONS[table]) for pattern in entry["match"]}
