"""What words bring, told alike by pages, API and command line: other forms, changes, likeness."""

import json
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from fastapi.testclient import TestClient
from pybtex.database import parse_string
from support.command import Shell
from support.house import ingest_items, paper_item
from support.reading_house import WEDNESDAY, Reading, reading_house

from service.app import make_app
from service.flows import words as learning
from service.flows.live_corpus import LiveCorpus
from service.matching.parse import parse_query
from service.settings import load_settings
from service.store.listing import set_feedback

SENTENCES = (
    ("Low-rank adaptation (LoRA) of large models", "We study low-rank adaptation (LoRA) here."),
    ("Low-rank adaptation without its short name", "Low-rank adaptation keeps its skill."),
    ("LoRA drifts when training is long", "LoRA, a survey of drift in training."),
    ("Robot hands fold towels", "Robots grasp towels with hands of cloth."),
    ("Walking robots and towels", "Robots walk over towels and grasp them."),
    ("Protein folding by diffusion", "Diffusion folds proteins of many kinds."),
)


def items() -> list[dict[str, Any]]:
    return [
        paper_item(100 + n, f"{SENTENCES[n % 6][0]}, part {n}", SENTENCES[n % 6][1], votes=n % 7)
        for n in range(102)
    ]


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Reading]:
    folder = tmp_path_factory.mktemp("doors")
    with reading_house(folder, papers=False) as made:
        every = items()
        for back in range(2):
            ingest_items(made.rt, folder, every[back::2], on=WEDNESDAY - timedelta(days=7 * back))
        settings = load_settings(None, data_dir=folder, smtp_url="mailbox:")
        made.client = TestClient(
            make_app(made.rt, settings), base_url=made.rt.site.base_url, follow_redirects=False
        )
        made.subscribe("ada@uni.example", "LoRA")
        yield made


def said(house: Reading, **query: str) -> Any:
    answer = house.client.get("/api/v1/estimate", params=query)
    assert answer.status_code == 200, answer.text
    return answer.json()


def test_the_api_tells_basis_other_forms_and_a_change(house: Reading) -> None:
    told = said(house, keywords="LoRA, -survey", instead_of="robots")
    assert told["basis"] == {
        "papers": 102, "days": 8, "known": 0, "unread": 0, "says": "102 papers of 8 days",
    }  # fmt: skip
    assert (told["total"], told["known"]) == (17, 0)
    assert told["removed_by_not"] == {"survey": 17}
    (form,) = told["other_forms"]
    assert (form["term"], form["other"], form["brings"]) == ("LoRA", "low-rank adaptation", 17)
    assert said(house, keywords=form["query"])["total"] == 34
    assert (told["change"]["added"], told["change"]["removed"]) == (17, 34)
    assert len(told["change"]["best_removed"]) == 3
    assert told["change"]["days"] == 8
    assert said(house, q="LoRA AND towels")["warning"] == "none"
    people = said(house, people="Ana Silva")
    assert people["names"][0]["papers"] == people["total"] == 102


@pytest.mark.parametrize(
    ("query", "where"),
    [({}, "q"), ({"q": "a", "keywords": "b"}, "q"), ({"q": "(a"}, ""), ({"q": "a", "days": 0}, "")],
)
def test_the_api_refuses_in_three_parts(house: Reading, query: dict[str, Any], where: str) -> None:
    answer = house.client.get("/api/v1/estimate", params=query)
    assert answer.status_code == 422
    if where:
        assert answer.json()["error"]["where"] == where


def test_the_api_names_the_character_what_was_expected_and_a_form_that_works(
    house: Reading,
) -> None:
    answer = house.client.get("/api/v1/estimate", params={"q": "graph OR ( )"})
    assert answer.json()["error"] == {
        "what": "The brackets at character 10 are empty.",
        "where": "",
        "next_step": "Expected here: a word, a phrase in quotes or an opening bracket.",
        "position": 10,
        "expected": "a word, a phrase in quotes or an opening bracket",
        "suggestion": "graph",
    }


def test_the_api_proposes_words_and_names_papers_alike(house: Reading) -> None:
    text = {"text": "https://arxiv.org/abs/2611.00103v1"}
    told = house.client.post("/api/v1/words", json=text).json()
    assert told["stored"]
    assert told["title"] == "Robot hands fold towels, part 3"
    terms = {word["term"]: word["papers"] for word in told["words"]}
    assert terms["hands fold towels"] == 17
    for term, papers in terms.items():
        assert said(house, keywords=term)["total"] == papers
    alike = house.client.get("/api/v1/related", params={"paper": "arXiv:2611.00103"}).json()
    assert len(alike) == 5
    assert all("Robot hands fold towels" in one["title"] for one in alike)
    assert house.client.get("/api/v1/related", params={"paper": "2611.99999"}).status_code == 404
    ours = f"{house.rt.links.paper('arxiv', '2611.00103')}?from=mail"
    assert house.client.post("/api/v1/words", json={"text": ours}).json()["title"] == told["title"]
    pubmed = {"text": "https://pubmed.ncbi.nlm.nih.gov/34929406/"}
    assert "not in our lists" in house.client.post("/api/v1/words", json=pubmed).text
    unknown = house.client.post("/api/v1/words", json={"text": "arxiv:2611.99999"})
    assert unknown.status_code == 422
    assert "not in our lists" in unknown.text


def test_the_api_searches_and_names_what_is_like_the_found(house: Reading) -> None:
    asked = {"q": "walking AND robots AND towels"}
    told = house.client.get("/api/v1/search", params=asked).json()
    assert (told["total"], told["basis"], len(told["papers"])) == (17, 102, 17)
    assert {one["title"][:14] for one in told["papers"]} == {"Walking robots"}
    assert "Robot hands fold towels" in told["related"][0]["title"]
    page = house.client.get("/api/v1/search", params={**asked, "offset": 10, "limit": 5}).json()
    assert page["papers"] == told["papers"][10:15]
    assert page["related"] == []
    nothing = house.client.get("/api/v1/search", params={"q": "walking AND unicorns"}).json()
    assert nothing["without"] == [{"part": "unicorns", "query": "walking", "papers": 17}]
    wrong = house.client.get("/api/v1/search", params={"q": "(robots"})
    assert wrong.status_code == 422
    assert "bracket" in wrong.json()["error"]["what"]


def test_the_api_gives_papers_for_a_bibliography(house: Reading) -> None:
    found = {"q": "walking AND robots AND towels", "limit": 5}
    titles = [p["title"] for p in house.client.get("/api/v1/search", params=found).json()["papers"]]
    asked = {"search": found, "related": {"paper": "arXiv:2611.00103"}}
    for path, params in asked.items():
        bib = house.client.get(f"/api/v1/{path}", params={**params, "format": "bib"})
        assert bib.headers["content-type"].startswith("application/x-bibtex")
        assert len(parse_string(bib.text, "bibtex").entries) == 5
        ris = house.client.get(f"/api/v1/{path}", params={**params, "format": "ris"})
        assert ris.headers["content-type"].startswith("application/x-research-info-systems")
        assert ris.text.count("TY  - ") == 5
        if path == "search":
            assert [line[6:] for line in ris.text.splitlines() if line[:2] == "TI"] == titles
        assert house.client.get(f"/api/v1/{path}", params={**params, "format": "x"}).is_error
        assert house.client.get(f"/api/v1/{path}", params={**params, "format": "json"}).json()


def test_nothing_is_changed_by_asking(house: Reading) -> None:
    before = house.tables()
    said(house, keywords="LoRA", instead_of="robots")
    house.client.post("/api/v1/words", json={"text": "Robot hands fold towels"})
    house.client.get("/api/v1/related", params={"paper": "2611.00103"})
    house.client.post("/words", data={"act": "take", "word": ["towels"]})
    assert house.tables() == before


def test_the_api_describes_itself(house: Reading) -> None:
    paths = house.client.get("/api/openapi.json").json()["paths"]
    names = ("estimate", "search", "words", "related", "papers", "topics", "topics/{name}")
    is_open = {
        at for at, does in paths.items() if not all("security" in one for one in does.values())
    }
    assert is_open == {f"/api/v1/{name}" for name in names}, "all others ask for a token"
    asked = {f"/api/v1/{name}" for name in ("alarms", "deliveries", "editions")}
    assert asked <= set(paths) - is_open


def test_pages_offer_the_other_form_and_words_of_a_paper(house: Reading) -> None:
    page = house.client.post("/estimate", data={"words": "LoRA, -survey"}).text
    assert "“LoRA” is usually written out as low-rank adaptation." in page
    assert "Add it: 17 more papers" in page
    assert 'value="LoRA, low-rank adaptation, -survey"' in page
    assert "Without survey: 17 papers left out." in page
    assert "17 of 102 papers of 8 days." in page
    pasted = house.client.post("/estimate", data={"words": "A long abstract. (It " + "has " * 90})
    assert "Find words in it" in pasted.text
    words = house.client.post("/words", data={"liked": "Robot hands fold towels"}).text
    assert "of 102 papers of 8 days" in words
    assert 'value="hands fold towels" checked' in words
    taken = house.client.post("/words", data={"act": "take", "word": ["Robot hands", "towels"]})
    assert (taken.status_code, taken.headers["location"]) == (303, "/?words=Robot+hands%2C+towels")
    assert house.client.post("/words", data={"liked": "http://x.example/1"}).status_code == 422


def test_alike_and_related_stand_below_what_was_asked_for(house: Reading) -> None:
    page = house.client.get("/papers/arxiv/2611.00103").text
    assert page.index("Papers like this one") < page.index("Robot hands fold towels, part 9")
    assert "/words?liked=arXiv%3A2611.00103" in page
    found = house.client.get("/search", params={"q": "walking AND robots AND towels"}).text
    assert found.index("Walking robots") < found.index("Related, without your words")
    related = found[found.index("Related, without your words") :]
    assert "Robot hands fold towels" in related
    assert "Walking" not in related
    nothing = house.client.get("/search", params={"q": "unicorns"}).text
    assert "Related, without your words" not in nothing


def test_papers_that_are_still_being_read_are_told(
    house: Reading, monkeypatch: pytest.MonkeyPatch
) -> None:
    said_so = "1,204 further papers are still being read."
    asked = {"q": "unicorns"}
    assert "being read" not in house.client.get("/search", params=asked).text
    monkeypatch.setattr(LiveCorpus, "unread", lambda _corpus, _since=None: 1204)
    for words in ("unicorns", "walking"):
        assert said_so in house.client.get("/search", params={"q": words}).text
    assert said_so in house.client.post("/estimate", data={"words": "unicorns"}).text
    assert house.client.get("/api/v1/search", params=asked).json()["unread"] == 1204
    basis = house.client.get("/api/v1/estimate", params=asked).json()["basis"]
    assert basis["unread"] == 1204


@pytest.mark.parametrize("live", [False, True])
@pytest.mark.slow
def test_a_change_is_shown_before_it_is_saved(house: Reading, live: bool) -> None:
    link, row = house.own_page("ada@uni.example")
    before = house.tables()
    headers = {"hx-request": "true"} if live else {}
    form = {"kind": "keywords", "name": row.name, "words": "robots, -hands"}
    page = house.client.post(f"{link}/interests/{row.id}/look", data=form, headers=headers)
    assert page.status_code == 200
    assert "Over 8 days: 17 added, 34 gone; 17 papers instead of 34." in page.text
    assert "Walking <mark>robots</mark> and towels" in page.text
    assert ("<h1>" in page.text) is not live
    other = {**form, "words": "x", "use": "LoRA"}
    same = house.client.post(f"{link}/interests/{row.id}/look", data=other, headers=headers).text
    assert "These are the words that are saved." in same
    wrong = {**form, "words": "robots AND ("}
    broken = house.client.post(f"{link}/interests/{row.id}/look", data=wrong, headers=headers)
    assert "bracket" in broken.text
    new = house.client.post(f"{link}/look", data={"words": "towels"}, headers=headers).text
    assert "towels" in new
    assert "about 6 papers a day" in new
    pasted = {**form, "words": "A long abstract of robots. It " + "has " * 90}
    page = house.client.post(f"{link}/interests/{row.id}/look", data=pasted, headers=headers).text
    assert f'formaction="{link}/words"' in page
    taken = house.client.post(f"{link}/words", data={"act": "take", "word": ["towels"]})
    assert "interest=new" in taken.headers["location"]
    assert "towels</textarea>" in house.client.get(taken.headers["location"]).text
    assert house.client.post("/manage/x/look", data={"words": "a"}).status_code == 404
    assert house.tables() == before


def test_a_change_obeys_what_the_reader_marked(house: Reading) -> None:
    house.subscribe("bo@uni.example", "robots")
    page, row = house.own_page("bo@uni.example")
    link = f"{page}/interests/{row.id}/look"
    form = {"kind": "keywords", "name": row.name, "words": "robots"}
    form |= {"choices": "1", "threshold": "16"}
    assert "Over 8 days: 0 added, 34 gone" in house.client.post(link, data=form).text
    walking = next(
        one.paper_id
        for one in house.rt.corpus.corpus.search(parse_query("walking AND robots"), limit=1)
    )
    house.rt.db.write(lambda s: set_feedback(s, row.subscriber_id, walking, 1, house.clock()))
    assert "Over 8 days: 0 added, 17 gone; 17 papers" in house.client.post(link, data=form).text


@pytest.mark.slow  # a house is opened ten times
def test_the_command_line_says_the_same(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(learning, "AT_ONCE", 5)  # no clock beside it learns the others
    shell = Shell(tmp_path, monkeypatch)
    ingested = tmp_path / "items.json"
    ingested.write_text(json.dumps(items()))
    assert shell.say("ingest", str(ingested), "--kind", "hf_daily", "--history").code == 0
    told = shell.say("estimate", "--keywords", "LoRA, -survey", "--instead-of", "towels").out
    assert "102 papers of these were known before their source was watched: 17 of the 17" in told
    assert "LoRA is usually written out as low-rank adaptation (17 papers). Added: 17 more" in told
    assert "without survey: 17 left out" in told
    assert "LoRA: 34 papers\n" in told
    assert "\nThe best of them:\n" in told
    assert "17 added, 34 removed (34 before, 17 after)." in told
    data = shell.say("estimate", "LoRA", "--instead-of", "towels", "--json").json
    assert (data["change"]["added"], data["known"]) == (34, 34)
    words = shell.say("words", "Robot hands fold towels", "--json").json["words"]
    assert ("hands fold towels", 17) in [(w["term"], w["papers"]) for w in words]
    assert (
        "hands fold towels: 17 papers ("
        in shell.say("words", "-", typed="Robot hands fold towels").out
    )
    assert len(shell.say("related", "2611.00103", "--json").json) == 5
    found = shell.say("search", "walking AND robots").out
    assert "walking AND robots  ->  17 papers of 102" in found
    assert found.index("Walking robots") < found.index("Related, without your words:")
    assert shell.say("search", "towels", "--limit", "3", "--json").json["total"] == 34
    assert "Without unicorns: 17 papers.  walking" in shell.say("search", "walking unicorns").out
    assert "With any of the words: " in shell.say("search", "walking emus hands unicorns").out
    assert shell.say("search", "(").code == 2
    assert shell.say("estimate", "towels", "--reader", "no@uni.example").code == 1
    assert shell.say("subscribers", "add", "ada@uni.example", "--keywords", "robots").code == 0
    scored = ["estimate", "robots", "--threshold", "1", "--reader", "ada@uni.example", "--json"]
    assert shell.say(*scored).json["total"] == 34
    assert "Robot hands" in shell.say("related", "arxiv.org/abs/2611.00103").out
    assert shell.say("related", "2611.99999").code == 1
    assert shell.say("words").code == shell.say("estimate", "(", "--instead-of", "a").code == 2
