"""The page that says why a paper came: every part of its score, the reader's marks among them."""

import re
from collections.abc import Iterator
from html import unescape
from pathlib import Path
from typing import Any

import pytest
from support.digests import digest, entry, line, section
from support.held import hold
from support.house import ingest_items, paper_item
from support.reading_house import Reading, reading_house

from service.digest.model import Happening, Marked, SectionKind, Signal
from service.flows.browse import read_paper
from service.flows.daily import plan_daily
from service.flows.freeze import content_of
from service.flows.letter import share_name
from service.matching.document import prepare
from service.matching.parse import parse_query
from service.matching.score import Statistics, score
from service.papers.model import Alias, Paper
from service.store.deliveries import list_deliveries
from service.web.tuning import _PARTS


@pytest.fixture
def house(tmp_path: Path) -> Iterator[Reading]:
    with reading_house(tmp_path) as made:
        yield made


def newest_mail(house: Reading) -> tuple[str, list[dict[str, Any]]]:
    """Its token and the papers in full."""
    reader = house.reader("ada@uni.example")
    rows = house.rt.db.read(lambda s: list_deliveries(s, subscriber_id=reader.id))
    found = [row for row in rows if row.content and "digest" in row.content]
    mail = max(found, key=lambda row: row.id or 0)
    assert mail.content is not None
    return mail.token, mail.content["digest"]["sections"][0]["entries"]


def address(token: str, entry: dict[str, Any]) -> str:
    return f"/tune/{token}/{entry['scheme']}/{entry['value']}"


def shown_parts(page: str) -> dict[str, float]:
    rows = re.findall(r'<th scope="row">([^<]+)</th><td class="number">([^<]+)</td>', page)
    return {name: float(value.replace("−", "-")) for name, value in rows}


@pytest.mark.slow
def test_a_mark_is_a_part_of_the_next_scores(house: Reading, tmp_path: Path) -> None:
    house.subscribe("ada@uni.example", "adapters")
    plan_daily(house.rt)
    house.send()
    token, entries = newest_mail(house)
    before = shown_parts(house.client.get(address(token, entries[0])).text)
    assert "papers you wanted more or less of" not in before
    house.client.post(address(token, entries[0]), data={"sign": "more"})
    house.clock.go(days=1)
    alike = paper_item(6001, f"{entries[0]['title']['text']} again")
    ingest_items(house.rt, tmp_path, [alike, paper_item(6002, "Adapters of another kind")])
    plan_daily(house.rt)
    token, entries = newest_mail(house)
    page = house.client.get(address(token, entries[0])).text
    parts = shown_parts(page)
    assert parts["papers you wanted more or less of"] > 1
    total = re.search(r"Its score: ([\d.]+)", page)
    assert total is not None
    assert float(total[1]) == pytest.approx(sum(parts.values()), abs=0.1)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("kind", "said"),
    [
        ("trending", "It was among the most-voted papers of its days."),
        ("chosen", "The people who run this service chose it."),
        ("signals", "It had come before: this mail brought news of it."),
    ],
)
def test_a_paper_that_no_words_brought_has_its_own_reason(
    house: Reading, kind: SectionKind, said: str
) -> None:
    """In full and as one line, behind the mail's own name and the one that is shared."""
    house.subscribe("ada@uni.example", "unicorns")
    plan_daily(house.rt)
    house.send()
    reader = house.reader("ada@uni.example")
    row = house.rt.db.read(lambda s: list_deliveries(s, subscriber_id=reader.id))[0]
    full, short = entry(100, reasons=()), line(101)
    if kind == "signals":
        key = read_paper(house.rt, "arxiv", "2611.00100").shown.paper.id or 0
        code = Happening(kind="code", value="https://code.example.org/", at=house.clock())
        told = {"scheme": "arxiv", "value": "2611.00100", "title": Marked("News")}
        made = section(
            kind=kind, name="", signals=(Signal(paper_id=key, happenings=(code,), **told),)
        )
    else:
        made = section(full, kind=kind, name="", lines=(short,))
    hold(house.rt, row.id, content_of(digest(made)))
    for value in (full.value,) if kind == "signals" else (full.value, short.value):
        for name in (row.token, share_name(row)):
            page = unescape(house.client.get(f"/tune/{name}/arxiv/{value}").text)
            assert said in page
            assert "It contains" not in page


def test_every_part_of_a_score_has_words() -> None:
    made = score(
        parse_query("graph"),
        prepare(Paper(aliases=(Alias("doi", "10.1/x"),), title="A graph")),
        (),
        Statistics(),
        votes=1,
        comments=1,
        age_days=0,
        liking=0.5,
    )
    assert set(made.parts) == set(_PARTS)
