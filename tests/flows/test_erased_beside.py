"""Who is erased goes from what stands beside the ledger as well: drafts, what programs are told and
were answered, and what is repeated of a server's words."""

import asyncio
import re
from dataclasses import replace

import pytest
import sqlalchemy as sa
from support.house import add, open_house
from support.smtp_server import SmtpServer, reply

from service.flows import canary, drafts, manual, staff_readers
from service.flows.hook_lists import add_hook
from service.flows.hooks import tell_reader
from service.flows.leave import erase
from service.flows.send import send_ready
from service.store.answers import add_answer, get_answer, keep_answer
from service.store.hooks import get_hook
from service.store.instance import set_setting
from service.store.naming import named_in
from service.store.subscribers import get_subscriber_row
from service.subscribers.address import read_address

OLD, NEW, OTHER = "Zoe@example.org", "zoe@bücher.example", "zzoe@example.org"
EVENTS = ["reader.joined", "reader.left"]
LETTER = {"kind": "newsletter", "subject": "News of the library", "body": "Sunday."}


def test_no_other_address_that_holds_it_is_touched():
    found = named_in({"a@x.example", "zoe@xn--bcher-kva.example"})
    text = "A@X.example, maria@x.example a@x.example.org;zoe@bücher.example a@x.example."
    assert found.sub("-", text) == "-, maria@x.example a@x.example.org;- -."


@pytest.mark.slow
def test_an_address_goes_from_what_stands_beside_the_reader(tmp_path, database_url):
    """Also the one of before, and from calls to a program that is told addresses no more."""
    with (
        SmtpServer() as server,
        open_house(tmp_path, smtp_port=server.port, database_url=database_url) as house,
    ):
        rt = house.runtime
        crm = add_hook(rt, "crm", "http://127.0.0.1:9/", EVENTS, tells_address=True, by="cli")
        add(rt, OTHER, "adapters")
        reader = add(rt, OLD, "glaciers")
        rt.db.write(lambda s: set_setting(s, "canary", "1"))
        first = replace(manual.draft(rt, **LETTER, segment=f"list:{OTHER},{OLD}"), canary=True)
        for key, who in (("both", f"{OLD},{OTHER}"), ("alone", OLD)):
            plan = manual.draft(rt, **LETTER, segment=f"list:{who}", key=key)
            drafts.keep(rt, plan, {**LETTER, "segment": "list", "value": who})
        drafts.keep_typed(rt, {**LETTER, "value": f"{NEW.upper()}; {OTHER}"}, "mia")
        said = reply("554 5.7.1 <ZOE@EXAMPLE.ORG> is blocked by policy")
        server.on("RCPT", said, match="Zoe@")  # the first few
        manual.start(rt, first, expected=2, at_once=True)
        asyncio.run(send_ready(rt))
        assert canary.judge(rt) == 0, "it is judged while it is sent"
        change = staff_readers.Change(to=read_address(NEW))
        staff_readers.change(rt, reader, change, by="mia", reason="asked")
        asyncio.run(send_ready(rt))

        def beside(session):
            row = get_subscriber_row(session, id=reader)
            tell_reader(session, rt.clock(), EVENTS[0], row, "returned")
            row.email = OLD
            tell_reader(session, rt.clock(), EVENTS[0], row, "returned")
            row.email = read_address(NEW).email
            get_hook(session, crm["id"]).tells_address = False
            for key, told in (("1", OLD), ("2", NEW), ("3", OTHER)):
                owner = rt.owner().id
                add_answer(session, caller="t", key=key, asked="x", owner=owner, now=rt.clock())
                kept = get_answer(session, "t", key)
                keep_answer(session, kept.id, 200, f'{{"email": "{read_address(told).email}"}}')

        rt.db.write(beside)
        assert erase(rt, read_address(NEW).key)
        with rt.db.engine.connect() as connection:
            left = {
                name: str(list(connection.execute(sa.text(f'SELECT * FROM "{name}"')))).lower()
                for name in sa.inspect(connection).get_table_names()
            }
        assert [n for n, rows in left.items() if re.search(r"(?<![a-z])zoe", rows)] == []
        for name in ("edition", "answer_kept", "webhook_call"):
            assert OTHER in left[name], name
        assert drafts.find(rt, "both").plan.segment.keys == (OTHER,)
        assert drafts.find(rt, "alone") is None
