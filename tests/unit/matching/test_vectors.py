"""Papers alike by their words; the vectors survive a file, and a torn one says so."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.matching.document import Document, prepare
from service.matching.mapped import TornError
from service.matching.vectors import Vectors
from service.papers.model import Alias, Paper

TITLES = ["sparse attention", "sparse attention kernels", "robot hands", "robot hands grasp cups",
          "cups and towels", ""]  # fmt: skip


def made(title: str) -> Document:
    return prepare(Paper(aliases=(Alias("arxiv", "1"),), title=title, abstract=""))


def filled(titles: list[str] = TITLES) -> Vectors:
    vectors = Vectors()
    for number, title in enumerate(titles, 10):
        vectors.add(number, made(title))
    return vectors


def test_the_most_alike_come_first_and_strangers_not_at_all() -> None:
    vectors = filled()
    found = vectors.like_papers([10], 5)
    assert [one.paper_id for one in found] == [11]
    assert found[0].similarity == pytest.approx(1.0), "kernels stands in one paper and counts not"
    assert [one.paper_id for one in vectors.like_document(made("a robot towels"), 9)] == [12, 13]
    assert vectors.like_document(made("unheard words"), 5) == []
    assert vectors.like_papers([15], 5) == vectors.like_papers([99], 5) == []


def test_those_that_are_left_out_are_not_found() -> None:
    vectors = filled()
    assert vectors.like_papers([12], 5, without=[13]) == []
    assert [one.paper_id for one in vectors.like_papers([12, 10], 1)] == [11]


def test_a_file_keeps_everything_and_a_torn_one_is_refused() -> None:
    vectors = filled()
    data = b"".join(vectors.packed({"until": 15}))
    again, note = Vectors.unpacked(memoryview(data))
    assert note == {"until": 15}
    assert len(again) == len(vectors) == 6
    again.add(16, made("sparse robot"))
    vectors.add(16, made("sparse robot"))
    assert again.like_papers([16], 9) == vectors.like_papers([16], 9) != []
    for torn in (
        data[:-40],
        data[40:],
        b"",
        b"PK\x03\x04 no zip",
        data.replace(b"vectors", b"VECTORS"),
    ):
        with pytest.raises(TornError):
            Vectors.unpacked(memoryview(torn))


@given(
    st.lists(st.lists(st.sampled_from(["abc", "bcd", "cde", "def", "efg"]), max_size=6), max_size=8)
)
def test_ranking_is_that_of_the_formula(texts: list[list[str]]) -> None:
    """The same by whole matrices, written down a second time."""
    vectors = filled([" ".join(words) for words in texts])
    words = sorted({word for text in texts for word in text})
    size = len(texts)
    held = {w: sum(w in text for text in texts) for w in words}
    weights = np.array(
        [[text.count(w) * (1 + np.log((size + 1) / (held[w] + 1))) * (2 <= held[w] <= size / 2)
          for w in words] for text in texts]
    ).reshape(size, len(words))  # fmt: skip
    lengths = np.maximum(np.linalg.norm(weights, axis=1, keepdims=True), 1e-9)
    alike = (weights / lengths) @ (weights / lengths).T
    for at in range(size):
        found = {one.paper_id - 10: one.similarity for one in vectors.like_papers([at + 10], size)}
        wanted = {n: alike[at, n] for n in range(size) if n != at and alike[at, n] > 1e-6}
        assert found == pytest.approx(wanted, abs=1e-5)
