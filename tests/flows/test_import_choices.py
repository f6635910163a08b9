"""What readers chose for themselves rides in an export, and an import takes it back."""

import csv
import io
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from support.house import open_house

from service.flows import reader_lists
from service.flows.readers import import_readers
from service.flows.runtime import Runtime
from service.flows.spreadsheet import COLUMNS, EXPORTED
from service.store.subscribers import find_subscribers, get_subscriber_row, list_profiles


@pytest.fixture
def rt(tmp_path: Path) -> Iterator[Runtime]:
    with open_house(tmp_path) as house:
        yield house.runtime


def exported(rt: Runtime) -> str:
    return "".join(reader_lists.export(rt, reader_lists.read_chosen(rt, {}), "csv", by="a"))


def test_choices_go_round(rt: Runtime, tmp_path: Path) -> None:
    until = rt.clock().date() + timedelta(days=30)
    table = (
        "email,keywords,cadence,paused_until,language,abstracts,weekly_day,interest_name,on_time,"
        "at_least,tell_anyway\n"
        f"ada@example.org,robots,weekly,{until},de,summary,Tue,=Walking  machines,yes,3,yes\n"
        "ada@example.org,cats,weekly,,,,,,,,\n"
        "ben@example.org,lora,,,,,,,,,\n"
    )
    made = import_readers(rt, table.encode())
    assert (made.added, made.problems) == (3, [])
    ada = rt.db.read(lambda s: get_subscriber_row(s, email_key="ada@example.org"))
    assert ada is not None
    assert (ada.paused_until, ada.locale, ada.style, ada.on_time) == (until, "de", "summary", True)
    assert (ada.at_least, ada.tell_anyway) == (3, True)
    ben = rt.db.read(lambda s: get_subscriber_row(s, email_key="ben@example.org"))
    assert ben is not None
    assert (ben.paused_until, ben.locale, ben.style, ben.on_time) == (None, "en", "short", False)
    assert (ben.at_least, ben.tell_anyway) == (1, False)
    named = rt.db.read(lambda s: list_profiles(s, [ada.id or 0]))[ada.id or 0]
    assert [(p.name, p.weekday) for p in named] == [("=Walking machines", 1), ("cats", 4)]

    whole = exported(rt)
    head = next(csv.reader(io.StringIO(whole)))
    assert tuple(head) == EXPORTED
    assert tuple(head[: len(COLUMNS)]) == COLUMNS  # new columns stand after those that were there
    with open_house(tmp_path / "other") as house:
        assert import_readers(house.runtime, whole.encode()).problems == []
        assert exported(house.runtime) == whole


@pytest.mark.parametrize(
    ("column", "cell", "says"),
    [
        ("paused_until", "31.12.26", "Write it like 2026-12-31."),
        ("paused_until", "9999-01-01", "too long"),
        ("language", "de;DROP", "is no language"),
        ("abstracts", "long", "Use short, full, none or summary."),
        ("at_least", "0", "Use 1 to 40."),
        ("tell_anyway", "perhaps", "neither true nor false"),
        ("on_time", "perhaps", "neither true nor false"),
        ("weekly_day", "someday", "Use mon to sun."),
    ],
)
def test_a_choice_that_cannot_be_read_comes_back(
    rt: Runtime, column: str, cell: str, says: str
) -> None:
    table = f"email,{column}\nada@example.org,{cell}\nben@example.org,\n"
    made: Any = import_readers(rt, table.encode())
    ((row, _, problem),) = made.problems
    assert (made.added, row) == (1, 2)
    assert says in problem


def test_a_pause_that_is_over_is_none(rt: Runtime) -> None:
    made = import_readers(rt, b"email,paused_until\nada@example.org,2020-01-01\n")
    assert made.problems == []
    ada = rt.db.read(lambda s: get_subscriber_row(s, email_key="ada@example.org"))
    assert ada is not None
    assert ada.paused_until is None


def test_look_quiet_hours_feed_and_rest_go_round(rt: Runtime, tmp_path: Path) -> None:
    table = (
        "email,keywords,format,also_trending,picks,quiet,feed,interest_paused\n"
        "ada@example.org,robots,bare,yes,no,22-6,open,yes\n"
        "ben@example.org,lora,,,,none,,\n"
        "eve@example.org,cats,,,,,,\n"
    )
    assert import_readers(rt, table.encode()).problems == []
    rows = rt.db.read(lambda s: find_subscribers(s, [f"{n}@example.org" for n in NAMES]))
    ada, ben, eve = (rows[f"{name}@example.org"] for name in NAMES)
    assert (ada.format, ada.trending, ada.picks) == ("bare", True, False)
    assert (ada.quiet_from, ada.quiet_until, ada.feed_since) == (22, 6, rt.clock())
    assert (ben.quiet_from, ben.quiet_until, ben.feed_since) == (0, 0, None)
    assert (eve.format, eve.trending, eve.picks, eve.quiet_from) == ("html", False, True, None)
    rests = rt.db.read(lambda s: list_profiles(s, [r.id or 0 for r in (ada, ben)]))
    assert [rests[r.id or 0][0].paused for r in (ada, ben)] == [True, False]
    whole = exported(rt)
    with open_house(tmp_path / "other") as house:
        assert import_readers(house.runtime, whole.encode()).problems == []
        assert exported(house.runtime) == whole


@pytest.mark.parametrize(
    ("column", "cell", "said"),
    [
        ("format", "pdf", "'pdf' is no form. (format) Use html, text, bare."),
        ("quiet", "22", "no time without alerts"),
        ("quiet", "22-25", "no time without alerts"),
        ("picks", "perhaps", "neither true nor false"),
        ("feed", "ajar", "neither true nor false"),
    ],
)
def test_a_choice_that_is_none_is_a_problem_of_its_row(
    rt: Runtime, column: str, cell: str, said: str
) -> None:
    made = import_readers(rt, f"email,keywords,{column}\nada@example.org,x,{cell}\n".encode())
    assert made.added == 0
    assert said in made.problems[0][2]


NAMES = ("ada", "ben", "eve")
