"""The quiet mail: what each word brings alone, and wider words with a button each."""

from datetime import UTC, date, datetime

import pytest
from support.house import Clock, add, ingest_items, paper_item

from service.flows.quiet import _tell
from service.store.subscribers import get_subscriber_row


@pytest.fixture
def clock():
    return Clock(datetime(2026, 11, 2, 9, tzinfo=UTC))


def told(rt, days=9):
    rt.clock.go(days=days)
    row = rt.db.read(lambda s: get_subscriber_row(s, email_key="ada@example.org"))
    return _tell(rt, row, rt.clock())


def test_rare_words_that_brought_something_once_are_widened_too(rt, tmp_path):
    """One paper in a month is no more than none in this week."""
    add(rt, "ada@example.org", '"graph adapters", speech')
    for number in range(2, 11):
        on = date(2026, 11, number)
        ingest_items(rt, tmp_path, [paper_item(number, "Adapters")], on=on)
    ingest_items(rt, tmp_path, [paper_item(1, "Graph adapters")], on=date(2026, 11, 3))
    graphs = [paper_item(n, "Graphs") for n in range(11, 14)]
    ingest_items(rt, tmp_path, graphs, on=date(2026, 11, 4))
    made = told(rt)
    assert (made["checked"], made["asks"]) == (13, "words")
    assert made["words"] == [("graph adapters", 1), ("speech", 0)]
    # 4 in the 7 weekdays that are stored
    assert [(text, papers) for text, papers, _ in made["widenings"]] == [("graph", 13)]


def test_the_other_form_of_a_word_is_a_wider_one(rt, tmp_path):
    add(rt, "ada@example.org", "PEFT")
    explained = "We use parameter-efficient fine-tuning (PEFT) here."
    items = [paper_item(n, f"Part {n}", explained) for n in range(1, 6)]
    more = [
        paper_item(n, f"Piece {n}", "Parameter-efficient fine-tuning again.") for n in range(6, 9)
    ]
    ingest_items(rt, tmp_path, [*items, *more])
    (wider,) = told(rt)["widenings"]
    assert "parameter-efficient fine-tuning" in wider[0]
    assert wider[1] == 8 * 22  # all of one weekday


def test_papers_of_the_readers_own_do_not_count(rt, tmp_path):
    add(rt, "ada@example.org", "adapters", own="Ana Silva")
    ingest_items(rt, tmp_path, [paper_item(1, "Adapters")])
    assert told(rt)["widenings"] == []


def test_where_nothing_was_checked_the_silence_is_ours(rt):
    add(rt, "ada@example.org", "adapters")
    assert told(rt) is None
