"""More or less like this: seen in one list, taken back there, and felt in the order of a mail."""

from collections.abc import Iterator
from datetime import date
from html import unescape
from pathlib import Path

import pytest
from support.house import ingest_items, paper_item
from support.reading_house import Reading, reading_house

from service.digest.model import from_json
from service.flows.browse import read_paper
from service.flows.daily import plan_daily
from service.flows.manage_link import manage_token
from service.store.deliveries import list_deliveries
from service.store.tables import DeliveryRow

ADA = "ada@uni.example"


@pytest.fixture
def house(tmp_path: Path) -> Iterator[Reading]:
    with reading_house(tmp_path, reader=(ADA, "adapters, robots")) as made:
        plan_daily(made.rt)
        made.send()
        yield made


def mail_of(house: Reading) -> DeliveryRow:
    reader = house.reader(ADA).id
    rows = house.rt.db.read(lambda s: list_deliveries(s, subscriber_id=reader))
    return max(
        (row for row in rows if row.content and "digest" in row.content), key=lambda r: r.id or 0
    )


def mark(house: Reading, value: str, sign: str) -> None:
    answer = house.client.post(f"/tune/{mail_of(house).token}/arxiv/{value}", data={"sign": sign})
    assert answer.status_code == 200


def address(house: Reading) -> str:
    return f"/history/{manage_token(house.rt, house.reader(ADA), house.clock())}/marks"


def paper_id(house: Reading, value: str) -> int:
    found = read_paper(house.rt, "arxiv", value).shown.paper.id
    assert found is not None
    return found


def test_marks_are_listed_and_taken_back_one_by_one_with_undo(house: Reading) -> None:
    assert "Nothing so far." in house.client.get(address(house)).text
    mark(house, "2611.00100", "more")
    mark(house, "2611.00104", "less")
    page = house.client.get(address(house)).text
    assert page.index("less like this, ") < page.index("more like this, ")
    robot = str(paper_id(house, "2611.00104"))
    back = unescape(house.client.post(address(house), data={"paper": robot, "sign": "none"}).text)
    assert "Taken back: Walking robots" in back
    assert "less like this, " not in back
    undone = house.client.post(address(house), data={"paper": robot, "sign": "less"})
    assert "less like this, " in undone.text
    assert "2 taken back." in house.client.post(address(house), data={"sign": "all"}).text
    assert house.tables()["feedback"] == []


def test_nobody_marks_what_never_came_to_them(house: Reading) -> None:
    for form in ({"paper": "999999", "sign": "more"}, {"paper": "x", "sign": "up"}):
        assert house.client.post(address(house), data=form).status_code == 422
    assert house.tables()["feedback"] == []


def order_of_next_mail(house: Reading, folder: Path) -> list[str]:
    items = [
        paper_item(7101, "Adapters for sheep", "Adapters for wool and sheep."),
        paper_item(7102, "Robots for sheep", "Robots for wool and sheep."),
    ]
    ingest_items(house.rt, folder, items, on=date(2026, 11, 19))
    house.clock.go(days=1)
    plan_daily(house.rt)
    content = mail_of(house).content
    assert content is not None
    return [entry.title.text for entry in from_json(content["digest"]).entries()]


@pytest.mark.slow
@pytest.mark.parametrize(
    ("marks", "first"),
    [
        ({"2611.00100": "more", "2611.00104": "less"}, "Adapters for sheep"),
        ({"2611.00100": "less", "2611.00104": "more"}, "Robots for sheep"),
    ],
)
def test_marks_decide_the_order_of_the_next_mail(
    house: Reading, tmp_path: Path, marks: dict[str, str], first: str
) -> None:
    for value, sign in marks.items():
        mark(house, value, sign)
    assert order_of_next_mail(house, tmp_path)[0] == first
