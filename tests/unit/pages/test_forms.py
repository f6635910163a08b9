"""Reading forms."""

import asyncio
from typing import Any
from urllib.parse import urlencode

import pytest
from starlette.requests import Request

from service.errors import PaperpostError
from service.pages.forms import Form, FormTooLargeError, UnreadableFormError, read_form

URLENCODED = "application/x-www-form-urlencoded"


def _read(
    body: bytes, kind: str, *, chunk: int = 1000, length: bool = True, **options: Any
) -> Form:
    chunks = [body[i : i + chunk] for i in range(0, len(body), chunk)] or [b""]
    headers = [(b"content-type", kind.encode())]
    if length:
        headers.append((b"content-length", str(len(body)).encode()))

    async def receive() -> dict[str, Any]:
        part = chunks.pop(0)
        return {"type": "http.request", "body": part, "more_body": bool(chunks)}

    request = Request({"type": "http", "method": "POST", "path": "/", "headers": headers}, receive)
    return asyncio.run(read_form(request, **options))


def _multipart(*parts: bytes) -> bytes:
    return (
        b"".join(b"--B\r\nContent-Disposition: form-data; " + p + b"\r\n" for p in parts) + b"--B--"
    )


def test_urlencoded_and_multipart_say_the_same() -> None:
    one = _read(urlencode({"email": "a@b.org", "words": "LoRA\r\nä"}).encode(), URLENCODED)
    two = _read(
        _multipart(b'name="email"\r\n\r\na@b.org', 'name="words"\r\n\r\nLoRA\r\nä'.encode()),
        "multipart/form-data; boundary=B",
    )
    for form in (one, two):
        assert form.text("email") == "a@b.org"
        assert form.text("words") == "LoRA\nä"
        assert list(form) == ["email", "words"]
        assert form.ok


def test_null_bytes_are_left_out() -> None:
    form = _read(b"words=a%00b&words=%00", URLENCODED)
    assert form.several("words") == ("ab", "")


def test_an_upload_and_an_empty_one() -> None:
    form = _read(
        _multipart(
            b'name="csv"; filename="../readers.csv"\r\n\r\nemail\r\n\xff\x00',
            b'name="none"; filename=""\r\n\r\n',
        ),
        "multipart/form-data; boundary=B",
    )
    upload = form.upload("csv")
    assert upload is not None
    assert upload.content == b"email\r\n\xff\x00"
    assert form.upload("none") is None


@pytest.mark.parametrize("length", [True, False])
def test_a_body_over_the_limit_is_refused(length: bool) -> None:
    body = b"words=" + b"x" * 5000
    assert _read(body, URLENCODED, most_bytes=len(body), length=length).raw("words") == "x" * 5000
    with pytest.raises(FormTooLargeError) as caught:
        _read(body, URLENCODED, most_bytes=len(body) - 1, length=length)
    assert caught.value.next_step == "Send less at once."


@pytest.mark.parametrize(
    ("body", "kind"),
    [
        (b"{}", "application/json"),
        (b"a=b", ""),
        (b"no boundary here", "multipart/form-data; boundary=B"),
        (b"x", "multipart/form-data"),
        (b"&".join(b"f%d=1" % i for i in range(300)), URLENCODED),
    ],
)
def test_what_is_no_form_is_refused_in_words(body: bytes, kind: str) -> None:
    with pytest.raises(UnreadableFormError) as caught:
        _read(body, kind)
    assert caught.value.next_step


def test_text_loses_control_characters_and_says_when_it_is_too_long() -> None:
    form = Form({"a": ["  x\x00y\x1bz\t1 "], "b": ["é" * 201], "c": ["  "]})
    assert form.text("a") == "xyz\t1"
    assert form.text("b") == "é" * 200
    assert form.errors["b"].what == "This has 201 characters; 200 fit."
    assert form.text("c", required=True) == ""
    assert form.errors["c"].where == "c"
    assert form.raw("b") == "é" * 201
    assert not form.ok


@pytest.mark.parametrize(("typed", "expected"), [("8", 8), ("٨", 8), (" 23 ", 23), ("", 7)])
def test_whole_numbers(typed: str, expected: int) -> None:
    form = Form({"hour": [typed]})
    assert form.whole("hour", low=0, high=23, default=7) == expected
    assert form.ok


@pytest.mark.parametrize("typed", ["24", "-1", "8.5", "x", "9" * 5000, "²"])
def test_what_is_no_whole_number(typed: str) -> None:
    form = Form({"hour": [typed]})
    assert form.whole("hour", low=0, high=23) == 0
    assert form.errors["hour"].what == "This is no whole number from 0 to 23."


def test_choices_are_only_those_offered() -> None:
    form = Form({"style": ["evil"], "days": ["6", "evil", "0"], "on": ["1"]})
    assert form.choices("days", ["0", "1", "6"]) == ("0", "6")
    assert form.choice("style", ["short", "full"]) == "short"
    assert "style" in form.errors
    assert form.choice("absent", ["short", "full"], "full") == "full"
    assert form.flag("on")
    assert not form.flag("absent")


def test_a_fault_from_below_keeps_its_words_and_the_first_one_stays() -> None:
    form = Form({})
    form.refuse("words", PaperpostError("A bracket is open", "character 7", "Add )."))
    form.fault("words", "second")
    assert (form.errors["words"].what, form.errors["words"].next_step) == (
        "A bracket is open",
        "Add ).",
    )
