"""How many requests a token may make: so many a minute, some of them at once."""

import threading
import time
from collections.abc import Callable

_FULL_S = 60.0


class TokenPace:
    """A bucket a token, in this process: it holds a minute's requests and fills evenly.

    clock: seconds that never jump.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        self._left: dict[int, tuple[float, float]] = {}

    def take(self, number: int, per_minute: int) -> float:
        """Take one request of a token; 0, or the seconds until there is one to take."""
        now = self._clock()
        with self._lock:
            left, at = self._left.get(number, (float(per_minute), now))
            left = min(float(per_minute), left + (now - at) * per_minute / _FULL_S)
            is_free = left >= 1
            self._left[number] = (left - 1 if is_free else left), now
        return 0.0 if is_free else (1 - left) * _FULL_S / per_minute
