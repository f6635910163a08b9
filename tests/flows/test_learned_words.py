"""What is learned from the stored papers is kept in a file; a bad file is made anew; pages never
wait for a long reading."""

from pathlib import Path

import pytest
from support.house import ingest_items, open_house, paper_item

from service.flows import words
from service.flows.learned import FILE, Learned, read_file
from service.flows.runtime import NoEngine, Runtime
from service.flows.words import learn_words, words_of
from service.store.papers import count_after


class Bell(NoEngine):
    """An engine that only remembers who was called."""

    def __init__(self) -> None:
        self.rung: list[str] = []

    def enqueue(self, task: str, ids: tuple[int, ...] = (), *, priority: int = 5) -> None:
        self.rung.append(task)


def fill(rt: Runtime, folder: Path, first: int, last: int) -> None:
    items = [
        paper_item(n, f"Low-rank adaptation (LoRA), part {n}", "Small adapters, " * (n % 3))
        for n in range(first, last)
    ]
    ingest_items(rt, folder, items)


def told(learned: Learned | None) -> tuple[int, int, int]:
    assert learned is not None
    meanings = learned.glossary.meanings("LoRA")
    return len(learned.vectors), learned.last_id, meanings[0].papers if meanings else 0


def test_what_was_learned_survives_a_restart_and_grows(rt: Runtime, tmp_path: Path) -> None:
    fill(rt, tmp_path, 0, 6)
    report = learn_words(rt)
    assert (report.papers, report.known, report.abbreviations) == (6, 6, 1)
    assert told(read_file(rt.data_dir)) == told(rt.words.learned) == (6, 6, 6)
    assert (rt.data_dir / FILE).stat().st_mode & 0o077 == 0
    assert [f.name for f in rt.data_dir.iterdir() if f.name.startswith(FILE)] == [FILE]
    assert learn_words(rt).papers == 0
    rt.words.learned, rt.words.stamp = None, 0  # a new process
    fill(rt, tmp_path, 6, 9)
    assert told(words_of(rt)) == (9, 9, 9)
    assert told(read_file(rt.data_dir))[0] == 6, "a page writes no file"
    assert learn_words(rt).known == 9
    like = words_of(rt).vectors.like_papers([1], 9)
    assert {one.paper_id for one in like} <= set(range(2, 10))


def test_papers_that_wait_are_counted_no_further_than_a_page_needs(
    rt: Runtime, tmp_path: Path
) -> None:
    fill(rt, tmp_path, 0, 6)
    counted = [rt.db.read(lambda s, m=most: count_after(s, 1, m)) for most in (0, 3, 5, 9)]  # type: ignore[misc]
    assert counted == [0, 3, 5, 5]


def test_all_papers_are_read_anew_on_another_day(tmp_path: Path) -> None:
    with open_house(tmp_path) as house:
        rt = house.runtime
        fill(rt, tmp_path, 0, 3)
        learn_words(rt)
        fill(rt, tmp_path, 0, 1)  # the same paper with another abstract
        rt.db.write(lambda s: s.connection().exec_driver_sql("UPDATE paper SET title='Cats'"))
        assert told(words_of(rt))[2] == 3
        house.runtime.clock.go(days=1)  # type: ignore[attr-defined]
        assert learn_words(rt).papers == 3
        assert told(words_of(rt)) == (3, 3, 0)


@pytest.mark.parametrize("data", [b"", b"PK\x03\x04", b"no zip at all", None])
def test_a_torn_file_is_made_anew(tmp_path: Path, data: bytes | None) -> None:
    with open_house(tmp_path) as house:
        rt = house.runtime
        fill(rt, tmp_path, 0, 3)
        learn_words(rt)
        file = rt.data_dir / FILE
        file.write_bytes(file.read_bytes()[:-200] if data is None else data)
        assert read_file(rt.data_dir) is None
        rt.words.learned, rt.words.stamp = None, 0
        assert told(words_of(rt)) == (3, 3, 3)
        assert learn_words(rt).known == 3


def test_a_page_wakes_the_clock_where_many_papers_are_missing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(words, "AT_ONCE", 2)
    with open_house(tmp_path) as house:
        rt = house.runtime
        rt.engine = bell = Bell()
        fill(rt, tmp_path, 0, 5)
        bell.rung.clear()
        assert told(words_of(rt)) == (0, 0, 0)
        assert bell.rung == ["words"]
        with rt.words.lock:  # somebody reads them just now: the page goes on without
            assert told(words_of(rt)) == (0, 0, 0)
        learn_words(rt)
        assert told(words_of(rt)) == (5, 5, 5)
        assert bell.rung == ["words"]


def test_pages_take_what_another_process_has_read(
    houses: tuple[Runtime, Runtime], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(words, "AT_ONCE", 2)
    clock, page = houses
    fill(clock, tmp_path, 0, 5)
    assert told(words_of(page)) == (0, 0, 0)
    learn_words(clock)
    assert told(words_of(page)) == (5, 5, 5)
    fill(clock, tmp_path, 5, 9)
    assert told(words_of(page)) == (5, 5, 5)
    learn_words(clock)
    assert told(words_of(page)) == (9, 9, 9)


def test_the_end_of_the_process_breaks_reading_off(
    rt: Runtime, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(words, "_CHUNK", 2)
    fill(rt, tmp_path, 0, 6)
    turns = iter((True, False, False))
    learn_words(rt, going_on=lambda: next(turns))
    assert rt.words.learned is None
    assert not (rt.data_dir / FILE).exists()
    learn_words(rt)
    fill(rt, tmp_path, 6, 12)
    turns = iter((True, False, False))
    learn_words(rt, going_on=lambda: next(turns))
    assert told(rt.words.learned)[0] == 8, "what was taken in is not taken in again"
    assert told(read_file(rt.data_dir))[0] == 6
    assert told(words_of(rt)) == (12, 12, 12)
