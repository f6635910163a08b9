"""Lists that programs take away whole: a stream, on record before its first row."""

from typing import Any

from fastapi import Request

from service.errors import PaperpostError

EXPORTED: dict[int | str, dict[str, Any]] = {
    200: {
        "description": "The list, in one stream.",
        "content": {"text/csv": {"schema": {"type": "string"}}, "application/json": {}},
    }
}
ONE: dict[int | str, dict[str, Any]] = {
    200: {
        "description": "All of it, in one stream.",
        "content": {"application/json": {"schema": {"type": "object"}}},
    }
}
PROBLEMS: dict[int | str, dict[str, Any]] = {
    200: {
        "description": "The rows, in one stream.",
        "content": {"text/csv": {"schema": {"type": "string"}}},
    }
}


class ExportKeyError(PaperpostError):
    """A key with an export: its answer is as long as the list, and is not kept."""


def no_key(request: Request) -> None:
    """A dependency. Raises ExportKeyError."""
    if "idempotency-key" in request.headers:
        what = "An export is not kept to be answered again."
        raise ExportKeyError(what, "Idempotency-Key", "Leave the key out.")
