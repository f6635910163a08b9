"""A community host sends a newsletter; some addresses are refused, each for its own reason.

The host of the story has 50,000 readers and 300 refusals. In a run it is played with 400 and 12, in
the same shares of meaning; PAPERPOST_TEST_HOST=50000/300 plays it in full and keeps its figures in
bench/results/host.json: every command and the server (``run``) are then processes of their own, so
that their time and memory are theirs.
"""

import os
import re
import socket
import statistics
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx2
import pytest
from playwright.sync_api import Page, expect
from support.browsing import open_browser
from support.command import Said, Shell
from support.smtp_server import Received, SmtpServer, reply

from bench.measured.process import keep, machine

ROOT = Path(__file__).resolve().parents[3]
SIZE = os.environ.get("PAPERPOST_TEST_HOST") or "400/12"
READERS, REFUSED = (int(n) for n in SIZE.split("/"))
IS_WHOLE = READERS > 400
EACH = REFUSED // 3
"""Mails refused for each of the three meanings."""
TOOK = READERS - 3 * EACH
WORDS = {
    "gone": "550 5.1.1 no such user",
    "full": "552 5.2.2 mailbox full",
    "wall": "554 5.7.1 we do not like you",
}
PASSWORD = "correct horse battery"


def addresses() -> list[str]:
    """Four of each refused kind stand apart, so that the first twenty of the alphabet hold eight;
    the others are spread over the list."""
    names = [f"r{n}" for n in range(TOOK)]
    odd = [f"{kind}{n}" for kind in WORDS for n in range(4)]
    spread = [f"r{2 + n % 8}{n}-{kind}" for kind in WORDS for n in range(4, EACH)]
    step = TOOK // (len(spread) + 1)
    for at, name in enumerate(spread):
        names.insert((at + 1) * step, name)
    return [f"{name}@uni{n % 40}.example" for n, name in enumerate(odd + names)]


class Relay(SmtpServer):
    """Keeps who got a mail and when, not the mails."""

    def record(self, message: Received) -> None:
        super().record(replace(message, data=b""))
        self.commands.clear()


def peak_mb(process: int) -> int:
    """The most that a process held so far; 0 when it has ended."""
    found = re.search(r"VmHWM:\s+(\d+)", Path(f"/proc/{process}/status").read_text("ascii"))
    return int(found[1]) // 1024 if found else 0


class Measured(Shell):
    """Each command is a process of its own; figures: seconds and most memory by its words."""

    def __init__(self, *args: Any, **settings: str) -> None:
        super().__init__(*args, **settings)
        self.figures: dict[str, Any] = {}

    def say(self, *words: str, typed: str | None = None) -> Said:
        if not IS_WHOLE:
            return super().say(*words, typed=typed)
        out, err = self.folder / "said.out", self.folder / "said.err"
        began, peak, ended = time.monotonic(), 0, 0
        with out.open("wb") as told, err.open("wb") as wrong:
            command = [sys.executable, "-m", "service", *words]
            process = subprocess.Popen(command, stdout=told, stderr=wrong)
            while not ended:
                peak = peak_mb(process.pid) or peak
                time.sleep(0.05)
                ended, status, used = os.wait4(process.pid, os.WNOHANG)
        process.returncode = os.waitstatus_to_exitcode(status)
        name = " ".join(word for word in words if not word.isdigit() and "." not in word)
        self.figures.setdefault(
            name,
            {
                "s": round(time.monotonic() - began, 1),
                "cpu_s": round(used.ru_utime + used.ru_stime, 1),
                "most_mb": peak,
            },
        )
        return Said(process.returncode, out.read_text("utf-8"), err.read_text("utf-8"))


@pytest.fixture
def server() -> Iterator[Relay]:
    with Relay() as made:
        for word, said in WORDS.items():
            made.on("RCPT", reply(said), match=word)
        yield made


@pytest.fixture
def shell(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, server: Relay) -> Measured:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        base = f"http://127.0.0.1:{taken.getsockname()[1]}"
    relay = f"smtp://127.0.0.1:{server.port}"
    monkeypatch.setenv("PYTHONPATH", f"{ROOT}:{ROOT / 'tests'}")
    made = Measured(tmp_path, monkeypatch, SMTP_URL=relay, BASE_URL=base)
    (tmp_path / "list.csv").write_text("email\n" + "".join(f"{a}\n" for a in addresses()))
    assert made.say("subscribers", "import", "list.csv", "--json").json["added"] == READERS
    (tmp_path / "text.md").write_text("# News\n\nThe reading group moves to *Thursday*.\n")
    return made


@contextmanager
def running(shell: Measured) -> Iterator[str]:
    """``paperpost run`` over the same database."""
    base = os.environ["PAPERPOST_BASE_URL"]
    command = [sys.executable, "-m", "service", "run", "--port", base.rpartition(":")[2]]
    with (shell.folder / "run.log").open("wb") as told:
        process = subprocess.Popen(command, stdout=told, stderr=told)
    try:
        for _ in range(600):
            try:
                if httpx2.get(f"{base}/readyz").status_code == 200:
                    break
            except httpx2.HTTPError:
                time.sleep(0.1)
        yield base
        shell.figures["run_most_mb"] = peak_mb(process.pid)
    finally:
        process.terminate()
        process.wait(60)


def log_in(page: Page, link: str) -> None:
    page.goto(link)
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_label("The same again").fill(PASSWORD)
    page.get_by_role("button", name="Set password").click()
    page.get_by_label("Name").fill("mia")
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Log in").click()
    page.get_by_role("button", name="Log out").wait_for()


def watched(page: Page, server: Relay, before: int) -> dict[str, Any]:
    """Look at the page, which is not loaded again, until it says done: it never says more than the
    log has. before: mails in the log that are not of this edition."""
    began, behind, looks = time.time(), [], 0
    while True:
        state = page.locator("#progress").inner_text()
        said = int(page.locator("#n-accepted").inner_text().replace(",", "")) + before
        at, had = time.time(), len(server.accepted)
        assert said <= had
        looks += 1
        if said < had:
            behind.append(at - server.accepted[said].at)
        if re.search(r"\bdone\b", state):
            break
        page.wait_for_timeout(250)
    sent = server.accepted[-1].at - began
    return {
        "looks": looks,
        "s": round(sent, 1),
        "mails_a_second": round((len(server.accepted) - before) / max(sent, 0.1), 1),
        "behind_s": {
            "median": round(statistics.median(behind or [0]), 2),
            "most": round(max(behind, default=0), 2),
        },
    }


def balanced(page: Page) -> dict[str, int]:
    """The numbers of an edition's page: what was planned is what became of it."""
    names = page.locator("#progress dl.balance").first.locator("dt").all_inner_texts()
    numbers = page.locator("#progress dl.balance").first.locator("dd").all_inner_texts()
    found = {k: int(v.replace(",", "")) for k, v in zip(names, numbers, strict=True)}
    assert found["Planned"] == sum(n for name, n in found.items() if name != "Planned")
    return found


# Quick runs group refusals and resend in test_admin.py, with few readers.
@pytest.mark.slow
@pytest.mark.browser
@pytest.mark.timeout(7200 if IS_WHOLE else 300)
def test_host(shell: Measured, server: Relay, chromium: str) -> None:
    newsletter = ("send", "newsletter", "--subject", "The reading group moves", "--body", "text.md")
    tried = shell.say(*newsletter, "--key", "move", "--dry-run")
    assert tried.code == 0
    assert f"{READERS:,} readers = {READERS:,} mails" in tried.out
    assert "Among them: full0@uni4.example" in tried.out
    for check in ("Relay answers", "Unsubscribe works", "Links answer", "Suppressed left out"):
        assert f"ok    {check}: " in tried.out, check
    facts = shell.say(*newsletter, "--key", "move", "--dry-run", "--json").json
    assert {c["grade"] for c in facts["checks"]} <= {"ok", "warn"}
    wrong = shell.say(*newsletter, "--key", "move", "--yes", "12")
    assert wrong.code == 1
    assert f"It would be {READERS:,} mails, not 12" in wrong.err
    assert server.accepted == []

    # the first twenty are those of the alphabet: four full, four gone; it pauses by itself
    sent = shell.say(*newsletter, "--key", "move", "--yes", str(READERS), "--canary", "--json")
    assert (sent.json["accepted"], sent.json["failed"]) == (12, 8)
    edition = shell.say("editions", "list", "--json").json[0]
    number = str(edition["id"])
    assert edition["state"] == "paused"
    assert "8 of the first 20 were refused: 5." in edition["paused_why"]
    told = shell.say("editions", "show", number)
    rest = f"{READERS - 20:,}"
    assert f"first 20: 12 accepted, 0 deferred, 8 refused; {rest} wait for a word" in told.out
    assert "paused by itself" in shell.say("alarms", "list").out

    # the same key again makes no second one
    again = shell.say(*newsletter, "--key", "move", "--yes", str(READERS), "--canary", "--json")
    assert (again.json["accepted"], again.json["is_new"]) == (0, False)

    # the host looks, at the desk: no fault of the letter. The rest is watched while it goes
    link = shell.say("admin", "create", "mia", "--role", "sender").out
    with running(shell) as base, open_browser(chromium) as page:
        page.set_default_timeout(300_000)
        log_in(page, re.search(r"http\S+/admin/link/\S+", link)[0])  # type: ignore[index]
        page.goto(f"{base}/admin/editions/{number}")
        expect(page.locator("#progress")).to_contain_text("8 of the first 20 were refused")
        page.get_by_role("button", name=f"Send to the other {rest}").click()
        shell.figures["rest"] = watched(page, server, 0)
        assert balanced(page)["Refused"] == 3 * EACH
        shown = page.locator("#progress")
        for words in WORDS.values():
            expect(shown).to_contain_text(words[4:])
        expect(shown.get_by_role("heading", name=f": {EACH}", exact=False)).to_have_count(3)

        # mailboxes have room again: that group alone
        server.clear()
        shown.locator("#again-full").click()
        page.get_by_role("button", name=f"Send again to {EACH}").click()
        page.wait_for_url("**/admin/editions/*")
        shell.figures["resend"] = watched(page, server, TOOK)
        assert balanced(page) == {
            "Planned": EACH,
            "Handed to the mail server": EACH,
            "Refused": 0,
        }
        began = time.monotonic()
        page.goto(f"{base}/admin/editions/{number}")
        shell.figures["page_s"] = round(time.monotonic() - began, 2)
        expect(shown).to_contain_text(f"{EACH} of these were sent again already.")
    assert max(Counter(m.recipient for m in server.accepted).values()) == 1
    assert len(server.accepted) == TOOK + EACH

    shown = shell.say("editions", "show", number, "--json").json
    assert (shown["state"], shown["missing"], shown["accepted"]) == ("done", 0, TOOK)
    groups = {r["name"]: r["count"] for r in shown["refused"]}
    assert groups == {"person": EACH, "full": EACH, "policy": EACH}
    words = {r["name"]: r["words"][0]["text"] for r in shown["refused"]}
    assert "no such user" in words["person"]
    assert "we do not like you" in words["policy"]
    assert {r["name"]: r["resend"] for r in shown["refused"]}["person"] is False
    assert sum(n for _, n in shown["minutes"]) == TOOK

    states = Counter(
        (re.sub(r"\d|r\d+-|@.*", "", r["email"]), r["state"])
        for r in shell.say("subscribers", "list", "--json").json
    )
    assert states["gone", "bounced"] == EACH
    assert states["wall", "active"] == EACH

    # then whoever is left and makes sense, by command
    tried = shell.say("editions", "resend", number, "--dry-run")
    assert tried.out.startswith(f"{EACH} mails would be sent again; left out: ")
    assert f"{EACH} address does not exist" in tried.out
    assert f"{EACH} sent again already" in tried.out
    before = len(server.accepted)
    assert shell.say("editions", "resend", number, "--json").json["accepted"] == EACH
    assert all("wall" in m.recipient for m in server.accepted[before:])

    # whoever joins now gets it, once; leavers and the barred never
    shell.say("subscribers", "add", "new@uni.example", "--trending", "--confirmed")
    counted = shell.say("editions", "late", number)
    assert counted.code == 1
    assert "1 reader = 1 mail" in counted.out
    assert shell.say("editions", "late", number, "--yes", "1", "--json").json["accepted"] == 1
    assert shell.say("editions", "late", number).code == 0
    acts = [a["what"] for a in shell.say("audit", "list", "--json").json]
    assert [acts.count(act) for act in ("send newsletter", "send the rest", "resend")] == [2, 1, 2]
    if IS_WHOLE:
        _kept(shell, server)


def _kept(shell: Measured, server: Relay) -> None:
    command = (
        f"PAPERPOST_TEST_HOST={SIZE} .venv/bin/pytest -n 0 "
        "tests/e2e/stories/test_host_50k_300_refused.py"
    )
    figures = {
        "date": datetime.now(UTC).date().isoformat(),
        "command": command,
        "machine": machine(),
        "accepted": len(server.accepted),
        "connections": server.connections,
        "database_mb": round((shell.folder / "var" / "paperpost.db").stat().st_size / 1e6, 1),
        **shell.figures,
    }
    keep(ROOT / "bench" / "results" / "host.json", figures)
