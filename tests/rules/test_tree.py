"""What must be true of the files themselves: names, sizes, no machine, tests that test."""

import ast
import re
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
SERVICE = sorted((ROOT / "service").rglob("*.py"))
TESTS = sorted((ROOT / "tests").rglob("test_*.py"))
FORBIDDEN = {
    "utils", "util", "helpers", "helper", "common", "misc", "base", "core", "manager", "service",
    "handlers", "constants", "types",
}  # fmt: skip


def tracked() -> list[Path]:
    """Every file under version control; without git (a source archive) all that lies here."""
    listed = subprocess.run(
        ["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, text=True, check=False
    )
    if listed.returncode == 0:
        return [
            p for p in (ROOT / name for name in listed.stdout.split("\0") if name) if p.is_file()
        ]
    places = ("service", "templates", "tests", "alembic", "docs", "deploy")
    return [p for place in places for p in (ROOT / place).rglob("*") if p.is_file()]


def text_of(path: Path) -> str:
    """The text of a file, "" for pictures and other bytes."""
    try:
        return path.read_text(encoding="utf-8")
    except UnicodeDecodeError:
        return ""


# Put together here, so that this file does not find itself.
MACHINE = re.compile("(?<![\\w.~-])/(?:" + "|".join(("wo" + "rk", "ro" + "ot", "t" + "mp")) + ")/")
HOSTS = re.compile("|".join(("py" + "pi\\.org", "python" + "hosted", "npm" + "js\\.(?:org|com)")))


@pytest.mark.parametrize("pattern", [MACHINE, HOSTS], ids=["machine_paths", "registry_hosts"])
def test_no_file_names_a_machine_or_a_registry(pattern: re.Pattern[str]) -> None:
    found = [
        f"{path.relative_to(ROOT)}:{n}: {line.strip()[:100]}"
        for path in tracked()
        for n, line in enumerate(text_of(path).splitlines(), 1)
        if pattern.search(line)
    ]
    assert found == []


@pytest.mark.parametrize("pattern", [MACHINE, HOSTS], ids=["machine_paths", "registry_hosts"])
def test_no_commit_names_a_machine_or_a_registry(pattern: re.Pattern[str]) -> None:
    said = subprocess.run(
        ["git", "log", "--format=%h %B"], cwd=ROOT, capture_output=True, text=True, check=False
    )
    if said.returncode:
        pytest.skip("no history here: a source archive")
    assert said.stdout.strip()
    assert [line for line in said.stdout.splitlines() if pattern.search(line)] == []


def test_the_patterns_find_what_they_are_for() -> None:
    assert MACHINE.search("see /wo" + "rk/main")
    assert not MACHINE.search("https://example.org/wo" + "rk/")
    assert HOSTS.search("https://py" + "pi.org/simple")


def test_no_module_has_a_name_that_says_nothing() -> None:
    assert [str(p.relative_to(ROOT)) for p in SERVICE if p.stem in FORBIDDEN] == []


def test_no_module_is_longer_than_400_lines() -> None:
    long = {str(p.relative_to(ROOT)): len(text_of(p).splitlines()) for p in SERVICE}
    assert {name: lines for name, lines in long.items() if lines > 400} == {}


def test_every_module_says_what_it_is() -> None:
    bare = [
        p for p in SERVICE if text_of(p).strip() and not ast.get_docstring(ast.parse(text_of(p)))
    ]
    assert [str(p.relative_to(ROOT)) for p in bare] == []


def test_test_files_have_names_of_their_own() -> None:
    names = [path.name for path in TESTS]
    assert {name for name in names if names.count(name) > 1} == set()


def _claims(node: ast.AST) -> bool:
    """True when something in ``node`` can fail on purpose."""
    for inner in ast.walk(node):
        if isinstance(inner, ast.Assert):
            return True
        if isinstance(inner, ast.Call):
            called = ast.unparse(inner.func).rpartition(".")[2]
            if called in ("raises", "warns", "fail") or called.startswith(("assert_", "expect")):
                return True
    return False


def _without_claim(source: str) -> list[str]:
    """Names of the tests that neither claim anything nor call a function of the file that does."""
    functions = {
        node.name: node
        for node in ast.walk(ast.parse(source))
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
    }
    claiming = {name for name, node in functions.items() if _claims(node)}
    return [
        name
        for name, node in functions.items()
        if name.startswith("test")
        and name not in claiming
        and not claiming & {n.id for n in ast.walk(node) if isinstance(n, ast.Name)}
        and not claiming & {n.attr for n in ast.walk(node) if isinstance(n, ast.Attribute)}
    ]


def test_every_test_claims_something() -> None:
    idle = {str(p.relative_to(ROOT)): _without_claim(text_of(p)) for p in TESTS}
    assert {name: tests for name, tests in idle.items() if tests} == {}


def test_an_idle_test_is_found() -> None:
    assert _without_claim("def test_x():\n    run()\n") == ["test_x"]
    assert _without_claim("def check(x):\n    assert x\ndef test_x():\n    check(1)\n") == []
