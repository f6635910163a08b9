"""The lines at the end of a run name the parts, their counts and what was left out."""

from collections import Counter

import pytest
from support.parts import left_out, lines, part_of
from support.required import skip_unless_required


def test_a_test_belongs_to_its_folder() -> None:
    assert part_of("tests/unit/text/test_fold.py::test_x[a/b]") == "unit"
    assert part_of("tests/test_alone.py::test_x") == "other"


def test_a_line_per_part_with_counts_and_seconds() -> None:
    said = lines(
        [
            ("tests/unit/test_a.py::x", "", 0.25),
            ("tests/unit/test_a.py::x", "passed", 0.5),
            ("tests/unit/test_a.py::y", "failed", 0.25),
            ("tests/flows/test_b.py::x", "skipped", 0.0),
        ]
    )
    assert said == [
        "unit         1 failed, 1 passed in 1.0 s",
        "flows        1 skipped in 0.0 s",
    ]


def test_left_out_says_why() -> None:
    assert left_out(Counter(browser=3)) == ["left out     3 marked browser: needs chromium"]


def test_a_missing_part_skips_but_fails_where_it_is_required(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("PAPERPOST_TEST_REQUIRE", "postgres, browser")
    with pytest.raises(pytest.fail.Exception, match="browser is required"):
        skip_unless_required("browser", "it is not here")
    monkeypatch.delenv("PAPERPOST_TEST_REQUIRE")
    with pytest.raises(pytest.skip.Exception, match="not here"):
        skip_unless_required("browser", "it is not here")
