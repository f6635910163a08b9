"""How often a password may be guessed: windows of 15 minutes, by name, network or browser."""

from collections.abc import Mapping
from datetime import timedelta

from service.defaults import FIXED
from service.errors import PaperpostError
from service.flows.caps import network_of
from service.flows.runtime import Runtime
from service.store import staff as staff_store
from service.store.db import Priority, Session

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


def take(rt: Runtime, limits: Mapping[str, int]) -> None:
    """Count a try before its password is looked at: guesses at once are as few as one after the
    other. What is good is given back (``give_back``). Raises LoginError where a window is full:
    nothing is counted, and the right password does not help either."""
    now = rt.clock()

    def act(session: Session) -> None:
        for key, most in limits.items():
            until = staff_store.take_try(session, key, most, now, now + WINDOW)
            if until is not None:
                minutes = max(1, round((until - now).total_seconds() / 60))
                wait = "a minute" if minutes == 1 else f"{minutes} minutes"
                raise LoginError(f"{most} tries failed.", "", f"Try again in {wait}.")

    rt.db.write(act, Priority.WEB)


def give_back(session: Session, limits: Mapping[str, int]) -> None:
    """The try was good: the first window is cleared, the others are as before it."""
    first, *others = limits
    staff_store.delete_tries(session, first)
    for key in others:
        staff_store.give_back(session, key)
