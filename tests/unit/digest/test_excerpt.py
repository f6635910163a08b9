"""The short abstract: cut at sentences, marks moved along."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.digest import excerpt


def spans(text: str, *words: str) -> list[tuple[int, int]]:
    return [(text.index(w), text.index(w) + len(w)) for w in words]


def marked_words(marked: excerpt.Marked) -> list[str]:
    return [piece for piece, is_marked in marked.pieces() if is_marked]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("One. Two.", ["One.", "Two."]),
        ("As Hu et al. We saw, it works. Next.", ["As Hu et al. We saw, it works.", "Next."]),
        ("It gains, e.g. on MMLU, 3.5 points. Good.", ["It gains, e.g. on MMLU, 3.5 points."]),
        ("Written by J. Smith at MIT. Then more.", ["Written by J. Smith at MIT."]),
        ("See Fig. 3 for it. More.", ["See Fig. 3 for it."]),
        ("The answer is no. We ask why.", ["The answer is no."]),
        ("Does it work? Yes! It does.", ["Does it work?", "Yes!", "It does."]),
        ('He calls it "large." Others differ.', ['He calls it "large."', "Others differ."]),
        ("我们提出新方法。实验表明有效。", ["我们提出新方法。", "实验表明有效。"]),
        ("No full stop at the end", ["No full stop at the end"]),
        ("", []),
    ],
)
def test_sentences(text: str, expected: list[str]) -> None:
    found = [text[a:b] for a, b in excerpt.sentences(text)]
    assert found[: len(expected)] == expected


def test_overlapping_and_touching_marks_become_one() -> None:
    assert excerpt.merged([(5, 9), (0, 3), (2, 4), (9, 12), (40, 50), (7, 7)], 11) == (
        (0, 4),
        (5, 11),
    )


def test_short_takes_first_sentence_and_next_with_a_hit() -> None:
    text = (
        "We study why LoRA drifts. Training is long and costly. "
        "A schedule for low-rank adaptation keeps it. Code is out."
    )
    result = excerpt.short(text, spans(text, "LoRA", "low-rank adaptation"), 420)
    assert result.text == (
        "We study why LoRA drifts. [...] A schedule for low-rank adaptation keeps it. [...]"
    )
    assert marked_words(result) == ["LoRA", "low-rank adaptation"]


def test_neighbouring_sentences_have_no_cut_between() -> None:
    text = "We study drift. LoRA is the cause."
    result = excerpt.short(text, spans(text, "LoRA"), 420)
    assert result.text == text
    assert marked_words(result) == ["LoRA"]


def test_long_sentences_are_cut_at_words_around_the_hit() -> None:
    filler = "word " * 100
    text = f"It begins {filler}here. Then {filler}comes LoRA and {filler}ends. Last."
    result = excerpt.short(text, spans(text, "LoRA"), 420)
    assert len(result.text) <= 420
    assert result.text.startswith("It begins word")
    assert marked_words(result) == ["LoRA"]
    assert result.text.endswith("[...]")
    assert "wor [" not in result.text
    assert "] ord" not in result.text


@given(
    st.text(alphabet="ab .!?。XY\"'(é", max_size=900),
    st.lists(st.tuples(st.integers(-5, 950), st.integers(-5, 950)), max_size=6),
    st.integers(100, 500),
)
def test_short_keeps_its_limit_and_its_marks_inside(
    text: str, hits: list[tuple[int, int]], limit: int
) -> None:
    result = excerpt.short(text, hits, limit)
    assert len(result.text) <= limit
    assert "".join(piece for piece, _ in result.pieces()) == result.text
    ends = [0, *(n for mark in result.marks for n in mark), len(result.text)]
    assert ends == sorted(ends)
    originals = {text[a:b] for a, b in excerpt.merged(hits, len(text))}
    for word in marked_words(result):
        assert any(word in original for original in originals)


def test_full_is_whole_and_a_monster_is_cut() -> None:
    assert excerpt.full("A whole text.", [(2, 7)]).text == "A whole text."
    monster = excerpt.full("word " * 300_000, [])
    assert len(monster.text) < excerpt.FULL_CHARS + 10
    assert monster.text.endswith("[...]")
    assert len(excerpt.title("long " * 10_000, []).text) <= excerpt.TITLE_CHARS
