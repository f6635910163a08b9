"""The staff's pages: who gets in, who may what, and a send by hand from Compose to Progress."""

import asyncio
import csv
import io
import re
from collections.abc import Iterator
from datetime import timedelta
from html import unescape
from pathlib import Path

import pytest
from fastapi import FastAPI
from fastapi.testclient import TestClient
from support.desk import token_in
from support.house import Clock, add, ingest_items, open_house, paper_item
from support.routes import flat_routes
from support.smtp_server import SmtpServer, reply

from service import admin
from service.flows import editions, manage_interests, spreadsheet, staff
from service.flows.daily import plan_daily
from service.flows.leave import unsubscribe
from service.flows.leave_part import note_reason
from service.flows.manage_link import manage_token
from service.flows.runtime import NoEngine, Runtime
from service.flows.send import send_ready
from service.pages.front import furnish
from service.pages.templates import Pages, PageSite
from service.store.deliveries import list_deliveries
from service.store.editions import list_editions, note_of
from service.store.instance import set_setting
from service.store.listing import list_read_names
from service.store.staff import list_audit
from service.store.subscribers import get_subscriber_row, list_profile_rows

pytestmark = pytest.mark.usefixtures("cheap_passwords")
PASSWORD = "correct horse battery"
BASE = "http://127.0.0.1:8000"


class Woken(NoEngine):
    """Stands where the engine is: remembers what was asked."""

    def __init__(self) -> None:
        self.tasks: list[str] = []

    def enqueue(self, task: str, ids: tuple[int, ...] = (), *, priority: int = 5) -> None:
        self.tasks.append(task)


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def server() -> Iterator[SmtpServer]:
    with SmtpServer() as made:
        yield made


@pytest.fixture
def rt(tmp_path: Path, server: SmtpServer, clock: Clock) -> Iterator[Runtime]:
    with open_house(tmp_path, smtp_port=server.port, clock=clock) as house:
        runtime = house.runtime
        runtime.engine = Woken()
        add(runtime, "ada@example.org", "adapters")
        add(runtime, "ben@example.org", "diffusion")
        ingest_items(
            runtime,
            tmp_path,
            [paper_item(1, "Adapters that forget less"), paper_item(2, "Diffusion over graphs")],
        )
        yield runtime


@pytest.fixture
def app(rt: Runtime) -> FastAPI:
    pages = Pages(PageSite(base_url=BASE), rt.catalogs)
    app = FastAPI(docs_url=None, redoc_url=None, openapi_url=None)
    app.include_router(admin.router(rt, pages))
    furnish(app, pages, statuses=admin.STATUSES)
    return app


@pytest.fixture
def client(app: FastAPI) -> Iterator[TestClient]:
    with TestClient(app, base_url=BASE) as made:
        yield made


def log_in(rt: Runtime, client: TestClient, role: str = "owner") -> str:
    """Log in by the pages alone; returns a form token of the session."""
    name = f"{role}-of-the-desk"
    link = staff.create_admin(rt, name, role, by="cli").removeprefix(BASE)
    page = client.get(link)
    data = {"token": token_in(page.text), "password": PASSWORD, "again": PASSWORD}
    assert client.post(link, data=data).status_code == 200
    page = client.get("/admin/login")
    data = {"token": token_in(page.text), "name": name, "password": PASSWORD}
    answer = client.post("/admin/login", data=data)
    assert answer.url.path == "/admin", answer.text
    return token_in(answer.text)


def compose(client: TestClient, token: str, **fields: str) -> str:
    """Compose by form; returns the address of the Check page."""
    data = {"token": token, "kind": "manual", "segment": "all", "key": "k1", **fields}
    answer = client.post("/admin/send", data=data)
    assert answer.url.path.startswith("/admin/send/"), answer.text
    return answer.url.path


def expected_in(page: str) -> str:
    found = re.search(r'name="expected" value="(\d+)"', page)
    assert found, page[-3000:]
    return found[1]


def send(rt: Runtime) -> int:
    return asyncio.run(send_ready(rt)).accepted


def test_strangers_see_the_log_in_on_every_route(app, client):
    for row in flat_routes(app):
        if not row.path.startswith("/admin") or row.path.startswith(
            ("/admin/login", "/admin/link")
        ):
            continue
        path = re.sub(r"\{[^}]+\}", "1", row.path)
        answer = client.request(row.method, path, follow_redirects=False)
        assert answer.status_code == 303, (row.method, path)
        assert answer.headers["location"].startswith("/admin/login"), path


@pytest.mark.slow
def test_every_post_wants_this_sessions_form_token(rt, app, client):
    log_in(rt, client)
    for row in flat_routes(app):
        if row.method != "POST" or row.path.startswith(("/admin/login", "/admin/link")):
            continue
        path = re.sub(r"\{[^}]+\}", "1", row.path)
        for data in ({"x": "1"}, {"token": "forged"}):
            assert client.post(path, data=data).status_code == 403, path
    assert rt.db.read(list_editions) == []


def test_another_site_cannot_post(rt, client):
    token = log_in(rt, client)
    answer = client.post(
        "/admin/logout", data={"token": token}, headers={"Sec-Fetch-Site": "cross-site"}
    )
    assert answer.status_code == 403
    assert client.get("/admin").status_code == 200


@pytest.mark.parametrize(
    ("role", "refused"),
    [
        ("viewer", ["/admin/send", "/admin/import", "/admin/staff", "/admin/audit"]),
        ("editor", ["/admin/staff", "/admin/audit"]),
        ("sender", ["/admin/staff", "/admin/audit"]),
        ("owner", []),
    ],
)
def test_roles_open_pages(rt, client, role, refused):
    log_in(rt, client, role)
    pages = [
        "/admin",
        "/admin/sources",
        "/admin/readers",
        "/admin/import",
        "/admin/suppressions",
        "/admin/editions",
        "/admin/deliveries",
        "/admin/send",
        "/admin/settings",
        "/admin/staff",
        "/admin/audit",
        "/admin/account",
    ]
    for page in pages:
        assert client.get(page).status_code == (403 if page in refused else 200), page


@pytest.mark.slow
def test_viewer_and_editor_cannot_send(rt, client):
    token = log_in(rt, client, "editor")
    check = compose(client, token, papers="arxiv/2611.00001")
    assert "Your role may compose and test, not send" in client.get(check).text
    answer = client.post(f"{check}/start", data={"token": token, "expected": "2"})
    assert answer.status_code == 403
    assert rt.db.read(list_editions) == []


@pytest.mark.slow
def test_wrong_password_says_no_and_keeps_the_name(rt, client):
    page = client.get("/admin/login")
    data = {"token": token_in(page.text), "name": "ada", "password": "wrong password"}
    answer = client.post("/admin/login", data=data)
    assert answer.status_code == 403
    assert "Name or password is wrong" in answer.text
    assert 'value="ada"' in answer.text
    assert "paperpost" not in client.cookies


def test_log_in_leads_back_but_never_to_another_site(rt, client):
    log_in(rt, client)
    client.cookies.clear()
    for target, end in [("/admin/readers", "/admin/readers"), ("//evil.example/admin", "/admin")]:
        page = client.get("/admin/login", params={"next": target})
        data = {
            "token": token_in(page.text),
            "name": "owner-of-the-desk",
            "password": PASSWORD,
            "next": target,
        }
        answer = client.post("/admin/login", data=data, follow_redirects=False)
        assert answer.headers["location"] == end
        client.cookies.clear()


def test_log_out_ends_the_session(rt, client):
    token = log_in(rt, client)
    cookie = client.cookies["paperpost"]
    client.post("/admin/logout", data={"token": token})
    client.cookies.set("paperpost", cookie)
    answer = client.get("/admin", follow_redirects=False)
    assert answer.status_code == 303


@pytest.mark.slow
def test_compose_check_progress(rt, client, server, clock):
    token = log_in(rt, client, "sender")
    check = compose(
        client, token, papers="arxiv/2611.00001\narxiv/2611.00002", subject="Chosen for you"
    )
    page = client.get(check).text
    assert "2 readers" in page
    assert "Relay answers" in page
    assert "220 test.example ESMTP" in page
    assert "Send to 2" in page
    for term, says in (("readers", "2 readers"), ("mails", "2 mails")):
        assert f'href="/admin{check.removeprefix("/admin")}/readers/{term}"' in page
        assert f"<h1>{says}</h1>" in client.get(f"{check}/readers/{term}").text
    framed = client.get(f"{check}/mail", params={"reader": "ada@example.org"})
    assert "Adapters that forget less" in framed.text
    assert framed.headers["content-security-policy"].startswith("sandbox")
    assert rt.db.read(list_editions) == []

    data = {"token": token, "expected": expected_in(page)}
    answer = client.post(f"{check}/start", data=data)
    again = client.post(f"{check}/start", data=data)
    assert answer.url.path == again.url.path == "/admin/editions/1"
    assert "send" in rt.engine.tasks
    assert "It begins in 120 s" in answer.text
    assert len(rt.db.read(list_editions)) == 1
    assert send(rt) == 0
    clock.go(minutes=2)
    for path in ("/admin/editions/1", "/admin"):
        assert "It begins within a minute." in client.get(path).text
    assert send(rt) == 2
    assert sorted(m.recipient for m in server.accepted) == ["ada@example.org", "ben@example.org"]
    done = client.get("/admin/editions/1").text
    assert "done" in done
    assert "hx-trigger" not in done
    acts = [a.what for a in rt.db.read(list_audit)]
    assert acts.count("send manual") == 1


@pytest.mark.slow
def test_undo_within_two_minutes(rt, client, server, clock):
    token = log_in(rt, client, "sender")
    check = compose(client, token, papers="arxiv/2611.00001")
    page = client.post(
        f"{check}/start", data={"token": token, "expected": expected_in(client.get(check).text)}
    )
    assert "Take it back" in page.text
    page = client.post("/admin/editions/1/cancel", data={"token": token})
    assert "Taken back; nothing was sent." in page.text
    clock.go(minutes=3)
    assert send(rt) == 0


def test_todays_digest_from_the_overview(rt, client, server, clock):
    token = log_in(rt, client, "sender")
    answer = client.post("/admin/send", data={"token": token, "kind": "daily"})
    assert answer.url.path.startswith("/admin/send/")
    data = {"token": token, "expected": expected_in(answer.text)}
    progress = client.post(f"{answer.url.path}/start", data=data)
    assert "Take it back" in progress.text
    overview = client.get("/admin").text
    assert "Take it back" in overview
    assert "What was sent by hand begins in 120 s." in overview
    key = re.search(r'name="key" value="([^"]+)"', overview)[1]
    undone = client.post(f"{progress.url.path}/undo", data={"token": token, "key": key})
    assert "Taken back" in undone.text
    clock.go(minutes=3)
    assert send(rt) == 0
    assert rt.db.read(list_deliveries) == []


@pytest.mark.slow
def test_above_the_threshold_the_number_is_typed(rt, client):
    rt.db.write(lambda s: set_setting(s, "typed_above", "1"))
    token = log_in(rt, client, "sender")
    check = compose(client, token, papers="arxiv/2611.00001")
    data = {"token": token, "expected": "2", "canary": "1"}
    answer = client.post(f"{check}/start", data=data)
    assert answer.status_code == 422
    assert "Type the number of mails: 2" in answer.text
    assert rt.db.read(list_editions) == []
    answer = client.post(f"{check}/start", data={**data, "number": "2"})
    assert answer.url.path == "/admin/editions/1"


@pytest.mark.slow
def test_what_is_to_be_mended_has_the_focus_and_keeps_what_was_typed(rt, client):
    for name in ("typed_above", "canary_offered_above", "canary_ticked_above"):
        rt.db.write(lambda s, n=name: set_setting(s, n, "1"))
    for n in range(5):
        add(rt, f"r{n}@example.org", "sheep")
    token = log_in(rt, client, "sender")
    check = compose(client, token, papers="arxiv/2611.00001")
    page = client.get(check).text
    assert re.search(r'name="canary"[^>]* checked', page), "offered as ticked"
    assert "autofocus" not in page
    assert "<title>Check" in page
    assert "Relay answers: in order" in page, "a verdict is a word, not a sign alone"
    data = {"token": token, "expected": "7", "number": "8"}
    page = client.post(f"{check}/start", data=data).text
    assert not re.search(r'name="canary"[^>]* checked', page), "it was not ticked"
    assert re.search(r'<input id="number"[^>]* value="8"[^>]* autofocus', page)
    assert "<title>To mend: Check" in page
    assert "One thing to mend; nothing was sent." in page
    assert client.get(f"{check}/start").url.path == check, "reload by address"
    data = {"token": token, "reader": "ada@example.org", "addresses": "nobody"}
    page = client.post(f"{check}/test", data=data).text
    assert re.search(r'<input id="addresses"[^>]* value="nobody"[^>]* autofocus', page)
    assert re.search(r'name="canary"[^>]* checked', page), "nobody touched it"


def test_a_changed_number_sends_nothing(rt, client):
    token = log_in(rt, client, "sender")
    check = compose(client, token, papers="arxiv/2611.00001")
    add(rt, "cy@example.org", "sheep")
    answer = client.post(f"{check}/start", data={"token": token, "expected": "2"})
    assert "It would be 3 mails, not 2; nothing was sent." in answer.text
    assert rt.db.read(list_editions) == []


@pytest.mark.slow
def test_test_mail_is_marked_harmless_and_counts_for_nobody(rt, client, server):
    token = log_in(rt, client, "editor")
    check = compose(client, token, papers="arxiv/2611.00001")
    data = {
        "token": token,
        "reader": "ada@example.org",
        "addresses": "me@example.net you@example.net",
    }
    server.on("RCPT", reply("550 5.1.1 no such user"), match="you@")
    page = client.post(f"{check}/test", data=data)
    assert "550" in page.text
    assert "no such user" in page.text
    (mail,) = server.accepted
    assert mail.recipient == "me@example.net"
    assert b"[Test]" in mail.data
    reader = rt.db.read(lambda s: get_subscriber_row(s, email_key="ada@example.org"))
    assert reader.unsubscribe_token.encode() not in mail.data
    assert b"/u/test" in mail.data.replace(b"=\r\n", b"")
    assert rt.db.read(list_deliveries) == []
    many = client.post(
        f"{check}/test", data={**data, "addresses": " ".join(f"a{n}@b.org" for n in range(6))}
    )
    assert "6 addresses; 5 fit" in many.text


@pytest.mark.slow
def test_a_reader_whole_story(rt, client, server):
    server.on("RCPT", reply("552 5.2.2 mailbox full"), match="ben@")
    plan_daily(rt)
    send(rt)
    log_in(rt, client, "viewer")
    listed = client.get("/admin/readers", params={"q": "BEN"}).text
    assert "ben@example.org" in listed
    assert "ada@example.org" not in listed
    ben = rt.db.read(lambda s: get_subscriber_row(s, email_key="ben@example.org"))
    story = client.get(f"/admin/readers/{ben.id}").text
    assert "mailbox full" in story
    assert "Erase this reader" not in story
    # a mail holds the reader's links, with which one can unsubscribe: not for viewers
    assert client.get(f"/admin/readers/{ben.id}/preview").status_code == 403
    assert client.get(f"/admin/readers/{ben.id}/mail").status_code == 403
    assert client.get("/admin/deliveries/1/mail").status_code == 403
    client.cookies.clear()
    log_in(rt, client, "editor")
    preview = client.get(f"/admin/readers/{ben.id}/preview").text
    assert 'sandbox="' in preview
    ada = rt.db.read(lambda s: get_subscriber_row(s, email_key="ada@example.org"))
    mail = client.get(f"/admin/readers/{ada.id}/mail", params={"on": "2026-11-18"})
    assert "Adapters that forget less" in mail.text
    assert client.get("/admin/readers/999").status_code == 404


def test_a_reader_is_added_with_words_and_people(rt, client):
    data = {"token": log_in(rt, client, "editor"), "email": "eve@example.org", "confirmed": "1"}
    wrong = client.post("/admin/readers", data={**data, "people": "Ana Silva\norg:"})
    assert wrong.status_code == 422
    assert 'id="people-fault"' in wrong.text
    assert "Ana Silva" in wrong.text
    both = {"words": "adapters", "people": "Ana Silva\norg: Example University"}
    client.post("/admin/readers", data={**data, **both})
    eve = rt.db.read(lambda s: get_subscriber_row(s, email_key="eve@example.org"))
    found = rt.db.read(lambda s: list_profile_rows(s, eve.id))
    assert [(one.kind, one.text) for one in found] == [
        ("keywords", "adapters"), ("follow", "Ana Silva\norg: Example University"),
    ]  # fmt: skip


@pytest.mark.slow
def test_answers_on_a_readers_page_and_why_people_left(rt, client):
    log_in(rt, client, "editor")
    ada = rt.db.read(lambda s: get_subscriber_row(s, email_key="ada@example.org"))
    page = client.get(f"/admin/readers/{ada.id}?on=2026-11-21").text
    assert "Saturday is none of your mail days." in page
    page = client.get(f"/admin/readers/{ada.id}?paper=2611.00002").text
    assert "It does not contain adapters." in page
    assert 'id="on-fault"' in client.get(f"/admin/readers/{ada.id}?on=soon").text
    unsubscribe(rt, ada.unsubscribe_token)
    note_reason(rt, ada.unsubscribe_token, "many", "Three a day")
    told = client.get("/admin/readers?state=left").text
    assert "In the last year 1 left and 0 came back." in told
    assert "Too many mails" in told
    assert "Three a day" in told


def test_a_confirmation_goes_out_once_more(rt, client):
    token = log_in(rt, client, "editor")
    data = {"token": token, "email": "eve@example.org", "words": "adapters"}
    page = client.post("/admin/readers", data=data)
    assert "Send the confirmation once more" in page.text
    again = f"{page.url.path}/confirm-again"
    early = client.post(again, data={"token": token})
    assert early.status_code == 422
    assert 'id="again-fault"' in early.text
    rt.clock.go(hours=25)
    data["token"] = token = log_in(rt, client, "editor")
    assert "goes out once more" in client.post(again, data={"token": token}).text


def test_edit_unsubscribe_and_erase(rt, client):
    token = log_in(rt, client, "editor")
    ada = rt.db.read(lambda s: get_subscriber_row(s, email_key="ada@example.org"))
    data = {
        "token": token,
        "hour": "7",
        "zone": "Europe/Zurich",
        "weekdays": ["mon", "tue"],
        "until": "",
        "reason": "asked by phone",
    }
    assert "Saved." in client.post(f"/admin/readers/{ada.id}/schedule", data=data).text
    row = rt.db.read(lambda s: get_subscriber_row(s, id=ada.id))
    assert (row.hour, row.zone, row.weekdays) == (7, "Europe/Zurich", "mon,tue")
    assert not row.on_time
    page = client.post(f"/admin/readers/{ada.id}/schedule", data={**data, "on_time": "1"}).text
    assert 'name="on_time" value="1" checked' in page
    assert rt.db.read(lambda s: get_subscriber_row(s, id=ada.id)).on_time
    wrong = client.post(f"/admin/readers/{ada.id}/schedule", data={**data, "hour": "25"})
    assert wrong.status_code == 422
    assert "no full hour" in wrong.text
    unsure = client.post(f"/admin/readers/{ada.id}/unsubscribe", data={"token": token})
    assert "Tick the box first" in unsure.text
    said = {"token": token, "sure": "1", "reason": "asked by phone"}
    unexplained = client.post(f"/admin/readers/{ada.id}/unsubscribe", data={**said, "reason": " "})
    assert "The reason is missing" in unexplained.text
    client.post(f"/admin/readers/{ada.id}/unsubscribe", data=said)
    assert rt.db.read(lambda s: get_subscriber_row(s, id=ada.id)).state == "left"
    gone = client.post(f"/admin/readers/{ada.id}/erase", data=said)
    assert gone.url.path == "/admin/readers"
    assert rt.db.read(lambda s: get_subscriber_row(s, id=ada.id)) is None
    acts = [one for one in rt.db.read(list_audit) if one.target == f"reader {ada.id}"]
    assert {one.reason for one in acts if one.what != "add reader"} == {"asked by phone"}


def test_a_readers_own_choices_are_shown_and_one_who_has_not_confirmed_can_be_moved(rt, client):
    token = log_in(rt, client, "editor")

    def choose(session):
        row = get_subscriber_row(session, email_key="ada@example.org")
        row.quiet_from, row.quiet_until, row.picks, row.trending = 22, 6, False, True
        row.format, row.feed_since, row.state = "bare", rt.clock(), "pending"
        session.add(row)
        return row.id, row.feed_token

    ada, secret = rt.db.write(choose)
    page = client.get(f"/admin/readers/{ada}").text
    for told in ("quiet from 22:00 to 06:00", "no notes, no picks", "without stars", "open since"):
        assert told in page
    assert secret not in page, "the address of the feed is the reader's"
    data = {"token": token, "hour": "7", "zone": "UTC", "weekdays": ["mon"], "until": ""}
    data["reason"] = "asked"
    assert "Saved." in client.post(f"/admin/readers/{ada}/schedule", data=data).text
    wrong = client.post(f"/admin/readers/{ada}/schedule", data={**data, "until": "soon"})
    assert (wrong.status_code, "This is no date." in wrong.text) == (422, True)


def test_the_staff_chooses_all_that_a_reader_can(rt, client):
    token = log_in(rt, client, "editor")

    def open_feed(session):
        row = get_subscriber_row(session, email_key="ada@example.org")
        row.feed_since = rt.clock()
        session.add(row)
        return row.id, row.feed_token

    ada, secret = rt.db.write(open_feed)
    page = client.get(f"/admin/readers/{ada}").text
    data = {
        "token": token, "hour": "7", "zone": "UTC", "weekdays": ["mon"], "until": "", "more": "1",
        "at_least": "3", "tell_anyway": "1", "quiet": "22-6", "locale": "de", "format": "bare",
        "style": "none", "trending": "1", "close_feed": "1", "reason": "asked",
    }  # fmt: skip
    names = set(re.findall(r'name="(\w+)"', page.partition("/schedule")[2].partition("</form>")[0]))
    assert names == {*data, "on_time", "picks"}, "every choice has its field"
    assert "Saved." in client.post(f"/admin/readers/{ada}/schedule", data=data).text
    row = rt.db.read(lambda s: get_subscriber_row(s, id=ada))
    assert (row.at_least, row.tell_anyway, row.quiet_from, row.quiet_until) == (3, True, 22, 6)
    assert (row.locale, row.format, row.style) == ("de", "bare", "none")
    assert (row.trending, row.picks, row.feed_since) == (True, False, None)
    (entry,) = (one for one in rt.db.read(list_audit) if one.what == "schedule")
    assert secret not in str(entry)
    for field, wrong in (("at_least", "0"), ("quiet", "9 to 5"), ("style", "x"), ("locale", "xx")):
        answer = client.post(
            f"/admin/readers/{ada}/schedule", data={**data, field: wrong, "weekdays": ["sun"]}
        )
        assert answer.status_code == 422
        assert f'id="{field}-fault"' in answer.text
        assert 'value="sun" checked' in answer.text, "what was ticked stays"
    assert rt.db.read(lambda s: get_subscriber_row(s, id=ada)).weekdays == "mon"


def test_what_was_looked_at_is_imported_once(rt, client):
    token = log_in(rt, client, "editor")
    rows = 'email;keywords\nnew@example.org;lattice\nbad@;"<b>x</b>, ""quoted"""\n'
    data = {"token": token, "text": rows}
    unsaid = client.post("/admin/import", data=data)
    assert (unsaid.status_code, "basis of consent is missing" in unsaid.text) == (422, True)
    looked = client.post("/admin/import", data={**data, "basis": "institution", "tags": "Lab"})
    assert "Import 1 reader" in looked.text
    assert "bad@" in looked.text
    assert rt.db.read(lambda s: get_subscriber_row(s, email_key="new@example.org")) is None
    here = looked.url.path
    other = client.post(here, data={"token": token, "digest": "0" * 64})
    assert other.status_code == 409
    digest = re.search(r'name="digest" value="(\w+)"', looked.text)[1]
    for _ in range(2):  # a double press
        done = client.post(here, data={"token": token, "digest": digest})
    assert "What it did" in done.text
    assert rt.db.read(lambda s: get_subscriber_row(s, email_key="new@example.org")) is not None
    assert [one.what for one in rt.db.read(list_audit)].count("import readers") == 1
    answer = client.post(f"{here}/problems", data={"token": token})
    assert 'filename="problems.csv"' in answer.headers["content-disposition"]
    table = list(csv.DictReader(io.StringIO(answer.content.decode("utf-8-sig"), newline="")))
    assert [(r["email"], r["keywords"]) for r in table] == [("bad@", '<b>x</b>, "quoted"')]
    assert "after the @" in table[0]["problem"]


def test_the_page_of_an_import_names_every_column(rt, client):
    log_in(rt, client, "editor")
    page = client.get("/admin/import").text
    told = set(re.findall(r"\w+", page[page.index("<dl") : page.index("</dl>")]))
    assert set(spreadsheet.EXPORTED) <= told


def test_interests_are_told_in_words_with_their_pauses(rt, client):
    people = "Ana Silva\norg: Example University"
    add(rt, "ada@uni.example", people=people, cadence="instant")
    reader = rt.db.read(lambda s: get_subscriber_row(s, email_key="ada@uni.example"))
    (row,) = rt.db.read(lambda s: list_profile_rows(s, reader.id))
    manage_interests.pause_wanted(
        rt, manage_token(rt, reader, rt.clock(), fresh=True), row.id, paused=True
    )
    log_in(rt, client)
    for page in ("readers", f"readers/{reader.id}"):
        text = re.sub(r"\s+", " ", client.get(f"/admin/{page}").text)
        assert "people: Ana Silva; org: Example University" in text
        assert "at once" in text
        assert "paused" in text


def test_an_import_with_an_unknown_column_says_which(rt, client):
    token = log_in(rt, client, "editor")
    rows = "email,Interests\nnew@example.org,robots\n"
    answer = client.post(
        "/admin/import", data={"token": token, "text": rows, "basis": "institution"}
    )
    assert answer.status_code == 422
    assert "interests" in answer.text
    assert "Did you mean keywords?" in answer.text


def test_suppressions_bar_and_lift(rt, client):
    token = log_in(rt, client, "editor")
    data = {"token": token, "addresses": "ada@example.org", "act": "bar", "reason": "asked"}
    assert "1 bar" in client.post("/admin/suppressions", data=data).text
    ada = rt.db.read(lambda s: get_subscriber_row(s, email_key="ada@example.org"))
    assert ada.state == "left"
    story = client.get(f"/admin/readers/{ada.id}", params={"kind": "consent"}).text
    assert "left: suppressed by editor-of-the-desk, because: asked" in story
    found = client.get("/admin/suppressions", params={"q": "ADA@example.org", "reason": "left"})
    assert "1 bar" not in found.text
    assert "1 bar" in client.get("/admin/suppressions", params={"q": "ADA@example.org"}).text
    bars = client.get("/admin/suppressions", params={"words": "ASKED"}).text
    cells = re.findall(r'class="said-by">([^<]*)<', bars)
    assert cells == ["editor-of-the-desk", "asked"], "who barred it, and why, as it was typed"
    assert "None of these." in client.get("/admin/suppressions", params={"words": "x"}).text
    codes = client.post("/admin/suppressions/export", data={"token": token}).content
    lifted = client.post("/admin/suppressions", data={**data, "act": "lift"}).text
    assert "Lifted. Its reader had left" in lifted
    back = client.post(
        "/admin/suppressions", data={"token": token, "reason": "a copy"}, files={"file": codes}
    )
    assert "1 suppressed, 0 were already." in back.text


def test_what_people_and_feeds_wrote_is_escaped(rt, client, tmp_path):
    evil = "<script>alert(1)</script>"
    add(rt, "eve@example.org", "sheep", name=evil)
    ingest_items(rt, tmp_path, [paper_item(9, f"{evil} counting sheep")])
    token = log_in(rt, client)
    eve = rt.db.read(lambda s: get_subscriber_row(s, email_key="eve@example.org"))
    check = compose(client, token, papers="arxiv/2611.00009", subject=evil)
    for path in ("/admin/readers", f"/admin/readers/{eve.id}", check, "/admin/audit"):
        page = client.get(path)
        assert "<script>alert" not in page.text, path
        assert "script-src 'self'" in page.headers["content-security-policy"]


def test_a_source_that_was_never_read_is_not_advertised(rt, client, tmp_path):
    token = log_in(rt, client, "editor")
    data = {"token": token, "param-url": "http://127.0.0.1/x", "act": "add"}
    client.post("/admin/sources/add/feed", data=data)
    page = client.get("/admin").text
    assert "http://127.0.0.1/x" not in page, "an address may hold a password"
    assert "none is late" not in page
    assert rt.db.read(list_read_names) == ["Hugging Face Daily Papers"], "that one brought papers"


@pytest.mark.slow
def test_progress_counts_each_mail_once_and_promises_nothing_while_paused(rt, client, server):
    add(rt, "cy@example.org", "adapters")
    add(rt, "dora@example.org", "diffusion")
    for name in ("ada", "ben"):
        server.on("RCPT", reply("450 4.2.0 come back later"), match=f"{name}@")
    plan_daily(rt)
    assert send(rt) == 2
    token = log_in(rt, client, "sender")
    page = client.get("/admin/editions/1").text
    assert "Deferred, tried again" in page
    assert "<dt>Waiting</dt>" not in page, "two are deferred, and nothing else waits"
    assert "Put off, by what the server said" in page
    assert "450 4.2.0 come back later" in page or "450 come back later" in page
    paused = client.post("/admin/editions/1/pause", data={"token": token}).text
    assert "mails a second" not in paused
    assert "2 mails that are not handed over stay unsent." in paused, "before a cancel"
    part = re.search(r'id="progress" data-hx-get="([^"]+)" data-hx-trigger="every 12s"', paused)
    assert part is not None, "what rests is asked about, rarely"
    address = unescape(part[1])
    same = client.get(address).text
    assert 'id="unsent" data-hx-swap-oob="true"' in same
    assert 'id="acts"' not in same, "what one is about to press stays"
    editions.resume(rt, 1, "another")
    moved = client.get(address).text
    assert 'data-hx-trigger="every 2s"' in moved
    assert re.search(r'id="acts" data-hx-swap-oob="true".*>Pause<', moved, re.S)


def test_an_editor_writes_the_note_of_a_day_and_a_viewer_does_not(rt, client):
    token = log_in(rt, client, "editor")
    day = rt.clock().date()

    def write(text: str, on: str = day.isoformat()) -> str:
        data = {"token": token, "note": text, "day": on}
        return client.post("/admin/papers/note", data=data).text

    assert "Saved." in write("Seminar at <two>.")
    assert rt.db.read(lambda s: note_of(s, day)) == "Seminar at <two>."
    assert "Seminar at &lt;two&gt;.</textarea>" in client.get("/admin/papers").text
    assert rt.db.read(list_audit)[0].what == "note"
    assert "Write it like 2026-11-18." in write("Words", "soon")
    refused = write("Words for later", (day + timedelta(days=3)).isoformat())
    assert "is later than tomorrow." in refused
    assert "Words for later</textarea>" in refused, "what was typed stays"
    assert "1,000 are the most" in write("x" * 1001)
    assert rt.db.read(lambda s: note_of(s, day)) == "Seminar at <two>."
    write("")
    assert rt.db.read(lambda s: note_of(s, day)) == ""
    client.cookies.clear()
    token = log_in(rt, client, "viewer")
    assert 'action="/admin/papers/note"' not in client.get("/admin/papers").text
    assert client.post("/admin/papers/note", data={"token": token, "note": "x"}).status_code == 403
