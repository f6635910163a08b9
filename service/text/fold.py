"""One meaning of "the same word", for queries and papers alike."""

from service.text.tokens import Folded

FOLD_VERSION = 1
"""Raise it whenever any text may fold differently: stored streams and queries are then redone."""


def fold(text: str) -> Folded:
    """Fold ``text`` into words with offsets into it. Never raises."""
    raise NotImplementedError
