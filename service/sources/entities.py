"""References in XML: entities that unfold without end, and what no parser can read. Pure.

A few hundred bytes may stand for gigabytes ("billion laughs", or one long entity used often). The
feed parser leaves such entities out, and the feed then looks like one without items.
"""

import re

from service.sources.adapter import CaptureError

MOST = 16 * 1024 * 1024
"""Bytes that entities may unfold to: as many as an answer may have."""

_MOST_ENTITIES = 1000
_DEFINED = re.compile(
    rb"""<!ENTITY\s+(?:%\s+)?([^\s"'<>&;]{1,100})\s+(?:"([^"]*)"|'([^']*)')""",
)
_USED = re.compile(rb"[&%]([^\s&%;#<>\"']{1,100});")
_PAIR = re.compile(
    rb"&#(?:x0*(d[89ab][0-9a-f]{2})|0*(5[56]\d{3}));&#(?:x0*(d[c-f][0-9a-f]{2})|0*(5[67]\d{3}));",
    re.IGNORECASE,
)
_NUMBER = re.compile(rb"&#(?:x([0-9a-f]+)|(\d+));", re.IGNORECASE)
_BARE = re.compile(rb"&(?=[A-Za-z][\w.:-]{0,30}(?![\w.:;-]))")
_CDATA, _CDATA_END = b"<![CDATA[", b"]]>"


def refuse_bombs(body: bytes, tell: str) -> None:
    """Raise CaptureError where the entities of ``body`` unfold to more than MOST bytes."""
    if body[:2] in (b"\xff\xfe", b"\xfe\xff"):
        body = body.decode("utf-16", errors="replace").encode()
    if b"<!ENTITY" not in body:
        return
    values = {found[1]: found[2] or found[3] or b"" for found in _DEFINED.finditer(body)}
    uses = {name: _uses(value, values) for name, value in values.items()}
    text = _uses(_DEFINED.sub(b"", body), values)
    sizes = _unfolded(values, uses) if len(values) <= _MOST_ENTITIES else None
    if sizes is None or sum(sizes[name] * count for name, count in text.items()) > MOST:
        raise CaptureError(
            "Its entities unfold to more than 16 MB, or hold themselves (an XML bomb).",
            "document type",
            tell,
        )


def _uses(text: bytes, values: dict[bytes, bytes]) -> dict[bytes, int]:
    counts: dict[bytes, int] = {}
    for found in _USED.finditer(text):
        if found[1] in values:
            counts[found[1]] = counts.get(found[1], 0) + 1
    return counts


def _unfolded(
    values: dict[bytes, bytes], uses: dict[bytes, dict[bytes, int]]
) -> dict[bytes, int] | None:
    """Return what each entity unfolds to in bytes; None where one holds itself."""
    sizes: dict[bytes, int] = {}
    left = dict(values)
    while left:
        ready = [name for name in left if all(used in sizes for used in uses[name])]
        if not ready:
            return None
        for name in ready:
            value = left.pop(name)
            inner = sum(sizes[used] * count for used, count in uses[name].items())
            sizes[name] = min(len(value) + inner, 10**15)
    return sizes


def mended(body: bytes) -> bytes:
    """Return XML with references that a parser can read, outside CDATA.

    Old software writes a sign beyond U+FFFF as two numbers (``&#55357;&#56832;``), and some
    journals a bare ``&`` (``Q&A``). One of them would cost the whole feed, or stand in a title
    as ``Q&A;``.
    """
    if b"&" not in body or body[:2] in (b"\xff\xfe", b"\xfe\xff"):
        return body
    first, *parts = body.split(_CDATA)
    made = [_readable(first)]
    for part in parts:
        inside, end, outside = part.partition(_CDATA_END)
        made.append(inside + end + _readable(outside))
    return _CDATA.join(made)


def _readable(text: bytes) -> bytes:
    text = _NUMBER.sub(_character, _PAIR.sub(_joined, text))
    return _BARE.sub(b"&amp;", text)


def _joined(found: re.Match[bytes]) -> bytes:
    """One number for the two halves of UTF-16."""
    high, low = (int(found[at], 16) if found[at] else int(found[at + 1]) for at in (1, 3))
    if not (0xD800 <= high < 0xDC00 <= low < 0xE000):
        return found[0]
    return b"&#%d;" % (0x10000 + (high - 0xD800) * 0x400 + low - 0xDC00)


def _character(found: re.Match[bytes]) -> bytes:
    digits, is_hex = (found[1], True) if found[1] else (found[2], False)
    digits = digits.lstrip(b"0")
    number = int(digits or b"0", 16 if is_hex else 10) if len(digits) < 9 else 1 << 30
    is_there = number < 0xD800 or 0xDFFF < number < 0x110000
    return found[0] if is_there else b"&#xFFFD;"
