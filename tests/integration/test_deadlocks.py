"""Processes that lock the same rows in another order: PostgreSQL undoes one, and it goes on."""

import threading
from collections.abc import Callable, Iterator

import pytest
import sqlalchemy as sa

from service.store.db import TRIES, Database, Session, is_undone

pytestmark = pytest.mark.postgres

AMOUNTS = sa.table("amounts", sa.column("id"), sa.column("n"))


@pytest.fixture
def pair(postgres_url: str) -> Iterator[tuple[Database, Database]]:
    """Two processes' databases on one cluster, with a table of two rows."""
    first, second = Database(postgres_url), Database(postgres_url)
    with first.engine.begin() as connection:
        connection.exec_driver_sql("CREATE TABLE amounts (id int PRIMARY KEY, n int NOT NULL)")
        connection.exec_driver_sql("INSERT INTO amounts VALUES (1, 0), (2, 0)")
    yield first, second
    first.close()
    second.close()


def add(row: int) -> Callable[[Session], int]:
    def work(session: Session) -> int:
        session.execute(sa.update(AMOUNTS).where(AMOUNTS.c.id == row).values(n=AMOUNTS.c.n + 1))
        return row

    return work


def amounts(db: Database) -> list[int]:
    return db.read(
        lambda s: list(s.execute(sa.select(AMOUNTS.c.n).order_by(AMOUNTS.c.id)).scalars())
    )


def crossing(pair: tuple[Database, Database]) -> list[int]:
    """Each process takes one row, then, while the other holds it, the other row."""
    gate = threading.Barrier(2)
    answers: list[int] = []

    def run(db: Database, row: int) -> None:
        waits = [True]

        def both(session: Session) -> int:
            add(row)(session)
            if waits[0]:
                waits[0] = False
                gate.wait(30)
            return add(3 - row)(session)

        answers.append(db.write(both))

    threads = [threading.Thread(target=run, args=(db, n)) for n, db in enumerate(pair, 1)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return answers


def test_who_was_undone_runs_again(pair: tuple[Database, Database]) -> None:
    assert sorted(crossing(pair)) == [1, 2]
    assert amounts(pair[0]) == [2, 2]


def test_units_that_shared_the_transaction_are_all_done_once(
    pair: tuple[Database, Database],
) -> None:
    """What waits together commits together: the order of its locks is chance."""
    first, second = pair
    entered, go = threading.Event(), threading.Event()

    def busy(session: Session) -> None:
        entered.set()
        go.wait(30)

    held, taken, crossed = threading.Event(), threading.Event(), []

    def second_row_then_first(session: Session) -> None:
        add(2)(session)
        if not crossed:
            crossed.append(True)
            taken.set()
            held.wait(30)
        add(1)(session)

    def first_row(session: Session) -> str:
        add(1)(session)
        held.set()
        taken.wait(30)
        return "one"

    def run(name: str, db: Database, work: Callable[[Session], object]) -> None:
        found[name] = db.write(work)  # type: ignore[arg-type]

    found: dict[str, object] = {}
    works = [("busy", first, busy), ("one", first, first_row), ("two", first, add(2)),
             ("other", second, second_row_then_first)]  # fmt: skip
    threads = [threading.Thread(target=run, args=work) for work in works]
    threads[0].start()
    entered.wait(30)
    threads[1].start()
    while first._waiting.qsize() < 1:
        threading.Event().wait(0.001)
    threads[2].start()
    while first._waiting.qsize() < 2:
        threading.Event().wait(0.001)
    threads[3].start()
    go.set()
    for thread in threads:
        thread.join()
    assert found == {"busy": None, "one": "one", "two": 2, "other": None}
    assert amounts(first) == [2, 2]


def test_a_unit_that_is_undone_each_time_ends_with_the_databases_words(
    pair: tuple[Database, Database],
) -> None:
    runs = []

    def refused(session: Session) -> None:
        runs.append(1)
        session.execute(sa.text("DO $$ BEGIN RAISE SQLSTATE '40P01'; END $$"))

    with pytest.raises(sa.exc.OperationalError) as caught:
        pair[0].write(refused)
    assert is_undone(caught.value)
    assert len(runs) == TRIES


def test_another_fault_is_told_at_once(pair: tuple[Database, Database]) -> None:
    runs = []

    def wrong(session: Session) -> None:
        runs.append(1)
        session.execute(sa.text("SELECT 1/0"))

    with pytest.raises(sa.exc.DataError):
        pair[0].write(wrong)
    assert runs == [1]
