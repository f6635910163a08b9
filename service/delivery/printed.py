"""A mail without its headers: subject and encoded parts. Pure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from service.delivery.quoted import as_base64, encoded, is_too_long


@dataclass(frozen=True, slots=True)
class Part:
    """One part of a mail as it goes on the wire. size: bytes of its text before encoding."""

    body: bytes
    encoding: str
    size: int


@dataclass(frozen=True, slots=True)
class Printed:
    """A mail without its headers."""

    subject: str
    text: Part
    html: Part


@lru_cache(maxsize=4096)
def _shown(value: str) -> tuple[bytes, int]:
    """A value encoded, and the size of its text; many mails say the same."""
    return encoded(value), len(value.encode("utf-8"))


def part_of(pieces: Sequence[Any], values: Mapping[str, str], size: int) -> Part:
    """Join pieces (encoded bytes, or a sign whose value is given); the last line is ended.

    size: bytes of the text of the pieces. Quoted-printable, or base64 where that is much shorter.
    """
    shown = {sign: _shown(value) for sign, value in values.items()}
    size += sum([shown[p][1] for p in pieces if p.__class__ is str])
    body = b"".join([shown[p][0] if p.__class__ is str else p for p in pieces])
    if body.endswith(b"=\r\n"):
        body = body[:-3] + b"\r\n"
    if is_too_long(len(body), size):
        return Part(as_base64(body), "base64", size)
    return Part(body, "quoted-printable", size)
