"""The lock files follow pyproject.toml: every requirement met, every file hashed, no address."""

import re
import tomllib
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).resolve().parents[2]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
CORE = PROJECT["project"]["dependencies"]
DEV = [
    *CORE,
    *PROJECT["project"]["optional-dependencies"]["postgres"],
    *PROJECT["dependency-groups"]["dev"],
]


def locked(name: str) -> dict[str, list[str]]:
    """Names and versions of a lock file (several versions where Pythons differ)."""
    text = (ROOT / name).read_text(encoding="utf-8")
    found: dict[str, list[str]] = {}
    for package, version in re.findall(r"^([a-z0-9-]+)==([^ ;\\\n]+)", text, re.MULTILINE):
        found.setdefault(package, []).append(version)
    return found


@pytest.mark.parametrize(
    ("name", "wanted"), [("requirements.lock", CORE), ("requirements-dev.lock", DEV)]
)
def test_every_requirement_is_locked(name: str, wanted: list[str]) -> None:
    versions = locked(name)
    unmet = []
    for line in wanted:
        requirement = Requirement(line)
        found = versions.get(canonicalize_name(requirement.name), [])
        if not found or not all(requirement.specifier.contains(v, True) for v in found):
            unmet.append(f"{line}: {found}")
    assert unmet == [], "make lock"


def test_the_tests_run_on_what_is_installed_for_operators() -> None:
    dev = locked("requirements-dev.lock")
    core = locked("requirements.lock")
    assert {name: dev.get(name) for name in core} == core


@pytest.mark.parametrize("name", ["requirements.lock", "requirements-dev.lock"])
def test_every_entry_is_hashed_and_names_no_address(name: str) -> None:
    text = (ROOT / name).read_text(encoding="utf-8")
    entries = re.split(r"^(?=[a-z0-9])", text, flags=re.MULTILINE)[1:]
    assert len(entries) == sum(len(versions) for versions in locked(name).values()) > 30
    assert [entry.split()[0] for entry in entries if "--hash=sha256:" not in entry] == []
    assert re.findall(r"\w+://|--index-url|--find-links| @ ", text) == []
