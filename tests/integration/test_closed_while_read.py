"""A database that is closed while somebody still reads keeps no connection open."""

import sqlalchemy as sa

from service.store.db import Database


def test_a_connection_that_comes_back_late_is_closed(postgres_url):
    db = Database(postgres_url)
    late = db.engine.connect()
    early = db.engine.connect()
    late.execute(sa.text("SELECT 1"))
    held, given_back = (c.connection.dbapi_connection for c in (late, early))
    early.close()
    assert not given_back.closed, "kept for the next who asks"
    db.close()
    assert given_back.closed
    assert not held.closed, "it is in use"
    late.close()
    assert held.closed
