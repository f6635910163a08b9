"""The Makefile on machines that are not quite ready: old, broken and missing interpreters."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
TOOLS = ("sh", "make", "sed", "expand", "touch", "rm", "tail")

pytestmark = pytest.mark.skipif(shutil.which("make") is None, reason="make is not on PATH")


class Machine:
    """A folder with a blank in its name, holding the Makefile, and a PATH of its own."""

    def __init__(self, folder: Path) -> None:
        self.checkout = folder / "a check out"
        self.programs = folder / "programs"
        self.checkout.mkdir()
        self.programs.mkdir()
        for name in ("Makefile", "requirements.lock"):
            shutil.copy(ROOT / name, self.checkout)
        for tool in TOOLS:
            (self.programs / tool).symlink_to(str(shutil.which(tool)))

    def program(self, name: str, script: str) -> None:
        """Put a shell script on PATH."""
        path = self.programs / name
        path.write_text(f"#!/bin/sh\n{script}\n", encoding="utf-8")
        path.chmod(0o755)

    def make(self, *targets: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            ["make", *targets], cwd=self.checkout, capture_output=True, text=True, check=False,
            env={"PATH": str(self.programs), "HOME": str(self.programs.parent), "LC_ALL": "C"},
        )  # fmt: skip


@pytest.fixture
def machine(tmp_path: Path) -> Machine:
    return Machine(tmp_path)


def test_an_old_python_is_told_so(machine: Machine) -> None:
    machine.program("python3", '[ "$1" = --version ] && echo Python 3.9.18 && exit 0; exit 1')
    done = machine.make("demo")
    assert done.returncode != 0
    assert "Python 3.11 or newer" in done.stderr
    assert "Here: Python 3.9.18." in done.stderr
    assert not (machine.checkout / ".venv").exists()


def test_no_python_is_told_so(machine: Machine) -> None:
    done = machine.make("demo")
    assert done.returncode != 0
    assert "Here: no python3 at all." in done.stderr


def test_a_shim_that_does_not_start_is_passed_over(machine: Machine) -> None:
    machine.program("python3.13", "echo not installed here >&2; exit 127")
    machine.program("python3.12", f'exec "{sys.executable}" "$@"')
    machine.program("python3", "exit 1")
    done = machine.make(".venv/bin/python")
    assert done.returncode == 0, done.stderr
    python = machine.checkout / ".venv" / "bin" / "python"
    said = subprocess.run(
        [python, "-c", "import sys; print(sys.prefix)"], capture_output=True, text=True, check=True
    )
    assert said.stdout.strip() == str(machine.checkout / ".venv")


def test_what_is_installed_is_not_installed_again(machine: Machine) -> None:
    machine.program("python3", f'exec "{sys.executable}" "$@"')
    machine.program("uv", "echo asked for uv >&2; exit 1")
    assert machine.make(".venv/bin/python").returncode == 0
    lock, stamp = machine.checkout / "requirements.lock", machine.checkout / ".venv" / ".core"
    stamp.touch()
    assert machine.make("-q", ".venv/.core").returncode == 0
    os.utime(lock, (lock.stat().st_mtime + 60,) * 2)
    assert machine.make("-q", ".venv/.core").returncode == 1


def test_an_environment_without_interpreter_is_made_anew(machine: Machine) -> None:
    machine.program("python3", f'exec "{sys.executable}" "$@"')
    assert machine.make(".venv/bin/python").returncode == 0
    environment = machine.checkout / ".venv"
    (environment / ".core").touch()
    (environment / "bin" / "python").unlink()
    (environment / "bin" / "python").symlink_to("/nowhere/python3")
    assert machine.make("-q", ".venv/.core").returncode == 1
    assert machine.make(".venv/bin/python").returncode == 0
    assert (environment / "bin" / "python").exists()


def test_help_names_every_target(machine: Machine) -> None:
    done = machine.make()
    for target in ("demo", "run", "test", "test-all", "check", "bench", "lock", "wheel", "help"):
        assert f"make {target} " in done.stdout
