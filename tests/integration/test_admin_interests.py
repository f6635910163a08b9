"""A reader's interests at the desk: who may, each act with its record, faults at their field."""

import re
from collections.abc import Iterator
from html import unescape
from pathlib import Path

import pytest
from support.desk import signed_in
from support.house import add
from support.reading_house import Reading, reading_house

from service.flows.leave import unsubscribe
from service.store.staff import list_audit
from service.store.subscribers import list_profile_rows
from service.store.tables import ProfileRow

pytestmark = pytest.mark.usefixtures("cheap_passwords")
ADA = "ada@uni.example"
PLAIN = {"reason": "asked", "act": "save", "cadence": "daily", "weekday": "fri"}


@pytest.fixture
def house(tmp_path: Path) -> Iterator[Reading]:
    with reading_house(tmp_path, papers=False) as made:
        add(made.rt, ADA, "adapters")
        yield made


def where(house: Reading) -> str:
    return f"/admin/readers/{house.reader(ADA).id}"


def interests(house: Reading) -> list[ProfileRow]:
    number = house.reader(ADA).id or 0
    return house.rt.db.read(lambda s: list_profile_rows(s, number))


def test_an_editor_does_all_that_a_reader_can(house: Reading) -> None:
    client, token = signed_in(house, "editor")
    story, form = where(house), {**PLAIN, "token": token}
    page = client.get(story).text
    assert f'href="{story}/interests"' in page
    assert f'href="{story}/interests/{interests(house)[0].id}"' in page
    added = client.post(f"{story}/interests", data={**form, "people": "Wei Zhang"})
    assert (added.url.path, "Added." in added.text) == (story, True)
    first, second = interests(house)
    assert (second.kind, second.text) == ("follow", "Wei Zhang")
    here = f"{story}/interests/{first.id}"
    shown = unescape(client.get(here).text)
    assert re.search(r'<textarea id="words"[^>]*>\s*adapters</textarea>', shown)
    names = {
        *re.findall(r'name="(\w+)"', shown.partition("<form method")[2].partition("</form")[0])
    }
    choices = {
        "name": "Robots", "words": "robots AND hands", "cadence": "weekly", "weekday": "tue",
        "cap": "7", "threshold": "1.5", "own_name": "Ada Lee", "signals": "1", "votes": "50",
    }  # fmt: skip
    assert names == {*choices, "token", "act", "reason"}, "every choice has its field"
    assert "Saved." in client.post(here, data={**form, **choices}).text
    row = interests(house)[0]
    assert (row.name, row.kind, row.cadence, row.weekday) == ("Robots", "query", "weekly", 1)
    assert (row.cap, row.threshold, row.id) == (7, 1.5, first.id)
    assert 'value="Ada Lee"' in client.get(here).text
    assert (
        "Paused."
        in client.post(here, data={"token": token, "reason": "asked", "act": "pause"}).text
    )
    assert interests(house)[0].paused
    assert 'value="resume"' in client.get(here).text
    assert (
        "Resumed."
        in client.post(here, data={"token": token, "reason": "asked", "act": "resume"}).text
    )
    unsure = client.post(here, data={"token": token, "reason": "asked", "act": "remove"})
    assert (unsure.status_code, 'id="sure-fault"' in unsure.text) == (422, True)
    assert len(interests(house)) == 2
    assert (
        "Removed."
        in client.post(
            here, data={"token": token, "reason": "asked", "act": "remove", "sure": "1"}
        ).text
    )
    assert [one.kind for one in interests(house)] == ["follow"]
    last = f"{story}/interests/{second.id}"
    only = client.post(last, data={"token": token, "reason": "asked", "act": "remove", "sure": "1"})
    assert (only.status_code, "only interest" in only.text) == (422, True)
    acts = {one.what: one for one in house.rt.db.read(list_audit)}
    assert acts["change interest"].before["kind"] == "keywords"
    assert acts["change interest"].after["kind"] == "query"
    assert acts["change interest"].after["changed"] == ["name", "text", "own"]
    paused = {"paused": True, "interest": 1}
    assert acts["pause interest"].after == paused
    assert acts["pause interest"].before == paused | {"paused": False}
    told = client.get(f"{story}?kind=act").text
    assert f'/interests/{second.id}">add interest (' in told, "what an act was about, while it is"
    assert "/interests/1" not in told
    assert acts["remove interest"].before["cap"] == 7
    assert acts["add interest"].after["kind"] == "follow"
    told = " ".join(str(one.model_dump()) for one in acts.values())
    assert not re.search("robots|Wei Zhang|Ada Lee|adapters", told), "words go with their reader"


@pytest.mark.slow
def test_a_fault_stands_at_its_field_and_nothing_typed_is_lost(house: Reading) -> None:
    client, token = signed_in(house, "editor")
    data = {**PLAIN, "token": token, "name": "What I typed"}
    for field, value in (
        ("words", "robots AND (a"), ("people", "au:x AND ("), ("cap", "0"), ("threshold", "-1"),
        ("votes", "50"), ("own_name", "?"), ("cadence", "hourly"), ("weekday", "caturday"),
    ):  # fmt: skip
        answer = client.post(f"{where(house)}/interests", data={**data, field: value})
        assert answer.status_code == 422, field
        assert f'id="{field}-fault"' in answer.text, field
        assert 'value="What I typed"' in answer.text, field
    assert len(interests(house)) == 1


@pytest.mark.slow
def test_who_may_and_whose_it_is(house: Reading) -> None:
    add(house.rt, "ben@uni.example", "diffusion")
    bens = house.reader("ben@uni.example").id
    viewer, token = signed_in(house, "viewer")
    number = interests(house)[0].id
    here = f"{where(house)}/interests/{number}"
    assert f"{where(house)}/interests" not in viewer.get(where(house)).text
    for path in (here, f"{where(house)}/interests"):
        assert viewer.get(path).status_code == 403
        assert viewer.post(path, data={**PLAIN, "token": token}).status_code == 403
    editor, token = signed_in(house, "editor")
    data = {"token": token, "reason": "asked", "act": "remove", "sure": "1"}
    other = f"/admin/readers/{bens}/interests/{number}"
    for path in (other, f"{here}9", f"/admin/readers/99/interests/{number}"):
        assert editor.get(path).status_code == 404, path
        assert editor.post(path, data=data).status_code == 404, path
    assert editor.post(here, data={**data, "token": "forged"}).status_code == 403
    assert len(interests(house)) == 1
    unsubscribe(house.rt, house.reader(ADA).unsubscribe_token)
    assert editor.get(here).status_code == 404, "who left has nothing to be changed"
    assert f"{where(house)}/interests" not in editor.get(where(house)).text


def test_words_that_were_not_touched_stay(
    house: Reading,
) -> None:
    client, token = signed_in(house, "editor")
    here = f"{where(house)}/interests/{interests(house)[0].id}"
    data = {**PLAIN, "token": token, "words": "adapters", "name": "A", "cap": "3"}
    compiled = interests(house)[0].compiled
    assert "Saved." in client.post(here, data=data).text
    row = interests(house)[0]
    assert (row.text, row.name, row.cap, row.compiled) == ("adapters", "A", 3, compiled)
