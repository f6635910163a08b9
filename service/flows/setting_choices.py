"""What each value of a setting of fixed choices means, in words for those who choose.

Which values there are stands in ``defaults``; here is what each does.
"""

from collections.abc import Mapping
from dataclasses import dataclass, fields
from functools import cache

from service.defaults import Defaults

MEANS: Mapping[str, Mapping[str, str]] = {
    "weekdays": {
        "mon": "Monday", "tue": "Tuesday", "wed": "Wednesday", "thu": "Thursday", "fri": "Friday",
        "sat": "Saturday", "sun": "Sunday",
    },
    "abstracts": {
        "short": "the first sentences, as long as abstract_chars allows",
        "full": "all of it",
        "none": "title, authors and why it is there alone",
        "summary": "the source's own line, made by a machine; short where it has none",
    },
    "release": {
        "auto": "at each reader's hour",
        "until": "when an editor releases the day, at release_by at the latest",
        "hand": "when an editor releases it; papers of a day that nobody releases ride in the next",
    },
    "proposals": {
        "off": "nobody may; what waits can still be accepted or declined",
        "on": "readers may, by a link mailed on request; the staff accepts or declines",
    },
    "votes": {
        "off": "nobody may; votes of before are kept and not shown",
        "on": "readers may, by a link mailed on request; no mail is ordered by them",
    },
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Choice:
    """One value that a setting may have. means: what it does."""

    value: str
    means: str


@cache
def choices_of(name: str) -> tuple[Choice, ...]:
    """Every value of a setting of fixed choices, in order; () for a number or a text."""
    words = next(f.metadata["words"] for f in fields(Defaults) if f.name == name)
    return tuple(Choice(word, MEANS[name][word]) for word in words)


def is_several(name: str) -> bool:
    """True when a setting may have several of its choices at once, written with commas."""
    return any(f.name == name and f.metadata["several"] for f in fields(Defaults))


def told(name: str, about: str) -> str:
    """What a setting is, with its choices where there are any but the days of the week."""
    choices = () if is_several(name) else choices_of(name)
    return f"{about}: " + "; ".join(f"{c.value}, {c.means}" for c in choices) if choices else about
