"""Stand-ins for what is one reader's own, in templates that are rendered before there is a reader.

A template is run once with values that are each one sign of a plane that no text uses; where a sign
comes out, the reader's value goes in. A value that is not at hand then raises ``Unfit`` when a
template looks at it, so that what was rendered cannot depend on it. What a filter of ours would do
with a sign (break lines around it, say) is noted and done for each mail. Pure.
"""

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, NoReturn

from service.digest.model import Marked
from service.errors import PaperpostError

_PLANE = "\U000f0000-\U000fffff"
SIGN = re.compile(f"([{_PLANE}])")
TUNE = "https://tune.invalid/0token0of0the0reader00"
"""In place of ``ReaderFrame.tune_base``: an address, since links are cleaned before they are
written."""
_SPLIT = re.compile(f"({re.escape(TUNE)}|[{_PLANE}])")
_FIRST_BYTE = b"\xf3"
"""With which each sign, and no letter of a script, begins in UTF-8."""
_FORBIDDEN = re.compile(f"[\r{_PLANE}]|{re.escape(TUNE)}")

_names = iter(range(0xF0000, 0xF0100))
SUBJECT, SUBJECT_LINE = (chr(next(_names)) for _ in range(2))
CONFIRMED, CONFIRMED_DAY, SCHEDULE, WHY, SECTION, HEADING = (chr(next(_names)) for _ in range(6))
_URLS = 0xF0040
_SENTENCES, _MARKED, _STARRED, _PLAIN = 0xF0080, 0xF0100, 0xF0800, 0xF0C00
_LATER, _HELD = 0xF1000, 0xF8000
_PIECES = 5


class Unfit(PaperpostError):
    """A template, or a text, for which nothing can be rendered beforehand."""


class Poison:
    """A value that nothing may depend on."""

    __slots__ = ("name",)

    def __init__(self, name: str) -> None:
        self.name = name

    def _refuse(self, *_: object) -> NoReturn:
        raise Unfit(f"A template looks at {self.name}.", self.name)

    __getattr__ = __str__ = __bool__ = __iter__ = __len__ = __html__ = __format__ = _refuse
    __int__ = __float__ = __index__ = __contains__ = __getitem__ = __call__ = __repr__ = _refuse
    __eq__ = __ne__ = __lt__ = __le__ = __gt__ = __ge__ = __hash__ = __mod__ = __add__ = _refuse
    __radd__ = __sub__ = __mul__ = __truediv__ = __floordiv__ = __neg__ = __abs__ = _refuse
    __reversed__ = __next__ = __round__ = _refuse


class Present(Poison):
    """One of which a template may see that it is there."""

    __slots__ = ()

    def __bool__(self) -> bool:  # type: ignore[override]
        return True


class Spelled(Present):
    """A value that a template may write, but not look at."""

    __slots__ = ("sign",)

    def __init__(self, name: str, sign: str) -> None:
        super().__init__(name)
        self.sign = sign

    def __str__(self) -> str:  # type: ignore[override]
        return self.sign

    def __format__(self, how: str) -> str:  # type: ignore[override]
        return self.sign if not how else self._refuse()

    __html__ = __str__  # type: ignore[assignment]


class HeldText(Spelled):
    """A text that is cut to the words of each reader. tongue: the language that it is in."""

    __slots__ = ("tongue",)

    def __init__(self, name: str, sign: str, tongue: str) -> None:
        super().__init__(name, sign)
        self.tongue = tongue


class Stub(Poison):
    """A section, paper or signal in a loop: handed on to a macro, never looked at."""

    __slots__ = ("at", "loop")

    def __init__(self, loop: str, at: int) -> None:
        super().__init__(f"one of {loop}")
        self.loop = loop
        self.at = at


class SectionStub(Stub):
    """A section in the loop of a frame. Papers seem to be none, so that a frame which counts them
    on from section to section says 0 each time; what came before is added in each mail."""

    __slots__ = ()
    entries = ()


class HeldMarked(Marked):
    """A text whose marks are the reader's: its pieces come out as signs, of both sorts. tongue: its
    language, where what it says is the reader's as well."""

    __slots__ = ("number",)
    number: int

    def __init__(self, name: str, text: str, number: int, tongue: str | None = None) -> None:
        said: Any = text
        if tongue is not None:
            said = HeldText(f"the text of {name}", chr(_PLAIN + number), tongue)
        super().__init__(said, Poison(f"the marks of {name}"))  # type: ignore[arg-type]
        object.__setattr__(self, "number", number)

    def pieces(self) -> Iterator[tuple[str, bool]]:
        """Yield signs: plain, marked, marked, plain, plain."""
        if self.text:
            first = _MARKED + self.number * _PIECES
            for at, is_marked in enumerate((False, True, True, False, False)):
                yield chr(first + at), is_marked

    @property
    def starred(self) -> str:
        return chr(_STARRED + self.number) if self.text else ""


@dataclass(frozen=True, slots=True)
class MarkedHole:
    """Where a marked text stands: its number, and what stands around each hit."""

    number: int
    before: str
    after: str


@dataclass(frozen=True, slots=True)
class StarredHole:
    """Where a text stands whose hits are starred."""

    number: int


@dataclass(frozen=True, slots=True)
class PlainHole:
    """Where a text stands without its marks."""

    number: int


@dataclass(frozen=True, slots=True)
class Later:
    """What a filter does once its values are here. given: pieces or plain values."""

    work: Callable[..., str]
    given: tuple[Any, ...]
    named: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Held:
    """A call of a macro that is left for later: for which loop (``sections``, ``entries``,
    ``lines``, ``signals``) and which of its items, and the other arguments."""

    loop: str
    macro: Callable[..., Any]
    at: int
    given: tuple[Any, ...]
    named: Mapping[str, Any]


Piece = str | MarkedHole | StarredHole | PlainHole | Later | Held
"""Text, a sign or ``TUNE`` for a value of the reader, or something to be done."""


@dataclass(slots=True)
class Tape:
    """What one rendering left for later."""

    later: list[Later] = field(default_factory=list)
    held: list[Held] = field(default_factory=list)

    def do_later(self, work: Callable[..., str], *given: Any, **named: Any) -> str:
        """Note a filter's work on texts with signs in them; returns its own sign."""
        pieces = tuple(self.pieces(g) if isinstance(g, str) and has_sign(g) else g for g in given)
        if any(isinstance(value, str) and has_sign(value) for value in named.values()):
            raise Unfit("A filter has a reader's value as a named argument.")
        self.later.append(Later(work, pieces, named))
        return chr(_LATER + len(self.later) - 1)

    def hold(self, macro: Callable[..., Any], item: Stub, *given: Any, **named: Any) -> str:
        """Note the call of a macro for an item of a loop; returns its sign."""
        self.held.append(Held(item.loop, macro, item.at, given, named))
        return chr(_HELD + len(self.held) - 1)

    def pieces(self, rendered: str) -> tuple[Piece, ...]:
        """Return rendered text with each sign as what it stands for."""
        found: list[Piece] = []
        parts = _SPLIT.split(rendered)
        at = 0
        while at < len(parts):
            part = parts[at]
            if at % 2 and _MARKED <= ord(part[0]) < _STARRED:
                found.append(_marked_hole(parts[at : at + 2 * _PIECES - 1]))
                at += 2 * _PIECES - 2
            elif at % 2:
                found.append(self._meant(part))
            elif part:
                found.append(part)
            at += 1
        return tuple(found)

    def sign_of(self, later: Later) -> str:
        """Return the sign of work that was left."""
        return chr(_LATER + next(n for n, one in enumerate(self.later) if one is later))

    def _meant(self, sign: str) -> Piece:
        code = 0 if sign == TUNE else ord(sign)
        if code >= _HELD:
            return self.held[code - _HELD]
        if code >= _LATER:
            return self.later[code - _LATER]
        if code >= _PLAIN:
            return PlainHole(code - _PLAIN)
        return StarredHole(code - _STARRED) if code >= _STARRED else sign


def _marked_hole(parts: Sequence[str]) -> MarkedHole:
    """Read what a template puts around hits: of "plain, hit, hit, plain, plain", what lies
    between must be the same around both hits and nothing around the plain ones."""
    signs = [ord(sign[0]) for sign in parts[::2]]
    number, first = divmod(signs[0] - _MARKED, _PIECES)
    before, both, after, *nothing = parts[1::2]
    is_whole = not first and signs == list(range(signs[0], signs[0] + _PIECES))
    if not is_whole or both != after + before or nothing != [""]:
        raise Unfit("A template shows hits in a way of its own.")
    return MarkedHole(number, before, after)


def url_sign(number: int) -> str:
    """Return the sign of one of the reader's addresses."""
    return chr(_URLS + number)


def sentence_sign(number: int) -> str:
    """Return the sign of a sentence about the whole digest."""
    return chr(_SENTENCES + number)


def has_sign(text: str) -> bool:
    """Say whether a rendered text has a place that is to be filled."""
    return TUNE in text or SIGN.search(text) is not None


def is_sign(piece: str) -> bool:
    """Say whether a piece is a sign (and not text)."""
    return piece == TUNE or (len(piece) == 1 and ord(piece) >= 0xF0000)


def is_url(sign: str) -> bool:
    """Say whether a sign stands for an address of the reader."""
    return sign == TUNE or _URLS <= ord(sign) < _SENTENCES


def parted(text: str) -> list[str]:
    """Return text and signs in turn; the first and the last one are text."""
    return (_SPLIT if TUNE in text else SIGN).split(text)


def refuse_signs(text: str) -> None:
    """Raise Unfit where a text of the world holds one of our signs, or a carriage return (half of
    a line break, whose other half may stand in the next piece)."""
    is_safe = text.isascii() or _FIRST_BYTE not in text.encode("utf-8", "surrogatepass")
    if not is_safe or "\r" in text or TUNE in text:
        found = _FORBIDDEN.search(text)
        if found is not None:
            raise Unfit(f"A text holds U+{ord(found[0][0]):04X}.")
