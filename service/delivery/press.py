"""Digests put together from kept pieces: what a template makes of a paper is rendered once for all
of its readers.

``Renderer`` and ``message.build`` are what a mail must read like; ``Press`` gives the same mail,
other only in where encoded lines break. What it cannot give (``Unfit``: a template that shows what
is one reader's own in a way that is not known beforehand, a text with one of our signs) is theirs.
That hangs on templates and digest alone, never on what is kept, so the same row has the same bytes
whenever it is asked for. In each language it proves itself on made-up digests before its first
mail.
"""

import threading
from collections.abc import Callable, Iterator, Mapping
from datetime import date
from functools import lru_cache
from itertools import accumulate

from jinja2 import TemplateError as JinjaError

from service.delivery import phrases, plain, proof, shapes
from service.delivery.forms import Call, Forms, Frame, Paper, Scope
from service.delivery.fragments import (
    Fragment,
    Open,
    done_now,
    joined_text,
    told,
    with_sign,
)
from service.delivery.frame import ReaderFrame
from service.delivery.heads import Heads, written
from service.delivery.held_templates import escaped
from service.delivery.holes import (
    CONFIRMED,
    CONFIRMED_DAY,
    SCHEDULE,
    SECTION,
    SUBJECT,
    SUBJECT_LINE,
    Unfit,
    refuse_signs,
    sentence_sign,
)
from service.delivery.i18n import Texts
from service.delivery.message import build
from service.delivery.printed import Part, Printed, part_of
from service.delivery.render import HEADERS, Renderer, sentences
from service.digest import budget
from service.digest.model import Digest

KEPT = 128_000_000
"""Bytes of rendered papers that are kept: 20 papers each of some 450 profiles."""

_REASONS = 50
"""So many reasons for the slow path are logged."""


class Press:
    """All digests of one installation, as bytes. Every method may be called from any thread."""

    def __init__(
        self,
        renderer: Renderer,
        *,
        kept: int = KEPT,
        log: Callable[..., None] = lambda event, **facts: None,
    ) -> None:
        self.renderer = renderer
        self._log = log
        self._told: set[str] = set()
        self._forms = Forms(renderer, kept)
        self._lock = threading.Lock()
        self._refusals: dict[str, str] = {}

    def mail(self, digest: Digest, reader: ReaderFrame, heads: Heads) -> bytes:
        """Return the whole message. Raises RenderError, MessageError."""
        try:
            printed = self.printed(digest, reader)
        except Exception as error:  # the slow path knows whether anything is wrong, and says it
            self._tell(error)
            return build(self.renderer.render_digest(digest, reader), **heads.fields())
        return written(heads, printed)

    def _tell(self, error: Exception) -> None:
        """Log why a mail goes the slow path, each reason once."""
        why = str(error) if isinstance(error, Unfit) else type(error).__name__
        if why not in self._told and len(self._told) < _REASONS:
            self._told.add(why)
            self._log("mail_rendered_whole", why=why)

    def fit(self, digest: Digest, reader: ReaderFrame) -> Digest:
        """Return the digest as ``mail`` would show it (``Renderer.fit``): the sizes of its pieces
        are added up. Beside those of the slow path they hold at most 3 bytes more for each hole."""
        try:
            self._refuse_unproven(reader.locale)
            with self._lock:
                return self._fitted(digest, reader)[0]
        except Exception as error:
            self._tell(error)
            return self.renderer.fit(digest, reader)

    def printed(self, digest: Digest, reader: ReaderFrame) -> Printed:
        """Return subject and parts. Raises Unfit: the slow path must do it."""
        self._refuse_unproven(reader.locale)
        with self._lock:
            return self._fitted(digest, reader)[1]

    def refusal(self, language: str) -> str:
        """Return why mails of a language go the slow path; "" when they do not."""
        if language not in self._refusals:
            self._refusals[language] = proof.refusal(self.renderer, language, self._unproven)
        return self._refusals[language]

    @property
    def memory(self) -> int:
        """Bytes that are kept."""
        return self._forms.memory

    def _refuse_unproven(self, locale: str) -> None:
        language = self.renderer.catalogs.texts(locale).language
        if why := self.refusal(language):
            raise Unfit(why, language)

    def _unproven(self, digest: Digest, reader: ReaderFrame) -> Printed:
        with self._lock:
            return self._fitted(digest, reader)[1]

    def _fitted(self, digest: Digest, reader: ReaderFrame) -> tuple[Digest, Printed]:
        last: list[tuple[Digest, Printed]] = []

        def fits(candidate: Digest) -> bool:
            done = self._put_together(candidate, reader)
            last[:] = [(candidate, done)]
            size = len(done.text.body) + len(done.html.body) + HEADERS
            renderer = self.renderer
            return done.html.size <= renderer.html_budget and size <= renderer.message_budget

        fitted = budget.fit(digest, fits)
        if last[0][0] is not fitted and not fits(fitted):
            raise Unfit("This digest does not fit into one mail.")
        return last[0]

    def _put_together(self, digest: Digest, reader: ReaderFrame) -> Printed:
        texts = self.renderer.catalogs.texts(reader.locale)
        said = {
            name: (sentence_sign(number), sentence)
            for number, (name, sentence) in enumerate(sentences(digest, texts).items())
        }
        values = _values(digest, reader, texts)
        refuse_signs("".join([values[SUBJECT_LINE], *(sentence for _, sentence in said.values())]))
        values |= dict(said.values())
        try:
            scope = self._forms.scope(digest, reader, texts)
            frame = self._forms.frame(scope, digest, reader, said)
            subject = values[SUBJECT] = plain.one_line(told(frame.subject, values))
            filler = _Filler(self._forms, scope, digest)
            return Printed(subject, filler.text(frame, values), filler.html(frame, values))
        except JinjaError as error:
            raise Unfit(f"A template cannot be rendered: {error}") from error


def _values(digest: Digest, reader: ReaderFrame, texts: Texts) -> dict[str, str]:
    """What goes where signs are. Raises Unfit."""
    if not shapes.is_plain(reader.tune_base):
        raise Unfit("The address of Tune is not a plain one.")
    values = shapes.urls(reader)
    values[SUBJECT_LINE] = phrases.subject(digest, texts)
    values[SCHEDULE] = _schedule(texts, reader.weekdays, reader.hour, reader.zone)
    if reader.confirmed_on is not None:
        values[CONFIRMED], values[CONFIRMED_DAY] = _days(texts, reader.confirmed_on)
    return values


@lru_cache(maxsize=4096)
def _schedule(texts: Texts, weekdays: frozenset[int], hour: int, zone: str) -> str:
    return texts.schedule(weekdays, hour, zone)


@lru_cache(maxsize=4096)
def _days(texts: Texts, on: date) -> tuple[str, str]:
    """A day without and with its weekday, as templates write it."""
    days = texts.long_day(on), texts.day(on)
    return days[0].replace(" ", plain.GLUE), days[1].replace(" ", plain.GLUE)


class _Filler:
    """Puts one digest together."""

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

    def html(self, frame: Frame, values: Mapping[str, str]) -> Part:
        """Return the HTML part. Raises Unfit."""
        done: list[Open] = []
        size = 0
        for fragment in self._html_fragments(frame):
            done += fragment.open
            size += fragment.size
        shown = {}
        for sign in {one for one in done if one.__class__ is str}:
            later = frame.later.get(sign)
            value = done_now(later, values) if later is not None else values[sign]
            shown[sign] = plain.body(escaped(value))
        return part_of(done, shown, size)

    def text(self, frame: Frame, values: Mapping[str, str]) -> Part:
        """Return the text part. Raises Unfit."""
        done, size = joined_text(self._text_fragments(frame, values))
        signs = {one for one in done if one.__class__ is str}
        return part_of(done, {sign: plain.body(values[sign]) for sign in signs}, size)

    def _html_fragments(self, frame: Frame) -> Iterator[Fragment]:
        for piece in frame.html:
            if isinstance(piece, Call):
                yield from self._section(piece)
            else:
                yield piece

    def _text_fragments(self, frame: Frame, values: Mapping[str, str]) -> Iterator[Fragment]:
        for piece in frame.text:
            if isinstance(piece, Call):
                yield from self._section(piece)
            else:
                yield piece if isinstance(piece, Fragment) else piece.filled(values)

    def _section(self, call: Call) -> list[Fragment]:
        section = self._digest.sections[call.at]
        papers, before = self._papers[call.at], self._before[call.at]
        return [
            papers[one.loop][one.at].shown(one, before)
            if isinstance(one, Call)
            else one
            if isinstance(one, Fragment)
            else with_sign(one.fragment, SECTION, str(section.profile_id))
            for one in self._forms.section(self._scope, call, section).pieces
        ]
