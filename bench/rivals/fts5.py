"""SQLite's full text: the papers in one FTS5 table, the queries asked one after the other."""

import sqlite3
from collections.abc import Sequence

from bench.measured.process import Figures, timed
from service.matching.document import Document
from service.matching.query import And, Node, Not, Or, Query, Term

_COLUMNS = {"ti": "title", "abs": "abstract"}


def expression(node: Node) -> str:
    """The query in FTS5's language, over stems."""
    if isinstance(node, Or):
        return f"({' OR '.join(map(expression, node.parts))})"
    if isinstance(node, And):
        wanted = [expression(part) for part in node.parts if not isinstance(part, Not)]
        less = [expression(part.part) for part in node.parts if isinstance(part, Not)]
        return "(" + " NOT ".join([f"({' AND '.join(wanted)})", *less]) + ")"
    assert isinstance(node, Term)
    phrase = '"' + " ".join(word.stem for word in node.words) + '"'
    column = _COLUMNS.get(node.field)
    return f"{{{column}}} : {phrase}" if column else phrase


_RUNS = 3


def measure(queries: Sequence[Query], documents: Sequence[Document]) -> Figures:
    """CPU seconds of asking all queries, the median of three runs, and the matches."""
    base = sqlite3.connect(":memory:")
    base.execute(
        "CREATE VIRTUAL TABLE paper USING fts5(title, abstract, "
        "tokenize = 'unicode61 remove_diacritics 0', detail = full)"
    )
    base.executemany(
        "INSERT INTO paper(rowid, title, abstract) VALUES (?, ?, ?)",
        (
            (number, " ".join(one.title.stems), " ".join(one.abstract.stems))
            for number, one in enumerate(documents)
        ),
    )
    base.execute("INSERT INTO paper(paper) VALUES ('optimize')")
    asked = [expression(query.root) for query in queries]
    ask = "SELECT rowid FROM paper WHERE paper MATCH ?"
    found: list[set[int]] = []

    def run() -> None:
        found.clear()
        found.extend({row[0] for row in base.execute(ask, (one,))} for one in asked)

    spent = sorted(timed(run) for _ in range(_RUNS))
    return {
        "cpu_s": round(spent[len(spent) // 2], 3),
        "matches": sum(map(len, found)),
        "found": found,
    }
