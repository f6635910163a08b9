"""The campaigns of ``make faults``: resumable, in their order, and within their minutes."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from support.storm.book import Book, Tally
from support.storm.hands import Act, BrokeDown, carry_out, rounds
from support.storm.report import line, told

WANTED = 7


def book(tmp_path: Path, **more: Any) -> Book:
    """One of seven trials."""
    given = {"what": "w", "command": "c", "seed": 5, "wanted": WANTED, "trial": "kills", **more}
    return Book(tmp_path / "book.json", **given)


@contextmanager
def laid(folder: Path) -> Iterator[Act]:
    """Rounds that count, and leave a file for each of their trials."""

    def act(first: int, trials: int, tally: Tally) -> None:
        if (folder.parent.parent / "broken").exists() and first >= 4:
            raise AssertionError("no relay")
        tally.count(kills=trials, mails=10)
        tally.most(recovery_s=first)
        for number in range(first, first + trials):
            with (folder.parent.parent / "done").open("a") as out:
                out.write(f"{number}\n")

    assert not list(folder.iterdir())
    yield act


def go_on(tmp_path: Path, kept: Book, each: int = 2, minutes: float = 1.0, hands: int = 2) -> None:
    folder = tmp_path / f"run{len(list(tmp_path.iterdir()))}"
    folder.mkdir()
    left = rounds(kept.done, WANTED, each)
    carry_out(laid, left, kept, folder, hands=hands, minutes=minutes)


def trials(tmp_path: Path) -> list[int]:
    return [int(word) for word in (tmp_path / "done").read_text().split()]


def test_rounds_are_named_by_their_first_trial():
    assert rounds(0, 7, 3) == [(0, 3), (3, 3), (6, 1)]
    assert rounds(5, 7, 3) == [(5, 2)]
    assert rounds(7, 7, 3) == []


@pytest.mark.parametrize("hands", [1, 2])
def test_every_trial_is_done_once(tmp_path, hands):
    kept = book(tmp_path)
    go_on(tmp_path, kept, hands=hands)
    assert sorted(trials(tmp_path)) == list(range(WANTED))
    assert (kept.done, kept.tally.sums) == (WANTED, {"kills": WANTED, "mails": 40})
    assert kept.tally.peaks == {"recovery_s": 6}


def test_a_campaign_that_broke_down_goes_on_where_it_ended(tmp_path):
    (tmp_path / "broken").touch()
    with pytest.raises(BrokeDown, match="no relay"):
        go_on(tmp_path, book(tmp_path), each=1)
    (tmp_path / "broken").unlink()
    again = book(tmp_path)
    assert again.done == again.tally.sums["kills"] <= 4
    before = again.done
    go_on(tmp_path, again, each=1)
    assert again.done == again.tally.sums["kills"] == WANTED
    assert again.facts["runs"][-1]["from"] == before


def test_no_round_begins_when_the_time_is_over(tmp_path):
    kept = book(tmp_path)
    go_on(tmp_path, kept, minutes=0)
    assert kept.done == 0
    assert not (tmp_path / "done").exists()


@pytest.mark.parametrize("more", [{"seed": 6}, {"again": True}])
def test_another_seed_begins_anew(tmp_path, more):
    go_on(tmp_path, book(tmp_path))
    assert book(tmp_path).done == WANTED
    assert book(tmp_path, **more).done == 0


def test_what_is_told_has_the_wanted_the_done_and_the_bound(tmp_path):
    kept = book(tmp_path, wanted=200)
    tally = Tally()
    tally.count(kills=150, mails=60000, lost=0, doubled=0, held=9, held_had_arrived=8, resolved=9)
    kept.step(150, tally)
    row = line("kills", "sqlite", kept.facts)
    assert "| 150 of 200 kills | 60,000 | 0 | 0 | 9 (8) | 9 |" in row
    assert "| 0.02, 5e-05 |" in row
    words = told("kills", "sqlite", kept.facts)
    assert "150 of 200; 0 lost, 0 doubled, 9 held, 9 resolved; 0 breaches" in words
    kept.tally.breach("lost: somebody")
    assert "| — |" in line("kills", "sqlite", kept.facts)
    assert "broken: lost: somebody" in told("kills", "sqlite", kept.facts)


def test_who_was_not_run_has_a_row_as_wide(tmp_path):
    kept = book(tmp_path)
    kept.step(1, Tally())
    nothing = line("kills", "sqlite", {})
    assert nothing.count("|") == line("kills", "sqlite", kept.facts).count("|")
    before_the_rounds = {"runs": [{"on": "2026-11-22"}], "totals": {"kills": 3}, "done": 4}
    assert line("kills", "sqlite", before_the_rounds) == nothing
