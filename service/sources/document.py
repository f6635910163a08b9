"""Bytes of a feed or of JSON, opened; what is neither is named. Pure."""

import calendar
import json
import re
from datetime import UTC, date, datetime
from typing import Any

import feedparser

from service.sources.adapter import CaptureError, Problem
from service.sources.entities import mended, refuse_bombs
from service.text.clean import collapse, html_to_text

_SNIFFED = 2000
_HTML = re.compile(rb"<!doctype html|<html[\s>]", re.IGNORECASE)
_HTML_TITLE = re.compile(rb"<title[^>]*>(.{1,300}?)</title>", re.IGNORECASE | re.DOTALL)
_ROOT = re.compile(rb"<(?![?!])([A-Za-z_][\w:.-]*)[\s>/]")
_TAIL = 4000
_SAYS_OTHER = re.compile(rb"""^<\?xml[^>]*\bencoding\s*=\s*["'](?!utf-?8["'])""", re.IGNORECASE)
CUT = "the answer ends in the middle"
_BOMB = "Nothing of it was read. Write to the owner of the source, or remove it."
_WRONG_BYTES = "some bytes are no UTF-8; they are shown as \ufffd"
_ISO_DAY = re.compile(r"^\s*(\d{4})[-/](\d{1,2})[-/](\d{1,2})(?=\D|$)")
_WRITTEN_DAY = re.compile(r"(?<!\d)(\d{1,2})[ .-]+([^\W\d]{3,9})\.?[ ,-]+(\d{4})(?!\d)")
_ISO_MONTH = re.compile(r"(\d{4})(?:[-/](\d{1,2}))?")
_WRITTEN_MONTH = re.compile(r"([^\W\d]{3,9})\.?[ ,-]+(\d{4})")
_MONTHS = {
    name: number
    for number, names in enumerate(
        (
            "jan ene gen", "feb fév fev", "mar mär mrz", "apr abr avr", "may mai mag maj",
            "jun jui giu juin", "jul lug juil", "aug ago aoû", "sep set", "oct okt ott out",
            "nov", "dec dez dic déc",
        ),
        start=1,
    )
    for name in names.split()
}  # fmt: skip


def json_document(body: bytes, tell: str) -> Any:
    """Return the JSON in ``body``; raises CaptureError (``tell`` = what to do instead)."""
    start = body[:_SNIFFED].lstrip(b"\xef\xbb\xbf \t\r\n")
    if not start:
        raise CaptureError("The answer is empty.", "first byte", tell)
    if start[:1] == b"<":
        raise CaptureError(_markup(start), "first bytes", tell)
    try:
        return json.loads(body.decode("utf-8-sig", errors="replace"))
    except (ValueError, RecursionError) as fault:
        where = f"character {fault.pos}" if isinstance(fault, json.JSONDecodeError) else "nesting"
        raise CaptureError("These bytes are not JSON.", where, tell) from fault


def feed_document(body: bytes, tell: str) -> Any:
    """Return feedparser's reading of ``body``; raises CaptureError when it is no feed.

    What counts is ``version``: feedparser reads a web page without a complaint.
    """
    start = body[:_SNIFFED].lstrip(b"\xef\xbb\xbf \t\r\n")
    if not start:
        raise CaptureError("The answer is empty.", "first byte", tell)
    if start[:1] in b"{[":
        raise CaptureError(_json_error(body), "first byte", tell)
    refuse_bombs(body, _BOMB)
    body = _as_utf8(body) or body
    try:
        document = feedparser.parse(mended(body), sanitize_html=False, resolve_relative_uris=False)
    except Exception as fault:  # the library raises at random on hostile bytes; none is ours
        what = f"The feed parser cannot read these bytes ({type(fault).__name__})."
        raise CaptureError(what, "whole answer", tell) from fault
    if not document.version:
        raise CaptureError(_markup(start), "first bytes", tell)
    if is_cut(body, document) and body.rfind(b"<item") + body.rfind(b"<entry") > body.rfind(
        b"</item>"
    ) + body.rfind(b"</entry>"):
        document["entries"] = document.entries[:-1]  # the half one; a half title is no paper
    return document


def is_cut(body: bytes, document: Any) -> bool:
    """Say whether the answer ends before the feed does: its outermost element is not closed."""
    root = _ROOT.search(body[:_SNIFFED])
    if not document.bozo or root is None:
        return False
    return re.search(rb"</" + re.escape(root[1]) + rb"\s*>", body[-_TAIL:]) is None


def feed_problems(body: bytes, document: Any) -> tuple[Problem, ...]:
    """Return what is wrong with the answer as a whole."""
    wrong = [CUT] if is_cut(body, document) else []
    wrong += [_WRONG_BYTES] if _as_utf8(body) else []
    return tuple(Problem(0, "", what) for what in wrong)


def _as_utf8(body: bytes) -> bytes | None:
    """Return UTF-8 with its few wrong bytes replaced; None where nothing is wrong, or where so
    much is that it is another encoding (feedparser would read it all as another one)."""
    start = body[:_SNIFFED].lstrip(b"\xef\xbb\xbf \t\r\n")
    if _SAYS_OTHER.match(start) or body[:2] in (b"\xff\xfe", b"\xfe\xff") or b"\x00" in start[:8]:
        return None
    try:
        body.decode()
    except UnicodeDecodeError:
        text = body.decode(errors="replace")
        wrong = text.count("\ufffd")
        right = sum(char > "\x7f" for char in text) - wrong
        return text.encode() if right > wrong else None
    return None


def _markup(start: bytes) -> str:
    if _HTML.search(start):
        title = _HTML_TITLE.search(start)
        name = html_to_text(title[1].decode("utf-8", "replace")) if title else ""
        return f'This is a web page, no feed ("{name[:120]}").' if name else "This is a web page."
    return "These bytes are XML, but no feed." if start[:1] == b"<" else "These bytes are no feed."


def _json_error(body: bytes) -> str:
    try:
        document = json.loads(body.decode("utf-8-sig", errors="replace"))
    except (ValueError, RecursionError):
        return "These bytes are no feed."
    for key in ("error", "message", "detail"):
        if isinstance(document, dict) and isinstance(document.get(key), str):
            return f"The source answered with an error: {collapse(document[key])[:300]}"
    return "These bytes are JSON, but no JSON Feed."


def instant(parsed: Any) -> datetime | None:
    """Return feedparser's time tuple (UTC) as an aware instant."""
    try:
        return datetime.fromtimestamp(calendar.timegm(parsed), UTC) if parsed else None
    except (TypeError, ValueError, OverflowError, OSError):
        return None


def updated_at(entry: Any) -> datetime | None:
    """Return the instant of ``updated``; feedparser must not put ``published`` in its place."""
    return instant(entry["updated_parsed"]) if "updated_parsed" in entry else None


def written_day(text: str) -> date | None:
    """Return the day as the source wrote it, in its own zone; day and month names of five
    languages are read ("Mi, 30 Jun 2021", "2021/10/16 9:23:28")."""
    if match := _ISO_DAY.search(text):
        return _day(int(match[1]), int(match[2]), int(match[3]))
    if match := _WRITTEN_DAY.search(text):
        name = match[2].casefold()
        return _day(int(match[3]), _MONTHS.get(name[:4], _MONTHS.get(name[:3], 0)), int(match[1]))
    return None


def latest_day(text: str) -> date | None:
    """Return the last day of a date that names no day: "2019", "2019-05", "May 2019"."""
    if match := _ISO_MONTH.fullmatch(text.strip()):
        year, month = int(match[1]), int(match[2] or 12)
    elif match := _WRITTEN_MONTH.fullmatch(text.strip()):
        name = match[1].casefold()
        year, month = int(match[2]), _MONTHS.get(name[:4], _MONTHS.get(name[:3], 0))
    else:
        return None
    first = _day(year, month, 1)
    return first and first.replace(day=calendar.monthrange(year, month)[1])


def _day(year: int, month: int, day: int) -> date | None:
    try:
        return date(year, month, day)
    except ValueError:
        return None
