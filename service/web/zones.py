"""Time zones to choose from: those of people's places, without old names."""

from datetime import datetime
from functools import cache
from importlib.resources import files

from service.delivery.i18n import SOURCE, Texts
from service.subscribers.cadence import known_zones
from service.subscribers.zone import clock_of


@cache
def listed_zones() -> tuple[str, ...]:
    """IANA names by alphabet, from tzdata's zone.tab (its third column), and UTC."""
    text = files("tzdata.zoneinfo").joinpath("zone.tab").read_text("utf-8")
    rows = [line.split("\t") for line in text.splitlines() if line and not line.startswith("#")]
    names = {row[2] for row in rows if len(row) > 2} & known_zones()
    return (*sorted(names), "UTC")


_shown: dict[str, dict[str, str]] = {}
"""Language -> zone -> what is shown: looked up once for each language."""


def _in_words(name: str, texts: Texts) -> str:
    """The zone's name, and its place where the language calls it something else."""
    shown = _shown.setdefault(texts.language, {})
    if name not in shown:
        city = "" if texts.locale.language == SOURCE else texts.city(name)
        plain = name.rpartition("/")[2].replace("_", " ")
        shown[name] = f"{name} ({city})" if city and city != plain else name
    return shown[name]


def zone_options(chosen: str, now: datetime, texts: Texts) -> list[tuple[str, str]]:
    """Pairs (zone, what is shown); the chosen one is there in any case, and tells the time."""
    names = listed_zones()
    if chosen not in names:
        names = (chosen, *names)
    there = now.astimezone(clock_of(chosen))
    time = texts.hour(there.hour, there.minute)
    told = texts.gettext("%(zone)s, now %(time)s", zone=chosen, time=time)
    return [(name, told if name == chosen else _in_words(name, texts)) for name in names]
