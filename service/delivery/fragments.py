"""What a template made, as pieces that are put together for each mail.

A form is rendered once, its holes open. Filled with what is of one reader's words (marks, reasons)
it is a ``Fragment``: quoted-printable, open only where a link of the reader stands. Pure.
"""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from service.delivery import plain
from service.delivery.held_templates import escaped
from service.delivery.holes import (
    WHY,
    Held,
    Later,
    MarkedHole,
    Piece,
    PlainHole,
    StarredHole,
    Tape,
    Unfit,
    is_sign,
    is_url,
    parted,
)
from service.delivery.quoted import dotted, encoded
from service.digest.model import Marked

Open = bytes | str
"""Encoded bytes, or the sign of a value of the reader."""

_EMPTY_LINES = re.compile(r"\n{3,}")
_HOLE = "\U000ffffd"


@dataclass(frozen=True, slots=True)
class Fragment:
    """A piece of a part. open: its bytes and holes · size: bytes of its text before encoding, holes
    not counted · lines: ``open`` with dots doubled where they begin a line, once it is to be kept.

    Of text parts: before, after: line ends around it, which are not in ``open`` · is_numbered: the
    paper's number comes before it.
    """

    open: tuple[Open, ...]
    size: int
    before: int = 0
    after: int = 0
    is_numbered: bool = False
    lines: tuple[Open, ...] = ()

    @property
    def memory(self) -> int:
        """About how many bytes it holds."""
        size = 200 + 50 * len(self.open) + sum(map(len, self.open))
        if self.lines is self.open:
            return size
        doubled = zip(self.open, self.lines, strict=False)
        return size + sum([50 + len(b) for a, b in doubled if a is not b])

    def doubled(self) -> "Fragment":
        """Return it with its lines as they go on the wire: each piece begins one."""
        lines = tuple([dotted(p) if isinstance(p, bytes) else p for p in self.open])
        if lines == self.open:
            lines = self.open
        return Fragment(self.open, self.size, self.before, self.after, self.is_numbered, lines)


@dataclass(frozen=True, slots=True)
class Own:
    """What is of one reader's words in a paper: its texts by their numbers, the reasons."""

    marked: Sequence[Marked] = ()
    why: str = ""


NOTHING = Own()


@dataclass(frozen=True, slots=True)
class HtmlForm:
    """HTML with holes; what does not change is encoded. size: of that, before encoding · later:
    what filters of the template do for each mail, by its sign."""

    pieces: tuple[bytes | str | MarkedHole | Held, ...]
    size: int
    later: Mapping[str, Later]

    @classmethod
    def read(cls, rendered: str, tape: Tape) -> "HtmlForm":
        """Raises Unfit: stars in HTML."""
        done: list[bytes | str | MarkedHole | Held] = []
        size = 0
        later: dict[str, Later] = {}
        for piece in tape.pieces(plain.body(rendered)):
            if isinstance(piece, StarredHole):
                raise Unfit("A template puts stars in HTML.")
            if isinstance(piece, PlainHole):
                done.append(MarkedHole(piece.number, "", ""))
            elif isinstance(piece, Later):
                sign = tape.sign_of(piece)
                later[sign] = piece
                done.append(sign)
            elif isinstance(piece, str) and not is_sign(piece):
                size += len(piece.encode("utf-8"))
                done.append(encoded(piece))
            else:
                done.append(piece)
        return cls(tuple(done), size, later)

    @property
    def memory(self) -> int:
        """About how many bytes it holds."""
        return 160 + sum(len(p) + 40 if isinstance(p, bytes) else 80 for p in self.pieces)

    def parts(self) -> tuple[Fragment | Held, ...]:
        """Return what stands between held calls, and those. Raises Unfit."""
        done: list[Fragment | Held] = []
        size = self.size
        for one in apart(self.pieces):
            if isinstance(one, Held):
                done.append(one)
                continue
            pieces = tuple([piece for piece in one if not isinstance(piece, MarkedHole)])
            if len(pieces) < len(one):
                raise Unfit("Marks where no paper is.")
            done.append(Fragment(pieces, size))
            size = 0
        return tuple(done)

    def filled(self, own: Own) -> Fragment:
        """Return a paper with what is of the reader's words. Raises Unfit."""
        done: list[Open] = []
        size, whole = self.size, b""
        for piece in self.pieces:
            if isinstance(piece, bytes):
                whole += piece
                continue
            if isinstance(piece, MarkedHole):
                text = _with_hits(own.marked[piece.number], piece)
            elif piece == WHY:
                text = plain.body(escaped(own.why))
            elif isinstance(piece, str):
                done += (whole, piece)
                whole = b""
                continue
            else:
                raise Unfit("A paper in a paper.")
            size += len(text.encode("utf-8"))
            whole += encoded(text)
        return Fragment((*done, whole), size)


def _with_hits(marked: Marked, hole: MarkedHole) -> str:
    pieces: Iterable[tuple[str, bool]] = marked.pieces()
    if len(escaped(marked.text)) != len(marked.text):
        pieces = [(escaped(text), is_hit) for text, is_hit in pieces]
    return plain.body(
        "".join([f"{hole.before}{t}{hole.after}" if is_hit else t for t, is_hit in pieces])
    )


@dataclass(frozen=True, slots=True)
class TextForm:
    """Text with holes, as it was rendered. quick: encoded, for a paper whose every hole is filled
    with whole lines; None where that is not so."""

    pieces: tuple[Piece, ...]
    quick: "_Quick | None" = None

    @classmethod
    def read(cls, rendered: str, tape: Tape) -> "TextForm":
        """Raises Unfit: text with hits as HTML has them."""
        pieces = tape.pieces(plain.body(rendered))
        if any(isinstance(piece, MarkedHole) for piece in pieces):
            raise Unfit("A template for text goes through the hits by itself.")
        return cls(pieces)

    def quickened(self) -> "TextForm":
        """Return the same, to be filled often."""
        return replace(self, quick=_quick(self.pieces))

    @property
    def memory(self) -> int:
        """About how many bytes it holds."""
        return 160 + sum(len(p) * 4 + 100 if isinstance(p, str) else 400 for p in self.pieces)

    def paper(self, own: Own) -> Fragment:
        """Return a paper with what is of the reader's words; its links stay open."""
        return self.filled({WHY: own.why}, own)

    def filled(self, values: Mapping[str, str], own: Own = NOTHING) -> Fragment:
        """Return it with values where their signs are; links may stay open."""
        return self.quickly(values, own) or text_fragment(told(self.pieces, values, own))

    def quickly(self, values: Mapping[str, str], own: Own = NOTHING) -> Fragment | None:
        """Return it with its links open; None where that cannot be."""
        return self.quick.filled(values, own) if self.quick is not None else None

    def asks(self) -> frozenset[str]:
        """Return the signs on whose values it hangs, beside links that stay open."""
        if self.quick is None:
            return signs_of(self.pieces)
        return signs_of([piece for piece in self.pieces if isinstance(piece, Later)])

    def parts(self) -> list[tuple[Piece, ...] | Held]:
        """Return what stands between held calls, and those. Raises Unfit: not on lines of its
        own."""
        found = apart(self.pieces)
        for one in found[:-1]:
            if isinstance(one, tuple) and not (isinstance(one[-1], str) and one[-1].endswith("\n")):
                raise Unfit("A template for text has a paper within a line.")
        return found


@dataclass(frozen=True, slots=True)
class _Quick:
    """A paper in text: encoded lines, signs, and what makes whole lines of the reader's words."""

    pieces: tuple[bytes | str | Later, ...]
    size: int
    before: int
    after: int

    def filled(self, values: Mapping[str, str], own: Own) -> Fragment | None:
        """Return the paper; None where a hole is filled with anything but lines that are tidy."""
        done: list[Open] = []
        size, whole = self.size, b""
        for piece in self.pieces:
            if isinstance(piece, bytes):
                whole += piece
            elif isinstance(piece, str):
                done += (whole, piece)
                whole = b""
            else:
                text = done_now(piece, values, own)
                if not _are_tidy(text):
                    return None
                size += len(text.encode("utf-8"))
                whole += encoded(text + "\n")[:-2]
        return Fragment((*done, whole), size, self.before, self.after)


def _are_tidy(lines: str) -> bool:
    """Say whether nothing about these lines is to be mended, and none is empty."""
    return (
        lines.replace("\n", "").isprintable()
        and not lines.startswith("\n")
        and not lines.endswith(("\n", " "))
        and "\n\n" not in lines
        and " \n" not in lines
        and lines != ""
    )


def _quick(pieces: Sequence[Piece]) -> _Quick | None:
    """Encode what is text in a paper, where holes for the reader's words are lines of their own."""
    done: list[bytes | str | Later] = []
    size = 0
    text = "".join(p if isinstance(p, str) else _HOLE for p in pieces)
    if not all(isinstance(p, Later) or _is_open(p) for p in pieces) or _HOLE * 2 in text:
        return None
    text = tidied(text)
    inside = text.strip("\n")
    if not inside:
        return None
    holes = iter([p for p in pieces if isinstance(p, Later)])
    literals = inside.split(_HOLE)
    for at, literal in enumerate(literals):
        is_last = at == len(literals) - 1
        if (at and literal[:1] not in ("\n", "")) or not (is_last or literal[-1:] in ("\n", "")):
            return None
        *parts, last = parted(literal)
        for part in parts:
            done.append(part if is_sign(part) else encoded(part))
        done.append(encoded(last + "\n")[:-2] if is_last else encoded(last))
        size += sum(len(p.encode("utf-8")) for p in (*parts, last) if not is_sign(p))
        if not is_last:
            done.append(next(holes))
    before = len(text) - len(text.lstrip("\n"))
    return _Quick(tuple(done), size, before, len(text) - before - len(inside))


def _is_open(piece: Piece) -> bool:
    """Say whether a piece is text, or an address put into a fragment later."""
    return isinstance(piece, str) and (not is_sign(piece) or is_url(piece))


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


def tidied(text: str) -> str:
    """Return text without no-break and trailing spaces and with one empty line at a time."""
    lines = "\n".join(line.rstrip() for line in text.replace(plain.GLUE, " ").split("\n"))
    return _EMPTY_LINES.sub("\n\n", lines) if "\n\n\n" in lines else lines


def text_fragment(text: str) -> Fragment:
    """Return tidied lines as a fragment; signs in them stay open."""
    text = tidied(plain.body(text))
    inside = text.strip("\n")
    if not inside:
        return Fragment((), 0, len(text))
    before = len(text) - len(text.lstrip("\n"))
    done: list[Open] = []
    size = 0
    *parts, last = parted(inside)
    for part in parts:
        if is_sign(part):
            done.append(part)
        elif part:
            size += len(part.encode("utf-8"))
            done.append(encoded(part))
    size += len(last.encode("utf-8"))
    done.append(encoded(last + "\n")[:-2])
    return Fragment(tuple(done), size, before, len(text) - before - len(inside))


def html_fragment(pieces: Iterable[Piece], values: Mapping[str, str]) -> Fragment:
    """Return HTML as a fragment, values where their signs are; other signs stay open."""
    text = ""
    for piece in pieces:
        if isinstance(piece, str) and piece not in values:
            text += piece
        else:
            text += plain.body(escaped(told((piece,), values)))
    parts = [part for part in parted(text) if part]
    size = sum([len(part.encode("utf-8")) for part in parts if not is_sign(part)])
    return Fragment(tuple([part if is_sign(part) else encoded(part) for part in parts]), size)


def numbered(fragment: Fragment, number: int) -> Fragment:
    """Return a paper with its number before it, on an encoded line of its own."""
    head = f"{number}. "
    return Fragment(
        (f"{head}=\r\n".encode("ascii"), *fragment.open),
        fragment.size + len(head),
        fragment.before,
        fragment.after,
    )


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
