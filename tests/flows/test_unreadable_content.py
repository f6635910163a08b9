"""A content that cannot be read any more harms the mails that hold it alone."""

import asyncio

import pytest
import sqlalchemy as sa
from sqlmodel import col
from support.house import add, ingest_items, paper_item, rows

from service.flows.daily import plan_daily
from service.flows.send import send_ready
from service.store.tables import ContentRow


@pytest.mark.parametrize("body", [{"digest": {"version": 99}}, {}, {"digest": None}])
def test_a_content_that_cannot_be_read_keeps_no_other_mail_back(rt, tmp_path, server, body):
    broken, good = "ada@example.org", "ben@example.org"
    add(rt, broken, "adapters")
    add(rt, good, "towels")
    items = [paper_item(1, "Adapters that forget"), paper_item(2, "Towels that remember")]
    ingest_items(rt, tmp_path, items)
    plan_daily(rt)
    (number,) = [row.content_id for row in rows(rt) if row.rcpt == broken]
    change = sa.update(ContentRow).where(col(ContentRow.id) == number).values(body=body)
    rt.db.write(lambda s: s.execute(change))
    report = asyncio.run(send_ready(rt))
    assert (report.accepted, report.failed) == (1, 1)
    assert [mail.recipient for mail in server.accepted] == [good]
    (spoiled,) = [row for row in rows(rt) if row.rcpt == broken]
    assert (spoiled.state, spoiled.meaning) == ("failed", "content")
