"""What pytest collects: the id and the marks of every test, here and in another process."""

import json
import os
import subprocess
import sys
from pathlib import Path

Collected = list[tuple[str, frozenset[str]]]
"""(id, names of its marks) of each test, also of those that a run leaves out."""

ALL = 3000
"""Whoever collected fewer tests was asked for some files alone."""

_ROOT = Path(__file__).resolve().parents[2]
_COLLECT = """
import json, sys, time_machine, pytest
class Tell:
    def pytest_itemcollected(self, item):
        self.found.append([item.nodeid, sorted({mark.name for mark in item.iter_markers()})])
tell = Tell()
tell.found = []
with time_machine.travel(float(sys.argv[1]), tick=True):
    code = pytest.main(["--collect-only", "-qq", "-p", "no:randomly", "-p", "no:cacheprovider",
                        "-W", "ignore::pytest.PytestAssertRewriteWarning"], plugins=[tell])
print("\\n" + json.dumps(tell.found))
sys.exit(code)
"""


def collected_apart(*, at: float, seed: int) -> Collected:
    """Of a process of its own. at: seconds by its clock · seed: of its hashes."""
    done = subprocess.run(
        [sys.executable, "-c", _COLLECT, str(at)], cwd=_ROOT, capture_output=True, text=True,
        env={**os.environ, "PYTHONHASHSEED": str(seed), "PYTEST_ADDOPTS": ""}, check=False,
    )  # fmt: skip
    *said, found = done.stdout.splitlines()
    assert done.returncode == 0, "\n".join(said)[-3000:]
    return [(name, frozenset(marks)) for name, marks in json.loads(found)]
