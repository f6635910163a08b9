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
from collections.abc import Callable, Hashable, Sequence
from datetime import date
from functools import lru_cache

from jinja2 import TemplateError as JinjaError

from service.delivery import phrases, plain, proof, shapes
from service.delivery.forms import Forms
from service.delivery.fragments import signs_of, told
from service.delivery.frame import ReaderFrame
from service.delivery.heads import Heads, Written, written
from service.delivery.holes import (
    CONFIRMED,
    CONFIRMED_DAY,
    SCHEDULE,
    SUBJECT,
    SUBJECT_LINE,
    Unfit,
    refuse_signs,
    sentence_sign,
)
from service.delivery.i18n import Texts
from service.delivery.keeping import Keeping
from service.delivery.message import build
from service.delivery.plates import Filler, Plates, Setter, section_sign
from service.delivery.printed import Printed, shown_in
from service.delivery.render import HEADERS, Renderer, sentences, weight
from service.digest import budget
from service.digest.model import Digest, with_profiles

KEPT = 160_000_000
"""Bytes of rendered papers and digests that are kept, as their pieces are counted (those that both
hold, twice): 20 papers each of some 400 profiles."""

_PLATES = 2 / 5
"""Of which whole digests may hold so much."""

_LINES = 4_000_000
"""Bytes of lines that are kept for readers who have them alike."""

Profiles = Sequence[int | None]
"""Which interest of the reader each section is of."""

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
        for_plates = int(kept * _PLATES)
        self._forms = Forms(renderer, kept - for_plates)
        self._setter = Setter(self._forms)
        self._plates = Keeping[Plates](for_plates)
        self._last: tuple[Hashable, Plates] | None = None
        self._filler = Filler(min(_LINES, for_plates))
        self._lock = threading.Lock()
        self._refusals: dict[str, str] = {}

    def mail(
        self,
        digest: Digest,
        reader: ReaderFrame,
        heads: Heads,
        profiles: Profiles | None = None,
    ) -> bytes:
        """Return the whole message. Raises RenderError, MessageError."""
        return self.post(digest, reader, heads, profiles).message

    def post(
        self,
        digest: Digest,
        reader: ReaderFrame,
        heads: Heads,
        profiles: Profiles | None = None,
    ) -> Written:
        """Return the whole message, and as it goes on the wire where that is known.

        profiles: one for each section of a digest that many readers share; None = they are in it.
        What many readers get is made once for the same digest object. Raises RenderError,
        MessageError.
        """
        try:
            printed = self.printed(digest, reader, profiles)
        except Exception as error:  # the slow path knows whether anything is wrong, and says it
            self._tell(error)
            rendered = self.renderer.render_digest(with_profiles(digest, profiles), reader)
            return Written(build(rendered, **heads.fields()))
        return written(heads, printed)

    def _tell(self, error: Exception) -> None:
        """Log why a mail goes the slow path, each reason once."""
        why = str(error) if isinstance(error, Unfit) else type(error).__name__
        if why not in self._told and len(self._told) < _REASONS:
            self._told.add(why)
            self._log("mail_rendered_whole", why=why)

    def fit(self, digest: Digest, reader: ReaderFrame, profiles: Profiles | None = None) -> Digest:
        """Return the digest as ``mail`` would show it (``Renderer.fit``): the sizes of its pieces
        are added up. Beside those of the slow path they hold at most 3 bytes more for each hole."""
        try:
            self._refuse_unproven(reader.locale)
            with self._lock:
                return self._fitted(digest, reader, profiles, keep=False)[0]
        except Exception as error:
            self._tell(error)
            fitted = self.renderer.fit(with_profiles(digest, profiles), reader)
            return fitted if profiles is None else with_profiles(fitted, [None] * len(profiles))

    def sizes(
        self, digest: Digest, reader: ReaderFrame, profiles: Profiles | None = None
    ) -> tuple[int, int]:
        """Return the bytes that ``fit`` compares with the two budgets, of a digest as it is: those
        of its HTML before encoding, and of the whole mail. Raises RenderError."""
        try:
            self._refuse_unproven(reader.locale)
            with self._lock:
                return _sizes(self._put_together(digest, reader, profiles, keep=False))
        except Exception as error:
            self._tell(error)
            done = self.renderer.render_digest(with_profiles(digest, profiles), reader)
            return len(done.html.encode()), weight(done)

    def printed(
        self, digest: Digest, reader: ReaderFrame, profiles: Profiles | None = None
    ) -> Printed:
        """Return subject and parts. Raises Unfit: the slow path must do it."""
        self._refuse_unproven(reader.locale)
        with self._lock:
            return self._fitted(digest, reader, profiles, keep=True)[1]

    def refusal(self, language: str) -> str:
        """Return why mails of a language go the slow path; "" when they do not."""
        if language not in self._refusals:
            self._refusals[language] = proof.refusal(self.renderer, language, self._unproven)
        return self._refusals[language]

    @property
    def memory(self) -> int:
        """Bytes that are kept."""
        return self._forms.memory + self._plates.used + self._filler.memory

    def _refuse_unproven(self, locale: str) -> None:
        language = self.renderer.catalogs.texts(locale).language
        if why := self.refusal(language):
            raise Unfit(why, language)

    def _unproven(self, digest: Digest, reader: ReaderFrame) -> Printed:
        with self._lock:
            return self._fitted(digest, reader, None, keep=False)[1]

    def _fitted(
        self, digest: Digest, reader: ReaderFrame, profiles: Profiles | None, *, keep: bool
    ) -> tuple[Digest, Printed]:
        last: list[tuple[Digest, Printed]] = []

        def fits(candidate: Digest) -> bool:
            done = self._put_together(
                candidate, reader, profiles, keep=keep and candidate is digest
            )
            last[:] = [(candidate, done)]
            html, whole = _sizes(done)
            return html <= self.renderer.html_budget and whole <= self.renderer.message_budget

        fitted = budget.fit(digest, fits)
        if last[0][0] is not fitted and not fits(fitted):
            raise Unfit("This digest does not fit into one mail.")
        return last[0]

    def _put_together(
        self, digest: Digest, reader: ReaderFrame, profiles: Profiles | None, *, keep: bool
    ) -> Printed:
        texts = self.renderer.catalogs.texts(reader.locale)
        there = None if profiles is None else tuple(map(bool, profiles))
        key = (id(digest), texts.language, shapes.sort_of(reader), there)
        try:
            plates = self._kept(key, digest)
            if plates is None:
                plates = self._made(digest, reader, texts, profiles)
                if keep:
                    self._plates.put(key, plates)
                else:
                    self._last = (key, plates)
            own = _own(digest, reader, texts, profiles)
            in_text, in_html = shown_in(own)
            values = {**plates.values, **own}
            return Printed(
                plates.subject,
                self._filler.text(plates, values, in_text),
                self._filler.html(plates, values, in_html),
            )
        except JinjaError as error:
            raise Unfit(f"A template cannot be rendered: {error}") from error

    def _kept(self, key: Hashable, digest: Digest) -> Plates | None:
        """What was made of this very digest, or made last."""
        found = self._plates.get(key)
        if found is None and self._last is not None and self._last[0] == key:
            found = self._last[1]
        return found if found is not None and found.of() is digest else None

    def _made(
        self, digest: Digest, reader: ReaderFrame, texts: Texts, profiles: Profiles | None
    ) -> Plates:
        """What all readers of this sort get of a digest. Raises Unfit."""
        said = {
            name: (sentence_sign(number), sentence)
            for number, (name, sentence) in enumerate(sentences(digest, texts).items())
        }
        values = {SUBJECT_LINE: phrases.subject(digest, texts)}
        refuse_signs("".join([values[SUBJECT_LINE], *(sentence for _, sentence in said.values())]))
        values |= dict(said.values())
        named = with_profiles(digest, profiles)
        scope = self._forms.scope(named, reader, texts)
        frame = self._forms.frame(scope, named, reader, said)
        if not signs_of(frame.subject) <= values.keys():
            raise Unfit("The subject is other for each reader.")
        values[SUBJECT] = plain.one_line(told(frame.subject, values))
        return self._setter.plates(digest, named, scope, frame, values)


def _sizes(done: Printed) -> tuple[int, int]:
    return done.html.size, done.text.length + done.html.length + HEADERS


def _own(
    digest: Digest, reader: ReaderFrame, texts: Texts, profiles: Profiles | None
) -> dict[str, str]:
    """What is the reader's alone, by its signs. Raises Unfit."""
    if not shapes.is_plain(reader.tune_base):
        raise Unfit("The address of Tune is not a plain one.")
    values = shapes.urls(reader)
    values[SCHEDULE] = _schedule(texts, reader.weekdays, reader.hour, reader.zone)
    if reader.confirmed_on is not None:
        values[CONFIRMED], values[CONFIRMED_DAY] = _days(texts, reader.confirmed_on)
    ids = profiles if profiles is not None else [s.profile_id for s in digest.sections]
    for at, profile_id in enumerate(ids):
        if profile_id:
            values[section_sign(at)] = str(profile_id)
    return values


@lru_cache(maxsize=4096)
def _schedule(texts: Texts, weekdays: frozenset[int], hour: int, zone: str) -> str:
    return texts.schedule(weekdays, hour, zone)


@lru_cache(maxsize=4096)
def _days(texts: Texts, on: date) -> tuple[str, str]:
    """A day without and with its weekday, as templates write it."""
    days = texts.long_day(on), texts.day(on)
    return days[0].replace(" ", plain.GLUE), days[1].replace(" ", plain.GLUE)
