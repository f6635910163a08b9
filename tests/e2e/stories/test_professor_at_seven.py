"""A professor reads at seven, in plain text, and is away in August."""

import re
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

from support.house import ingest_items, paper_item
from support.reading_house import path_in, reading_house

from service.flows.daily import plan_due


def test_seven_oclock_in_zurich_in_plain_text_with_a_pause(tmp_path: Path) -> None:
    with reading_house(tmp_path) as house:
        house.subscribe("prof@uni.example", "adapters", hour="07", zone="Europe/Zurich")
        house.client.post("/manage", data={"email": "prof@uni.example"})
        house.send()
        manage = path_in(house.mails("prof@uni.example")[-1], "manage")
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
