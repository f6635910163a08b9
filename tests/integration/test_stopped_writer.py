"""On PostgreSQL a process that stands still within a transaction does not stop the others."""

import threading
import time

import pytest
import sqlalchemy as sa

from service.store import db as store_db
from service.store.db import Database
from service.store.instance import add_instance

pytestmark = [pytest.mark.postgres, pytest.mark.timeout(30)]


def test_its_locks_are_given_back(postgres_url, monkeypatch):
    monkeypatch.setattr(store_db, "STILL_S", 0.5)
    still, other = Database(postgres_url), Database(postgres_url)
    still.write(add_instance)
    holds, over = threading.Event(), threading.Event()

    def stand_still(session):
        session.execute(sa.text("UPDATE instance SET epoch = epoch + 1"))
        holds.set()
        over.wait(20)
        session.execute(sa.text("SELECT 1"))

    waking = still._submit(stand_still, store_db.Priority.MAIL)
    assert holds.wait(5)
    begun = time.monotonic()
    other.write(lambda s: s.execute(sa.text("UPDATE instance SET epoch = 7")))
    assert time.monotonic() - begun < 10
    over.set()
    waking.result(10)  # nothing of it was done: who wakes up does it anew
    assert other.read(lambda s: s.execute(sa.text("SELECT epoch FROM instance")).scalar_one()) == 8
    still.close()
    other.close()
