"""What a template made of HTML, rendered once, its holes open; filled with what is of one reader's
words (marks, reasons) it is a fragment. Pure."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import lru_cache

from service.delivery import plain
from service.delivery.fragments import Fragment, Own, Run, apart, has_dots_in, told
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
    parted,
)
from service.delivery.quoted import encoded
from service.digest.model import Marked


@dataclass(frozen=True, slots=True)
class HtmlForm:
    """HTML with holes; what does not change is encoded. size: of that, before encoding · later:
    what filters of the template do for each mail, by its sign · has_dots: at the beginning of a
    line of what does not change."""

    pieces: tuple[bytes | str | MarkedHole | Held, ...]
    size: int
    later: Mapping[str, Later]
    has_dots: bool

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
        return cls(tuple(done), size, later, has_dots_in(done))

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
            done.append(Fragment.of(pieces, size))
            size = 0
        return tuple(done)

    def filled(self, own: Own) -> Fragment:
        """Return a paper with what is of the reader's words. Raises Unfit."""
        run = Run(self.size, self.has_dots)
        for piece in self.pieces:
            if isinstance(piece, bytes):
                run.whole += piece
            elif isinstance(piece, MarkedHole):
                marked = own.marked[piece.number]
                if marked.marks:
                    text = _with_hits(marked, piece)
                    run.add(encoded(text), text)
                else:
                    run.add(*_without_hits(marked.text))
            elif piece == WHY:
                text = plain.body(escaped(own.why))
                run.add(encoded(text), text)
            elif isinstance(piece, str):
                run.leave(piece)
            else:
                raise Unfit("A paper in a paper.")
        return run.fragment()


@lru_cache(maxsize=2048)
def _without_hits(text: str) -> tuple[bytes, str]:
    """A text without marks, as HTML: encoded, and as it is. Most titles are shown so."""
    said = plain.body(escaped(text))
    return encoded(said), said


def _with_hits(marked: Marked, hole: MarkedHole) -> str:
    pieces: Iterable[tuple[str, bool]] = marked.pieces()
    if len(escaped(marked.text)) != len(marked.text):
        pieces = [(escaped(text), is_hit) for text, is_hit in pieces]
    return plain.body(
        "".join([f"{hole.before}{t}{hole.after}" if is_hit else t for t, is_hit in pieces])
    )


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
    return Fragment.of([part if is_sign(part) else encoded(part) for part in parts], size)
