"""SQLite compares instants as text: each has one spelling, whoever wrote it."""

import asyncio

import pytest
import sqlalchemy as sa
from sqlmodel import SQLModel
from sqlmodel.sql.sqltypes import UTCDateTime
from support.house import add, ingest_items, open_house, paper_item
from support.smtp_server import drop, reply

from service.flows.daily import plan_daily
from service.flows.send import send_ready

SPELLED = "????-??-?? ??:??:??.??????"


def instants():
    for table in SQLModel.metadata.sorted_tables:
        for column in table.columns:
            if isinstance(column.type, UTCDateTime):
                yield table.name, column.name


@pytest.mark.slow
def test_instants_have_one_spelling(tmp_path, server, clock):
    server.on("RCPT", reply("450 4.2.0 later"), match="r1@")
    server.on("DOT", drop(), match="r2@")
    server.on("RCPT", reply("550 5.1.1 nobody"), match="r3@")
    with open_house(tmp_path, smtp_port=server.port, clock=clock) as house:
        rt = house.runtime
        ingest_items(rt, tmp_path, [paper_item(1, "Sparse attention")])
        for n in range(4):
            add(rt, f"r{n}@d{n}.example.org")
        plan_daily(rt)
        asyncio.run(send_ready(rt))
        clock.go(hours=1)
        asyncio.run(send_ready(rt))
        seen = set()
        with rt.db.reading() as session:
            for table, column in instants():
                query = f"SELECT {column} FROM {table} WHERE {column} IS NOT NULL"
                for (at,) in session.execute(sa.text(query)):
                    seen.add(f"{table}.{column}")
                    match = sa.text("SELECT :at GLOB :how")
                    assert session.scalar(match, {"at": at, "how": SPELLED}), f"{column} is {at}"
    assert {"delivery.marked_at", "delivery.accepted_at", "delivery.not_before"} <= seen
    assert "attempt.at" in seen
