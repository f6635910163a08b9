"""What is typed in one interest of the own page stays while another form of it is saved."""

import re
from collections.abc import Iterator
from html import unescape
from pathlib import Path

import pytest
from support.reading_house import Reading, reading_house

from service.flows.manage_link import manage_token
from service.store.subscribers import list_profile_rows
from service.store.tables import ProfileRow

ADA = "ada@uni.example"
LIVE = {"HX-Request": "true"}


@pytest.fixture
def house(tmp_path: Path) -> Iterator[Reading]:
    with reading_house(tmp_path, reader=(ADA, "adapters")) as made:
        yield made


def link(house: Reading) -> str:
    return f"/manage/{manage_token(house.rt, house.reader(ADA), house.clock(), fresh=True)}"


def interests(house: Reading) -> list[ProfileRow]:
    number = house.reader(ADA).id or 0
    return house.rt.db.read(lambda s: list_profile_rows(s, number))


def typed(house: Reading, path: str, **form: str) -> str:
    """Type into a form; the hidden field that the answer puts into all others."""
    answer = house.client.post(f"{link(house)}/{path}look", data=form, headers=LIVE).text
    part = path.strip("/").replace("interests/", "interest-") or "new"
    return found_in(answer, part)


def kept_of(house: Reading, part: str, **form: str) -> str:
    """The same of a form that is of no interest."""
    return found_in(house.client.post(f"{link(house)}/kept/{part}", data=form).text, part)


def found_in(answer: str, part: str) -> str:
    found = re.search(
        rf'<div data-hx-swap-oob="innerHTML:\.kept-{part}">'
        r'<input type="hidden" name="kept" value="([^"]*)">',
        answer,
    )
    assert found is not None, answer
    return unescape(found[1])


def area(page: str, name: str) -> str:
    found = re.search(rf'<textarea id="{name}"[^>]*>\n([^<]*)</textarea>', page)
    assert found is not None
    return unescape(found[1])


def test_words_typed_stay_while_the_schedule_is_saved(house: Reading) -> None:
    (row,) = interests(house)
    kept = typed(
        house, f"interests/{row.id}/", kind="keywords", words="adapters, robots & <b>", name="Mine",
        cadence="weekly", weekday="tue", choices="1", cap="4",
    )  # fmt: skip
    schedule = {"hour": "6", "zone": "UTC", "weekdays": "mon", "part": "schedule"}
    answer = house.client.post(f"{link(house)}/schedule", data={**schedule, "kept": kept})
    assert (answer.status_code, house.reader(ADA).hour) == (200, 6)
    assert 'id="saved"' in answer.text
    assert area(answer.text, f"words-{row.id}") == "adapters, robots & <b>"
    assert 'value="Mine"' in answer.text
    assert 'name="cap" inputmode="numeric" value="4"' in answer.text
    assert "Not saved yet." in answer.text
    assert '<details class="interest" open' in answer.text
    assert interests(house)[0].text == "adapters", "it waits for its own button"
    again = re.findall(r'name="kept" value="([^"]*)"', answer.text)
    assert len({unescape(one) for one in again}) == 1
    wrong = {**schedule, "hour": "25", "kept": unescape(again[0])}
    refused = house.client.post(f"{link(house)}/schedule", data=wrong)
    assert refused.status_code == 422
    assert area(refused.text, f"words-{row.id}") == "adapters, robots & <b>"


@pytest.mark.slow
def test_a_new_one_stays_while_others_are_saved_looked_at_and_removed(house: Reading) -> None:
    (row,) = interests(house)
    kept = typed(house, "", words="robots", people="Wei Zhang", name="Hands")
    added = house.client.post(f"{link(house)}/interests", data={"words": "towels"})
    assert added.status_code == 303, "nothing else was typed: a page that can be loaded again"
    here = f"{link(house)}/interests/{row.id}"
    same = {"kind": "keywords", "words": "adapters", "name": row.name, "kept": kept}
    for answer in (
        house.client.post(here, data=same),
        house.client.post(f"{here}/look", data=same),
        house.client.post(f"{link(house)}/pause", data={"act": "week", "kept": kept}),
        house.client.post(f"{link(house)}/feed", data={"act": "open", "kept": kept}),
        house.client.post(here, data={"act": "remove", "kept": kept}),
    ):
        assert answer.status_code == 200
        assert area(answer.text, "words-new") == "robots"
        assert area(answer.text, "people-new") == "Wei Zhang"
        assert 'value="Hands"' in answer.text
        assert "Not saved yet." in answer.text
    assert [one.text for one in interests(house)] == ["towels"]


@pytest.mark.slow
def test_its_own_button_saves_it_and_what_is_as_it_was_is_not_called_unsaved(
    house: Reading,
) -> None:
    (row,) = interests(house)
    form = {"kind": "keywords", "words": "adapters", "name": row.name, "cadence": "daily"}
    kept = typed(house, f"interests/{row.id}/", **form)
    pause = house.client.post(f"{link(house)}/pause", data={"act": "week", "kept": kept})
    assert "Not saved yet." not in pause.text
    here = f"{link(house)}/interests/{row.id}"
    saved = house.client.post(here, data={**form, "words": "robots", "kept": kept})
    assert saved.status_code == 303
    assert interests(house)[0].text == "robots"
    odd = ("", "x", "interest-?", "interest-99?words=a", "new?" + "&" * 300, "choices?hour=9")
    for one in odd:
        answer = house.client.post(f"{link(house)}/pause", data={"act": "end", "kept": one})
        assert answer.status_code < 400, one


def test_a_city_a_date_and_an_address_stay_while_another_form_is_saved(house: Reading) -> None:
    (row,) = interests(house)
    kept = [
        kept_of(house, "choices", place="Tokyo", hour="06", weekdays="mon", was="hour=08", x="no"),
        kept_of(house, "pause", until="2026-12-24", act="set"),
        kept_of(house, "address", email="ada@lab.example"),
    ]
    assert "x=no" not in kept[0]
    form = {"kind": "keywords", "words": "robots", "name": row.name}
    answer = house.client.post(
        f"{link(house)}/interests/{row.id}", data={**form, "kept": kept}
    ).text
    assert interests(house)[0].text == "robots"
    assert 'name="place" list="places" value="Tokyo"' in answer
    assert '<option value="06" selected' in answer
    assert 'name="was" value="hour=08"' in answer
    assert 'name="until"' in answer
    assert 'value="2026-12-24"' in answer
    assert 'value="ada@lab.example"' in answer
    assert answer.count("Not saved yet.") == 3
    wrong = {"email": "no-address", "kept": kept}
    refused = house.client.post(f"{link(house)}/address", data=wrong)
    assert (refused.status_code, "Tokyo" in refused.text) == (422, True)
    assert 'value="no-address"' in refused.text
    assert refused.text.count("Not saved yet.") == 2
    saved = house.client.post(f"{link(house)}/pause", data={"act": "week", "kept": kept[1:2]})
    assert saved.status_code == 303, "its own button needs nothing kept"
    assert house.client.post(f"{link(house)}/kept/leave", data={"x": "1"}).status_code == 404
    assert house.client.post("/manage/x/kept/pause", data={"until": "x"}).status_code == 404
