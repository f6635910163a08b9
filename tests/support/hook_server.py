"""A program that is told of events: an HTTP server on loopback that remembers what it heard."""

import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Self


@dataclass(frozen=True)
class Heard:
    """One post. headers: names in small letters."""

    path: str
    headers: Mapping[str, str]
    body: bytes


class HookServer:
    """Answers 200 until it is told otherwise."""

    def __init__(self) -> None:
        self.heard: list[Heard] = []
        self.before_answer: Callable[[], None] = lambda: None
        self._says: tuple[int, str, Mapping[str, str]] = (200, "ok", {})
        owner = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers.get("Content-Length", "0")))
                named = {name.lower(): value for name, value in self.headers.items()}
                owner.heard.append(Heard(self.path, named, body))
                owner.before_answer()
                status, words, headers = owner._says
                said = words.encode()
                self.send_response(status)
                for name, value in headers.items():
                    self.send_header(name, value)
                self.send_header("Content-Length", str(len(said)))
                self.end_headers()
                self.wfile.write(said)

            def log_message(self, *_: object) -> None:
                """Be silent."""

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self._server.server_address[1]}/hook"

    def answer(
        self, status: int, words: str = "", headers: Mapping[str, str] | None = None
    ) -> None:
        """What it says from now on."""
        self._says = status, words, headers or {}

    def __enter__(self) -> Self:
        threading.Thread(target=self._server.serve_forever, daemon=True).start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        fault: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._server.shutdown()
        self._server.server_close()
