"""Languages: catalogs from ``templates/locale/*.po``, dates and numbers by Babel."""

from collections.abc import Sequence
from datetime import date
from pathlib import Path


class Texts:
    """One language."""

    locale: str

    def gettext(self, message: str, **values: object) -> str:
        raise NotImplementedError

    def ngettext(self, one: str, many: str, n: int, **values: object) -> str:
        raise NotImplementedError

    def pgettext(self, context: str, message: str, **values: object) -> str:
        raise NotImplementedError

    def day(self, on: date) -> str:
        """Return "Fri 20 November"."""
        raise NotImplementedError

    def short_day(self, on: date, near: date | None = None) -> str:
        """Return "20 Nov" (with the year when ``near`` lies in another)."""
        raise NotImplementedError

    def number(self, n: int) -> str:
        raise NotImplementedError

    def hour(self, hour: int, minute: int = 0) -> str:
        """Return "08:00"."""
        raise NotImplementedError

    def join(self, items: Sequence[str]) -> str:
        raise NotImplementedError


class Catalogs:
    """All languages of an installation."""

    @classmethod
    def load(cls, folder: Path) -> "Catalogs":
        raise NotImplementedError

    @property
    def languages(self) -> tuple[str, ...]:
        raise NotImplementedError

    def texts(self, locale: str) -> Texts:
        """Return the language nearest to ``locale`` ("de-CH" -> de, unknown -> en)."""
        raise NotImplementedError
