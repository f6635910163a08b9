"""Every example of the help page does what it says, and every zone can be chosen."""

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest

from service.delivery.i18n import Texts
from service.matching.parse import parse_query
from service.matching.query import QueryError
from service.matching.terms import FIELDS, FIGURES
from service.web.examples import ELSEWHERE, EXAMPLES, Example, facts_of, takes
from service.web.zones import listed_zones, zone_options


@pytest.mark.parametrize("example", EXAMPLES, ids=lambda one: one.text)
def test_examples(example: Example) -> None:
    found = takes(example, example.found)
    assert found is not None
    by_another_field = example.kind == "follow" or example.text.startswith(
        ("au:", "cat:", "votes:", "abs:", "org:", "source:", "id:", "authors:")
    )
    assert found.marks or by_another_field
    if example.passed_by.title:
        assert takes(example, example.passed_by) is None
    assert all(facts_of(example, example.found).values())


def test_every_form_of_the_language_has_an_example() -> None:
    typed = " ".join(example.text for example in EXAMPLES)
    for field in {f"{name}:" for name in FIELDS.values() if name} | {f"{one}:" for one in FIGURES}:
        assert field in typed
    for sign in (" AND ", " OR ", " NOT ", " -", "(", '"~', "*", "=", '="', ",", "，"):
        assert sign in typed


@pytest.mark.parametrize(("name", "theirs", "ours"), ELSEWHERE)
def test_forms_of_other_engines_are_read_or_offered_as_the_page_says(
    name: str, theirs: str, ours: str
) -> None:
    assert name
    try:
        read = parse_query(theirs).shown
    except QueryError as error:
        read = error.suggestion
    assert read == ours
    assert parse_query(ours)


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
