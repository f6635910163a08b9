"""What a run insists on: PAPERPOST_TEST_REQUIRE=postgres,browser turns a skip into a failure."""

import os
from typing import NoReturn

import pytest


def skip_unless_required(part: str, reason: str) -> NoReturn:
    """Skip the test with ``reason``; fail it when the run requires ``part``."""
    required = os.environ.get("PAPERPOST_TEST_REQUIRE", "").replace(" ", "").split(",")
    if part in required:
        pytest.fail(f"{part} is required by this run, but {reason}", pytrace=False)
    pytest.skip(reason)
