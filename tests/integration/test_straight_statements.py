"""Statements that go straight to the driver: what they return, and errors that are SQLAlchemy's."""

import pytest
import sqlalchemy as sa

from service.store.db import DOUBTFUL, Database
from service.store.driver import execute

INSERT = {
    "sqlite": "INSERT INTO done VALUES (:name) RETURNING name",
    "postgresql": "INSERT INTO done VALUES (%(name)s) RETURNING name",
}


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.postgres)])
def db(request, tmp_path):
    is_sqlite = request.param == "sqlite"
    url = (
        f"sqlite:///{tmp_path / 'straight.db'}"
        if is_sqlite
        else request.getfixturevalue("postgres_url")
    )
    made = Database(url)
    made.write(lambda s: s.execute(sa.text("CREATE TABLE done (name text UNIQUE)")))
    yield made
    made.close()


def insert(db, name):
    sql = INSERT[db.engine.dialect.name]
    return db.write(lambda s: execute(s.connection(), sql, {"name": name}))


def test_what_was_done_is_told(db):
    assert insert(db, "a") == ([("a",)], 1)
    emptied = db.write(lambda s: execute(s.connection(), "DELETE FROM done"))
    assert (list(emptied.rows), emptied.changed) == ([], 1)


def test_an_error_is_told_without_the_values(db):
    insert(db, "secret")
    with pytest.raises(sa.exc.IntegrityError) as caught:
        insert(db, "secret")
    assert "INSERT INTO done" in str(caught.value)
    assert "[parameters:" not in str(caught.value)
    assert insert(db, "b").changed == 1


def end_connections(db):
    """As a server that was restarted: whoever has one hears so when it is used next."""
    other = sa.create_engine(db.url, poolclass=sa.NullPool)
    with other.begin() as connection:
        connection.exec_driver_sql(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
            "WHERE datname = current_database() AND pid <> pg_backend_pid()"
        )


@pytest.mark.postgres
def test_a_connection_that_ends_within_a_transaction_is_thrown_away(postgres_url):
    db = Database(postgres_url)
    db.write(lambda s: s.execute(sa.text("CREATE TABLE done (name text UNIQUE)")))

    def broken(session):
        execute(session.connection(), INSERT["postgresql"], {"name": "a"})
        end_connections(db)
        execute(session.connection(), INSERT["postgresql"], {"name": "b"})

    with pytest.raises(DOUBTFUL) as caught:
        db.write(broken)
    assert caught.value.connection_invalidated
    assert insert(db, "a").changed == 1
    db.close()
