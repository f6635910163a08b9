"""Pictures of papers in mails: off, unless the operator wants them; the privacy page says so."""

from pathlib import Path

import pytest
from support.house import add, ingest_items, paper_item
from support.reading_house import reading_house

from service.flows.daily import plan_daily

PICTURE = "https://cdn.example.org/social/2611.00001.png"


@pytest.mark.parametrize("wanted", [False, True])
def test_a_mail_asks_nothing_from_anywhere_unless_the_operator_says_so(
    wanted: bool, tmp_path: Path
) -> None:
    with reading_house(tmp_path, papers=False, thumbnails=wanted) as house:
        add(house.rt, "ada@example.org", "adapters")
        item = paper_item(1, "Adapters that forget less")
        ingest_items(house.rt, tmp_path, [item | {"thumbnail": PICTURE}])
        plan_daily(house.rt)
        house.send()
        part = house.mails("ada@example.org")[0].get_body(("html",))
        assert part is not None
        html = part.get_content()
        assert html.count("<img") == html.count(PICTURE) == int(wanted)
        said = house.client.get("/privacy").text
        assert ("Mails show pictures of papers." in said) is wanted
        assert ("no pictures that report back" in said) is not wanted
