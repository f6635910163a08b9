"""How often a password may be guessed: windows of 15 minutes, by name, network or browser."""

from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta

from service.defaults import FIXED
from service.errors import PaperpostError
from service.flows.caps import network_of
from service.flows.runtime import Runtime
from service.store import staff as staff_store
from service.store.db import Session

WINDOW = timedelta(minutes=FIXED.login_minutes)
NETWORK_TIMES = 4
"""Several people behind one address mistype, too."""


class LoginError(PaperpostError):
    """Name or password are wrong, or there were too many tries."""


def of_name(name: str) -> str:
    """What tries of a name are counted by, from browsers in which it never logged in."""
    return f"name:{name.lower()}"


def of_change(admin_id: int) -> str:
    """The same, of the present password where it is changed."""
    return f"change:{admin_id}"


def limits_of(rt: Runtime, name: str, address: str, device: str) -> dict[str, int]:
    """How many tries may fail, by what they are counted; the first is cleared by a good one.

    device: a browser in which this name has logged in before. It is counted apart, so that
    strangers who fill the window of a name, or of a network, keep out nobody who works here; who
    stole it guesses as slowly.
    """
    most = rt.defaults().login_tries
    if device:
        return {f"device:{device}": most}
    network = {f"network:{network_of(address)}": most * NETWORK_TIMES} if address else {}
    return {of_name(name): most} | network


def check(rt: Runtime, limits: Mapping[str, int]) -> None:
    """Raises LoginError where a window is full: then the right password does not help either."""
    now = rt.clock()
    for key, most in limits.items():
        tries, until = rt.db.read(lambda s, k=key: staff_store.get_tries(s, k, now))  # type: ignore[misc]
        if tries >= most and until is not None:
            minutes = max(1, round((until - now).total_seconds() / 60))
            wait = "a minute" if minutes == 1 else f"{minutes} minutes"
            raise LoginError(f"{tries} tries failed.", "", f"Try again in {wait}.")


def note(session: Session, keys: Iterable[str], now: datetime) -> None:
    """One more try that failed."""
    for key in keys:
        staff_store.add_try(session, key, now, now + WINDOW)
