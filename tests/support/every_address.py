"""Every address of the whole application, with real tokens and numbers in it.

``PAGES`` and ``ACTS``, and the tables of ``desk_addresses`` for the staff and programs, name every
route; one that is in none fails the build (tests/integration/test_every_route.py), so that whoever
adds one says how it is asked, and who may. In an address ``{name}`` is a value of ``values``.
"""

import io
import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from fastapi import FastAPI
from fastapi.testclient import TestClient
from support.came_back import lay
from support.desk_addresses import API_PAGES, DESK_PAGES
from support.house import ingest_items, paper_item
from support.reading_house import Reading, path_in, reading_house

from service.app import make_app
from service.flows import hook_lists, hooks, imports, staff
from service.flows.accounts import list_accounts
from service.flows.address import ask_address
from service.flows.daily import plan_daily
from service.flows.letter import share_name
from service.flows.list_files import Options
from service.flows.list_packs import pack
from service.flows.manage_link import manage_token
from service.flows.own_feed import change_feed
from service.flows.runtime import Runtime
from service.flows.tokens import SCOPES, make_token
from service.flows.topics import add_topic
from service.mailbox import Mailbox
from service.settings import load_settings
from service.store import hooks as hooks_store
from service.store.db import Session
from service.store.deliveries import list_deliveries
from service.store.instance import set_setting
from service.store.sources import list_sources
from service.store.subscribers import list_profile_rows

BASE = "http://127.0.0.1:8000"
ADA, BEN = "ada@uni.example", "ben@uni.example"
PASSWORD = "a long password for tests"
_MESSAGE = b"""From: a@b.example\r
To: c@d.example\r
Subject: x\r
MIME-Version: 1.0\r
Content-Type: multipart/alternative; boundary=b\r
\r
--b\r
Content-Type: text/plain\r
\r
Hello\r
--b\r
Content-Type: text/html\r
\r
<p>Hello\r
--b--\r
"""

PAGES: dict[str, tuple[str, ...]] = {
    "/": ("/", "/?words=adapters", "/?lang=de"),
    "/about": ("/about",),
    "/api/openapi.json": ("/api/openapi.json",),
    "/api/v1/estimate": ("/api/v1/estimate?q=robots", "/api/v1/estimate?q=("),
    "/api/v1/papers": ("/api/v1/papers", "/api/v1/papers?on=2026-11-18"),
    "/api/v1/related": ("/api/v1/related?paper={number}", "/api/v1/related?paper=x"),
    "/api/v1/search": ("/api/v1/search?q=robots", "/api/v1/search?q=robots&format=bib"),
    "/api/v1/topics": ("/api/v1/topics",),
    "/api/v1/topics/{name}": ("/api/v1/topics/robots", "/api/v1/topics/x"),
    "/confirm/{token}": ("/confirm/{confirm}", "/confirm/x"),
    "/d/{token}": ("/d/{share}", "/d/x", "/d/{mail}"),
    "/d/{token}/papers.{kind}": ("/d/{share}/papers.bib", "/d/{share}/papers.ris", "/d/x/papers.x"),
    "/feeds/mine/{token}.{kind}": ("/feeds/mine/{feed}.atom", "/feeds/mine/x.atom"),
    "/feeds/papers.{kind}": tuple(f"/feeds/papers.{kind}" for kind in ("atom", "rss", "json", "x")),
    "/feeds/search.{kind}": ("/feeds/search.atom?q=robots", "/feeds/search.json?q=("),
    "/feeds/topics/{name}.{kind}": ("/feeds/topics/robots.atom", "/feeds/topics/x.rss"),
    "/estimate": ("/estimate",),
    "/asked/again": ("/asked/again",),
    "/asked/change": ("/asked/change",),
    "/confirm/{token}/again": ("/confirm/{confirm}/again", "/confirm/x/again"),
    "/healthz": ("/healthz",),
    "/help/queries": ("/help/queries",),
    "/history/{token}": ("/history/{mail}", "/history/{manage}", "/history/x"),
    "/history/{token}/marks": ("/history/{mail}/marks", "/history/{manage}/marks"),
    "/manage": ("/manage",),
    "/manage/address/{token}": ("/manage/address/{address}", "/manage/address/x"),
    "/manage/{token}": ("/manage/{fresh}", "/manage/{manage}", "/manage/x"),
    "/manage/{token}/data": ("/manage/{fresh}/data", "/manage/{manage}/data"),
    "/manage/{token}/papers.{kind}": ("/manage/{fresh}/papers.bib", "/manage/{manage}/papers.x"),
    "/manage/{token}/votes": (
        "/manage/{fresh}/votes",
        "/manage/{fresh}/votes?on=2026-11-18&page=9",
        "/manage/{manage}/votes",
    ),
    "/manage/{token}/propose": ("/manage/{fresh}/propose", "/manage/{manage}/propose"),
    "/manage/{token}/export": ("/manage/{fresh}/export", "/manage/{manage}/export"),
    "/manage/{token}/words": ("/manage/{manage}/words", "/manage/x/words"),
    # forms of the own page, opened as pages: back to their section
    **{
        f"/manage/{{token}}/{path}": (f"/manage/{{manage}}/{path}",)
        for path in (
            "address",
            "alerts",
            "bounces",
            "erase",
            "feed",
            "interests",
            "leave",
            "link",
            "look",
            "mail",
            "pause",
            "schedule",
        )
    },
    **{
        f"/manage/{{token}}/interests/{{profile_id}}{end}": (
            f"/manage/{{manage}}/interests/{{interest}}{end}",
        )
        for end in ("", "/look")
    },
    "/never/{token}": ("/never/{never}", "/never/x"),
    "/papers": ("/papers", "/papers?order=newest&page=2"),
    "/papers/{day}": ("/papers/2026-11-18", "/papers/2026-11-15", "/papers/x"),
    "/papers/{scheme}/{value:path}": ("/papers/{paper}", "/papers/doi/10.1/a/b"),
    "/privacy": ("/privacy",),
    "/metrics": ("/metrics",),
    "/readyz": ("/readyz",),
    "/robots.txt": ("/robots.txt",),
    "/search": ("/search", "/search?q=robots", "/search?q=(", "/search?q=a,b&page=9"),
    "/sources": ("/sources",),
    "/static/{name}": ("/static/paperpost.css", "/static/x"),
    "/topics": ("/topics",),
    "/topics/{name}": ("/topics/robots", "/topics/x"),
    "/tune/{token}/{scheme}/{value:path}": (
        "/tune/{mail}/{paper}",
        "/tune/{share}/{paper}",
        "/tune/x/arxiv/1",
    ),
    "/u/{token}": ("/u/{leave}", "/u/x"),
    "/words": ("/words", "/words?liked=Robots+fold+towels", "/words?liked=http://x.example/"),
    # the development mailbox
    "/mailbox": ("/mailbox", "/mailbox?to=c@d.example"),
    "/mailbox/{mail_id}": ("/mailbox/{message}", "/mailbox/x"),
    "/mailbox/{mail_id}/html": ("/mailbox/{message}/html",),
    "/mailbox/{mail_id}/source": ("/mailbox/{message}/source",),
    "/mailbox/{mail_id}/text": ("/mailbox/{message}/text",),
    # the staff, and programs with a token
    **{route: tuple(addresses) for route, (_may, *addresses) in (DESK_PAGES | API_PAGES).items()},
}

ACTS: dict[str, tuple[str, str]] = {
    # anybody: nothing is changed by them but a request that its address's holder confirms
    "/": ("anybody", "/"),
    "/api/v1/words": ("anybody", "/api/v1/words"),
    "/estimate": ("anybody", "/estimate"),
    "/manage": ("anybody", "/manage"),
    "/words": ("anybody", "/words"),
    "/u/{token}/link": ("anybody", "/u/x/link"),
    # the page that answered the form: a signed name of the request, in a field
    "/asked/again": ("asker", "/asked/again"),
    "/asked/change": ("asker", "/asked/change"),
    # whoever has the link
    "/confirm/{token}": ("confirm", "/confirm/{T}"),
    "/confirm/{token}/again": ("confirm", "/confirm/{T}/again"),
    "/never/{token}": ("never", "/never/{T}"),
    "/u/{token}": ("leave", "/u/{T}"),
    "/u/{token}/interests/{part}": ("leave", "/u/{T}/interests/{interest}"),
    "/u/{token}/pause": ("leave", "/u/{T}/pause"),
    "/u/{token}/reason": ("leave", "/u/{T}/reason"),
    "/u/{token}/undo": ("leave", "/u/{T}/undo"),
    "/history/{token}/marks": ("history", "/history/{T}/marks"),
    "/tune/{token}/{scheme}/{value:path}": ("mail", "/tune/{T}/{paper}"),
    "/manage/{token}/alerts": ("manage", "/manage/{T}/alerts"),
    "/manage/{token}/bounces": ("manage", "/manage/{T}/bounces"),
    "/manage/{token}/feed": ("manage", "/manage/{T}/feed"),
    "/manage/{token}/interests": ("manage", "/manage/{T}/interests"),
    "/manage/{token}/kept/{part}": ("manage", "/manage/{T}/kept/pause"),
    "/manage/{token}/interests/{profile_id}": ("manage", "/manage/{T}/interests/{interest}"),
    "/manage/{token}/interests/{profile_id}/look": (
        "manage",
        "/manage/{T}/interests/{interest}/look",
    ),
    "/manage/{token}/leave": ("manage", "/manage/{T}/leave"),
    "/manage/{token}/link": ("manage", "/manage/{T}/link"),
    "/manage/{token}/look": ("manage", "/manage/{T}/look"),
    "/manage/{token}/mail": ("manage", "/manage/{T}/mail"),
    "/manage/{token}/pause": ("manage", "/manage/{T}/pause"),
    "/manage/{token}/schedule": ("manage", "/manage/{T}/schedule"),
    "/manage/{token}/words": ("manage", "/manage/{T}/words"),
    # only a link that was mailed on request
    "/manage/{token}/address": ("fresh", "/manage/{T}/address"),
    "/manage/{token}/erase": ("fresh", "/manage/{T}/erase"),
    "/manage/{token}/votes": ("fresh", "/manage/{T}/votes"),
    "/manage/{token}/propose": ("fresh", "/manage/{T}/propose"),
    "/manage/address/{token}": ("address", "/manage/address/{T}"),
}

SIGNED_ACTS = frozenset({"/inbound/{way}"})
"""tests/integration/test_webhook.py: a signature, or a password in the address."""

OF_READERS = ("confirm", "never", "manage", "fresh", "address", "leave", "mail", "feed")
"""Kinds of tokens that readers hold."""


@dataclass
class World:
    """values: what stands in addresses, of ada · bens: the same tokens of another reader ·
    desk: a browser in which one of the staff is logged in,
    with a program's token beside."""

    house: Reading
    app: FastAPI
    values: dict[str, str]
    bens: dict[str, str]
    desk: TestClient
    mailbox: Mailbox

    def address(self, pattern: str, **others: str) -> str:
        """An address of the tables with its values in it."""
        return re.sub(r"\{(\w+)\}", lambda m: {**self.values, **others}[m[1]], pattern)

    def pages(self) -> Iterator[tuple[str, str]]:
        """(route, address) of every page."""
        for route, addresses in PAGES.items():
            for one in addresses:
                yield route, self.address(one)

    def acts(self) -> Iterator[tuple[str, str, str]]:
        """(route, who may, address with {T} where the token stands)."""
        for route, (who, one) in ACTS.items():
            yield route, who, self.address(one, T="{T}")


def _tokens(house: Reading, address: str) -> dict[str, str]:
    reader, now = house.reader(address), house.clock()
    assert reader.id is not None
    reader_id = reader.id
    sent = house.rt.db.read(lambda s: list_deliveries(s, subscriber_id=reader_id))
    mail = next(row for row in sent if row.content and "digest" in row.content)
    assert mail.content is not None
    entry = mail.content["digest"]["sections"][0]["entries"][0]
    fresh = manage_token(house.rt, reader, now, fresh=True)
    moved = address.replace("uni.", "new.")
    ask_address(house.rt, fresh, moved)
    change_feed(house.rt, fresh, "open")
    house.send()
    moving = house.path_to(moved, "manage/address")
    return {
        "leave": reader.unsubscribe_token,
        "manage": manage_token(house.rt, reader, now),
        "fresh": fresh,
        "address": moving.rpartition("/")[2],
        "mail": mail.token,
        "share": share_name(mail),
        "feed": house.reader(address).feed_token,
        "paper": f"{entry['scheme']}/{entry['value']}",
        "number": str(entry["value"]),
        "interest": str(house.rt.db.read(lambda s: list_profile_rows(s, reader_id))[0].id),
        "reader": str(reader_id),
        "delivery": str(mail.id),
        "edition": str(mail.edition_id),
    }


def _links(house: Reading, address: str) -> dict[str, str]:
    """Tokens of a request that was not begun."""
    house.client.post("/", data={"email": address, "words": "robots"})
    house.send()
    mail = house.mails(address)[-1]
    return {kind: path_in(mail, kind).rpartition("/")[2] for kind in ("confirm", "never")}


def _log_in(house: Reading, client: TestClient) -> dict[str, str]:
    """One of the staff logs in and composes a send; a link for another one."""
    link = staff.create_admin(house.rt, "olga", "owner", by="cli")
    token = link.rpartition("/")[2]
    staff.redeem(house.rt, token, PASSWORD)
    cookie = staff.log_in(house.rt, "olga", PASSWORD, "127.0.0.1", "tests")
    client.cookies.set("paperpost", cookie)
    page = client.get("/admin/send").text
    form = re.search(r'name="token" value="([^"]+)"', page)
    assert form is not None
    data = {
        "token": form[1],
        "kind": "manual",
        "segment": "all",
        "key": "k1",
        "dates": "2026-11-16..2026-11-18",
    }
    answer = client.post("/admin/send", data=data)
    assert answer.status_code == 303, answer.text
    other = staff.create_admin(house.rt, "otto", "viewer", by="cli")
    member = next(a for a in list_accounts(house.rt) if a["name"] == "otto")
    return {
        "draft": "k1",
        "staff_link": other.rpartition("/")[2],
        "member": str(member["id"]),
    }


def _hook(house: Reading) -> dict[str, str]:
    """A program that is told of events, and a call that it took."""
    rt = house.rt
    made = hook_lists.add_hook(
        rt, "tests", "https://tests.example/hook", ["source.late"], by="tests"
    )

    def tell(session: Session) -> str:
        hooks.tell(session, house.clock(), "source.late", {"source": 1})
        session.flush()
        call = hooks_store.list_calls(session, made["id"])[0]
        call.state, call.next_at = "done", None
        call.tries = [{"at": house.clock().isoformat(), "code": 200, "words": "ok", "ms": 12}]
        session.add(call)
        return str(call.id)

    return {"webhook": str(made["id"]), "call": rt.db.write(tell)}


def lay_import(rt: Runtime, text: str, *, press: bool = True) -> int:
    """A list that was looked at, and brought in where it is pressed; returns its number."""
    file = pack("list.csv", io.BytesIO(text.encode()))
    number = imports.look(rt, [file], Options(), imports.Basis(kind="institution"), by="tests")
    if press:
        imports.press(rt, number, by="tests")
        imports.go_on(rt)
    return number


@contextmanager
def world(folder: Path) -> Iterator[World]:
    """Two readers with a mail each, a request that waits, a topic, one of the staff."""
    with reading_house(folder) as house:
        rt = house.rt
        for address in (ADA, BEN):
            house.subscribe(address, "adapters")
        plan_daily(rt)
        house.send()
        if not any("digest" in (row.content or {}) for row in rt.db.read(list_deliveries)):
            house.clock.go(days=1)
            ingest_items(rt, folder, [paper_item(900, "Adapters again")])
            plan_daily(rt)
            house.send()
        for name in ("votes", "proposals"):
            rt.db.write(lambda s, n=name: set_setting(s, n, "on"))
        add_topic(rt, {"name": "robots", "title": "Robots", "text": "robots"}, by="tests")
        lay_import(rt, "email\nbad\n")
        mailbox = Mailbox(folder / "mailbox")
        mailbox.add(
            _MESSAGE, sender="a@b.example", recipients=["c@d.example"], received_at=house.clock()
        )
        settings = load_settings(None, data_dir=folder)
        app = make_app(rt, settings, mailbox=mailbox)
        desk = TestClient(app, base_url=BASE, follow_redirects=False)
        program = make_token(rt, "tests", list(SCOPES), by="tests")["token"]
        desk.headers["Authorization"] = f"Bearer {program}"
        house.client = TestClient(app, base_url=BASE, follow_redirects=False)
        values = {
            **_tokens(house, ADA),
            **_links(house, "new@uni.example"),
            **_log_in(house, desk),
            "message": mailbox.heads(limit=1)[0].id,
            "source": str(rt.db.read(list_sources)[0].id),
            "inbound": str(lay(rt, state="review")),
            **_hook(house),
        }
        bens = {**_tokens(house, BEN), **_links(house, "other@uni.example")}
        house.clock.go(minutes=1)
        yield World(house, app, values, bens, desk, mailbox)
