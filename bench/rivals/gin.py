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
_TRIED = 3_000
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


def measure(queries: Sequence[Query], documents: Sequence[Document]) -> Figures:
    """CPU seconds of asking all queries once, by the quicker plan, and the matches."""
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
            return _ask(base, len(queries))


def _copy(base: Any, table: str, rows: Sequence[tuple[int, str]]) -> None:
    with base.cursor().copy(f"COPY {table} FROM STDIN") as copy:
        for row in rows:
            copy.write_row(row)


def _ask(base: Any, queries: int) -> Figures:
    join = "FROM asked JOIN paper ON paper.words @@ asked.words"
    few = f"{join} WHERE asked.id < {_TRIED}"
    tried: dict[str, float] = {}
    for scan in ("off", "on"):
        _plan(base, scan)
        with _server_cpu(base) as cpu:
            base.execute(f"SELECT count(*) {few}").fetchone()
        tried[scan] = cpu[0]
    _plan(base, min(tried, key=tried.__getitem__))
    found: list[set[int]] = [set() for _ in range(queries)]
    with _server_cpu(base) as cpu:
        rows = base.execute(f"SELECT asked.id, paper.id {join}").fetchall()
    for asked, paper in rows:
        found[asked].add(paper)
    plan = "\n".join(row[0] for row in base.execute(f"EXPLAIN SELECT 1 {join}").fetchall())
    return {
        "cpu_s": round(cpu[0], 3),
        "runs": 1,
        f"cpu_s_of_{_TRIED}_by_index": round(tried["off"], 3),
        f"cpu_s_of_{_TRIED}_as_planned": round(tried["on"], 3),
        "plan": "index" if "Index Scan" in plan else "every paper",
        "matches": len(rows),
        "found": found,
    }


def _plan(base: Any, scan: str) -> None:
    base.execute(f"SET enable_seqscan = {scan}")
    base.execute(f"SET enable_material = {scan}")


@contextmanager
def _server_cpu(base: Any) -> Iterator[list[float]]:
    pid = base.info.backend_pid
    spent = [-_cpu(pid)]
    yield spent
    spent[0] += _cpu(pid)


def _cpu(pid: int) -> float:
    fields = Path(f"/proc/{pid}/stat").read_text("ascii").rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")
