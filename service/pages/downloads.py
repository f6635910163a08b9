"""Files that are made while they are sent: what is in memory does not grow with the list."""

from collections.abc import Iterable

from fastapi.responses import StreamingResponse

_TYPES = {"csv": "text/csv; charset=utf-8", "json": "application/json"}


def download(parts: Iterable[str], name: str) -> StreamingResponse:
    """name: of the file, with .csv or .json, by which its type is told."""
    return StreamingResponse(
        (part.encode() for part in parts),
        media_type=_TYPES[name.rpartition(".")[2]],
        headers={"Content-Disposition": f'attachment; filename="{name}"'},
    )
