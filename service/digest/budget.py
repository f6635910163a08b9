"""Making a digest fit: full entries become lines, lines become a number. Pure.

No paper leaves the digest: ``paper_ids()`` is the same before and after.
"""

from collections.abc import Callable
from dataclasses import replace

from service.digest.model import Digest, Entry, Line, Section


def fit(digest: Digest, fits: Callable[[Digest], bool]) -> Digest:
    """Return the least shortened digest that ``fits``; the most shortened one if none does.

    ``fits`` is asked about log2(papers) times, and once when nothing is to be done.
    """
    if fits(digest):
        return digest
    low, high = 1, shown(digest) + sum(len(s.entries) for s in digest.sections)
    while low < high:
        middle = (low + high) // 2
        if fits(shortened(digest, middle)):
            high = middle
        else:
            low = middle + 1
    return shortened(digest, low)


def shown(digest: Digest) -> int:
    """Return how many papers stand in the mail with their title."""
    return sum(len(s.entries) + len(s.lines) for s in digest.sections)


def shortened(digest: Digest, steps: int) -> Digest:
    """Return the digest with ``steps`` papers shown shorter, from the end of the mail.

    First full entries become lines (the very first paper stays in full as long as lines can
    still go), then lines become a number, and at last the first paper does the same.
    """
    sections = list(digest.sections)
    for _ in range(steps):
        entries = [at for at, s in enumerate(sections) if s.entries]
        lines = [at for at, s in enumerate(sections) if s.lines]
        in_full = sum(len(s.entries) for s in sections)
        if in_full > 1 or (in_full == 1 and not lines):
            sections[entries[-1]] = _to_line(sections[entries[-1]])
        elif lines:
            sections[lines[-1]] = _to_number(sections[lines[-1]])
    return replace(digest, sections=tuple(sections))


def _to_line(section: Section) -> Section:
    line = as_line(section.entries[-1])
    return replace(section, entries=section.entries[:-1], lines=(line, *section.lines))


def _to_number(section: Section) -> Section:
    rest = (section.lines[-1].paper_id, *section.rest)
    return replace(section, lines=section.lines[:-1], rest=rest)


def as_line(entry: Entry) -> Line:
    """Return the paper as one line."""
    return Line(
        paper_id=entry.paper_id,
        scheme=entry.scheme,
        value=entry.value,
        title=entry.title,
        link=entry.links.get("abs", ""),
        again=entry.again,
        withdrawn=entry.withdrawn,
    )
