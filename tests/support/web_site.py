"""A small web site on 127.0.0.1 whose answers a test writes down; it counts what was asked."""

import threading
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from urllib.parse import parse_qs, urlsplit

Answer = tuple[int, dict[str, str], bytes]
Reply = Answer | Callable[[dict[str, str], dict[str, str]], Answer]


class WebSite:
    """``site.at["/feed"] = (200, {}, b"...")`` or a function of (query, headers). ``site.asked``
    holds path and query of every request."""

    def __init__(self) -> None:
        self.at: dict[str, Reply] = {}
        self.asked: list[str] = []
        site = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                parts = urlsplit(self.path)
                site.asked.append(self.path)
                query = {k: v[0] for k, v in parse_qs(parts.query).items()}
                reply = site.at.get(parts.path, (404, {}, b"nothing here"))
                headers = {k.lower(): v for k, v in self.headers.items()}
                status, extra, body = reply(query, headers) if callable(reply) else reply
                self.send_response(status)
                for name, value in extra.items():
                    self.send_header(name, value)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, format: str, *args: object) -> None:
                """Say nothing."""

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._thread = threading.Thread(
            target=self._server.serve_forever, args=(0.02,), daemon=True
        )

    @property
    def base(self) -> str:
        return f"http://127.0.0.1:{self._server.server_port}"

    def count(self, path: str) -> int:
        """How often a path was asked."""
        return sum(urlsplit(asked).path == path for asked in self.asked)

    def __enter__(self) -> "WebSite":
        self._thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        fault: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()
