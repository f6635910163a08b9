"""What stands in the form for signing up, as it was typed."""

from dataclasses import dataclass

from service.pages.forms import Form

LONGEST = 4000


@dataclass(frozen=True, slots=True, kw_only=True)
class Typed:
    """What stands in the form."""

    email: str = ""
    words: str = ""
    people: str = ""
    hour: str = ""
    zone: str = ""
    shown: str = ""


def typed_of(form: Form) -> Typed:
    """What a form says; a pressed suggestion takes the place of its field."""
    used = form.raw("use")
    words = used or form.raw("words")
    return Typed(
        email=form.raw("email").strip()[:300],
        words=words.replace("\r\n", "\n")[:LONGEST],
        people=(form.raw("use_people") or form.raw("people")).replace("\r\n", "\n")[:LONGEST],
        hour=form.raw("hour")[:10],
        zone=form.raw("zone")[:80],
        shown=form.raw("shown")[:200],
    )
