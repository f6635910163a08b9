"""`make demo` and `make run` in a new checkout: a blank in its path, a python3 that is too old
first on PATH, an empty environment, no captures beside it and no way out to the network.

The packages are linked in from the environment of the tests, as if they had been installed once.
"""

import os
import resource
import shutil
import signal
import socket
import subprocess
import sys
import urllib.request
from pathlib import Path

import pytest
from support.bare_venv import ROOT, link_core

pytestmark = [
    pytest.mark.slow,
    pytest.mark.timeout(300),
    pytest.mark.skipif(shutil.which("make") is None, reason="make is not on PATH"),
]
HELD = ("Makefile", "pyproject.toml", "requirements.lock", "requirements-dev.lock", ".env.example")
NOWHERE = "http://127.0.0.1:9"


class Checkout:
    """The folder, and an environment in which only ``make`` and old programs are found."""

    def __init__(self, folder: Path) -> None:
        self.folder, programs = folder / "a check out", folder / "programs"
        self.folder.mkdir()
        programs.mkdir()
        for name in HELD:
            shutil.copy(ROOT / name, self.folder)
        for name in ("service", "templates", "alembic"):
            kept = shutil.ignore_patterns("__pycache__")
            shutil.copytree(ROOT / name, self.folder / name, ignore=kept)
        old = '[ "$1" = --version ] && echo Python 3.9.18 && exit 0; exit 1'
        for name, script in (("python3", old), ("python3.12", f'exec "{sys.executable}" "$@"')):
            (programs / name).write_text(f"#!/bin/sh\n{script}\n", encoding="utf-8")
            (programs / name).chmod(0o755)
        (folder / "home").mkdir()
        self.environment = {
            "PATH": f"{programs}:{os.defpath}",
            "HOME": str(folder / "home"),
            **dict.fromkeys(("http_proxy", "https_proxy", "ALL_PROXY"), NOWHERE),
            **dict.fromkeys(("PIP_INDEX_URL", "UV_INDEX_URL"), f"{NOWHERE}/simple"),
        }
        assert self.make(".venv/bin/python").returncode == 0
        link_core(self.folder / ".venv")
        (self.folder / ".venv" / ".core").touch()

    def make(self, *words: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            ["make", *words], cwd=self.folder, env=self.environment, check=False,
            capture_output=True, text=True,
        )  # fmt: skip


def cpu_of_children() -> float:
    """Seconds: the time of the clock would be that of a machine that others use, too."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


@pytest.fixture(scope="module")
def checkout(tmp_path_factory: pytest.TempPathFactory) -> Checkout:
    return Checkout(tmp_path_factory.mktemp("machine"))


def test_the_demo_needs_no_network_once_it_is_installed(checkout: Checkout) -> None:
    done = checkout.make("demo")
    assert done.returncode == 0, done.stdout + done.stderr
    assert "Installing" not in done.stdout
    assert done.stdout.count("-> accepted") == 3
    assert "no mail: 40 papers checked, nothing new matched" in done.stdout
    before = cpu_of_children()
    assert checkout.make("demo").returncode == 0
    assert cpu_of_children() - before < 10  # seconds: what the README promises for a second run
    assert list((checkout.folder.parent / "home").iterdir()) == []


def test_run_takes_its_arguments_and_answers(checkout: Checkout) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    serving = subprocess.Popen(
        ["make", "run", f"ARGS=--port {port}"], cwd=checkout.folder, env=checkout.environment,
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, start_new_session=True,
    )  # fmt: skip
    with serving:
        try:
            assert serving.stdout is not None
            said = next(line for line in serving.stdout if line.startswith("Paperpost:"))
            assert f"http://127.0.0.1:{port}" in said
            with urllib.request.urlopen(f"http://127.0.0.1:{port}/papers", timeout=60) as answer:
                assert answer.status == 200
                assert b"Demo data" in answer.read()
        finally:
            os.killpg(serving.pid, signal.SIGTERM)
