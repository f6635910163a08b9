"""The daily page chosen by source and category: page, counts, files, programs; crawlers."""

import re
from collections.abc import Iterator
from html import unescape
from pathlib import Path
from urllib.robotparser import RobotFileParser

import pytest
from fastapi import FastAPI
from fastapi.testclient import TestClient
from sqlmodel import Session, select
from support.reading_house import WEDNESDAY, Reading, reading_house

from service import api
from service.store.tables import PaperRow, SightingRow, SourceRow


@pytest.fixture
def house(tmp_path: Path) -> Iterator[Reading]:
    """The three days; on Wednesday papers of three categories, two of them also on arXiv's list."""
    with reading_house(tmp_path) as made:

        def change(session: Session) -> None:
            now = made.rt.clock()
            session.add(SourceRow(id=7, kind="arxiv_rss", title="arXiv cs.RO", created_at=now))
            session.flush()
            rows = session.exec(select(PaperRow).order_by(PaperRow.id)).all()
            newest = [row for row in rows if row.listed_on == WEDNESDAY]
            for number, row in enumerate(newest):
                row.categories = ["cs.RO", "cs.LG"] if number < 2 else ["cs.CL"]
                session.add(row)
            for row in newest[:2]:
                session.add(
                    SightingRow(
                        source_id=7, paper_id=row.id, listed_on=WEDNESDAY, first_seen_at=now
                    )
                )

        made.rt.db.write(change)
        yield made


def titles(page: str) -> list[str]:
    return re.findall(r'<h2 class="paper-title"[^>]*><a href="[^"]*">([^<]*)', page)


def test_each_choice_stands_with_its_number(house: Reading) -> None:
    page = unescape(house.client.get("/papers/2026-11-18").text)
    assert '<option value="7">arXiv cs.RO (2)</option>' in page
    assert re.search(r'<option value="cs.CL">[^<]*cs.CL\) \(4\)</option>', page)
    assert re.search(r'<option value="cs.RO">[^<]*cs.RO\) \(2\)</option>', page)
    # counted among what the other choice leaves
    chosen = unescape(house.client.get("/papers/2026-11-18?source=7").text)
    assert re.search(r'<option value="cs.RO">[^<]*cs.RO\) \(2\)</option>', chosen)
    assert '<option value="cs.CL">' not in chosen


def test_both_choices_hold_with_order_day_and_page(house: Reading) -> None:
    whole = titles(house.client.get("/papers/2026-11-18").text)
    assert len(whole) == 6
    page = house.client.get("/papers/2026-11-18?source=7&category=cs.LG&order=newest").text
    assert len(titles(page)) == 2
    assert "2 papers of 6" in page
    there = unescape(page)
    assert 'name="robots" content="noindex"' in page
    assert '/feeds/papers.atom?source=7&category=cs.LG&order=newest"' in there
    assert "/papers/2026-11-18?source=7&category=cs.LG&order=newest&format=bib" in there
    assert house.client.get("/papers/2026-11-18?category=cs.XX").text.count("<article") == 0
    beyond = house.client.get("/papers/2026-11-18?category=cs.CL&page=9")
    assert beyond.status_code == 404
    assert "category=cs.CL" in beyond.text
    # the day before has nothing of this source: no way there
    assert 'rel="prev' not in page
    assert "/papers/2026-11-17?category=cs.LG" in unescape(
        house.client.get("/papers/2026-11-18?category=cs.LG").text
    )


def test_the_form_leads_to_the_days_own_address(house: Reading) -> None:
    answer = house.client.get("/papers?day=2026-11-17&source=&category=cs.CL&order=newest")
    assert answer.status_code == 303
    assert answer.headers["location"] == "/papers/2026-11-17?category=cs.CL&order=newest"
    assert house.client.get("/papers/2026-W47-3").status_code == 404, "a day has one address"
    wrong = house.client.get("/papers?day=yesterday")
    assert wrong.status_code == 422
    assert re.search(r'id="day"[^>]*aria-invalid="true" aria-describedby="day-fault"', wrong.text)
    assert "is no date" in wrong.text


def test_the_choice_is_a_query_to_subscribe_to(house: Reading) -> None:
    page = unescape(house.client.get("/papers/2026-11-18?category=cs.RO").text)
    onward = re.search(r'href="([^"]+)">Have such papers mailed', page)
    assert onward is not None
    form = unescape(house.client.get(onward[1]).text)
    assert "cat:cs.RO" in form
    assert 'aria-invalid="true"' not in form


def test_a_file_and_a_program_have_the_same_choice(house: Reading) -> None:
    bib = house.client.get("/papers/2026-11-18?category=cs.RO&format=bib").text
    assert bib.count("@") == 2
    app = FastAPI()
    app.include_router(api.router(house.rt))
    made = TestClient(app).get("/api/v1/papers", params={"category": "cs.RO"}).json()
    assert (made["on"], made["total"], made["whole"]) == ("2026-11-18", 2, 6)
    assert {one["title"]: one["papers"] for one in made["sources"]}["arXiv cs.RO"] == 2
    assert {one["category"]: one["papers"] for one in made["categories"]}["cs.CL"] == 4
    assert len(made["papers"]) == 2


def test_crawlers_are_asked_to_leave_choices_alone(house: Reading) -> None:
    text = house.client.get("/robots.txt").text
    rules = RobotFileParser()
    rules.parse(text.splitlines())
    assert rules.can_fetch("any", "/papers/2026-11-18")
    assert not rules.can_fetch("any", "/search?q=x")
    assert not rules.can_fetch("any", "/manage/token")
    for sign in "?&":
        assert f"Disallow: /*{sign}category=" in text
    page = house.client.get("/papers").text
    loose = [
        tag
        for tag in re.findall(r"<a [^>]*>", page)
        if re.search(r"[?&](source|category|order|format)=", tag) and "nofollow" not in tag
    ]
    assert loose == []
