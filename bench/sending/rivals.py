"""Others that send the same: aiosmtplib as its documentation has it, and the naive service (a
template, an EmailMessage and a connection for each mail). Run as a process of its own."""

import asyncio
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import aiosmtplib

from bench.mail_speed import Mail, Work, letter, renderer
from bench.measured.process import report
from service.delivery.message import build


async def plain(port: int, message: bytes, count: int, sessions: int) -> int:
    """Ready bytes, ``send_message``'s way of one kept connection each session."""
    numbers = iter(range(count))

    async def carry() -> int:
        taken = 0
        async with aiosmtplib.SMTP(hostname="127.0.0.1", port=port, start_tls=False) as client:
            for number in numbers:
                _, said = await client.sendmail(
                    "papers@example.org", [f"reader{number}@example.org"], message
                )
                taken += bool(said)
        return taken

    return sum(await asyncio.gather(*(carry() for _ in range(sessions))))


def mails(size: int, count: int) -> Iterator[Mail]:
    work = Work(size)
    for number in range(count):
        yield letter(work.profiles[number % len(work.profiles)], number)


async def naive(port: int, size: int, count: int, sessions: int) -> int:
    """Each mail rendered whole, written by EmailMessage, sent over a connection of its own."""
    made, todo = renderer(), list(mails(size, count))
    numbers = iter(todo)

    async def carry() -> int:
        taken = 0
        for digest, reader, heads in numbers:
            message = build(made.render_digest(digest, reader), **heads.fields())
            await aiosmtplib.send(
                message, sender=heads.sender, recipients=[heads.recipient],
                hostname="127.0.0.1", port=port, start_tls=False,
            )  # fmt: skip
            taken += 1
        return taken

    return sum(await asyncio.gather(*(carry() for _ in range(sessions))))


def main() -> None:
    which, port, what, count, sessions = sys.argv[1:6]

    def measured() -> dict[str, float]:
        if which == "plain":
            work = plain(int(port), Path(what).read_bytes(), int(count), int(sessions))
        else:
            work = naive(int(port), int(what), int(count), int(sessions))
        used, begun = time.process_time(), time.perf_counter()
        taken = asyncio.run(work)
        return {
            "taken": taken,
            "wall": time.perf_counter() - begun,
            "used": time.process_time() - used,
        }

    report(measured)


if __name__ == "__main__":
    main()
