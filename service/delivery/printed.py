"""A mail without its headers: subject and encoded parts, and what goes into their holes. Pure."""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import NamedTuple

from service.delivery import plain
from service.delivery.held_templates import escaped
from service.delivery.quoted import LINE, as_base64, dotted, encoded, is_too_long

_PLAIN = re.compile(r"[A-Za-z0-9:/._~-]+")
"""What is written alike in HTML and text, and takes one byte a letter when encoded."""


@dataclass(frozen=True, slots=True)
class Part:
    """One part of a mail. pieces: its bytes, joined · lines: the same as they go on the wire, dots
    doubled where they begin a line · length: of its bytes · size: bytes of its text before
    encoding."""

    pieces: Sequence[bytes]
    lines: Sequence[bytes]
    length: int
    size: int
    encoding: str = "quoted-printable"

    @property
    def body(self) -> bytes:
        return b"".join(self.pieces)


@dataclass(frozen=True, slots=True)
class Printed:
    """A mail without its headers."""

    subject: str
    text: Part
    html: Part


class Shown(NamedTuple):
    """Values by their signs: encoded, with dots doubled, and bytes of their text."""

    encoded: Mapping[str, bytes]
    lines: Mapping[str, bytes]
    sizes: Mapping[str, int]

    def with_more(self, told: Iterable[tuple[str, str]]) -> "Shown":
        """Return it with further values, as text."""
        shown, sizes = dict(self.encoded), dict(self.sizes)
        doubled: dict[str, bytes] = {}
        for sign, value in told:
            shown[sign], lines, sizes[sign] = _encoded(value)
            if lines is not shown[sign]:
                doubled[sign] = lines
        is_same = self.encoded is self.lines and not doubled
        return Shown(shown, shown if is_same else {**shown, **self.lines, **doubled}, sizes)


def shown_in(values: Mapping[str, str]) -> tuple[Shown, Shown]:
    """Return values as they stand in text, and in HTML."""
    shown: dict[str, bytes] = {}
    sizes: dict[str, int] = {}
    others: list[tuple[str, str]] = []
    for sign, value in values.items():
        if _PLAIN.fullmatch(value) is None or value[0] == ".":
            others.append((sign, value))
            continue
        size = sizes[sign] = len(value)
        shown[sign] = f"{value}=\r\n".encode("ascii") if size < LINE else encoded(value)
    plainly = Shown(shown, shown, sizes)
    in_text = plainly.with_more(others)
    marked = [(sign, escaped(value)) for sign, value in others]
    return in_text, in_text if marked == others else plainly.with_more(marked)


@lru_cache(maxsize=4096)
def _encoded(value: str) -> tuple[bytes, bytes, int]:
    """Many mails say the same."""
    said = plain.body(value)
    done = encoded(said)
    return done, dotted(done), len(said.encode("utf-8"))


def part_of(
    open: Sequence[bytes | str],
    lines: Sequence[bytes | str],
    size: int,
    signs: Iterable[tuple[str, int]],
    shown: Shown,
) -> Part:
    """Fill in pieces (encoded bytes, or a sign whose value is given); the last line is ended.

    lines: the same with dots doubled · size: bytes of the text of the pieces · signs: how often
    each occurs. Quoted-printable, or base64 where that is much shorter. Raises TypeError where a
    sign has no value.
    """
    pieces: list[bytes] = list(map(shown.encoded.get, open, open))  # type: ignore[arg-type]
    on_wire: list[bytes] = list(map(shown.lines.get, lines, lines))  # type: ignore[arg-type]
    if pieces and pieces[-1].endswith(b"=\r\n"):
        pieces[-1] = pieces[-1][:-3] + b"\r\n"
        on_wire[-1] = on_wire[-1][:-3] + b"\r\n"
    for sign, times in signs:
        size += shown.sizes[sign] * times
    length = sum(map(len, pieces))
    if is_too_long(length, size):
        done = (as_base64(b"".join(pieces)),)
        return Part(done, done, len(done[0]), size, "base64")
    return Part(pieces, on_wire, length, size)
