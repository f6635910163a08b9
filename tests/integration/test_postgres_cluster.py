"""The database fixtures themselves: fresh per test, both kinds, nothing left behind."""

import pytest
from sqlalchemy import create_engine, text
from support.postgres import Cluster


def test_each_test_gets_an_empty_database(database_url: str) -> None:
    engine = create_engine(database_url)
    try:
        with engine.begin() as connection:
            connection.execute(text("CREATE TABLE note (id INTEGER PRIMARY KEY)"))
            connection.execute(text("INSERT INTO note VALUES (1)"))
            assert connection.execute(text("SELECT count(*) FROM note")).scalar_one() == 1
    finally:
        engine.dispose()


@pytest.mark.postgres
def test_a_database_is_dropped_although_somebody_is_connected(postgres_cluster: Cluster) -> None:
    with postgres_cluster.database() as url:
        engine = create_engine(url)
        held = engine.connect()
        held.execute(text("SELECT 1"))
    again = create_engine(postgres_cluster.url("postgres"))
    try:
        with again.connect() as connection:
            names = connection.execute(text("SELECT datname FROM pg_database")).scalars().all()
        assert url.rpartition("/")[2] not in names
    finally:
        held.invalidate()
        held.close()
        engine.dispose()
        again.dispose()
