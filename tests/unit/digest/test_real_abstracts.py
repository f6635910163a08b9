"""Short abstracts of all captured papers, with the words of real keyword lists marked."""

import json
import re
from collections import Counter
from pathlib import Path

import pytest
from support.tex_table import captured

from service.digest.excerpt import merged, short
from service.digest.sentences import sentences
from service.text.tex import to_unicode

_NEVER_LAST = re.compile(r"(?:\b(?:al|e\.g|i\.e|Fig|Eq|vs|cf|avg)|\b[A-Z])\.$")
LIMIT = 420


def _abstracts(shared: Path) -> list[str]:
    found = {
        text
        for of, text in captured(shared, feeds=False)
        if of.endswith((" summary", " abstract")) and len(text) > 200
    }
    return [to_unicode(text) for text in sorted(found)[::7]]


def _words(shared: Path) -> re.Pattern[str]:
    lines = (shared / "profiles" / "profiles.jsonl").read_text("utf-8").splitlines()
    terms = {term.strip('"') for line in lines for term in json.loads(line)["terms"]}
    wanted = sorted((term for term in terms if 3 < len(term) < 40), key=len, reverse=True)
    return re.compile(rf"\b(?:{'|'.join(map(re.escape, wanted[::7]))})\b", re.IGNORECASE)


@pytest.mark.slow
def test_short_ones_of_real_abstracts(shared: Path) -> None:
    words = _words(shared)
    lengths: Counter[bool] = Counter()
    odd_ends = sentence_count = 0
    for text in _abstracts(shared):
        hits = [found.span() for found in words.finditer(text)]
        shown = short(text, hits, LIMIT)
        assert len(shown.text) <= LIMIT
        at = 0
        for piece in shown.text.replace("\u00a0[...]", "[...]").split("[...]"):
            found = text.find(piece.strip(), at)
            assert found >= 0, "a piece of the text, in order"
            at = found + len(piece.strip())
        whole = {text[a:b] for a, b in merged(hits, len(text))}
        marked = [piece for piece, is_hit in shown.pieces() if is_hit]
        assert all(piece in whole for piece in marked), "no hit is cut"
        assert bool(marked) == bool(hits)
        lengths[len(shown.text) > 60] += 1
        spans = sentences(text)
        sentence_count += len(spans)
        assert re.sub(r"\s", "", "".join(text[a:b] for a, b in spans)) == re.sub(r"\s", "", text)
        odd_ends += sum(bool(_NEVER_LAST.search(text[a:b])) for a, b in spans[:-1])
    assert sum(lengths.values()) > 1500
    assert lengths[False] < 15, "hardly one is a heading alone"
    assert odd_ends < sentence_count * 0.001
