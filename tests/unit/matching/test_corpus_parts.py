"""Parts of the corpus are put together, written as bytes and mapped back; what is found stays."""

import threading
from datetime import date, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from support.match_strategies import papers, queries
from support.stored_papers import check_found, paper

from service.matching import shelf
from service.matching.corpus import Corpus
from service.matching.document import Document, prepare
from service.matching.mapped import TornError
from service.matching.parse import parse_query
from service.matching.part import merge
from service.matching.score import Statistics
from service.matching.segment import Entry, Segment
from service.papers.model import Paper

DAYS = [date(2026, 9, 20) + timedelta(days=7 * n) for n in range(9)]


def packed(segment: Segment) -> memoryview:
    return memoryview(b"".join(segment.packed()))


def document(title: str, abstract: str = "", **facts: object) -> Document:
    return prepare(paper(title, abstract, **facts), sources=("A journal",))


def fill(corpus: Corpus, first: int, last: int, day: date = DAYS[0]) -> None:
    corpus.add_many(
        Entry(n, day.toordinal(), document(f"graph number{n}", "deep sets"), n, None)
        for n in range(first, last)
    )


acts = st.lists(
    st.one_of(
        st.tuples(st.just("add"), st.integers(0, 7), papers(), st.sampled_from(DAYS)),
        st.tuples(st.just("remove"), st.integers(0, 7)),
        st.tuples(st.just("figures"), st.integers(0, 7), st.none() | st.integers(0, 30)),
        st.tuples(st.just("merge"), st.integers(0, 99), st.booleans()),
    ),
    min_size=1,
    max_size=16,
)


@settings(max_examples=12)
@given(acts, st.lists(queries, min_size=1, max_size=3))
def test_whatever_is_merged_and_mapped_search_is_evaluation(
    steps: list[tuple[object, ...]], texts: list[str]
) -> None:
    compare(steps, texts)


@pytest.mark.slow
@settings(max_examples=100)
@given(acts, st.lists(queries, min_size=1, max_size=3))
def test_whatever_is_merged_and_mapped_search_is_evaluation_in_many_cases(
    steps: list[tuple[object, ...]], texts: list[str]
) -> None:
    compare(steps, texts)


def compare(steps: list[tuple[object, ...]], texts: list[str]) -> None:
    corpus, kept = Corpus(), {}
    for step in steps:
        match step:
            case ("add", int(number), Paper() as one, date() as day):
                kept[number] = prepare(one)
                corpus.add(number, day, kept[number])
            case ("remove", int(number)):
                corpus.remove(number)
                kept.pop(number, None)
            case ("figures", int(number), votes):
                corpus.set_figures(number, votes, 1)
                if number in kept:
                    kept[number] = Document(
                        **{**vars(kept[number]), "votes": votes, "comments": 1, "_lattices": {}}
                    )
            case ("merge", int(chosen), bool(mapped)):
                parts = corpus.parts()
                group = parts[: 1 + chosen % (len(parts) or 1)]
                if group:
                    made = merge(group)
                    if mapped:
                        made, _ = Segment.unpacked(packed(made), checked=True)
                    corpus.swap(group, made, "a-file" if mapped else "")
    check_found(corpus, kept, texts)
    assert corpus.statistics() == Statistics.of(kept.values())


def test_papers_that_were_read_again_or_taken_out_do_not_count_twice() -> None:
    corpus = Corpus()
    fill(corpus, 0, 20)
    for number in (3, 4):
        corpus.add(number, DAYS[0], document("mamba"))
    corpus.remove(3)
    learned = corpus.statistics()
    assert learned.documents == 19
    assert (learned.frequencies["mamba"], learned.frequencies["graph"]) == (1, 18)
    corpus.remove(4)
    assert "mamba" not in corpus.statistics().frequencies
    assert corpus.statistics().documents == 18


def test_how_rare_words_are_is_learned_anew_every_day(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shelf, "_FEW", 100)
    corpus = Corpus()
    fill(corpus, 0, 200)
    before = corpus.statistics()
    corpus.add(200, DAYS[0], document("mamba"))
    assert corpus.statistics() is before, "one more paper of the day"
    corpus.add(201, DAYS[1], document("mamba again"))
    assert corpus.statistics().frequencies["mamba"] == 2
    assert corpus.statistics() is corpus.statistics()


def test_what_happens_while_parts_are_put_together_is_kept() -> None:
    corpus = Corpus()
    fill(corpus, 0, 20)
    group = corpus.parts()
    made = merge(group)
    corpus.remove(3)
    corpus.set_figures(4, 99, 1)
    corpus.add(5, DAYS[1], document("other"))
    corpus.swap(group, made)
    found = {one.paper_id for one in corpus.search(parse_query("graph"), limit=None)}
    assert found == set(range(20)) - {3, 5}
    assert [one.paper_id for one in corpus.search(parse_query("votes:99"))] == [4]
    again = merge(corpus.parts())
    assert again.ids.tolist().count(5) == 1
    assert 3 not in again.ids


def test_a_part_that_somebody_else_has_taken_is_not_put_in_twice() -> None:
    corpus = Corpus()
    fill(corpus, 0, 5)
    group = corpus.parts()
    corpus.swap(group)
    corpus.swap(group)
    assert len(corpus) == 5
    assert len(corpus.search(parse_query("graph"))) == 5


def test_small_months_become_one_part_and_large_ones_stay_apart() -> None:
    corpus = Corpus()
    for at, day in enumerate(DAYS):
        fill(corpus, 30 * at, 30 * at + 30, day)
    while groups := corpus.due(files=False):
        for group in groups:
            corpus.swap(group)
    assert len(corpus.parts()) == 2  # what is over, and the newest month
    assert len(corpus) == 30 * len(DAYS)
    on = DAYS[2]
    assert len(corpus.search(parse_query("graph"), days=[on], limit=None)) == 30
    assert corpus.estimate(parse_query("graph"), days=[on]).total == 30


def test_torn_bytes_are_refused() -> None:
    corpus = Corpus()
    fill(corpus, 0, 3)
    whole = bytes(packed(merge(corpus.parts())))
    assert Segment.unpacked(memoryview(whole), checked=True)[0].ids.tolist() == [0, 1, 2]
    for cut in (0, 7, 15, 100, len(whole) // 2, len(whole) - 1):
        with pytest.raises(TornError):
            Segment.unpacked(memoryview(whole[:cut]))
    head = 16 + int.from_bytes(whole[8:12], "little")
    for at in (3, 9, 13, 40, head, head + 8):
        torn = bytearray(whole)
        torn[at] ^= 0xFF
        with pytest.raises(TornError):
            Segment.unpacked(memoryview(bytes(torn)), checked=True)


def test_readers_see_whole_states_while_others_write() -> None:
    corpus, faults = Corpus(), []
    fill(corpus, 0, 50)
    over = threading.Event()

    def write() -> None:
        for turn in range(12):
            fill(corpus, 0, 50, DAYS[turn % 9])
            for group in corpus.due(files=False):
                corpus.swap(group)
        over.set()

    writer = threading.Thread(target=write)
    writer.start()
    query = parse_query("graph NOT absent")
    while not over.is_set():
        with corpus.reading():
            wanted = corpus.wanted(query.root)
            if wanted.sum() != 50 or len(corpus.best(query, wanted, 5)) != 5:
                faults.append(int(wanted.sum()))
    writer.join()
    assert not faults
