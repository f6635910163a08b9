"""Highlighted titles and abstracts, and the short abstract. Pure.

The short abstract is the first sentence plus the next one that holds a hit. "[...]" stands where
something was left out, and every mark is moved to the shortened text.
"""

import re
from collections.abc import Iterable, Sequence

from service.digest.model import Marked

CUT = "[...]"
TITLE_CHARS = 400
FULL_CHARS = 6000
"""Longer titles and abstracts than any paper has; what is beyond is a fault of the source."""

Range = tuple[int, int]

_END = re.compile(
    r"""[.!?]["'’”)\]]*(?=\s+["'“‘(\[]*\S)   # Western: a space follows
      | [。！？]["'’”）」』]*                    # Chinese, Japanese: none does
    """,
    re.VERBOSE,
)
_NEVER_LAST = re.compile(
    r"al|approx|ca|cf|dr|e\.g|eg|esp|i\.e|ie|mr|mrs|ms|prof|resp|st|viz|vs|w\.r\.t|wrt|a\.k\.a"
)
_BEFORE_A_NUMBER = re.compile(r"ch|eqs?|figs?|nos?|pp?|refs?|secs?|tab|v|ver|vol")


def merged(ranges: Iterable[Range], length: int) -> tuple[Range, ...]:
    """Return the ranges in order, inside 0..length, overlapping and touching ones joined."""
    result: list[Range] = []
    for start, end in sorted((max(0, a), min(b, length)) for a, b in ranges):
        if start >= end:
            continue
        if result and start <= result[-1][1]:
            result[-1] = (result[-1][0], max(end, result[-1][1]))
        else:
            result.append((start, end))
    return tuple(result)


def sentences(text: str) -> list[Range]:
    """Return the sentences' ranges, without the spaces between them."""
    result: list[Range] = []
    start = 0
    for found in _END.finditer(text):
        if not _ends_sentence(text, found):
            continue
        result.append((start, found.end()))
        start = found.end()
        while start < len(text) and text[start].isspace():
            start += 1
    if text[start:].strip():
        result.append((start, len(text.rstrip())))
    return result


def _ends_sentence(text: str, found: re.Match[str]) -> bool:
    if text[found.start()] in "。！？":
        return True
    after = text[found.end() :].lstrip().lstrip("\"'“‘([")[:1]
    if after.islower():
        return False
    if text[found.start()] != "." or found.end() > found.start() + 1:
        return True
    words = text[max(0, found.start() - 30) : found.start()].split()
    word = (words[-1] if words else "").lstrip("\"'“‘([").lower()
    if _BEFORE_A_NUMBER.fullmatch(word):
        return not after.isdigit()
    is_initial = len(word) == 1 and word.isalpha()
    return not (is_initial or _NEVER_LAST.fullmatch(word))


def title(text: str, hits: Iterable[Range]) -> Marked:
    """Return the title marked; cut at a word when no title is that long."""
    if len(text) > TITLE_CHARS:
        end = _word_end(text, 0, TITLE_CHARS - 1)
        return Marked(text[:end] + "…", merged(hits, end))
    return Marked(text, merged(hits, len(text)))


def full(text: str, hits: Iterable[Range]) -> Marked:
    """Return the whole abstract marked (cut only beyond ``FULL_CHARS``)."""
    marks = merged(hits, len(text))
    if len(text) <= FULL_CHARS:
        return Marked(text, marks)
    return _joined(text, marks, [(0, _word_end(text, 0, FULL_CHARS))])


def short(text: str, hits: Iterable[Range], limit: int) -> Marked:
    """Return at most ``limit`` characters: first sentence, and the next one with a hit."""
    marks = merged(hits, len(text))
    parts = sentences(text)
    if not parts:
        return Marked("")
    first = parts[0]
    second = next((s for s in parts[1:] if any(_meet(m, s) for m in marks)), None)
    kept = [first] if second is None else [first, second]
    result = _joined(text, marks, kept)
    if len(result.text) <= limit:
        return result
    room = limit - 3 * (len(CUT) + 1)  # at most three cuts: middle, before and after the second
    if second is None:
        return _joined(text, marks, [_window(text, first, marks, limit - len(CUT) - 1)])
    second_room = min(second[1] - second[0], max(room // 2, room - (first[1] - first[0])))
    kept = [
        _window(text, first, marks, room - second_room, from_start=True),
        _window(text, second, marks, second_room),
    ]
    return _joined(text, marks, kept)


def passage(text: str, hits: Iterable[Range], limit: int) -> Marked:
    """Return at most about ``limit`` characters of the first sentence with a hit; "" without."""
    marks = merged(hits, len(text))
    found = next((s for s in sentences(text) if any(_meet(m, s) for m in marks)), None)
    if found is None:
        return Marked("")
    if found[1] - found[0] > limit:
        found = _window(text, found, marks, limit)
    return _joined(text, marks, [found])


def _meet(a: Range, b: Range) -> bool:
    return a[0] < b[1] and b[0] < a[1]


def _window(
    text: str, part: Range, marks: Sequence[Range], room: int, *, from_start: bool = False
) -> Range:
    """Return a piece of ``part`` of at most ``room`` characters, cut at words, with its hit."""
    start, end = part
    if end - start <= room:
        return part
    first = next((m for m in marks if _meet(m, part)), None)
    if not from_start and first is not None and first[1] > start + room:
        start = max(start, first[0] - room // 3)
        while start < first[0] and not text[start - 1].isspace():
            start += 1
    return start, min(end, _word_end(text, start, start + room))


def _word_end(text: str, start: int, limit: int) -> int:
    """Return the last end of a word in (start, limit]; ``limit`` when one word fills it all."""
    if limit >= len(text):
        return len(text.rstrip())
    at = limit
    while at > start and not text[at].isspace():
        at -= 1
    at = at if at > start else limit
    return start + len(text[start:at].rstrip())


def _joined(text: str, marks: Sequence[Range], kept: Sequence[Range]) -> Marked:
    """Return the kept pieces as one text with "[...]" at each cut, marks moved along."""
    result = ""
    moved: list[Range] = []
    before = 0
    for start, end in kept:
        gap = text[before:start]
        if gap.strip():
            result += f" {CUT} " if result else f"{CUT} "
        else:
            result += gap if result else ""
        shift = len(result) - start
        moved += [(max(a, start) + shift, min(b, end) + shift) for a, b in marks]
        moved = [(a, b) for a, b in moved if a < b]
        result += text[start:end]
        before = end
    if text[before:].strip():
        result += f" {CUT}"
    return Marked(result, merged(moved, len(result)))
