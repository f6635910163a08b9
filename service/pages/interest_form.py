"""What a form says of one interest beside its words and days, the reader's own and the staff's."""

from typing import Any

from service.flows.interests import read_cap, read_own, read_threshold, read_votes
from service.pages.forms import Form, SeveralError, read_each


def read_options(form: Form, *, own: bool, known: str = "") -> dict[str, Any]:
    """Cap, least score, own papers, later news, as fields of an ``InterestChange``.

    own: whether papers of a name are left out; known: the name, where none is typed. Raises
    SeveralError.
    """
    made, errors = read_each({
        "cap": lambda: read_cap(form.raw("cap")),
        "threshold": lambda: read_threshold(form.raw("threshold")),
        "own": lambda: read_own(form.raw("own_name"), known) if own else "",
        "signals": lambda: form.flag("signals"),
        "votes": lambda: read_votes(form.raw("votes")),
    })  # fmt: skip
    if errors:
        raise SeveralError(errors)
    return made
