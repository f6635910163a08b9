"""What the tests of the command line share."""

from pathlib import Path

import pytest
from support.command import Shell


@pytest.fixture
def shell(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Shell:
    """Commands typed in an empty folder with its own data."""
    return Shell(tmp_path, monkeypatch)
