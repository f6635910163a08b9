"""The transport alone: our hot path against aiosmtplib's ``send_message`` and ``sendmail``, side by
side in one process, into Postfix's smtp-sink.

Run from the checkout: ``PYTHONPATH=. python bench/transport.py [COUNT]``; needs Debian's package
postfix (not started). The result is ``results/transport.json``.

Mails of 15, 30 and 68 KB (text and HTML, quoted-printable) over 1 and 10 kept connections, COUNT
mails each time (2,000), in ``ROUNDS`` rounds in which the ways take turns. ``cpu_us`` is processor
time of this process for each mail, ``per_second`` by the wall clock: medians. ``send_message`` gets
an ``EmailMessage``, ``sendmail`` the ready bytes; ours gets ready bytes, checks them, and asks a
mark (which says yes at once) between the 354 and the body. Every mail is counted by its 250.
``times`` is theirs divided by ours; the goal is 3 against ``send_message``.
"""

import asyncio
import random
import statistics
import sys
import time
from collections.abc import Awaitable, Callable
from email.message import EmailMessage
from email.policy import SMTP as SMTP_POLICY
from pathlib import Path

import aiosmtplib

if __name__ == "__main__":  # also as a file
    sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from bench.captured.papers import RESULTS
from bench.measured.process import MOST_APART, Figures, anchor, keep, machine
from bench.sending.sink import sink
from service.delivery.outcome import Accepted, Envelope
from service.delivery.smtp import Mailer, Relay

FILE = RESULTS / "transport.json"
SIZES = (15_000, 30_000, 68_000)
SESSIONS = (1, 10)
ROUNDS = 5
FROM, TO = "papers@example.org", "reader@example.org"

Way = Callable[[int, EmailMessage, bytes, int, int], Awaitable[int]]


def mail(size: int) -> EmailMessage:
    """A mail of about ``size`` bytes, a quarter of it text and the rest HTML."""
    draw = random.Random(size)
    words = ["adapters", "that", "forget", "less", "é", "=", "a", "large", "model", "of", "many"]

    def text(count: int) -> str:
        lines = [" ".join(draw.choices(words, k=11)) for _ in range(count // 62)]
        return "\n".join(lines) + "\n"

    made = EmailMessage(policy=SMTP_POLICY)
    made["From"], made["To"], made["Subject"] = FROM, TO, "12 new papers"
    made["Message-ID"] = "<bench@example.org>"
    made.set_content(text(size // 4), cte="quoted-printable")
    made.add_alternative(text(size * 3 // 4), subtype="html", cte="quoted-printable")
    return made


async def ours(port: int, made: EmailMessage, raw: bytes, count: int, sessions: int) -> int:
    mailer = Mailer(
        Relay(host="127.0.0.1", port=port, local_hostname="bench.example"),
        connections=sessions,
        per_connection=10**9,
    )
    envelope, left = Envelope(FROM, TO, raw), iter(range(count))

    async def yes() -> bool:
        return True

    async def carry() -> int:
        taken = 0
        for _ in left:
            taken += isinstance(await mailer.deliver(envelope, yes), Accepted)
        return taken

    done = sum(await asyncio.gather(*(carry() for _ in range(2 * sessions))))
    await mailer.aclose()
    return done


async def theirs(
    port: int, sessions: int, count: int, hand_in: Callable[[aiosmtplib.SMTP], Awaitable[object]]
) -> int:
    left = iter(range(count))

    async def carry() -> int:
        taken = 0
        options = {"local_hostname": "bench.example", "start_tls": False}
        async with aiosmtplib.SMTP(hostname="127.0.0.1", port=port, **options) as client:
            for _ in left:
                await hand_in(client)
                taken += 1
        return taken

    return sum(await asyncio.gather(*(carry() for _ in range(sessions))))


async def send_message(port: int, made: EmailMessage, raw: bytes, count: int, sessions: int) -> int:
    return await theirs(
        port, sessions, count, lambda c: c.send_message(made, sender=FROM, recipients=TO)
    )


async def sendmail(port: int, made: EmailMessage, raw: bytes, count: int, sessions: int) -> int:
    return await theirs(port, sessions, count, lambda c: c.sendmail(FROM, TO, raw))


WAYS: dict[str, tuple[Way, int]] = {
    "ours": (ours, 1),
    "sendmail": (sendmail, 2),
    "send_message": (send_message, 8),
}
"""With how many times fewer mails are enough: they are that slow."""


def measured(
    port: int, way: str, made: EmailMessage, raw: bytes, count: int, sessions: int
) -> Figures:
    send, fewer = WAYS[way]
    count //= fewer
    wall, used = time.perf_counter(), time.process_time()
    taken = asyncio.run(send(port, made, raw, count, sessions))
    wall, used = time.perf_counter() - wall, time.process_time() - used
    assert taken == count, f"{way}: {taken} of {count} were taken"
    return {"cpu_us": used / count * 1e6, "per_second": count / wall}


def row(port: int, size: int, sessions: int, count: int) -> Figures:
    made = mail(size)
    raw = made.as_bytes(policy=SMTP_POLICY)
    rounds: dict[str, list[Figures]] = {way: [] for way in WAYS}
    before = anchor()
    for _ in range(ROUNDS):
        for way in WAYS:
            rounds[way].append(measured(port, way, made, raw, count, sessions))
    after = anchor()
    found: Figures = {"bytes": len(raw), "sessions": sessions}
    for way, figures in rounds.items():
        found[way] = {
            "cpu_us": round(statistics.median(one["cpu_us"] for one in figures), 1),
            "per_second": round(statistics.median(one["per_second"] for one in figures)),
        }
    for way in ("sendmail", "send_message"):
        found[f"times_{way}"] = round(found[way]["cpu_us"] / found["ours"]["cpu_us"], 1)
    if abs(before - after) / min(before, after) > MOST_APART:
        found["disturbed"] = True
    return found


def main() -> None:
    count = int(sys.argv[1]) if len(sys.argv) > 1 else 2000
    with sink() as into:
        rows = []
        for size in SIZES:
            for sessions in SESSIONS:
                rows.append(row(into.port, size, sessions, count))
                sys.stdout.write(f"{rows[-1]}\n")
                sys.stdout.flush()
    keep(
        FILE,
        {
            "at": time.strftime("%Y-%m-%dT%H:%MZ", time.gmtime()),
            "command": f"PYTHONPATH=. python bench/transport.py {count}",
            "machine": machine(),
            "count": count,
            "rounds": ROUNDS,
            "rows": rows,
        },
    )


if __name__ == "__main__":
    main()
