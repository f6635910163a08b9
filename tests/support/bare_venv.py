"""A virtual environment that holds the locked core and one wheel, made without network.

The distributions named in requirements.lock are linked from the environment of the tests, so what
the wheel needs and the core lock does not name is missing there, as on an operator's machine.
"""

import os
import re
import shutil
import subprocess
import sys
from importlib.metadata import Distribution, PackageNotFoundError, distribution
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]


def locked_names(lock: Path) -> list[str]:
    """Return the names of the distributions in a lock file."""
    return re.findall(r"^([A-Za-z0-9._-]+)==", lock.read_text(encoding="utf-8"), re.MULTILINE)


def build_wheel(folder: Path) -> Path:
    """Build the wheel of this checkout into ``folder``."""
    subprocess.run(
        [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(folder)],
        cwd=ROOT, check=True, capture_output=True,
    )  # fmt: skip
    (wheel,) = folder.glob("paperpost-*.whl")
    return wheel


def make_bare_venv(folder: Path, wheel: Path) -> Path:
    """Make the environment and return its folder of programs."""
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", str(folder)], check=True)
    programs = folder / "bin"
    (packages,) = (folder / "lib").glob("python*/site-packages")
    for name in locked_names(ROOT / "requirements.lock"):
        try:
            _link(distribution(name), packages)
        except PackageNotFoundError:
            continue  # for another platform or Python
    subprocess.run(
        [sys.executable, "-m", "pip", "--python", str(programs / "python"), "install", "-q",
         "--no-deps", "--no-index", "--disable-pip-version-check", str(wheel)],
        check=True, capture_output=True,
    )  # fmt: skip
    return programs


def _link(found: Distribution, packages: Path) -> None:
    for file in found.files or ():
        if ".." in file.parts or file.suffix == ".pyc":
            continue
        source, target = Path(str(found.locate_file(file))), packages / file
        if not source.is_file():
            continue
        target.parent.mkdir(parents=True, exist_ok=True)
        try:
            os.link(source, target)
        except OSError:
            shutil.copy2(source, target)
