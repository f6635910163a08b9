"""What a template made of text, rendered once, its holes open; filled with what is of one reader's
words (marks, reasons) it is a fragment. Pure."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from service.delivery import plain
from service.delivery.fragments import (
    NOTHING,
    Fragment,
    Open,
    Own,
    Run,
    apart,
    done_now,
    has_dots_in,
    signs_of,
    told,
)
from service.delivery.holes import (
    WHY,
    Held,
    Later,
    MarkedHole,
    Piece,
    Tape,
    Unfit,
    is_sign,
    is_url,
    parted,
)
from service.delivery.quoted import encoded, lines_of

_EMPTY_LINES = re.compile(r"\n{3,}")
_HOLE = "\U000ffffd"


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

    def paper(self, own: Own, number: int | None) -> Fragment:
        """Return a paper with what is of the reader's words, and its number before it; its links
        stay open."""
        return self.filled({WHY: own.why}, own, f"{number}. " if number is not None else "")

    def filled(self, values: Mapping[str, str], own: Own = NOTHING, head: str = "") -> Fragment:
        """Return it with values where their signs are; links may stay open. head: said before it,
        on an encoded line of its own."""
        made = self.quickly(values, own, head)
        if made is not None:
            return made
        made = text_fragment(told(self.pieces, values, own))
        if not head:
            return made
        return Fragment.of(
            (encoded(head), *made.open), made.size + len(head), made.before, made.after
        )

    def quickly(
        self, values: Mapping[str, str], own: Own = NOTHING, head: str = ""
    ) -> Fragment | None:
        """Return it with its links open; None where that cannot be."""
        return self.quick.filled(values, own, head) if self.quick is not None else None

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
    has_dots: bool

    def filled(self, values: Mapping[str, str], own: Own, head: str) -> Fragment | None:
        """Return the paper; None where a hole is filled with anything but lines that are tidy."""
        run = Run(self.size, self.has_dots)
        if head:
            run.add(encoded(head), head)
        for piece in self.pieces:
            if isinstance(piece, bytes):
                run.whole += piece
            elif isinstance(piece, str):
                run.leave(piece)
            else:
                text = done_now(piece, values, own)
                if not _are_tidy(text):
                    return None
                run.add(lines_of(text), text)
        return run.fragment(self.before, self.after)


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
    after = len(text) - before - len(inside)
    return _Quick(tuple(done), size, before, after, has_dots_in(done))


def _is_open(piece: Piece) -> bool:
    """Say whether a piece is text, or an address put into a fragment later."""
    return isinstance(piece, str) and (not is_sign(piece) or is_url(piece))


def tidied(text: str) -> str:
    """Return text without no-break and trailing spaces and with one empty line at a time."""
    lines = "\n".join(line.rstrip() for line in text.replace(plain.GLUE, " ").split("\n"))
    return _EMPTY_LINES.sub("\n\n", lines) if "\n\n\n" in lines else lines


def text_fragment(text: str) -> Fragment:
    """Return tidied lines as a fragment; signs in them stay open."""
    text = tidied(plain.body(text))
    inside = text.strip("\n")
    if not inside:
        return Fragment((), (), 0, len(text))
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
    return Fragment.of(done, size, before, len(text) - before - len(inside))
