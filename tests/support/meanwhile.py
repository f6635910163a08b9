"""What happens at the same moment: between two steps of a flow, or in threads begun together."""

import threading
from collections.abc import Callable
from typing import Any

from service.flows.runtime import Runtime

WAIT_S = 60


def between(rt: Runtime, seen: Callable[[Any], bool], act: Callable[[], Any]) -> list[Any]:
    """``act`` happens once: after the first reading that ``seen`` knows, before what is written.

    Returns the list that holds what it gave, and nothing until then.
    """
    real = rt.db.read
    begun = False
    gave: list[Any] = []

    def read(work: Callable[..., Any]) -> Any:
        nonlocal begun
        made = real(work)
        if not begun and seen(made):
            begun = True
            gave.append(act())
        return made

    rt.db.read = read  # type: ignore[method-assign]
    return gave


def listed(made: object) -> bool:
    """The readers that a daily is planned for; beside them those who wait for its release."""
    if isinstance(made, tuple) and made and isinstance(made[0], list):
        made = made[0]
    return isinstance(made, list) and bool(made) and isinstance(made[0], tuple)


def decided(made: object) -> bool:
    """What the mails of a daily hold."""
    return isinstance(made, list) and bool(made) and type(made[0]).__name__ == "Decided"


def composed(made: object) -> bool:
    """What one alert holds."""
    return type(made).__name__ == "Digest"


def at_once(*acts: Callable[[], object]) -> list[Exception]:
    """Every act in a thread of its own, begun together; what they raised."""
    faults: list[Exception] = []
    gate = threading.Barrier(len(acts))

    def go(act: Callable[[], object]) -> None:
        try:
            gate.wait()
            act()
        except Exception as error:
            faults.append(error)

    threads = [threading.Thread(target=go, args=(act,)) for act in acts]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(WAIT_S)
    assert not any(thread.is_alive() for thread in threads)
    return faults
