"""No pattern of the room costs more than its text is long: a mail is written by who wants it to."""

import importlib
import pkgutil
import re
import signal
import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest

import service.reports

LENGTH = 2_000
LIMIT_S = 0.1
RUNS = [
    *(" ", "\n", "\t", "-", "a", "1", ".", "_", "=", "*", "#", ":", ";", "(", ")", '"', "&", "<"),
    *("a ", "a.", "1.", "a@", "\n ", "\n\n", "> ", "<a", "<a@b>", "550 ", "5.1.1 ", "not ", "to "),
]


def patterns(value: Any, name: str) -> Iterator[tuple[str, re.Pattern[str]]]:
    """All patterns in a value, however deep in tables."""
    if isinstance(value, re.Pattern):
        yield name, value
    elif isinstance(value, list | tuple):
        for at, one in enumerate(value):
            yield from patterns(one, f"{name}[{at}]")
    elif isinstance(value, dict):
        for key, one in value.items():
            yield from patterns(one, f"{name}[{key}]")
    elif hasattr(value, "__slots__") and hasattr(value, "__dataclass_fields__"):
        for field in value.__slots__:
            yield from patterns(getattr(value, field, None), f"{name}.{field}")


def all_patterns() -> dict[str, re.Pattern[str]]:
    found: dict[tuple[str, int], tuple[str, re.Pattern[str]]] = {}
    for module in pkgutil.iter_modules(service.reports.__path__):
        there = vars(importlib.import_module(f"service.reports.{module.name}"))
        for name, value in there.items():
            for where, pattern in patterns(value, f"{module.name}.{name}"):
                found.setdefault((pattern.pattern, pattern.flags), (where, pattern))
    return dict(found.values())


def texts_for(pattern: re.Pattern[str]) -> Iterator[str]:
    """Runs of letters and of the pattern's own words, each with an end that does not match."""
    words = sorted(set(re.findall(r"[a-z]{3,}", pattern.pattern.lower())))[:12]
    for run in [*RUNS, *(f"{word} " for word in words)]:
        yield run * (LENGTH // len(run)) + "\0x"
    for word in words:
        yield word + " " * LENGTH + "x"
        yield word + "\n" * LENGTH + "x"


AT_THE_BEGIN = ("bodies.FORMS", "kind_words.AWAY_SUBJECT")
"""Patterns that are asked once of a line, and not looked for in it."""


def is_quick(pattern: re.Pattern[str], text: str, *, begin: bool = False) -> bool:
    """Whether the pattern is through with the text within the limit; it is not waited for."""

    def act() -> None:
        pattern.match(text)
        pattern.fullmatch(text)
        for _found in () if begin else pattern.finditer(text):
            pass

    return within(LIMIT_S, act)


def within(limit_s: float, act: Callable[[], None]) -> bool:
    def stop(*_: object) -> None:
        raise TimeoutError

    before = signal.signal(signal.SIGVTALRM, stop)
    begun = time.process_time()
    try:
        signal.setitimer(signal.ITIMER_VIRTUAL, 5 * limit_s)
        act()
    except TimeoutError:
        return False
    finally:
        signal.setitimer(signal.ITIMER_VIRTUAL, 0)
        signal.signal(signal.SIGVTALRM, before)
    return time.process_time() - begun <= limit_s


@pytest.mark.slow
@pytest.mark.parametrize("slow", [r"\s*[-= ]{2,}.{0,80}?\s*b", r"(a+)+$"])
def test_a_slow_pattern_is_seen(slow: str) -> None:
    assert not all(is_quick(re.compile(slow), text) for text in texts_for(re.compile(slow)))


PATTERNS = all_patterns()


def test_the_patterns_are_found() -> None:
    assert len(PATTERNS) > 50
    assert {"traces._BOUNCE_ID", "kind_words.FAILED", "bodies._RETURNED"} <= set(PATTERNS)


@pytest.mark.slow
@pytest.mark.parametrize("name", PATTERNS)
def test_no_pattern_is_slow(name: str) -> None:
    pattern, begin = PATTERNS[name], name.startswith(AT_THE_BEGIN)
    assert [text for text in texts_for(pattern) if not is_quick(pattern, text, begin=begin)] == []
