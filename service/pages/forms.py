"""Typed reading of POST forms: bounded, every fault said in three parts, nothing typed lost."""

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Annotated, Any

from fastapi import Path, Request
from python_multipart.exceptions import FormParserError
from python_multipart.multipart import parse_options_header
from starlette.datastructures import UploadFile
from starlette.exceptions import HTTPException
from starlette.formparsers import MultiPartException
from starlette.types import Message

from service.delivery.i18n import SOURCE, Texts
from service.errors import PaperpostError, Sentence, SpokenError

FORM_BYTES = 64 * 1024
HEARD_BYTES = 1024 * 1024
"""So much more is read and thrown away: a browser that is answered while it still sends shows a
broken connection instead of the answer."""
UPLOAD_BYTES = 20 * 1024 * 1024
RowNumber = Annotated[int, Path(ge=0, le=2**53)]
"""A number in an address: what is larger than databases count is no page's (404)."""
_MOST_FIELDS = 200
_KINDS = (b"application/x-www-form-urlencoded", b"multipart/form-data")
_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f]")


class FormTooLargeError(SpokenError):
    """The body is larger than the form allows; ``most`` in bytes."""

    def __init__(self, most: int) -> None:
        what = Sentence("The form is larger than %(most)s kB.", most=most // 1024)
        super().__init__(what, "", Sentence("Send less at once."))
        self.most = most


class UnreadableFormError(SpokenError):
    """The body is no form."""


class SeveralError(SpokenError):
    """Faults of several fields of one form. errors: field -> its fault."""

    def __init__(self, errors: Mapping[str, PaperpostError]) -> None:
        super().__init__(Sentence("Several fields are to be mended."), next(iter(errors)))
        self.errors = dict(errors)


@dataclass(frozen=True, slots=True)
class FieldError:
    """What is wrong, where (the field's name), what to do next. Plain text.

    about_words: the page that explains how words are written is offered · focus: the page opens at
    this field; one of several alone may have it.
    """

    what: str
    where: str
    next_step: str = ""
    about_words: bool = False
    focus: bool = True


@dataclass(frozen=True, slots=True)
class Upload:
    """A file as it came; ``name`` is the browser's and must not become a path."""

    name: str
    content: bytes


class Form:
    """One form that was sent. Readers return a usable value and note faults in ``errors``."""

    def __init__(
        self,
        values: Mapping[str, Sequence[str]],
        uploads: Mapping[str, Upload] | None = None,
        texts: Texts | None = None,
    ) -> None:
        self._values = values
        self._uploads = uploads or {}
        self._texts: Texts = texts or Texts(SOURCE)
        self.errors: dict[str, FieldError] = {}

    def __contains__(self, name: object) -> bool:
        return name in self._values

    def __iter__(self) -> Iterator[str]:
        return iter(self._values)

    @property
    def ok(self) -> bool:
        """True while nothing is wrong."""
        return not self.errors

    def raw(self, name: str) -> str:
        """Return what was typed, to show it again ("" when absent)."""
        values = self._values.get(name, ())
        return values[-1] if values else ""

    def typed(self, name: str) -> str:
        """Return what was typed without blanks around it, line ends as \\n."""
        return self.raw(name).replace("\r\n", "\n").strip()

    def with_value(self, name: str, value: str) -> "Form":
        """The same form with another value in one field."""
        return Form({**self._values, name: (value,)}, self._uploads, self._texts)

    def fault(self, name: str, what: str, next_step: str = "") -> None:
        """Note what is wrong with a field; the first fault of a field stays."""
        fault = FieldError(what, name, next_step, focus=not self.errors)
        self.errors.setdefault(name, fault)

    def refuse(self, name: str, error: PaperpostError) -> None:
        """Note the fault that a room below raised about a field."""
        self.fault(name, self._texts.said(error.what), self._texts.said(error.next_step))

    def text(self, name: str, *, most: int = 200, required: bool = False) -> str:
        """Return one trimmed line or text, without control characters, line ends as \\n."""
        value = self.raw(name).replace("\r\n", "\n").replace("\r", "\n")
        value = _CONTROL.sub("", value).strip()
        _ = self._texts.gettext
        if required and not value:
            self.fault(name, _("This is empty."), _("Fill it in."))
        if len(value) > most:
            what = _(
                "This has %(count)s characters; %(most)s fit.",
                count=self._texts.number(len(value)),
                most=self._texts.number(most),
            )
            self.fault(name, what, _("Shorten it."))
            return value[:most]
        return value

    def flag(self, name: str) -> bool:
        """Return True for a ticked box."""
        return self.raw(name) not in ("", "0", "false", "off")

    def whole(self, name: str, *, low: int, high: int, default: int | None = None) -> int:
        """Return a whole number from low to high; ``low`` stands in for one that is none."""
        value = self.raw(name).strip()
        if not value and default is not None:
            return default
        # isdecimal takes digits of every script; int() reads them all, so "٨" is 8
        number = int(value) if value.isdecimal() and len(value) < 10 else None
        if number is None or not low <= number <= high:
            _ = self._texts.gettext
            what = _(
                "This is no whole number from %(low)s to %(high)s.",
                low=self._texts.number(low),
                high=self._texts.number(high),
            )
            self.fault(name, what, _("Correct it."))
            return low if default is None else default
        return number

    def choice(self, name: str, options: Sequence[str], default: str | None = None) -> str:
        """Return one of ``options``; the default (or the first) stands in for anything else."""
        value = self.raw(name)
        if not value and default is not None:
            return default
        if value not in options:
            _ = self._texts.gettext
            self.fault(name, _("This is not one of the choices."), _("Choose one of them."))
            return options[0] if default is None else default
        return value

    def choices(self, name: str, options: Sequence[str]) -> tuple[str, ...]:
        """Return the ticked ones of ``options``, in their order; unknown ones are left out."""
        ticked = set(self._values.get(name, ()))
        return tuple(option for option in options if option in ticked)

    def pairs(self) -> list[tuple[str, str]]:
        """Return every field with each of its values, to send the form again as it was."""
        return [(name, value) for name, values in self._values.items() for value in values]

    def several(self, name: str) -> tuple[str, ...]:
        """Return every value of a field, as it was sent."""
        return tuple(self._values.get(name, ()))

    def upload(self, name: str) -> Upload | None:
        """Return the file, None when none was chosen."""
        return self._uploads.get(name)


def read_each(
    read: Mapping[str, Callable[[], Any]],
) -> tuple[dict[str, Any], dict[str, PaperpostError]]:
    """What each reads, and the faults by their fields."""
    made: dict[str, Any] = {}
    errors: dict[str, PaperpostError] = {}
    for name, one in read.items():
        try:
            made[name] = one()
        except PaperpostError as error:
            errors[error.where or name] = error
    return made, errors


async def read_form(
    request: Request, texts: Texts | None = None, *, most_bytes: int = FORM_BYTES
) -> Form:
    """Read a urlencoded or multipart body. Null bytes are left out: no text has them.

    Raises FormTooLargeError before the whole is in memory, UnreadableFormError for another
    content type, a broken body, or more than 200 fields.
    """
    kind, _options = parse_options_header(request.headers.get("content-type"))
    if kind not in _KINDS:
        raise UnreadableFormError(
            Sentence("This address reads forms alone."),
            "Content-Type",
            Sentence(
                "Send %(types)s.", types=" / ".join(known.decode("ascii") for known in _KINDS)
            ),
        )
    body = await _bounded(request, most_bytes)
    inner = Request({k: v for k, v in request.scope.items() if k != "app"}, _replay(body))
    try:
        data = await inner.form(max_files=5, max_fields=_MOST_FIELDS, max_part_size=most_bytes)
    except (MultiPartException, FormParserError, HTTPException, ValueError, KeyError) as error:
        raise UnreadableFormError(
            Sentence("The form cannot be read."), "", Sentence("Go back and send it again.")
        ) from error
    values: dict[str, list[str]] = {}
    uploads: dict[str, Upload] = {}
    try:
        for name, value in data.multi_items():
            if isinstance(value, UploadFile):
                if value.filename:
                    uploads[name] = Upload(value.filename, await value.read())
            else:
                values.setdefault(name, []).append(value.replace("\0", ""))
    finally:
        await inner.close()
    return Form(values, uploads, texts)


async def _bounded(request: Request, most: int) -> bytes:
    said = request.headers.get("content-length", "")
    if said.isdecimal() and int(said) > most + HEARD_BYTES:
        raise FormTooLargeError(most)
    chunks: list[bytes] = []
    size = 0
    async for chunk in request.stream():
        size += len(chunk)
        if size > most + HEARD_BYTES:
            raise FormTooLargeError(most)
        if size <= most:
            chunks.append(chunk)
    if size > most:
        raise FormTooLargeError(most)
    return b"".join(chunks)


def _replay(body: bytes) -> Any:
    async def receive() -> Message:
        return {"type": "http.request", "body": body, "more_body": False}

    return receive
