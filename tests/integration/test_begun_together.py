"""Two processes that begin on a new database at the same moment are one installation."""

import threading

from sqlmodel import Session

from service.store.db import Database
from service.store.instance import add_instance


def test_the_second_waits_for_the_first_and_takes_its_identity(postgres_url):
    first, second = Database(postgres_url), Database(postgres_url)
    found = []
    try:
        with first.engine.connect() as connection:
            session = Session(bind=connection)
            made = add_instance(session)
            other = threading.Thread(target=lambda: found.append(second.write(add_instance)))
            other.start()
            other.join(0.3)
            assert other.is_alive(), "its row waits for ours"
            session.commit()
            session.close()
        other.join(10)
        assert found == [made]
    finally:
        first.close()
        second.close()
