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


def locked(name: str) -> dict[str, str]:
    """Names and versions of a lock file."""
    text = (ROOT / name).read_text(encoding="utf-8")
    return dict(re.findall(r"^([A-Za-z0-9._-]+)==([^ ;\\\n]+)", text, re.MULTILINE))


@pytest.mark.parametrize(
    ("name", "wanted"), [("requirements.lock", CORE), ("requirements-dev.lock", DEV)]
)
def test_every_requirement_is_locked(name: str, wanted: list[str]) -> None:
    versions = locked(name)
    unmet = []
    for line in wanted:
        requirement = Requirement(line)
        version = versions.get(canonicalize_name(requirement.name), "none")
        if version == "none" or not requirement.specifier.contains(version, prereleases=True):
            unmet.append(f"{line}: {version}")
    assert unmet == [], "make lock"


def test_the_tests_run_on_what_is_installed_for_operators() -> None:
    dev = locked("requirements-dev.lock")
    core = locked("requirements.lock")
    assert {name: dev.get(name) for name in core} == core


@pytest.mark.parametrize("name", ["requirements.lock", "requirements-dev.lock"])
def test_every_entry_is_hashed_and_names_no_address(name: str) -> None:
    text = (ROOT / name).read_text(encoding="utf-8")
    entries = re.split(r"^(?=[a-z0-9])", text, flags=re.MULTILINE)[1:]
    assert len(entries) == len(locked(name)) > 30
    assert [entry.split()[0] for entry in entries if "--hash=sha256:" not in entry] == []
    assert re.findall(r"\w+://|--index-url|--find-links| @ ", text) == []
