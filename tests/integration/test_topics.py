"""Topics: kept by the staff (command line, desk), read by everybody (pages, API)."""

import json
import re
from collections.abc import Iterator
from html import unescape
from pathlib import Path

import pytest
from fastapi import FastAPI
from fastapi.testclient import TestClient
from sqlmodel import Session, select
from support.command import Shell
from support.reading_house import Reading, reading_house

from service import api
from service.flows import related, topics
from service.flows.topics import TopicError, add_topic, change_topic, get_topic, remove_topic
from service.matching.query import QueryError
from service.store.house_tables import AuditRow
from service.store.tables import PaperRow


@pytest.fixture
def house(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Reading]:
    for module in (topics, related):  # eighteen papers are fewer than the product asks for
        monkeypatch.setattr(module, "LEAST_PAPERS", 1)
        monkeypatch.setattr(module, "LEAST_ALIKE", 0.01)
    with reading_house(tmp_path) as made:
        yield made


def acts(house: Reading) -> list[tuple[str, str, str]]:
    rows = house.rt.db.read(lambda s: s.exec(select(AuditRow).order_by(AuditRow.id)).all())
    return [(row.who, row.what, row.target) for row in rows]


def seed(house: Reading) -> str:
    """The name of a stored paper about adapters."""
    made = house.client.get("/search?q=adapters+forget").text
    found = re.search(r'href="/papers/([^"]+)"', made)
    assert found is not None
    return found[1]


@pytest.mark.slow
def test_a_topic_is_kept_changed_and_removed_on_record(house: Reading) -> None:
    made = add_topic(house.rt, {"name": "folding", "text": "fold towels", "kind": "query"}, by="a")
    assert (made.title, made.kind) == ("Folding", "query")
    change_topic(house.rt, "folding", {"title": "Folding things", "likes": [seed(house)]}, by="b")
    again = get_topic(house.rt, "folding")
    assert (again.title, again.text, len(again.likes)) == ("Folding things", "fold towels", 1)
    remove_topic(house.rt, "folding", by="c")
    assert topics.list_topics(house.rt) == []
    assert acts(house) == [
        ("a", "add topic", "folding"),
        ("b", "change topic", "folding"),
        ("c", "remove topic", "folding"),
    ]


@pytest.mark.slow
def test_a_topic_that_was_taken_away_says_so_until_it_is_made_again(house: Reading) -> None:
    places = ("/topics/folding", "/feeds/topics/folding.atom")
    assert [house.client.get(one).status_code for one in places] == [404, 404]
    add_topic(house.rt, {"name": "folding", "text": "towels"}, by="a")
    remove_topic(house.rt, "folding", by="a")
    assert [house.client.get(one).status_code for one in places] == [410, 410]
    page = house.client.get("/topics/folding").text
    assert "This topic was taken away." in page
    assert 'href="/topics"' in page
    assert "Dieses Thema wurde entfernt." in house.client.get("/topics/folding?lang=de").text
    add_topic(house.rt, {"name": "folding", "text": "towels"}, by="a")
    assert [house.client.get(one).status_code for one in places] == [200, 200]


REFUSED = (
    ({"name": "Two Words"}, "name"),
    ({"name": "../admin"}, "name"),
    ({"name": ""}, "name"),
    ({"text": "  "}, "text"),
    ({"kind": "trending"}, "kind"),
    ({"title": "x" * 200}, "title"),
    ({"likes": ["arXiv:1901.99999"]}, "likes"),
)


def test_what_cannot_be_kept_is_said_at_its_field(house: Reading) -> None:
    for values, field in REFUSED:
        with pytest.raises(TopicError) as refused:
            add_topic(house.rt, {"name": "t", "text": "robots"} | values, by="a")
        assert refused.value.where == field
        assert refused.value.next_step
    assert acts(house) == []


def test_words_that_cannot_be_read_and_names_that_are_taken(house: Reading) -> None:
    with pytest.raises(QueryError):
        add_topic(house.rt, {"name": "t", "kind": "query", "text": "(robots"}, by="a")
    add_topic(house.rt, {"name": "t", "text": "robots"}, by="a")
    with pytest.raises(TopicError) as refused:
        add_topic(house.rt, {"name": "t", "text": "hands"}, by="a")
    assert refused.value.where == "name"


@pytest.mark.slow
def test_the_page_has_the_papers_with_the_words_and_those_alike(house: Reading) -> None:
    values = {"name": "towels", "text": "towels", "about": "<b>Cloth</b>", "likes": [seed(house)]}
    add_topic(house.rt, values, by="a")
    page = unescape(house.client.get("/topics/towels").text)
    exact, _, beside = page.partition('<section aria-labelledby="alike">')
    assert exact.count('<article class="paper">') == 3
    assert "3 papers of 18 · 3 in the last 30 days" in page
    assert "Like the papers chosen for this topic" in page
    alike = beside.partition("</section>")[0]
    assert "dapters" in alike
    assert "towels" not in alike.lower().partition("</h2>")[2]
    assert 'id="seeds"' in page
    days = [house.client.get(f"/topics/towels?lang={lang}").status_code for lang in ("de", "en")]
    assert days == [200, 200]
    assert "<b>Cloth" not in house.client.get("/topics/towels").text
    assert "towels" in house.client.get("/topics").text.lower()
    assert 'href="/topics/towels"' in house.client.get("/papers").text
    gone = house.client.get("/topics/none")
    assert gone.status_code == 404
    assert 'href="/topics"' in gone.text


def test_a_chosen_paper_that_is_hidden_says_nothing_any_more(house: Reading) -> None:
    chosen = seed(house)
    plain = add_topic(house.rt, {"name": "plain", "text": "towels"}, by="a")
    topic = add_topic(house.rt, {"name": "towels", "text": "towels", "likes": [chosen]}, by="a")

    def alike(topic: topics.Topic) -> list[str]:
        return [one.paper.title for one in topics.read_topic(house.rt, topic).alike]

    assert alike(topic) != alike(plain)
    hidden = related.find_paper(house.rt, chosen.partition("/")[2])

    def hide(session: Session) -> None:
        row = session.get(PaperRow, hidden)
        assert row is not None
        row.quarantined = "broken"
        session.add(row)

    house.rt.db.write(hide)
    assert topics.read_topic(house.rt, topic).seeds == ()
    assert alike(topic) == alike(plain) != []


def test_subscribing_to_a_topic_is_subscribing_to_its_words(house: Reading) -> None:
    add_topic(house.rt, {"name": "t", "kind": "query", "text": "fold AND towels"}, by="a")
    onward = re.search(
        r'href="([^"]+)">Subscribe to this topic', house.client.get("/topics/t").text
    )
    assert onward is not None
    assert "as they are now" in house.client.get("/topics/t").text
    form = unescape(house.client.get(unescape(onward[1])).text)
    assert "3 of 18 papers" in form, "the estimate is shown"
    assert "fold AND towels" in form


@pytest.mark.slow
def test_programs_read_the_same(house: Reading) -> None:
    add_topic(house.rt, {"name": "towels", "text": "towels", "likes": [seed(house)]}, by="a")
    app = FastAPI()
    app.include_router(api.router(house.rt))
    client = TestClient(app)
    assert [one["name"] for one in client.get("/api/v1/topics").json()] == ["towels"]
    made = client.get("/api/v1/topics/towels").json()
    assert (made["total"], made["fresh"], len(made["papers"])) == (3, 3, 3)
    assert made["related"]
    assert client.get("/api/v1/topics/towels?format=bib").text.count("@") == 3


@pytest.mark.slow
def test_the_command_line_keeps_them(shell: Shell) -> None:
    assert json.loads(shell.say("topics", "list", "--json").out) == []
    made = json.loads(
        shell.say("topics", "add", "speech", "--keywords", "speech, voice", "--json").out
    )
    assert (made["title"], made["kind"], made["likes"]) == ("Speech", "keywords", [])
    assert made["address"].endswith("/topics/speech")
    assert "Its page" in shell.say("topics", "add", "more", "--query", "a OR b").out
    changed = json.loads(
        shell.say(
            "topics", "change", "speech", "--title", "Speech", "--about", "Said.", "--json"
        ).out
    )
    assert changed["about"] == "Said."
    shown = json.loads(shell.say("topics", "show", "speech", "--json").out)
    assert (shown["text"], shown["total"], shown["papers"]) == ("speech, voice", 0, [])
    assert "0 papers" in shell.say("topics", "show", "speech").out
    shell.say("topics", "remove", "speech")
    assert [one["name"] for one in json.loads(shell.say("topics", "list", "--json").out)] == [
        "more"
    ]
    assert json.loads(shell.say("topics", "restore", "speech", "--json").out) == changed
    shell.say("topics", "remove", "speech")
    for words, code in (
        (("show", "speech"), 1),
        (("restore", "more"), 1),
        (("restore", "none"), 1),
        (("change", "more", "--title", "x" * 121), 2),
        (("remove", "speech"), 1),
        (("add", "more", "--query", "c"), 1),
        (("add", "new"), 2),
        (("add", "new", "--query", "(c"), 2),
        (("change", "more"), 2),
    ):
        assert shell.say("topics", *words).code == code, words
