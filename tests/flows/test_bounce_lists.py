"""What came back, for the doors: filters, tables in parts, rates with their limits."""

import csv
from datetime import UTC, date, datetime, timedelta

import pytest
from support.came_back import lay

from service.flows import bounce_lists, bounces
from service.flows.bounce_lists import BounceFilterError, Summed, parts, raw_text, read_filter
from service.flows.bounces import Rate

pytestmark = pytest.mark.slow


def test_filters_are_read_as_people_type_them():
    made = read_filter(
        kind="hard", reason=" Mailbox full", domain="@B.Example ", address=" ada@ ",
        first=date(2026, 11, 18), last=date(2026, 11, 18), zone="Asia/Tokyo",
    )  # fmt: skip
    assert (made.reason, made.domain, made.address) == ("mailbox_full", "b.example", "ada@")
    assert made.since == datetime(2026, 11, 17, 15, tzinfo=UTC)
    assert made.until == datetime(2026, 11, 18, 15, tzinfo=UTC)
    for wrong in ({"kind": "gone"}, {"state": "open"}):
        with pytest.raises(BounceFilterError):
            read_filter(**wrong)


def test_lists_and_tables_hold_the_same_on_both_databases(rt, monkeypatch):
    monkeypatch.setattr(bounce_lists, "_PART", 2)
    lay(rt, *({"recipient": f"r{n}_x@b.example", "domain": "b.example"} for n in range(5)))
    lay(rt, {"kind": "soft", "recipient": "rx@c.example", "domain": "c.example"}, subject="soft")
    for typed, number in (
        ({}, 6), ({"domain": "b.example"}, 5), ({"kind": "soft"}, 1), ({"address": "_X@"}, 5),
        ({"address": "%"}, 0), ({"state": "done"}, 6), ({"state": "review"}, 0),
        ({"last": date(2020, 1, 1)}, 0), ({"first": date(2020, 1, 1)}, 6),
    ):  # fmt: skip
        chosen = read_filter(**typed)
        listed = rt.db.read(lambda s, c=chosen: bounces.list_reports(s, c))
        assert len(listed) == number, typed
        assert rt.db.read(lambda s, c=chosen: bounces.count_reports(s, c)) == number
        table = list(csv.DictReader("".join(parts(rt, chosen, "csv")).splitlines()))
        assert [row["recipient"] for row in table] == [row["recipient"] for row in listed]
    every = read_filter()
    for sort, first in (("-at", "rx@"), ("at", "r0_"), ("address", "r0_"), ("-address", "rx@"),
                        ("kind", "r4_"), ("-kind", "rx@")):  # fmt: skip
        rows = rt.db.read(lambda s, o=sort: bounces.list_reports(s, every, sort=o, limit=1))
        assert rows[0]["recipient"].startswith(first), sort


def test_rates_are_summed_by_day_and_domain(rt, monkeypatch):
    first = date(2026, 11, 17)
    told = [
        Rate(day=first, domain="a.example", accepted=1000, hard=3, complaints=1),
        Rate(day=first, domain="b.example", accepted=100, hard=3),
        Rate(day=first + timedelta(days=1), domain="a.example", accepted=1000, complaints=2),
        Rate(day=first + timedelta(days=9), domain="a.example", accepted=7),
    ]
    monkeypatch.setattr(bounces, "rates", lambda *_args, **_more: told)
    found = bounce_lists.read_rates(rt, first, first + timedelta(days=2))
    assert [(one.name, one.accepted, one.above) for one in found.domains] == [
        ("a.example", 2000, ["complaints"]),
        ("b.example", 100, ["hard"]),
    ]
    assert [one.accepted for one in found.days] == [1100, 1000, 0]
    assert [one.is_told for one in found.days] == [True, True, False]
    assert (found.all.hard, found.all.percent("complaints")) == (6, 100 * 3 / 2100)
    empty = Summed("", 0, 1, 0, 0, 0, 0, {"hard": 2.0})
    assert (empty.percent("hard"), empty.above) == (None, [])


def test_rates_of_a_house_are_read_on_both_databases(rt):
    found = bounce_lists.read_rates(rt, date(2026, 11, 1), date(2026, 11, 3), domain="x.example")
    assert (len(found.days), found.domains, found.all.accepted) == (3, (), 0)


def test_a_long_mail_is_shown_from_its_beginning():
    assert raw_text(b"a\r\nb\rc") == "a\nb\nc"
    assert raw_text(b"x" * 10, most=4) == "xxxx\n\n[6 more bytes]\n"
