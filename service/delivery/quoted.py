"""Text as quoted-printable in pieces that can be joined, base64, and words of a header. Pure.

RFC 2045 6.7, RFC 2047. Every piece starts and ends on a line: one that ends inside a line of the
text ends with a soft break, so that whatever follows begins a line of its own.
"""

import base64
import re
from binascii import a2b_qp, b2a_base64, b2a_qp
from collections.abc import Callable, Iterable, Iterator
from functools import lru_cache

LINE = 76
"""The longest encoded line (RFC 2045)."""

_PLAIN_WORDS = re.compile(r"[!-~]+(?: [!-~]+)*")
_AS_THEY_ARE = re.compile(rb"[A-Za-z0-9!*+/,.:;()@#$%&'{|}~^`\[\]<>-]")
_OVERLONG = re.compile(rb"^([^\r\n]{74})(=20|=09)(?=\r)", re.MULTILINE)
_Q = {
    byte: "_"
    if byte == 32
    else chr(byte)
    if _AS_THEY_ARE.fullmatch(bytes([byte]))
    else f"={byte:02X}"
    for byte in range(256)
}
_WORD = 60
"""The longest encoded text of one word; with "=?utf-8?q?" and "?=" at most 75 (RFC 2047)."""


def encoded(text: str) -> bytes:
    """Return the text ("\\n" ends its lines) in lines of at most 76, each ended by CRLF.

    Where the text does not end its last line, a soft break does. "" gives b"".
    """
    if not text:
        return b""
    if len(text) < LINE and text.isascii() and text.isprintable() and "=" not in text:
        return f"{text}=\r\n".encode("ascii")
    raw = text.encode("utf-8").replace(b"\n", b"\r\n")
    if raw.endswith(b"\n"):
        return _quoted(raw)
    done = _quoted(raw + b"\r\n")[:-2]
    last = done[done.rfind(b"\n") + 1 :]
    if len(last) < LINE:
        return done + b"=\r\n"
    cut = next(at for at in (-3, -4, -5) if b"=" not in last[at - 2 : at])
    return done[:cut] + b"=\r\n" + done[cut:] + b"=\r\n"


def lines_of(text: str) -> bytes:
    """Return printable lines without blanks at their ends as ``encoded`` writes them, the last one
    not ended."""
    is_plain = text.isascii() and "=" not in text and "\n.\n" not in f"\n{text}\n"
    if is_plain and max(map(len, text.split("\n"))) < LINE - 1:  # nothing is encoded or parted
        return text.replace("\n", "\r\n").encode("ascii")
    return encoded(text + "\n")[:-2]


def _quoted(raw: bytes) -> bytes:
    """binascii's encoding; a line that it makes one longer, for a blank at its end, is parted."""
    done = b2a_qp(raw)
    if b"=20\r" in done or b"=09\r" in done:
        done = _OVERLONG.sub(rb"\1=\r\n\2", done)
    return done


def dotted(lines: bytes) -> bytes:
    """Return encoded lines with a dot that begins one doubled (RFC 5321 section 4.5.2). They begin
    a line."""
    if b"\n." in lines:
        lines = lines.replace(b"\n.", b"\n..")
    return b"." + lines if lines.startswith(b".") else lines


def as_base64(quoted: bytes) -> bytes:
    """Return what ``encoded`` made of a text as base64, its lines ended by CRLF in it as well."""
    done = b2a_base64(a2b_qp(quoted), newline=False)
    return b"".join(done[at : at + LINE] + b"\r\n" for at in range(0, len(done), LINE))


def is_too_long(quoted: int, raw: int) -> bool:
    """Say whether quoted-printable exceeds base64 by a third (Chinese, Japanese)."""
    return quoted > raw * 4 / 3 * 78 / 76 * 4 / 3


@lru_cache(maxsize=1024)
def header_text(name: str, text: str) -> bytes:
    """Return "Name: text" and CRLF, folded; what is not plain ASCII in encoded words.

    text: one line, as ``plain.one_line`` gives it.
    """
    room = LINE - len(name) - 2
    if len(text) <= room and _PLAIN_WORDS.fullmatch(text) and "=?" not in text:
        return f"{name}: {text}\r\n".encode("ascii")
    raw = text.encode("utf-8")
    if sum(len(_Q[byte]) for byte in raw) <= len(raw) * 4 / 3:
        codes = ["".join(_Q[byte] for byte in char.encode("utf-8")) for char in text]
        words = [f"=?utf-8?q?{word}?=" for word in _words(codes, len, _WORD, len(name) + 2)]
    else:
        words = [
            f"=?utf-8?b?{base64.b64encode(word.encode('utf-8')).decode('ascii')}?="
            for word in _words(text, _bytes, _WORD // 4 * 3, len(name) + 2)
        ]
    return (f"{name}: " + "\r\n ".join(words) + "\r\n").encode("ascii")


def _bytes(char: str) -> int:
    return len(char.encode("utf-8"))


def _words(
    codes: Iterable[str], size: Callable[[str], int], room: int, taken: int
) -> Iterator[str]:
    """Join codes to words of at most ``room``; the first has ``taken`` less."""
    word, used, limit = "", 0, room - taken
    for code in codes:
        if word and used + size(code) > limit:
            yield word
            word, used, limit = "", 0, room
        word += code
        used += size(code)
    yield word
