"""The envelope of OAI-PMH: records, errors and the token of the next page. Pure.

http://www.openarchives.org/OAI/2.0/openarchivesprotocol.htm, section 3. Answers are UTF-8. Nothing
that declares a document type is read, so that no entity can be expanded or fetched; what is broken
on the way is read as far as it goes.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from xml.etree.ElementTree import Element, TreeBuilder  # nosec B405
from xml.parsers.expat import ExpatError, ParserCreate  # nosec B407

from service.sources.adapter import CaptureError, Problem
from service.sources.document import CUT
from service.text.clean import collapse

_DEEPEST = 30
_PARTS = frozenset(("record", "error", "resumptionToken", "responseDate"))
_PAGE = re.compile(rb"<!doctype\s+html|<html[\s>]", re.IGNORECASE)
_NO_XML = re.compile("[\u0000-\u0008\u000b\u000c\u000e-\u001f\ud800-\udfff\ufffe\uffff]")
_REPLACED = "some bytes are no UTF-8 or no characters of XML; they are shown as \ufffd"


@dataclass(slots=True)
class Envelope:
    """records: the whole ones, in order. errors: (code, words). bookmark: the token of the next
    page, "" on the last one. made_at: ``responseDate``. is_cut: the answer ended before its end."""

    records: list[Element] = field(default_factory=list)
    errors: list[tuple[str, str]] = field(default_factory=list)
    problems: list[Problem] = field(default_factory=list)
    bookmark: str = ""
    made_at: datetime | None = None
    is_cut: bool = False


def envelope(body: bytes, tell: str) -> Envelope:
    """Open an answer; raises CaptureError when it is none (``tell`` = what to do instead)."""
    start = body[:300].lstrip(b"\xef\xbb\xbf \t\r\n")
    if not start:
        raise CaptureError("The answer is empty.", "first byte", tell)
    if _PAGE.match(start):
        raise CaptureError("This is a web page, no answer of OAI-PMH.", "first bytes", tell)
    if start[:1] != b"<":
        raise CaptureError("These bytes are no XML.", "first byte", tell)
    text = body.decode("utf-8-sig", errors="replace")
    clean = _NO_XML.sub("\ufffd", text)
    made = Envelope()
    if clean != text or ("\ufffd" in text and b"\xef\xbf\xbd" not in body):
        made.problems.append(Problem(0, "", _REPLACED))
    reader = _Reader(made, tell)
    try:
        reader.read(clean.encode())
    except ExpatError as fault:
        if not reader.is_oai:
            what = "These bytes are no answer of OAI-PMH."
            raise CaptureError(what, f"line {fault.lineno}", tell) from fault
        made.is_cut = True
        made.bookmark = ""
        made.problems.append(Problem(0, "", f"{CUT} (line {fault.lineno})"))
    return made


class _Reader:
    """Builds elements with plain names, one record after the other."""

    def __init__(self, made: Envelope, tell: str) -> None:
        self._made = made
        self._tell = tell
        self._open: list[str] = []
        self._building: TreeBuilder | None = None
        self.is_oai = False

    def read(self, text: bytes) -> None:
        parser = ParserCreate("utf-8", " ")
        parser.buffer_text = True
        parser.StartDoctypeDeclHandler = self._doctype
        parser.StartElementHandler = self._start
        parser.EndElementHandler = self._end
        parser.CharacterDataHandler = self._data
        parser.Parse(text, True)

    def _doctype(self, *_: object) -> None:
        what = "This XML declares a document type, which may hold entities; it is not read."
        raise CaptureError(what, "first lines", self._tell)

    def _start(self, tag: str, attributes: dict[str, str]) -> None:
        name = tag.rpartition(" ")[2]
        if not self._open:
            if name != "OAI-PMH":
                what = "This XML is no answer of OAI-PMH."
                raise CaptureError(what, f"element {name[:60]}", self._tell)
            self.is_oai = True
        self._open.append(name)
        if len(self._open) > _DEEPEST:
            raise CaptureError("This XML is nested too deep.", name[:60], self._tell)
        if name in _PARTS and self._building is None:
            self._building = TreeBuilder()
        if self._building is not None:
            self._building.start(name, attributes)

    def _data(self, text: str) -> None:
        if self._building is not None:
            self._building.data(text)

    def _end(self, tag: str) -> None:
        name = self._open.pop()
        if self._building is None:
            return
        element = self._building.end(name)
        if name not in _PARTS or not _PARTS.isdisjoint(self._open):
            return
        if name == "record":
            self._made.records.append(element)
        elif name == "error":
            self._made.errors.append((element.get("code", ""), collapse(element.text or "")))
        elif name == "resumptionToken":
            self._made.bookmark = (element.text or "").strip()
        else:
            self._made.made_at = _instant(element.text or "")
        self._building = None


def _instant(text: str) -> datetime | None:
    try:
        made = datetime.fromisoformat(text.strip())
    except ValueError:
        return None
    return made.astimezone(UTC) if made.tzinfo else made.replace(tzinfo=UTC)


def under(element: Element, *path: str) -> Iterator[Element]:
    """The elements at a path of plain names."""
    found = [element]
    for name in path:
        found = [child for parent in found for child in parent if child.tag == name]
    return iter(found)


def words(element: Element, *path: str) -> str:
    """The text at a path, as written; "" where there is none."""
    return next((part.text or "" for part in under(element, *path)), "")
