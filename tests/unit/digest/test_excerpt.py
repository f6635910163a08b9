"""The short abstract: cut at sentences, marks moved along."""

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.digest import excerpt
from service.digest.sentences import sentences
from service.text.measure import is_edge


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
        ("More coverage.In this work, we go.", ["More coverage.", "In this work, we go."]),
        ("Use Node.js or torch.Tensor. It works.", ["Use Node.js or torch.Tensor.", "It works."]),
        ("See github.com/Foo.We do. Yes.", ["See github.com/Foo.We do.", "Yes."]),
        ("Of U.S. Treasury bills. In the U.S. We ask.", ["Of U.S. Treasury bills.", "In the U.S."]),
        (
            "Three aims: 1. Speed at v1.2. 2. Size. End.",
            ["Three aims: 1. Speed at v1.2.", "2. Size."],
        ),
        ("By Goel [Soc. Choice Welf. 2023]. They do.", ["By Goel [Soc. Choice Welf. 2023]."]),
        ("In movies (avg. 7,878 seconds). More.", ["In movies (avg. 7,878 seconds).", "More."]),
        ("A smiley :( is open. Then more. End.", ["A smiley :( is open. Then more. End."]),
        ("State of each path. . Then coding.", ["State of each path. .", "Then coding."]),
        ("It scored 3. We ask.", ["It scored 3.", "We ask."]),
        ("", []),
    ],
)
def test_sentences(text: str, expected: list[str]) -> None:
    found = [text[a:b] for a, b in sentences(text)]
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
        "We study why LoRA drifts.\u00a0[...] "
        "A schedule for low-rank adaptation keeps it.\u00a0[...]"
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


@pytest.mark.parametrize(
    ("text", "word", "shown"),
    [
        (
            "Objective. Notes carry risk of harm. We do more.",
            "x",
            "Objective. Notes carry risk of harm.\u00a0[...]",
        ),
        (
            "First one is long enough to be a summary here. A LoRA.",
            "LoRA",
            "First one is long enough to be a summary here. A LoRA.",
        ),
    ],
)
def test_what_a_short_one_begins_with(text: str, word: str, shown: str) -> None:
    hits = spans(text, word) if word in text else []
    assert excerpt.short(text, hits, 420).text == shown


def test_a_cut_stands_behind_a_clause_and_not_behind_a_word_left_hanging() -> None:
    text = (
        "A model of many parts, "
        + "and one more part, " * 6
        + "and a long tail that never ends " * 9
    )
    shown = excerpt.short(text, [], 150).text
    assert shown.endswith("part\u00a0[...]")
    tail = "A " + "word " * 25 + "models such as the " + "thing " * 40
    assert "such" not in excerpt.short(tail, [], 160).text


@pytest.mark.parametrize(
    "tail", ["and vary", "to support", "which does", "or so often", "(p <", "and"]
)
def test_a_piece_does_not_end_in_half_of_something(tail: str) -> None:
    text = "A " + "word " * 25 + f"that stays {tail} " + "thing " * 40
    room = text.index(tail) + len(tail) + 3 + 2 * (len(excerpt.CUT) + 1)
    assert excerpt.short(text, [], room).text.endswith("word that stays\u00a0[...]")


def test_a_piece_does_not_end_in_a_comma() -> None:
    text = "A " + "word " * 25 + "that stays, " + "thing " * 40
    room = text.index("stays,") + len("stays,") + 1 + 2 * (len(excerpt.CUT) + 1)
    assert excerpt.short(text, [], room).text.endswith("stays\u00a0[...]")


def test_a_piece_from_within_begins_with_a_word_that_can_begin() -> None:
    text = "A first sentence that is long enough. We " + "guide heavy spatial weight maps " * 9
    text += "to modulate LoRA losses. More."
    piece = excerpt.short(text, spans(text, "LoRA"), 110).text.split("[...] ")[1]
    assert piece.startswith("to modulate LoRA losses.")


def test_hostile_endings_are_cut_at_once() -> None:
    started = time.process_time()
    for text in ("to " * 4000 + "x" * 50, "(" + " (" * 4000, "and so " * 4000 + "!"):
        excerpt.short(text, [], 420)
    assert time.process_time() - started < 0.2


def test_a_sentence_that_needs_little_more_than_its_half_stays_whole() -> None:
    first = f"A first sentence of {'some words and ' * 4}a bit more than half of the room."
    text = f"{first} Then LoRA comes {'and many more words ' * 12}to an end."
    shown = excerpt.short(text, spans(text, "LoRA"), 220).text
    assert shown.startswith(f"{first} Then LoRA comes")
    assert len(shown) <= 220


def test_a_hit_is_never_cut_and_is_in_the_piece() -> None:
    text = (
        "A first sentence that is no more than a beginning. Then "
        + "very " * 90
        + "low-rank adaptation "
        + "so " * 90
    )
    shown = excerpt.short(text, spans(text, "low-rank adaptation"), 200)
    assert marked_words(shown) == ["low-rank adaptation"]
    assert len(shown.text) <= 200


def test_a_chinese_sentence_is_no_heading() -> None:
    text = "完善要素价格机制对于充分释放市场潜力具有重要价值。社保缴费基数限额提高了成本。"
    assert excerpt.short(text, [], 420).text == text.split("。")[0] + "。\u00a0[...]"


def test_chinese_is_cut_between_its_letters() -> None:
    text = "我们提出一种新的方法 " + "来解决大规模语言模型中的推理问题" * 60
    shown = excerpt.short(text, [], 100).text
    assert 80 <= len(shown) <= 100


@given(
    st.text(alphabet="a é\u0301👩‍👧🇩🇪🇨🇭👍🏽\u200d\ufe0f한글漢字 ,.。!", max_size=300),
    st.lists(st.tuples(st.integers(0, 300), st.integers(0, 300)), max_size=4),
    st.integers(60, 120),
)
def test_pieces_are_of_the_text_in_order_and_part_no_letter(
    text: str, hits: list[tuple[int, int]], limit: int
) -> None:
    shown = excerpt.short(text, hits, limit)
    assert len(shown.text) <= limit
    at = 0
    for piece in shown.text.replace("\u00a0[...]", "[...]").split("[...]"):
        piece = piece.strip(" ")
        found = text.find(piece, at)
        assert found >= 0
        at = found + len(piece)
        if len(piece) < limit - 30:
            continue
        assert is_edge(text, found + len(piece)) or not text[found + len(piece) :].strip()


def test_full_is_whole_and_a_monster_is_cut() -> None:
    assert excerpt.full("A whole text.", [(2, 7)]).text == "A whole text."
    monster = excerpt.full("word " * 300_000, [])
    assert len(monster.text) < excerpt.FULL_CHARS + 10
    assert monster.text.endswith("[...]")
    assert len(excerpt.title("long " * 10_000, []).text) <= excerpt.TITLE_CHARS
