"""Files of JSON lines, with the line named when one cannot be read."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from service.errors import PaperpostError


def read_lines(path: Path, what: str, refused: list[dict[str, Any]]) -> Iterator[dict[str, Any]]:
    """Yield one object per line; a byte order mark is read over.

    what: "profile" or "paper". refused: receives the lines that cannot be read, by their number.
    Raises PaperpostError when the file itself cannot be read.
    """
    try:
        with path.open(encoding="utf-8-sig", errors="replace") as file:
            for number, line in enumerate(file, 1):
                if not line.strip():
                    continue
                try:
                    value = json.loads(line)
                except (ValueError, RecursionError) as error:
                    problem = f"This line is no JSON: {error}"
                else:
                    if isinstance(value, dict):
                        yield value
                        continue
                    problem = "This line is no JSON object."
                refused.append({what: f"{path.name}, line {number}", "problem": problem})
    except OSError as error:
        raise PaperpostError(
            f"{path.name} cannot be read: {error.strerror}", str(path), "Check the path."
        ) from None
