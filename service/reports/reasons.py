"""What a refusal is about: from what a form said of one recipient to its reason. Pure."""

import re
from collections.abc import Sequence
from functools import lru_cache

from service.reports.found import ADDRESS, Found, code_in, one_line, status_in
from service.reports.model import WORDS, Kind, Report
from service.reports.reason_rows import ROWS
from service.reports.rows import Row, Said
from service.reports.special import SPECIAL
from service.reports.vocabulary import REASONS

__all__ = ["REASONS", "judge", "row_of"]

_LINK = re.compile(r"(?:https?://|www\.)[^\s<>\"')\]]{1,400}", re.IGNORECASE)


@lru_cache(maxsize=512)
def row_of(said: Said) -> Row:
    """The row that speaks of what was said."""
    return next(row for row in (*SPECIAL, *ROWS) if row.fits(said))


def judge(found: Found) -> Report:
    """What follows from what a form said of one recipient."""
    words, around = one_line(found.words), one_line(found.around)
    status, code = _status(found.status, status_in(words)), code_in(words)
    status, code = status or status_in(around), code or code_in(around)
    reason = "delivered"
    if not _is_done(found, status):
        reason = _reason(found, [one for one in (words, around) if one] or [""], status, code)
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


def _reason(found: Found, texts: Sequence[str], status: str, code: int) -> str:
    """By the first of the texts that says something; one that is still tried is never gone."""
    reasons = (row_of(_said(found, text, status, code)).reason for text in texts)
    reason = next((one for one in reasons if one != "unknown"), "unknown")
    is_open = reason == "unknown" or REASONS[reason][0] is Kind.HARD
    return "delayed" if found.action == "delayed" and is_open else reason


def _said(found: Found, words: str, status: str, code: int) -> Said:
    kind = status[:1] or (str(code)[:1] if code else "")
    if not kind and found.action == "delayed":
        kind = "4"
    if not kind and found.action == "failed":
        kind = "5"
    links = " ".join(_LINK.findall(words))
    plain = ADDRESS.sub(" ", _LINK.sub(" ", words))
    return Said(kind, status, one_line(plain)[:4000], links, found.where)


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
