"""Learn from the stored papers: which are alike, and what their abbreviations stand for.

load (papers that came since) -> decide (vectors, glossary) -> record (a file of the data folder).
"""

from collections.abc import Callable
from dataclasses import dataclass

from service.flows.learned import Learned, read_file, stamp_of, write_file
from service.flows.live import document_of
from service.flows.runtime import Runtime
from service.store import papers as papers_store
from service.store.tables import PaperRow

AT_ONCE = 500
"""Papers that a page takes in by itself; where more are missing, the clock's task does it."""

_CHUNK = 500


@dataclass(kw_only=True)
class WordsReport:
    """papers: taken in now · known: all of them · abbreviations: short forms that
    a paper explains."""

    papers: int = 0
    known: int = 0
    abbreviations: int = 0


def learn_words(
    rt: Runtime, *, anew: bool = False, going_on: Callable[[], bool] = lambda: True
) -> WordsReport:
    """Take in the papers that came since the last time. Once a day all are read anew, because
    papers are refreshed and joined; what was known serves until that is done.

    anew: read all of them now. going_on: false when the process ends; then reading is broken off,
    and nothing is kept for the next start.
    """
    today = rt.clock().date()
    with rt.words.lock:
        known, is_new = rt.words.learned or _file_of(rt), False
        if known is None or anew or known.made_on != today:
            known, is_new = Learned(made_on=today), True
        before = len(known.vectors)
        made = _take(rt, known, going_on)
        is_whole = going_on()
        if is_whole or not is_new:
            rt.words.learned = made
        report = WordsReport(
            papers=len(made.vectors) - before,
            known=len(made.vectors),
            abbreviations=len(made.glossary),
        )
        if report.papers and is_whole:
            write_file(rt.data_dir, made)
            rt.words.stamp = stamp_of(rt.data_dir)
            rt.log("words", papers=report.papers, known=report.known)
    return report


def words_of(rt: Runtime) -> Learned:
    """What is known now. A few new papers are taken in first; for many the clock's task is woken,
    and the answer is what was known before."""
    words = rt.words
    if not words.lock.acquire(timeout=0.1):  # somebody reads many papers: not waited for
        return words.learned or Learned(made_on=rt.clock().date())
    try:
        known = words.learned or _file_of(rt) or Learned(made_on=rt.clock().date())
        missing = _missing(rt, known)
        if missing > AT_ONCE or known.made_on != rt.clock().date():
            known = _file_of(rt) or known  # another process may have read them
            missing = _missing(rt, known)
        words.learned = known
        if missing > AT_ONCE:
            rt.engine.enqueue("words")
        elif missing:
            words.learned = known = _take(rt, known)
        return known
    finally:
        words.lock.release()


def _missing(rt: Runtime, known: Learned) -> int:
    """How many papers were not read yet; one more than are taken in at once stands for all."""
    return rt.db.read(lambda s: papers_store.count_after(s, known.last_id, AT_ONCE + 1))


def _file_of(rt: Runtime) -> Learned | None:
    """What the file holds, where it is newer than what was read of it."""
    stamp = stamp_of(rt.data_dir)
    if stamp == rt.words.stamp:
        return None
    rt.words.stamp = stamp
    return read_file(rt.data_dir)


def _take(rt: Runtime, known: Learned, going_on: Callable[[], bool] = lambda: True) -> Learned:
    """Read the further papers into what is known: the same vectors and glossary, grown."""
    last_id = known.last_id
    while going_on() and (rows := _chunk(rt, last_id)):
        for row in rows:
            assert row.id is not None
            known.vectors.add(row.id, document_of(row))
            known.glossary.learn(row.title, row.abstract)
            last_id = row.id
    return Learned(known.made_on, known.vectors, known.glossary, last_id)


def _chunk(rt: Runtime, after_id: int) -> list[PaperRow]:
    return rt.db.read(lambda s: papers_store.list_rows(s, after_id, _CHUNK))
