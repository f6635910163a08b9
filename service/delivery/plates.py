"""A whole digest as one sort of reader gets it: encoded bytes, open where a value of the reader
stands. It is made once of its fragments; each mail is this filled in. Fragments of HTML are joined
as they are; those of text by lines, where empty ones between two are counted and never more than
one is left. Pure.

What goes before the final dot (a dot that begins a line is doubled) is made beside it, so that no
mail is looked through again: every piece and every value begins a line.
"""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from itertools import accumulate
from weakref import ref

from service.delivery import phrases, plain
from service.delivery.forms import Forms, Frame, Paper, Scope
from service.delivery.fragments import Fragment, Open, done_now, signs_of
from service.delivery.held_templates import escaped
from service.delivery.holes import SECTION, SUBJECT, Later, Unfit
from service.delivery.keeping import Keeping
from service.delivery.printed import Part, Shown, part_of
from service.delivery.quoted import dotted, encoded
from service.delivery.sections import Call
from service.delivery.text_forms import TextForm
from service.digest.model import Digest

_LAST = b"\r\n"
_BREAKS = (b"", b"\r\n", b"\r\n\r\n")


@dataclass(frozen=True, slots=True)
class Plate:
    """A run of a part. open: bytes and signs · lines: the same with dots doubled where they begin
    a line · size: bytes of its text before encoding, holes not counted · signs: how often each
    occurs · before, after: line ends around it, of a run of text."""

    open: tuple[Open, ...]
    lines: tuple[Open, ...]
    size: int
    signs: tuple[tuple[str, int], ...]
    before: int = 0
    after: int = 0

    @classmethod
    def of(cls, fragment: Fragment) -> "Plate":
        """Its pieces are those of the fragments that it is made of."""
        signs = Counter([piece for piece in fragment.open if isinstance(piece, str)])
        return cls(
            fragment.open,
            fragment.lines,
            fragment.size,
            tuple(signs.items()),
            fragment.before,
            fragment.after,
        )

    @property
    def memory(self) -> int:
        """About how many bytes it holds when nobody else holds its pieces."""
        doubled = sum([len(b) for a, b in zip(self.open, self.lines, strict=True) if a is not b])
        return 400 + 60 * len(self.open) + sum(map(len, self.open)) + doubled


@dataclass(frozen=True, slots=True)
class Lines:
    """Lines of text that are other for each reader. asks: the signs on whose values they hang, once
    links are left open · number: instead of all that in keys."""

    form: TextForm
    asks: tuple[str, ...]
    number: int


@dataclass(frozen=True, slots=True)
class Plates:
    """A digest as one sort of reader gets it. of: that digest while somebody holds it · later: what
    filters of a template do for each mail · values: what is the same in all of its mails, by signs.
    """

    of: ref[Digest]
    subject: str
    text: tuple["Plate | Lines", ...]
    html: Plate
    later: Mapping[str, Later]
    values: Mapping[str, str]
    memory: int


class Setter:
    """Makes plates; not for two threads at once."""

    def __init__(self, forms: Forms) -> None:
        self._forms = forms
        self._number = 0

    def plates(
        self,
        kept: Digest,
        named: Digest,
        scope: Scope,
        frame: Frame,
        values: Mapping[str, str],
    ) -> Plates:
        """Return a digest's plates. kept: by which it is known · named: the same with an id of each
        section that has one · values: what its readers have alike. Raises Unfit."""
        page = _Page(self._forms, scope, named)
        later = {s: x for s, x in frame.later.items() if not signs_of([x]) <= values.keys()}
        text = tuple(self._text(page, frame, values))
        html = self._html(page, frame, values, later)
        memory = 2_000 + html.memory + sum([p.memory if isinstance(p, Plate) else 0 for p in text])
        return Plates(ref(kept), values[SUBJECT], text, html, later, values, memory)

    def _text(
        self, page: "_Page", frame: Frame, values: Mapping[str, str]
    ) -> Iterator[Plate | Lines]:
        run: list[Fragment] = []
        for piece in frame.text:
            if isinstance(piece, Call):
                run += page.section(piece)
            elif isinstance(piece, Fragment):
                run.append(piece)
            elif isinstance(made := self._lines(piece, values), Fragment):
                run.append(made)
            else:
                if run:
                    yield Plate.of(_run_of(run))
                    run = []
                yield made
        if run:
            yield Plate.of(_run_of(run))

    def _lines(self, form: TextForm, values: Mapping[str, str]) -> Fragment | Lines:
        asks = form.asks()
        if asks <= values.keys():
            fragment = form.quickly(values) if form.quick is not None else form.filled(values)
            if fragment is not None:
                return fragment
        self._number += 1
        return Lines(form, tuple(sorted(asks)), self._number)

    def _html(
        self, page: "_Page", frame: Frame, values: Mapping[str, str], later: Mapping[str, Later]
    ) -> Plate:
        done: list[Open] = []
        lines: list[Open] = []
        size = 0
        for piece in frame.html:
            for fragment in page.section(piece) if isinstance(piece, Call) else (piece,):
                done += fragment.open
                lines += fragment.lines
                size += fragment.size
        for at, sign in enumerate(done):
            if isinstance(sign, bytes):
                continue
            if sign in frame.later and sign not in later:
                value = done_now(frame.later[sign], values)
            elif sign in values:
                value = values[sign]
            else:
                continue
            said = plain.body(escaped(value))
            done[at] = encoded(said)
            lines[at] = dotted(encoded(said))
            size += len(said.encode("utf-8"))
        return Plate.of(Fragment(tuple(done), tuple(lines), size))


class _Page:
    """The sections of one digest."""

    def __init__(self, forms: Forms, scope: Scope, digest: Digest) -> None:
        self._forms = forms
        self._scope = scope
        self._digest = digest
        self._papers: list[dict[str, list[Paper]]] = [
            {
                "entries": [forms.paper(scope, entry) for entry in section.entries],
                "lines": [forms.paper(scope, line) for line in section.lines],
                "signals": [forms.paper(scope, signal) for signal in section.signals],
            }
            for section in digest.sections
        ]
        counts = [len(section.entries) for section in digest.sections]
        self._before = list(accumulate(counts, initial=0))

    def section(self, call: Call) -> list[Fragment]:
        """Return the pieces of a section in one part, its id open. Raises Unfit."""
        section = self._digest.sections[call.at]
        papers, before = self._papers[call.at], self._before[call.at]
        done: list[Fragment] = []
        for one in self._forms.section(self._scope, call, section).pieces:
            if isinstance(one, Call):
                done.append(papers[one.loop][one.at].shown(one, before))
            elif isinstance(one, Fragment):
                done.append(one)
            else:
                named = one.filled(phrases.section_name(section, self._scope.texts))
                done.append(_renamed(named, SECTION, section_sign(call.at)))
        return done


def _renamed(fragment: Fragment, sign: str, to: str) -> Fragment:
    """Return a fragment with another sign in place of one."""
    open = tuple([to if piece == sign else piece for piece in fragment.open])
    lines = tuple([to if piece == sign else piece for piece in fragment.lines])
    return replace(fragment, open=open, lines=lines)


def _run_of(fragments: Iterable[Fragment]) -> Fragment:
    """Return fragments of text as one. Raises Unfit."""
    column = _Column()
    for fragment in fragments:
        column.add(fragment)
    if not column.open:
        return Fragment((), (), 0, column.breaks)
    pieces = tuple(column.open), tuple(column.lines)
    return Fragment(*pieces, column.size, column.before, column.breaks)


class _Column:
    """Pieces of text, one below the other. before, breaks: line ends around all of them so far."""

    __slots__ = ("before", "breaks", "lines", "open", "size")

    def __init__(self) -> None:
        self.open: list[Open] = []
        self.lines: list[Open] = []
        self.size = self.before = self.breaks = 0

    def add(self, piece: Fragment | Plate) -> None:
        """Add one at the end. Raises Unfit."""
        self.breaks += piece.before
        if not piece.open:
            return
        if self.open:
            between = _line_ends(self.breaks)
            self.open.append(between)
            self.lines.append(between)
            self.size += len(between) // 2
        else:
            self.before = self.breaks
        self.open += piece.open
        self.lines += piece.lines
        self.size += piece.size
        self.breaks = piece.after


def _line_ends(count: int) -> bytes:
    """Return what stands between two pieces of text with so many line ends around them: one empty
    line at most. Raises Unfit."""
    if count < 1:
        raise Unfit("Two pieces of text on one line.")
    return _BREAKS[min(count, 2)]


def section_sign(at: int) -> str:
    """Return the sign of a section's id."""
    return f"{SECTION}{at}"


class Filler:
    """Fills plates in; what it made of lines is kept, bounded in bytes."""

    def __init__(self, limit: int) -> None:
        self._lines = Keeping[Plate](limit)

    @property
    def memory(self) -> int:
        """About how many bytes are kept."""
        return self._lines.used

    def text(self, plates: Plates, values: Mapping[str, str], shown: Shown) -> Part:
        """Return the text part. values: all, by sign. Raises Unfit."""
        column = _Column()
        signs: list[tuple[str, int]] = []
        for piece in plates.text:
            run = piece if isinstance(piece, Plate) else self._filled(piece, values)
            column.add(run)
            signs += run.signs
        return part_of([*column.open, _LAST], [*column.lines, _LAST], column.size + 1, signs, shown)

    def html(self, plates: Plates, values: Mapping[str, str], shown: Shown) -> Part:
        """Return the HTML part. Raises Unfit."""
        if plates.later:
            done = [(sign, done_now(later, values)) for sign, later in plates.later.items()]
            shown = shown.with_more([(sign, escaped(value)) for sign, value in done])
        html = plates.html
        return part_of(html.open, html.lines, html.size, html.signs, shown)

    def _filled(self, lines: Lines, values: Mapping[str, str]) -> Plate:
        key = (lines.number, *[values[sign] for sign in lines.asks])
        found = self._lines.get(key)
        if found is not None:
            return found
        made = lines.form.quickly(values)
        if made is None:  # links of the reader are within its lines
            return Plate.of(lines.form.filled(values))
        return self._lines.put(key, Plate.of(made))
