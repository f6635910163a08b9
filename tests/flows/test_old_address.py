"""An address that was changed is forgotten with its reader."""

import asyncio
import re
from datetime import timedelta

import pytest
import sqlalchemy as sa
from support.house import add, open_house
from support.smtp_server import SmtpServer, reply

from service.flows.address import ask_address, change_address
from service.flows.leave import erase
from service.flows.manage_link import manage_token
from service.flows.own_link import ask_link
from service.flows.send import send_ready
from service.store.consent import add_consent, add_suppression, email_hash
from service.store.subscribers import get_subscriber_row
from service.store.tables import AttemptRow, ContentRow, DeliveryRow

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
                list(s.execute(sa.select(DeliveryRow.own, DeliveryRow.reason))),
                list(s.execute(sa.select(ContentRow.body))),
                list(s.execute(sa.select(AttemptRow.text))),
            )
        )
        assert "ada@" not in str(kept)


def test_what_servers_said_and_what_was_agreed_to_goes_for_every_address(tmp_path):
    """A server repeats an address in its own case; words lie under the code of an earlier one."""
    old, new = "Zoe@example.org", "zoe@bücher.example"
    with (
        SmtpServer() as server,
        open_house(tmp_path, smtp_port=server.port) as house,
    ):
        rt = house.runtime
        reader = add(rt, old, "glaciers")
        row = rt.db.read(lambda s: get_subscriber_row(s, id=reader))
        server.on("RCPT", reply("450 4.2.0 <ZOE@EXAMPLE.ORG> is full"), match="Zoe", times=1)
        said = "550 5.1.1 ZOE@XN--BCHER-KVA.EXAMPLE is no user"
        server.on("RCPT", reply(said), match="zoe@", times=1)
        rt.db.write(lambda s: _agreed(rt, s, reader, old.lower()))
        ask_link(rt, old)
        asyncio.run(send_ready(rt))
        ask_address(rt, manage_token(rt, row, rt.clock(), fresh=True), new)
        asyncio.run(send_ready(rt))
        assert len(tried(rt)) == 2
        assert erase(rt, old.lower())
        with rt.db.engine.connect() as connection:
            left = {
                name: str(list(connection.execute(sa.text(f'SELECT * FROM "{name}"')))).lower()
                for name in sa.inspect(connection).get_table_names()
            }
        assert [n for n, rows in left.items() if "zoe" in rows or "glaciers" in rows] == []


def _agreed(rt, session, reader, key):
    """As after a change of address: agreed to, and barred, under the code of an earlier one."""
    hashed = email_hash(rt.instance.key, f"earlier-{key}")
    add_consent(
        session, subscriber_id=reader, hashed=hashed, act="confirm", now=rt.clock(),
        detail="glaciers",
    )  # fmt: skip
    add_suppression(session, hashed, "hard", rt.clock(), f"5.1.1 earlier-{key} is no user")


def tried(rt):
    return rt.db.read(lambda s: list(s.execute(sa.select(AttemptRow.text))))
