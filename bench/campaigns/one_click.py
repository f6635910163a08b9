"""One-click unsubscribes (RFC 8058) while a send runs: how long each takes, and whether it holds.

Run from the checkout: ``make oneclick`` (``ARGS=50``: so many in place of 500). ``paperpost run``
sends a digest to 2,000 readers by an SMTP server in another process that takes 50 ms for each
mail; meanwhile readers leave at random moments, each from a connection of its own, urlencoded and
multipart, with and without cookies, twice each. Told are the times of all answers, their codes, the
rows that a second press changed, and mails whose body began after an unsubscribe was answered.
"""

import http.client
import json
import random
import sqlite3
import sys
import tempfile
import time
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import numpy as np
from support.house import Clock, add, ingest_items, open_house, paper_item

from bench.campaigns.timing import SEED, running
from service import log
from service.flows.daily import plan_daily
from service.store.subscribers import get_subscriber_row
from service.wiring import now

MANY = 500
READERS = 2_000
URLENCODED = "application/x-www-form-urlencoded"
BODIES = {
    "urlencoded": (URLENCODED, b"List-Unsubscribe=One-Click"),
    "multipart": (
        "multipart/form-data; boundary=b",
        b'--b\r\nContent-Disposition: form-data; name="List-Unsubscribe"\r\n\r\nOne-Click\r\n--b--',
    ),
}


def fill(folder: Path, readers: int, leaving: int) -> list[str]:
    """Readers whose mail is ready; tokens of those who will leave."""
    with open_house(folder, clock=Clock(now())) as house:
        rt = house.runtime
        for number in range(readers):
            add(rt, f"r{number}@uni.example", "adapters")
        items = [paper_item(n, f"Adapters, part {n}") for n in range(1, 9)]
        today = now().date()
        on = today - timedelta(days=max(0, today.weekday() - 4))  # a mail day
        ingest_items(rt, folder, items, on=on)
        plan_daily(rt, on=on)
        tokens = []
        for number in random.Random(SEED).sample(range(readers), leaving):
            key = f"r{number}@uni.example"
            row = rt.db.read(lambda s, k=key: get_subscriber_row(s, email_key=k))  # type: ignore[misc]
            assert row is not None
            tokens.append(row.unsubscribe_token)
        return tokens


def press(port: int, token: str, kind: str, cookie: bool) -> tuple[int, float]:
    """One click of a mail program, on a connection of its own: (status, seconds)."""
    what, body = BODIES[kind]
    head = {"Content-Type": what, **({"Cookie": "paperpost=" + "x" * 43} if cookie else {})}
    begun = time.perf_counter()
    line = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
    line.request("POST", f"/u/{token}", body, head)
    answer = line.getresponse()
    answer.read()
    took = time.perf_counter() - begun
    line.close()
    return answer.status, took


def state(folder: Path, tokens: list[str]) -> tuple[int, int, int]:
    """(readers who left, acts of leaving, mails sent)."""
    marks = ",".join("?" * len(tokens))
    with sqlite3.connect(f"file:{folder / 'paperpost.db'}?mode=ro", uri=True) as base:
        left = base.execute(
            "SELECT count(*) FROM subscriber WHERE state = 'left'"
            f" AND unsubscribe_token IN ({marks})",
            tokens,
        ).fetchone()[0]
        acts = base.execute("SELECT count(*) FROM consent WHERE act = 'leave'").fetchone()[0]
        sent = base.execute("SELECT count(*) FROM delivery WHERE state = 'accepted'").fetchone()[0]
    return int(left), int(acts), int(sent)


def measured(many: int, readers: int, wait: float = 3.0) -> dict[str, Any]:
    """Leave while mails go. wait: seconds in which a mail that was too late would come."""
    chance = random.Random(SEED)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        tokens = fill(folder, readers, many)
        times: list[float] = []
        codes: dict[int, int] = {}
        answered: dict[str, float] = {}
        with running(folder, "--on", "DOT=slow 0.05") as port:
            for _ in range(600):
                if state(folder, tokens)[2]:
                    break
                time.sleep(0.1)
            else:
                raise RuntimeError("nothing was sent")
            before = state(folder, tokens)[2]
            for number, token in enumerate(tokens):
                time.sleep(chance.uniform(0, 0.02))
                for again in (False, True):
                    kind = ("urlencoded", "multipart")[(number + again) % 2]
                    status, took = press(port, token, kind, cookie=number % 4 < 2)
                    times.append(took)
                    codes[status] = codes.get(status, 0) + 1
                    answered.setdefault(token, now().timestamp())
            during = state(folder, tokens)[2]
            left, acts, _ = state(folder, tokens)
            time.sleep(wait)
        late = _late(folder, answered)
    ms = np.array(times) * 1000
    return {
        "presses": len(times),
        "codes": codes,
        "ms": {
            "p50": round(float(np.percentile(ms, 50)), 1),
            "p99": round(float(np.percentile(ms, 99)), 1),
            "longest": round(float(ms.max()), 1),
        },
        "readers_left": left,
        "acts_of_leaving": acts,
        "mails_sent_meanwhile": during - before,
        "bodies_begun_after_an_answer": late,
    }


def _late(folder: Path, answered: dict[str, float]) -> int:
    """Mails to who had been answered; a body that had begun before takes 50 ms and its way."""
    with sqlite3.connect(folder / "paperpost.db") as base:
        rows = base.execute("SELECT email, unsubscribe_token FROM subscriber").fetchall()
    left_at = {email: answered[token] for email, token in rows if token in answered}
    lines = (folder / "smtp.jsonl").read_text().splitlines()
    mails = [json.loads(line) for line in lines]
    grace = timedelta(milliseconds=250).total_seconds()
    return sum(
        one["recipient"] in left_at and one["at"] > left_at[one["recipient"]] + grace
        for one in mails
    )


def main() -> None:
    """Measure, tell and keep."""
    from bench.campaigns.sweep import head
    from bench.captured.papers import RESULTS
    from bench.measured.process import keep, machine

    log.set_up("text", quiet=True)
    many = int(sys.argv[1]) if len(sys.argv) > 1 else MANY
    result = {
        "what": "one-click unsubscribes while a digest is sent to 2,000 readers",
        "command": "make oneclick" + (f" ARGS={many}" if many != MANY else ""),
        "on": date.today().isoformat(),
        "commit": head(),
        "seed": SEED,
        "machine": machine(),
        **measured(many, READERS if many == MANY else many * 4),
    }
    print(json.dumps(result), flush=True)
    if many == MANY:
        keep(RESULTS / "one_click.json", result)


if __name__ == "__main__":
    main()
