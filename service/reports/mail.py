"""Any bytes as a mail, within bounds: its head and a flat list of its parts. Pure.

The standard library reads the MIME. It is kept from doing too much by what it is given: so many
bytes and lines, a message class that counts what is attached to it and how deep, and a policy that
cuts long header fields. Whatever a mail was made to cost, it costs no more than these bounds.
"""

import re
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from email.errors import HeaderParseError
from email.feedparser import BytesFeedParser
from email.header import decode_header
from email.message import Message
from email.parser import HeaderParser
from email.policy import Compat32, Policy
from encodings import normalize_encoding
from encodings.aliases import aliases
from typing import Any, Final, cast

SIZE = 2_000_000
"""Bytes of a mail that are read: a report says what it has to say before what it returns."""
LINES = 40_000
PARTS = 300
"""Parts of one mail; each block of a delivery-status is one."""
DEPTH = 20
"""Parts within parts; what lies deeper is not opened."""
FIELD = 2_000
"""Characters of one header field."""
HEADS = 200_000
"""Characters of all header fields that are kept of one mail."""
TEXTS = 400_000
"""Characters of all texts that are kept of one mail."""

Headers = tuple[tuple[str, str], ...]
"""Fields in their order: name in lower case, value on one line without encoded words."""

SAME = {
    "message/global": "message/rfc822",
    "message/news": "message/rfc822",
    "message/global-headers": "text/rfc822-headers",
    "message/rfc822-headers": "text/rfc822-headers",
    "message/global-delivery-status": "message/delivery-status",
    "message/global-disposition-notification": "message/disposition-notification",
}
"""Content types that are read as another one (RFC 6532, 6533; names seen instead of it)."""

FIELDS_ONLY = frozenset(
    {"message/delivery-status", "message/disposition-notification", "message/feedback-report"}
)
"""message/* types that hold fields for machines and no mail."""

OPAQUE = "application/octet-stream"


@dataclass(frozen=True, slots=True)
class Part:
    """A part without parts. kind: content type, lower case · headers: its own; of
    "message/rfc822" and "text/rfc822-headers" those of the returned mail · text: decoded, lines
    end with LF, without NUL; of a kind in ``FIELDS_ONLY`` all its blocks as they stand; "" of
    what is no text and of "message/rfc822", whose parts follow · returned: stands in or below a
    mail that is returned."""

    kind: str
    headers: Headers
    text: str = ""
    returned: bool = False


@dataclass(frozen=True, slots=True)
class Mail:
    """A mail, opened. parts: depth first, in their order · problems: what was left out or cut, in
    words."""

    headers: Headers
    parts: tuple[Part, ...]
    problems: tuple[str, ...] = ()


def first(headers: Headers, name: str) -> str:
    """The first field of this name (lower case); "" = none."""
    return next((value for key, value in headers if key == name), "")


def every(headers: Headers, name: str) -> tuple[str, ...]:
    """All fields of this name (lower case)."""
    return tuple(value for key, value in headers if key == name)


_ADDRESS = re.compile(r"[^\s<>()\[\]\"',;:@]{1,64}@[^\s<>()\"',;:@]{1,255}")


def address_of(value: str) -> str:
    """The address in a field, one in angle brackets before others; "" = none."""
    found = _ADDRESS.search(value, max(value.rfind("<"), 0)) or _ADDRESS.search(value)
    return found[0].rstrip(".]") if found else ""


def open_mail(data: bytes) -> Mail:
    """Open any bytes. Raises nothing."""
    opening = _Opening()
    root = opening.parse(data, depth=0)
    headers = opening.headers(root)
    parts = tuple(opening.parts(root, headers, returned=False))
    return Mail(headers, parts, tuple(dict.fromkeys(opening.problems)))


def fields_of(text: str) -> Headers:
    """The block of fields that a text begins with, read as a head. At most ``HEADS`` characters."""
    return _Opening().block(text[:HEADS])


_BYTE_ORDER = b"\xef\xbb\xbf"


def _bounded(data: bytes, problems: list[str]) -> bytes:
    """At most ``SIZE`` bytes and ``LINES`` lines that end with LF, without NUL. A CR alone ends a
    line only where nothing else does."""
    if len(data) > SIZE:
        problems.append(f"only the first {SIZE} of {len(data)} bytes were read")
    data = data[:SIZE].removeprefix(_BYTE_ORDER).replace(b"\0", b"")
    for _ in range(3):  # some write CR CR LF
        data = data.replace(b"\r\n", b"\n")
    data = data.replace(b"\r", b" " if b"\n" in data else b"\n").lstrip(b"\n")
    if data.count(b"\n") > LINES:
        problems.append(f"only the first {LINES} lines were read")
        data = b"\n".join(data.split(b"\n", LINES)[:LINES])
    return data


class _Enough(Exception):
    """So many parts are enough: raised out of the standard library's parser."""


_STUMBLES: Final = (LookupError, TypeError, ValueError)
"""What the standard library raises over parameters of RFC 2231 that contradict each other, or name
a charset that no text has."""


class _Message(Message):
    """A part as the standard library's parser fills it; tells it nothing that makes it go deeper
    than ``DEPTH``, and stumbles over nothing."""

    depth = 0

    def attach(self, payload: Message) -> None:  # type: ignore[override]
        if isinstance(payload, _Message):
            payload.depth = self.depth + 1
        super().attach(payload)

    def get_content_type(self) -> str:
        kind = super().get_content_type().split(maxsplit=1)[0]  # "text/plain charset=..."
        kind = SAME.get(kind, kind)
        is_deep = self.depth >= DEPTH and kind.startswith(("multipart/", "message/"))
        return OPAQUE if is_deep else kind

    def get_boundary(self, failobj: object = None) -> str | None:  # type: ignore[override]
        with suppress(*_STUMBLES):
            return super().get_boundary()
        return None

    def get_param(self, param: str, failobj: Any = None, *args: Any, **named: Any) -> Any:
        """A charset only where it is one of texts, since payloads are decoded by it unasked."""
        value = failobj
        with suppress(*_STUMBLES):
            value = super().get_param(param, failobj, *args, **named)
        if param != "charset" or value is failobj:
            return value
        name = value[2] if isinstance(value, tuple) else value
        return name if _codec(name) else failobj

    def below(self) -> "list[_Message] | None":
        """The parts of a part that has parts."""
        return cast("list[_Message]", self.get_payload()) if self.is_multipart() else None

    def is_coded(self) -> bool:
        """In base64?"""
        return str(self.get("content-transfer-encoding", "")).lower() == "base64"

    def content(self) -> bytes:
        """What stands below the head, decoded; of a part with parts their sources, decoded."""
        below = self.below()
        if below is None:
            content = self.get_payload(decode=True)
            return content if isinstance(content, bytes) else b""
        whole = _Message(policy=_POLICY)
        whole["Content-Transfer-Encoding"] = str(self.get("content-transfer-encoding", ""))
        whole.set_payload(b"\n".join(one.source() for one in below))
        return whole.content()

    def source(self) -> bytes:
        """The part as it stood, with its head."""
        head = "".join(f"{name}: {value}\n" for name, value in self.raw_items())
        between = b"\n" if head and self.get_payload() else b""
        return head.encode("ascii", "surrogateescape") + between + self.content()


class _Policy(Compat32):
    """Header fields of at most ``FIELD`` characters."""

    def header_source_parse(self, sourcelines: list[str]) -> tuple[str, str]:
        name, value = super().header_source_parse(sourcelines)
        return name[:FIELD], value[:FIELD].strip()


_POLICY = _Policy()


class _Opening:
    """One mail being opened: what is left of its bounds, and the problems met."""

    def __init__(self) -> None:
        self.problems: list[str] = []
        self._parts = 0
        self._heads = HEADS
        self._texts = TEXTS

    def parse(self, data: bytes, *, depth: int) -> _Message:
        """The tree of what was read until a bound was reached."""
        made: list[_Message] = []

        def make(policy: Policy = _POLICY) -> _Message:
            if self._parts > PARTS:
                raise _Enough
            self._parts += 1
            made.append(_Message(policy=policy))
            made[-1].depth = depth
            return made[-1]

        try:
            parser = BytesFeedParser(make, policy=_POLICY)
            made.clear()  # it makes one to see how that is called
            parser.feed(_bounded(data, self.problems))
            parser.close()
        except _Enough:
            self.problems.append(f"only the first {PARTS} parts were opened")
            for unfinished in made:
                if unfinished.get_payload() is None:
                    unfinished.set_payload("")
        return made[0] if made else _Message(policy=_POLICY)

    def headers(self, message: Message) -> Headers:
        """The fields of a part, as far as the bound for a mail's heads goes."""
        kept = []
        for name, value in message.raw_items():
            self._heads -= len(name) + len(value)
            if self._heads < 0:
                self.problems.append(f"only {HEADS} characters of header fields were read")
                break
            kept.append((_line(name).lower(), _line(value)))
        return tuple(kept)

    def block(self, text: str) -> Headers:
        """The fields that a text begins with."""
        raw = text.lstrip("\n").encode("utf-8", "replace").decode("ascii", "surrogateescape")
        return self.headers(HeaderParser(policy=_POLICY).parsestr(raw))

    def parts(self, message: _Message, headers: Headers, *, returned: bool) -> Iterator[Part]:
        """What a part consists of."""
        kind, below = message.get_content_type(), message.below()
        if kind in FIELDS_ONLY:
            yield Part(kind, headers, self._text(message), returned)
        elif kind.startswith("message/"):
            inner = self._inner(message)
            head = self.headers(inner)
            yield Part(kind, head, "", returned=True)
            yield from self.parts(inner, head, returned=True)
        elif below is not None:
            for one in below:
                head = self.headers(one)
                yield from self.parts(one, head, returned=returned or _is_mail(head))
        elif kind == "text/rfc822-headers":
            text = self._text(message)
            yield Part(kind, self.block(text), text, returned=True)
        elif kind.startswith("text/"):
            yield Part(kind, headers, self._text(message), returned)
        elif kind.startswith("multipart/"):
            self.problems.append(f"{kind} without its boundary")
            yield Part("text/plain", headers, self._text(message), returned)
        else:
            if message.depth >= DEPTH:
                self.problems.append(f"parts deeper than {DEPTH} were not opened")
            yield Part(kind, headers, "", returned)

    def _inner(self, message: _Message) -> _Message:
        """The mail that a message/* holds. One in base64 is decoded first, though no standard
        allows it; one that the parser stopped before is empty."""
        inner = (message.below() or [_Message(policy=_POLICY)])[0]
        if message.is_coded() and not inner.keys():
            return self.parse(message.content(), depth=message.depth + 1)
        return inner

    def _text(self, message: _Message) -> str:
        """A part's text, as far as the bound for a mail's texts goes."""
        text = decoded(message.content(), message.get_content_charset(""))
        if len(text) > self._texts:
            self.problems.append(f"only {TEXTS} characters of text were read")
        text = text[: self._texts]
        self._texts -= len(text)
        return text


def _is_mail(head: Headers) -> bool:
    """Whether the head of a part is that of a mail, put there without message/rfc822 around it."""
    return any(name in ("received", "return-path") for name, _value in head)


def _line(raw: str) -> str:
    """A field as the parser has it (bytes beyond ASCII as surrogates), on one line, decoded."""
    text = decoded(raw.encode("ascii", "surrogateescape"), "")
    if "=?" in text:
        with suppress(HeaderParseError):
            text = "".join(
                piece if isinstance(piece, str) else decoded(piece, charset or _RAW)
                for piece, charset in decode_header(text)
            )
    return " ".join(text.split())


_RAW = "raw_unicode_escape"
"""How ``decode_header`` gives what stands between encoded words."""

_CHARSETS = frozenset(aliases.values()) - {"ascii"} | {_RAW}
"""Of Python's codecs those that texts have: punycode and idna, whose cost grows with the square
of the text, have no other name and so are none of them."""

_WIDER = {"gb2312": "gb18030", "gbk": "gb18030", "latin_1": "cp1252"}
"""Charsets that are named where a wider one is meant."""


def decoded(data: bytes, charset: str) -> str:
    """Bytes as text, whatever they are said to be: by their charset, else as UTF-8, else with
    marks for what cannot be read. Lines end with LF; nothing that a database refuses (NUL, lone
    surrogates)."""
    named = _codec(charset)
    for codec, errors in (
        (named or "utf_8", "strict"),
        ("utf_8", "strict"),
        (named or "cp1252", "replace"),
    ):
        with suppress(LookupError, ValueError):
            return _clean(data.decode(codec, errors))
    return _clean(data.decode("cp1252", "replace"))


def _codec(charset: str) -> str:
    """Python's name of a charset that texts have; "" = none of them."""
    name = normalize_encoding(charset.strip("'\" ")).lower()
    name = aliases.get(name, name)
    return _WIDER.get(name, name) if name in _CHARSETS else ""


def _clean(text: str) -> str:
    text = text.replace("\0", "").replace("\r\n", "\n")
    return text.encode("utf-8", "replace").decode("utf-8")
