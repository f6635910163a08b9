"""Starts ``paperpost`` hundreds of times without its two seconds of imports: a process that has
loaded everything, and nothing more (no house, no thread), forks for each command.

Under strace the child stands still until strace holds it (strace hits a process that runs; it needs
no start).
"""

import json
import os
import select
import signal
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from service.store import db as store_db
from service.store.db import STILL_S

ROOT = Path(__file__).resolve().parents[3]
BY_HAND = "by-hand"
"""First of the words of a life of ``byhand``, which is no command."""


@dataclass
class Forked:
    """A command of a nursery; to be used as a ``Popen`` is. said: the file of what it printed."""

    nest: "Nursery"
    pid: int
    said: Path
    returncode: int | None = None
    _ends: int = field(init=False)

    def __post_init__(self) -> None:
        self._ends = os.pidfd_open(self.pid)

    def poll(self) -> int | None:
        """The exit code (-9: killed), None while it runs."""
        if self.returncode is None and select.select([self._ends], [], [], 0)[0]:
            self._reap()
        return self.returncode

    def wait(self, timeout: float | None = None) -> int:
        """Wait for its end. Raises TimeoutExpired."""
        if self.returncode is None:
            if not select.select([self._ends], [], [], timeout)[0]:
                raise subprocess.TimeoutExpired(f"process {self.pid}", timeout or 0.0)
            self._reap()
        assert self.returncode is not None
        return self.returncode

    def communicate(self, timeout: float | None = None) -> tuple[str, str]:
        """Wait for its end; what it printed (its errors stand in the file that was named)."""
        self.wait(timeout)
        return self.said.read_text(), ""

    def send_signal(self, number: int) -> None:
        """Nothing when it has ended."""
        if self.poll() is None:
            signal.pidfd_send_signal(self._ends, number)

    def kill(self) -> None:
        """At once."""
        self.send_signal(signal.SIGKILL)

    def _reap(self) -> None:
        self.returncode = int(self.nest.ask({"do": "wait", "pid": self.pid}))
        os.close(self._ends)


class Nursery:
    """``start`` is one command; ``run`` is one under strace."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self._process = process
        self._made = 0

    def start(
        self,
        words: Sequence[str],
        environment: Mapping[str, str],
        errors: Path,
        *,
        stands: bool = False,
    ) -> Forked:
        """`paperpost WORDS`. errors: the file to which its standard error is added · stands: it
        waits for SIGCONT before it begins."""
        self._made += 1
        said = errors.with_name(f"said{self._made}")
        asked = {"do": "fork", "words": list(words), "environment": dict(environment),
                 "errors": str(errors), "said": str(said), "stands": stands}  # fmt: skip
        return Forked(self, int(self.ask(asked)), said)

    def run(
        self,
        words: Sequence[str],
        environment: Mapping[str, str],
        errors: Path,
        strace: Sequence[str],
        patience: float,
    ) -> int:
        """strace: its command, without ``-p``. The exit code, -9 when killed; raises TimeoutExpired
        with the process killed when it takes longer."""
        child = self.start(words, environment, errors, stands=True)
        held = subprocess.Popen(
            [*strace, "-p", str(child.pid)],
            stderr=subprocess.PIPE, stdout=subprocess.DEVNULL, text=True,
        )  # fmt: skip
        assert held.stderr is not None
        first = held.stderr.readline()
        assert "attached" in first, first
        child.send_signal(signal.SIGCONT)
        try:
            held.communicate(timeout=patience)
        except subprocess.TimeoutExpired:
            child.kill()
            held.communicate()
            child.wait()
            raise
        return child.wait()

    def ask(self, asked: Mapping[str, object]) -> str:
        """One line there and one back."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(json.dumps(asked) + "\n")
        self._process.stdin.flush()
        return self._process.stdout.readline().strip()


@contextmanager
def nursery(still_s: float = STILL_S) -> Iterator[Nursery]:
    """A process from which commands are forked. still_s: seconds for which they may do nothing
    within a transaction on PostgreSQL."""
    environment = {**os.environ, "PYTHONPATH": f"{ROOT}:{ROOT / 'tests'}", "OMP_NUM_THREADS": "1"}
    environment["OPENBLAS_NUM_THREADS"] = "1"
    with subprocess.Popen(
        [sys.executable, "-m", "support.storm.nursery", str(still_s)],
        cwd=ROOT, env=environment, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
    ) as process:  # fmt: skip
        assert process.stdout is not None
        assert process.stdout.readline().strip() == "ready"
        try:
            yield Nursery(process)
        finally:
            process.kill()


def _child(asked: Mapping[str, object]) -> None:
    """In the fork: become the command, once we may go on."""
    if asked["stands"]:
        os.kill(os.getpid(), signal.SIGSTOP)
    os.environ.clear()
    os.environ.update(dict(asked["environment"]))  # type: ignore[call-overload]
    nowhere = os.open(os.devnull, os.O_RDONLY)
    said = os.open(str(asked["said"]), os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    errors = os.open(str(asked["errors"]), os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    for number, target in ((0, nowhere), (1, said), (2, errors)):
        os.dup2(target, number)
    words = list(map(str, asked["words"]))  # type: ignore[call-overload]
    if words[0] == BY_HAND:
        from support.storm.byhand import live

        live(*words[1:])
        return
    from service.cli import main as paperpost

    sys.argv = ["paperpost", *words]
    paperpost()


def _fork(asked: Mapping[str, object]) -> int:
    child = os.fork()
    if child:
        if asked["stands"]:
            os.waitpid(child, os.WUNTRACED)
        return child
    code = 1
    try:
        _child(asked)
        code = 0
    except SystemExit as end:
        code = end.code if isinstance(end.code, int) else int(bool(end.code))
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(code)


def main() -> None:
    """Fork, or wait for a fork, for each line that comes, until the end."""
    import service.cli.opening
    import service.cli.program
    import service.cli.send_commands
    import service.cli.sending
    import service.flows.daily
    import service.flows.preview
    import service.flows.send
    import service.wiring  # noqa: F401 - all that a send loads

    store_db.STILL_S = float(sys.argv[1])
    sys.stdout.write("ready\n")
    sys.stdout.flush()
    for line in sys.stdin:
        asked = json.loads(line)
        if asked["do"] == "wait":
            said = os.waitstatus_to_exitcode(os.waitpid(asked["pid"], 0)[1])
        else:
            said = _fork(asked)
        sys.stdout.write(f"{said}\n")
        sys.stdout.flush()


if __name__ == "__main__":
    main()
