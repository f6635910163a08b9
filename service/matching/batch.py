"""Profiles x papers in one go, without a database: the pure part of ``paperpost match``."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any


def match_batch(
    profiles: Iterable[Mapping[str, Any]],
    papers: Iterable[Mapping[str, Any]],
    *,
    explain: bool = False,
    refused: list[dict[str, str]] | None = None,
) -> Iterator[dict[str, Any]]:
    """Lines ``{"profile","paper","score","hits"}``; unreadable queries go to ``refused``."""
    raise NotImplementedError


def count_batch(
    profiles: Iterable[Mapping[str, Any]],
    papers: Iterable[Mapping[str, Any]],
    *,
    cpu: Callable[[], float],
    peak_mb: Callable[[], float],
) -> dict[str, Any]:
    """The one object of ``--count``; ``cpu`` gives seconds of CPU so far, ``peak_mb`` MB."""
    raise NotImplementedError
