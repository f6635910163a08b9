"""Can a stranger tell a reader's address by what a page answers, or by how long it takes?

Run from the checkout: ``make timing`` (``ARGS=200``: so many requests of each group in place of
1,000). ``paperpost run`` serves as in real use, with its engine sending to an SMTP server in
another process; requests of all groups come in one random order over one connection, each with an
address that was not asked for before. Told for each group against addresses that are unknown:

- whether the bytes of the answers are the same, but for the typed address and signed texts;
- the area under the ROC curve (0.5 = a guess) of the time to the whole answer, of the time of a
  page asked for right afterwards (work in the background), and of a logistic regression of both
  and their logarithms, fitted on one half and tried on the other.

Caps are lifted: they would answer before the question is asked.
"""

import http.client
import json
import os
import random
import re
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from urllib.parse import urlencode

import numpy as np
from support.house import Clock, add, open_house

from service import log
from service.flows.leave import unsubscribe
from service.flows.manage_link import manage_token
from service.flows.subscribe import read_wish, request
from service.store import instance as instance_store
from service.store.consent import add_suppression, email_hash
from service.store.subscribers import get_subscriber_row
from service.wiring import now

EACH = 1_000
ROOT = Path(__file__).resolve().parents[2]
SEED = 20261121
SIGNED = re.compile(r"\.?[A-Za-z0-9_-]{12,}\.(?:[A-Za-z0-9_-]{6}\.)?[A-Za-z0-9_-]{27}")
LIFTED = ("network_an_hour", "signups_an_hour")


@dataclass(frozen=True, slots=True)
class Asked:
    """One request: how long it took, and the page after it, in seconds; its answer, made alike."""

    group: str
    took: float
    after: float
    answer: str


def address(group: str, number: int) -> str:
    """All of one length."""
    return f"{group[:4]:x<4}{number:05}@uni.example"


def fill(folder: Path, each: int) -> str:
    """Readers of every state; returns the fresh token of one more."""
    with open_house(folder, clock=Clock(now())) as house:
        rt = house.runtime
        for name in LIFTED:
            rt.db.write(lambda s, n=name: instance_store.set_setting(s, n, "1000000"))  # type: ignore[misc]
        for number in range(each):
            for group in ("active", "manage", "taken"):
                add(rt, address(group, number), "adapters")
            left = address("left", number)
            add(rt, left, "adapters")
            row = rt.db.read(lambda s, key=left: get_subscriber_row(s, email_key=key))  # type: ignore[misc]
            assert row is not None
            unsubscribe(rt, row.unsubscribe_token)
            hashed = email_hash(rt.instance.key, address("barred", number))
            rt.db.write(lambda s, h=hashed: add_suppression(s, h, "never", rt.clock()))  # type: ignore[misc]
            wish, _ = read_wish(
                rt, email=address("pending", number), words="robots", hour="8", zone="UTC",
                locale="en",
            )  # fmt: skip
            assert wish is not None
            request(rt, wish)
        rt.db.write(_forget_caps)
        add(rt, "mover@uni.example", "adapters")
        mover = rt.db.read(lambda s: get_subscriber_row(s, email_key="mover@uni.example"))
        assert mover is not None
        return manage_token(rt, mover, rt.clock(), fresh=True)


def _forget_caps(session: object) -> None:
    from sqlalchemy import text

    session.execute(text("DELETE FROM pace"))  # type: ignore[attr-defined]
    session.execute(  # type: ignore[attr-defined]
        text("UPDATE delivery SET state = 'cancelled' WHERE state = 'ready'")
    )


@contextmanager
def running(folder: Path, *relay_options: str) -> Iterator[int]:
    """`paperpost run` and an SMTP server, each a process; yields the port of the pages."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    environment = {
        **{k: v for k, v in os.environ.items() if not k.startswith("PAPERPOST_")},
        "PYTHONPATH": f"{ROOT}:{ROOT / 'tests'}",
    }
    relay = subprocess.Popen(
        [sys.executable, "-m", "support.smtp_server", "--log", str(folder / "smtp.jsonl"),
         *relay_options],
        env=environment, stdout=subprocess.PIPE, text=True, cwd=folder,
    )  # fmt: skip
    assert relay.stdout is not None
    smtp_port = relay.stdout.readline().strip()
    environment |= {
        "PAPERPOST_DATA_DIR": str(folder),
        "PAPERPOST_SMTP_URL": f"smtp://127.0.0.1:{smtp_port}",
        "PAPERPOST_BASE_URL": f"http://127.0.0.1:{port}",
        "PAPERPOST_TIMEZONE": "UTC",
        "PAPERPOST_CONTACT_EMAIL": "papers@example.org",
    }
    with (folder / "run.log").open("w") as said:
        site = subprocess.Popen(
            [sys.executable, "-m", "service", "run", "--port", str(port)],
            env=environment, stdout=said, stderr=said, cwd=folder,
        )  # fmt: skip
    try:
        for _ in range(200):
            try:
                socket.create_connection(("127.0.0.1", port), 0.2).close()
                break
            except OSError:
                time.sleep(0.1)
        else:
            raise RuntimeError((folder / "run.log").read_text())
        yield port
    finally:
        for process in (site, relay):
            process.terminate()
            process.wait(30)
        relay.stdout.close()


def ask(line: http.client.HTTPConnection, path: str, group: str, email: str) -> Asked:
    """Send one form and look at a page afterwards."""
    fields = {"email": email, "words": "robots", "hour": "08", "zone": "UTC"}
    head = {"Content-Type": "application/x-www-form-urlencoded"}
    begun = time.perf_counter()
    line.request("POST", path, urlencode(fields), head)
    answer = line.getresponse()
    text = answer.read().decode()
    took = time.perf_counter() - begun
    begun = time.perf_counter()
    line.request("GET", "/healthz")
    line.getresponse().read()
    after = time.perf_counter() - begun
    passing = ("date", "content-length")  # the name of a request grows with its number
    heads = sorted((k, v) for k, v in answer.getheaders() if k.lower() not in passing)
    alike = SIGNED.sub("*", f"{answer.status} {heads} {text}".replace(email, "*"))
    return Asked(group, took, after, alike)


def auc(ones: np.ndarray, others: np.ndarray) -> float:
    """How well a figure tells two groups apart: 0.5 = not at all, 1 = always."""
    both = np.concatenate([ones, others])
    ranks = np.empty(len(both))
    ranks[both.argsort(kind="stable")] = np.arange(1, len(both) + 1)
    for value in np.unique(both):
        same = both == value
        ranks[same] = ranks[same].mean()
    won = ranks[: len(ones)].sum() - len(ones) * (len(ones) + 1) / 2
    share = won / (len(ones) * len(others))
    return float(max(share, 1 - share))


def classified(ones: list[Asked], others: list[Asked]) -> float:
    """The AUC of a logistic regression on what it has not seen."""

    def figures(asked: list[Asked]) -> np.ndarray:
        times = np.array([[a.took, a.after] for a in asked])
        return np.hstack([times, np.log(times)])

    half = min(len(ones), len(others)) // 2
    seen = np.vstack([figures(ones[:half]), figures(others[:half])])
    middle, spread = seen.mean(0), seen.std(0) + 1e-12
    truth = np.repeat([1.0, 0.0], half)
    weights = np.zeros(seen.shape[1] + 1)
    inputs = np.hstack([(seen - middle) / spread, np.ones((len(seen), 1))])
    for _ in range(500):
        guess = 1 / (1 + np.exp(-np.clip(inputs @ weights, -30, 30)))
        weights -= 0.1 * (inputs.T @ (guess - truth) / len(truth) + 0.001 * weights)

    def scores(asked: list[Asked]) -> np.ndarray:
        made: np.ndarray = (figures(asked) - middle) / spread @ weights[:-1]
        return made

    return auc(scores(ones[half:]), scores(others[half:]))


def told(asked: list[Asked], unknown: str) -> dict[str, object]:
    """Each group against the unknown one."""
    by = {group: [a for a in asked if a.group == group] for group in {a.group for a in asked}}
    base = by.pop(unknown)
    found: dict[str, object] = {}
    for group, theirs in sorted(by.items()):
        found[group] = {
            "n": [len(theirs), len(base)],
            "same_bytes": {a.answer for a in theirs} == {a.answer for a in base},
            "different_answers": len({a.answer for a in [*theirs, *base]}),
            "median_ms": [
                round(float(np.median([a.took for a in one])) * 1000, 2) for one in (theirs, base)
            ],
            "auc_time": round(auc(_took(theirs), _took(base)), 3),
            "auc_page_after": round(auc(_after(theirs), _after(base)), 3),
            "auc_classifier": round(classified(theirs, base), 3),
        }
    return found


def _took(asked: list[Asked]) -> np.ndarray:
    return np.array([a.took for a in asked])


def _after(asked: list[Asked]) -> np.ndarray:
    return np.array([a.after for a in asked])


def measured(each: int) -> dict[str, object]:
    """All forms that take an address."""
    log.set_up("text", quiet=True)
    chance = random.Random(SEED)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        token = fill(folder, each)
        forms = {
            "sign-up": ("/", "new", ("active", "left", "pending", "barred")),
            "manage": ("/manage", "unknown", ("manage",)),
            "change of address": (f"/manage/{token}/address", "free", ("taken",)),
        }
        result: dict[str, object] = {}
        with running(folder) as port:
            line = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
            for form, (path, unknown, groups) in forms.items():
                for number in range(20):  # what is made at the first request is made
                    ask(line, path, "-", address("warm" + form[:1], number))
                order = [(g, n) for g in (unknown, *groups) for n in range(each)]
                chance.shuffle(order)
                asked = [ask(line, path, g, address(g, n)) for g, n in order]
                result[form] = told(asked, unknown)
                print(form, json.dumps(result[form]), flush=True)
            line.close()
    return result


def main() -> None:
    """Measure, tell and keep."""
    from bench.campaigns.sweep import head
    from bench.captured.papers import RESULTS
    from bench.measured.process import keep, machine

    each = int(sys.argv[1]) if len(sys.argv) > 1 else EACH
    result = {
        "what": "known addresses against unknown ones: bytes of the answer, and its time",
        "command": "make timing" + (f" ARGS={each}" if each != EACH else ""),
        "on": date.today().isoformat(),
        "commit": head(),
        "seed": SEED,
        "machine": machine(),
        "forms": measured(each),
    }
    if each == EACH:
        keep(RESULTS / "timing.json", result)


if __name__ == "__main__":
    main()
