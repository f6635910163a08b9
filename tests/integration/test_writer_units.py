"""What waits for the writer is committed together; one that fails harms itself alone."""

import threading

import pytest
import sqlalchemy as sa

from service.errors import PaperpostError
from service.store.db import Database


@pytest.fixture
def db(tmp_path):
    made = Database(f"sqlite:///{tmp_path / 'units.db'}")
    made.write(lambda s: s.execute(sa.text("CREATE TABLE done (name text UNIQUE)")))
    yield made
    made.close()


def together(db, works):
    """Have the works wait while the writer is busy, so that it takes them at once."""
    entered, go, answers = threading.Event(), threading.Event(), {}

    def busy(_session):
        entered.set()
        go.wait(10)

    def run(name, work):
        try:
            answers[name] = db.write(work)
        except Exception as error:
            answers[name] = error

    threads = [threading.Thread(target=run, args=("busy", busy))]
    threads[0].start()
    entered.wait(10)
    for n, (name, work) in enumerate(works.items(), 1):
        threads.append(threading.Thread(target=run, args=(name, work)))
        threads[-1].start()
        while db._waiting.qsize() < n:
            threading.Event().wait(0.001)
    go.set()
    for thread in threads:
        thread.join()
    return answers


def note(name):
    def work(session):
        session.execute(sa.text("INSERT INTO done VALUES (:name)"), {"name": name})
        return name

    return work


def noted(db):
    return sorted(
        row[0] for row in db.read(lambda s: s.execute(sa.text("SELECT name FROM done")).all())
    )


def half_done(session):
    note("half")(session)
    raise PaperpostError("no")


def test_of_units_that_wait_together_one_that_raises_harms_itself_alone(db):
    answers = together(db, {"a": note("a"), "bad": half_done, "b": note("b")})
    assert (answers["a"], answers["b"]) == ("a", "b")
    assert isinstance(answers["bad"], PaperpostError)
    assert noted(db) == ["a", "b"]


def test_of_units_that_wait_together_one_that_the_database_refuses_harms_itself_alone(db):
    db.write(note("a"))
    answers = together(db, {"again": note("a"), "b": note("b")})
    assert isinstance(answers["again"], sa.exc.IntegrityError)
    assert noted(db) == ["a", "b"]


def test_units_that_wait_together_are_one_commit(db):
    commits = []
    sa.event.listen(db.engine, "commit", lambda _: commits.append(True))
    together(db, {name: note(name) for name in "abcdef"})
    assert len(commits) == 2, "of the one that kept the writer busy, and of all others"
    assert len(noted(db)) == 6
