"""What is typed in one form of the own page while another one is saved: it travels along.

While somebody types, an answer (for an interest the live look's) puts a hidden field ``kept`` into
the page's other forms; their buttons send it, and the page that comes back shows it where it was
typed, not saved.
"""

import re
from collections.abc import Mapping
from urllib.parse import parse_qs, urlencode

from service.pages.forms import Form

FORMS: Mapping[str, tuple[str, ...]] = {
    "choices": (
        "hour", "place", "zone", "weekdays", "on_time", "at_least", "tell_anyway", "quiet_from",
        "quiet_until", "any_hour", "locale", "format", "style", "trending", "picks", "part", "was",
    ),
    "pause": ("until",),
    "address": ("email",),
}  # fmt: skip
"""The forms that are of no interest, and what of each travels."""

_PART = re.compile(rf"new|interest-[0-9]{{1,16}}|{'|'.join(FORMS)}")
_FIELDS = (
    "kind", "words", "people", "name", "cadence", "weekday", "choices", "cap", "threshold", "own",
    "own_name", "signals", "votes",
)  # fmt: skip
_MOST = 50


def kept_text(part: str, form: Form) -> str:
    """The fields of a form, as one field of another form."""
    fields = FORMS.get(part, _FIELDS)
    return f"{part}?{urlencode([pair for pair in form.pairs() if pair[0] in fields])}"


def read_kept(form: Form, own: str = "") -> dict[str, Form]:
    """The forms that came along with another one. own: the part that was sent itself,
    of which nothing needs to be kept."""
    kept: dict[str, Form] = {}
    for text in form.several("kept")[:_MOST]:
        part, _, fields = text.partition("?")
        if part != own and _PART.fullmatch(part):
            kept[part] = Form(parse_qs(fields, keep_blank_values=True))
    return kept


def kept_texts(kept: Mapping[str, Form]) -> dict[str, str]:
    """part -> what its hidden field holds."""
    return {part: kept_text(part, form) for part, form in kept.items()}
