"""Mails that came in, damaged: what a mutation makes of one is told by its number alone."""

import json
import random
from collections.abc import Callable, Sequence
from pathlib import Path

SEED = 20261122

_BYTES = [
    *(b"\0", b"\r", b"\n", b"\r\n", b"\r\n\r\n", b"\xff", b"\x80", b"\x1b$B", b"=", b"=?", b"?="),
    *(b"--", b"<", b">", b"<>", b"@", b":", b";", b'"', b"(", b")", b"+", b"%", b"\\", b" ", b"\t"),
    *(b"550 5.1.1 ", b"5.1.1", b"4.2.2", b"Status: 5.1.1\r\n", b"Action: failed\r\n", b"charset=x"),
    *(b"Content-Type: multipart/report\r\n", b"Content-Type: message/rfc822\r\n\r\n"),
    *(b"Content-Transfer-Encoding: base64\r\n", b"unsubscribe", b"boundary=", b"\xef\xbb\xbf"),
]

_SWAPS = [
    (b"7bit", b"base64"),
    (b"quoted-printable", b"base64"),
    (b"base64", b"x-uuencode"),
    (b"us-ascii", b"utf-16"),
    (b"utf-8", b"utf-7"),
    (b"UTF-8", b"iso-2022-jp"),
    (b"message/delivery-status", b"message/rfc822"),
    (b"message/rfc822", b"message/delivery-status"),
    (b"message/rfc822", b"text/rfc822-headers"),
    (b"multipart/report", b"multipart/digest"),
    (b"boundary=", b"boundary*="),
    (b"charset=", b"charset*0*="),
    (b"Final-Recipient", b"Original-Recipient"),
    (b"\r\n", b"\n"),
    (b"\n", b"\r\n"),
    (b"\n", b"\r"),
    (b": ", b":"),
    (b"5.", b"4."),
]


def corpora(shared: Path, own: Path) -> list[bytes]:
    """All mails of the captured corpora and of ours, in the order of their names."""
    files = [*sorted((shared / "bounces").glob("*/*.*")), *sorted(own.glob("*.eml"))]
    return [file.read_bytes() for file in files]


def naughty(shared: Path) -> list[bytes]:
    """The big list of naughty strings, as UTF-8."""
    texts: list[str] = json.loads((shared / "strings" / "blns.json").read_text("utf-8"))
    return [text.encode("utf-8", "surrogatepass") for text in texts]


def mutated(number: int, mails: Sequence[bytes], strings: Sequence[bytes]) -> bytes:
    """Mutation ``number``: one to six kinds of damage to one mail."""
    chance = random.Random(f"{SEED}:{number}")
    data = chance.choice(mails)
    for _ in range(chance.randint(1, 6)):
        data = chance.choice(_DAMAGE)(chance, data, mails, strings)
    return data


_Damage = Callable[[random.Random, bytes, Sequence[bytes], Sequence[bytes]], bytes]


def _span(chance: random.Random, data: bytes, most: int = 400) -> tuple[int, int]:
    at = chance.randint(0, len(data))
    return at, min(len(data), at + chance.randint(0, most))


def _flip(chance: random.Random, data: bytes, *_: Sequence[bytes]) -> bytes:
    flipped = bytearray(data)
    for _number in range(chance.randint(1, 20) if data else 0):
        flipped[chance.randrange(len(data))] = chance.randrange(256)
    return bytes(flipped)


def _cut(chance: random.Random, data: bytes, *_: Sequence[bytes]) -> bytes:
    start, end = _span(chance, data)
    return data[:start] + data[end:]


def _end(chance: random.Random, data: bytes, *_: Sequence[bytes]) -> bytes:
    return data[: chance.randint(0, len(data))]


def _insert(
    chance: random.Random, data: bytes, _mails: Sequence[bytes], strings: Sequence[bytes]
) -> bytes:
    at = chance.randint(0, len(data))
    piece = chance.choice(strings if chance.random() < 0.4 else _BYTES)
    return data[:at] + piece * chance.choice([1, 1, 1, 2, 50, 3_000]) + data[at:]


def _again(chance: random.Random, data: bytes, *_: Sequence[bytes]) -> bytes:
    start, end = _span(chance, data, 2_000)
    return data[:end] + data[start:end] * chance.choice([1, 2, 20]) + data[end:]


def _swap(chance: random.Random, data: bytes, *_: Sequence[bytes]) -> bytes:
    return data.replace(*chance.choice(_SWAPS))


def _splice(
    chance: random.Random, data: bytes, mails: Sequence[bytes], _strings: Sequence[bytes]
) -> bytes:
    other = chance.choice(mails)
    return data[: chance.randint(0, len(data))] + other[chance.randint(0, len(other)) :]


def _wrapped(chance: random.Random, data: bytes, *_: Sequence[bytes]) -> bytes:
    return b"Content-Type: message/rfc822\r\n\r\n" * chance.choice([1, 5, 60]) + data


def _line(
    chance: random.Random, data: bytes, _mails: Sequence[bytes], strings: Sequence[bytes]
) -> bytes:
    lines = data.split(b"\n")
    at = chance.randrange(len(lines))
    name, colon, _value = lines[at].partition(b":")
    lines[at] = name + colon + b" " + chance.choice(strings) if colon else chance.choice(strings)
    return b"\n".join(lines)


def _shuffled(chance: random.Random, data: bytes, *_: Sequence[bytes]) -> bytes:
    lines = data.split(b"\n")
    at = chance.randrange(len(lines))
    some = lines[at : at + 12]
    chance.shuffle(some)
    return b"\n".join((*lines[:at], *some, *lines[at + 12 :]))


_DAMAGE: list[_Damage] = [
    *(_flip, _cut, _end, _insert, _again, _swap, _splice, _wrapped, _line, _shuffled),
]
