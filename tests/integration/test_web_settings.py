"""The reader's own page as a preference centre: what stands first, what a press does and tells,
what is typed wrong, and two tabs at once."""

import re
from collections.abc import Iterator
from html import unescape
from pathlib import Path
from urllib.parse import parse_qs

import pytest
from support.reading_house import Reading, reading_house

from service.flows.manage_link import manage_token
from service.flows.match import match_new
from service.store.db import Session
from service.store.subscribers import get_profile_row, get_subscriber_row, list_profile_rows
from service.subscribers.options import read_options

ADA = "ada@uni.example"


@pytest.fixture
def house(tmp_path: Path) -> Iterator[Reading]:
    with reading_house(tmp_path) as made:
        made.subscribe(ADA, "adapters")
        yield made


def link(house: Reading, *, fresh: bool = True) -> str:
    return f"/manage/{manage_token(house.rt, house.reader(ADA), house.clock(), fresh=fresh)}"


def text_of(page: str) -> str:
    return " ".join(unescape(re.sub(r"<[^>]+>", " ", page)).split())


def press(house: Reading, path: str, **form: object) -> str:
    """Press a button and read the page it leads to, as a browser would."""
    answer = house.client.post(f"{link(house)}/{path}", data=form)  # type: ignore[arg-type]
    if answer.status_code == 303:
        where = answer.headers["location"]
        assert where.endswith("#saved")
        answer = house.client.get(where)
        assert answer.text.count('id="saved"') == 1
    return answer.text


def said(page: str) -> tuple[str, str]:
    """What a press did, and the heading above it."""
    before, _, after = page.partition('id="saved"')
    headings = re.findall(r'<h2 id="(\w+)"', before)
    return text_of("<p " + after.partition("</p>")[0]).lstrip("● "), headings[-1]


def test_the_page_says_first_what_is_set_and_leads_to_it(house: Reading) -> None:
    page = house.client.get(link(house)).text
    contents = re.search(r'<nav aria-label="On this page".*?</nav>', page, re.S)
    assert contents is not None
    anchors = re.findall(r'href="#(\w+)"', contents[0])
    assert anchors == ["interests", "when", "alerts", "mail", "pause", "feed", "address", "leave"]
    assert all(page.count(f'<h2 id="{one}"') == 1 for one in anchors)
    told = text_of(contents[0])
    for line in (
        "Interests 1: adapters", "When Weekdays at 08:00, UTC", "Alerts none",
        "Look English, formatted, short abstracts", "Pause none", "Feed closed",
    ):  # fmt: skip
        assert line in told
    assert "Next mail: Thu 19 November at 08:00." in text_of(page)


def test_each_button_says_what_it_did_in_its_section_with_the_next_mail(house: Reading) -> None:
    schedule = {"hour": "19", "zone": "UTC", "weekdays": ["sat"]}
    assert said(press(house, "schedule", **schedule)) == (
        "Saved: Saturday at 19:00, UTC. Next mail: Sat 21 November at 19:00.", "when",
    )  # fmt: skip
    page = press(house, "alerts", quiet_from="22", quiet_until="06")
    assert said(page) == ("Saved: alerts quiet from 22:00 to 06:00.", "alerts")
    assert said(press(house, "mail", locale="en"))[1] == "mail"
    assert said(press(house, "pause", act="week")) == (
        "Paused until Wed 25 November. Next mail: Sat 28 November at 19:00.", "pause",
    )  # fmt: skip
    assert said(press(house, "pause", act="end"))[0].startswith("The pause is over. Next mail: Sat")
    added, where = said(press(house, "interests", words="robots"))
    assert where == "interests"
    assert added.startswith("Added. It counts from the next mail on. Next mail:")


def test_one_press_saves_what_was_changed_in_all_three_sections(house: Reading) -> None:
    form = {
        "part": ["schedule", "alerts", "mail"], "hour": "07", "zone": "UTC", "weekdays": ["mon"],
        "at_least": "2", "any_hour": "1", "quiet_from": "21", "quiet_until": "07",
        "locale": "en", "format": "text", "style": "none", "trending": "1",
    }  # fmt: skip
    press(house, "mail", **form)
    row = house.reader(ADA)
    assert (row.hour, row.weekdays, row.at_least, row.format) == (7, "mon", 2, "text")
    assert (row.quiet_from, row.quiet_until, row.trending, row.picks) == (0, 0, True, False)
    usual = {"part": "alerts", "quiet_from": "21", "quiet_until": "07"}
    press(house, "alerts", **usual)
    row = house.reader(ADA)
    assert (row.quiet_from, row.quiet_until) == (None, None), "those of the house stay its own"
    assert (row.hour, row.format) == (7, "text"), "what was not sent stays"


def test_what_is_typed_comes_back_with_each_fault_at_its_field(house: Reading) -> None:
    form = {
        "part": ["schedule", "alerts", "mail"], "hour": "23", "zone": "UTC", "place": "Nowhere",
        "at_least": "many", "quiet_from": "5", "quiet_until": "29", "format": "text",
        "locale": "de", "picks": "1",
    }  # fmt: skip
    before = house.tables()
    answer = house.client.post(f"{link(house)}/mail", data=form)
    assert answer.status_code == 422
    assert house.tables() == before
    page = unescape(answer.text)
    for field, what in (
        ("place", "No time zone is known by 'Nowhere'."),
        ("weekdays", "No mail day is chosen."),
        ("at_least", "'many' is no number of papers."),
        ("quiet_until", "'29' is no full hour."),
    ):
        assert f'id="choices-{field}-fault"' in page
        assert what in page
    assert page.count("autofocus") == 1
    assert '<option value="23" selected>' in page
    assert 'value="Nowhere"' in page
    assert 'value="many"' in page
    assert '<option value="text" selected>' in page
    assert '<option value="de" selected>' in page


def test_each_wrong_choice_of_an_interest_is_told_at_once(house: Reading) -> None:
    (one,) = ids(house)
    form = {
        "words": "adapters", "choices": "1", "cap": "99", "threshold": "much", "votes": "x",
        "own": "1", "own_name": "",
    }  # fmt: skip
    part = f"interest-{one}"
    for path in (f"interests/{one}", f"interests/{one}/look"):
        answer = house.client.post(f"{link(house)}/{path}", data=form)
        assert answer.status_code == 422
        for field in ("cap", "threshold", "votes", "own_name"):
            assert f'id="{part}-{field}-fault"' in answer.text, (path, field)
        assert answer.text.count("autofocus") == 1


@pytest.mark.slow
def test_a_country_of_several_clocks_offers_them(house: Reading) -> None:
    form = {"hour": "09", "zone": "UTC", "place": "usa", "weekdays": ["tue"]}
    answer = house.client.post(f"{link(house)}/schedule", data=form)
    assert answer.status_code == 422
    offered = re.findall(r'<button class="offer" name="place" value="([^"]+)"', answer.text)
    assert offered[:4] == [
        "America/New_York", "America/Chicago", "America/Denver", "America/Los_Angeles",
    ]  # fmt: skip
    press(house, "schedule", **{**form, "place": ["usa", offered[0]]})
    assert house.reader(ADA).zone == "America/New_York"


@pytest.mark.slow
def test_the_same_interest_or_name_twice_is_refused(house: Reading) -> None:
    press(house, "interests", words="LoRA, PEFT", name="Tuning")
    for form, what in (
        ({"words": "peft,\nLora"}, "Your interest 'Tuning' asks for this already."),
        ({"words": "robots", "name": "Tuning"}, "Another interest has this name."),
    ):
        answer = house.client.post(f"{link(house)}/interests", data=form)
        assert answer.status_code == 422
        assert what in unescape(answer.text)
        assert form["words"] in answer.text
    first = ids(house)[0]
    same = {"words": "PEFT; lora", "name": "adapters"}
    assert house.client.post(f"{link(house)}/interests/{first}", data=same).status_code == 422


def ids(house: Reading) -> list[int]:
    reader = house.reader(ADA)
    return [r.id or 0 for r in house.rt.db.read(lambda s: list_profile_rows(s, reader.id or 0))]


@pytest.mark.slow
def test_what_another_tab_removed_can_be_added_anew(house: Reading) -> None:
    press(house, "interests", words="robots")
    gone = ids(house)[1]
    press(house, f"interests/{gone}", act="remove")
    form = {"words": "walking robots", "cadence": "weekly", "weekday": "tue", "name": "Legs"}
    answer = house.client.post(f"{link(house)}/interests/{gone}", data=form)
    assert answer.status_code == 422
    assert "This interest is not there any more." in answer.text
    assert "\nwalking robots</textarea>" in answer.text.partition('id="words-new"')[2]
    for act in ("pause", "resume"):
        again = house.client.post(f"{link(house)}/interests/{gone}", data={"act": act})
        assert (again.status_code, "not there any more" in again.text) == (422, True)


@pytest.mark.slow
def test_the_last_of_two_tabs_counts(house: Reading) -> None:
    (one,) = ids(house)
    for words in ("robots", "hands"):
        form = {"words": words, "name": words, "cadence": "daily", "weekday": "fri"}
        assert house.client.post(f"{link(house)}/interests/{one}", data=form).status_code == 303
    assert "hands" in house.client.get(link(house)).text


@pytest.mark.slow
def test_twenty_interests_are_the_most_and_the_page_says_so(house: Reading) -> None:
    for number in range(19):
        house.client.post(f"{link(house)}/interests", data={"words": f"word{number}"})
    page = house.client.get(link(house)).text
    assert 'id="words-new"' not in page
    assert "20 interests are the most. Remove one to add another." in page
    answer = house.client.post(f"{link(house)}/interests", data={"words": "another"})
    assert "You have 20 interests; 20 are the most. Remove one first." in text_of(answer.text)


@pytest.mark.slow
def test_a_date_that_is_none_of_a_pause_is_told_at_its_field(house: Reading) -> None:
    answer = house.client.post(f"{link(house)}/pause", data={"act": "set", "until": ""})
    assert answer.status_code == 422
    assert "The date is missing. Write it like 2026-11-25." in text_of(answer.text)
    assert 'aria-describedby="pause-until-fault until-hint"' in answer.text
    assert said(press(house, "pause", act="month"))[0].startswith("Paused until Fri 18 December.")


@pytest.mark.slow
def test_how_much_each_interest_brings_stands_beside_it(house: Reading) -> None:
    match_new(house.rt)
    page = text_of(house.client.get(link(house)).text)
    assert "adapters 9 papers in the last 7 days" in page
    press(house, "interests", words="robots")
    assert page.count("in the last 7 days") == 1, "before it met the papers nothing is said"


@pytest.mark.slow
def test_a_zone_that_is_gone_is_told_and_is_in_nobodys_way(house: Reading) -> None:
    def lose(session: Session) -> None:
        row = get_subscriber_row(session, email_key=ADA)
        assert row is not None
        row.zone = "Mars/Base"
        session.add(row)

    house.rt.db.write(lose)
    page = house.client.get(link(house)).text
    assert "The zone Mars/Base is not known here (any more)." in page
    assert 'name="zone"' not in page
    press(house, "schedule", hour="09", weekdays="mon")
    assert (house.reader(ADA).hour, house.reader(ADA).zone) == (9, "Mars/Base")
    press(house, "schedule", hour="09", weekdays="mon", place="Bern")
    assert house.reader(ADA).zone == "Europe/Zurich"


def test_a_reload_of_a_forms_address_leads_back_to_its_section(house: Reading) -> None:
    (one,) = ids(house)
    for path, onward in (
        ("schedule", "#when"), ("mail", "#mail"), ("pause", "#pause"), ("leave", "#leave"),
        ("look", "#interests"), (f"interests/{one}", f"#interest-{one}"), ("erase", "/data"),
        (f"interests/{one}/look", f"#interest-{one}"),
    ):  # fmt: skip
        answer = house.client.get(f"{link(house)}/{path}")
        assert answer.status_code == 303, path
        assert answer.headers["location"].endswith(onward)


@pytest.mark.slow
def test_a_second_press_of_a_button_is_no_fault(house: Reading) -> None:
    form = {"words": "robots", "cadence": "weekly", "weekday": "tue", "name": "Arms"}
    for _press in range(2):
        assert said(press(house, "interests", **form))[0].startswith("Added.")
    first, second = ids(house)
    for _press in range(2):
        assert "Removed." in said(press(house, f"interests/{second}", act="remove"))[0]
    assert ids(house) == [first]
    house.clock.go(minutes=1)
    answer = house.client.post(f"{link(house)}/interests", data={"words": "adapters"})
    assert "Your interest 'adapters' asks for this already." in text_of(answer.text)


@pytest.mark.slow
def test_a_removed_interest_comes_back_as_it_was_by_one_press(house: Reading) -> None:
    form = {
        "people": "Ana Silva\norg:Example Lab", "name": "Colleagues", "cadence": "weekly",
        "weekday": "tue", "choices": "1", "cap": "5", "threshold": "2.5", "signals": "1",
        "votes": "30", "own": "1", "own_name": "Bo Chen",
    }  # fmt: skip
    press(house, "interests", **form)
    _first, second = ids(house)

    def kept() -> dict[str, object]:
        row = house.rt.db.read(lambda s: get_profile_row(s, ids(house)[1]))
        assert row is not None
        options = read_options(row.options)
        assert options.signals is not None
        anew = {"id", "created_at", "changed_at", "matched_at", "options"}
        return {**row.model_dump(exclude=anew), "own": options.own, "votes": options.signals.votes}

    before = kept()
    page = press(house, f"interests/{second}", act="remove")
    assert "autofocus" in page.partition('id="saved"')[2].partition(">")[0]
    undo = page.partition('id="saved"')[2].partition("Undo")[0]
    fields = re.findall(r'<input type="hidden" name="(\w+)" value="([^"]*)"', undo)
    house.clock.go(minutes=5)
    press(house, "interests", **{name: unescape(value) for name, value in fields})
    assert kept() == before
    assert "Undo" not in house.client.get(link(house)).text


@pytest.mark.slow
def test_what_is_told_of_an_interest_is_when_it_comes(house: Reading) -> None:
    for cadence, told in (
        ("instant", "Its papers come as soon as they are there, alerts quiet from 21:00 to 07:00."),
        ("weekly", "It comes once a week, on Tuesday."),
        ("daily", "It counts from the next mail on. Next mail: Thu 19 November at 08:00."),
    ):
        form = {"words": f"{cadence} robots", "cadence": cadence, "weekday": "tue"}
        assert said(press(house, "interests", **form)) == (f"Added. {told}", "interests")
        same = {**form, "name": cadence}
        assert said(press(house, f"interests/{ids(house)[-1]}", **same))[0] == f"Saved. {told}"
    last = ids(house)[-1]
    press(house, f"interests/{last}", act="pause")
    resting = said(press(house, f"interests/{last}", words="daily robots"))[0]
    assert resting == "Saved. It rests until you take it up again."


@pytest.mark.slow
def test_a_tab_that_is_behind_another_changes_only_what_was_changed_in_it(house: Reading) -> None:
    def shown(page: str) -> dict[str, list[str]]:
        """The form as a browser would send it."""
        was = re.search(r'name="was" value="([^"]+)"', page)
        assert was is not None
        return {**parse_qs(unescape(was[1])), "was": [unescape(was[1])]}

    press(house, "schedule", hour="07", zone="UTC", weekdays=["mon", "sun"], tell_anyway="1")
    behind = shown(house.client.get(link(house)).text)
    other = shown(house.client.get(link(house)).text)
    assert (behind["hour"], behind["weekdays"]) == (["07"], ["mon", "sun"])
    other |= {"hour": ["09"], "place": ["Tokyo"], "any_hour": ["1"]}
    del other["tell_anyway"]
    press(house, "alerts", **other)
    answer = house.client.post(f"{link(house)}/mail", data={**behind, "at_least": "many"})
    assert answer.status_code == 422
    assert shown(answer.text)["was"] == behind["was"], "a fault does not make a tab newer"
    press(house, "mail", **{**behind, "format": ["text"], "weekdays": ["tue"]})
    row = house.reader(ADA)
    assert (row.format, row.weekdays) == ("text", "tue")
    assert (row.hour, row.zone, row.quiet_from, row.tell_anyway) == (9, "Asia/Tokyo", 0, False)
