"""A time zone by what people call their place: a city, a country, an old name, in their language.

Cities are those of tzdata and of CLDR, in English and in the reader's language; old names are
tzdata's links ("Asia/Calcutta"); a country stands for its zones.
"""

import re
import unicodedata
from collections import defaultdict
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from functools import cache
from importlib.resources import files
from zoneinfo import ZoneInfo

from service.delivery.i18n import SOURCE, Texts
from service.errors import Sentence, quoted
from service.subscribers.cadence import CadenceError, known_zones, read_zone
from service.web.cities import CITIES, FIRST, SHORT
from service.web.zones import listed_zones

MOST_OFFERS = 8
_APART = re.compile(r"[^a-z0-9+]+")


class PlaceError(CadenceError):
    """Nobody knows the place, or there are several. zones: those it may be, best first."""

    def __init__(self, what: Sentence, next_step: Sentence, zones: tuple[str, ...] = ()) -> None:
        super().__init__(what, "place", next_step)
        self.zones = zones


def read_place(text: str, spoken: Sequence[Texts]) -> str:
    """The zone of a place as it was typed, in one of the languages. Raises PlaceError."""
    typed = text.strip()
    if typed in known_zones():
        return dict(_links()).get(typed) or read_zone(typed)
    found = find_zones(typed, spoken)
    if found and len({_clock(zone) for zone in found}) == 1:
        return found[0]  # Germany has two zones, and one time
    shown = quoted(typed[:60])
    if found:
        what = Sentence("%(text)s may be several time zones.", text=shown)
        raise PlaceError(what, Sentence("Choose one."), found)
    raise PlaceError(
        Sentence("No time zone is known by %(text)s.", text=shown),
        Sentence("Write a large city of yours, a country, or a name like Europe/Zurich."),
    )


def find_zones(text: str, spoken: Sequence[Texts]) -> tuple[str, ...]:
    """Zones of places called so, else of those with a word that begins so; ``MOST_OFFERS`` at
    most."""
    wanted = _folded(text)
    if not wanted:
        return ()
    names: dict[str, tuple[str, ...]] = {}
    for texts in (Texts(SOURCE), *spoken):
        for name, zones in _names(texts.language, texts).items():
            names[name] = tuple(dict.fromkeys((*names.get(name, ()), *zones)))
    if wanted in names:
        return _offered(names[wanted])
    for fits in (str.startswith, _has_word):
        found = (zones for name, zones in names.items() if fits(name, wanted))
        if offered := _offered(zone for zones in found for zone in zones):
            return offered
    return ()


def _has_word(name: str, wanted: str) -> bool:
    return f" {wanted}" in f" {name}"


def _offered(zones: Iterable[str]) -> tuple[str, ...]:
    """One of each clock, those of most people first."""
    found = sorted(dict.fromkeys(zones), key=lambda z: FIRST.index(z) if z in FIRST else len(FIRST))
    clocks: dict[object, str] = {}
    for zone in found:
        clocks.setdefault(_clock(zone), zone)
    return tuple(clocks.values())[:MOST_OFFERS]


@cache
def _clock(zone: str) -> tuple[object, ...]:
    """What tells clocks apart: how far they are from UTC in each month of a year."""
    months = (datetime(2026, month, 15, tzinfo=UTC) for month in range(1, 13))
    return tuple(at.astimezone(ZoneInfo(zone)).utcoffset() for at in months)


def place_options(now: datetime, texts: Texts) -> list[tuple[str, str]]:
    """Pairs (zone, "Zurich, now 14:05") for a list of suggestions."""
    shown = []
    for zone in listed_zones():
        there = now.astimezone(ZoneInfo(zone))
        time = texts.hour(there.hour, there.minute)
        shown.append(
            (zone, texts.gettext("%(zone)s, now %(time)s", zone=texts.city(zone), time=time))
        )
    return shown


def _folded(text: str) -> str:
    """Small letters without accents, words apart by one blank: "são_paulo" -> "sao paulo"."""
    plain = unicodedata.normalize("NFKD", text.casefold().replace("ß", "ss"))
    letters = "".join(c for c in plain if not unicodedata.combining(c))
    return " ".join(_APART.sub(" ", letters).split())


_kept: dict[str, dict[str, tuple[str, ...]]] = {}


def _names(language: str, texts: Texts) -> dict[str, tuple[str, ...]]:
    """Folded name -> zones, made once for each language."""
    if language not in _kept:
        found: defaultdict[str, dict[str, None]] = defaultdict(dict)
        for zone in listed_zones():
            for name in (zone, zone.rpartition("/")[2], texts.city(zone)):
                found[_folded(name)][zone] = None
        for old, zone in _links():
            for name in (old, old.rpartition("/")[2]):
                found[_folded(name)].setdefault(zone)
        for country, zones in _countries().items():
            called = _folded(str(texts.locale.territories.get(country) or ""))
            for zone in zones:
                found[called].setdefault(zone)
        for zone, cities in CITIES.items():
            for name in cities.split(","):
                found[_folded(name)].setdefault(zone)
        for name, country in SHORT.items():
            found[name] = dict.fromkeys(_countries()[country])
        _kept[language] = {name: tuple(zones) for name, zones in found.items() if name}
    return _kept[language]


@cache
def _links() -> tuple[tuple[str, str], ...]:
    """(old name, zone of today) from tzdata."""
    text = files("tzdata.zoneinfo").joinpath("tzdata.zi").read_text("utf-8")
    rows = (line.split() for line in text.splitlines() if line.startswith("L "))
    listed = set(listed_zones())
    return tuple(
        (row[2], row[1]) for row in rows if len(row) == 3 and row[1] in known_zones()
        and row[2] not in listed and "/" in row[2]
    )  # fmt: skip


@cache
def _countries() -> dict[str, tuple[str, ...]]:
    """Country code -> its zones, from tzdata's zone.tab: those of most people first."""
    text = files("tzdata.zoneinfo").joinpath("zone.tab").read_text("utf-8")
    found: defaultdict[str, list[str]] = defaultdict(list)
    for line in text.splitlines():
        row = line.split("\t")
        if not line.startswith("#") and len(row) > 2 and row[2] in known_zones():
            found[row[0]].append(row[2])
    return {code: tuple(zones) for code, zones in found.items()}
