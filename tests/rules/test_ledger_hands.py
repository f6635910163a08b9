"""What becomes of a delivery or an edition is written by ``service/store`` alone.

Which changes it may make is ``delivery/states`` and ``support/arrows``; here stands who makes them.
"""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

SERVICE = Path(__file__).resolve().parents[2] / "service"
ROWS = {"DeliveryRow", "EditionRow"}
WRITES = re.compile(
    r"\b(update|insert\s+into|replace\s+into|delete\s+from)\s+(delivery|edition)\b", re.I
)
NAMED = re.compile(r"DeliveryRow|EditionRow|\.(exec|scalar)|(?i:update |insert into|delete from)")
BULK = {"sqlmodel_update", "setattr"}


def faults_of(source: str) -> list[str]:
    """Lines of a module outside the store that change these rows: "line: what"."""
    if not NAMED.search(source):
        return []
    tree = ast.parse(source)
    names = {n.id for n in ast.walk(tree) if isinstance(n, ast.Name)}
    return [f"{line}: {what}" for line, what in _faults(tree, has_rows=bool(names & ROWS))]


def _faults(tree: ast.Module, *, has_rows: bool) -> Iterator[tuple[int, str]]:
    for node in ast.walk(tree):
        match node:
            case ast.Constant(value=str(text)) if WRITES.search(text):
                yield node.lineno, "SQL"
            case ast.Call(
                func=ast.Attribute(attr="execute" | "exec" | "scalars" | "scalar" as name)
            ):
                yield node.lineno, f"a statement ({name})"
            case ast.Call(func=ast.Attribute(attr=name) | ast.Name(id=name)) if (
                has_rows and name in BULK
            ):
                yield node.lineno, name
            case ast.Attribute(attr="state", ctx=ast.Store()) if has_rows:
                yield node.lineno, f"{ast.unparse(node)} ="


def test_nobody_but_the_store_changes_what_became_of_a_mail() -> None:
    found = {}
    for file in sorted(SERVICE.rglob("*.py")):
        where = file.relative_to(SERVICE)
        if where.parts[0] != "store" and (faults := faults_of(file.read_text(encoding="utf-8"))):
            found[where.as_posix()] = faults
    assert found == {}


@pytest.mark.parametrize(
    "source",
    [
        "TEXT = \"UPDATE delivery SET state = 'ready'\"",
        'TEXT = f"insert into\\n edition (state) values ({x})"',
        "session.execute(change)",
        "def act(row: DeliveryRow) -> None:\n    row.state = 'ready'",
        "def act(e: EditionRow) -> None:\n    e.state, e.planned = 'open', None",
        "def act(e: EditionRow) -> None:\n    e.sqlmodel_update({'state': 'open'})",
    ],
)
def test_it_would_be_found(source: str) -> None:
    assert len(faults_of(source)) == 1
