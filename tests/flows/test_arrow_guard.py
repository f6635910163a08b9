"""What watches every test's ledger can refuse."""

import pytest
import sqlalchemy as sa
from support.arrows import by_hand
from support.house import plan_one, rows


@pytest.mark.slow
@pytest.mark.parametrize("table", ["delivery", "edition"])
def test_a_change_without_an_arrow_is_refused(rt, tmp_path, table):
    plan_one(rt, tmp_path)
    state = {"delivery": "presumed", "edition": "draft"}[table]

    def change(session):
        session.execute(sa.text(f"UPDATE {table} SET state = '{state}'"))

    with pytest.raises(sa.exc.DBAPIError, match="no such arrow"):
        rt.db.write(change)
    with by_hand():
        rt.db.write(change)
    with pytest.raises(sa.exc.DBAPIError, match="no such arrow"):
        rt.db.write(lambda s: s.execute(sa.text(f"UPDATE {table} SET state = 'planned'")))
    if table == "delivery":
        assert rows(rt)[0].state == "presumed"
