"""Editors' picks: above all other papers of the digests of a date, for who wants them."""

import asyncio
from concurrent.futures import ThreadPoolExecutor
from datetime import date, timedelta

import pytest
from support.house import add, ingest_items, paper_item, rows

from service.flows.browse import read_day
from service.flows.daily import plan_daily
from service.flows.letter import digest_of
from service.flows.note import set_note
from service.flows.picks import PickError, moved, read_picks, set_picks
from service.flows.preview import preview
from service.flows.release import release
from service.flows.send import send_ready
from service.flows.welcome import send_first
from service.store import sent as sent_store
from service.store import staff as staff_store
from service.store.instance import set_setting

ON = date(2026, 11, 18)
SURVEY, MAPS = "arxiv/2611.00008", "2611.00009"


@pytest.fixture(autouse=True)
def papers(rt, tmp_path):
    items = [
        paper_item(1, "Adapters that forget less", votes=9),
        paper_item(2, "Adapters at night"),
        paper_item(8, "A survey of surveys", votes=0),
        paper_item(9, "Maps of adapters", votes=0),
    ]
    ingest_items(rt, tmp_path, items)


def shown(rt, email):
    """(kind of the section, titles in full) of the newest digest of a reader."""
    made = [digest_of(row) for row in rows(rt, "digest") if row.rcpt == email]
    assert made[-1] is not None
    return [(s.kind, [e.title.text for e in s.entries]) for s in made[-1].sections]


def test_they_stand_above_all_others_once_with_the_readers_words(rt):
    ada = add(rt, "ada@example.org", "adapters")
    add(rt, "ben@example.org", "adapters", picks="false")
    add(rt, "cem@example.org", "speech")
    add(rt, "dan@example.org")  # trending
    assert set_picks(rt, ON, [SURVEY, MAPS], by="ak").without == 0
    previewed = preview(rt, "ada@example.org")
    assert previewed.text.index("Picked by the editors (2)") < previewed.text.index("forget less")
    assert "A survey of surveys" in previewed.html
    report = plan_daily(rt)
    assert report.skipped == {"nothing_new": 1}  # a pick alone makes no mail
    picks = ("picks", ["A survey of surveys", "Maps of adapters"])
    ada_has = shown(rt, "ada@example.org")
    assert ada_has[0] == picks
    assert sorted(ada_has[1][1]) == ["Adapters at night", "Adapters that forget less"]
    assert [kind for kind, _ in shown(rt, "ben@example.org")] == ["interest"]
    assert shown(rt, "dan@example.org")[0] == picks
    (digest,) = [digest_of(r) for r in rows(rt, "digest") if r.rcpt == "ada@example.org"]
    assert digest.matched == 3
    maps = next(e for e in digest.entries() if e.title.text == "Maps of adapters")
    assert maps.reasons[0].where == "title"
    rt.clock.go(minutes=15)
    asyncio.run(send_ready(rt))
    had = rt.db.read(lambda s: sent_store.list_sent(s, [ada]))[ada]
    assert had == set(digest.paper_ids())
    assert len(had) == 4
    (mail,) = [m for m in rows(rt, "digest") if m.rcpt == "dan@example.org"]
    assert digest_of(mail).is_trending_only


def test_a_pick_that_the_reader_had_is_left_out_and_carries_no_mail(rt):
    add(rt, "ada@example.org", "adapters")
    plan_daily(rt)
    rt.clock.go(minutes=15)
    asyncio.run(send_ready(rt))
    rt.clock.go(days=1)
    tomorrow = ON + timedelta(days=1)
    set_picks(rt, tomorrow, [MAPS, SURVEY], by="ak")
    assert plan_daily(rt).skipped == {"nothing_new": 1}
    add(rt, "eve@example.org", "forget")
    plan_daily(rt)
    assert shown(rt, "eve@example.org")[0] == (
        "picks",
        ["Maps of adapters", "A survey of surveys"],
    )


def test_a_mail_whose_only_match_is_a_pick_goes(rt):
    add(rt, "ada@example.org", "maps")
    set_picks(rt, ON, [MAPS], by="ak")
    plan_daily(rt)
    assert shown(rt, "ada@example.org") == [("picks", ["Maps of adapters"])]
    assert "1 contains your words" in preview(rt, "ada@example.org").text


def test_mails_composed_before_keep_what_they_had_and_each_change_is_written_down(rt):
    add(rt, "ada@example.org", "adapters")
    plan_daily(rt)
    assert set_picks(rt, ON, [SURVEY], by="ak", address="192.0.2.1").without == 1
    assert [kind for kind, _ in shown(rt, "ada@example.org")] == ["interest"]
    set_picks(rt, ON, [MAPS, SURVEY], by="ak")
    set_picks(rt, ON, [MAPS, SURVEY], by="ben")  # nothing changes
    acts = rt.db.read(lambda s: staff_store.list_audit(s))
    assert [(a.who, a.before, a.after) for a in acts if a.what == "pick"] == [
        ("ak", {"papers": [SURVEY]}, {"papers": [f"arxiv/{MAPS}", SURVEY]}),
        ("ak", {"papers": []}, {"papers": [SURVEY]}),
    ]
    assert [title for _, title, _ in read_picks(rt, ON).papers] == [
        "Maps of adapters",
        "A survey of surveys",
    ]


def test_before_its_release_a_day_shows_neither_note_nor_picks(rt):
    rt.db.write(lambda s: set_setting(s, "release", "hand"))
    first = add(rt, "ada@example.org", "adapters")
    set_picks(rt, ON, [SURVEY], by="ak")
    set_note(rt, ON, "Soon.", by="ak")
    assert send_first(rt, first)
    (row,) = rows(rt, "first")
    assert (digest_of(row).note, digest_of(row).sections[0].kind) == ("", "interest")
    before = read_day(rt, ON)
    assert (before.note, before.picks) == ("", ())
    release(rt, ON, by="ak")
    after = read_day(rt, ON)
    assert (after.note, [one.paper.title for one in after.picks]) == (
        "Soon.",
        ["A survey of surveys"],
    )


def test_what_cannot_be_picked_is_refused(rt):
    with pytest.raises(PickError, match="4 papers are too many"):
        set_picks(rt, ON, ["2611.00001", "2611.00002", SURVEY, MAPS], by="ak")
    with pytest.raises(PickError, match="There is no paper"):
        set_picks(rt, ON, ["2611.99999"], by="ak")
    with pytest.raises(PickError, match="is over"):
        set_picks(rt, ON - timedelta(days=2), [SURVEY], by="ak")


@pytest.mark.parametrize(
    ("act", "order"),
    [("pick", [1, 3, 2]), ("unpick", [1, 3]), ("up", [2, 1, 3]), ("down", [1, 3, 2])],
)
def test_one_press_moves_one_paper(act, order):
    assert moved([1, 2, 3], 2, act) == order


@pytest.mark.slow
def test_two_editors_who_pick_at_once_leave_the_picks_of_one(houses):
    rt = houses[0]
    ingest_items(rt, rt.data_dir, [paper_item(n, f"Paper {n}") for n in range(1, 7)])
    for n in range(6):
        set_picks(rt, ON, [], by="ak")
        there = "123"
        other = "321" if n % 2 else "456"  # the same in another order, or others

        def pick(rt, numbers):
            return set_picks(rt, ON, [f"arxiv/2611.0000{one}" for one in numbers], by="ben")

        with ThreadPoolExecutor(2) as both:
            list(both.map(pick, houses, (there, other)))
        papers = [name[-1] for _, _, name in read_picks(rt, ON).papers]
        assert "".join(papers) in (there, other)
