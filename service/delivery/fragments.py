"""Pieces that mails are put together from: quoted-printable, open only where a link of the reader
stands. Pure."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from service.delivery.holes import Held, Later, Piece, PlainHole, StarredHole, Unfit, is_sign
from service.delivery.quoted import dotted
from service.digest.model import Marked

Open = bytes | str
"""Encoded bytes, or the sign of a value of the reader."""


@dataclass(frozen=True, slots=True)
class Fragment:
    """A piece of a part. open: its bytes and holes · lines: the same with dots doubled where they
    begin a line · size: bytes of its text before encoding, holes not counted.

    Of text parts: before, after: line ends around it, which are not in ``open``.
    """

    open: tuple[Open, ...]
    lines: tuple[Open, ...]
    size: int
    before: int = 0
    after: int = 0

    @classmethod
    def of(cls, open: Iterable[Open], size: int, before: int = 0, after: int = 0) -> "Fragment":
        """Return it with its lines: each piece begins one."""
        pieces = tuple(open)
        lines = tuple([dotted(p) if isinstance(p, bytes) else p for p in pieces])
        return cls(pieces, pieces if lines == pieces else lines, size, before, after)

    @property
    def memory(self) -> int:
        """About how many bytes it holds."""
        size = 200 + 50 * len(self.open) + sum(map(len, self.open))
        if self.lines is self.open:
            return size
        doubled = zip(self.open, self.lines, strict=True)
        return size + sum([50 + len(b) for a, b in doubled if a is not b])


@dataclass(frozen=True, slots=True)
class Own:
    """What is of one reader's words in a paper: its texts by their numbers, the reasons."""

    marked: Sequence[Marked] = ()
    why: str = ""


NOTHING = Own()


class Run:
    """A paper that is being filled in. size: bytes of its text so far · has_dots: lines of it, so
    far, begin with one."""

    __slots__ = ("done", "has_dots", "size", "whole")

    def __init__(self, size: int, has_dots: bool) -> None:
        self.done: list[Open] = []
        self.whole = b""
        self.size = size
        self.has_dots = has_dots

    def add(self, lines: bytes, text: str) -> None:
        """Add what was made of a text."""
        self.whole += lines
        self.size += len(text) if text.isascii() else len(text.encode("utf-8"))
        self.has_dots = self.has_dots or dotted(lines) is not lines

    def leave(self, sign: str) -> None:
        """Leave a value of the reader open."""
        self.done += (self.whole, sign)
        self.whole = b""

    def fragment(self, before: int = 0, after: int = 0) -> Fragment:
        """Return all of it."""
        pieces = (*self.done, self.whole)
        if self.has_dots:
            return Fragment.of(pieces, self.size, before, after)
        return Fragment(pieces, pieces, self.size, before, after)


def has_dots_in(pieces: Iterable[object]) -> bool:
    """Say whether encoded lines among them begin with a dot."""
    return any(isinstance(p, bytes) and dotted(p) is not p for p in pieces)


def apart(pieces: Iterable[Any]) -> list[tuple[Any, ...] | Held]:
    """Return what stands between held calls, and those."""
    found: list[tuple[Any, ...] | Held] = []
    between: list[Any] = []
    for piece in pieces:
        if not isinstance(piece, Held):
            between.append(piece)
            continue
        if between:
            found.append(tuple(between))
            between = []
        found.append(piece)
    return [*found, tuple(between)] if between else found


def told(pieces: Iterable[Piece], values: Mapping[str, str], own: Own = NOTHING) -> str:
    """Return pieces as text: signs by their values (or as they are), what was left is done."""
    done = []
    for piece in pieces:
        if isinstance(piece, str):
            done.append(values.get(piece, piece))
        elif isinstance(piece, Later):
            done.append(done_now(piece, values, own))
        elif isinstance(piece, StarredHole):
            done.append(starred(own.marked[piece.number]))
        elif isinstance(piece, PlainHole):
            done.append(own.marked[piece.number].text)
        else:
            raise Unfit("A paper within a line of text.")
    return "".join(done)


def done_now(later: Later, values: Mapping[str, str], own: Own = NOTHING) -> str:
    """Return what a filter makes of the values."""
    given = [told(g, values, own) if isinstance(g, tuple) else g for g in later.given]
    return later.work(*given, **later.named)


def starred(marked: Marked) -> str:
    """Return the text with its hits between stars."""
    return "".join(f"*{text}*" if is_hit else text for text, is_hit in marked.pieces())


def signs_of(pieces: Iterable[Piece]) -> frozenset[str]:
    """Return the signs in pieces, in what is left for later too."""
    found: set[str] = set()
    for piece in pieces:
        if isinstance(piece, Later):
            for given in piece.given:
                if isinstance(given, tuple):
                    found |= signs_of(given)
        elif isinstance(piece, str) and is_sign(piece):
            found.add(piece)
    return frozenset(found)
