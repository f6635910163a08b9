"""Text that is safe in a header or a body part. Pure.

One poisoned title harms its own line, never a header: line breaks, controls, direction
overrides and lone surrogates go here, before anything is built.
"""

import re
import textwrap
import unicodedata

_LINE_BREAKS = re.compile(r"\r\n|[\r\v\f\x1c-\x1e\x85\u2028\u2029]")
_CONTROLS = re.compile(r"[\x00-\x08\x0e-\x1f\x7f-\x9f\ud800-\udfff\ufffe\uffff]")
_DIRECTIONS = re.compile(r"[\u202a-\u202e\u2066-\u2069\ufeff]")
_SPACES = re.compile(r"\s+")
GLUE = "\u00a0"
"""The no-break space."""


def one_line(text: str) -> str:
    """Return the text on one line: no controls, no direction overrides, spaces collapsed."""
    if text.isprintable() and "  " not in text:  # nothing below would find anything
        return text.strip()
    text = _LINE_BREAKS.sub(" ", text)
    text = _DIRECTIONS.sub("", _CONTROLS.sub(" ", text))
    return _SPACES.sub(" ", text).strip()


def body(text: str) -> str:
    """Return the text with "\\n" line breaks and nothing that cannot be encoded or shown."""
    if text.isprintable():
        return text
    text = _LINE_BREAKS.sub("\n", text)
    return _CONTROLS.sub("\ufffd", text)


def clipped(text: str, limit: int) -> str:
    """Return at most ``limit`` characters, cut at a word with "…" (inside one that fills all)."""
    if len(text) <= limit:
        return text
    if limit < 1:
        return ""
    head = text[: limit - 1]
    at = head.rfind(" ")
    if not text[limit - 1].isspace() and at >= limit // 2:
        head = head[:at]
    while head and unicodedata.combining(text[len(head)]):
        head = head[:-1]  # never part an accent from its letter
    return head.rstrip(" ,;:-–—(") + "…"


def wrapped(text: str, first: str = "", rest: str = "", width: int = 72) -> str:
    """Return the text in lines of ``width`` columns; addresses and long words stay whole.

    A no-break space holds its words together and is written as a plain one.
    """
    return textwrap.fill(
        GLUE.join(one_line(part) for part in text.split(GLUE)),
        width,
        initial_indent=first,
        subsequent_indent=rest,
        break_long_words=False,
        break_on_hyphens=False,
    ).replace(GLUE, " ")


def spread(left: str, right: str, width: int = 72) -> str:
    """Return both on one line, the second one at its end; on two lines where they do not fit."""
    room = width - len(left) - len(right)
    return left + " " * room + right if room >= 2 else f"{wrapped(left, width=width)}\n{right}"
