"""Papers, sources and interests by hand: the same from a page, by command and by program."""

import re
from collections.abc import Iterator
from html import unescape
from pathlib import Path

import pytest
from support.command import Shell, list_of
from support.desk import signed_in
from support.house import add
from support.reading_house import Reading, reading_house

from service.flows.census import count_interests
from service.flows.match import match_new
from service.store.staff import list_audit

pytestmark = pytest.mark.usefixtures("cheap_passwords")


@pytest.fixture
def house(tmp_path: Path) -> Iterator[Reading]:
    with reading_house(tmp_path) as made:
        yield made


def text_of(page: str) -> str:
    return " ".join(unescape(re.sub(r"<[^>]+>", " ", page)).split())


def test_a_paper_is_found_hidden_and_shown_again(house: Reading) -> None:
    client, token = signed_in(house, "editor")
    found = text_of(client.get("/admin/papers/find?q=robots+towels").text)
    assert "Robots fold towels" in found
    assert client.get("/admin/papers/find?q=2611.00302").text.count("/admin/papers/3") == 1
    refused = client.post("/admin/papers/3/hide", data={"token": token, "reason": " "})
    assert (refused.status_code, 'id="hide-reason-fault"' in refused.text) == (422, True)
    said = client.post("/admin/papers/3/hide", data={"token": token, "reason": "a hoax"})
    assert "hidden: a hoax" in text_of(said.text)
    assert house.client.get("/papers/arxiv/2611.00302").status_code == 404
    assert "a hoax" in client.get("/admin/papers/find?state=hidden").text
    unasked = client.get("/admin/papers/find").text
    assert '<option value="hidden" selected>' in unasked, "the hidden ones are called so"
    assert "1 hidden paper" in unasked
    shown = client.get("/admin/papers/find?q=&state=shown").text
    assert ("a hoax" in shown, "Type words, a name" in shown) == (False, True)
    assert "a hoax" not in house.client.get("/search?q=towels").text
    client.post("/admin/papers/3/unhide", data={"token": token})
    assert house.client.get("/papers/arxiv/2611.00302").status_code == 200
    acts = [(r.what, r.target, r.reason) for r in house.rt.db.read(list_audit)[:2]]
    assert acts == [("show paper", "3", ""), ("hide paper", "3", "a hoax")]
    viewer, _ = signed_in(house, "viewer")
    told = text_of(viewer.get("/admin/papers/3").text)
    assert "hidden everywhere ann-editor a hoax" in told, "who and why, to all of the staff"
    assert viewer.get("/admin/audit").status_code == 403, "the record over everything is not"


def test_two_papers_stand_side_by_side_before_they_are_one(house: Reading) -> None:
    client, token = signed_in(house, "editor")
    page = text_of(client.get("/admin/papers/merge?keep=1&other=2611.00101").text)
    assert "an arXiv id of its own" in page
    assert "who had either has had it" in page
    form = {"token": token, "keep": "1", "other": "8"}
    assert client.post("/admin/papers/merge", data=form).status_code == 422
    client.post("/admin/papers/merge", data=form | {"reason": "one work"})
    kept = house.client.get("/papers/arxiv/2611.00201")
    assert kept.status_code == 200
    gone = text_of(client.get("/admin/papers/8").text)
    assert "Paper 8 was joined with this one" in gone
    assert "one work" in gone
    alone = client.get("/admin/papers/merge?keep=1&other=nothing")
    assert (alone.status_code, "No stored paper is called" in unescape(alone.text)) == (422, True)


@pytest.mark.slow  # a second or more
def test_what_readers_want_is_shown_by_all_doors(house: Reading) -> None:
    client, _ = signed_in(house, "viewer")
    assert "Nothing was counted yet" in client.get("/admin/interests").text
    for n, words in enumerate(["adapters", "adapters, robots", "unicorns"]):
        add(house.rt, f"r{n}@x.example", words)
    match_new(house.rt)
    count_interests(house.rt)
    page = text_of(client.get("/admin/interests").text)
    assert "3 interests of 3 readers, over the 18 papers" in page
    assert re.search(r"adapters words 2 9 18 \d", page)
    assert "r2@x.example" in client.get("/admin/interests/list?state=dead").text
    assert "r1@x.example" not in client.get("/admin/interests/list?state=dead").text
    tried = client.get("/admin/interests/try?words=unicorns,+adapters&other=robots").text
    assert "never occurs" in tried
    assert "<mark>adapters</mark>" in tried.lower()
    assert "Only with the others" in tried
    brought = text_of(client.get("/admin/sources/contribution").text)
    assert "Hugging Face Daily Papers by category" in brought


@pytest.mark.slow  # a second or more
def test_the_same_by_command(shell: Shell, tmp_path: Path) -> None:
    shell.say("sources", "add", "hf_daily", "--history", "0")
    shell.say("ingest", list_of(tmp_path, "a.json", 1, 2), "--kind", "hf_daily")
    shell.say("subscribers", "add", "ada@x.example", "--keywords", "paper", "--confirmed")
    assert shell.say("interests", "stats").out.startswith("Nothing was counted yet.")
    assert shell.say("interests", "count", "--json").json["readers"] == 1
    (term,) = shell.say("interests", "stats", "--json").json
    assert (term["term"], term["readers"]) == ("paper", 1)
    assert shell.say("interests", "stats", "--sort", "x").code == 2
    assert shell.say("interests", "noisy", "--json").json == []
    (share,) = shell.say("sources", "contribution", "--json").json
    assert share["papers"] == 2
    (first, _) = shell.say("papers", "find", "adapter", "--json").json
    assert shell.say("papers", "find", "(").code == 2
    assert shell.say("papers", "hide", "2611.00001", "--reason", " ").code == 2
    hidden = shell.say("papers", "hide", "2611.00001", "--reason", "a hoax", "--json").json
    assert (hidden["hidden"], hidden["changed"]) == (True, True)
    assert shell.say("papers", "find", "--json").json[0]["hidden"] == "a hoax"
    assert shell.say("papers", "show", "1", "--json").json["hidden"] == "a hoax"
    assert "hidden: a hoax" in shell.say("papers", "show", "1").out
    assert shell.say("papers", "unhide", "1", "--json").json["hidden"] is False
    assert shell.say("papers", "show", "99").code == 1
    plan = shell.say("papers", "merge", "1", "2", "--dry-run", "--json").json
    assert (plan["joined"], plan["keep"], plan["join"]) == (False, 1, 2)
    joined = shell.say("papers", "merge", "1", "2", "--reason", "one work", "--json").json
    parted = shell.say("papers", "unmerge", "1", str(joined["number"]), "--reason", "two", "--json")
    assert parted.json == {"kept": 1, "parted": 2}
    assert shell.say("papers", "unmerge", "1", "9", "--reason", "two").code == 1
    made = shell.say("sources", "set", "1", "--title", "Daily", "--dry-run", "--json").json
    assert (made["title"], made["changed"], len(made["effects"])) == ("Daily", False, 1)
    assert shell.say("sources", "set", "1", "--param", "x").code == 2
    assert shell.say("sources", "missing", "1", "--json").json == []
    assert shell.say("sources", "burst", "1").out == "Nothing waits.\n"
    assert first["id"] in (1, 2)
