"""PostgreSQL's full text: the papers as tsvector with a GIN index, the queries as tsquery in a
table, joined in the server. Processor time is that of the server process."""

import os
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from bench.captured.papers import ROOT
from bench.measured.process import Figures
from service.matching.document import Document
from service.matching.query import And, Node, Not, Or, Query, Term

sys.path.append(str(ROOT / "tests"))

_WEIGHTS = {"ti": ":A", "abs": ":B"}
_APART = 10
"""Positions between title and abstract, so that no phrase crosses from one into the other."""


def expression(node: Node) -> str:
    """The query as a tsquery, over stems."""
    if isinstance(node, Or):
        return f"({' | '.join(map(expression, node.parts))})"
    if isinstance(node, And):
        return f"({' & '.join(map(expression, node.parts))})"
    if isinstance(node, Not):
        return f"!{expression(node.part)}"
    assert isinstance(node, Term)
    weight = _WEIGHTS.get(node.field, "")
    words = [f"{_quoted(word.stem)}{weight}" for word in node.words]
    return f"({' <-> '.join(words)})" if len(words) > 1 else words[0]


def vector(document: Document) -> str:
    """The paper as a tsvector: stems with their places, A in the title, B in the abstract."""
    places: dict[str, list[str]] = {}
    for at, stem in enumerate(document.title.stems, start=1):
        places.setdefault(stem, []).append(f"{at}A")
    first = len(document.title) + _APART
    for at, stem in enumerate(document.abstract.stems, start=first):
        places.setdefault(stem, []).append(f"{at}B")
    return " ".join(f"{_quoted(stem)}:{','.join(found)}" for stem, found in places.items())


def _quoted(stem: str) -> str:
    return "'" + stem.replace("\\", "\\\\").replace("'", "''") + "'"


def measure(queries: Sequence[Query], documents: Sequence[Document], runs: int) -> Figures:
    """CPU seconds of asking all queries, the median of ``runs``, and the matches."""
    import psycopg
    from support.postgres import running_cluster

    with running_cluster() as cluster, cluster.database() as url:
        address = url.replace("postgresql+psycopg", "postgresql")
        with psycopg.connect(address, autocommit=True) as base:
            base.execute("SET max_parallel_workers_per_gather = 0")
            base.execute("SET jit = off")
            base.execute("SET work_mem = '256MB'")
            base.execute("CREATE TABLE paper (id int, words tsvector)")
            base.execute("CREATE TABLE asked (id int, words tsquery)")
            rows = [(number, vector(one)) for number, one in enumerate(documents)]
            _copy(base, "paper", rows)
            _copy(base, "asked", [(n, expression(query.root)) for n, query in enumerate(queries)])
            base.execute("CREATE INDEX ON paper USING gin (words)")
            base.execute("VACUUM ANALYZE paper")
            base.execute("ANALYZE asked")
            return _ask(base, len(queries), runs)


def _copy(base: Any, table: str, rows: Sequence[tuple[int, str]]) -> None:
    with base.cursor().copy(f"COPY {table} FROM STDIN") as copy:
        for row in rows:
            copy.write_row(row)


def _ask(base: Any, queries: int, runs: int) -> Figures:
    join = "FROM asked JOIN paper ON paper.words @@ asked.words"
    spent: dict[str, float] = {}
    for name, scan in (("index", "off"), ("planner's choice", "on")):
        base.execute(f"SET enable_seqscan = {scan}")
        base.execute(f"SET enable_material = {scan}")
        with _server_cpu(base) as cpu:
            for _ in range(runs):
                base.execute(f"SELECT count(*) {join}").fetchone()
        spent[name] = cpu[0] / runs
    plan = "\n".join(row[0] for row in base.execute(f"EXPLAIN SELECT count(*) {join}").fetchall())
    found: list[set[int]] = [set() for _ in range(queries)]
    for asked, paper in base.execute(f"SELECT asked.id, paper.id {join}").fetchall():
        found[asked].add(paper)
    return {
        "cpu_s": round(min(spent.values()), 3),
        "cpu_s_by_plan": {name: round(seconds, 3) for name, seconds in spent.items()},
        "planner_uses_index": "Index Scan" in plan,
        "matches": sum(map(len, found)),
        "found": found,
    }


@contextmanager
def _server_cpu(base: Any) -> Iterator[list[float]]:
    pid = base.info.backend_pid
    spent = [-_cpu(pid)]
    yield spent
    spent[0] += _cpu(pid)


def _cpu(pid: int) -> float:
    fields = Path(f"/proc/{pid}/stat").read_text("ascii").rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")
