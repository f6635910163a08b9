"""A query's text with what stands in quotes blotted out, and mending of single places. Pure."""

import re
from collections.abc import Callable

BLOT = "\ue000"
"""What stands for each character in quotes: no letter, no sign that means anything."""

QUOTED = re.compile(r'"[^"]*"')
OPERATOR = re.compile(r'(?<![^\s()"])(?:AND|OR|NOT|ANDNOT)(?![^\s()"])')
_BRACKET = re.compile(r"(?:([A-Za-z]+):\s*)?\(|\)")
_BLANKS = re.compile(r"\s+")
_INNER = re.compile(r"(?<=\() | (?=\))")
_BEFORE = re.compile(r"(?:^|(?<=[\s()\"]))(?:AND\s+NOT|OR\s+NOT|ANDNOT|AND|OR|NOT|-)\s*$")
_AFTER = re.compile(r"^\s*(?:AND(?!\s+NOT)|OR)(?![^\s()\"])")


class Found:
    """A place of a pattern: its groups as they were typed, not as they were blotted out."""

    def __init__(self, text: str, match: re.Match[str]) -> None:
        self._text, self._match = text, match

    def __getitem__(self, group: int) -> str:
        """What the group holds, "" when it took no part."""
        start, end = self._match.span(group)
        return self._text[start:end] if start >= 0 else ""


def mask(text: str) -> str:
    """``text`` with what stands in quotes blotted out, each character in its place."""
    return QUOTED.sub(lambda found: BLOT * len(found.group()), text)


def group_field(masked: str, at: int) -> str:
    """The field whose brackets place ``at`` stands in (``cat`` in ``cat:(cs.LG``), "" = none."""
    opened: list[str] = []
    for found in _BRACKET.finditer(masked, 0, at):
        if found[0] == ")":
            if opened:
                opened.pop()
        else:
            opened.append((found[1] or "").lower() or (opened[-1] if opened else ""))
    return opened[-1] if opened else ""


def tidied(text: str) -> str:
    """``text`` without blanks at the inner side of brackets, and single blanks outside quotes."""
    text = replaced(text, _BLANKS, lambda one: " ")
    return replaced(text, _INNER, lambda one: "").strip()


def replaced(text: str, pattern: re.Pattern[str], make: Callable[[Found], str]) -> str:
    """``text`` with every place of ``pattern`` outside quotes as ``make`` writes it."""
    pieces, at = [], 0
    for match in pattern.finditer(mask(text)):
        pieces += [text[at : match.start()], make(Found(text, match))]
        at = match.end()
    return "".join([*pieces, text[at:]])


def taken_out(text: str, start: int, end: int) -> str:
    """``text`` without a piece and the operator that bound it."""
    before, after = text[:start].rstrip(), text[end:]
    shorter = _BEFORE.sub("", before)
    if shorter != before and before:
        return f"{shorter.rstrip()} {after.strip()}".strip()
    return f"{before} {_AFTER.sub('', after).strip()}".strip()
