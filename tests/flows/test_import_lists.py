"""Lists of readers: several interests each, rows that come back, and moving to another house."""

import csv
import io
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from support.house import open_house

from service.flows import reader_lists
from service.flows.interests import add_interest, read_kind
from service.flows.leave import leave_row
from service.flows.readers import import_readers, summary
from service.flows.runtime import Runtime
from service.flows.suppress import unsuppress
from service.store import subscribers as subscribers_store
from service.subscribers.address import read_address
from service.subscribers.model import Cadence


@pytest.fixture
def rt(tmp_path: Path) -> Iterator[Runtime]:
    with open_house(tmp_path) as house:
        yield house.runtime


def readers(rt: Runtime) -> dict[str, dict[str, Any]]:
    rows = rt.db.read(lambda s: summary(subscribers_store.list_subscriber_rows(s), s))
    return {row["email"]: row for row in rows}


def words(rt: Runtime, email: str) -> list[tuple[str, str]]:
    return [(one["kind"], one["text"]) for one in readers(rt)[email]["interests"]]


def test_several_rows_of_one_address_are_several_interests(rt: Runtime) -> None:
    table = (
        "email,profile,keywords,hour,cadence\n"
        "ada@example.org,,LoRA,7,\n"
        "ben@example.org,a OR b,robots,,\n"
        "ADA@example.org,cats dogs,,9,weekly\n"
        "ada@example.org,,LoRA,7,\n"
    )
    made = import_readers(rt, table.encode())
    assert (made.rows, made.added, made.readers, made.unchanged) == (4, 3, 2, 1)
    assert words(rt, "ada@example.org") == [("keywords", "LoRA"), ("query", "cats dogs")]
    assert words(rt, "ben@example.org") == [("query", "a OR b"), ("keywords", "robots")]
    ada = readers(rt)["ada@example.org"]
    assert (ada["hour"], ada["interests"][1]["cadence"]) == (7, "weekly")  # the first row counts


def test_no_reader_gets_more_interests_than_may_be(rt: Runtime) -> None:
    lines = [f"ada@example.org,word{n}" for n in range(22)]
    made = import_readers(rt, "\n".join(["email,keywords", *lines]).encode())
    assert (made.added, made.readers, len(made.problems)) == (20, 1, 2)
    assert "more than 20 interests" in made.problems[0][2]
    assert len(words(rt, "ada@example.org")) == 20


def test_a_corrected_row_brings_what_was_missing_and_only_that(rt: Runtime) -> None:
    table = (
        "email;profile;keywords;hour\n"
        "ada@example.org;;LoRA;8\n"
        "ada@example.org;(bad AND;;8\n"
        "ben@example.org;a, b;;8\n"
        "cho@example.org;;PEFT;25\n"
    )
    made = import_readers(rt, table.encode())
    assert (made.added, [n for n, _, _ in made.problems]) == (1, [3, 4, 5])
    assert "bracket at character 1" in made.problems[0][2]
    assert "The , at character 2 does not work" in made.problems[1][2]
    back = made.problems_csv()
    assert back.splitlines()[0] == "email,profile,keywords,hour,problem"

    mended = back.replace("(bad AND", "cats").replace('"a, b"', "a OR b")
    again = import_readers(rt, mended.replace(",25,", ",5,").encode("utf-8-sig"))
    assert (again.problems, again.added, again.readers) == ([], 3, 2)
    assert words(rt, "ada@example.org") == [("keywords", "LoRA"), ("query", "cats")]
    # the whole list again, with another wish: who is there stays as they are
    more = import_readers(rt, b"email,keywords\nada@example.org,video\n")
    assert (more.added, more.unchanged, more.problems) == (0, 1, [])
    assert len(words(rt, "ada@example.org")) == 2


def test_a_dry_run_says_the_same_and_changes_nothing(rt: Runtime) -> None:
    table = (
        b"email,keywords,confirmed\nada@example.org,a,\nada@example.org,b,\nben@x.example,c,no\n"
    )
    tried = import_readers(rt, table, dry_run=True)
    assert readers(rt) == {}
    made = import_readers(rt, table)
    assert (tried.added, tried.readers) == (made.added, made.readers) == (3, 2)


def test_a_pending_reader_is_not_begun_by_a_list_and_that_is_told(rt: Runtime) -> None:
    import_readers(rt, b"email,confirmed\nada@example.org,false\n")
    assert import_readers(rt, b"email,confirmed\nada@example.org,false\n").unchanged == 1
    made = import_readers(rt, b"email\nada@example.org\n")
    assert "was asked to confirm" in made.problems[0][2]
    assert readers(rt)["ada@example.org"]["state"] == "pending"


def test_all_readers_move_to_another_house(rt: Runtime, tmp_path: Path) -> None:
    table = (
        "email,profile,keywords,people,confirmed,name,tz,hour,cadence,weekdays\n"
        'ada@example.org,,"LoRA\nPEFT",,yes,=1+1,Asia/Tokyo,0,instant,\n'
        "ada@example.org,-cats dogs,,,yes,,,,weekly,\n"
        'ben@example.org,,"=PEFT, -x",,yes,Zoë,,23,,"mon, sat"\n'
        'cho@example.org,,,"Ana Silva\nBo Chen",yes,,,,,\n'
        "dan@example.org,,,,no,,,,,\n"
        "eve@example.org,,,,yes,,,,,\n"
        "fay@example.org,,,,yes,,,,,\n"
    )
    assert import_readers(rt, table.encode()).problems == []

    def act(session: Any) -> None:
        for row in subscribers_store.list_subscriber_rows(session):
            if row.email.startswith("eve"):
                leave_row(rt, session, row)
            elif row.email.startswith("fay"):
                row.state = "bounced"
                session.add(row)
            elif row.email.startswith("ada"):
                wanted = read_kind("trending", "")
                add_interest(session, row.id or 0, wanted, rt.clock(), cadence=Cadence.WEEKLY)

    rt.db.write(act)
    before = readers(rt)
    moved = "".join(reader_lists.export(rt, reader_lists.read_chosen(rt, {}), "csv", by="a"))
    assert {row["state"] for row in csv.DictReader(io.StringIO(moved))} == {
        "active", "pending", "left", "bounced",
    }  # fmt: skip
    with open_house(tmp_path / "other") as house:
        other = house.runtime
        made = import_readers(other, moved.encode())
        assert (made.problems, made.readers, made.kept_out) == ([], 4, 2)
        after = readers(other)
        kept = ("state", "name", "zone", "hour", "weekdays", "interests")
        assert {e: [r[k] for k in kept] for e, r in after.items()} == {
            e: [r[k] for k in kept] for e, r in before.items() if e[:3] not in ("eve", "fay")
        }
        # who was out is out here too, until they ask or an admin lifts it
        old = import_readers(other, b"email\neve@example.org\nfay@example.org\n")
        assert ["left" in p for _, _, p in old.problems] == [True, False]
        assert unsuppress(other, read_address("fay@example.org"))
        assert import_readers(other, b"email\nfay@example.org\n").readers == 1
