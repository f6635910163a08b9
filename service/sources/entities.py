"""Entities that a document defines for itself: how much they would unfold to. Pure.

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
