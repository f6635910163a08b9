"""A reader asks why a date brought no mail, and why a paper came or did not: every answer."""

import json
import re
from collections.abc import Iterator
from datetime import date, timedelta
from html import unescape
from pathlib import Path
from urllib.parse import quote

import pytest
import sqlalchemy as sa
from support.arrows import by_hand
from support.house import ingest_items, paper_item
from support.reading_house import Reading, reading_house

from service.flows.browse import read_paper
from service.flows.daily import plan_daily
from service.flows.manage_link import manage_token
from service.flows.own_data import export_text, papers_csv
from service.flows.said_answers import day_lines, paper_lines
from service.flows.why_day import answer_day
from service.flows.why_paper import answer_paper
from service.store.deliveries import list_deliveries
from service.store.sent import add_carry
from service.store.tables import DeliveryRow, PaperRow, SubscriberRow

ADA = "ada@uni.example"


@pytest.fixture
def house(tmp_path: Path) -> Iterator[Reading]:
    with reading_house(tmp_path, reader=(ADA, "adapters")) as made:
        yield made


def page(house: Reading, query: str, status: int = 200) -> str:
    token = manage_token(house.rt, house.reader(ADA), house.clock())
    answer = house.client.get(f"/history/{token}?{query}")
    assert answer.status_code == status
    return unescape(answer.text)


def said(house: Reading, query: str) -> str:
    """The answer alone, without marks."""
    found = re.search(r'<section class="answer".*?</section>', page(house, query), re.DOTALL)
    assert found is not None
    return " ".join(re.sub(r"<[^>]+>", " ", found[0]).split())


def why(house: Reading, on: str) -> str:
    return said(house, f"on={on}")


def why_paper(house: Reading, text: str) -> str:
    return said(house, f"paper={quote(text)}")


def change(house: Reading, **values: object) -> None:
    row = sa.update(SubscriberRow).where(sa.column("email_key") == ADA).values(**values)
    house.rt.db.write(lambda s: s.execute(row))


def mail_of(house: Reading) -> DeliveryRow:
    reader = house.reader(ADA).id
    rows = house.rt.db.read(lambda s: list_deliveries(s, subscriber_id=reader))
    return max((row for row in rows if row.kind != "confirm"), key=lambda row: row.id or 0)


def send_daily(house: Reading) -> None:
    plan_daily(house.rt)
    house.send()


def test_dates_without_a_row(house: Reading) -> None:
    assert "That was before you began, on 18 November 2026." in why(house, "2026-11-17")
    assert "Saturday is none of your mail days." in why(house, "2026-11-21")
    to_come = why(house, "2026-11-20")
    assert "That day is still to come. Your next mail is due Thu 19 November" in to_come
    change(house, paused_until=date(2026, 12, 1))
    assert "You paused until 1 December 2026." in why(house, "2026-11-20")


def test_a_date_that_is_none_is_told_at_its_field(house: Reading) -> None:
    told = page(house, "on=yesterday", 422)
    assert 'id="on-fault">This is no date. Write year, month and day' in told
    assert 'aria-invalid="true" aria-describedby="on-fault"' in told


@pytest.mark.slow
def test_a_day_with_a_mail_and_one_with_nothing(house: Reading, tmp_path: Path) -> None:
    send_daily(house)
    assert "papers mailed." in why(house, "2026-11-18")
    house.clock.go(days=1)
    ingest_items(house.rt, tmp_path, [paper_item(9001, "Sheep")], on=date(2026, 11, 19))
    send_daily(house)
    assert "1 paper checked, none contained your words." in why(house, "2026-11-19")


@pytest.mark.slow
def test_every_date_and_every_text_has_an_answer(tmp_path: Path, database_url: str) -> None:
    """In each state of a reader: a line or two, and never a fault of ours; on both databases."""
    with reading_house(tmp_path, database_url=database_url) as house:
        house.subscribe(ADA, "adapters")
        send_daily(house)
        reader = house.reader(ADA).id or 0
        texts = house.rt.catalogs.texts("en")
        days = [date(2026, 11, 1) + timedelta(days=n) for n in range(0, 45, 9)]
        for values in (
            {"state": "active"},
            {"paused_until": date(2026, 12, 1)},
            {"paused_until": None, "state": "bounced"},
            {"state": "pending", "confirm_until": house.clock()},
            {"state": "left", "left_at": house.clock()},
            {"state": "active", "zone": "Nowhere/Gone"},
        ):
            change(house, **values)
            for on in (date(1991, 1, 1), *days, date(2199, 12, 31)):
                lines = day_lines(answer_day(house.rt, reader, on), texts)
                assert lines, (values, on)
                assert "%(" not in " ".join(lines)
            for text in ("2611.00100", "2611.00104", "Walking robots", "100%_\\", "a\x00b\x1f" * 9):
                lines = paper_lines(answer_paper(house.rt, reader, text), texts)
                assert lines, (values, text)
                assert "%(" not in " ".join(lines)
        whole = json.loads("".join(export_text(house.rt, reader)))
        assert len(whole["papers"]) == whole["mails"][-1]["content"]["papers"].__len__()
        assert "".join(papers_csv(house.rt, reader)).count("\r\n") == len(whole["papers"]) + 1


@pytest.mark.parametrize("on", ["0001-01-01", "9999-12-31", "1990-12-31"])
@pytest.mark.slow
def test_a_date_centuries_away_is_told_at_its_field(house: Reading, on: str) -> None:
    assert "This date is too far away. Use one from" in page(house, f"on={on}", 422)


@pytest.mark.slow
def test_a_day_that_was_missed_names_the_mail_that_followed(house: Reading, tmp_path: Path) -> None:
    send_daily(house)
    house.clock.go(days=2)
    ingest_items(house.rt, tmp_path, [paper_item(9002, "Adapters on Friday")])
    send_daily(house)
    told = why(house, "2026-11-19")
    assert "No mail was made that day" in told
    assert "The next mail that came: Fri 20 November, Since Thursday: Adapters on Friday" in told


@pytest.mark.slow
@pytest.mark.parametrize("state", ["expired", "presumed", "failed"])
def test_papers_of_a_mail_that_did_not_come_are_named_with_where_they_went(
    house: Reading, tmp_path: Path, state: str
) -> None:
    ingest_items(house.rt, tmp_path, [paper_item(9003, "Adapters that were late")])
    plan_daily(house.rt)
    row = mail_of(house)

    def lose(session) -> None:  # type: ignore[no-untyped-def]
        session.execute(sa.text(f"UPDATE delivery SET state='{state}' WHERE id={row.id}"))
        add_carry(session, row.id or 0)

    with by_hand():
        house.rt.db.write(lose)
    before = why(house, "2026-11-18")
    assert "Adapters that were late waits for your next mail" in before
    house.clock.go(days=1)
    send_daily(house)
    after = why(house, "2026-11-18")
    assert "Adapters that were late came with the mail of Thu 19 November" in after
    assert "Where its papers went" in page(house, "")


@pytest.mark.slow
@pytest.mark.parametrize(
    ("values", "on", "told"),
    [
        ({"state": "bounced"}, "2026-11-19", "Your mail server refuses our mail, so none is sent."),
        ({"hour": 7}, "2026-11-18", "Your hour of today was over when it was chosen."),
        ({"hour": 20}, "2026-11-18", "Your mail of today is still to come."),
    ],
)
def test_states_of_a_reader(house: Reading, values: dict[str, object], on: str, told: str) -> None:
    change(house, **values)
    assert told in why(house, on)


# ---- papers ----


@pytest.mark.slow
def test_a_paper_that_came_is_told_with_its_mail_and_words(house: Reading) -> None:
    send_daily(house)
    told = why_paper(house, "https://arxiv.org/abs/2611.00100v2")
    assert "It came in full, in your mail of Wed 18 November." in told
    assert "Why: adapters in the title" in told
    assert "Interest: adapters" in told


@pytest.mark.slow
@pytest.mark.parametrize(
    "text", ["2611.00104", "arXiv:2611.00104", "Walking robots", "walking ROBOTS"]
)
def test_a_paper_that_no_interest_wants(house: Reading, text: str) -> None:
    if text.lower() == "walking robots":  # three days hold one of this title
        choice = page(house, f"paper={quote(text)}")
        assert "Which one?" in choice
        assert choice.count("#answer") == 3
        return
    assert "It does not contain adapters." in why_paper(house, text)


@pytest.mark.slow
def test_what_is_missing_is_named(house: Reading) -> None:
    path, row = house.own_page(ADA)
    for words, told in [
        ("robots AND adapters", "It contains robots, but not adapters."),
        ("adapters, towels", "It contains none of adapters, towels."),
        ("robots AND NOT walking", "You leave out papers with walking, and it has that."),
        ("robots AND votes:>20", "You ask for votes:>20; it has 1."),
    ]:
        house.client.post(f"{path}/interests/{row.id}", data={"words": words, "name": "Mine"})
        assert told in why_paper(house, "2611.00104"), words


def test_below_the_least_score_and_an_interest_that_rests(house: Reading) -> None:
    path, row = house.own_page(ADA)
    form = {"words": "adapters", "name": "Mine", "choices": "1", "threshold": "90"}
    house.client.post(f"{path}/interests/{row.id}", data=form)
    told = why_paper(house, "2611.00100")
    assert re.search(r"Its score is [\d.]+, and you want 90 or more\.", told), told
    assert "next mail" not in told
    house.client.post(f"{path}/interests/{row.id}", data={"act": "pause"})
    assert "It rests; take it up again in your settings." in why_paper(house, "2611.00100")


def test_what_rides_in_the_next_mail_says_when(house: Reading) -> None:
    told = why_paper(house, "2611.00100")
    assert "It contains adapters. It rides in your next mail, due Thu 19 November" in told
    path, row = house.own_page(ADA)
    weekly = {"words": "adapters", "name": "Mine", "cadence": "weekly", "weekday": "tue"}
    house.client.post(f"{path}/interests/{row.id}", data=weekly)
    told = why_paper(house, "2611.00100")
    assert "It rides in the weekly mail of 24 November 2026." in told
    assert "your next mail, due" not in told


@pytest.mark.slow
def test_known_hidden_and_unknown_papers(house: Reading) -> None:
    key = read_paper(house.rt, "arxiv", "2611.00104").shown.paper.id
    house.rt.db.write(
        lambda s: s.execute(
            sa.update(PaperRow).where(sa.column("id") == key).values(eligible_at=None)
        )
    )
    assert "never mailed as new" in why_paper(house, "2611.00104")
    house.rt.db.write(
        lambda s: s.execute(
            sa.update(PaperRow).where(sa.column("id") == key).values(quarantined="broken")
        )
    )
    assert "took this paper out of the lists" in why_paper(house, "2611.00104")
    assert "no source of this service listed it" in why_paper(house, "2511.12345")
    assert "No paper in our lists has these words" in why_paper(house, "Unheard of title")
    assert "There is nothing here." in page(house, "paper=+", 422)


@pytest.mark.slow
def test_only_mails_and_the_way_to_the_settings(house: Reading, tmp_path: Path) -> None:
    send_daily(house)
    house.clock.go(days=1)
    send_daily(house)
    assert page(house, "").count('class="history-day"') == 2
    only = page(house, "only=mails")
    assert only.count('class="history-day"') == 1
    assert 'href="/manage/' in only
    change(house, paused_until=date(2026, 12, 1))
    assert "You paused until 1 December; the next mail is due" in page(house, "")
