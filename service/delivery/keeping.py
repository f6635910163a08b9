"""A store that forgets what was not asked for longest, bounded in bytes. Pure."""

from collections import OrderedDict
from collections.abc import Hashable
from typing import Generic, Protocol, TypeVar


class Sized(Protocol):
    """Says about how many bytes it holds."""

    @property
    def memory(self) -> int: ...


Value = TypeVar("Value", bound=Sized)


class Keeping(Generic[Value]):
    """What was made, by what it was made from; ``limit`` is in bytes."""

    def __init__(self, limit: int) -> None:
        self.limit = limit
        self.used = 0
        self._kept: OrderedDict[Hashable, tuple[Value, int]] = OrderedDict()

    def __len__(self) -> int:
        return len(self._kept)

    def get(self, key: Hashable) -> Value | None:
        """Return what is kept, which is now the last to be forgotten."""
        found = self._kept.get(key)
        if found is None:
            return None
        self._kept.move_to_end(key)
        return found[0]

    def grow(self, key: Hashable, by: int) -> None:
        """Count that a value holds so many bytes more."""
        found = self._kept.get(key)
        if found is not None:
            self._kept[key] = (found[0], found[1] + by)
            self.used += by
            self._forget()

    def put(self, key: Hashable, value: Value) -> Value:
        """Keep a value, forget others for it, and return it."""
        size = value.memory
        old = self._kept.pop(key, None)
        self.used += size - (old[1] if old is not None else 0)
        self._kept[key] = (value, size)
        self._forget()
        return value

    def _forget(self) -> None:
        while self.used > self.limit and len(self._kept) > 1:
            _, (_, freed) = self._kept.popitem(last=False)
            self.used -= freed
