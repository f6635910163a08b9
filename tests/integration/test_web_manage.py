"""The reader's own page: what a link may do, who may do it, and what was mailed to whom."""

import re
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from support.reading_house import Reading, path_in, reading_house

from service.flows.manage_link import manage_token
from service.store.subscribers import list_profile_rows


@pytest.fixture
def house(tmp_path: Path) -> Iterator[Reading]:
    with reading_house(tmp_path) as made:
        made.subscribe("ada@uni.example", "adapters")
        yield made


def link(house: Reading, *, fresh: bool = False, address: str = "ada@uni.example") -> str:
    return f"/manage/{manage_token(house.rt, house.reader(address), house.clock(), fresh=fresh)}"


def interests(house: Reading) -> list[tuple[str, str, str, str]]:
    reader = house.reader("ada@uni.example")
    rows = house.rt.db.read(lambda s: list_profile_rows(s, reader.id or 0))
    return [(row.name, row.kind, row.text, row.cadence) for row in rows]


def ids(house: Reading) -> list[int]:
    reader = house.reader("ada@uni.example")
    return [r.id or 0 for r in house.rt.db.read(lambda s: list_profile_rows(s, reader.id or 0))]


def test_interests_are_added_changed_paused_and_removed(house: Reading) -> None:
    here = link(house)
    added = house.client.post(
        f"{here}/interests",
        data={"words": "robots AND hands", "cadence": "weekly", "weekday": "tue"},
    )
    assert added.status_code == 303
    assert added.headers["location"].startswith("/manage/")
    assert interests(house)[1] == ("robots · hands", "query", "robots AND hands", "weekly")
    first, second = ids(house)
    form = {
        "name": "Arms",
        "words": "robots, arms",
        "cadence": "instant",
        "weekday": "fri",
        "cap": "5",
    }
    house.client.post(f"{here}/interests/{second}", data=form)
    assert interests(house)[1] == ("Arms", "keywords", "robots, arms", "instant")
    house.client.post(f"{here}/interests/{second}", data={"act": "pause"})
    assert "paused" in house.client.get(here).text
    house.client.post(f"{here}/interests/{second}", data={"act": "resume"})
    house.client.post(f"{here}/interests/{second}", data={"act": "remove"})
    assert ids(house) == [first]
    last = house.client.post(f"{here}/interests/{first}", data={"act": "remove"})
    assert last.status_code == 422
    assert "This is your only interest." in last.text


@pytest.mark.parametrize(
    ("path", "form", "said"),
    [
        ("interests", {"words": "(robots"}, "never closed"),
        ("interests", {"words": "NOT robots"}, "only says what to leave out"),
        ("schedule", {"hour": "08", "zone": "Mars/Base", "weekdays": "mon"}, "no IANA time zone"),
        ("schedule", {"hour": "08", "zone": "UTC"}, "No mail day is chosen"),
        (
            "schedule",
            {"hour": "08", "zone": "UTC", "weekdays": "mon", "at_least": "many"},
            "'many' is no number of papers.",
        ),
        ("pause", {"until": "2026-11-18"}, "A pause ends after today"),
        ("pause", {"until": "2099-01-01"}, "within a year"),
        ("pause", {"until": "soon"}, "This is no date."),
    ],
)
def test_faults_are_said_and_change_nothing(
    house: Reading, path: str, form: dict[str, str], said: str
) -> None:
    here, before = link(house), house.tables()
    answer = house.client.post(f"{here}/{path}", data=form)
    assert answer.status_code == 422
    assert said in answer.text.replace("&#39;", "'")
    assert house.tables() == before


def test_hour_days_form_and_pause(house: Reading) -> None:
    here = link(house)
    form = {"hour": "19", "zone": "Asia/Tokyo", "weekdays": ["mon", "sun"]}
    house.client.post(f"{here}/schedule", data=form)
    reader = house.reader("ada@uni.example")
    assert (reader.hour, reader.zone, reader.weekdays) == (19, "Asia/Tokyo", "mon,sun")
    assert not reader.on_time
    house.client.post(f"{here}/schedule", data={**form, "on_time": "1"})
    assert house.reader("ada@uni.example").on_time
    page = house.client.get(here).text
    assert 'name="on_time" value="1" checked' in page
    wishes = {**form, "at_least": "3", "tell_anyway": "1"}
    house.client.post(f"{here}/schedule", data=wishes)
    reader = house.reader("ada@uni.example")
    assert (reader.on_time, reader.at_least, reader.tell_anyway) == (False, 3, True)
    page = house.client.get(here).text
    assert "On Monday, tell me anyway when nothing new came" in page
    assert 'name="tell_anyway" value="1" checked' in page
    assert 'name="at_least" inputmode="numeric" value="3"' in page
    assert "Else a mail waits up to 60 minutes when a list is late" in page
    assert reader.next_digest_at is not None
    assert reader.next_digest_at.isoformat() == "2026-11-22T10:00:00+00:00"
    house.client.post(f"{here}/mail", data={"locale": "de", "format": "text", "style": "summary"})
    reader = house.reader("ada@uni.example")
    assert (reader.locale, reader.format, reader.style, reader.trending) == (
        "de",
        "text",
        "summary",
        False,
    )
    house.client.post(f"{here}/mail", data={"locale": "de", "format": "bare", "style": "full"})
    assert house.reader("ada@uni.example").format == "bare"
    assert 'value="bare" selected' in house.client.get(here).text
    house.client.post(f"{here}/pause", data={"until": "2026-12-24"})
    page = house.client.get(here, headers={"Accept-Language": "en"}).text
    assert "Pausiert bis Do., 24.\u00a0Dezember." in page, "the language chosen a moment ago"
    house.client.post(f"{here}/pause", data={"act": "end"})
    assert house.reader("ada@uni.example").paused_until is None


def test_nobody_changes_anothers_interest(house: Reading) -> None:
    house.subscribe("eve@uni.example", "robots")
    answer = house.client.post(
        f"{link(house, address='eve@uni.example')}/interests/{ids(house)[0]}",
        data={"act": "remove"},
    )
    assert answer.status_code == 422
    assert len(ids(house)) == 1


def test_a_forwarded_link_shows_no_address_and_cannot_take_anything_away(house: Reading) -> None:
    here = link(house)
    assert "ada@uni.example" not in house.client.get(here).text
    before = house.tables()
    assert house.client.get(f"{here}/export").status_code == 403
    assert house.client.post(f"{here}/erase", data={"sure": "1"}).status_code == 403
    assert house.client.post(f"{here}/address", data={"email": "x@uni.example"}).status_code == 422
    assert house.tables() == before


def test_the_link_is_mailed_with_one_answer_for_all(house: Reading) -> None:
    pages = [
        house.client.post("/manage", data={"email": address}).text
        for address in ("ada@uni.example", "nobody@uni.example")
    ]
    assert pages[0] == pages[1]
    assert house.send() == 1
    mail = house.mails("ada@uni.example")[-1]
    assert mail["Subject"] == "Your link to Paperpost"
    assert "ada@uni.example" in house.client.get(path_in(mail, "manage")).text
    for _ in range(5):
        house.client.post("/manage", data={"email": "ada@uni.example"})
    assert house.send() == 2, "three a day at most"
    assert house.client.post("/manage", data={"email": "ada"}).status_code == 422


def test_an_ended_link_mails_a_new_one_in_one_press(house: Reading) -> None:
    here = link(house)
    house.clock.go(days=31)
    page = house.client.get(here)
    assert page.status_code == 410
    assert "This link ended on 19 December." in page.text
    target = re.search(r'action="([^"]+/link)"', page.text)
    assert target is not None
    house.client.post(target[1])
    assert house.send() == 1
    assert house.client.get(house.path_to("ada@uni.example", "manage")).status_code == 200
    assert house.client.post("/manage/forged/link").status_code == 404


def test_by_ones_own_link_the_answer_names_where_a_new_one_goes(house: Reading) -> None:
    told = house.client.post(f"{link(house)}/link").text
    assert "The link goes to a…@u….example, 3 times a day at most." in told
    assert "ada@uni.example" not in told, "it may have been forwarded"
    stranger = house.client.post("/manage", data={"email": "ada@uni.example"}).text
    assert "If papers go to this address" in stranger
    assert "a…@" not in stranger


def test_a_link_ends_with_what_it_was_for(house: Reading) -> None:
    confirm = house.client.get(
        f"/manage/{house.rt.signer.sign('confirm', 1, house.clock() + timedelta(1))}"
    )
    assert confirm.status_code == 404


def test_the_address_changes_only_by_the_new_mailbox(house: Reading) -> None:
    here = link(house, fresh=True)
    answer = house.client.post(f"{here}/address", data={"email": "ada@new.example"})
    assert "Look in the new mailbox" in answer.text
    assert house.send() == 1
    assert house.reader("ada@uni.example").state == "active"
    change = path_in(house.mails("ada@new.example")[0], "manage/address")
    assert "ada@new.example" in house.client.get(change).text
    assert house.client.post(change).status_code == 200
    assert house.client.post(change).status_code == 200
    assert house.reader("ada@new.example").state == "active"
    assert house.send() == 1
    assert house.mails("ada@uni.example")[-1]["Subject"] == "Your address was changed"


def test_a_taken_address_is_not_told_apart(house: Reading) -> None:
    house.subscribe("eve@uni.example")
    here = link(house, fresh=True)
    pages = [
        house.client.post(f"{here}/address", data={"email": address}).text
        for address in ("eve@uni.example", "free@uni.example")
    ]
    assert pages[0] == pages[1]
    assert house.send() == 1
    assert len(house.mails("free@uni.example")) == 1


def test_export_and_erasure_by_a_fresh_link(house: Reading) -> None:
    here = link(house, fresh=True)
    found = house.client.get(f"{here}/export").json()
    assert found["subscriber"]["email"] == "ada@uni.example"
    assert found["interests"][0]["text"] == "adapters"
    assert "Tick this first" in house.client.post(f"{here}/erase", data={"nothing": "1"}).text
    assert "You are forgotten." in house.client.post(f"{here}/erase", data={"sure": "1"}).text
    for name, rows in house.tables().items():
        assert not [row for row in rows if "ada@uni.example" in repr(row)], name
    assert house.client.get(here).status_code == 404


def test_leaving_from_the_page(house: Reading) -> None:
    here = link(house)
    assert "You have left." in house.client.post(f"{here}/leave").text
    assert house.reader("ada@uni.example").state == "left"
    assert "You have left." in house.client.get(here).text


def test_cap_and_least_score_are_chosen_with_a_new_interest(house: Reading) -> None:
    here = link(house)
    form = {"words": "robots", "choices": "1", "cap": "99", "threshold": "2"}
    page = house.client.post(f"{here}/interests", data=form).text
    assert re.search(r'id="new-cap"[^>]* value="99"', page)
    assert re.search(r'id="new-threshold"[^>]* value="2"', page)
    house.client.post(f"{here}/interests", data={**form, "cap": "4"})
    reader = house.reader("ada@uni.example")
    row = house.rt.db.read(lambda s: list_profile_rows(s, reader.id or 0))[1]
    assert (row.cap, row.threshold) == (4, 2.0)


def test_the_most_voted_papers_have_no_choice_that_would_do_nothing(house: Reading) -> None:
    here = link(house)
    house.client.post(f"{here}/interests", data={"words": ""})
    (number,) = ids(house)[1:]
    page = house.client.get(here).text
    for field in ("cap", "threshold", "signals", "votes"):
        assert f'id="interest-{number}-{field}"' not in page
        assert f'id="interest-{ids(house)[0]}-{field}"' in page
    assert f'id="interest-{number}-own"' in page
