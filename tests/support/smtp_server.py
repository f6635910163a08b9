"""A real SMTP server whose every answer can be scripted, over real sockets on 127.0.0.1.

In a test:   ``with SmtpServer() as server: ... server.port ... server.accepted``
             ``server.on("RCPT", reply("550 5.1.1 no such user"), match="bad", times=1)``
             ``server.on("DOT", hang())`` · ``drop()`` closes the connection without an answer.
As a process (for tests that kill the sender):
             ``python -m tests.support.smtp_server --port 0 --log accepted.jsonl``
             prints its port on one line, appends one JSON line per accepted message, before
             the 250 is sent: message_id, sender, recipient, size, sha256, at, connection.
Steps that can be scripted: CONNECT EHLO STARTTLS AUTH MAIL RCPT DATA DOT RSET NOOP QUIT.
"""

import argparse
import asyncio
import hashlib
import json
import os
import re
import ssl
import threading
import time
from dataclasses import asdict, dataclass, field
from pathlib import Path
from types import TracebackType

FEATURES = ("PIPELINING", "SIZE 10000000", "8BITMIME", "ENHANCEDSTATUSCODES")
_DEFAULTS = {
    "CONNECT": "220 test.example ESMTP",
    "MAIL": "250 2.1.0 Ok",
    "RCPT": "250 2.1.5 Ok",
    "DATA": "354 go ahead",
    "DOT": "250 2.0.0 queued",
    "RSET": "250 2.0.0 Ok",
    "NOOP": "250 2.0.0 Ok",
    "QUIT": "221 2.0.0 bye",
    "AUTH": "235 2.7.0 welcome",
    "STARTTLS": "220 2.0.0 ready",
}


@dataclass
class Act:
    """What to do at a step. kind: reply, hang, drop, slow (wait, then the usual answer)."""

    kind: str
    text: str = ""
    seconds: float = 0.0
    record: bool = False


def reply(text: str, *, record: bool = False) -> Act:
    """Answer with ``text``; at DOT, ``record`` says whether the message counts as accepted."""
    return Act("reply", text, record=record)


def hang() -> Act:
    """Say nothing until ``server.release()``."""
    return Act("hang")


def drop(*, record: bool = False) -> Act:
    """Close the connection without an answer; ``record``: the message was taken all the same."""
    return Act("drop", record=record)


def slow(seconds: float) -> Act:
    """Wait, then answer as usual."""
    return Act("slow", seconds=seconds)


@dataclass
class Rule:
    step: str
    act: Act
    match: str = ""
    times: int | None = None


@dataclass
class Received:
    """One accepted message. data: as received, dots undone."""

    sender: str
    recipient: str
    data: bytes
    connection: int
    at: float = field(default_factory=time.time)

    @property
    def message_id(self) -> str:
        found = re.search(rb"(?im)^message-id:\s*(<[^>]+>)", self.data)
        return found[1].decode() if found else ""


class SmtpServer:
    """Runs in a thread of its own; may also be served inside a running loop (``serve``)."""

    def __init__(
        self,
        *,
        port: int = 0,
        log: Path | None = None,
        features: tuple[str, ...] = FEATURES,
        tls: ssl.SSLContext | None = None,
        implicit_tls: bool = False,
    ) -> None:
        self.port = port
        self.accepted: list[Received] = []
        self.commands: list[str] = []
        self.connections = 0
        self.features = list(features)
        self._log = log
        self._tls = tls
        self._implicit = implicit_tls
        self._rules: list[Rule] = []
        self._lock = threading.Lock()
        self._hung = threading.Event()
        self._released: asyncio.Event | None = None
        self._writers: set[asyncio.StreamWriter] = set()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._stop: asyncio.Event | None = None
        self._thread: threading.Thread | None = None
        self._ready = threading.Event()

    def on(self, step: str, act: Act, *, match: str = "", times: int | None = None) -> None:
        """Add a rule; the newest that fits is taken. match: regex in the command line."""
        with self._lock:
            self._rules.insert(0, Rule(step, act, match, times))

    def clear(self) -> None:
        """Forget every rule."""
        with self._lock:
            self._rules.clear()

    def wait_until_hung(self, seconds: float = 5.0) -> None:
        """Wait until some step hangs; raises AssertionError if none does."""
        assert self._hung.wait(seconds), f"nothing hangs; commands so far: {self.commands}"
        self._hung.clear()

    def release(self) -> None:
        """Let hanging steps go on with their usual answer."""
        if self._loop is not None and self._released is not None and not self._loop.is_closed():
            self._loop.call_soon_threadsafe(self._released.set)

    def drop_all(self) -> None:
        """Close every open connection, as a relay that restarts does."""
        assert self._loop is not None
        asyncio.run_coroutine_threadsafe(self._drop_all(), self._loop).result(5)

    async def _drop_all(self) -> None:
        for writer in list(self._writers):
            writer.transport.abort()

    def __enter__(self) -> "SmtpServer":
        self._thread = threading.Thread(target=lambda: asyncio.run(self.serve()), daemon=True)
        self._thread.start()
        assert self._ready.wait(5), "the SMTP server did not start"
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.release()
        assert self._loop is not None
        assert self._stop is not None
        assert self._thread is not None
        self._loop.call_soon_threadsafe(self._stop.set)
        self._thread.join(5)

    async def serve(self) -> None:
        """Listen until stopped; sets ``port``."""
        self._loop = asyncio.get_running_loop()
        self._stop = asyncio.Event()
        context = self._tls if self._implicit else None
        server = await asyncio.start_server(
            self._talk, "127.0.0.1", self.port, ssl=context, limit=1 << 26
        )
        self.port = server.sockets[0].getsockname()[1]
        self._ready.set()
        await self._stop.wait()
        server.close()
        await self._drop_all()
        await asyncio.sleep(0)

    async def _talk(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        self._writers.add(writer)
        session = _Session(self, reader, writer, self.connections)
        try:
            await session.run()
        except (ConnectionError, asyncio.IncompleteReadError, ssl.SSLError, TimeoutError):
            pass  # the client went away: that is what such tests are about
        finally:
            self._writers.discard(writer)
            writer.close()

    def rule_for(self, step: str, line: str) -> Act | None:
        with self._lock:
            for rule in self._rules:
                if rule.step == step and re.search(rule.match, line):
                    if rule.times is not None:
                        rule.times -= 1
                        if rule.times <= 0:
                            self._rules.remove(rule)
                    return rule.act
        return None

    async def hang_here(self) -> None:
        self._released = asyncio.Event()
        self._hung.set()
        await self._released.wait()

    def record(self, message: Received) -> None:
        self.accepted.append(message)
        if self._log is None:
            return
        row = asdict(message)
        row["size"] = len(row.pop("data"))
        row["sha256"] = hashlib.sha256(message.data).hexdigest()
        row["message_id"] = message.message_id
        line = json.dumps(row).encode() + b"\n"
        file = os.open(self._log, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
        try:
            os.write(file, line)
        finally:
            os.close(file)


class _Session:
    def __init__(
        self,
        server: SmtpServer,
        reader: asyncio.StreamReader,
        writer: asyncio.StreamWriter,
        number: int,
    ) -> None:
        self.server, self.reader, self.writer, self.number = server, reader, writer, number
        self.sender = ""
        self.recipients: list[str] = []

    async def run(self) -> None:
        if not await self.step("CONNECT", ""):
            return
        while line := await self.reader.readline():
            text = line.decode("utf-8", "replace").strip()
            self.server.commands.append(text)
            verb = text.split(" ")[0].upper()
            if not await self.command(verb, text):
                return

    async def command(self, verb: str, text: str) -> bool:
        if verb in ("EHLO", "HELO"):
            lines = ["test.example", *self.server.features]
            usual = "\r\n".join(
                f"250{' ' if at == len(lines) - 1 else '-'}{x}" for at, x in enumerate(lines)
            )
            return await self.step("EHLO", text, usual) and verb != "QUIT"
        if verb == "MAIL" and self.sender:
            await self.say("503 5.5.1 nested MAIL")
            return True
        if verb == "RCPT" and not self.sender:
            await self.say("503 5.5.1 MAIL first")
            return True
        if verb == "MAIL":
            self.recipients = []
        elif verb == "RSET":
            self.sender, self.recipients = "", []
        elif verb == "STARTTLS":
            if not await self.step("STARTTLS", text):
                return False
            if self.last.startswith("220"):
                await self.writer.start_tls(self.server._tls)
            return True
        elif verb == "DATA":
            return await self.data(text)
        elif verb not in _DEFAULTS:
            await self.say("500 5.5.1 unknown command")
            return True
        accepted = await self.step(verb, text)
        if accepted and verb == "MAIL" and self.last.startswith("2"):
            self.sender = _address(text)
        if accepted and verb == "RCPT" and self.last.startswith("2"):
            self.recipients.append(_address(text))
        return accepted and verb != "QUIT" and not self.last.startswith("421")

    async def data(self, text: str) -> bool:
        rule = self.server.rule_for("DATA", text)
        if rule is None and not self.recipients:
            await self.say("554 5.5.1 no valid recipients")
            return True
        if not await self.act(rule, _DEFAULTS["DATA"]):
            return False
        if not self.last.startswith("354"):
            return not self.last.startswith("421")
        body = await self.reader.readuntil(b"\r\n.\r\n")
        data = body[:-3].replace(b"\r\n..", b"\r\n.")
        data = data[1:] if data.startswith(b"..") else data
        received = [Received(self.sender, r, data, self.number) for r in self.recipients]
        rule = self.server.rule_for("DOT", " ".join(self.recipients))
        self.sender, self.recipients = "", []
        if rule is None or rule.record or rule.kind == "slow":
            for message in received:
                self.server.record(message)
        elif rule.kind == "hang":
            await self.server.hang_here()
            for message in received:
                self.server.record(message)
            await self.say(_DEFAULTS["DOT"])
            return True
        return await self.act(rule, _DEFAULTS["DOT"]) and not self.last.startswith("421")

    async def step(self, step: str, line: str, usual: str = "") -> bool:
        rule = self.server.rule_for(step, line)
        return await self.act(rule, usual or _DEFAULTS[step])

    async def act(self, rule: Act | None, usual: str) -> bool:
        """Answer; False when the connection is to end."""
        if rule is not None and rule.kind == "drop":
            self.writer.transport.abort()
            return False
        if rule is not None and rule.kind == "hang":
            await self.server.hang_here()
        if rule is not None and rule.kind == "slow":
            await asyncio.sleep(rule.seconds)
        await self.say(rule.text if rule is not None and rule.kind == "reply" else usual)
        return True

    async def say(self, text: str) -> None:
        self.last = text
        self.writer.write(text.encode() + b"\r\n")
        await self.writer.drain()


def _address(command: str) -> str:
    found = re.search(r"<([^>]*)>", command)
    return found[1] if found else ""


def _rules_of(texts: list[str]) -> list[tuple[str, Act, str]]:
    """Read "RCPT:bad=550 5.1.1 no", "DOT=slow 0.01", "MAIL=hang", "DATA=drop"."""
    rules = []
    for text in texts:
        where, _, what = text.partition("=")
        step, _, match = where.partition(":")
        if what in ("hang", "drop"):
            act = Act(what)
        elif what.startswith("slow "):
            act = slow(float(what[5:]))
        else:
            act = reply(what)
        rules.append((step, act, match))
    return rules


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--port", type=int, default=0)
    parser.add_argument("--log", type=Path, required=True)
    parser.add_argument("--on", action="append", default=[], help="STEP[:regex]=reply|hang|drop")
    options = parser.parse_args()
    server = SmtpServer(port=options.port, log=options.log)
    for step, act, match in _rules_of(options.on):
        server.on(step, act, match=match)

    async def run() -> None:
        task = asyncio.create_task(server.serve())
        await asyncio.to_thread(server._ready.wait)
        print(server.port, flush=True)
        await task

    asyncio.run(run())


if __name__ == "__main__":
    main()
