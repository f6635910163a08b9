"""``sources new NAME``: the skeleton of an adapter, tests that pass, an answer to read."""

import ast
import builtins
import keyword
import pkgutil
import re
from importlib.resources import files
from pathlib import Path
from string import Template

import service.sources
from service.errors import PaperpostError
from service.sources.registry import KINDS

_MODULES = ("adapter.txt", "test.txt")


def skeleton_kind(name: str) -> str:
    """The kind that a name gives, like my_journal. Raises PaperpostError: it cannot be a module."""
    kind = re.sub(r"[\s-]+", "_", name.strip()).lower()
    if not re.fullmatch(r"[a-z][a-z0-9_]{1,39}", kind) or keyword.iskeyword(kind):
        raise PaperpostError(
            f"{name!r} cannot name a source.", "NAME", "Use 2 to 40 letters, digits, underscores."
        )
    if kind in KINDS:
        raise PaperpostError(f"There is a kind {kind} already.", "NAME", "Choose another name.")
    if kind in _modules() or _class_name(kind) in _names_used():
        raise PaperpostError(
            f"The name {kind} is taken: a module of the program or a class that it uses has it.",
            "NAME",
            f"Choose another name, like {kind}_papers.",
        )
    return kind


def _modules() -> set[str]:
    """Modules that stand beside every adapter: its own would take the place of one."""
    return {module.name for module in pkgutil.iter_modules(service.sources.__path__)}


def _names_used() -> set[str]:
    """What a class of this name would hide: Python's own names, and those the skeleton imports."""
    given = dict.fromkeys(("kind", "adapter", "title", "host"), "one")
    trees = [ast.parse(Template(_text(name)).substitute(given)) for name in _MODULES]
    return set(dir(builtins)) | {
        alias.asname or alias.name
        for tree in trees
        for node in ast.walk(tree)
        if isinstance(node, ast.Import | ast.ImportFrom)
        for alias in node.names
    }


def _text(name: str) -> str:
    return files("service").joinpath("data", "new_source", name).read_text("utf-8")


def is_checkout(root: Path) -> bool:
    """Whether a folder holds the program's own files, where a new kind can be registered."""
    return (root / "service" / "sources" / "registry.py").is_file()


def line_of(kind: str) -> str:
    """The line that puts a kind into service/sources/registry.py, the only edit of another file."""
    return f'    "{kind}:{_class_name(kind)}",'


def next_steps(kind: str) -> tuple[str, ...]:
    """What is left to do, as lines to print; CONTRIBUTING.md says it at length."""
    return (
        "Next, as in CONTRIBUTING.md, A new source:",
        f"1. This line into _CLASSES of service/sources/registry.py:\n{line_of(kind)}",
        f"2. A captured answer in place of tests/golden/{kind}/papers.json; parse that reads it.",
        f"3. paperpost sources test {kind} --file tests/golden/{kind}/papers.json",
        f"4. make golden, then pytest tests/unit/sources/test_{kind}.py",
    )


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
    places = {
        "adapter.txt": root / "service" / "sources" / f"{kind}.py",
        "test.txt": root / "tests" / "unit" / "sources" / f"test_{kind}.py",
        "papers.json": root / "tests" / "golden" / kind / "papers.json",
    }
    for place in places.values():
        if place.exists():
            raise PaperpostError(f"{place} is there.", "", "Choose another name.")
    for source, place in places.items():
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_text(Template(_text(source)).substitute(given), encoding="utf-8")
    return list(places.values())
