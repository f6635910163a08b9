"""Where the captured real inputs lie (beside the checkout; absent elsewhere)."""

from pathlib import Path

import pytest

_SHARED = Path(__file__).resolve().parents[2].parent / "shared" / "data"


def shared_data() -> Path:
    """Return the folder of captures, or skip the test with the reason."""
    if not _SHARED.is_dir():
        pytest.skip("shared captures are not beside this checkout")
    return _SHARED
