"""Starts ``paperpost`` hundreds of times without its two seconds of imports: a process that has
loaded everything, and nothing more (no house, no thread), forks for each command.

The child stands still until strace holds it (strace hits a process that runs; it needs no start).
"""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

from support.storm.ground import ROOT


class Nursery:
    """``run`` is one command under strace; it ends with what the process ended with."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self._process = process

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
        asked = {"words": words, "environment": environment, "errors": str(errors)}
        pid = int(self._ask(json.dumps(asked)))
        held = subprocess.Popen(
            [*strace, "-p", str(pid)], stderr=subprocess.PIPE, stdout=subprocess.DEVNULL, text=True
        )
        assert held.stderr is not None
        first = held.stderr.readline()
        assert "attached" in first, first
        os.kill(pid, signal.SIGCONT)
        end = time.monotonic() + patience
        try:
            held.communicate(timeout=patience)
        except subprocess.TimeoutExpired:
            os.kill(pid, signal.SIGKILL)
            held.communicate()
            self._ask("wait")
            raise subprocess.TimeoutExpired(
                list(words), time.monotonic() - end + patience
            ) from None
        return int(self._ask("wait"))

    def _ask(self, line: str) -> str:
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(line + "\n")
        self._process.stdin.flush()
        return self._process.stdout.readline().strip()


@contextmanager
def nursery() -> Iterator[Nursery]:
    """A process from which commands are forked."""
    environment = {**os.environ, "PYTHONPATH": f"{ROOT}:{ROOT / 'tests'}", "OMP_NUM_THREADS": "1"}
    environment["OPENBLAS_NUM_THREADS"] = "1"
    with subprocess.Popen(
        [sys.executable, "-m", "support.storm.nursery"],
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
    os.kill(os.getpid(), signal.SIGSTOP)
    os.environ.clear()
    os.environ.update(dict(asked["environment"]))  # type: ignore[call-overload]
    nowhere = os.open(os.devnull, os.O_RDWR)
    errors = os.open(str(asked["errors"]), os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    for number, target in ((0, nowhere), (1, nowhere), (2, errors)):
        os.dup2(target, number)
    from service.cli import main as paperpost

    sys.argv = ["paperpost", *map(str, asked["words"])]  # type: ignore[call-overload]
    paperpost()


def main() -> None:
    """Fork for each line that comes, until the end."""
    import service.cli.opening
    import service.cli.program
    import service.cli.send_commands
    import service.cli.sending
    import service.flows.daily
    import service.flows.preview
    import service.flows.send
    import service.wiring  # noqa: F401 - all that a send loads

    sys.stdout.write("ready\n")
    sys.stdout.flush()
    child = 0
    for line in sys.stdin:
        if line.strip() == "wait":
            status = os.waitpid(child, 0)[1]
            sys.stdout.write(f"{os.waitstatus_to_exitcode(status)}\n")
        else:
            child = os.fork()
            if not child:
                code = 1
                try:
                    _child(json.loads(line))
                    code = 0
                except SystemExit as end:
                    code = end.code if isinstance(end.code, int) else int(bool(end.code))
                finally:
                    sys.stderr.flush()
                    os._exit(code)
            os.waitpid(child, os.WUNTRACED)
            sys.stdout.write(f"{child}\n")
        sys.stdout.flush()


if __name__ == "__main__":
    main()
