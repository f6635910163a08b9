"""``sources new NAME``: the skeleton of an adapter, a test that passes, an answer to read."""

import keyword
import re
from importlib.resources import files
from pathlib import Path
from string import Template

from service.errors import PaperpostError


def skeleton_kind(name: str) -> str:
    """The kind that a name gives, like my_journal. Raises PaperpostError: it cannot be a module."""
    kind = re.sub(r"[\s-]+", "_", name.strip()).lower()
    if not re.fullmatch(r"[a-z][a-z0-9_]{1,39}", kind) or keyword.iskeyword(kind):
        raise PaperpostError(
            f"{name!r} cannot name a source.", "NAME", "Use 2 to 40 letters, digits, underscores."
        )
    return kind


def line_of(kind: str) -> str:
    """The line that puts a kind into service/sources/registry.py, the only edit of another file."""
    return f'    "{kind}:{_class_name(kind)}",'


def _class_name(kind: str) -> str:
    return "".join(word.capitalize() for word in kind.split("_"))


def write_skeleton(kind: str, root: Path) -> list[Path]:
    """Write the files of a new kind below ``root``, a checkout, and return them.

    Raises PaperpostError: one of the files is there.
    """
    given = {
        "kind": kind,
        "adapter": _class_name(kind),
        "title": " ".join(kind.split("_")).strip().capitalize(),
        "host": kind.replace("_", "-").strip("-"),
    }
    tests = root / "tests" / "unit" / "sources"
    places = {
        "adapter.txt": root / "service" / "sources" / f"{kind}.py",
        "test.txt": tests / f"test_{kind}.py",
        "papers.json": tests / kind / "papers.json",
    }
    for place in places.values():
        if place.exists():
            raise PaperpostError(f"{place} is there.", "", "Choose another name.")
    for source, place in places.items():
        text = files("service").joinpath("data", "new_source", source).read_text("utf-8")
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_text(Template(text).substitute(given), encoding="utf-8")
    return list(places.values())
