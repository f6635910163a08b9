"""Files of lists as they come: packed, those in a ZIP each for itself, and their signs known."""

import codecs
import gzip
import hashlib
import io
import lzma
import zipfile
import zlib
from dataclasses import dataclass
from typing import BinaryIO

from service.flows.spreadsheet import ReaderError, check_kind
from service.text.clean import collapse

MOST_BYTES = 200_000_000
"""Of all files of an import together, unpacked."""

MOST_FILES = 10

_PIECE = 1 << 18
_ZIP = b"PK\x03\x04"
_EMPTY_ZIP = b"PK\x05\x06"
_TABLES = (".csv", ".txt", ".tsv")
_BROKEN = (
    zipfile.BadZipFile, zlib.error, lzma.LZMAError, OSError, EOFError, ValueError, RuntimeError,
)  # fmt: skip
"""What a ZIP that is damaged, locked or packed in another way raises: OSError of bzip2, ValueError
of names and places, RuntimeError of passwords and of ways that are not known."""

_BOMS = (b"\xff\xfe", b"\xfe\xff")


@dataclass(frozen=True, slots=True)
class ListFile:
    """name: as the file was called, without folders · packed: gzip · sha: of what is in it · size:
    bytes, unpacked."""

    name: str
    packed: bytes
    sha: str
    size: int = 0

    def open(self) -> BinaryIO:
        return gzip.open(io.BytesIO(self.packed), "rb")  # type: ignore[return-value]


def pack(name: str, stream: BinaryIO, most: int = MOST_BYTES) -> ListFile:
    """Read a file in pieces and pack it. Raises ReaderError: too large, a workbook, a ZIP."""
    hashed, out, size = hashlib.sha256(), io.BytesIO(), 0
    with gzip.GzipFile(fileobj=out, mode="wb", compresslevel=4, mtime=0) as packed:
        while piece := stream.read(_PIECE):
            if not size:
                check_kind(piece)
            size += len(piece)
            if size > most:
                what = f"The lists are larger than {MOST_BYTES // 1_000_000} MB."
                raise ReaderError(what, "", "Split them.")
            hashed.update(piece)
            packed.write(piece)
    called = collapse(name.replace("\\", "/").rpartition("/")[2])[:255]
    return ListFile(called, out.getvalue(), hashed.hexdigest(), size)


def pack_all(name: str, stream: BinaryIO, most: int = MOST_BYTES) -> list[ListFile]:
    """The same, and of a ZIP each list in it, as Mailchimp hands them out. Raises ReaderError: too
    large, a workbook, a ZIP that holds no list or cannot be read."""
    start = stream.read(len(_ZIP))
    stream.seek(0)
    if start not in (_ZIP, _EMPTY_ZIP):
        return [pack(name, stream, most)]
    try:
        with zipfile.ZipFile(stream) as archive:
            return _unzipped(archive, most)
    except _BROKEN as error:
        said = "it has a password" if "password" in str(error) else "it is damaged"
        what = f"This ZIP cannot be read: {said}."
        raise ReaderError(what, "", "Unpack it, and give the lists in it.") from error


def _unzipped(archive: zipfile.ZipFile, most: int) -> list[ListFile]:
    inside = [one for one in archive.infolist() if not one.is_dir()]
    if any(one.filename == "[Content_Types].xml" for one in inside):
        check_kind(_ZIP)  # a workbook is a ZIP of such parts
    tables = [
        one
        for one in inside
        if one.filename.lower().endswith(_TABLES) and not one.filename.startswith("__MACOSX/")
    ]
    if not tables:
        raise ReaderError("This ZIP holds no list.", "", "Give a CSV, or a ZIP with CSV files.")
    if len(tables) > MOST_FILES:
        what = f"This ZIP holds {len(tables)} lists."
        raise ReaderError(what, "", f"{MOST_FILES} at most.")
    found: list[ListFile] = []
    for one in tables:
        with archive.open(one) as stream:
            found.append(pack(one.filename, stream, most - sum(f.size for f in found)))  # type: ignore[arg-type]
    return found


def unpack(name: str, packed: bytes) -> ListFile:
    """A file as it was kept."""
    return ListFile(name, packed, "")


def encoding_of(file: ListFile) -> tuple[str, bool]:
    """(how its signs are written, whether some bytes are none of them): UTF-8, UTF-16 with or
    without its mark, else Windows-1252. One broken sign does not make the others Windows-1252."""
    with file.open() as stream:
        piece = stream.read(_PIECE)
        if piece[:2] in _BOMS:
            return "utf-16", False
        start = piece[:1000]
        if start.count(0) > len(start) // 4:
            return (
                "utf-16-le" if start[1::2].count(0) > start[::2].count(0) else "utf-16-be"
            ), False
        decoder = codecs.getincrementaldecoder("utf-8")("replace")
        right = wrong = 0
        while piece:
            if not piece.isascii():
                text = decoder.decode(piece)
                broken = text.count("\ufffd")
                wrong += broken
                right += sum(not sign.isascii() for sign in text) - broken
            else:
                wrong += bool(decoder.getstate()[0])
                decoder.reset()
            piece = stream.read(_PIECE)
        wrong += decoder.decode(b"", True).count("\ufffd")
    if wrong > right:
        return "cp1252", False
    return "utf-8-sig", wrong > 0
