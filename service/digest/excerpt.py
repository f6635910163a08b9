"""Highlighted titles and abstracts, and the short abstract. Pure.

The short abstract is the first sentence plus the next one that holds a hit; a first sentence that
says too little by itself ("Objective.", "Where?") takes the next one with it. "[...]" stands where
something was left out, tied to the word before it, and every mark is moved to the shortened text.
"""

import re
from collections.abc import Iterable, Sequence

from service.digest.model import Marked
from service.digest.sentences import Range, sentences
from service.text.measure import columns, edge_before, is_wide

CUT = "[...]"
_GLUE = "\u00a0"
TITLE_CHARS = 400
FULL_CHARS = 6000
"""Longer titles and abstracts than any paper has; what is beyond is a fault of the source."""

_HEADING_WORDS = 3
_HEADING_COLUMNS = 30
"""A first sentence of so few words is a heading, no summary."""

_CLAUSE = re.compile(r"[,;:](?=\s)|(?<=\s)[–—](?=\s)|[、，；：]")
_HANGING = re.compile(
    r"(?:\s+(?:and|but|or|to|yet)\s+[\w-]+)?"
    r"(?:\s+(?:such as|as well as|a|about|across|after|against|also|among|an|and|are|as|at|be|"
    r"because|been|before|between|both|but|by|can|could|did|do|does|during|each|either|even|for|from|had|"
    r"has|have|if|in|including|into|is|its|may|might|more|most|must|not|of|often|on|only|onto|or|"
    r"our|over|per|should|since|so|still|such|than|that|the|their|then|these|this|through|to|toward|"
    r"towards|under|upon|using|via|was|we|were|when|where|which|while|who|whose|will|with|within|"
    r"without|would|yet))*(?:\s+\([^()]{0,24})?$",
    re.IGNORECASE,
)
"""What no piece of a sentence ends with: such words, half of a pair ("and vary"), "(p <"."""

_OPENING = re.compile(
    r"(?<=\s)(?:a|an|and|as|at|because|between|but|by|during|for|from|if|in|into|it|its|of|on|or|our|"
    r"such as|that|the|their|these|they|this|through|to|under|using|via|we|when|where|which|while|"
    r"with|within|without)\s",
    re.IGNORECASE,
)
"""Words that a piece from within a sentence may begin with."""


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
    first, *others = parts
    while others and _is_heading(text[slice(*first)]):
        first = (first[0], others.pop(0)[1])
    second = next((s for s in others if any(_meet(m, s) for m in marks)), None)
    kept = [first] if second is None else [first, second]
    result = _joined(text, marks, kept)
    if len(result.text) <= limit:
        return result
    room = limit - 3 * (len(CUT) + 1)  # at most three cuts: middle, before and after the second
    if second is None:
        return _joined(text, marks, [_window(text, first, marks, limit - 2 * (len(CUT) + 1))])
    first_room = _share(first[1] - first[0], second[1] - second[0], room)
    kept = [
        _window(text, first, marks, first_room, from_start=True),
        _window(text, second, marks, room - first_room),
    ]
    return _joined(text, marks, kept)


def _is_heading(sentence: str) -> bool:
    return len(sentence.split()) <= _HEADING_WORDS and columns(sentence) <= _HEADING_COLUMNS


def _share(first: int, second: int, room: int) -> int:
    """Return the room of the first of two sentences: whole is whichever needs little more than its
    half, best the first."""
    most = room * 3 // 5
    if first <= most:
        return first
    return room - second if second <= most else room // 2


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
    """Return a piece of ``part`` of at most ``room`` characters with its hit: cut behind a clause
    where one ends near, else behind a word, and never inside a hit that fits."""
    start, end = part
    if end - start <= room:
        return part
    first = next((m for m in marks if _meet(m, part)), None)
    if not from_start and first is not None and first[1] > start + room:
        start = _window_start(text, max(start, first[0] - room // 2), first[0])
    must = 0 if from_start or first is None else min(first[1], start + room)
    return start, min(end, max(must, _cut(text, start, start + room, marks, must)))


def _window_start(text: str, earliest: int, hit: int) -> int:
    """Return where a piece before ``hit`` begins: behind a clause, else with a word."""
    clause = next(_CLAUSE.finditer(text, earliest, hit), None)
    if clause is not None:
        start = clause.end()
    else:
        start = max(earliest, hit - (hit - earliest) * 2 // 3)
        opening = _OPENING.search(text, start, hit)
        start = opening.start() if opening is not None else start
        while start < hit and not (text[start - 1].isspace() or is_wide(text[start - 1])):
            start += 1
    while start < hit and text[start].isspace():
        start += 1
    return edge_before(text, start)


def _cut(text: str, start: int, limit: int, marks: Sequence[Range], must: int) -> int:
    """Return where to cut: behind a clause in the last third, else behind a word that is not left
    hanging ("such as"); before a hit rather than inside it."""
    end = _word_end(text, start, limit)
    if end >= len(text.rstrip()):
        return end
    least = max(must, start + (limit - start) * 2 // 3)
    clauses = [found.start() for found in _CLAUSE.finditer(text, least, end)]
    if clauses:
        end = start + len(text[start : clauses[-1]].rstrip())
    elif hanging := _HANGING.search(text, max(least, start), end):
        end = hanging.start()
    end = max(must, start + len(text[start:end].rstrip(" ,;:–—")))
    inside = next((a for a, b in marks if a < end < b and a > start), None)
    if inside is not None and inside > must:
        end = start + len(text[start:inside].rstrip())
    return end if end > start else _word_end(text, start, limit)


def _word_end(text: str, start: int, limit: int) -> int:
    """Return the last end of a word in (start, limit], of a letter where words have no blanks
    between them; ``limit`` (less what belongs together) when one word fills it all."""
    if limit >= len(text):
        return len(text.rstrip())
    at = limit
    while at > start and not (text[at].isspace() or is_wide(text[at]) or is_wide(text[at - 1])):
        at -= 1
    at = edge_before(text, at if at > start else limit)
    return start + len(text[start:at].rstrip()) if at > start else limit


def _joined(text: str, marks: Sequence[Range], kept: Sequence[Range]) -> Marked:
    """Return the kept pieces as one text with "[...]" at each cut, marks moved along."""
    result = ""
    moved: list[Range] = []
    before = 0
    for start, end in kept:
        gap = text[before:start]
        if gap.strip():
            result += f"{_GLUE}{CUT} " if result else f"{CUT} "
        else:
            result += gap if result else ""
        shift = len(result) - start
        moved += [(max(a, start) + shift, min(b, end) + shift) for a, b in marks]
        moved = [(a, b) for a, b in moved if a < b]
        result += text[start:end]
        before = end
    if text[before:].strip():
        result += f"{_GLUE}{CUT}"
    return Marked(result, merged(moved, len(result)))
