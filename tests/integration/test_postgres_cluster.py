"""The database fixtures themselves: nothing of one test is left for the next."""

import pytest
from sqlalchemy import create_engine, text
from support.postgres import Cluster


def test_each_test_gets_an_empty_database(empty_database_url: str) -> None:
    engine = create_engine(empty_database_url)
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


@pytest.mark.postgres
def test_rows_and_connections_do_not_stay_for_the_next_test(postgres_cluster: Cluster) -> None:
    with postgres_cluster.laid_database() as url:
        engine = create_engine(url)
        held = engine.connect()
        held.execute(text("INSERT INTO setting (name, value) VALUES ('hour', '9')"))
        held.commit()
        held.execute(text("SELECT * FROM setting"))
    with postgres_cluster.laid_database() as again:
        assert again == url
        held.invalidate()
        with engine.connect() as connection:
            assert connection.execute(text("SELECT count(*) FROM setting")).scalar_one() == 0
            assert connection.execute(text("SELECT version_num FROM alembic_version")).scalar_one()
        engine.dispose()


@pytest.mark.postgres
def test_a_database_whose_tables_were_changed_is_given_to_nobody(
    postgres_cluster: Cluster,
) -> None:
    with postgres_cluster.laid_database() as url:
        engine = create_engine(url)
        with engine.begin() as connection:
            connection.execute(text("DROP TABLE feedback"))
        engine.dispose()
    with postgres_cluster.laid_database() as again:
        assert again != url
