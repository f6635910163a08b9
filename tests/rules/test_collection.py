"""Every worker must collect the same tests: xdist compares the ids of all of them."""

import os
import re
import subprocess
import sys
from difflib import unified_diff
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
LONGEST = 120
_AT = """
import sys, time_machine, pytest
with time_machine.travel(float(sys.argv[1]), tick=True):
    sys.exit(pytest.main(["--collect-only", "-q", "-p", "no:randomly", "-p", "no:cacheprovider",
                          "-W", "ignore::pytest.PytestAssertRewriteWarning"]))
"""


def test_ids_are_short_and_hold_no_address_of_an_object(request: pytest.FixtureRequest) -> None:
    """Of the tests of this run: all of them when everything runs."""
    ids = [item.callspec.id for item in request.session.items if hasattr(item, "callspec")]
    assert [i for i in ids if not i.isascii() or not i.isprintable() or len(i) > LONGEST] == []
    assert [i for i in ids if re.search(r"<.* at 0x[0-9a-f]{6,}", i)] == []


@pytest.mark.slow
def test_ids_depend_neither_on_the_clock_nor_on_the_hash_seed() -> None:
    noon_of_a_friday, leap_day = 1795176000, 1835481540  # 23:59:00 on 29 February 2028
    seen = []
    for seed, at in (("1", noon_of_a_friday), ("2", leap_day)):
        done = subprocess.run(
            [sys.executable, "-c", _AT, str(at)], cwd=ROOT, capture_output=True, text=True,
            env={**os.environ, "PYTHONHASHSEED": seed, "PYTEST_ADDOPTS": ""}, check=False,
        )  # fmt: skip
        assert done.returncode == 0, done.stdout[-3000:]
        seen.append([line for line in done.stdout.splitlines() if "::" in line])
    assert len(seen[0]) > 500
    assert list(unified_diff(*seen, lineterm="", n=0)) == []
