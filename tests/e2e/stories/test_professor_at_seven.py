"""A professor reads at seven, in plain text, and is away in August."""

import re
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest
from support.house import ingest_items, paper_item
from support.reading_house import Reading, reading_house, text_of

from service.flows.daily import plan_due

WEEKDAYS = ["mon", "tue", "wed", "thu", "fri"]


@pytest.mark.slow
def test_seven_oclock_in_zurich_in_plain_text_with_a_pause(tmp_path: Path) -> None:
    with reading_house(tmp_path) as house:
        house.subscribe("prof@uni.example", "adapters", hour="07", zone="Europe/Zurich")
        house.client.post("/manage", data={"email": "prof@uni.example"})
        house.send()
        manage = house.path_to("prof@uni.example", "manage")
        house.client.post(f"{manage}/mail", data={"format": "text", "style": "short"})
        house.clock.at = datetime(2026, 11, 19, 5, 59, tzinfo=UTC)
        ingest_items(
            house.rt, tmp_path, [paper_item(6001, "Adapters at dawn")], on=date(2026, 11, 19)
        )
        plan_due(house.rt)
        assert house.send() == 0
        house.clock.go(minutes=12)  # mails begin on the hour, spread over ten minutes
        plan_due(house.rt)
        house.clock.go(minutes=10)
        assert house.send() == 1
        mail = house.mails("prof@uni.example")[-1]
        assert mail.get_content_type() == "text/plain"
        assert "Adapters at dawn" in mail.get_content()
        assert re.search(r"\*adapters\*", mail.get_content())
        house.client.post(f"{manage}/mail", data={"format": "bare", "style": "short"})
        away = house.clock().date() + timedelta(days=6)
        house.client.post(f"{manage}/pause", data={"until": away.isoformat()})
        for day in (20, 23, 24):
            house.clock.at = datetime(2026, 11, day, 6, 20, tzinfo=UTC)
            item = paper_item(6000 + day, f"Adapters, day {day}")
            ingest_items(house.rt, tmp_path, [item], on=house.clock().date())
            plan_due(house.rt)
            assert house.send() == 0
        assert (
            "You had paused until 25 November."
            in house.client.get(manage.replace("/manage/", "/history/")).text
        )
        house.clock.at = datetime(2026, 11, 25, 6, 0, tzinfo=UTC)
        plan_due(house.rt)
        house.clock.go(minutes=12)
        assert house.send() == 1
        back = house.mails("prof@uni.example")[-1].get_content()
        assert "*" not in back, "the stars were switched off"
        assert all(f"Adapters, day {day}" in back for day in (20, 23, 24))


@pytest.mark.slow
def test_a_week_in_tokyo_brings_one_mail_a_date_at_seven_there(tmp_path: Path) -> None:
    with reading_house(tmp_path) as house:
        house.subscribe("prof@uni.example", "adapters", hour="07", zone="Europe/Zurich")
        house.send()
        manage = house.own_page("prof@uni.example")[0]
        first = house.client.get(manage).text
        assert "Zurich" in first
        dates = []
        for day, place in ((19, ""), (20, "Tokyo"), (23, ""), (24, "Zurich"), (25, "")):
            _listed(house, date(2026, 11, day))
            if place:  # lands in the night
                house.clock.at = datetime(2026, 11, day - 1, 20, 0, tzinfo=UTC)
                page = house.client.post(
                    f"{manage}/schedule",
                    data={"hour": "07", "place": place, "at_least": "1", "weekdays": WEEKDAYS},
                )
                assert page.status_code == 303
                assert place in house.client.get(manage).text
            dates += _mails_of(house, day)
        assert [on for on, _ in dates] == [19, 20, 23, 24, 25], "one for each date"
        assert [hour for _, hour in dates] == [6, 22, 22, 6, 6], "seven o'clock where he is"
        mail = text_of(house.mails("prof@uni.example")[-1])
        assert max(map(len, re.sub(r"http\S+", "", mail).splitlines())) <= 72
        history = manage.replace("/manage/", "/history/")
        assert "1 paper mailed" in house.client.get(f"{history}?on=2026-11-23").text


def _listed(house: Reading, on: date) -> None:
    item = paper_item(7000 + on.day, f"Adapters, day {on.day}")
    house.clock.at = datetime(on.year, on.month, on.day, tzinfo=UTC) - timedelta(hours=14)
    ingest_items(house.rt, house.folder, [item], on=house.clock().date())


def _mails_of(house: Reading, day: int) -> list[tuple[int, int]]:
    """(local date, hour in UTC) of the mails until noon of a day, planned and sent each hour."""
    found = []
    hour = datetime(2026, 11, day - 1, 20, 1, tzinfo=UTC)
    while hour < datetime(2026, 11, day, 12, tzinfo=UTC):
        hour += timedelta(hours=1)
        house.clock.at = hour
        plan_due(house.rt)
        house.clock.go(minutes=15)  # the mails of an hour are spread over its first ten
        found += [(day, hour.hour)] * house.send()
    return found
