"""What acts of the desk and of programs need, laid into a ``World``; and a way back to it.

``laden(world)`` returns more values for addresses and bodies; ``kept(world)`` remembers every row,
so that each act of the tables meets the same house.
"""

import sqlite3
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

from support.arrows import by_hand
from support.came_back import lay
from support.every_address import ADA, PASSWORD, World, lay_import
from support.house import add, ingest_items, paper_item
from support.smtp_server import reply

from service.delivery.breakers import Breaker
from service.flows import drafts, editions, imports, manual, sources, staff
from service.flows.accounts import list_sessions
from service.flows.alarms import Alarm, raise_alarm
from service.flows.daily import plan_daily
from service.flows.hidden import hide_paper
from service.flows.interests import InterestChange, read_form
from service.flows.joined import join_papers
from service.flows.staff_interests import add_by_hand
from service.flows.suppress import import_suppressions
from service.flows.tags import tag_readers
from service.flows.topics import add_topic, remove_topic
from service.sources.parse_pool import parse_here
from service.store import alarms as alarms_store
from service.store import rests
from service.store.db import Session
from service.store.deliveries import list_deliveries
from service.store.desk_tables import SubmissionRow
from service.store.reader_lists import Wanted
from service.store.tables import DeliveryRow

ARXIV = Path(__file__).parents[1] / "golden" / "arxiv_api" / "answer.xml"
"""A real answer of arXiv's query interface."""


def _letter(world: World) -> int:
    """A newsletter that begins tomorrow."""
    rt = world.house.rt
    plan = manual.draft(rt, kind="newsletter", subject="Tomorrow's news", body="Words.")
    plan = replace(plan, at=rt.clock() + timedelta(days=1))
    return manual.start(rt, plan, expected=manual.count(rt, plan).mails).edition_id


def laden(world: World) -> dict[str, str]:
    """Lay an alarm, a domain that rests, a mail to look at, an edition with a refused and a held
    mail, one that waits, a barred address, a removed topic, a reader who was asked; returns their
    values."""
    house, rt = world.house, world.house.rt
    alarm = Alarm(
        kind="domain", key="a.example", what="It refuses.", place="a.example", next_step="Mend it."
    )
    rt.db.write(lambda s: raise_alarm(rt, s, alarm))
    for name in ("cy", "dee", "eve"):
        add(rt, f"{name}@uni.example", "adapters")
    add_by_hand(rt, ADA, InterestChange(wanted=read_form("hands")), by="ann")  # so that one may go
    _next_day(world, 901)
    house.smtp.on("RCPT", reply("550 5.7.1 blocked by policy"), match="cy@")
    house.send()
    house.smtp.clear()
    made = {row.rcpt: row for row in rt.db.read(list_deliveries)}
    refused, held = made["cy@uni.example"], made["dee@uni.example"]
    _hold(world, held.id)
    editions.pause(rt, refused.edition_id, "tests")
    _next_day(world, 902)
    waiting = max(row.edition_id for row in rt.db.read(list_deliveries))
    _forget(world, waiting, "cy@uni.example")  # what was refused does not ride in another mail
    import_suppressions(rt, b"barred@x.example\n", reason="admin", by="tests")
    add_topic(rt, {"name": "towels", "text": "towels"}, by="tests")
    remove_topic(rt, "towels", by="tests")
    rest = Breaker(cause="policy", until=rt.clock() + timedelta(hours=3), at_once=1, times=1)
    rt.db.write(lambda s: rests.write(s, rests.DOMAIN, {"rests.example": rest}))
    presets = next(one for one in sources.presets() if one["sources"])
    values = {
        "alarm": str(rt.db.read(alarms_store.list_open)[0].id),
        "review": str(lay(rt, state="review", subject="To look at")),
        "refused_edition": str(refused.edition_id),
        "paused_edition": str(refused.edition_id),
        "refused": str(refused.id),
        "held": str(held.id),
        "waiting_edition": str(waiting),
        "frozen_edition": str(_letter(world)),
        "field": presets["name"],
        "field_source": str(presets["sources"][0]["title"]),
        "asked_reader": str(house.reader("new@uni.example").id),
        **_papers(world),
        **_editors(world),
        **_readers(world),
        **_sessions(world),
    }
    plan = drafts.need(rt, world.values["draft"])
    return {**values, "expected": str(manual.count(rt, plan).mails)}


def _sessions(world: World) -> dict[str, str]:
    """One of the staff's own sessions beside the one that asks, and a session of another's."""
    rt = world.house.rt
    token = staff.create_admin(rt, "otto", "viewer", by="cli").rpartition("/")[2]
    staff.redeem(rt, token, PASSWORD)
    staff.log_in(rt, "otto", PASSWORD, "127.0.0.1", "tests")
    link = staff.create_admin(rt, "otto", "viewer", by="cli").rpartition("/")[2]
    return {
        "other_session": str(next(s.id for s in list_sessions(rt) if s.name == "otto")),
        "staff_link": link,
    }


def _readers(world: World) -> dict[str, str]:
    """A reader with a tag, a list that was looked at, one that was brought in with a bad row."""
    rt = world.house.rt
    tag_readers(rt, "lab", Wanted(search="ada@uni.example"), by="tests")
    looked = lay_import(rt, "email\nlooked@y.example\nbad\n", press=False)
    done = lay_import(rt, "email\ndone@y.example\nbad\n")
    waits = lay_import(rt, "email\nwaits@y.example\n", press=False)
    imports.press(rt, waits, by="tests")
    return {"looked_import": str(looked), "done_import": str(done), "open_import": str(waits)}


def _papers(world: World) -> dict[str, str]:
    """A paper that is hidden, one with which another was joined by hand, a source to be asked."""
    rt = world.house.rt
    hide_paper(rt, 18, "a test", by="tests")
    join = join_papers(rt, 16, 17, "one work", by="tests")
    made = sources.add_source(rt, "arxiv_rss", "cs.CV", history_days=0)
    return {
        "hidden_paper": "18",
        "joined_paper": "16",
        "join": str(join),
        "asked_source": str(made["id"]),
    }


def _editors(world: World) -> dict[str, str]:
    """A day of which no mail is left, the one after it, and a proposal whose paper is known."""
    rt = world.house.rt
    day = rt.clock().date()
    body = ARXIV.read_bytes()
    paper = parse_here("arxiv_api", body).sightings[0].paper
    row = SubmissionRow(
        at=rt.clock(), link=paper.key.value, named=f"arxiv/{paper.key.value}", body=body,
        title=paper.title,
    )  # fmt: skip

    def lay_it(session: Session) -> int:
        session.add(row)
        session.flush()
        return row.id or 0

    number = rt.db.write(lay_it)
    return {
        "day": f"{day}", "tomorrow": f"{day + timedelta(days=1)}", "proposal": str(number),
    }  # fmt: skip


def _next_day(world: World, number: int) -> None:
    """The next mail day, with a new paper and its mails planned."""
    house = world.house
    house.clock.go(days=1)
    while house.clock().weekday() > 4:
        house.clock.go(days=1)
    items = [paper_item(number, f"Adapters once more {number}")]
    ingest_items(house.rt, house.folder, items, on=house.clock().date())
    plan_daily(house.rt)


def _forget(world: World, edition: int, rcpt: str) -> None:
    """Take a mail out of an edition."""

    def change(session: Session) -> None:
        for row in list_deliveries(session, edition_id=edition):
            if row.rcpt == rcpt:
                session.delete(row)

    world.house.rt.db.write(change)


def _hold(world: World, number: int | None) -> None:
    """As if the connection had broken after the dot."""

    def change(session: Session) -> None:
        row = session.get(DeliveryRow, number)
        assert row is not None
        row.state, row.accepted_at = "unknown", None

    with by_hand():
        world.house.rt.db.write(change)


def kept(world: World) -> Callable[[], None]:
    """Remember every row; what is returned brings them back."""
    copy = sqlite3.connect(":memory:", check_same_thread=False)
    _between(world, lambda live: live.backup(copy))
    return lambda: _between(world, copy.backup)


def _between(world: World, act: Callable[[sqlite3.Connection], None]) -> None:
    held = world.house.rt.db.engine.raw_connection()
    try:
        live = held.driver_connection
        assert isinstance(live, sqlite3.Connection)
        act(live)
    finally:
        held.close()
