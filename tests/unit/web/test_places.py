"""A zone by what people call their place."""

import pytest

from service.delivery.i18n import Texts
from service.subscribers.cadence import known_zones
from service.web.cities import CITIES, FIRST, SHORT
from service.web.places import PlaceError, find_zones, read_place

SPOKEN = (Texts("en"), Texts("de"))


@pytest.mark.parametrize(
    ("typed", "zone"),
    [
        ("Europe/Zurich", "Europe/Zurich"),
        (" zürich ", "Europe/Zurich"),
        ("Tokio", "Asia/Tokyo"),
        ("new york", "America/New_York"),
        ("Asia/Calcutta", "Asia/Kolkata"),
        ("US/Eastern", "America/New_York"),
        ("Peking", "Asia/Shanghai"),
        ("Köln", "Europe/Berlin"),
        ("Germany", "Europe/Berlin"),  # two zones, one time
        ("Schweiz", "Europe/Zurich"),
        ("switz", "Europe/Zurich"),
        ("são paulo", "America/Sao_Paulo"),
        ("saigon", "Asia/Ho_Chi_Minh"),
        ("UTC", "UTC"),
    ],
)
def test_a_place_has_its_zone(typed: str, zone: str) -> None:
    assert read_place(typed, SPOKEN) == zone


@pytest.mark.parametrize(
    ("typed", "first"),
    [("USA", "America/New_York"), ("Kanada", "America/Toronto"), ("cambridge", "Europe/London")],
)
def test_several_clocks_are_offered_those_of_most_people_first(typed: str, first: str) -> None:
    found = find_zones(typed, SPOKEN)
    assert found[0] == first
    assert len(found) <= 8


@pytest.mark.parametrize("typed", ["Atlantis", "x" * 500, "???", "' OR 1=1", "Europe/", "?!/"])
def test_what_nobody_knows_is_said(typed: str) -> None:
    with pytest.raises(PlaceError) as caught:
        read_place(typed, SPOKEN)
    assert caught.value.where == "place"
    if not caught.value.zones:
        assert caught.value.what.startswith("No time zone is known by")
    assert len(caught.value.what) < 120


def test_every_zone_of_ours_is_one_and_stands_once_by_its_city() -> None:
    zones = {*CITIES, *FIRST}
    assert zones <= known_zones()
    assert set(SHORT.values()) <= {"US", "GB", "AE", "NL", "KR"}
    names = [name.strip() for cities in CITIES.values() for name in cities.split(",")]
    assert len(names) == len(set(names))
