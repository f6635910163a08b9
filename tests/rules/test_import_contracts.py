"""The import contracts hold, and each of them notices when it is broken."""

import shutil
import subprocess
import sys
import tomllib
from collections.abc import Callable
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
CONTRACTS = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["tool"][
    "importlinter"
]["contracts"]
NAMES = [contract["name"] for contract in CONTRACTS]


def lint(folder: Path) -> tuple[int, str]:
    """Run import-linter on the tree in ``folder``; return its exit code and what it printed."""
    run = [sys.executable, "-c", "from importlinter.cli import lint_imports_command as l; l()"]
    done = subprocess.run(
        [*run, "--no-cache"], cwd=folder, capture_output=True, text=True, check=False, timeout=100
    )
    lines = (done.stdout + done.stderr).splitlines()
    return done.returncode, "\n".join(line for line in lines if line.isascii() and line.strip())


def state(output: str, name: str) -> str:
    """Return KEPT or BROKEN, as printed behind the contract's name ("" when it is not printed)."""
    for line in output.splitlines():
        if line.startswith(name):
            return line.removeprefix(name).split()[0]
    return ""


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    """A copy of the package with the real contracts."""
    shutil.copytree(
        ROOT / "service", tmp_path / "service", ignore=shutil.ignore_patterns("__pycache__")
    )
    shutil.copy(ROOT / "pyproject.toml", tmp_path)
    return tmp_path


@pytest.fixture(scope="module")
def house() -> tuple[int, str]:
    """What import-linter says about the tree as it is."""
    return lint(ROOT)


def test_the_contracts_hold(house: tuple[int, str]) -> None:
    code, output = house
    assert code == 0, output
    assert [state(output, name) for name in NAMES] == ["KEPT"] * len(NAMES), output


def _import(module: str, line: str) -> Callable[[Path], None]:
    def write(folder: Path) -> None:
        path = folder / "service" / module
        path.write_text(f"{path.read_text(encoding='utf-8')}\n{line}\n", encoding="utf-8")

    return write


def _new_room(folder: Path) -> None:
    room = folder / "service" / "attic"
    room.mkdir()
    (room / "__init__.py").write_text('"""Nobody placed this room."""\n', encoding="utf-8")


# Each breaks exactly one contract, once.
BREAKS: dict[str, list[Callable[[Path], None]]] = {
    "Imports go down the list of rooms only": [
        _import("papers/model.py", "import service.digest.model"),
        _import("settings/fields.py", "import service.defaults"),
        _new_room,
    ],
    "Each library has one home": [_import("papers/model.py", "import feedparser")],
    "Pure rooms do no IO": [_import("papers/model.py", "import socket")],
    "Settings are read by doors and wiring only": [
        _import("store/__init__.py", "import service.settings")
    ],
}


def test_every_contract_is_broken_once() -> None:
    assert set(BREAKS) == set(NAMES)


@pytest.mark.parametrize(
    ("name", "break_it"),
    [
        pytest.param(name, break_it, id=f"{name}-{n}".replace(" ", "_"))
        for name, breaks in BREAKS.items()
        for n, break_it in enumerate(breaks)
    ],
)
@pytest.mark.slow  # a second or more
def test_a_broken_contract_fails_the_check(
    copy: Path, house: tuple[int, str], name: str, break_it: Callable[[Path], None]
) -> None:
    break_it(copy)
    code, output = lint(copy)
    assert code != 0, output
    assert {n: state(output, n) for n in NAMES} == {
        n: "BROKEN" if n == name else state(house[1], n) for n in NAMES
    }, output
