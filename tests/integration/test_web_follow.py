"""People on the pages: asked for, read back name by name, changed; choices per interest."""

import re
from collections.abc import Iterator
from html import unescape
from pathlib import Path

import pytest
from support.house import ingest_items, paper_item
from support.reading_house import WEDNESDAY, Reading, reading_house

from service.flows.manage_link import manage_token
from service.flows.match import match_new
from service.store.subscribers import list_profile_rows
from service.store.tables import ProfileRow

pytestmark = pytest.mark.slow  # a house for each test

ADA = "ada@uni.example"


@pytest.fixture
def house(tmp_path: Path) -> Iterator[Reading]:
    with reading_house(tmp_path) as made:
        yield made


def interests(house: Reading) -> list[ProfileRow]:
    reader = house.reader(ADA)
    return house.rt.db.read(lambda s: list_profile_rows(s, reader.id or 0))


def manage(house: Reading) -> str:
    return f"/manage/{manage_token(house.rt, house.reader(ADA), house.clock())}"


def words(page: str) -> str:
    return " ".join(unescape(re.sub(r"<[^>]+>", " ", page)).split())


def many_of(house: Reading, name: str) -> None:
    items = [
        paper_item(900 + n, "Flows" if n else "Rivers", authors=[{"name": name}]) for n in range(12)
    ]
    ingest_items(house.rt, house.folder, items, on=WEDNESDAY)


def test_people_alone_are_an_interest_and_stand_on_the_page_behind_the_link(house: Reading) -> None:
    people = "Ana Silva\r\norg: Example University"
    house.client.post("/", data={"email": ADA, "people": people, "hour": "08"})
    house.send()
    link = house.path_to(ADA, "confirm")
    assert "By any of: Ana Silva · org: Example University" in words(house.client.get(link).text)
    assert "Ana" not in str(house.mails(ADA)[-1]), "nothing that was typed is mailed"
    house.client.post(link, data={"asked": "1"})
    (row,) = interests(house)
    assert (row.kind, row.text) == ("follow", "Ana Silva\norg: Example University")


def test_words_and_people_are_two_interests_also_for_who_comes_back(house: Reading) -> None:
    house.subscribe(ADA, "robots", people="Ana Silva")
    assert [(r.kind, r.text) for r in interests(house)] == [
        ("keywords", "robots"), ("follow", "Ana Silva"),
    ]  # fmt: skip
    house.client.post(f"{manage(house)}/leave")
    house.clock.go(days=2)
    house.subscribe(ADA, "towels", people="Bo Chen")
    assert [(r.kind, r.text) for r in interests(house)] == [
        ("keywords", "towels"), ("follow", "Bo Chen"),
    ]  # fmt: skip


def test_names_are_read_back_with_their_papers_and_what_to_do(house: Reading) -> None:
    many_of(house, "Wei Zhang")
    form = {"people": "Wei Zhang\nAna Silva\nNo Body", "words": ""}
    page = house.client.post("/estimate", data=form)
    text = words(page.text)
    assert "Wei Zhang: 12 papers in 3 days Probably several people." in text
    assert "No Body: on no paper in 3 days" in text
    offers = re.findall(r'name="use_people" value="([^"]+)"', page.text)
    offered = unescape(offers[0])
    assert offered == 'au:"Wei Zhang" AND flows\nAna Silva\nNo Body'
    pressed = house.client.post("/estimate", data={**form, "use_people": offered})
    assert offered in unescape(pressed.text)
    assert 'au:"Wei Zhang" AND flows: 11 papers' in words(pressed.text)
    live = house.client.post(
        "/estimate", data=form, headers={"hx-request": "true", "hx-target": "names"}
    )
    assert live.text.strip().startswith('<ul class="names"')
    assert "Wei Zhang: 12 papers" in words(live.text)


def test_a_name_that_cannot_be_read_is_told_at_its_field(house: Reading) -> None:
    answer = house.client.post(
        "/", data={"email": ADA, "people": 'au:"Wei Zhang" AND (', "hour": "08"}
    )
    assert answer.status_code == 422
    assert 'id="people-fault"' in answer.text
    assert '<details class="more" open>' in answer.text


def test_what_was_meant_is_offered_for_the_field_where_it_was_typed(house: Reading) -> None:
    wrong = {"email": ADA, "words": "robots, (hands", "people": 'au:"Wei Zhang" AND (flows'}
    page = house.client.post("/", data=wrong).text
    assert "use_people" in re.findall(r'name="(\w+)" value="au:[^"]+AND \(flows\)"', page)
    live = {"hx-request": "true", "hx-target": "names"}
    assert 'name="use_people"' in house.client.post("/estimate", data=wrong, headers=live).text
    assert page.count('id="people-fault"') == page.count('id="words-fault"') == 1
    below = page[page.index('<div id="reading"') :]
    assert 'id="words-fault"' in below, "what is typed next takes the fault away"
    assert 'id="people-fault"' in below[below.index('<div id="names"') :]


# ---- the reader's own page ----


@pytest.mark.parametrize("live", [False, True])
def test_what_was_meant_is_a_button_also_for_a_reader(house: Reading, live: bool) -> None:
    house.subscribe(ADA, "adapters")
    here, row = manage(house), interests(house)[0]
    headers = {"hx-request": "true"} if live else {}
    for where in (f"{here}/look", f"{here}/interests/{row.id}/look"):
        form = {"words": "robots AND (hands", "name": "Hands"}
        page = house.client.post(where, data=form, headers=headers).text
        (button,) = re.findall(r"<button[^>]+AND \(hands\)[^>]+>", page)
        assert f'formaction="{where}"' in button.replace(house.rt.site.base_url, "")
        assert 'name="use"' in button
        used = house.client.post(where, data={**form, "use": "robots"}, headers=headers).text
        assert "papers a day" in used


def test_a_new_interest_is_looked_at_without_scripts_words_and_people(house: Reading) -> None:
    house.subscribe(ADA, "adapters")
    here = manage(house)
    page = house.client.get(here).text
    assert re.search(r'formaction="[^"]*/look">Show what it brings', page)
    both = house.client.post(f"{here}/look", data={"words": "robots", "people": "Ana Silva"}).text
    assert "about 4 papers a day" in both
    assert "Ana Silva: " in both
    assert (
        "most-voted papers</span> <span"
        not in house.client.post(f"{here}/look", data={"words": "", "people": "Ana Silva"}).text
    ), "names alone are not read as no words"
    assert len(interests(house)) == 1


def test_enter_in_a_field_of_an_interest_saves_and_takes_no_offer(house: Reading) -> None:
    house.subscribe(ADA, "adapters")
    here, row = manage(house), interests(house)[0]
    page = house.client.post(f"{here}/interests/{row.id}/look", data={"words": "a AND (b"}).text
    form = page[page.index(f'action="{here}/interests/{row.id}"') :]
    first = form[form.index("<button") :]
    assert 'value="save"' in first[: first.index(">")]


def test_people_are_added_looked_at_and_changed(house: Reading) -> None:
    house.subscribe(ADA, "adapters")
    here = manage(house)
    many_of(house, "Wei Zhang")
    look = house.client.post(f"{here}/look", data={"words": "", "people": "Wei Zhang"})
    assert look.status_code == 200
    assert "Wei Zhang: 12 papers" in words(look.text)
    assert len(interests(house)) == 1, "looking adds nothing"
    house.client.post(f"{here}/interests", data={"words": "robots", "people": "Wei Zhang"})
    first, second, third = interests(house)
    assert [(r.kind, r.text) for r in (second, third)] == [
        ("keywords", "robots"), ("follow", "Wei Zhang"),
    ]  # fmt: skip
    form = {"kind": "follow", "words": "Wei Zhang", "name": third.name, "cap": ""}
    page = house.client.post(f"{here}/interests/{third.id}/look", data=form)
    line = unescape(re.findall(r'name="use_people" value="([^"]+)"', page.text)[0])
    used = house.client.post(f"{here}/interests/{third.id}/look", data={**form, "use_people": line})
    assert used.status_code == 200
    assert 'au:"Wei Zhang" AND flows: 11 papers' in words(used.text)
    assert interests(house)[2].text == "Wei Zhang", "looking changes nothing"
    house.client.post(f"{here}/interests/{third.id}", data={**form, "words": line, "act": "save"})
    assert interests(house)[2].text == 'au:"Wei Zhang" AND flows'
    assert interests(house)[0].text == first.text


def test_cap_least_score_own_papers_and_later_news_are_chosen_for_an_interest(
    house: Reading,
) -> None:
    house.subscribe(ADA, "adapters")
    here, row = manage(house), interests(house)[0]
    form = {"words": "adapters", "name": row.name, "choices": "1"}
    saved = house.client.post(
        f"{here}/interests/{row.id}",
        data={**form, "cap": "3", "threshold": "2,5", "own": "1", "own_name": "Ana Silva",
              "signals": "1", "votes": "20"},
    )  # fmt: skip
    assert saved.status_code == 303
    now = interests(house)[0]
    assert (now.cap, now.threshold, now.options["own"]) == (3, 2.5, "Ana Silva")
    assert now.options["signals"]["votes"] == 20
    page = house.client.get(here).text
    assert re.search(r'name="threshold"[^>]* value="2.5"', page)
    assert re.search(r'name="own" value="1" checked', page)
    assert re.search(r'name="own_name" value="Ana Silva"', page)
    assert re.search(r'name="votes"[^>]* value="20"', page)
    assert "With: adapters, without: Ana Silva" in words(page)
    # a form without the ticks (an offer of a mail) leaves them
    house.client.post(f"{here}/interests/{row.id}", data={"words": "adapters, LoRA"})
    kept = interests(house)[0]
    assert (kept.threshold, kept.options["own"]) == (2.5, "Ana Silva")
    house.client.post(f"{here}/interests/{row.id}", data=form)
    bare = interests(house)[0]
    assert (bare.cap, bare.threshold, bare.options) == (None, 0.0, {})


def test_choices_that_cannot_be_read_change_nothing(house: Reading) -> None:
    house.subscribe(ADA, "adapters")
    row = interests(house)[0]
    for typed, says in (
        ({"threshold": "high"}, "This is no score: a number from 0 to 1,000."),
        ({"own": "1", "own_name": ""}, "The name on your papers is missing."),
        ({"own": "1", "own_name": "Silva"}, "is not a whole name"),
        ({"votes": "many"}, "This is no whole number"),
        ({"cap": "50"}, "This is no whole number from 1 to 40."),
    ):
        form = {"words": "adapters", "name": "Other", "choices": "1", **typed}
        answer = house.client.post(f"{manage(house)}/interests/{row.id}", data=form)
        assert answer.status_code == 422
        assert says in words(answer.text)
        assert '<details class="choices" open>' in answer.text
        assert interests(house)[0].name == row.name


def test_an_interest_says_what_scores_its_papers_have(house: Reading) -> None:
    house.subscribe(ADA, "adapters, robots")
    house.clock.go(days=1)
    items = [paper_item(700 + n, f"Adapters for robots {n}") for n in range(6)]
    ingest_items(house.rt, house.folder, items, on=house.clock().date())
    match_new(house.rt)
    assert re.search(
        r"Of late its \d+ papers had [\d.]+ to [\d.]+, half of them [\d.]+ or more\.",
        words(house.client.get(manage(house)).text),
    )


def test_a_new_interest_takes_the_choice_of_own_papers_over_and_shows_it(house: Reading) -> None:
    house.subscribe(ADA, "adapters")
    here, row = manage(house), interests(house)[0]
    form = {"words": "adapters", "name": row.name, "choices": "1", "own": "1"}
    house.client.post(f"{here}/interests/{row.id}", data={**form, "own_name": "Ana Silva"})
    added = house.client.get(here).text.partition("Add an interest")[2]
    assert '<details class="choices" open>' in added
    assert 'id="new-own" name="own" value="1" checked' in added
    assert 'name="own_name" value="Ana Silva"' in added
    house.client.post(
        f"{here}/interests",
        data={"people": "Bo Chen", "choices": "1", "own": "1", "own_name": "Ana Silva"},
    )
    assert interests(house)[1].options == {"own": "Ana Silva"}


def test_a_field_to_mend_is_marked_and_has_the_focus(house: Reading) -> None:
    house.subscribe(ADA, "adapters")
    here, row = manage(house), interests(house)[0]
    form = {"words": "adapters", "name": row.name, "choices": "1"}
    for field, wrong in (("cap", "900"), ("threshold", "much"), ("votes", "few")):
        page = house.client.post(f"{here}/interests/{row.id}", data={**form, field: wrong}).text
        (typed,) = re.findall(rf'<input [^>]*name="{field}"[^>]*value="{wrong}"[^>]*>', page)
        assert 'aria-invalid="true" autofocus' in typed
        told = re.findall(r'aria-describedby="([\w-]+)', typed)[0]
        assert f'id="{told}"' in page
        assert page.count("autofocus") == 1


def test_an_interest_says_at_a_glance_when_it_comes_and_what_was_chosen(house: Reading) -> None:
    house.subscribe(ADA, "adapters, robots")
    here, row = manage(house), interests(house)[0]
    form = {"words": "adapters, robots", "name": "Mine", "choices": "1", "cap": "3"}
    weekly = {"cadence": "weekly", "weekday": "tue"}
    house.client.post(f"{here}/interests/{row.id}", data={**form, **weekly})
    page = house.client.get(here).text
    summary = page[page.index("<summary>") : page.index("</summary>")]
    assert '<span class="meta">Any of: adapters · robots</span>' in summary
    assert '<span class="meta">once a week, on Tuesday · 3 in full at most</span>' in summary


def test_the_page_opens_at_what_was_asked_for(house: Reading) -> None:
    house.subscribe(ADA, "adapters", people="Ana Silva")
    here, (row, follow) = manage(house), interests(house)
    asked = [
        (f"{here}/interests/{row.id}/look", {"words": "robots"}, 'class="looked"'),
        (f"{here}/interests/{follow.id}/look", {"words": "Ana Silva"}, 'class="read-back"'),
        (f"{here}/look", {"words": "robots", "people": "Bo Chen"}, 'class="looked"'),
        (f"{here}/look", {"words": "", "people": "Bo Chen"}, 'class="read-back"'),
        ("/estimate", {"words": "robots"}, 'id="reading"'),
        ("/words", {"liked": "Robots fold towels"}, "<h2"),
    ]
    for where, form, place in asked:
        page = house.client.post(where, data={"kind": "follow", **form}).text
        (focused,) = re.findall(r"<[^>]+autofocus[^>]*>", page)
        assert place in focused, where
        assert 'tabindex="-1"' in focused
    assert "autofocus" not in house.client.get("/").text
    assert "autofocus" not in house.client.get(here).text


def test_nothing_pasted_and_nothing_ticked_are_told(house: Reading) -> None:
    page = house.client.post("/words", data={"liked": " "})
    assert page.status_code == 422
    assert "There is nothing here. Paste a title, an abstract or a link." in page.text
    assert house.client.get("/words").status_code == 200
    liked = {"liked": "Robots fold towels", "act": "take"}
    found = house.client.post("/words", data=liked)
    assert found.status_code == 422
    assert "No word is ticked. Tick at least one." in found.text
    assert 'name="word"' in found.text
    assert "checked" not in found.text
    taken = house.client.post("/words", data={**liked, "word": "towels"})
    assert taken.headers["location"] == "/?words=towels"


def test_papers_of_ones_own_are_said_in_words(house: Reading) -> None:
    house.subscribe(ADA, "adapters")
    here, row = manage(house), interests(house)[0]
    form = {"words": "robots", "choices": "1", "own": "1", "own_name": "Ana Silva"}
    text = words(house.client.post(f"{here}/interests/{row.id}/look", data=form).text)
    assert "Without papers by Ana Silva: " in text
    assert "au:" not in text
