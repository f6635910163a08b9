"""Files of JSON lines, with the line named when one cannot be read."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from service.errors import PaperpostError


def read_lines(path: Path) -> Iterator[dict[str, Any]]:
    """Yield one object per line. Raises PaperpostError with the line."""
    try:
        with path.open(encoding="utf-8") as file:
            for number, line in enumerate(file, 1):
                if not line.strip():
                    continue
                try:
                    value = json.loads(line)
                except ValueError as error:
                    raise PaperpostError(
                        f"This line is no JSON: {error}",
                        f"{path.name}, line {number}",
                        "Correct it.",
                    ) from None
                if not isinstance(value, dict):
                    raise PaperpostError(
                        "This line is no JSON object.", f"{path.name}, line {number}", "Correct it."
                    )
                yield value
    except OSError as error:
        raise PaperpostError(
            f"{path.name} cannot be read: {error.strerror}", str(path), "Check the path."
        ) from None
