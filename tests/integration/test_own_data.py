"""A reader's data: all of it in a file, the papers as lists, erased at once; and what privacy says.

The tables are asked of the database itself: one that holds something of a person and stands in no
file, or on no line of the page, fails here.
"""

import csv
import io
import json
import re
from collections.abc import Iterator
from dataclasses import replace
from html import unescape
from pathlib import Path

import pytest
import sqlalchemy as sa
from sqlmodel import SQLModel
from support.reading_house import Reading, reading_house

from service import defaults
from service.defaults import Defaults
from service.flows import own_data
from service.flows.daily import plan_daily
from service.flows.leave import erase
from service.flows.manage_link import manage_token
from service.flows.own_data import TABLES, export_reader, export_text
from service.store import house_tables, tables  # noqa: F401  (they make the metadata)
from service.web import kept
from service.web.kept import kept_after_erasing, kept_of_readers

ADA = "ada@uni.example"
NOT_OF_READERS = {
    "admin": "the staff", "session": "the staff", "audit": "acts of the staff",
    "raw_poll": "answers of sources", "pace": "how often servers are asked",
}  # fmt: skip
"""Tables with addresses or names of somebody else."""


@pytest.fixture
def house(tmp_path: Path) -> Iterator[Reading]:
    with reading_house(tmp_path, reader=(ADA, "adapters")) as made:
        plan_daily(made.rt)
        made.send()
        yield made


def fresh(house: Reading, *, is_fresh: bool = True) -> str:
    return f"/manage/{manage_token(house.rt, house.reader(ADA), house.clock(), fresh=is_fresh)}"


def personal_tables() -> set[str]:
    """Tables that lead to a reader, by a key, an address or its code; those of the staff do not."""
    found = {"subscriber"}
    staff = {"admin", "session"}
    marks = {"email", "rcpt", "rcpts", "email_hash", "email_key", "recipient_key"}
    grown = True
    while grown:
        grown = False
        for table in SQLModel.metadata.tables.values():
            if table.name in staff:
                continue
            leads = {key.column.table.name for key in table.foreign_keys} & found
            if table.name not in found and (leads or marks & set(table.columns.keys())):
                found.add(table.name)
                grown = True
    return found


def test_every_table_with_something_of_a_reader_is_in_the_file_and_on_the_page() -> None:
    assert personal_tables() == set(TABLES)
    told = {name for row in kept_of_readers(Defaults()) for name in row.tables}
    assert told == {*TABLES, "audit", "pace"}


def test_the_file_holds_every_row_and_no_key_to_a_page(house: Reading) -> None:
    house.client.post(f"/tune/{mail_token(house)}/arxiv/2611.00100", data={"sign": "more"})
    answer = house.client.get(f"{fresh(house)}/export")
    assert answer.headers["content-disposition"] == 'attachment; filename="paperpost.json"'
    found = json.loads(answer.text)
    assert found == json.loads(json.dumps(export_reader(house.rt, ADA) | {"about": found["about"]}))
    reader = house.reader(ADA)
    counts = {name: len(rows) for name, rows in house.tables().items()}
    assert found["subscriber"]["email"] == ADA
    for table, part in TABLES.items():
        if part in found and isinstance(found[part], list):
            assert len(found[part]) == counts[table], table
    assert [one["answer"] for mail in found["mails"] for one in mail["attempts"]]
    assert found["feedback"] == [
        {"paper": "arxiv/2611.00100", "more": True, "at": house.clock().isoformat()}
    ]
    for secret in (reader.unsubscribe_token, reader.feed_token, "/confirm/"):
        assert secret not in answer.text


def mail_token(house: Reading) -> str:
    with house.rt.db.engine.connect() as connection:
        query = "SELECT token FROM delivery WHERE kind IN ('digest', 'first') ORDER BY id DESC"
        return str(connection.execute(sa.text(query)).scalar())


@pytest.mark.slow
def test_many_mails_go_out_in_portions(house: Reading, monkeypatch: pytest.MonkeyPatch) -> None:
    whole = list(export_text(house.rt, house.reader(ADA).id or 0))
    monkeypatch.setattr(own_data, "PORTION", 1)
    monkeypatch.setattr(own_data, "_PAPERS", 2)
    again = list(export_text(house.rt, house.reader(ADA).id or 0))
    assert json.loads("".join(again)) == json.loads("".join(whole))
    assert len(json.loads("".join(again))["mails"]) == 2
    assert max(map(len, again)) < len("".join(again))


@pytest.mark.slow
def test_the_papers_as_table_and_bibliography(house: Reading) -> None:
    here = fresh(house)
    table = house.client.get(f"{here}/papers.csv").text
    rows = list(csv.DictReader(io.StringIO(table.removeprefix("\ufeff"))))
    assert {row["paper"] for row in rows} == {f"arxiv/2611.00{n}" for n in had_numbers(rows)}
    assert rows[0]["date"] == "2026-11-18"
    bibliography = house.client.get(f"{here}/papers.bib").text
    assert bibliography.count("@misc{") == len(rows)
    assert house.client.get(f"{here}/papers.ris").text.count("TY  - ") == len(rows)
    assert house.client.get(f"{here}/papers.doc").status_code == 404
    house.client.post(f"/tune/{mail_token(house)}/arxiv/2611.00100", data={"sign": "more"})
    liked = house.client.get(f"{here}/papers.bib?only=liked").text
    assert liked.count("@misc{") == 1
    assert "2611.00100" in liked


def had_numbers(rows: list[dict[str, str]]) -> set[str]:
    return {row["paper"].rpartition(".")[2].removeprefix("00") for row in rows}


@pytest.mark.slow
@pytest.mark.parametrize("path", ["data", "export", "papers.csv", "papers.bib"])
def test_a_link_out_of_a_mail_takes_nothing_away(house: Reading, path: str) -> None:
    answer = house.client.get(f"{fresh(house, is_fresh=False)}/{path}")
    assert answer.status_code == 403
    assert ADA not in answer.text


def test_erasing_says_what_stays_before_and_after(house: Reading) -> None:
    here = fresh(house)
    texts = house.rt.catalogs.texts("en")
    stays = [row.said(texts) for row in kept_after_erasing()]
    before = unescape(house.client.get(f"{here}/data").text)
    refused = house.client.post(f"{here}/erase", data={"nothing": "1"})
    assert refused.status_code == 422
    assert "Tick this first" in refused.text
    assert house.reader(ADA).state == "active"
    after = unescape(house.client.post(f"{here}/erase", data={"sure": "1"}).text)
    for what, how_long in stays:
        assert what in before
        assert what in after
        assert how_long in before
        assert how_long in after
    assert "365 days after erasing, under a code" in after


@pytest.mark.slow
def test_what_is_said_to_stay_is_all_that_stays(house: Reading) -> None:
    reader = house.reader(ADA)
    house.client.post(f"/tune/{mail_token(house)}/arxiv/2611.00100", data={"sign": "more"})
    before = {name for name, rows in house.tables().items() if rows}
    assert before >= {"feedback", "match", "sent_paper", "profile"}
    assert erase(house.rt, ADA)
    left = house.tables()
    for name, rows in left.items():
        assert not [row for row in rows if ADA in repr(row) or reader.feed_token in repr(row)], name
    told = {name for row in kept_after_erasing() for name in row.tables}
    still = {name for name in TABLES if left[name]}
    assert still - {"attempt"} == told - {"pace"}, (
        "attempts stay with their mail, without the address"
    )


@pytest.mark.slow
def test_who_left_may_have_a_link_and_erase_at_once(house: Reading) -> None:
    leave = f"/u/{house.reader(ADA).unsubscribe_token}"
    house.client.post(leave)
    told = house.client.post(f"{leave}/link")
    assert "Look in your mailbox" in told.text
    house.send()
    found = re.search(r"/manage/\S+", house.mails(ADA)[-1].as_string().replace("=\n", ""))
    assert found is not None
    here = fresh(house)
    assert 'href="' + here + '/data"' in house.client.get(here).text
    assert "You are forgotten." in house.client.post(f"{here}/erase", data={"sure": "1"}).text


# ---- privacy ----


def figures(house: Reading, lang: str) -> str:
    answer = house.client.get(f"/privacy?lang={lang}")
    assert answer.status_code == 200
    return re.sub(r"<[^>]+>", " ", unescape(answer.text)).replace("127.0.0.1", "")


@pytest.fixture
def bare(tmp_path: Path) -> Iterator[Reading]:
    """Without papers and readers: the page tells of none of them."""
    with reading_house(tmp_path, papers=False) as made:
        yield made


@pytest.mark.parametrize("lang", ["en", "de"])
def test_every_figure_of_privacy_is_the_setting_in_force(
    bare: Reading, lang: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings = sorted({name for row in kept_of_readers(Defaults()) for name in row.settings})
    settings.append("session_days")
    odd = {name: 211 + 7 * n for n, name in enumerate(settings)}
    fixed = {name for name in odd if hasattr(defaults.FIXED, name)}
    ours = replace(Defaults(), **{n: v for n, v in odd.items() if n not in fixed})
    monkeypatch.setattr(type(bare.rt), "defaults", lambda _self: ours)
    monkeypatch.setattr(kept, "FIXED", replace(defaults.FIXED, **{n: odd[n] for n in fixed}))
    page = figures(bare, lang)
    for name, value in odd.items():
        assert re.search(rf"\b{value}\b", page), name
    years = {"2026"}
    others = set(re.findall(r"\b\d{2,}\b", page)) - {str(value) for value in odd.values()} - years
    assert others == set(), "a figure that stands in no setting"


@pytest.mark.slow
def test_privacy_names_who_runs_it_and_where_mails_go(tmp_path: Path) -> None:
    named = {
        "org_name": "Example University Library", "contact_email": "papers@example.org",
        "postal_address": "1 Shelf Road",
    }  # fmt: skip
    with reading_house(tmp_path, papers=False, **named) as house:
        page = figures(house, "en")
        for words in (*named.values(), "to the mail server ", "None for readers."):
            assert words in page
        assert "set-cookie" not in house.client.get("/privacy").headers
