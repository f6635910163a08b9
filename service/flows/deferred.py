"""Mails that are put off, grouped by what the server said, as refused ones are."""

import re
from collections import Counter
from collections.abc import Sequence
from datetime import datetime

from service.store import audience as audience_store
from service.store.db import Session

_ADDRESS = re.compile(r"<?[^\s<>,;:]+@[^\s<>,;:]+>?")


def words_of(code: int | None, text: str) -> str:
    """What the server said, without the addresses in it: they belong into no log, and would make
    each mail a group of its own."""
    return _ADDRESS.sub("…", f"{code or ''} {text}".strip()) or "no answer"


def deferrals(session: Session, edition_ids: Sequence[int] | None = None) -> list[tuple[str, int]]:
    """(words, number of mails put off), most first, of some editions or of all."""
    return put_off(session, edition_ids)[0]


def put_off(
    session: Session, edition_ids: Sequence[int] | None = None
) -> tuple[list[tuple[str, int]], datetime | None]:
    """The same, and until when the last of them is tried again; None: nothing is put off."""
    found: Counter[str] = Counter()
    until = []
    for code, text, n, at in audience_store.list_deferrals(session, edition_ids):
        found[words_of(code, text)] += n
        until += [at] if at is not None else []
    return found.most_common(), max(until, default=None)
