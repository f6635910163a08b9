"""Templates rendered beforehand: frames, sections, papers, each kept under what it hangs on."""

from collections.abc import Callable, Hashable, Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any, TypeVar

from jinja2 import Environment
from jinja2.runtime import Macro

from service.delivery import phrases, shapes
from service.delivery.fragments import Fragment, Own, told
from service.delivery.frame import ReaderFrame
from service.delivery.held_templates import HeldTexts, hold_filters, holding
from service.delivery.holes import (
    SUBJECT,
    Held,
    Later,
    Piece,
    Tape,
    Unfit,
    is_sign,
    refuse_signs,
)
from service.delivery.html_forms import HtmlForm
from service.delivery.i18n import Texts
from service.delivery.keeping import Keeping, Sized
from service.delivery.render import Renderer, name_of
from service.delivery.sections import Call, Shown, call_of
from service.delivery.text_forms import TextForm, text_fragment
from service.digest.model import Digest, Entry, Reason, Section

_FRAMES = 2_000_000
"""Bytes that scopes and frames may hold, each."""


@dataclass(frozen=True, slots=True)
class Scope:
    """What papers and sections of some digests have alike: language, day, kind of mail.

    digest, reader: as their templates may see them · number: instead of all that in keys.
    """

    number: int
    texts: Texts
    environment: Environment
    digest: Digest
    reader: ReaderFrame
    memory: int = 3_000


@dataclass(frozen=True, slots=True)
class Frame:
    """What stands around sections; text is tidied when its values are in it."""

    subject: tuple[Piece, ...]
    html: tuple["Fragment | Call", ...]
    later: Mapping[str, Later]
    text: tuple["Fragment | TextForm | Call", ...]
    memory: int


@dataclass(frozen=True, slots=True)
class _TextForm:
    form: TextForm
    is_numbered: bool

    @property
    def memory(self) -> int:
        return self.form.memory


@dataclass(frozen=True, slots=True)
class _Alike:
    """All of a paper but one reader's words. number: instead of all that in keys · memory: of the
    paper's texts, which its key holds."""

    number: int
    memory: int


@dataclass(slots=True)
class _Marked:
    """A paper with one reader's marks, in every place where it was shown. own: bytes of its key."""

    own: int
    places: dict[Hashable, Fragment] = field(default_factory=dict)

    @property
    def memory(self) -> int:
        return self.own + sum(fragment.memory for fragment in self.places.values())


class _Open:
    """In place of a form that a template makes only of what is one reader's: each has its own."""

    memory = 100


_OPEN = _Open()
_Form = TypeVar("_Form", bound=Sized)


class Forms:
    """The store of an installation; not for two threads at once."""

    def __init__(self, renderer: Renderer, limit: int) -> None:
        self._renderer = renderer
        self._environments: dict[str, Environment] = {}
        self._tape = Tape()
        self._numbers = 0
        self._scopes = Keeping[Scope](_FRAMES)
        self._frames = Keeping[Frame](_FRAMES)
        # a day's papers fit in each, or every new reader costs their making again
        self._sections = Keeping[Shown | _Open](limit // 8)
        self._papers = Keeping[HtmlForm | _TextForm | _Open](limit // 4)
        self._alike = Keeping[_Alike](limit // 8)
        self._marked = Keeping[_Marked](limit // 2)

    @property
    def memory(self) -> int:
        """About how many bytes are kept."""
        kept = (self._scopes, self._frames, self._sections, self._alike, self._papers, self._marked)
        return sum(store.used for store in kept)

    def scope(self, digest: Digest, reader: ReaderFrame, texts: Texts) -> Scope:
        """Return what the digest's papers have alike with those of others."""
        key = (texts.language, shapes.scope_key(digest, reader))
        found = self._scopes.get(key)
        if found is None:
            self._numbers += 1
            environment = self._environment(texts)
            narrow, links = shapes.narrow_digest(digest), shapes.narrow_reader(reader)
            found = Scope(self._numbers, texts, environment, narrow, links)
            self._scopes.put(key, found)
        return found

    def frame(
        self, scope: Scope, digest: Digest, reader: ReaderFrame, said: Mapping[str, tuple[str, str]]
    ) -> Frame:
        """Return the frame of a digest. said: sentences by name, with their signs. Raises Unfit."""
        there = tuple(bool(sentence) for _, sentence in said.values())
        key = (scope.number, shapes.frame_key(digest, reader), there)
        return self._frames.get(key) or self._frames.put(
            key, self._new_frame(scope, digest, reader, said)
        )

    def section(self, scope: Scope, call: Call, section: Section) -> Shown:
        """Return a section, places for its heading and its papers in it. Raises Unfit."""
        refuse_signs(section.name)
        key = (scope.number, call.which, shapes.section_key(section))

        def made(is_open: bool) -> Shown:
            return self._new_section(scope, call, shapes.held_section(section, is_open=is_open))

        return _kept(self._sections, key, section.name, made)

    def paper(self, scope: Scope, item: shapes.Item) -> "Paper":
        """Return a paper, to be shown in the places of this mail."""
        everybodys = (scope.number, shapes.item_key(item))
        alike = self._alike.get(everybodys)
        if alike is None:
            self._numbers += 1
            alike = self._alike.put(everybodys, _Alike(self._numbers, shapes.memory(item)))
        key = (alike.number, shapes.own_key(item))
        marked = self._marked.get(key)
        if marked is None:
            marked = self._marked.put(key, _Marked(shapes.own_memory(item)))
        return Paper(self, scope, item, alike.number, key, marked)

    def form(
        self, scope: Scope, alike: int, call: Call, number: int | None, item: shapes.Item
    ) -> HtmlForm | _TextForm:
        """Return a paper's form for one place; of its number the width counts. Raises Unfit."""
        key = (alike, call.which, len(str(number)))

        def made(is_open: bool) -> HtmlForm | _TextForm:
            shape = shapes.held_item(item, is_open=is_open)
            return self._new_paper(scope, shape, call, number)

        return _kept(self._papers, key, shapes.own_text(item), made)

    def keep(self, key: Hashable, fragment: Fragment) -> None:
        """Count what a paper with marks holds more."""
        self._marked.grow(key, fragment.memory)

    def _environment(self, texts: Texts) -> Environment:
        found = self._environments.get(texts.language)
        if found is None:
            found = self._renderer.new_environment(texts, holding)
            hold_filters(found, texts, lambda: self._tape)
            self._environments[texts.language] = found
        return found

    def _new_frame(
        self, scope: Scope, digest: Digest, reader: ReaderFrame, said: Mapping[str, tuple[str, str]]
    ) -> Frame:
        values: dict[str, Any] = {
            "digest": shapes.held_digest(digest),
            "reader": shapes.held_reader(reader),
            "public": False,
            "test": False,
            "texts": HeldTexts(scope.texts),
            "lang": scope.texts.language,
            **{name: sign if sentence else "" for name, (sign, sentence) in said.items()},
        }
        name = name_of(digest)
        self._tape = tape = Tape()
        subject = scope.environment.get_template(f"{name}/subject.txt").render(values)
        subject_pieces = tape.pieces(subject)
        values["subject"] = SUBJECT
        self._tape = tape = Tape()
        rendered = scope.environment.get_template(f"{name}/body.txt").render(values)
        text = TextForm.read(rendered, tape)
        self._tape = tape = Tape()
        rendered = scope.environment.get_template(f"{name}/body.html").render(values)
        html = HtmlForm.read(rendered, tape)
        memory = 2_000 + html.memory + text.memory
        return Frame(
            subject_pieces,
            tuple([call_of(x, "html") if isinstance(x, Held) else x for x in html.parts()]),
            html.later,
            tuple(
                [call_of(x, "text") if isinstance(x, Held) else _prepared(x) for x in text.parts()]
            ),
            memory,
        )

    def _new_section(self, scope: Scope, call: Call, section: Section) -> Shown:
        rendered, tape = self._run(scope, call.held, section)
        return Shown.read(rendered, tape, call.which[0])

    def _new_paper(
        self, scope: Scope, shape: shapes.Item, call: Call, n: int | None
    ) -> HtmlForm | _TextForm:
        rendered, tape = self._run(scope, call.held, shape, n)
        if call.which[0] == "html":
            form = HtmlForm.read(rendered, tape)
            if form.later:
                raise Unfit("A filter has to run for each reader of a paper.")
            return form
        if n is None:
            return _TextForm(TextForm.read(rendered, tape).quickened(), False)
        other = n - 1 if len(str(n - 1)) == len(str(n)) and n > 1 else n + 1
        again, tape_again = self._run(scope, call.held, shape, other)
        is_numbered = rendered != again
        if is_numbered:
            mine, its = f"{n}. ", f"{other}. "
            if not rendered.startswith(mine) or not again.startswith(its):
                raise Unfit("A template numbers papers in a way of its own.")
            rendered, again = rendered[len(mine) :], again[len(its) :]
        if rendered != again or tape.later != tape_again.later:
            raise Unfit("A template shows the number of a paper twice.")
        return _TextForm(TextForm.read(rendered, tape).quickened(), is_numbered)

    def _run(
        self, scope: Scope, held: Held, item: Any, number: int | None = None
    ) -> tuple[str, Tape]:
        """Render a held call as it would be for everybody."""
        if not isinstance(held.macro, Macro):
            raise Unfit("Something that is no macro is called for a paper.")

        def seen(value: Any) -> Any:
            if isinstance(value, Digest):
                return scope.digest
            if isinstance(value, ReaderFrame):
                return scope.reader
            return number if number is not None and type(value) is int else value

        self._tape = tape = Tape()
        given = [seen(value) for value in held.given]
        named = {name: seen(value) for name, value in held.named.items()}
        return str(held.macro(item, *given, **named)), tape


class Paper:
    """A paper of one mail."""

    __slots__ = ("_alike", "_forms", "_item", "_key", "_marked", "_own", "_scope")

    def __init__(
        self,
        forms: Forms,
        scope: Scope,
        item: shapes.Item,
        alike: int,
        key: Hashable,
        marked: _Marked,
    ) -> None:
        self._forms = forms
        self._scope = scope
        self._item = item
        self._alike = alike
        self._key = key
        self._marked = marked
        self._own: Own | None = None

    def shown(self, call: Call, before: int) -> Fragment:
        """Return it as one place of the mail shows it. before: papers in full of the sections
        above. Raises Unfit."""
        number = call.number + before if call.number is not None else None
        places = self._marked.places
        found = places.get((call.which, number))
        if found is None:
            found = self._filled(call, number)
            places[call.which, number] = found
            self._forms.keep(self._key, found)
        return found

    def _filled(self, call: Call, number: int | None) -> Fragment:
        own = self._own = self._own or self._of_reader()
        form = self._forms.form(self._scope, self._alike, call, number, self._item)
        if isinstance(form, HtmlForm):
            return form.filled(own)
        return form.form.paper(own, number if form.is_numbered else None)

    def _of_reader(self) -> Own:
        item = self._item
        why = _why(item.reasons, self._scope.texts) if isinstance(item, Entry) else ""
        refuse_signs(f"{why}\0{shapes.own_text(item)}")
        return Own(shapes.marked_of(item), why)


@lru_cache(maxsize=4096)
def _why(reasons: tuple[Reason, ...], texts: Texts) -> str:
    return phrases.said_reasons(reasons, texts)


def _kept(
    store: Keeping[_Form | _Open], key: Hashable, own: Hashable, made: Callable[[bool], _Form]
) -> _Form:
    """Return a form by its key. own: what is held back of it; where its template does not do
    without (that hangs on template and key alone), the form is of that as well."""
    found = store.get(key)
    if found is None:
        try:
            found = made(False)
        except Unfit:
            found = _OPEN
        store.put(key, found)
    if not isinstance(found, _Open):
        return found
    shown = store.get((key, own))
    if shown is None:
        shown = made(True)
        store.put((key, own), shown)
    assert not isinstance(shown, _Open)
    return shown


def _prepared(pieces: tuple[Piece, ...]) -> Fragment | TextForm:
    """What stands around sections in text, as far as it is the same in every mail."""
    if all(isinstance(piece, str) and not is_sign(piece) for piece in pieces):
        return text_fragment(told(pieces, {}))
    return TextForm(pieces).quickened()
