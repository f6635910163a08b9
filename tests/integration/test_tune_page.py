"""The page about one paper of one mail: every act, its way back, and who may not."""

import re
from collections.abc import Iterator
from html import unescape
from pathlib import Path
from typing import Any

import pytest
from pybtex.database import parse_string
from support.house import ingest_items, paper_item
from support.reading_house import Reading, reading_house

from service.flows import leave
from service.flows.browse import read_paper
from service.flows.daily import plan_daily
from service.flows.letter import share_name
from service.store.deliveries import list_deliveries
from service.store.subscribers import list_profile_rows
from service.store.tables import DeliveryRow
from service.web import tuning


@pytest.fixture
def house(tmp_path: Path) -> Iterator[Reading]:
    with reading_house(tmp_path) as made:
        yield made


def mailed(house: Reading, words: str, address: str = "ada@uni.example") -> DeliveryRow:
    """The digest of a reader who asked for words."""
    house.subscribe(address, words)
    plan_daily(house.rt)
    house.send()
    reader = house.reader(address)
    rows = house.rt.db.read(lambda s: list_deliveries(s, subscriber_id=reader.id))
    return max((r for r in rows if r.content and "digest" in r.content), key=lambda r: r.id or 0)


def page_of(mail: DeliveryRow, paper: str = "arxiv/2611.00100") -> str:
    return f"/tune/{mail.token}/{paper}"


def interests(house: Reading, address: str = "ada@uni.example") -> dict[str, str]:
    """Name and text of each interest that does not rest."""
    reader = house.reader(address)
    rows = house.rt.db.read(lambda s: list_profile_rows(s, reader.id or 0))
    return {row.name: row.text for row in rows if not row.paused}


def fields(page: str, act: str) -> dict[str, str]:
    """The fields of the first form of an act, as a browser would send them."""
    forms: list[str] = re.findall(r"<form.*?</form>", page, re.S)
    form = next(one for one in forms if f'name="act" value="{act}"' in one)
    named = re.findall(r'<(?:input|button)[^>]* name="([^"]+)" value="([^"]*)"', form)
    return {name: unescape(value) for name, value in named}


@pytest.mark.slow
def test_a_word_is_taken_out_and_comes_back(house: Reading) -> None:
    mail = mailed(house, "adapters, robots")
    page = house.client.get(page_of(mail)).text
    assert interests(house) == {"adapters · robots": "adapters, robots"}
    done = house.client.post(page_of(mail), data=fields(page, "out"))
    assert "adapters is taken out of your words." in done.text
    assert interests(house) == {"robots": "robots"}
    back = house.client.post(page_of(mail), data=fields(done.text, "undo"))
    assert "Taken back." in back.text
    assert interests(house) == {"adapters · robots": "adapters, robots"}


@pytest.mark.slow
def test_the_only_word_lets_its_interest_rest(house: Reading) -> None:
    mail = mailed(house, "adapters")
    page = house.client.get(page_of(mail)).text
    assert "Pause the interest" in page
    done = house.client.post(page_of(mail), data=fields(page, "out")).text
    assert "the interest rests now" in done
    assert interests(house) == {}
    house.client.post(page_of(mail), data=fields(done, "undo"))
    assert interests(house) == {"adapters": "adapters"}


def test_papers_with_a_word_come_no_more(house: Reading, tmp_path: Path) -> None:
    mail = mailed(house, "adapters")
    page = house.client.get(page_of(mail)).text
    sent = fields(page, "without") | {"word": "radio"}
    done = house.client.post(page_of(mail), data=sent).text
    assert "Papers that contain radio come no more" in done
    assert interests(house) == {"adapters": "adapters, -radio"}
    house.clock.go(days=1)
    items = [paper_item(6001, "Adapters for radio"), paper_item(6002, "Adapters for all")]
    ingest_items(house.rt, tmp_path, items)
    plan_daily(house.rt)
    house.send()
    text = house.mails("ada@uni.example")[-1].as_string()
    assert "Adapters for all" in text
    assert "Adapters for radio" not in text
    house.client.post(page_of(mail), data=fields(done, "undo"))
    assert interests(house) == {"adapters": "adapters"}


def test_a_word_that_cannot_be_left_out(house: Reading) -> None:
    mail = mailed(house, "adapters")
    page = house.client.get(page_of(mail)).text
    for word, said in (
        ("", "This is empty."),
        ("adapters", "is a word that you ask for"),
        ("a, b", "more than one"),
    ):
        answer = house.client.post(page_of(mail), data=fields(page, "without") | {"word": word})
        assert answer.status_code == 422
        assert said in unescape(answer.text)
    assert interests(house) == {"adapters": "adapters"}


def test_an_author_is_followed_and_no_more(house: Reading) -> None:
    mail = mailed(house, "adapters")
    page = house.client.get(page_of(mail)).text
    assert re.findall(r"<option>([^<]+)</option>", page) == ["Ana Silva", "Bo Chen"]
    sent = fields(page, "follow") | {"author": "Ana Silva"}
    done = house.client.post(page_of(mail), data=sent).text
    assert "You follow Ana Silva now." in done
    assert "Ana Silva: " in done, "how many papers that would be"
    assert interests(house)["Ana Silva"] == "Ana Silva"
    again = house.client.post(page_of(mail), data=sent)
    assert "You follow Ana Silva already." in again.text
    second = house.client.post(page_of(mail), data=sent | {"author": "Bo Chen"}).text
    assert interests(house)["Ana Silva · Bo Chen"] == "Ana Silva\nBo Chen"
    house.client.post(page_of(mail), data=fields(second, "undo"))
    assert interests(house)["Ana Silva"] == "Ana Silva"
    house.client.post(page_of(mail), data=fields(done, "undo"))
    assert interests(house) == {"adapters": "adapters"}


@pytest.mark.slow
def test_following_ends_where_it_began(house: Reading) -> None:
    mail = mailed(house, "adapters")
    page = house.client.get(page_of(mail)).text
    for author in ("Ana Silva", "Bo Chen"):
        house.client.post(page_of(mail), data=fields(page, "follow") | {"author": author})
    page = house.client.get(page_of(mail)).text
    followed = page[page.index('id="authors"') :]
    assert "You follow Ana Silva." in followed
    done = house.client.post(page_of(mail), data=fields(followed, "out")).text
    assert "You follow Ana Silva no more." in done
    assert interests(house)["Bo Chen"] == "Bo Chen"


def test_an_undo_is_for_its_mail_and_its_state(house: Reading) -> None:
    mail = mailed(house, "adapters, robots")
    ben = mailed(house, "robots, adapters", "ben@uni.example")
    page = house.client.get(page_of(mail)).text
    done = house.client.post(page_of(mail), data=fields(page, "out")).text
    sealed = fields(done, "undo")
    assert "cannot be read" in house.client.post(page_of(ben), data=sealed).text
    forged = {**sealed, "undo": sealed["undo"][:-3] + "abc"}
    assert "cannot be read" in house.client.post(page_of(mail), data=forged).text
    house.client.post(page_of(mail), data=sealed)
    twice = house.client.post(page_of(mail), data=sealed)
    assert "This interest was changed since." in twice.text
    assert interests(house)["adapters · robots"] == "adapters, robots"


def test_nobody_changes_another_readers_words(house: Reading) -> None:
    mail = mailed(house, "adapters, robots")
    ben = mailed(house, "robots, adapters", "ben@uni.example")
    page = house.client.get(page_of(mail)).text
    for act, more in (("out", {}), ("without", {"word": "radio"})):
        answer = house.client.post(page_of(ben), data=fields(page, act) | more)
        assert "This interest was changed since." in answer.text
    assert interests(house)["adapters · robots"] == "adapters, robots"


def test_the_name_that_is_shared_shows_why_and_changes_nothing(
    house: Reading, monkeypatch: pytest.MonkeyPatch
) -> None:
    other = read_paper(house.rt, "arxiv", "2611.00101").shown
    monkeypatch.setattr(tuning, "papers_like", lambda rt, paper: [other])
    mail = mailed(house, "adapters, robots")
    house.client.post(page_of(mail), data={"sign": "more"})
    own = house.client.get(page_of(mail)).text
    before, shared = house.tables(), share_name(mail)
    path = f"/tune/{shared}/arxiv/2611.00100"
    answer = house.client.get(path)
    assert answer.status_code == 200
    assert answer.headers["cache-control"] == "no-store"
    page = unescape(answer.text)
    says = ("adapters in the title", "Interest: ", "Papers like this one", "?format=bib")
    for told in (*says, "?format=ris", f"/d/{shared}#", "In a mail of", "use “Tune” in your own"):
        assert told in page, told
    acts = ("<form", "More or less", "Not this word", "Its authors", "Its score", "/history/")
    for kept in (*acts, "your mail of", "Your mails", mail.token, "ada@"):
        assert kept not in page, kept
    assert "More or less" in own
    for data in ({"sign": "less"}, fields(own, "out"), fields(own, "follow")):
        refused = house.client.post(path, data=data)
        assert refused.status_code == 403
        said = unescape(refused.text)
        assert "This page changes nothing." in said
        assert "Its address may be shared, and does not say who opens it." in said
        assert "To change what you get, use “Tune” in your own mail." in said
    assert house.tables() == before
    assert house.client.get(f"/history/{shared}").status_code == 404
    assert house.client.get(f"/tune/{shared}/arxiv/2611.99999").status_code == 404
    forged = f"{shared[:-1]}{'0' if shared[-1] != '0' else '1'}"
    assert house.client.get(path.replace(shared, forged)).status_code == 404
    assert house.client.post(path.replace(shared, forged), data=data).status_code == 404


@pytest.mark.slow
def test_nothing_is_done_by_looking_or_from_elsewhere(house: Reading) -> None:
    mail = mailed(house, "adapters, robots")
    sent = fields(house.client.get(page_of(mail)).text, "out")
    before = house.tables()
    house.client.get(page_of(mail), params=sent)
    house.client.head(page_of(mail), params=sent)
    elsewhere = {"Sec-Fetch-Site": "cross-site"}
    assert house.client.post(page_of(mail), data=sent, headers=elsewhere).status_code == 403
    assert house.tables() == before


def test_an_old_mail_changes_no_words(house: Reading) -> None:
    mail = mailed(house, "adapters, robots")
    page = house.client.get(page_of(mail)).text
    house.clock.go(days=31)
    later = house.client.get(page_of(mail)).text
    assert "This mail is old" in later
    assert 'name="act"' not in later
    answer = house.client.post(page_of(mail), data=fields(page, "out"))
    assert "can no longer be changed from this mail" in answer.text
    assert interests(house)["adapters · robots"] == "adapters, robots"
    unknown = house.client.post(page_of(mail), data={"sign": "9"})
    assert unknown.status_code == 422
    assert "This is not one of the choices." in unknown.text
    house.client.post(page_of(mail), data={"sign": "more"})
    assert len(house.tables()["feedback"]) == 1, "marks are taken still"


@pytest.mark.slow
def test_who_left_and_who_was_forgotten(house: Reading) -> None:
    mail = mailed(house, "adapters")
    page = house.client.get(page_of(mail)).text
    reader = house.reader("ada@uni.example")
    house.client.post(f"/u/{reader.unsubscribe_token}")
    left = house.client.get(page_of(mail))
    assert "You have left" in left.text
    assert "<form" not in left.text
    answer = house.client.post(page_of(mail), data=fields(page, "out"))
    assert "can no longer be changed" in answer.text
    leave.erase(house.rt, "ada@uni.example")
    for path in (page_of(mail), f"/d/{share_name(mail)}", f"/d/{share_name(mail)}/papers.bib"):
        gone = house.client.get(path)
        assert gone.status_code == 410
        assert "This mail is not kept any more." in gone.text


@pytest.mark.slow
def test_tokens_of_nobody_and_papers_of_other_mails(house: Reading) -> None:
    mail = mailed(house, "unicorns, towels")
    for path in ("/tune/x/arxiv/2611.00100", "/d/x", "/d/7-" + "0" * 32):
        assert house.client.get(path).status_code == 404
    answer = house.client.get(page_of(mail))
    assert answer.status_code == 404
    assert "This paper was not in that mail." in answer.text


@pytest.mark.slow
def test_references_of_paper_mail_and_day(house: Reading) -> None:
    mail = mailed(house, "adapters")
    page = unescape(house.client.get(page_of(mail)).text)
    for kind, media in (("bib", "application/x-bibtex"), ("ris", "application/x-research-info")):
        address = f"/papers/arxiv/2611.00100?format={kind}"
        assert f'href="{address}"' in page
        one = house.client.get(address)
        assert one.headers["content-type"].startswith(media)
        assert f'filename="arxiv-2611.00100.{kind}"' in one.headers["content-disposition"]
        assert one.text.count("Adapters that forget less") == 1
        every = house.client.get(f"/d/{share_name(mail)}/papers.{kind}")
        assert every.text.lower().count("adapters") >= 3
        day = house.client.get(f"/papers/2026-11-18?format={kind}")
        assert day.text.count("Nobody voted for this robot") == 1
    entries = parse_string(house.client.get("/papers/2026-11-18?format=bib").text, "bibtex").entries
    assert len(entries) == 6
    assert house.client.get("/papers/arxiv/2611.00100?format=pdf").status_code == 404
    view = house.client.get(house.path_to("ada@uni.example", "d")).text
    assert f"/d/{share_name(mail)}/papers.bib" in view


@pytest.mark.slow
def test_the_page_of_a_mail_shows_what_the_mail_only_counts(house: Reading, tmp_path: Path) -> None:
    items: list[dict[str, Any]] = [paper_item(7000 + n, f"Adapters number {n}") for n in range(60)]
    ingest_items(house.rt, tmp_path, items)
    mail = mailed(house, "adapters")
    assert mail.content is not None
    section = mail.content["digest"]["sections"][0]
    rest = section["rest"]
    assert len(rest) > 10, "a mail that counts some"
    html = house.mails("ada@uni.example")[-1].get_body(("html",))
    assert html is not None
    link = re.search(r'href="[^"]*(/d/[^"#]+)(#more-[^"]+)"', unescape(html.get_content()))
    assert link is not None
    page = house.client.get(link[1]).text
    assert f'id="{link[2][1:]}"' in page
    counted = page[page.index(f'id="{link[2][1:]}"') :]
    assert counted.count("<li") == len(rest)
    assert "more are not in our lists" not in page
    ids = re.findall(r'\bid="([^"]+)"', page)
    assert {f"arxiv-2611.{7000 + n:05}" for n in range(60)} <= set(ids)
    assert len(set(ids)) == len(ids)
    paper = "arxiv/" + section["entries"][0]["value"]
    assert f"#{paper.replace('/', '-')}" in house.client.get(page_of(mail, paper)).text
    missing = next(n for n in range(60) if f'id="arxiv-2611.{7000 + n:05}"' in counted)
    assert house.client.get(page_of(mail, f"arxiv/2611.{7000 + missing:05}")).status_code == 200
