"""What is held: in doubt, presumed, or left in sending by a crash; one number everywhere."""

import re

import pytest
from fastapi import FastAPI
from fastapi.testclient import TestClient
from support.command import Shell
from support.house import add, ingest_items, mark, open_house, paper_item

from service import admin
from service.flows import staff
from service.flows.audience import count, draft
from service.flows.daily import plan_daily
from service.flows.edition_lists import list_page, read_wanted
from service.flows.editions import details
from service.flows.ledger import gone_owners, list_facts, read_chosen
from service.flows.segment import find_readers, read_segment
from service.pages.front import furnish
from service.pages.templates import Pages, PageSite
from service.store.claims import claim
from service.store.deliveries import list_deliveries
from service.store.leases import mark_outcome
from service.store.processes import Process

BASE = "http://127.0.0.1:8000"


def fill(rt, folder):
    """Six readers: in doubt, presumed, in sending, twice in sending by another process, ready.
    Returns that other process."""
    for n in range(6):
        add(rt, f"r{n}@example.org", "adapters")
    ingest_items(rt, folder, [paper_item(1, "Adapters that forget less")])
    plan_daily(rt)
    theirs = Process(rt.db, folder / "locks", rt.clock())
    for owner, n in ((rt.owner().id, 3), (theirs.id, 2)):
        for row in rt.db.write(lambda s, o=owner, k=n: claim(s, owner=o, now=rt.clock(), limit=k)):
            assert mark(rt, row, owner)
    rows = rt.db.read(lambda s: list_deliveries(s))
    for row, states in ((rows[0], ("unknown",)), (rows[1], ("unknown", "presumed"))):
        for state in states:
            rt.db.write(lambda s, r=row, t=state: mark_outcome(s, r, t, rt.clock()))
    return theirs


def crash(process):
    """The process is gone: its lock is free, and it said nothing."""
    if process._file is not None:
        process._file.close()
    if process._connection is not None:
        process._connection.invalidate()
        process._connection.close()


def numbers(rt):
    dead = gone_owners(rt)
    listed = rt.db.read(lambda s: list_facts(s, read_chosen(state="held", dead=dead)))
    shown = rt.db.read(lambda s: list_page(s, read_wanted(), dead=dead, now=rt.clock()))[0]
    one = rt.db.read(lambda s: details(s, shown["id"], dead=dead))
    segment = read_segment(f"state:{shown['id']}:held")
    readers = rt.db.read(lambda s: find_readers(s, segment, dead))
    counted = count(rt, draft(rt, kind="newsletter", subject="S", body="B", segment=segment))
    assert shown["waiting"] == one["waiting"]
    return [len(listed), shown["held"], one["held"], len(readers), counted.readers], one["waiting"]


def test_one_number_everywhere(tmp_path, database_url):
    with open_house(tmp_path, database_url=database_url) as house:
        rt = house.runtime
        theirs = fill(rt, tmp_path)
        assert numbers(rt) == ([2, 2, 2, 2, 2], 4)  # those in sending are under way
        crash(theirs)
        assert gone_owners(rt) == [theirs.id]
        assert numbers(rt) == ([4, 4, 4, 4, 4], 2)


@pytest.mark.usefixtures("cheap_passwords")
@pytest.mark.slow  # a second or more
def test_the_command_and_the_pages_say_the_same(tmp_path, monkeypatch):
    folder = tmp_path / "var"
    folder.mkdir()
    with open_house(folder) as house:
        rt = house.runtime
        crash(fill(rt, folder))
        pages = Pages(PageSite(base_url=BASE), rt.catalogs)
        app = FastAPI()
        app.include_router(admin.router(rt, pages))
        furnish(app, pages, statuses=admin.STATUSES)
        with TestClient(app, base_url=BASE) as client:
            log_in(rt, client)
            listed = client.get("/admin/deliveries?state=held").text
            assert len(set(re.findall(r"r\d@example.org", listed))) == 4
            assert re.search(r"state=held[^>]*>4</a>", client.get("/admin").text)
            edition = client.get("/admin/editions/1").text
            assert "For 4 mails" in edition
            assert re.search(r"nobody can say yet</dt><dd[^>]*><a[^>]*>3</a>", edition)
            assert "Missing" not in edition, "what is held is not told a second time"
        # the command is another process; this one is alive, and holds one in sending
        shell = Shell(tmp_path, monkeypatch)
        assert len(shell.say("deliveries", "list", "--state", "held", "--json").json) == 4
        (edition,) = shell.say("editions", "list", "--json").json
        assert (edition["held"], edition["sending"], edition["waiting"]) == (4, 3, 2)
        assert shell.say("editions", "show", "1", "--json").json["held"] == 4


def log_in(rt, client):
    """A first owner, by the pages."""
    link = staff.create_admin(rt, "ada", "owner", by="cli").removeprefix(BASE)
    token = re.search(r'name="token" value="([^"]+)"', client.get(link).text)[1]
    password = "correct horse battery"
    client.post(link, data={"token": token, "password": password, "again": password})
    token = re.search(r'name="token" value="([^"]+)"', client.get("/admin/login").text)[1]
    data = {"token": token, "name": "ada", "password": password}
    assert client.post("/admin/login", data=data).url.path == "/admin"


@pytest.mark.slow
def test_the_list_as_json_has_notices_with_their_numbers(tmp_path, monkeypatch):
    shell = Shell(tmp_path, monkeypatch)
    shell.say("subscribers", "add", "ada@example.org", "--trending")
    (edition,) = shell.say("editions", "list", "--json").json
    under_way = edition["ready"] + edition["deferred"] + edition["accepted"]
    assert (edition["kind"], edition["planned"], under_way) == ("notice", 1, 1)
