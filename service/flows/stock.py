"""Beside everything else: the corpus is filled, put together and written to files, bit by bit."""

from collections.abc import Callable

from service.flows.runtime import Runtime

PATIENCE = 2.0
"""Seconds for which a page waits for papers that are being read, where somebody reads them."""

SLICE = 0.5
"""Seconds of reading, between two of which others come to their turn."""


def fill_corpus(rt: Runtime, going_on: Callable[[], bool] = lambda: True) -> bool:
    """One slice of the work; True while there is more. Safe to run at any time, and again.

    going_on: false when the process ends; then papers are not put together any more.
    """
    corpus = rt.corpus
    missing = rt.db.read(lambda s: corpus.fill(s, SLICE))
    settled = going_on() and corpus.settle()
    return bool(missing) or settled
