""".ci/run shows every test once: what `make test` has shown good is not run again by test-all."""

import os
import shlex
import shutil
import subprocess
from collections import Counter
from pathlib import Path

import pytest
from _pytest.mark.expression import Expression
from support.collecting import ALL, Collected, collected_apart
from support.parts import WHY

ROOT = Path(__file__).resolve().parents[2]
MAKE = """#!/bin/bash
echo "make $*" >>"$LOG"
case "$*" in
"-s rest") echo "slow or deeper" ;;
test) echo "3 passed in 0.1s"; exit "$QUICK" ;;
*) echo "5 passed, 3 deselected in 0.2s" ;;
esac
"""

pytestmark = pytest.mark.skipif(
    shutil.which("make") is None or shutil.which("bash") is None, reason="make or bash is missing"
)


def ci_run(folder: Path, quick: int) -> tuple[list[str], str, int]:
    """Run it beside a make that only writes down what it is asked; returns that, what was said, and
    how it ended."""
    (folder / ".ci").mkdir()
    shutil.copy(ROOT / ".ci" / "run", folder / ".ci")
    programs = folder / "programs"
    programs.mkdir()
    # nothing is to be installed
    there = ("chromium", "initdb", "strace", "faketime", "postfix", "dovecot")
    for name in ("make", *there):
        (programs / name).write_text(MAKE if name == "make" else "#!/bin/sh\n", encoding="utf-8")
        (programs / name).chmod(0o755)
    log = folder / "asked"
    paths = f"{programs}{os.pathsep}{os.environ['PATH']}"
    done = subprocess.run(
        [str(folder / ".ci" / "run")], capture_output=True, text=True, check=False,
        env={"PATH": paths, "LOG": str(log), "QUICK": str(quick), "TMPDIR": str(folder)},
    )  # fmt: skip
    assert done.stderr == ""
    return log.read_text(encoding="utf-8").splitlines(), done.stdout, done.returncode


def test_what_passed_in_the_quick_run_is_left_out_of_the_whole_one(tmp_path: Path) -> None:
    asked, said, code = ci_run(tmp_path, quick=0)
    assert asked == ["make test", "make -s rest", "make test-all ARGS=-m 'slow or deeper'"]
    closing = said[said.index("== closing lines of make test\n") :].splitlines()
    assert closing == [
        "== closing lines of make test",
        "3 passed in 0.1s",
        "== closing lines of make test-all",
        "5 passed, 3 deselected in 0.2s",
        "what is left out here has passed in make test",
        "all good",
    ]
    assert code == 0


def test_a_quick_run_that_was_not_good_hides_nothing(tmp_path: Path) -> None:
    asked, said, code = ci_run(tmp_path, quick=2)
    assert asked == ["make test", "make test-all"]
    assert said.endswith("5 passed, 3 deselected in 0.2s\nfailed: test\n")
    assert code == 1


def marks_of(*words: str) -> str:
    """What make gives pytest as -m, "" where it gives none."""
    made = subprocess.run(
        ["make", "-n", *words], cwd=ROOT, capture_output=True, text=True, check=True
    )
    command = shlex.split(made.stdout.splitlines()[-1])
    given = command[command.index("pytest") :]
    return given[given.index("-m") + 1] if "-m" in given else ""


def rest() -> str:
    """The marks that .ci/run hands to test-all."""
    made = subprocess.run(
        ["make", "-s", "rest"], cwd=ROOT, capture_output=True, text=True, check=True
    )
    return made.stdout.strip()


def test_make_leaves_out_what_the_closing_lines_explain() -> None:
    quick = marks_of("test")
    assert quick == f"not ({' or '.join(WHY)})"
    assert rest() == f"{' or '.join(WHY)} or deeper"
    assert marks_of("test-all") == ""
    assert marks_of("test-all", f"ARGS=-m '{rest()}'") == rest()


@pytest.mark.slow  # it collects all tests, where one file alone is run
def test_the_two_runs_together_are_all_tests(collected: Collected) -> None:
    tests = collected if len(collected) > ALL else collected_apart(at=1795176000, seed=1)
    runs = [Expression.compile(one) for one in (marks_of("test"), rest(), "deeper")]
    found = Counter(
        tuple(run.evaluate(lambda name, m=marks, **_: name in m) for run in runs)
        for _, marks in tests
    )
    assert found.total() > ALL
    # what draws more in a whole run is in both, all else in one
    once = {(True, False, False), (False, True, False)}
    assert set(found) == once | {(False, True, True), (True, True, True)}
