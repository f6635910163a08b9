"""Languages: catalogs from ``templates/locale/*.po`` (no build step), dates and numbers by Babel.

English is the source: its texts stand in the templates and in code. "en-XA" is a pseudo-language
made from them: whatever is not in ⟦brackets⟧ when a page or mail is shown in it, escaped gettext.
With a catalog of all messages that translators are given, it also shows what they would never see.
"ar-XB" is another: English in Arabic letters, written from right to left, to try the frame with.
"""

import re
from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import date, time
from functools import lru_cache
from gettext import c2py
from pathlib import Path
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from babel import Locale
from babel.dates import format_date, format_time, get_timezone_location
from babel.lists import format_list
from babel.messages.catalog import Catalog
from babel.messages.pofile import PoFileError, read_po
from babel.numbers import format_decimal

from service.errors import PaperpostError, Sentence
from service.text.language import language_of

SOURCE = "en"
PSEUDO = "en-XA"
MIRRORED = "ar-XB"
PSEUDOS = {PSEUDO: SOURCE, MIRRORED: "ar"}
"""For tests and the gallery, nobody is offered them; whose dates and numbers they have."""
SIMPLIFIED = "zh"
"""Chinese as we have it; ``is_traditional`` readers are not given it for theirs."""
PATTERNS = "date pattern"
"""Context of the messages that are CLDR patterns (and are not words to accent)."""

_PLACEHOLDER = re.compile(r"%\(\w+\)[sd]|%%|\{\w+\}|<[^<>]+>|&\w+;")
_ACCENTED = str.maketrans(
    "ACEGHIJKLNORSTUWYZacdeghijklnorstuwyz", "ÀÇÉĜĤÎĴĶĻÑÖŔŠŢÛŴÝŽàçďéĝĥîĵķļñöŕšţûŵýž"
)
_UNSPACED = frozenset({"zh", "ja"})
_WIDE_SIGNS = tuple("。？！：；，、）」")
"""Signs of Chinese and Japanese that hold their blank themselves."""

_DAY = re.compile(r"(?<![\w'])d(?![\w'])", re.ASCII)
"""The day of the month in a date pattern, where it stands by itself."""

_TAG = re.compile(r"[A-Za-z]{2,3}(-[A-Za-z0-9]{2,8})*")
_TRADITIONAL = re.compile(r"zh-(?!hans)(.*-)?(hant|tw|hk|mo)(-.*)?")
_VALUE = re.compile(r"%\((?!num\))\w+\)s")
_LETTERS = "abcdefghijklmnopqrstuvwxyz"
_ARABIC = str.maketrans(_LETTERS + _LETTERS.upper(), "ابسدهفغحيجكلمنوبقرستوفوخيز" * 2)


class CatalogError(PaperpostError):
    """A .po file cannot be read; ``where`` is its name."""


def is_traditional(tag: str) -> bool:
    """Say whether a language tag asks for Chinese in traditional letters: zh-Hant, zh-TW, zh-HK."""
    return _TRADITIONAL.fullmatch(tag.lower().replace("_", "-")) is not None


def pseudo(message: str, language: str = PSEUDO) -> str:
    """Return the message accented and in brackets, or in Arabic letters; placeholders untouched."""
    table = _ARABIC if language == MIRRORED else _ACCENTED
    at, result = 0, ""
    for found in _PLACEHOLDER.finditer(message):
        result += message[at : found.start()].translate(table) + found[0]
        at = found.end()
    result += message[at:].translate(table)
    return result if language == MIRRORED else f"⟦{result}⟧"


@lru_cache(maxsize=2048, typed=True)
def _number(n: int | float, locale: Locale) -> str:
    return str(format_decimal(n, locale=locale))


@lru_cache(maxsize=2048)
def _date(on: date, pattern: str, locale: Locale) -> str:
    return str(format_date(on, pattern, locale=locale))


@lru_cache(maxsize=512)
def _hour(hour: int, minute: int, locale: Locale) -> str:
    return str(format_time(time(hour, minute), "HH:mm", locale=locale))


@lru_cache(maxsize=1024)
def _place(zone: str, locale: Locale) -> str:
    """The city of a zone, "" for an unknown one."""
    try:
        place = get_timezone_location(ZoneInfo(zone), locale=locale, return_city=True)
    except (ZoneInfoNotFoundError, LookupError, ValueError):
        return ""
    return str(place).replace("\u00ad", "")  # CLDR's "Reyk-ja-vík" has soft hyphens


class Texts:
    """One language: messages, dates, numbers. ``language`` is what goes into ``lang=``,
    ``direction`` ("ltr" or "rtl") what goes into ``dir=``."""

    def __init__(self, language: str, catalog: Catalog | None = None) -> None:
        self.language = language
        self.locale = Locale.parse(PSEUDOS.get(language, language), sep="-")
        self.direction: str = self.locale.text_direction
        self._catalog = catalog
        self._is_pseudo = language in PSEUDOS
        self._form = c2py(catalog.plural_expr) if catalog is not None else None

    def foreign(self, text: str, told: str = "") -> dict[str, str]:
        """Return the attributes of an element with a text that is not ours (a title, a name).

        told: its language, where its source says it. Nothing in an English frame around an English
        text; ``lang`` around another one, so that it is read aloud as what it is; ``dir`` where the
        frame is written from right to left, so that the text keeps its own order.
        """
        found = {}
        tongue = told if _TAG.fullmatch(told) else self.tongue(text)
        if tongue and tongue.partition("-")[0].lower() != self.locale.language:
            found["lang"] = tongue
        if self.direction == "rtl":
            found["dir"] = "auto"
        return found

    @staticmethod
    def tongue(text: str) -> str:
        """Return what goes into ``lang=`` of a text that is not ours; "" = nobody knows."""
        return language_of(text)

    @property
    def own_name(self) -> str:
        """Return the language's name in itself, as lists show it: "Deutsch", "Français"."""
        if self.language == SIMPLIFIED:
            return str(self.locale.languages["zh_Hans"])
        name = str(self.locale.get_display_name(self.locale))
        return name[:1].upper() + name[1:]

    def gettext(self, message: str, **values: object) -> str:
        """Return the translation; ``%(name)s`` is filled when values are given."""
        return _filled(self._one(message, None), values)

    def knows(self, message: str) -> bool:
        """Say whether this language has a translation of a message of its own."""
        return self._catalog is not None and bool(getattr(self._catalog.get(message), "string", ""))

    def pgettext(self, context: str, message: str, **values: object) -> str:
        return _filled(self._one(message, context), values)

    def ngettext(self, one: str, many: str, n: int, **values: object) -> str:
        """Return the plural form for ``n``; ``%(num)s`` is the number as the language writes it."""
        return self.npgettext(None, one, many, n, **values)

    def npgettext(self, context: str | None, one: str, many: str, n: int, **values: object) -> str:
        return _filled(self.plural(context, one, many, n), {"num": self.number(n)} | values)

    def said(self, text: str) -> str:
        """Return a sentence in this language; a plain string (English for staff) as it is."""
        if not isinstance(text, Sentence):
            return text
        values = {name: self._value(value) for name, value in text.values.items()}
        if text.many:
            return _filled(self.plural(None, text.message, text.many, text.n), values)
        return self.gettext(text.message, **values)

    def _value(self, value: object) -> str:
        if isinstance(value, date):
            return self._dated(value, self.pgettext("date pattern", "d MMMM y"))
        if isinstance(value, int | float):
            return self.number(value)
        return self.said(value if isinstance(value, str) else str(value))

    def plural(self, context: str | None, one: str, many: str, n: int) -> str:
        """Return the plural form for ``n`` with its placeholders still in it."""
        if self._is_pseudo:
            return self._shaped(self._pseudo(one if n == 1 else many, one, context))
        found = self._catalog.get(one, context) if self._catalog is not None else None
        if found is not None and isinstance(found.string, tuple | list) and self._form:
            form = found.string[self._form(n)]
            if form:
                return self._shaped(str(form))
        return one if n == 1 else many

    def day(self, on: date, near: date | None = None) -> str:
        """Return "Fri 20 November", with the year when ``near`` lies in another."""
        if near is not None and near.year != on.year:
            return self._dated(on, self.pgettext("date pattern", "EEE d MMMM y"))
        return self._dated(on, self.pgettext("date pattern", "EEE d MMMM"))

    def long_day(self, on: date) -> str:
        """Return "3 November" (no weekday)."""
        return self._dated(on, self.pgettext("date pattern", "d MMMM"))

    def short_day(self, on: date, near: date | None = None) -> str:
        """Return "20 Nov", with the year when ``near`` lies in another."""
        if near is not None and near.year != on.year:
            return self._dated(on, self.pgettext("date pattern", "d MMM y"))
        return self._dated(on, self.pgettext("date pattern", "d MMM"))

    def weekday(self, number: int, width: str = "wide") -> str:
        """Return "Monday" for 0; width "abbreviated" gives "Mon"."""
        return self._shown(str(self.locale.days["stand-alone"][width][number]))

    def number(self, n: int | float) -> str:
        """Return "35,486"."""
        return _number(n, self.locale)

    def hour(self, hour: int, minute: int = 0) -> str:
        """Return "08:00" (24 hours in every language: it is what the reader typed)."""
        return _hour(hour, minute, self.locale)

    def join(self, items: Sequence[str]) -> str:
        """Return "a, b and c"."""
        apart = [self._apart(item) for item in items]
        if self.language == SIMPLIFIED and len(apart) > 1:  # CLDR has no blank beside Latin letters
            before, last = "、".join(apart[:-1]), apart[-1]
            return f"{before}{' ' * before[-1:].isascii()}和{' ' * last[:1].isascii()}{last}"
        return str(format_list(apart, "standard", locale=self.locale)) if items else ""

    def commas(self, items: Iterable[str]) -> str:
        """Return "a, b": things beside each other, without "and"."""
        return self.pgettext("between things beside each other", ", ").join(map(self._apart, items))

    def gap(self, before: str, after: str) -> str:
        """Return what stands between two texts: a blank, but behind a full-width sign none."""
        is_wide = self.language in _UNSPACED and before[-1:] in _WIDE_SIGNS
        return "" if is_wide and not after.startswith("http") else " "

    def sentences(self, *parts: str) -> str:
        """Return sentences one behind the other; empty ones are left out."""
        said = ""
        for part in filter(None, parts):
            said += self.gap(said, part) * bool(said) + part
        return said

    def labelled(self, text: str) -> str:
        """Return "a:", to stand before a value; some languages write a sign of their own there."""
        return self.pgettext("before a value", "%(label)s:", label=text)

    def ended(self, text: str) -> str:
        """Return "a.", what is no sentence of its own as one."""
        return self.pgettext("end of a sentence", "%(text)s.", text=text)

    def quoted(self, text: str) -> str:
        """Return "“a”", in the quotes of the language."""
        return self.gettext("“%(text)s”", text=text)

    def city(self, zone: str) -> str:
        """Return the place of an IANA zone as the language calls it: "Zurich"."""
        if "/" not in zone or zone.startswith("Etc/"):
            return zone.removeprefix("Etc/")
        place = _place(zone, self.locale)
        return self._shown((place or zone.replace("_", " ")).rpartition("/")[2])

    def mail_days(self, weekdays: Collection[int]) -> str:
        """Return "Weekdays", "Every day", or their names."""
        chosen = sorted(set(weekdays))
        if chosen == [0, 1, 2, 3, 4]:
            return self.gettext("Weekdays")
        if len(chosen) == 7:
            return self.gettext("Every day")
        return self.join([self.weekday(day) for day in chosen])

    def schedule(self, weekdays: Collection[int], hour: int, zone: str) -> str:
        """Return "Weekdays at 08:00, Zurich"."""
        days = self.mail_days(weekdays)
        return self.gettext(
            "%(days)s at %(hour)s, %(city)s", days=days, hour=self.hour(hour), city=self.city(zone)
        )

    def _one(self, message: str, context: str | None) -> str:
        if self._is_pseudo:
            return self._shaped(self._pseudo(message, message, context))
        found = self._catalog.get(message, context) if self._catalog is not None else None
        if found is not None and isinstance(found.string, str) and found.string:
            return self._shaped(found.string)
        return message

    def _shaped(self, message: str) -> str:
        """Written from right to left, each value stands apart (FSI, PDI: Unicode, Annex 9): Latin
        terms and addresses keep their own order, and do not turn that of the words around them."""
        return _VALUE.sub("\u2068\\g<0>\u2069", message) if self.direction == "rtl" else message

    def _pseudo(self, text: str, message: str, context: str | None) -> str:
        """Accent what is to be translated; given a catalog, only what stands in it."""
        known = self._catalog is None or self._catalog.get(message, context) is not None
        return pseudo(text, self.language) if known and context != PATTERNS else text

    def _apart(self, item: str) -> str:
        return f"\u2068{item}\u2069" if self.direction == "rtl" else item

    def _dated(self, on: date, pattern: str) -> str:
        # French writes the first of a month as an ordinal; templates may give no date
        if on and on.day == 1:
            first = self.pgettext("date pattern", "d")
            pattern = _DAY.sub(first, pattern)
        return self._shown(_date(on, pattern, self.locale))

    def _shown(self, text: str) -> str:
        return f"⟦{text}⟧" if self.language == PSEUDO else text


def _filled(message: str, values: Mapping[str, object]) -> str:
    return message % values if values else message


class Catalogs:
    """All languages of an installation, read once at start."""

    def __init__(self, languages: Mapping[str, Texts]) -> None:
        always = {name: Texts(name) for name in (SOURCE, *PSEUDOS)}
        self._languages = always | dict(languages)

    @classmethod
    def load(cls, folder: Path) -> "Catalogs":
        """Read every ``<lang>.po`` of the folder. Raises CatalogError with file and line."""
        found = {}
        for path in sorted(folder.glob("*.po")):
            language = path.stem.replace("_", "-")
            try:
                with path.open("rb") as file:
                    catalog = read_po(file, locale=language.replace("-", "_"), abort_invalid=True)
                found[language] = Texts(language, catalog)
            except (PoFileError, ValueError, LookupError) as error:
                raise CatalogError(f"This catalog cannot be read: {error}", path.name) from error
        return cls(found)

    @property
    def languages(self) -> tuple[str, ...]:
        """Return what readers can choose (the pseudo-languages are for tests alone)."""
        return tuple(name for name in self._languages if name not in PSEUDOS)

    def texts(self, locale: str) -> Texts:
        """Return the language nearest to ``locale`` ("de_CH" -> de, "zh_TW" and unknown -> en)."""
        wanted = locale.replace("_", "-")
        if wanted in self._languages:
            return self._languages[wanted]
        if is_traditional(wanted):
            return self._languages[SOURCE]
        return self._languages.get(wanted.partition("-")[0].lower(), self._languages[SOURCE])
