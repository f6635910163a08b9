"""Mails that are put off, grouped by what the server said, as refused ones are."""

import re
from collections import Counter
from collections.abc import Sequence

from service.store import audience as audience_store
from service.store.db import Session

_ADDRESS = re.compile(r"<?[^\s<>,;:]+@[^\s<>,;:]+>?")


def words_of(code: int | None, text: str) -> str:
    """What the server said, without the addresses in it: they belong into no log, and would make
    each mail a group of its own."""
    return _ADDRESS.sub("…", f"{code or ''} {text}".strip()) or "no answer"


def deferrals(session: Session, edition_ids: Sequence[int] | None = None) -> list[tuple[str, int]]:
    """(words, number of mails put off), most first, of some editions or of all."""
    found: Counter[str] = Counter()
    for code, text, n in audience_store.list_deferrals(session, edition_ids):
        found[words_of(code, text)] += n
    return found.most_common()
