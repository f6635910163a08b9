"""Every example of the help page does what it says, and every zone can be chosen."""

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest

from service.delivery.i18n import Texts
from service.web.examples import EXAMPLES, Example, takes
from service.web.zones import listed_zones, zone_options


@pytest.mark.parametrize("example", EXAMPLES, ids=lambda one: one.text)
def test_examples(example: Example) -> None:
    found = takes(example, example.found)
    assert found is not None
    by_another_field = example.text.startswith(("au:", "cat:", "votes:"))
    assert found.marks or by_another_field
    if example.passed_by:
        assert takes(example, example.passed_by) is None


def test_zones_are_usable_and_the_chosen_one_tells_its_time() -> None:
    now = datetime(2026, 11, 18, 13, 5, tzinfo=UTC)
    assert len(listed_zones()) > 300
    for name in listed_zones():
        ZoneInfo(name)
    shown = dict(zone_options("Europe/Zurich", now, Texts("en")))
    assert shown["Europe/Zurich"] == "Europe/Zurich, now 14:05"
    assert shown["Asia/Tokyo"] == "Asia/Tokyo"
    old = dict(zone_options("Asia/Calcutta", now, Texts("en")))
    assert "Asia/Calcutta" in old
