"""A poll of 80 good sources and 20 that are slow, huge, endless or broken, in a process of its own.

The limits are scaled down (8 s for an answer and for the reader, not 30 and 60); docs/bounds.md has
the figures at the real ones.
"""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

pytestmark = [
    pytest.mark.faults,
    pytest.mark.timeout(400),
    pytest.mark.xdist_group("bad_sources"),  # one round for all of them
]
ROOT = Path(__file__).resolve().parents[2]
LIMIT = 8


@pytest.fixture(scope="module")
def figures() -> dict[str, Any]:
    command = [sys.executable, "-m", "tests.support.fault_round"]
    command += ["--seconds", f"{LIMIT}", "--deadline", f"{LIMIT}"]
    made = subprocess.run(
        command, cwd=ROOT, check=True, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
    )
    print(made.stdout)
    found: dict[str, Any] = json.loads(made.stdout)
    return found


@pytest.mark.parametrize("name", ["good_alone", "bad_ones_new", "bad_ones_known"])
def test_every_good_source_is_read(figures: dict[str, Any], name: str) -> None:
    assert (figures[name]["good_asked"], figures[name]["good_failed"]) == (80, 0)
    assert figures["papers"] == 80 * 5


def test_the_good_ones_are_on_time(figures: dict[str, Any]) -> None:
    """Twenty answers of 8 s, four at a time as before, alone would be 40 s."""
    alone = figures["good_alone"]["good_ones"]["max_s"]
    assert figures["bad_ones_new"]["good_ones"]["max_s"] <= 2 * alone + 12
    assert figures["bad_ones_known"]["good_ones"]["max_s"] <= 2 * alone + 8


def test_who_is_due_again_does_not_wait_for_the_slowest(figures: dict[str, Any]) -> None:
    again = figures["bad_ones_new"]["good_ones_due_again"]
    assert again["max_s"] < 25
    assert figures["bad_ones_new"]["visits"] >= 100 + 10


def test_each_bad_one_failed_with_its_own_words(figures: dict[str, Any]) -> None:
    words = figures["bad_ones_known"]["words"]
    slow = f"no full answer within {LIMIT} seconds"
    assert {words[x] for x in ("drip", "silence", "slow_headers", "drip_after_a_megabyte")} == {
        slow
    }
    assert "larger than 16,777,216 bytes" in words["two_gb"]
    assert words["nested"] == f"Parsing was ended after {LIMIT} seconds."
    assert "XML bomb" in words["xml_bomb"]
    assert figures["bad_ones_known"]["bad_failed"] == 20


def test_memory_is_bounded(figures: dict[str, Any]) -> None:
    """Endless answers of 16 MB and more came 20 at a time."""
    assert figures["bad_ones_known"]["peak_mb"] <= figures["idle_mb"] + 160
    assert figures["peak_of_a_parser_mb"] <= 1100
