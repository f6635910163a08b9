"""A relay that writes down every byte it hears, and what it had heard by each answer.

``async with WireTap(features) as tap: ... tap.port ... tap.bodies ... tap.events``
bodies: per message, the bytes between the CRLF of DATA and the final dot, dots still doubled.
events: in order, ("line", b"MAIL FROM:...") for a command, ("354", b""), ("body", bytes) as above,
("end", b"") when a connection is over. forgets: what came behind a dot is dropped unread.
"""

import asyncio
from types import TracebackType

EVERYTHING = ("PIPELINING", "SIZE 50000000", "8BITMIME", "SMTPUTF8", "ENHANCEDSTATUSCODES")


class WireTap:
    def __init__(self, features: tuple[str, ...] = EVERYTHING, *, forgets: bool = False) -> None:
        self.features = features
        self.forgets = forgets
        self.port = 0
        self.connections = 0
        self.bodies: list[bytes] = []
        self.events: list[tuple[str, bytes]] = []
        self.chunks: list[bytes] = []
        self._tasks: set[asyncio.Task[None]] = set()

    async def __aenter__(self) -> "WireTap":
        self._server = await asyncio.start_server(self._met, "127.0.0.1", 0)
        self.port = self._server.sockets[0].getsockname()[1]
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._server.close()
        for task in list(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    def lines(self) -> list[bytes]:
        """Every command, in order."""
        return [words for kind, words in self.events if kind == "line"]

    async def _met(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        self.connections += 1
        try:
            await self._talk(reader, writer)
        except ConnectionError:
            pass  # the client went away, which some tests want
        finally:
            self.events.append(("end", b""))
            writer.close()

    async def _talk(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        heard = b""
        writer.write(b"220 tap\r\n")
        in_body = False
        while chunk := await reader.read(1 << 20):
            self.chunks.append(chunk)
            heard += chunk
            while True:
                if in_body:
                    end = (b"\r\n" + heard).find(b"\r\n.\r\n")
                    if end < 0:
                        break
                    body, heard, in_body = heard[:end], heard[end + 3 :], False
                    self.bodies.append(body)
                    self.events.append(("body", body))
                    heard = b"" if self.forgets else heard
                    writer.write(b"250 2.0.0 queued\r\n")
                    continue
                line, found, rest = heard.partition(b"\r\n")
                if not found:
                    break
                heard = rest
                self.events.append(("line", line))
                in_body = line == b"DATA"
                if in_body:
                    self.events.append(("354", b""))
                writer.write(self._answer(line))
                if line == b"QUIT":
                    return

    def _answer(self, line: bytes) -> bytes:
        verb = line.split(b" ")[0].upper()
        if verb == b"EHLO":
            words = ["tap", *self.features]
            lines = [f"250{'-' if one is not words[-1] else ' '}{one}" for one in words]
            return "\r\n".join(lines).encode() + b"\r\n"
        return {b"DATA": b"354 go\r\n", b"QUIT": b"221 bye\r\n"}.get(verb, b"250 ok\r\n")
