"""schemathesis asks every operation of the API: no 500, no answer that is not described."""

from pathlib import Path

import pytest
from support.schema_run import ask

pytestmark = pytest.mark.slow


def test_random_requests_get_described_answers(tmp_path: Path) -> None:
    # make schemathesis ARGS="30 2" asks longer, and otherwise
    asked = ask(tmp_path, seed=1, seconds=15, examples=5)
    assert asked.code == 0, asked.said[-6000:]
