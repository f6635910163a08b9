"""Time zones to choose from: those of people's places, without old names."""

from datetime import datetime
from functools import cache
from importlib.resources import files
from zoneinfo import ZoneInfo, available_timezones


@cache
def listed_zones() -> tuple[str, ...]:
    """IANA names by alphabet, from tzdata's zone.tab (its third column), and UTC."""
    text = files("tzdata.zoneinfo").joinpath("zone.tab").read_text("utf-8")
    rows = [line.split("\t") for line in text.splitlines() if line and not line.startswith("#")]
    names = {row[2] for row in rows if len(row) > 2} & available_timezones()
    return (*sorted(names), "UTC")


def zone_options(chosen: str, now: datetime, now_words: str) -> list[tuple[str, str]]:
    """Pairs (zone, what is shown); the chosen one is there in any case, and tells the time.

    now_words: "%(zone)s, now %(time)s" in the reader's language.
    """
    names = listed_zones()
    if chosen not in names:
        names = (chosen, *names)
    there = now.astimezone(ZoneInfo(chosen)).strftime("%H:%M")
    return [
        (name, now_words % {"zone": name, "time": there} if name == chosen else name)
        for name in names
    ]
