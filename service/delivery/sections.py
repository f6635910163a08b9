"""Sections rendered beforehand: open where their papers and their heading stand, each paper a call
of a macro that was left for later, told by what its result hangs on. Pure."""

from collections.abc import Hashable
from dataclasses import dataclass

from service.delivery import plain
from service.delivery.fragments import Fragment, apart, signs_of, told
from service.delivery.frame import ReaderFrame
from service.delivery.held_templates import HeldTexts
from service.delivery.holes import HEADING, SECTION, Held, Later, Piece, Tape, Unfit
from service.delivery.html_forms import html_fragment
from service.delivery.text_forms import TextForm, text_fragment
from service.digest.model import Digest


@dataclass(frozen=True, slots=True)
class Call:
    """A macro for one item of a loop, by its name and place. which: what its form hangs on beside
    the item · number: of a paper in its section, in a text part."""

    loop: str
    at: int
    which: tuple[str, Hashable]
    number: int | None
    held: Held


@dataclass(frozen=True, slots=True)
class Named:
    """Pieces in which a section is named, by its heading or its id."""

    pieces: tuple[Piece, ...]
    is_html: bool

    @property
    def memory(self) -> int:
        """About how many bytes it holds."""
        return sum(
            [4 * len(piece) + 100 if isinstance(piece, str) else 400 for piece in self.pieces]
        )

    def filled(self, heading: str) -> Fragment:
        """Return it with the heading; its id stays open."""
        values = {HEADING: heading}
        if self.is_html:
            return html_fragment(self.pieces, values)
        return text_fragment(told(self.pieces, values))


@dataclass(frozen=True, slots=True)
class Shown:
    """A section in one part."""

    pieces: tuple[Fragment | Named | Call, ...]
    memory: int

    @classmethod
    def read(cls, rendered: str, tape: Tape, part: str) -> "Shown":
        """part: "html" or "text". Raises Unfit."""
        pieces: list[Fragment | Named | Call] = []
        is_html = part == "html"
        if is_html:
            found = apart(tape.pieces(plain.body(rendered)))
        else:
            found = TextForm.read(rendered, tape).parts()
        for one in found:
            if isinstance(one, Held):
                pieces.append(call_of(one, part))
                continue
            if is_html and signs_of([p for p in one if isinstance(p, Later)]) - {HEADING}:
                raise Unfit("A filter has to run for each reader of a section.")
            named = Named(one, is_html)
            fragment = named.filled("")
            pieces.append(named if signs_of(one) & {HEADING, SECTION} else fragment)
        memory = 500 + sum(300 if isinstance(p, Call) else p.memory for p in pieces)
        return cls(tuple(pieces), memory)


def call_of(held: Held, part: str) -> Call:
    """Return a held call of a part ("html", "text"). Raises Unfit: given what no key can hold."""
    number = _number(held) if part == "text" and held.loop != "sections" else None
    which = (part, _which(held, is_numbered=number is not None))
    return Call(held.loop, held.at, which, number, held)


def _which(held: Held, *, is_numbered: bool = False) -> Hashable:
    """What a held call hangs on beside its item, and its number where it has one."""
    given: list[Hashable] = []
    for name, value in (*enumerate(held.given), *held.named.items()):
        if isinstance(value, Digest | ReaderFrame | HeldTexts):
            continue
        if type(value) is int and is_numbered:
            continue
        if isinstance(value, str | int | float | None):
            given.append((name, value))
        else:
            raise Unfit(f"A macro for a paper is given a {type(value).__name__}.")
    return (held.loop, getattr(held.macro, "name", ""), tuple(given))


def _number(held: Held) -> int | None:
    """The number of a paper: the only whole number that its macro is given."""
    found = [n for n in (*held.given, *held.named.values()) if type(n) is int]
    if len(found) > 1:
        raise Unfit("A macro for a paper is given two numbers.")
    return found[0] if found else None
