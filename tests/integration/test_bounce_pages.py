"""What came back on the desk: lists, one mail, decisions, rates, tables; and for programs."""

import asyncio
import csv
import io
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from fastapi.testclient import TestClient
from support.came_back import RAW, WORDS, lay
from support.house import Clock, add, ingest_items, open_house, paper_item, rows
from support.smtp_server import SmtpServer
from support.statements import noted

from service.app import make_app
from service.flows import staff, tokens
from service.flows.bounce_samples import check_samples
from service.flows.daily import plan_daily
from service.flows.inbound import take
from service.flows.runtime import Runtime
from service.flows.send import send_ready
from service.store.staff import list_audit
from service.store.subscribers import get_subscriber_row

pytestmark = [pytest.mark.usefixtures("cheap_passwords"), pytest.mark.slow]
BASE = "http://127.0.0.1:8000"
PASSWORD = "correct horse battery"


@pytest.fixture
def house(tmp_path: Path):
    with open_house(tmp_path, clock=Clock()) as made:
        yield made


@pytest.fixture
def rt(house) -> Runtime:
    return house.runtime


@pytest.fixture
def client(house) -> Iterator[TestClient]:
    with TestClient(
        make_app(house.runtime, house.settings), base_url=BASE, client=("127.0.0.1", 5)
    ) as made:
        yield made


def log_in(rt: Runtime, client: TestClient, role: str = "editor") -> str:
    link = staff.create_admin(rt, role, role, by="cli")
    staff.redeem(rt, link.rpartition("/")[2], PASSWORD)
    client.cookies.set("paperpost", staff.log_in(rt, role, PASSWORD, "127.0.0.1", "tests"))
    found = re.search(r'name="token" value="([^"]+)"', client.get("/admin").text)
    assert found
    return found[1]


def several(rt: Runtime) -> list[int]:
    soft = {"kind": "soft", "reason": "mailbox_full", "recipient": "ben@b.example",
            "domain": "b.example", "words": "452 4.2.2 <b>full</b>", "said": "scored"}  # fmt: skip
    mine = {"kind": "none", "reason": "unknown", "recipient": "", "domain": "", "said": "waits"}
    return [
        lay(rt),
        lay(rt, soft, {}, subject="Two at once"),
        lay(rt, mine, state="review", subject="<i>Odd</i>"),
    ]


def test_the_list_is_filtered_by_what_stands_in_its_address(rt, client):
    log_in(rt, client, "viewer")
    assert "Nothing came back yet." in client.get("/admin/bounces").text
    first, second, third = several(rt)
    page = client.get("/admin/bounces").text
    assert [page.count(f"/admin/bounces/{n}") for n in (first, second, third)] == [1, 2, 1]
    assert "4 reports" in page
    assert "1 mail waits for a look" in page
    assert "<b>full</b>" not in page
    for query, number in {
        "kind=soft": 1, "kind=hard": 2, "reason=mailbox_full": 1, "domain=uni.example": 2,
        "q=ben@": 1, "state=review": 1, "kind=hard&domain=b.example": 0, "kind=nonsense": 4,
        "from=2000-01-01&to=2000-01-02": 0, "from=2000-01-01": 4,
    }.items():  # fmt: skip
        found = client.get(f"/admin/bounces?{query}").text
        assert len(re.findall(r'href="/admin/bounces/\d+"', found)) == number, query
    assert client.get("/admin/bounces?from=2026-11-20&to=2026-11-01").status_code == 422


def test_one_mail_says_what_was_understood_and_shows_it_as_text_alone(rt, client):
    log_in(rt, client)
    number = lay(rt)
    page = client.get(f"/admin/bounces/{number}").text
    assert "Undelivered Mail Returned to Sender" in page
    assert "&lt;ada@uni.example&gt; User unknown" in page
    assert "the address is barred" in page
    assert "it holds nothing that only we could have written" in page
    assert re.search(rf'<iframe[^>]+src="/admin/bounces/{number}/raw"[^>]+ sandbox ', page)
    assert "<script>alert" not in page
    raw = client.get(f"/admin/bounces/{number}/raw")
    assert raw.headers["content-type"] == "text/plain; charset=utf-8"
    assert raw.headers["content-security-policy"].startswith("sandbox; default-src 'none'")
    assert raw.headers["x-content-type-options"] == "nosniff"
    assert raw.text == RAW.decode().replace("\r\n", "\n")
    assert client.get("/admin/bounces/999").status_code == 404
    assert client.get("/admin/bounces/999/raw").status_code == 404


def test_signs_that_are_not_printed_are_shown_as_such(rt, client):
    log_in(rt, client)
    number = lay(rt, raw=b"Subject: x\r\n\r\n\x1b[31mred\x00\xff \xe2\x80\xaetxet")
    assert client.get(f"/admin/bounces/{number}/raw").text == "Subject: x\n\n�[31mred�� �txet"
    number = lay(rt, raw=None, subject="forgotten")
    assert "not kept any more" in client.get(f"/admin/bounces/{number}").text


def test_who_looks_sees_no_mail_and_decides_nothing(rt, client):
    token = log_in(rt, client, "viewer")
    number = lay(rt, state="review")
    for page in (f"/admin/bounces/{number}", "/admin/bounces/review"):
        assert 'name="kind" value=' not in client.get(page).text
    assert "<iframe" not in client.get(f"/admin/bounces/{number}").text
    assert client.get(f"/admin/bounces/{number}/raw").status_code == 403
    data = {"token": token, "kind": "hard"}
    for act in (f"{number}/decide", "export"):
        assert client.post(f"/admin/bounces/{act}", data=data).status_code == 403


def test_one_press_decides_and_the_queue_goes_on(rt, client):
    token = log_in(rt, client)
    odd, other = (
        lay(rt, {"kind": "none", "reason": "unknown"}, state="review", subject=words)
        for words in ("<i>Odd</i>", "Another")
    )
    page = client.get("/admin/bounces/review").text
    assert "&lt;i&gt;Odd&lt;/i&gt;" in page
    assert page.count('name="kind" value="hard"') == 2
    data = {"kind": "auto", "from": "review"}
    assert client.post(f"/admin/bounces/{odd}/decide", data=data).status_code == 403  # no token
    done = client.post(f"/admin/bounces/{odd}/decide", data={**data, "token": token})
    assert done.url.path == "/admin/bounces/review"
    assert "Decided" in done.text
    assert "Odd" not in done.text
    assert "Another" in done.text
    assert "auto, said editor on" in client.get(f"/admin/bounces/{odd}").text
    wrong = client.post(f"/admin/bounces/{other}/decide", data={"token": token, "kind": "x"})
    assert wrong.status_code == 409
    assert 'id="kind-fault"' in wrong.text
    acts = [row for row in rt.db.read(list_audit) if "127.0.0.1" in row.address]
    assert [(row.who, row.target) for row in acts if row.target] == [("editor", f"mail {odd}")]


ODD = """From: Postmaster <postmaster@uni.example>\r
To: papers@example.org\r
Subject: Delivery trouble\r
Content-Type: multipart/report; report-type=delivery-status; boundary=b\r
\r
--b\r
Content-Type: message/delivery-status\r
\r
Reporting-MTA: dns; mx.uni.example\r
\r
Final-Recipient: rfc822; ada@uni.example\r
Action: failed\r
Status: 5.0.0\r
\r
--b\r
Content-Type: text/rfc822-headers\r
\r
Message-ID: <{message_id}>\r
\r
--b--\r
"""
"""A failure that gives no reason."""


def test_a_decision_has_the_consequence_and_tests_the_rules(tmp_path):
    with SmtpServer() as smtp, open_house(tmp_path, clock=Clock(), smtp_port=smtp.port) as house:
        rt = house.runtime
        mailed(rt, tmp_path)
        asyncio.run(send_ready(rt))
        (row,) = rows(rt)
        taken = take(rt, ODD.format(message_id=row.message_id).encode(), way="pipe")
        assert taken.state == "review"
        with TestClient(make_app(rt, house.settings), base_url=BASE) as client:
            token = log_in(rt, client)
            waits = client.get("/admin/bounces/review").text
            assert "Delivery trouble" in waits
            assert 'loading="lazy"' in waits
            data = {"token": token, "kind": "hard", "from": "review"}
            client.post(f"/admin/bounces/{taken.id}/decide", data=data)
            assert "the address is barred" in client.get(f"/admin/bounces/{taken.id}").text
        reader = rt.db.read(lambda s: get_subscriber_row(s, email_key="ada@uni.example"))
        assert reader is not None
        assert reader.state == "bounced"
        (checked,) = check_samples(rt)
        assert (checked.decided, checked.agrees) == ("hard", False)  # the rules learn it later


def test_a_table_for_spreadsheets_starts_no_formula(rt, client):
    token = log_in(rt, client)
    lay(rt, {"words": "=HYPERLINK(0)", "recipient": "@x"}, {"kind": "soft"})
    answer = client.post("/admin/bounces/export", data={"token": token, "kind": "hard"})
    assert answer.headers["content-type"] == "text/csv; charset=utf-8"
    (row,) = csv.DictReader(io.StringIO(answer.text))
    assert (row["words"], row["recipient"]) == ("'=HYPERLINK(0)", "'@x")
    assert (row["kind"], row["code"], row["delivery"]) == ("hard", "550", "")


def mailed(rt: Runtime, folder: Path) -> int:
    """A delivery of ada's; its reader's number is 1."""
    add(rt, "ada@uni.example", "adapters")
    ingest_items(rt, folder, [paper_item(1, "Adapters that forget less")])
    plan_daily(rt)
    (row,) = rows(rt)
    assert row.id is not None
    return row.id


def test_deliveries_and_readers_tell_what_came_back(rt, client, tmp_path):
    log_in(rt, client)
    delivery = mailed(rt, tmp_path)
    reader = rows(rt)[0].subscriber_id
    number = lay(rt, {"delivery_id": delivery, "subscriber_id": reader})
    listed = client.get("/admin/deliveries").text
    assert "came back, hard: no such user" in listed
    assert f'href="/admin/bounces/{number}"' in listed
    mail = client.get(f"/admin/deliveries/{delivery}").text
    assert "What came back" in mail
    story = client.get(f"/admin/readers/{reader}").text  # among all else, with the way to it
    assert f'href="/admin/bounces/{number}"' in story
    assert "User unknown" in mail
    assert "User unknown" in story
    one = client.get(f"/admin/bounces/{number}").text
    assert f'href="/admin/readers/{reader}"' in one
    assert f'href="/admin/deliveries/{delivery}"' in one
    assert "1 hard" in client.get("/admin").text


def test_lists_ask_the_database_as_often_for_many_as_for_few(rt, client, tmp_path):
    log_in(rt, client)
    delivery = mailed(rt, tmp_path)
    pages = ("/admin/bounces", "/admin/bounces/review", "/admin/deliveries", "/admin/bounces/rates")

    def statements() -> list[int]:
        counts = []
        for page in pages:
            with noted(rt.db.engine) as seen:
                client.get(page)
            counts.append(len(seen))
        return counts

    lay(rt, {"delivery_id": delivery}, state="review")
    few = statements()
    for n in range(12):
        more = [{"delivery_id": delivery, "recipient": f"{n}.{i}@b.example"} for i in range(3)]
        lay(rt, *more, state="review", subject=str(n))
    assert statements() == few
    assert max(few) <= 12


def test_rates_stand_beside_the_limits(rt, client, tmp_path):
    log_in(rt, client, "viewer")
    mailed(rt, tmp_path)
    page = client.get("/admin/bounces/rates?days=7")
    assert page.status_code == 200
    assert page.text.count("<svg") == 2
    assert page.text.count('class="limit"') == 2
    assert "limit 2 %" in page.text
    assert "limit 0.1 %" in page.text
    assert "style=" not in page.text
    assert client.get("/admin/bounces/rates?days=x&domain=nowhere.example").status_code == 200


def test_programs_read_with_a_token(rt, client):
    first, *_others = several(rt)
    made = tokens.make_token(rt, "reads", ["deliveries:read"], by="cli")
    read = {"Authorization": f"Bearer {made['token']}"}
    made = tokens.make_token(rt, "sends", ["deliveries:send"], by="cli")
    assert client.get("/api/v1/bounces").status_code == 401
    other = {"Authorization": f"Bearer {made['token']}"}
    assert client.get("/api/v1/bounces", headers=other).status_code == 403
    found = client.get("/api/v1/bounces?kind=hard&limit=1", headers=read).json()
    assert (found["total"], len(found["bounces"])) == (2, 1)
    assert found["bounces"][0]["words"] == WORDS
    assert client.get("/api/v1/bounces?kind=x", headers=read).status_code == 422
    wrong = client.get("/api/v1/bounces?since=2026-11-20&until=2026-11-01", headers=read)
    assert wrong.status_code == 422
    one = client.get(f"/api/v1/bounces/{first}", headers=read).json()
    assert "raw" not in one
    assert [r["reason"] for r in one["reports"]] == ["no_such_user"]
    assert client.get("/api/v1/bounces/999", headers=read).status_code == 404
    rates = client.get("/api/v1/bounces/rates?days=3", headers=read).json()
    assert rates["limits"] == {"hard": 2.0, "complaints": 0.1}
    assert len(rates["days"]) == 3
