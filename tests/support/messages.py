"""Every message that translators are given: found by Babel in the templates and the code."""

import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

from babel.messages.catalog import Catalog
from babel.messages.extract import extract_from_dir

from service.resources import resource_dir

TEMPLATES = resource_dir("templates")
SERVICE = Path(__file__).resolve().parents[2] / "service"

KEYWORDS: dict[str, Any] = {
    "_": None,
    "gettext": None,
    "ngettext": (1, 2),
    "pgettext": ((1, "c"), 2),
    "Sentence": None,
    "counted": (1, 2),
}
_PLACEHOLDER = re.compile(r"%\((\w+)\)s")


def placeholders(*texts: str) -> set[str]:
    """Names of the values of a message (of all its forms)."""
    return {name for text in texts for name in _PLACEHOLDER.findall(text)}


def _found(folder: Path) -> Iterator[tuple[str, int, Any, Any, str | None]]:
    jinja = {"trimmed": "true", "silent": "false"}
    yield from extract_from_dir(
        str(folder),
        [("**.html", "jinja2"), ("**.txt", "jinja2"), ("**.py", "python")],
        options_map={"**.html": jinja, "**.txt": jinja},
        keywords=KEYWORDS,
    )


@cache
def catalogue() -> Catalog:
    """The template catalogue, as ``pybabel extract`` would write it."""
    made = Catalog()
    for folder in (TEMPLATES / "pages", TEMPLATES / "email", SERVICE):
        for name, line, message, _comments, context in _found(folder):
            made.add(message, locations=[(f"{folder.name}/{name}", line)], context=context)
    return made
