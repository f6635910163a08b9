"""What a refusal is about: from what a form said of one recipient to its reason. Pure."""

import re
from functools import lru_cache

from service.reports.found import ADDRESS, Found, code_in, one_line, status_in
from service.reports.model import WORDS, Kind, Report
from service.reports.reason_rows import ROWS
from service.reports.rows import Row, Said
from service.reports.special import SPECIAL
from service.reports.vocabulary import REASONS

__all__ = ["REASONS", "judge", "row_for"]

LOOKED_AT = 1_200
"""Characters of words in which a reason is looked for."""

_LINK = re.compile(r"(?:https?://|www\.)[^\s<>\"')\]]{1,400}", re.IGNORECASE)


@lru_cache(maxsize=512)
def _row_of(said: Said) -> Row:
    """The row that speaks of what was said."""
    return next(row for row in (*SPECIAL, *ROWS) if row.fits(said))


def judge(found: Found) -> Report:
    """What follows from what a form said of one recipient."""
    words, around = one_line(found.words), one_line(found.around)
    status, code = _answer(found, words, around)
    reason = "delivered" if _is_done(found, status) else _reason(found)
    return Report(
        kind=REASONS[reason][0],
        reason=reason,
        recipient=found.recipient,
        status=status,
        code=code,
        words=(words or around)[:WORDS],
        action=found.action,
        mta=found.mta,
    )


def row_for(found: Found) -> Row:
    """The row of the tables that decides: by the server's words, else by all that was said. Words
    of nobody are not believed where the text beside them says that the mailbox is there."""
    words, around = one_line(found.words), one_line(found.around)
    answer = _answer(found, words, around)
    texts = [one for one in (words, around) if one] or [""]
    rows = [_row_of(_said(found, text, *answer)) for text in texts]
    row = next((row for row in rows if row.reason != "unknown"), rows[0])
    is_doubted = row.reason == "no_such_user" and rows[-1].reason in ("disabled", "mailbox_full")
    return rows[-1] if is_doubted else row


def _reason(found: Found) -> str:
    """One that is still tried is never gone."""
    reason = row_for(found).reason
    is_open = reason == "unknown" or REASONS[reason][0] is Kind.HARD
    return "delayed" if found.action == "delayed" and is_open else reason


def _answer(found: Found, words: str, around: str) -> tuple[str, int]:
    """Status and code, "" and 0 where none was said."""
    status = _status(found.status, status_in(words)) or status_in(around)
    return status, code_in(words) or code_in(around)


def _said(found: Found, words: str, status: str, code: int) -> Said:
    kind = "4" if 400 <= code < 500 else status[:1] or (str(code)[:1] if code else "")
    if not kind and found.action == "delayed":
        kind = "4"
    if not kind and found.action == "failed":
        kind = "5"
    links = " ".join(_LINK.findall(words))
    plain = ADDRESS.sub(" ", _LINK.sub(" ", words))
    return Said(kind, status, one_line(plain)[:LOOKED_AT], links, found.where)


def _status(field: str, said: str) -> str:
    """The status that tells more: a server's own beside one that a relay made of it."""
    if not said:
        return field
    if not field or field.endswith(".0.0") or field[2:] in ("5.0", "3.0", "4.7"):
        return said
    return said if said[0] == field[0] and not said.endswith(".0.0") else field


def _is_done(found: Found, status: str) -> bool:
    return found.action in ("delivered", "relayed", "expanded") or (
        status.startswith("2.") and found.action not in ("failed", "delayed")
    )
