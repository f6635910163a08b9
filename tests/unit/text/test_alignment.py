"""Words of the shown text found again in the text as typed."""

import gzip
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.captures import shared_data

from service.text.alignment import align
from service.text.fold import fold
from service.text.tex import to_unicode

LAID = [
    ("plain words", "words", "words"),
    (r"Schr\"odinger and Erd\H{o}s", "Schrödinger", r"Schr\"odinger"),
    (r"an $\alpha$-divergence", "α", r"$\alpha$"),
    (r"an $\alpha$-divergence", "divergence", "divergence"),
    (r"$\alpha$ $\beta$ and $\gamma$", "β", r"$\beta$"),
    (r"\textbf{LoRA} and \emph{a long}  walk", "long walk", "long}  walk"),
    ("GUI-C$^2$: two", "GUI-C²", "GUI-C$^2$"),
    (" two\n  lines of\u00adten", "lines often", "lines of\u00adten"),
    (r"the the $x^2$ the end", "end", "end"),
    (r"$x^2$", "x²", "$x^2$"),
]


@pytest.mark.parametrize(("typed", "words", "marked"), LAID)
def test_words_are_found_again(typed: str, words: str, marked: str) -> None:
    shown = to_unicode(typed)
    start = shown.index(words)
    begin, end = align(typed, shown).span(start, start + len(words))
    assert typed[begin:end] == marked


@given(st.text(alphabet="\\${}^_ ab1\n\u00ad\"'", max_size=40))
def test_spans_lie_in_the_typed_text_in_order(typed: str) -> None:
    shown = to_unicode(typed)
    laid = align(typed, shown)
    spans = [
        laid.span(start, end)
        for start, end in zip(fold(shown).starts, fold(shown).ends, strict=True)
    ]
    assert all(0 <= begin <= end <= len(typed) for begin, end in spans)
    assert spans == sorted(spans)


def test_a_long_text_of_one_word_is_laid_in_bounded_time() -> None:
    typed = "$x$ " + "word " * 11_000
    shown = to_unicode(typed)
    assert align(typed, shown).span(len(shown) - 4, len(shown)) == (len(typed) - 5, len(typed) - 1)


def test_words_of_real_abstracts_are_found_again() -> None:
    path = shared_data() / "arxiv_corpus" / "arxiv_daily_2026-05-25_2026-06-19.jsonl.gz"
    seen = missed = 0
    with gzip.open(path, "rt", encoding="utf-8") as lines:
        for line in lines:
            typed = json.loads(line)["summary"]
            if "$" not in typed:
                continue
            shown = to_unicode(typed)
            laid = align(typed, shown)
            for token in fold(shown).tokens:
                begin, end = laid.span(token.start, token.end)
                found = {*fold(typed[begin:end]).keys, *fold(to_unicode(typed[begin:end])).keys}
                missed += token.key not in found
                seen += 1
            if seen > 2000:
                break
    assert seen > 2000
    assert missed <= seen / 200
