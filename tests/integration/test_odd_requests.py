"""What strangers send besides what a browser would: over HTTP, to the whole application."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from fastapi.testclient import TestClient
from support.reading_house import Reading, path_in, reading_house

from service.app import make_app
from service.settings import load_settings

pytestmark = pytest.mark.slow  # every form of the house


@pytest.fixture
def house(tmp_path: Path, database_url: str) -> Iterator[Reading]:
    with reading_house(tmp_path, papers=False, database_url=database_url) as made:
        app = make_app(made.rt, load_settings(None, data_dir=tmp_path))
        base = made.rt.site.base_url
        made.client = TestClient(app, base_url=base, follow_redirects=False)
        yield made


def test_null_bytes_are_no_fault_of_ours(house: Reading) -> None:
    """PostgreSQL takes none."""
    form = {"email": "a\0da@uni.example", "words": "ro\0bots", "people": "\0", "add": "\0a"}
    assert house.client.post("/", data=form | {"add": ""}).status_code == 200
    assert house.client.post("/", data=form).status_code < 500
    assert house.reader("ada@uni.example").state == "pending"
    for path in ("/u/a%00b", "/d/%00", "/u/%00/link", "/search?q=%00", "/api/v1/topics/%00"):
        for method in ("GET", "HEAD", "POST"):
            assert house.client.request(method, path).status_code == 404, path
    asked = house.client.post("/api/v1/words", json={"text": "a\0b robots"})
    assert asked.status_code < 500


def test_numbers_that_no_row_has(house: Reading) -> None:
    house.subscribe("ada@uni.example", "adapters")
    own, _ = house.own_page("ada@uni.example")
    leave = f"/u/{house.reader('ada@uni.example').unsubscribe_token}"
    before = house.tables()["profile"]
    for number in ("9" * 30, str(2**63), str(2**31), "-1", "0", "٣", "1e3"):
        answers = [
            house.client.post(f"{path}/interests/{number}", data={"act": "pause"})
            for path in (own, leave)
        ]
        is_number = number in (str(2**31), "0")
        # 0 is what is left alone without being an interest: the day's most-voted papers
        expected = [422, 200 if number == "0" else 409] if is_number else [404, 404]
        assert [a.status_code for a in answers] == expected, number
        assert house.client.get(f"/api/v1/papers?source={number}").status_code < 500, number
    assert house.tables()["profile"] == before


def test_a_proxys_own_line_tells_who_asks(house: Reading, tmp_path: Path) -> None:
    """HAProxy puts its line below the one that the client made up."""
    app = make_app(house.rt, load_settings(None, data_dir=tmp_path, trusted_proxies="127.0.0.1"))
    with TestClient(app, base_url=house.rt.site.base_url, client=("127.0.0.1", 5)) as client:
        for n in range(3):
            form = {"email": f"r{n}@uni.example", "words": "robots"}
            lines = [("X-Forwarded-For", f"192.0.{n}.1"), ("X-Forwarded-For", "203.0.113.9")]
            assert client.post("/", data=form, headers=lines).status_code == 200
    heads = {row[3] for row in house.tables()["pace"] if "203.0.113.0/24" in str(row)}
    networks = {str(row) for row in house.tables()["consent"] if "192.0." in str(row)}
    assert networks == set()
    assert heads
    assert "'203.0.113.9'" in str(house.tables()["consent"]), "the record has the address"


def test_health_is_told_under_any_name_and_pages_name_what_to_set(house: Reading) -> None:
    for path in ("/healthz", "/readyz"):
        assert house.client.get(path, headers={"Host": "web.papers.svc"}).status_code == 200
    page = house.client.get("/", headers={"Host": "Library.lan:8000"})
    assert page.status_code == 421
    assert "PAPERPOST_ALLOWED_HOSTS=library.lan" in page.text
    odd = house.client.get("/", headers={"Host": "x<b>.lan"})
    assert odd.status_code == 421
    assert "<b>" not in odd.text
    assert "ALLOWED_HOSTS=" not in odd.text


def test_mails_name_this_site_whatever_host_was_named(house: Reading) -> None:
    heads = {
        "Host": "10.0.0.9",
        "X-Forwarded-Host": "evil.example",
        "Forwarded": "host=evil.example",
    }
    form = {"email": "ada@uni.example", "words": "robots"}
    assert house.client.post("/", data=form, headers=heads).status_code == 200
    house.client.post("/manage", data=form, headers=heads)
    house.send()
    mail = house.mails("ada@uni.example")[-1]
    assert path_in(mail, "confirm")
    assert "10.0.0.9" not in mail.as_string()
    assert "evil" not in mail.as_string()


def test_nothing_that_was_typed_is_in_the_mail_to_confirm(house: Reading) -> None:
    bad = "zzq\r\nBcc: evil@x.example\r\n\r\n<script>zzq</script>"
    form = {"email": "ada@uni.example", "words": "zzq", "people": "Zzq Zzq", "hour": "8"}
    heads = {"User-Agent": "zzq", "Accept-Language": "zzq", "Referer": "http://zzq.example/"}
    house.client.post("/", data=form, headers=heads)
    for field in ("words", "people", "without", "hour", "zone", "homepage", "request"):
        house.client.post("/", data={**form, field: bad}, headers=heads)
    for typed in (f"bea@uni.example{bad}", "bea@uni.example\r\nBcc: evil@x.example"):
        assert house.client.post("/", data={**form, "email": typed}).status_code == 422
    house.send()
    mails = [one.data for one in house.smtp.accepted]
    assert len(mails) == 1
    assert b"zzq" not in mails[0].lower()
    assert b"evil" not in mails[0]


def test_methods_are_not_overridden_and_bodies_not_unpacked(house: Reading) -> None:
    house.subscribe("ada@uni.example", "adapters")
    leave = f"/u/{house.reader('ada@uni.example').unsubscribe_token}"
    before = house.tables()
    for head in ("X-HTTP-Method-Override", "X-Method-Override", "X-HTTP-Method"):
        house.client.get(leave, headers={head: "POST"})
    house.client.get(f"{leave}?_method=POST")
    for method in ("PUT", "PATCH", "DELETE", "TRACE", "PROPFIND"):
        assert house.client.request(method, leave).status_code in (404, 405)
    packed = {"Content-Encoding": "gzip", "Content-Type": "application/x-www-form-urlencoded"}
    assert house.client.post("/", content=b"\x1f\x8b\x08\0xxxx", headers=packed).status_code < 500
    assert house.tables() == before
