"""What stands in the form for signing up, as it was typed."""

import re
from dataclasses import dataclass, replace

from service.errors import PaperpostError
from service.flows.interests import read_form
from service.matching.faults import SEPARATORS
from service.matching.query import QueryError
from service.pages.forms import Form
from service.subscribers.model import ProfileKind

LONGEST = 6_000
"""Characters of a field that are read, and given back when something is to be mended; what is
longer than a query may be is refused with a sentence."""

_PARTS = re.compile(f"[{SEPARATORS}\\n]")


@dataclass(frozen=True, slots=True, kw_only=True)
class Typed:
    """What stands in the form. without: words that papers must not have · request: signed, an
    earlier request that this one takes the place of."""

    email: str = ""
    words: str = ""
    people: str = ""
    without: str = ""
    hour: str = ""
    zone: str = ""
    shown: str = ""
    request: str = ""


def typed_of(form: Form) -> Typed:
    """What a form says; a pressed suggestion takes the place of its field, and the words of a
    field of research go in beside those that are there."""
    used, added = form.raw("use"), form.raw("add")
    words = used or form.raw("words")
    if added:
        words = _beside(words, added)
    return Typed(
        email=(form.raw("use_email") or form.raw("email")).strip()[:300],
        words=words.replace("\r\n", "\n")[:LONGEST],
        people=(form.raw("use_people") or form.raw("people")).replace("\r\n", "\n")[:LONGEST],
        # what is offered instead of the words says itself what it leaves out
        without="" if used else form.raw("without").replace("\r\n", "\n")[:LONGEST],
        hour=form.raw("hour")[:10],
        zone=form.raw("zone")[:80],
        shown=form.raw("shown")[:200],
        request=form.raw("request")[:300],
    )


def _beside(words: str, added: str) -> str:
    """The typed words and then those that they do not name yet."""
    there = {item.strip().casefold() for item in _PARTS.split(words)}
    new = [item for item in _items(added) if item.casefold() not in there]
    return ", ".join([*filter(None, [words.strip().rstrip(",;")]), *new])


def whole_words(typed: Typed) -> tuple[Typed, dict[str, PaperpostError]]:
    """The form with what is left out written into its words; errors by field.

    A list of keywords gets ``-word`` for each, a query ``NOT (...)``.
    """
    left_out = _items(typed.without)
    if not left_out:
        return typed, {}
    minus = ", ".join(f"-{item}" for item in left_out)
    try:
        wanted = read_form(typed.words)
    except QueryError as error:
        return typed, {"words": error}
    if wanted.kind is ProfileKind.QUERY:
        rest = " OR ".join(f'"{item}"' if " " in item else item for item in left_out)
        words = f"({wanted.text}) NOT ({rest})"
    else:
        words = ", ".join(filter(None, [wanted.text.rstrip(",; "), minus]))
    try:
        read_form(words)
    except QueryError as error:
        return typed, {"without": error}
    return replace(typed, words=words, without=""), {}


def _items(text: str) -> list[str]:
    """Of a list with commas or new lines; a minus before one is what the field says anyway."""
    found = (item.strip().lstrip("-\u2013\u2212").strip(' "\t') for item in _PARTS.split(text))
    return [item for item in dict.fromkeys(found) if item]
