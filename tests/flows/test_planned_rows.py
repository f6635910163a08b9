"""Rows of an edition are planned for many readers in a few statements, each once."""

from collections.abc import Iterator
from contextlib import contextmanager

from support.house import add, ingest_items, paper_item, rows
from support.statements import noted

from service.flows.daily import plan_daily
from service.store.planned import list_there


@contextmanager
def statements(rt) -> Iterator[list[tuple]]:
    """Those about deliveries; complete when it is over."""
    seen: list[tuple] = []
    with noted(rt.db.engine) as all_of_them:
        yield seen
    seen += [one for one in all_of_them if " delivery" in one[0]]


def plan(rt, readers):
    for n in range(readers):
        add(rt, f"r{readers}x{n}@example.org", "adapters")
    with statements(rt) as seen:
        assert plan_daily(rt).ready == readers
    return len(seen)


def test_more_readers_take_no_more_statements(rt, tmp_path):
    ingest_items(rt, tmp_path, [paper_item(1, "Adapters that forget less")])
    few, many = plan(rt, 2), plan(rt, 12)
    assert many <= few + 1, "a second look at those who have a row"
    with statements(rt) as seen:
        assert plan_daily(rt).planned == 0
    assert len(seen) < few
    assert len(rows(rt)) == 14


def test_who_has_a_row_is_looked_up_by_reader(rt, tmp_path):
    ingest_items(rt, tmp_path, [paper_item(1, "Adapters that forget less")])
    plan(rt, 2)
    with statements(rt) as seen:
        there = rt.db.read(lambda s: list_there(s, 1, [("nobody", 1, "<none>")]))
    assert [one.subscriber_id for one in there] == [1], "also under another address"
    if rt.db.engine.dialect.name == "sqlite":
        ((statement, parameters),) = seen
        with rt.db.engine.connect() as connection:
            steps = connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {statement}", parameters)
            used = " ".join(step[3] for step in steps)
        assert "(subscriber_id=?)" in used
        assert "SCAN" not in used
        assert "(edition_id=?)" not in used
