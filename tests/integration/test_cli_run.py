"""``run`` as a process: it prints its address, works, and ends in order on SIGTERM."""

import os
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from support.command import Shell
from support.house import add, ingest_items, paper_item
from support.smtp_server import SmtpServer, slow

from service.cli.serving import Told
from service.flows.daily import plan_daily
from service.settings import load_settings
from service.store.deliveries import count_waiting
from service.wiring import House

ROOT = Path(__file__).resolve().parents[2]


def environment() -> dict[str, str]:
    kept = {k: v for k, v in os.environ.items() if not k.startswith("PAPERPOST_")}
    return {**kept, "PYTHONPATH": str(ROOT), "PYTHONUNBUFFERED": "1"}


@contextmanager
def started(folder: Path, *arguments: str) -> Iterator[tuple[subprocess.Popen[str], list[str]]]:
    """The process, once it has printed its address, and the lines until then."""
    with (folder / "log").open("w") as log:
        process = subprocess.Popen(
            [sys.executable, "-m", "service", *arguments],
            cwd=folder,
            env=environment(),
            stdout=subprocess.PIPE,
            stderr=log,
            text=True,
        )
    lines: list[str] = []
    try:
        assert process.stdout is not None
        for line in process.stdout:
            lines.append(line.strip())
            if line.startswith(("Paperpost:", "The clock")):
                break
        yield process, lines
    finally:
        if process.poll() is None:
            process.kill()
        process.wait(10)
        assert process.stdout is not None
        process.stdout.close()


def address_in(lines: list[str]) -> str:
    return lines[-1].split()[1]


def get(url: str) -> tuple[int, str]:
    with urllib.request.urlopen(url, timeout=20) as response:
        return response.status, response.read().decode()


def env(folder: Path, **values: str) -> None:
    text = "".join(f"PAPERPOST_{name}={value}\n" for name, value in values.items())
    (folder / ".env").write_text(text)


@pytest.mark.slow  # a second or more
def test_who_opens_it_to_the_network_is_told_what_links_lead_to(tmp_path: Path) -> None:
    env(tmp_path, DATA_DIR="var", SMTP_URL="mailbox:public", SECRET_KEY="k" * 40)
    with started(tmp_path, "run", "--port", "0", "--host", "0.0.0.0") as (_process, lines):
        said = next(line for line in lines if line.startswith("Links in mails lead to"))
        assert "PAPERPOST_BASE_URL" in said
        assert "PAPERPOST_ALLOWED_HOSTS" in said


@pytest.mark.slow  # a second or more
def test_a_first_start_says_what_to_do_and_ends_in_order(tmp_path: Path) -> None:
    env(tmp_path, DATA_DIR="var")
    with started(tmp_path, "run", "--port", "0") as (process, lines):
        assert "No source is asked yet." in lines
        address = address_in(lines)
        assert address.startswith("http://127.0.0.1:")
        assert f"Mails: {address}/mailbox  (nothing leaves this machine)" in lines
        assert get(f"{address}/mailbox")[0] == 200
        process.send_signal(signal.SIGTERM)
        assert process.wait(60) == 0, (tmp_path / "log").read_text()
    house = House(load_settings(None, data_dir=tmp_path / "var"))
    try:
        assert house.runtime.owner().dead() == []  # it said good-bye
    finally:
        house.close()


@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="needs /proc to look inside")
def test_a_stop_before_anything_is_open_is_in_order_too(tmp_path: Path) -> None:
    env(tmp_path, DATA_DIR="var")
    process = subprocess.Popen(
        [sys.executable, "-m", "service", "run", "--port", "0"], cwd=tmp_path, env=environment()
    )
    try:
        while not hears(process.pid, signal.SIGTERM):
            assert process.poll() is None
            time.sleep(0.005)
        process.send_signal(signal.SIGTERM)
        assert process.wait(30) == 0
    finally:
        process.kill()
        process.wait(10)


def hears(pid: int, number: signal.Signals) -> bool:
    """Whether a process has a handler of its own for a signal."""
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    mask = next(int(line.split()[1], 16) for line in lines if line.startswith("SigCgt:"))
    return bool(mask >> (number - 1) & 1)


def test_a_stop_while_the_house_is_opened_is_not_forgotten() -> None:
    told, acts = Told(), []
    before = signal.getsignal(signal.SIGUSR1)
    with told.hearing(signal.SIGUSR1):
        signal.raise_signal(signal.SIGUSR1)
        assert told.came
        told.act = lambda: acts.append("stop")
        signal.raise_signal(signal.SIGUSR1)
    assert acts == ["stop"]
    assert signal.getsignal(signal.SIGUSR1) is before


# Quick runs make the demo itself (test_newcomer_demo.py) and see the banner (test_pages.py).
@pytest.mark.slow
def test_without_a_set_up_the_demos_data_are_opened_with_a_banner(tmp_path: Path) -> None:
    with started(tmp_path, "run", "--port", "0") as (process, lines):
        assert lines[0].startswith("Demo data")
        assert "Demo data" in get(f"{address_in(lines)}/")[1]
        process.send_signal(signal.SIGINT)
        assert process.wait(60) == 0
    assert (tmp_path / "var" / "demo" / "paperpost.db").is_file()
    assert not (tmp_path / "var" / "paperpost.db").exists()


def test_a_port_that_is_taken_is_told_with_the_way_out(shell: Shell) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen(1)
        port = taken.getsockname()[1]
        said = shell.say("run", "--port", str(port))
    assert said.code == 1
    assert f"Port {port} is taken." in said.err
    assert f"paperpost run --port {port + 1}" in said.err


def test_the_mailbox_is_never_opened_to_the_network(shell: Shell) -> None:
    said = shell.say("run", "--host", "0.0.0.0", "--port", "0")
    assert said.code == 1
    assert "The development mailbox would be open to the network" in said.err


# Quick runs stop the engine in the middle in this process (test_engine_embedded.py).
@pytest.mark.slow
@pytest.mark.parametrize("command", ["run", "scheduler"])
def test_what_waits_is_sent_and_a_stop_leaves_nothing_in_doubt(
    tmp_path: Path, command: str
) -> None:
    with SmtpServer() as server:
        server.on("DOT", slow(0.05))
        settings = {"DATA_DIR": "var", "SMTP_URL": f"smtp://127.0.0.1:{server.port}"}
        env(tmp_path, **settings)
        chosen = load_settings(
            None, data_dir=tmp_path / "var", smtp_url=settings["SMTP_URL"], timezone="UTC"
        )
        house = House(chosen)
        rt = house.runtime
        for n in range(60):
            add(rt, f"reader{n}@example.org", "adapters", tz="UTC")
        ingest_items(rt, tmp_path, [paper_item(1, "Adapters that forget less")])
        friday = rt.clock().date()
        while friday.weekday() != 4:
            friday = friday.fromordinal(friday.toordinal() - 1)
        ingest_items(rt, tmp_path, [paper_item(2, "Adapters once more")], on=friday)
        plan_daily(rt, friday)
        house.close()
        arguments = ["run", "--port", "0"] if command == "run" else ["scheduler"]
        with started(tmp_path, *arguments) as (process, _):
            for _ in range(1500):
                if server.accepted:
                    break
                time.sleep(0.01)
            process.send_signal(signal.SIGTERM)
            assert process.wait(80) == 0, (tmp_path / "log").read_text()
        house = House(chosen)
        try:
            left = house.db.read(lambda s: count_waiting(s))
        finally:
            house.close()
        assert len(server.accepted) >= 1
        assert left.get("ready", 0) + len(server.accepted) == 60
        assert set(left) <= {"ready"}
