"""Style sheet and script: read and compressed once, served by content hash, cached for a year."""

import gzip
import hashlib
from mimetypes import guess_type
from pathlib import Path

from fastapi import APIRouter, Request
from fastapi.responses import Response
from starlette.exceptions import HTTPException

_YEAR = "public, max-age=31536000, immutable"
_SERVED = (".css", ".js", ".svg", ".png", ".txt", ".ico")


class StaticFiles:
    """The files of one folder, in memory: ``url("paperpost.css")`` names the content too."""

    def __init__(self, folder: Path, prefix: str = "/static") -> None:
        self.prefix = prefix
        self._files = {
            path.name: path.read_bytes() for path in folder.iterdir() if path.suffix in _SERVED
        }
        self._packed = {
            name: gzip.compress(content, 9, mtime=0) for name, content in self._files.items()
        }
        self._hashes = {
            name: hashlib.sha256(content).hexdigest()[:16] for name, content in self._files.items()
        }

    def url(self, name: str) -> str:
        """Return the address of a file, with its hash. Raises KeyError for an unknown one."""
        return f"{self.prefix}/{name}?v={self._hashes[name]}"

    def router(self) -> APIRouter:
        """Return the route that serves them; an address without the right hash is not cached."""
        router = APIRouter()

        @router.get("/static/{name}", include_in_schema=False)
        def static_file(request: Request, name: str) -> Response:
            if name not in self._files:
                raise HTTPException(404)
            current = request.query_params.get("v") == self._hashes[name]
            packs = "gzip" in request.headers.get("accept-encoding", "")
            headers = {
                "ETag": f'"{self._hashes[name]}{"-gz" if packs else ""}"',
                "Cache-Control": _YEAR if current else "no-cache",
                "Vary": "Accept-Encoding",
            }
            if request.headers.get("if-none-match") == headers["ETag"]:
                return Response(status_code=304, headers=headers)
            kind = guess_type(name)[0] or "application/octet-stream"
            if packs:
                headers["Content-Encoding"] = "gzip"
            content = (self._packed if packs else self._files)[name]
            return Response(content, media_type=kind, headers=headers)

        return router
