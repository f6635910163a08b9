"""A virtual environment that holds the locked core and one wheel, made without network.

The distributions named in requirements.lock are linked from the environment of the tests, so what
the wheel needs and the core lock does not name is missing there, as on an operator's machine.
"""

import os
import re
import shutil
import subprocess
import sys
import tomllib
from collections.abc import Sequence
from importlib.metadata import Distribution, PackageNotFoundError, distribution
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]


def locked_names(lock: Path) -> list[str]:
    """Return the names of the distributions in a lock file."""
    return re.findall(r"^([A-Za-z0-9._-]+)==", lock.read_text(encoding="utf-8"), re.MULTILINE)


def build_wheel(folder: Path) -> Path:
    """Build the wheel of this checkout into ``folder``."""
    _call("-m", "hatchling", "build", "-t", "wheel", "-d", str(folder))
    (wheel,) = folder.glob("paperpost-*.whl")
    return wheel


def make_bare_venv(folder: Path, wheel: Path) -> Path:
    """Make the environment and return its folder of programs."""
    _call("-m", "venv", "--without-pip", str(folder))
    programs = folder / "bin"
    link_core(folder)
    _call("-m", "pip", "--python", str(programs / "python"), "install", "-q", "--no-deps",
          "--no-index", "--disable-pip-version-check", str(wheel))  # fmt: skip
    return programs


def extra_names(extra: str) -> list[str]:
    """The distributions that an extra of pyproject.toml names."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    return [
        re.split(r"[^\w.-]", one, maxsplit=1)[0] for one in project["optional-dependencies"][extra]
    ]


def link_core(folder: Path) -> None:
    """Link what requirements.lock names into an environment: no download."""
    link(folder, locked_names(ROOT / "requirements.lock"))


def link(folder: Path, names: Sequence[str]) -> None:
    """Link distributions of the tests' environment into another one."""
    (packages,) = (folder / "lib").glob("python*/site-packages")
    for name in names:
        try:
            _link(distribution(name), packages)
        except PackageNotFoundError:
            continue  # for another platform or Python


def _call(*words: str) -> None:
    done = subprocess.run(
        [sys.executable, *words], cwd=ROOT, capture_output=True, text=True, check=False
    )
    if done.returncode:
        raise RuntimeError(f"{' '.join(words)} failed:\n{done.stdout}{done.stderr}")


def _link(found: Distribution, packages: Path) -> None:
    for file in found.files or ():
        if ".." in file.parts or file.suffix == ".pyc":
            continue
        source, target = Path(str(found.locate_file(file))), packages / file
        if target.exists() or not source.is_file():  # some RECORDs name a file twice
            continue
        target.parent.mkdir(parents=True, exist_ok=True)
        try:
            os.link(source, target)
        except OSError:
            shutil.copy2(source, target)
