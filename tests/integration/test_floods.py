"""The floods of ``bench/campaigns/floods.py`` in their short form."""

import pytest

from bench.campaigns import floods


@pytest.mark.slow
def test_hundreds_of_requests_for_one_mailbox_send_one_mail() -> None:
    found = floods.one_victim(100, people=5, hours_after=1)
    assert found["most_to_one_mailbox"] == 1
    assert found["people_served"] == 5
    assert found["people_served_after_minutes"]["longest"] <= 1  # type: ignore[index]


@pytest.mark.slow
def test_one_attacker_sends_thirty_an_hour_and_stops_nobody_else() -> None:
    found = floods.one_attacker(70, people=5, hours_after=2)
    assert found["mails_by_hour"] == {"0": 30, "1": 30, "2": 10}
    assert found["people_served"] == 5
    assert found["people_served_after_minutes"]["longest"] <= 1  # type: ignore[index]


@pytest.mark.slow
def test_a_seminar_room_is_served_within_the_next_hour() -> None:
    found = floods.one_room(40, hours_after=1)
    assert found["mails"] == 40
    assert found["requests_mailed_after_minutes"]["longest"] <= 70  # type: ignore[index]
