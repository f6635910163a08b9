"""A relay that misbehaves by a written script, in a process of its own, and logs before it answers.

``python tests/support/storm/relay.py --log FILE [--script FILE] [--port N]`` prints its port. It
needs nothing but the standard library, so that it starts in a moment.

The log is what the checker believes: one JSON object a line, written before the answer leaves.
    {"e": "taken", "id", "to", "sha", "parts", "seen", "t", "t354", "line"}   the message is ours
    {"e": "body", "id", "to", "sha", ...}       a whole body came, and it was not taken
    {"e": "cut", "to", "bytes", "t354", "t"}    a body that ended before its dot
    {"e": "said", "step", "to", "text"}         an answer that is not the usual one
parts: numbers of "part N" in the words, seen: it says "you may have seen this"; t, t354: seconds
of the machine's clock, when it was taken, and right before its 354 was said.

The script is {"seed": 7, "features": [...], "rules": [...]}. A rule: step (CONNECT EHLO MAIL RCPT
DATA BODY DOT AFTER), act (say, drop, hang, slow), share (of all), text, seconds, record (of DOT:
the message is ours all the same), match (a pattern of the address), first (only at so many first
tries), every (AFTER: each so many mails of a connection). Chance is drawn from seed, rule, address
and try: who comes first changes nothing. drop closes without a word; hang says nothing for so long,
then drops.
"""

import argparse
import asyncio
import hashlib
import json
import os
import random
import re
import sys
import time
from collections import Counter
from pathlib import Path
from typing import Any

FEATURES = ("PIPELINING", "SIZE 10000000", "8BITMIME", "SMTPUTF8", "ENHANCEDSTATUSCODES")
USUAL = {
    "CONNECT": "220 relay.example ESMTP",
    "MAIL": "250 2.1.0 Ok",
    "RCPT": "250 2.1.5 Ok",
    "DATA": "354 go ahead",
    "DOT": "250 2.0.0 queued",
    "RSET": "250 2.0.0 Ok",
    "NOOP": "250 2.0.0 Ok",
    "QUIT": "221 2.0.0 bye",
}
SOFT = re.compile(rb"=\r\n")
PART = re.compile(rb"part (\d+)")
MESSAGE_ID = re.compile(rb"(?im)^message-id:\s*(<[^>\r\n]+>)")
ADDRESS = re.compile(r"<([^>]*)>")


class Closed(Exception):
    """This conversation is over."""


class Relay:
    """What all conversations share: the script, the log, how often each address was tried."""

    def __init__(self, log: Path, script: dict[str, Any]) -> None:
        self._file = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o644)
        self.seed = script.get("seed", 0)
        self.rules: list[dict[str, Any]] = script.get("rules", [])
        self.features = script.get("features", FEATURES)
        self.tries: Counter[str] = Counter()
        self.lines = 0

    def log(self, **event: Any) -> None:
        """One line, whole, before anything else is said."""
        os.write(self._file, json.dumps(event).encode() + b"\n")

    def rule(self, step: str, to: str) -> dict[str, Any] | None:
        """What the script has for this step of this try, if anything."""
        for number, rule in enumerate(self.rules):
            if rule["step"] != step or not re.search(rule.get("match", ""), to):
                continue
            times = self.tries[to]
            if times > rule.get("first", times):
                continue
            chance = random.Random(f"{self.seed}:{number}:{to}:{times}").random()
            if chance < rule.get("share", 1.0):
                return rule
        return None


class Line:
    """One conversation."""

    def __init__(
        self, relay: Relay, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        self.relay, self.reader, self.writer = relay, reader, writer
        relay.lines += 1
        self.number = relay.lines
        self.carried = 0
        self.to = ""
        self.is_begun = False

    async def talk(self) -> None:
        await self.answer("CONNECT")
        while line := await self.reader.readline():
            text = line.decode("utf-8", "replace").strip()
            verb = text.partition(" ")[0].upper()
            if verb in ("EHLO", "HELO"):
                said = ["relay.example", *self.relay.features]
                usual = "\r\n".join(
                    f"250{' ' if at == len(said) - 1 else '-'}{x}" for at, x in enumerate(said)
                )
                await self.answer("EHLO", usual)
            elif verb == "MAIL" and self.is_begun:
                await self.say("503 5.5.1 nested MAIL")
            elif verb == "MAIL":
                self.is_begun = (await self.answer("MAIL")).startswith("2")
            elif verb == "RCPT" and not self.is_begun:
                await self.say("503 5.5.1 no MAIL")
            elif verb == "RCPT":
                await self.recipient(text)
            elif verb == "DATA":
                await self.data()
            elif verb in USUAL:
                if verb == "RSET":
                    self.to, self.is_begun = "", False
                await self.answer(verb)
                if verb == "QUIT":
                    return
            else:
                await self.say("500 5.5.1 unknown command")

    async def recipient(self, text: str) -> None:
        found = ADDRESS.search(text)
        to = found[1] if found else ""
        self.relay.tries[to] += 1
        self.to = to
        if not (await self.answer("RCPT")).startswith("2"):
            self.to = ""

    async def data(self) -> None:
        if not self.to:
            await self.say("503 5.5.1 no recipient")
            return
        rule = self.relay.rule("DATA", self.to)
        at = time.time()
        if not (await self.answer("DATA", rule=rule)).startswith("354"):
            return
        body = await self.body(at)
        whole = body[:-3].replace(b"\r\n..", b"\r\n.")
        whole = whole[1:] if whole.startswith(b"..") else whole
        rule = self.relay.rule("DOT", self.to)
        found = MESSAGE_ID.search(whole)
        flat = SOFT.sub(b"", whole)
        event = {
            "id": found[1].decode("ascii", "replace") if found else "",
            "to": self.to,
            "sha": hashlib.sha256(whole).hexdigest()[:16],
            "parts": sorted({int(n) for n in PART.findall(flat)}),
            "seen": b"may have seen" in flat,
            "t354": at,
            "t": time.time(),
            "line": self.number,
        }
        usual = rule is None or rule["act"] == "slow" or bool(rule.get("record"))
        self.relay.log(e="taken" if usual else "body", **event)
        to, self.to, self.is_begun = self.to, "", False
        await self.answer("DOT", rule=rule, to=to)
        self.carried += 1
        after = self.relay.rule("AFTER", to)
        if after is not None and self.carried % int(after.get("every", 1)) == 0:
            await self.act(after, "AFTER", to)

    async def body(self, at: float) -> bytes:
        """Up to the dot; the script may break it off after its first bytes."""
        rule = self.relay.rule("BODY", self.to)
        try:
            if rule is not None:
                first = await self.reader.readexactly(1)
                self.relay.log(e="cut", to=self.to, bytes=len(first), t354=at, t=time.time())
                await self.act(rule, "BODY", self.to)
            return await self.reader.readuntil(b"\r\n.\r\n")
        except asyncio.IncompleteReadError as error:
            size = len(error.partial)
            if size:
                self.relay.log(e="cut", to=self.to, bytes=size, t354=at, t=time.time())
            raise

    async def answer(
        self, step: str, usual: str = "", *, rule: dict[str, Any] | None = None, to: str = ""
    ) -> str:
        """Say what the script has for this step, else the usual; what was said."""
        who = to or self.to
        if rule is None and step not in ("DATA", "DOT"):
            rule = self.relay.rule(step, who)
        text = usual or USUAL.get(step, "250 2.0.0 Ok")
        if rule is not None:
            text = await self.act(rule, step, who) or text
        await self.say(text)
        if text.startswith("421"):
            raise Closed
        return text

    async def act(self, rule: dict[str, Any], step: str, to: str) -> str:
        """Wait, close, or return the words to say."""
        kind = rule["act"]
        if kind in ("hang", "drop"):
            self.relay.log(e="said", step=step, to=to, text=kind)
        if kind in ("hang", "slow"):
            await asyncio.sleep(rule.get("seconds", 1.0))
        if kind in ("hang", "drop"):
            self.writer.transport.abort()
            raise Closed
        if kind == "say":
            text = str(rule["text"])
            self.relay.log(e="said", step=step, to=to, text=text)
            if step == "AFTER":
                await self.say(text)
                raise Closed
            return text
        return ""

    async def say(self, text: str) -> None:
        self.writer.write(text.encode() + b"\r\n")
        await self.writer.drain()


async def serve(relay: Relay, port: int) -> None:
    """Listen for ever; the port goes to standard output."""

    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            await Line(relay, reader, writer).talk()
        except (Closed, ConnectionError, asyncio.IncompleteReadError):
            pass  # who broke it off stands in the log
        finally:
            writer.close()

    server = await asyncio.start_server(talk, "127.0.0.1", port, limit=1 << 26, backlog=256)
    sys.stdout.write(f"{server.sockets[0].getsockname()[1]}\n")
    sys.stdout.flush()
    await server.serve_forever()


def main() -> None:
    """Run until killed."""
    asked = argparse.ArgumentParser()
    asked.add_argument("--log", type=Path, required=True)
    asked.add_argument("--script", type=Path)
    asked.add_argument("--port", type=int, default=0)
    given = asked.parse_args()
    script = json.loads(given.script.read_text()) if given.script else {}
    asyncio.run(serve(Relay(given.log, script), given.port))


if __name__ == "__main__":
    main()
