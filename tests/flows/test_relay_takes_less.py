"""A relay that takes no mails as long as ours: told by EHLO, it is never offered one."""

import asyncio

from support.house import plan_one, rows

from service.delivery.i18n import Texts
from service.flows.became import what_became
from service.flows.mail_days import read_history
from service.flows.send import send_ready
from service.store.subscribers import list_subscriber_rows


def test_a_mail_longer_than_the_relay_takes_is_our_fault_and_bars_nobody(rt, server, tmp_path):
    server.features = ["PIPELINING", "SIZE 12000"]
    plan_one(rt, tmp_path)
    report = asyncio.run(send_ready(rt))
    assert report.failed == 1
    assert not any("ada@" in line for line in server.commands)
    (row,) = [one for one in rows(rt) if one.subscriber_id is not None]
    assert (row.state, row.code, row.enhanced, row.meaning) == ("failed", 552, "5.3.4", "content")
    assert "the relay takes 12000 at most (said by us)" in row.reason
    (reader,) = rt.db.read(lambda s: list_subscriber_rows(s))
    assert reader.state == "active"
    (day,) = read_history(rt, row.subscriber_id).days
    said = what_became(day, Texts("en"))
    assert said == "This mail could not be made, and that is our fault."
