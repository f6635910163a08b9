"""Forms with large files: the body goes to disk as it comes, never into memory as a whole."""

from collections.abc import AsyncGenerator
from dataclasses import dataclass
from typing import BinaryIO

from fastapi import Request
from python_multipart.exceptions import FormParserError
from starlette.datastructures import UploadFile
from starlette.formparsers import MultiPartException, MultiPartParser

from service.delivery.i18n import Texts
from service.errors import Sentence
from service.pages.forms import Form, FormTooLargeError, UnreadableFormError

_FIELD_BYTES = 4 * 1024 * 1024
_MOST_FILES, _MOST_FIELDS = 20, 60


@dataclass(frozen=True, slots=True)
class LargeFile:
    """name: the browser's, never a path · stream: read from its beginning, until the form is
    closed."""

    name: str
    stream: BinaryIO


async def read_large(
    request: Request, texts: Texts, *, most_bytes: int
) -> tuple[Form, dict[str, list[LargeFile]]]:
    """The fields of a multipart form and its files by field. Raises FormTooLargeError,
    UnreadableFormError."""
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if kind != "multipart/form-data":
        raise UnreadableFormError(
            Sentence("This address reads forms alone."),
            "Content-Type",
            Sentence("Send %(types)s.", types="multipart/form-data"),
        )
    said = request.headers.get("content-length", "")
    if said.isdecimal() and int(said) > most_bytes:
        raise FormTooLargeError(most_bytes)
    parser = MultiPartParser(
        request.headers,
        _bounded(request, most_bytes),
        max_files=_MOST_FILES,
        max_fields=_MOST_FIELDS,
        max_part_size=_FIELD_BYTES,
    )
    try:
        data = await parser.parse()
    except (MultiPartException, FormParserError, ValueError, KeyError) as error:
        raise UnreadableFormError(
            Sentence("The form cannot be read."), "", Sentence("Go back and send it again.")
        ) from error
    values: dict[str, list[str]] = {}
    files: dict[str, list[LargeFile]] = {}
    for name, value in data.multi_items():
        if isinstance(value, UploadFile):
            if value.filename:
                files.setdefault(name, []).append(LargeFile(value.filename, value.file))
            else:
                value.file.close()  # nothing was chosen
        else:
            values.setdefault(name, []).append(value.replace("\0", ""))
    return Form(values, {}, texts), files


async def _bounded(request: Request, most: int) -> AsyncGenerator[bytes, None]:
    size = 0
    async for chunk in request.stream():
        size += len(chunk)
        if size > most:
            raise FormTooLargeError(most)
        yield chunk
