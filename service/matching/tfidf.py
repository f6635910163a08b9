"""What a word weighs in a paper, the same for papers alike and for what readers marked. Pure.

A word weighs n x (1 + ln((papers + 1) / (papers with it + 1))) where n counts its occurrences in
title and abstract. Small words, figures, words of a single paper and words of more than half of
the papers do not count. Of the weights that were compared on papers listed together
(bench/related.py) these rank best: logarithms of n, the title twice, pairs of words and a lower
bound for common words all rank worse. Beside (1 + ln n) x BM25's rarity, they also put the papers
that readers want higher after one mark and after several (bench/judged/README.md).
"""

from collections import Counter
from typing import Any

import numpy as np
from numpy.typing import NDArray

from service.matching.document import Document
from service.text.tokens import NOT_JOINED

_COMMON_SHARE = 0.5


def occurrences(document: Document) -> Counter[str]:
    """How often each stem that may count stands in title and abstract."""
    found: Counter[str] = Counter()
    for folded in (document.title, document.abstract):
        for key, stem in zip(folded.keys, folded.stems, strict=True):
            if key not in NOT_JOINED and not key.isdigit():
                found[stem] += 1
    return found


def rarity(held: NDArray[np.integer[Any]], papers: int) -> NDArray[np.float64]:
    """What one occurrence of each word weighs. held: papers with it, of all ``papers``."""
    made = 1 + np.log((papers + 1) / (held + 1))
    made[(held < 2) | (held > _COMMON_SHARE * papers)] = 0.0
    return made
