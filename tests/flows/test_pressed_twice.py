"""A button pressed twice at the same moment, answered by two processes."""

import threading
from pathlib import Path

import pytest
from support.house import add, open_house

from service.flows import manage_interests
from service.flows.interests import InterestChange, add_one_more, read_form
from service.flows.manage_link import manage_token
from service.store.db import Session
from service.store.sent import hold_readers
from service.store.subscribers import get_subscriber_row, list_profile_rows

ADA = "ada@example.org"


@pytest.mark.postgres
def test_one_interest_is_added(tmp_path: Path, postgres_url: str) -> None:
    with (
        open_house(tmp_path, database_url=postgres_url) as first,
        open_house(tmp_path, database_url=postgres_url) as second,
    ):
        reader_id = add(first.runtime, ADA, "adapters")
        rt = second.runtime
        row = rt.db.read(lambda s: get_subscriber_row(s, id=reader_id))
        assert row is not None
        token = manage_token(rt, row, rt.clock())
        change = InterestChange(wanted=read_form("robots"))
        added: list[int] = []
        with first.db.engine.connect() as connection:
            session = Session(bind=connection)
            hold_readers(session, [reader_id], wait=True)
            add_one_more(session, reader_id, change, rt.clock(), since=None, most=20)
            session.flush()
            other = threading.Thread(
                target=lambda: added.append(manage_interests.add_wanted(rt, token, change))
            )
            other.start()
            other.join(0.5)
            assert other.is_alive(), "the second press waits for the first"
            session.commit()
            session.close()
        other.join(10)
        rows = rt.db.read(lambda s: list_profile_rows(s, reader_id))
        assert [one.text for one in rows] == ["adapters", "robots"]
        assert added == [rows[1].id]
