"""The clock of a zone by its stored name; one that tzdata does not know (any more) has a stand-in.

Zones are renamed, and a house may be brought to a machine with an older tzdata. A reader whose zone
is not known here goes by the installation's clock meanwhile: mail at a wrong hour is better than
none. Doctor and the reader's own page say so.
"""

from functools import cache
from zoneinfo import ZoneInfo

_UNKNOWN = (KeyError, ValueError, OSError)
"""What zoneinfo raises: no such zone, no name of one ("../x"), a folder ("Europe")."""

_house = "UTC"


def use_zone(name: str) -> None:
    """The zone of this installation, which stands in for unknown ones (once, by wiring)."""
    global _house
    _house = name
    clock_of.cache_clear()


def is_known(name: str) -> bool:
    """Whether this machine's tzdata has a zone of this name."""
    try:
        ZoneInfo(name)
    except _UNKNOWN:
        return False
    return True


@cache
def clock_of(name: str) -> ZoneInfo:
    """The clock of a stored zone, or of the installation where there is no such zone here."""
    if is_known(name):
        return ZoneInfo(name)
    return ZoneInfo(_house) if is_known(_house) else ZoneInfo("UTC")
