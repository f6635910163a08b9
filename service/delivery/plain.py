"""Text that is safe in a header or a body part. Pure.

One poisoned title harms its own line, never a header: line breaks, controls, direction
overrides and lone surrogates go here, before anything is built.
"""

import re
from collections.abc import Iterator, Sequence

from service.text.markdown import markdown_to_blocks
from service.text.measure import columns, edge_before, fitting, is_single, is_wide

_LINE_BREAKS = re.compile(r"\r\n|[\r\v\f\x1c-\x1e\x85\u2028\u2029]")
_CONTROLS = re.compile(r"[\x00-\x08\x0e-\x1f\x7f-\x9f\ud800-\udfff\ufffe\uffff]")
_DIRECTIONS = re.compile(r"[\u202a-\u202e\u2066-\u2069\ufeff]")
_SPACES = re.compile(r"\s+")
GLUE = "\u00a0"
"""The no-break space."""

WIDTH = 72
BETWEEN = " · "
_NOT_FIRST = frozenset("、。，．！？：；）」』】〕》〉’”…・ー々,.!?:;)]}%")
_NOT_LAST = frozenset("（「『【〔《〈‘“([{")
"""Signs that begin or end no line of Chinese and Japanese."""


def one_line(text: str) -> str:
    """Return the text on one line: no controls, no direction overrides, spaces collapsed."""
    if text.isprintable() and "  " not in text:  # nothing below would find anything
        return text.strip()
    text = _LINE_BREAKS.sub(" ", text)
    text = _DIRECTIONS.sub("", _CONTROLS.sub(" ", text))
    return _SPACES.sub(" ", text).strip()


def body(text: str) -> str:
    """Return the text with "\\n" line breaks and nothing that cannot be encoded or shown."""
    if text.replace("\n", "").replace(GLUE, "").isprintable():
        return text
    text = _LINE_BREAKS.sub("\n", text)
    return _CONTROLS.sub("\ufffd", text)


def clipped(text: str, limit: int) -> str:
    """Return at most ``limit`` columns and characters, cut at a word with "…" (inside one that
    fills all, there between two letters)."""
    if len(text) <= limit and columns(text) <= limit:
        return text
    if limit < 1:
        return ""
    at = edge_before(text, min(fitting(text, limit - 1), limit - 1))
    head = text[:at]
    blank = head.rfind(" ")
    is_inside = not (text[at].isspace() or is_wide(text[at]))
    if is_inside and blank > 0 and columns(head[:blank]) >= limit // 2 - 1:
        head = head[:blank]
    return head.rstrip(" ,;:-–—([{“„«") + "…"


def wrapped(text: str, first: str = "", rest: str = "", width: int = WIDTH) -> str:
    """Return the text in lines of ``width`` columns; addresses and long words stay whole.

    A no-break space holds its words together and is written as a plain one. Chinese and Japanese
    are parted between their letters.
    """
    text = _of_one_line(text)
    if text.replace(GLUE, " ").isascii() or is_single(text):
        return _by_blanks(text, first, rest, width).replace(GLUE, " ")
    lines: list[str] = []
    line, used, is_empty = first, columns(first), True
    for piece, is_word, size in _pieces(text):
        blank = is_word and not is_empty
        if not is_empty and used + blank + size > width:
            lines.append(line)
            line, used, is_empty, blank = rest, columns(rest), True, False
        line += f" {piece}" if blank else piece
        used += blank + size
        is_empty = False
    return "" if is_empty else "\n".join([*lines, line]).replace(GLUE, " ")


def _of_one_line(text: str) -> str:
    if GLUE in text:
        return GLUE.join(one_line(part) for part in text.split(GLUE))
    return one_line(text)


def _by_blanks(text: str, first: str, rest: str, width: int) -> str:
    """What ``wrapped`` returns of a text whose letters take one column each, a line at a time."""
    lines: list[str] = []
    head, at = first, 0
    while True:
        room = max(0, width - columns(head))
        if len(text) - at <= room:
            break
        cut = text.rfind(" ", at, at + room + 1)
        if cut < 0:
            cut = text.find(" ", at + room)
        if cut < 0:
            break
        lines.append(head + text[at:cut])
        head, at = rest, cut + 1
    return "\n".join([*lines, head + text[at:]]) if text else ""


def _pieces(text: str) -> Iterator[tuple[str, bool, int]]:
    """Yield (what is never parted, does a word begin with it, its columns)."""
    for word in text.split(" "):
        if word.isascii():
            if word:
                yield word, True, len(word)
            continue
        start = 0
        for at in range(1, len(word)):
            if _may_part(word[at - 1], word[at]):
                yield word[start:at], start == 0, columns(word[start:at])
                start = at
        yield word[start:], start == 0, columns(word[start:])


def _may_part(before: str, after: str) -> bool:
    if before.isascii() and after.isascii():
        return False
    is_letter = (is_wide(before) and before < "\U0001f000") or (
        is_wide(after) and after < "\U0001f000"
    )
    return is_letter and after not in _NOT_FIRST and before not in _NOT_LAST and after.isprintable()


def strung(pieces: Sequence[str], first: str = "", rest: str = "", width: int = WIDTH) -> str:
    """Return the pieces with " · " between them in lines of ``width`` columns; no line begins or
    ends with the sign."""
    lines: list[str] = []
    for piece in pieces:
        written = wrapped(piece, width=width - columns(rest)).split("\n")
        if not "".join(written).strip():
            continue
        if lines and len(written) == 1:
            longer = lines[-1] + BETWEEN + written[0]
            if columns(longer) <= width:
                lines[-1] = longer
                continue
        for line in written:
            lines.append((rest if lines else first) + line)
    return "\n".join(lines)


def lettered(text: str) -> str:
    """Return an editor's Markdown as plain text in lines of 72 columns."""
    return "\n".join(
        f"{block.first}{body(block.text)}"
        if block.is_set or not block.text
        else wrapped(block.text, block.first, block.rest)
        for block in markdown_to_blocks(text)
    )


def spread(left: str, right: str, width: int = WIDTH) -> str:
    """Return both on one line, the second one at its end; on two lines where they do not fit."""
    room = width - columns(left) - columns(right)
    return left + " " * room + right if room >= 2 else f"{wrapped(left, width=width)}\n{right}"
