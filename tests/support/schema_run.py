"""schemathesis over a whole house: what it asks, and which answers break the description.

The house of ``every_address`` with all that ``laden`` lays, behind a real server on loopback, asked
with a token of all scopes; not what asks arXiv, for that waits for its pace. ``make schemathesis
ARGS="MINUTES [SEED]"`` asks longer; another seed asks otherwise.
"""

import contextlib
import json
import os
import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Self

import uvicorn
from fastapi import FastAPI
from support.every_address import world
from support.laden import laden

from service.flows.tokens import SCOPES, make_token
from service.sources.outcome import Failed

CHECKS = (
    "not_a_server_error",
    "status_code_conformance",
    "content_type_conformance",
    "response_headers_conformance",
    "response_schema_conformance",
    "negative_data_rejection",
    "ignored_auth",
)
"""Answers of 500, such as are not described, of another shape; bad values that are taken; callers
that ought to be refused."""


SETTINGS = """\
[checks.negative_data_rejection]
expected-statuses = ["400", "401", "403", "404", "409", "413", "415", "422", "429"]

[[operations]]
include-path = "/api/v1/sends/audience"
checks.negative_data_rejection.enabled = false  # one word is a list of one in an address
"""

NUMBERS = {
    "delivery_id": "held",
    "edition_id": "edition",
    "alarm_id": "alarm",
    "inbound_id": "inbound",
    "webhook_id": "webhook",
    "call_id": "call",
    "source_id": "source",
    "reader_id": "reader",
    "subscriber_id": "reader",
}
"""Parameters in addresses, and which value of the house they are."""


@dataclass(frozen=True)
class Asked:
    """code: how it ended (0 = nothing to mend) · said: its report."""

    code: int
    said: str


@contextlib.contextmanager
def serving(app: FastAPI) -> Iterator[str]:
    """The application behind a real server in a thread; its address."""
    config = uvicorn.Config(app, port=0, log_level="error", lifespan="off")
    server = uvicorn.Server(config)
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    while not server.started:
        time.sleep(0.01)
    port = server.servers[0].sockets[0].getsockname()[1]
    try:
        yield f"http://127.0.0.1:{port}"
    finally:
        server.should_exit = True
        thread.join(timeout=10)


def ask(folder: Path, *, seed: int, seconds: int = 0, examples: int = 0) -> Asked:
    """Ask the whole description: ``examples`` of each operation, or so many seconds in all."""
    with world(folder) as made:
        rt = made.house.rt
        values = {**made.values, **laden(made)}
        rt.open_fetcher = _Nowhere  # type: ignore[assignment]
        in_force = rt.defaults  # whatever it is set to by what is asked
        rt.defaults = lambda: replace(in_force(), api_per_minute=100_000)  # type: ignore[method-assign]
        token = make_token(rt, "schemathesis", list(SCOPES), by="tests")["token"]
        with serving(made.app) as url:
            return _ask(folder, url, token, values, seed=seed, seconds=seconds, examples=examples)


class _Nowhere:
    """Fetches nothing: no source is asked."""

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        """Nothing is open."""

    async def close(self) -> None:
        """Nothing is open."""

    async def fetch(self, url: str, **_: object) -> Failed:
        """No answer."""
        return Failed(reason="the network is not asked here")


def _ask(
    folder: Path,
    url: str,
    token: str,
    values: Mapping[str, str],
    *,
    seed: int,
    seconds: int,
    examples: int,
) -> Asked:
    command = [
        str(Path(sys.executable).parent / "schemathesis"), "run", f"{url}/api/openapi.json",
        "--header", f"Authorization: Bearer {token}",
        "--checks", ",".join(CHECKS),
        "--phases", "coverage,fuzzing",
        "--seed", str(seed),
        "--request-timeout", "20",
        "--suppress-health-check", "all",
        "--continue-on-failure",
        "--no-shrink",
        "--exclude-path-regex", "/fetch$",
    ]  # fmt: skip
    if seconds:
        command += ["--max-time", str(seconds)]
    if examples:
        command += ["--max-examples", str(examples)]
    (folder / "schemathesis.toml").write_text(SETTINGS)
    numbers = {name: values[key] for name, key in NUMBERS.items() if key in values}
    environment = os.environ | {
        "PYTHONPATH": str(Path(__file__).parents[1]),
        "SCHEMATHESIS_HOOKS": "support.schema_hooks",
        "SCHEMA_NUMBERS": json.dumps(numbers),
    }
    done = subprocess.run(
        command, capture_output=True, text=True, cwd=folder, check=False, env=environment,
        timeout=seconds * 2 + 600,
    )  # fmt: skip
    return Asked(done.returncode, done.stdout + done.stderr)


def main() -> None:
    """``MINUTES [SEED]``: ask so long; the report goes to standard output."""
    import tempfile

    minutes = float(sys.argv[1]) if len(sys.argv) > 1 else 1
    seed = int(sys.argv[2]) if len(sys.argv) > 2 else 1
    with tempfile.TemporaryDirectory() as folder:
        asked = ask(Path(folder), seed=seed, seconds=round(minutes * 60))
    sys.stdout.write(asked.said)
    sys.exit(asked.code)


if __name__ == "__main__":
    main()
