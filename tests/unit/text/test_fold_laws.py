"""Laws of the folding: idempotent, offsets inside and on the right text, whatever the text."""

import gzip
import json
import unicodedata
from collections.abc import Iterator
from itertools import islice

import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.captures import shared_data

from service.text.fold import fold
from service.text.tex import to_unicode

scripts = st.text(
    st.characters(categories=["L", "N", "M", "P", "S", "Z", "Cf"])
    | st.sampled_from("aβé '’-路가ｶﾞŉ²"),
    max_size=40,
)


def check(text: str) -> int:
    """Every law for one text; returns the number of its words."""
    folded = fold(text)
    before = 0
    for token in folded.tokens:
        assert before <= token.start < token.end <= len(text)
        shown = text[token.start : token.end]
        assert not shown[0].isspace()
        assert not shown[-1].isspace()
        before = token.end
    for column in (folded.keys, folded.exact, folded.cased):
        assert fold(" ".join(column)).keys == folded.keys, text
    assert fold(" ".join(folded.exact)).exact == folded.exact, text
    assert fold(" ".join(folded.cased)).cased == folded.cased, text
    return len(folded)


@given(scripts)
def test_laws(text: str) -> None:
    check(text)


@given(scripts)
def test_each_word_stands_where_its_offsets_say(text: str) -> None:
    folded = fold(text)
    for token in folded.tokens:
        assert fold(text[token.start : token.end]).keys == (token.key,)


@given(scripts, scripts)
def test_what_stands_before_a_stop_changes_nothing_behind_it(one: str, other: str) -> None:
    both, alone = fold(f"{one}. | {other}"), fold(other)
    assert both.keys[len(both) - len(alone) :] == alone.keys


def test_naughty_strings() -> None:
    folder = shared_data() / "strings"
    strings = json.loads((folder / "blns.json").read_text("utf-8"))
    assert sum(check(text) for text in strings) > 1000
    assert check("\n".join(strings)) > 1000


@pytest.mark.slow
def test_every_letter_of_unicode() -> None:
    alike = (range(0x3500, 0x9F00), range(0xAC20, 0xD700), range(0x12010, 0x1AFF0))
    count = 0
    for code in range(0x20000):
        if unicodedata.category(chr(code))[0] in "LNM" and not any(code in one for one in alike):
            check(f"a{chr(code)}b {chr(code)}")
            count += 1
    assert count > 15_000


def captured() -> Iterator[str]:
    for path in sorted((shared_data() / "arxiv_corpus").glob("*.jsonl.gz")):
        with gzip.open(path, "rt", encoding="utf-8") as lines:
            for line in islice(lines, 0, None, 3):
                row = json.loads(line)
                yield from (str(row.get(name) or "") for name in ("title", "summary", "authors"))
    for path in sorted((shared_data() / "hf_daily").glob("*.json"))[::8]:
        for item in json.loads(path.read_text("utf-8")):
            yield from (item["title"], str(item["paper"].get("summary") or ""))


@pytest.mark.slow
def test_all_captures() -> None:
    """Each different text once, as it is shown; each different word once more by itself."""
    words: dict[str, str] = {}
    texts = {text for text in captured() if text}
    for text in texts:
        shown = to_unicode(text) if "\\" in text or "$" in text else text
        folded = fold(shown)
        assert len(folded.gaps) == len(folded)
        words.update(
            (shown[start:end], key)
            for start, end, key in zip(folded.starts, folded.ends, folded.keys, strict=True)
        )
    assert len(texts) > 5_000
    for word, key in words.items():
        assert fold(word).keys == (key,), word
        assert fold(key).keys == (key,), key
