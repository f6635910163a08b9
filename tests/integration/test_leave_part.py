"""Leaving one interest, or for some weeks: what ends, what comes back, and why people left."""

import re
from collections.abc import Iterator
from datetime import date
from pathlib import Path

import pytest
from support.house import ingest_items, paper_item
from support.reading_house import Reading, reading_house

from service.flows.daily import plan_daily
from service.flows.leave import erase
from service.flows.leave_part import look_at_parts, why_left
from service.flows.readers import import_readers
from service.store.instance import set_setting
from service.store.subscribers import list_profile_rows
from service.store.tables import ProfileRow

ADA = "ada@uni.example"


@pytest.fixture
def house(tmp_path: Path) -> Iterator[Reading]:
    with reading_house(tmp_path, reader=(ADA, "adapters")) as made:
        path, _ = made.own_page(ADA)
        made.client.post(f"{path}/interests", data={"words": "robots", "cadence": "daily"})
        yield made


def link(house: Reading) -> str:
    return f"/u/{house.reader(ADA).unsubscribe_token}"


def interests(house: Reading) -> list[ProfileRow]:
    return house.rt.db.read(lambda s: list_profile_rows(s, house.reader(ADA).id or 0))


def titles_of_next_mail(house: Reading, folder: Path, on: date) -> str:
    items = [paper_item(7001, "Adapters anew"), paper_item(7002, "Robots anew")]
    ingest_items(house.rt, folder, items, on=on)
    before = len(house.mails(ADA))
    plan_daily(house.rt)
    house.send()
    mails = house.mails(ADA)[before:]
    return " ".join(str(mail) for mail in mails)


def test_the_first_button_stops_all_and_each_interest_has_its_own(house: Reading) -> None:
    page = house.client.get(link(house)).text
    first, second = interests(house)
    forms = re.findall(r'<form method="post" action="([^"]+)">', page)
    assert forms == [
        link(house),
        f"{link(house)}/interests/{first.id}",
        f"{link(house)}/interests/{second.id}",
        f"{link(house)}/pause",
    ]


@pytest.mark.parametrize("taken_back", [False, True])
def test_one_interest_ends_alone_and_comes_back_whole(
    house: Reading, tmp_path: Path, taken_back: bool
) -> None:
    robots = interests(house)[1]
    for _ in range(2):
        page = house.client.post(f"{link(house)}/interests/{robots.id}")
        assert page.status_code == 200
        assert "brings no more papers. The rest comes as before." in page.text
    assert [row.paused for row in interests(house)] == [False, True]
    acts = [row for row in house.tables()["consent"] if "leave-one" in row]
    assert len(acts) == 1
    house.clock.go(days=1)
    if taken_back:
        undone = house.client.post(f"{link(house)}/interests/{robots.id}", data={"act": "undo"})
        assert "is back, with the papers that came meanwhile." in undone.text
        assert interests(house)[1].since == robots.since
    mail = titles_of_next_mail(house, tmp_path, date(2026, 11, 19))
    assert "Adapters anew" in mail
    assert ("Robots anew" in mail) is taken_back


def test_one_interest_is_taken_back_for_the_days_of_undoing_alone(house: Reading) -> None:
    robots = interests(house)[1]
    address = f"{link(house)}/interests/{robots.id}"
    house.client.post(address)
    house.clock.go(days=8)
    assert 'value="undo"' not in house.client.get(link(house)).text
    late = house.client.post(address, data={"act": "undo"})
    assert late.status_code == 409
    assert "can no longer be undone" in late.text
    assert interests(house)[1].paused


@pytest.mark.slow
def test_an_interest_that_the_reader_let_rest_is_not_taken_up_by_the_link(house: Reading) -> None:
    path, _ = house.own_page(ADA)
    robots = interests(house)[1]
    house.client.post(f"{path}/interests/{robots.id}", data={"act": "pause"})
    house.client.post(f"{link(house)}/interests/{robots.id}", data={"act": "undo"})
    assert interests(house)[1].paused


@pytest.mark.slow
def test_nobody_ends_anothers_interest(house: Reading) -> None:
    house.subscribe("ben@uni.example", "hands")
    theirs = house.own_page("ben@uni.example")[1].id
    answer = house.client.post(f"{link(house)}/interests/{theirs}")
    assert answer.status_code == 409
    assert not house.own_page("ben@uni.example")[1].paused


@pytest.mark.slow
def test_a_pause_is_offered_and_ended(house: Reading) -> None:
    page = house.client.post(f"{link(house)}/pause", data={"days": "14"})
    assert "No mail comes before 2 December" in page.text
    assert house.reader(ADA).paused_until == date(2026, 12, 2)
    assert house.reader(ADA).state == "active"
    house.client.post(f"{link(house)}/pause", data={"days": "900"})
    assert house.reader(ADA).paused_until == date(2026, 12, 2)
    house.client.post(f"{link(house)}/pause", data={"days": "0"})
    assert house.reader(ADA).paused_until is None


@pytest.mark.slow
def test_no_pause_is_offered_that_the_house_does_not_allow(house: Reading) -> None:
    house.rt.db.write(lambda s: set_setting(s, "pause_days", "20"))
    assert [days for days, _ in look_at_parts(house.rt, link(house)[3:]).pauses] == [7, 14]
    house.client.post(f"{link(house)}/pause", data={"days": "30"})
    assert house.reader(ADA).paused_until is None


@pytest.mark.slow
def test_undo_brings_back_all_and_the_papers_since(house: Reading, tmp_path: Path) -> None:
    before = house.reader(ADA), [row.model_dump() for row in interests(house)]
    plan_daily(house.rt)
    house.send()
    house.client.post(link(house))
    left = house.client.get(link(house)).text
    assert "It brings back: adapters, robots. Weekdays at 08:00" in left
    house.clock.go(days=6)  # Tuesday; what came on the day of leaving is six days old
    ingest_items(
        house.rt, tmp_path, [paper_item(7003, "Adapters of that day")], on=date(2026, 11, 19)
    )
    back = house.client.post(f"{link(house)}/undo").text
    assert "As before: adapters, robots. Weekdays at 08:00" in back
    assert "Next mail: in a few minutes." in back, "it is after eight, and today had none"
    now = house.reader(ADA)
    changed = {
        name for name, value in now.model_dump().items() if value != before[0].model_dump()[name]
    }
    assert changed == {"next_digest_at", "scored_at"}, "and what came back before is forgiven"
    kept = {"matched_at"}
    for row, was in zip(interests(house), before[1], strict=True):
        assert {k: v for k, v in row.model_dump().items() if k not in kept} == {
            k: v for k, v in was.items() if k not in kept
        }
    house.clock.go(days=1)
    assert "Adapters of that day" in titles_of_next_mail(house, tmp_path, date(2026, 11, 25))


@pytest.mark.slow
def test_an_import_brings_nobody_back_before_and_after_erasing(house: Reading) -> None:
    house.client.post(link(house))
    csv = f"email,keywords\n{ADA},adapters\n".encode()
    for is_erased in (False, True):
        if is_erased:
            assert erase(house.rt, ADA)
        report = import_readers(house.rt, csv)
        assert report.readers == 0
        assert len(report.problems) == 1
        plan_daily(house.rt)
        assert house.send() == 0


def test_reasons_are_counted_and_their_words_go_with_the_reader(house: Reading) -> None:
    house.client.post(link(house))
    said = {"why": "many", "reason": "I am Ada of the third floor"}
    assert "Noted." in house.client.post(f"{link(house)}/reason", data=said).text
    house.client.post(f"{link(house)}/reason", data={"why": "unfit"})
    nothing = house.client.post(f"{link(house)}/reason", data={"why": "hacked"})
    assert "nothing is kept" in nothing.text
    found = why_left(house.rt)
    assert (found.left, found.counts["many"], found.counts["unfit"]) == (1, 1, 1)
    assert [(code, words) for _, code, words in found.words] == [
        ("many", "I am Ada of the third floor")
    ]
    erase(house.rt, ADA)
    again = why_left(house.rt)
    assert again.counts == found.counts
    assert again.words == ()
    assert "third floor" not in repr(house.tables())


@pytest.mark.slow
def test_the_page_says_when_all_is_erased(house: Reading) -> None:
    page = house.client.post(link(house)).text
    assert "30 days after you left, your words and your address are erased." in page


@pytest.mark.slow
@pytest.mark.parametrize(
    ("configured", "inbox"),
    [
        ({"bounce_address": "b@papers.example"}, ""),
        ({"inbox_url": "imaps://me:secret@imap.papers.example"}, ""),
        ({"inbox_url": "imaps://leave%40papers.example:secret@imap.papers.example"},
         "leave@papers.example"),
        ({"inbox_address": "leave@papers.example", "lmtp_listen": "127.0.0.1:2424"},
         "leave@papers.example"),
    ],
)  # fmt: skip
def test_a_mailto_is_named_only_where_an_inbox_is_read(
    tmp_path: Path, configured: dict[str, str], inbox: str
) -> None:
    with reading_house(tmp_path, **configured) as house:
        house.subscribe(ADA, "adapters")
        plan_daily(house.rt)
        house.send()
        token = house.reader(ADA).unsubscribe_token
        header = str(house.mails(ADA)[-1]["List-Unsubscribe"])
        page = house.client.get(f"/u/{token}").text
        web = f"<{house.rt.links.unsubscribe(token)}>"
        by_mail = f"mailto:{inbox}?subject=unsubscribe%20{token}"
        assert header == (f"{web}, <{by_mail}>" if inbox else web)
        assert (by_mail in page) is bool(inbox)
