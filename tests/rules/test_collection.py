"""Every worker must collect the same tests: xdist compares the ids of all of them."""

import re
from difflib import unified_diff

import pytest
from support.collecting import ALL, Collected, collected_apart

LONGEST = 120


def test_ids_are_short_and_hold_no_address_of_an_object(request: pytest.FixtureRequest) -> None:
    """Of the tests of this run: all of them when everything runs."""
    ids = [item.callspec.id for item in request.session.items if hasattr(item, "callspec")]
    assert [i for i in ids if not i.isascii() or not i.isprintable() or len(i) > LONGEST] == []
    assert [i for i in ids if re.search(r"<.* at 0x[0-9a-f]{6,}", i)] == []


@pytest.mark.slow
@pytest.mark.timeout(900)  # ten seconds of a processor for each process, which others may have
def test_ids_depend_neither_on_the_clock_nor_on_the_hash_seed(collected: Collected) -> None:
    """Here they have any seed, and the clock of today."""
    noon_of_a_friday, leap_day = 1795176000, 1835481540  # 23:59:00 on 29 February 2028
    here = collected if len(collected) > ALL else collected_apart(at=noon_of_a_friday, seed=1)
    seen = [
        sorted(name for name, _ in found) for found in (here, collected_apart(at=leap_day, seed=2))
    ]
    assert len(seen[0]) > ALL
    assert list(unified_diff(*seen, lineterm="", n=0)) == []
