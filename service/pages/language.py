"""Which language a page speaks, and the built-in English."""

from collections.abc import Sequence
from datetime import date
from typing import Protocol

from babel.dates import format_skeleton
from babel.lists import format_list
from babel.numbers import format_decimal
from fastapi import Request


class Texts(Protocol):
    """One language, as ``delivery.i18n`` gives it."""

    @property
    def locale(self) -> str: ...
    def gettext(self, message: str, /) -> str: ...
    def ngettext(self, one: str, many: str, n: int, /) -> str: ...
    def day(self, on: date, /) -> str: ...
    def short_day(self, on: date, near: date | None = None, /) -> str: ...
    def number(self, n: int, /) -> str: ...
    def hour(self, hour: int, minute: int = 0, /) -> str: ...
    def join(self, items: Sequence[str], /) -> str: ...


class Catalogs(Protocol):
    """Every language there is; ``texts`` of an unknown one is English."""

    @property
    def languages(self) -> Sequence[str]: ...
    def texts(self, locale: str, /) -> Texts: ...


class English:
    """The templates' own words. Days are written "Fri 20 November"."""

    locale = "en"

    def gettext(self, message: str, /) -> str:
        return message

    def ngettext(self, one: str, many: str, n: int, /) -> str:
        return one if n == 1 else many

    def day(self, on: date, /) -> str:
        weekday = format_skeleton("E", on, locale="en_GB")
        return f"{weekday} {format_skeleton('dMMMM', on, locale='en_GB')}"

    def short_day(self, on: date, near: date | None = None, /) -> str:
        shape = "dMMM" if near is None or near.year == on.year else "dMMMy"
        return format_skeleton(shape, on, locale="en_GB")

    def number(self, n: int, /) -> str:
        return format_decimal(n, locale="en")

    def hour(self, hour: int, minute: int = 0, /) -> str:
        return f"{hour:02}:{minute:02}"

    def join(self, items: Sequence[str], /) -> str:
        return format_list(list(items), locale="en_GB")


class EnglishOnly:
    """The catalogs of an installation that has none."""

    languages = ("en",)

    def texts(self, locale: str, /) -> Texts:
        return English()


def locale_of(request: Request, locales: Sequence[str]) -> str:
    """Return the reader's language: ``?lang=``, else Accept-Language (RFC 9110, 12.5.4), else en.

    Only a member of ``locales`` is ever returned; "de-CH" finds "de".
    """
    accepted = _accepted(request.headers.get("accept-language", ""))
    asked = [request.query_params.get("lang", ""), *accepted]
    known = {name.lower().replace("_", "-"): name for name in locales}
    for tag in asked:
        wanted = tag.lower().replace("_", "-")
        while wanted:
            if wanted in known:
                return known[wanted]
            wanted = wanted.rpartition("-")[0]
    return "en"


def _accepted(header: str) -> list[str]:
    """Return the language tags of an Accept-Language header, most wanted first."""
    weighed: list[tuple[float, int, str]] = []
    for place, item in enumerate(header[:400].split(",")):
        tag, _, rest = item.strip().partition(";")
        weight = 1.0
        if rest.strip().lower().startswith("q="):
            try:
                weight = float(rest.strip()[2:])
            except ValueError:
                continue
        if tag.strip() and tag.strip() != "*" and weight > 0:
            weighed.append((-weight, place, tag.strip()))
    return [tag for _, _, tag in sorted(weighed)]
