"""An address that was changed is forgotten with its reader."""

import asyncio
import re
from datetime import timedelta

import pytest
import sqlalchemy as sa
from support.house import add, open_house
from support.smtp_server import SmtpServer

from service.flows.address import ask_address, change_address
from service.flows.leave import erase
from service.flows.manage_link import manage_token
from service.flows.send import send_ready
from service.store.subscribers import get_subscriber_row
from service.store.tables import AttemptRow, DeliveryRow

OLD, NEW, NEVER = "ada@example.org", "ada@example.net", "ada@example.com"


@pytest.mark.parametrize("order", [(NEW, NEVER), (NEVER, NEW)])
def test_no_address_of_a_reader_outlives_them(tmp_path, database_url, order):
    with (
        SmtpServer() as server,
        open_house(tmp_path, smtp_port=server.port, database_url=database_url) as house,
    ):
        rt = house.runtime
        reader = add(rt, OLD, "adapters")
        for address in order:
            row = rt.db.read(lambda s: get_subscriber_row(s, id=reader))
            ask_address(rt, manage_token(rt, row, rt.clock(), fresh=True), address)
            asyncio.run(send_ready(rt))
            if address == NEW:
                text = server.accepted[-1].data.decode().replace("=\r\n", "").replace("=3D", "=")
                change_address(rt, re.search(r"/address/([\w.~=-]+)", text)[1])
                asyncio.run(send_ready(rt))
            rt.clock.go(days=2)
        assert sorted(m.recipient for m in server.accepted) == sorted([OLD, NEW, NEVER])
        assert erase(rt, NEW)
        rt.clock.at += timedelta(days=1)
        kept = rt.db.read(
            lambda s: (
                list(s.execute(sa.select(DeliveryRow.rcpt, DeliveryRow.recipient_key))),
                list(s.execute(sa.select(DeliveryRow.content, DeliveryRow.reason))),
                list(s.execute(sa.select(AttemptRow.text))),
            )
        )
        assert "ada@" not in str(kept)
