"""The development mailbox: what SMTP brings in, the folder keeps and the pages show."""

import re
import smtplib
import socket
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from email.message import EmailMessage
from pathlib import Path

import pytest
from fastapi.testclient import TestClient
from support.furnished import make_app, make_pages
from support.routes import flat_routes

from service.mailbox import Mailbox, MailboxServer
from service.mailbox.listener import MailboxListenError

AT = datetime(2026, 11, 20, 8, tzinfo=UTC)
TEXT = "To begin, open this page:\nhttp://127.0.0.1:8000/confirm/abc\n.\n..two dots\n<b>bold</b>\n"
HTML = (
    "<!doctype html><html><head><title>x</title></head><body>Größe "
    '<a href="http://127.0.0.1:8000/papers">papers</a><script>alert(1)</script></body></html>'
)


def _mail(subject: str = "Your first papers", html: bool = True) -> bytes:
    mail = EmailMessage()
    mail["From"] = "Paperpost <papers@example.org>"
    mail["To"] = "ada@uni.example"
    mail["Subject"] = subject
    mail.set_content(TEXT)
    if html:
        mail.add_alternative(HTML, subtype="html")
    return mail.as_bytes().replace(b"\n", b"\r\n")


@pytest.fixture
def mailbox(tmp_path: Path) -> Mailbox:
    return Mailbox(tmp_path / "mailbox")


@pytest.fixture
def client(mailbox: Mailbox) -> Iterator[TestClient]:
    app = make_app(make_pages(), mailbox.folder)
    with TestClient(app, base_url="http://127.0.0.1:8000") as client:
        yield client


def _add(mailbox: Mailbox, subject: str = "S", to: str = "ada@uni.example", **more: bool) -> str:
    return mailbox.add(_mail(subject, **more), sender="b@x.org", recipients=[to], received_at=AT)


def test_a_conversation_ends_in_a_file_of_the_same_bytes(mailbox: Mailbox) -> None:
    source = _mail("Größe")
    with MailboxServer(mailbox, clock=lambda: AT) as server:
        with smtplib.SMTP("127.0.0.1", server.port, timeout=10) as smtp:
            smtp.ehlo()
            assert smtp.has_extn("8bitmime")
            assert smtp.has_extn("smtputf8")
            smtp.mail("bounces+k3@example.org", ["BODY=8BITMIME"])
            smtp.rcpt("ada@uni.example")
            smtp.rcpt("ben@elsewhere.example")
            code, _ = smtp.data(source)
            assert code == 250
        (head,) = mailbox.heads()
    assert head.sender == "bounces+k3@example.org"
    assert head.recipients == ("ada@uni.example", "ben@elsewhere.example")
    assert head.subject == "Größe"
    assert head.received_at == AT
    mail = mailbox.read(head.id)
    assert mail is not None
    assert mail.source == source
    assert mail.text == TEXT
    assert mail.html.rstrip("\n") == HTML
    assert (mailbox.folder / f"{head.id}.eml").read_bytes() == source


def test_unicode_addresses_and_raw_eight_bit(mailbox: Mailbox) -> None:
    with MailboxServer(mailbox) as server, smtplib.SMTP("127.0.0.1", server.port) as smtp:
        smtp.ehlo()
        smtp.mail("papers@example.org", ["SMTPUTF8", "BODY=8BITMIME"])
        smtp.rcpt("zoë@uni.example")
        smtp.data("Subject: Größe\r\n\r\nä\r\n".encode())
        smtp.mail("")
        smtp.rcpt("bounce@uni.example")
        smtp.data(
            b"Subject: =?x-unknown?Q?=E9?=\r\nContent-Type: text/plain; charset=nope\r\n\r\n\xe4"
        )
    bounce, utf8 = mailbox.heads()
    assert utf8.recipients == ("zoë@uni.example",)
    assert utf8.subject == "Größe"
    assert bounce.sender == ""
    mail = mailbox.read(bounce.id)
    assert mail is not None
    assert mail.text == "\N{REPLACEMENT CHARACTER}\n"


def test_only_loopback_listens_and_stop_frees_the_port(mailbox: Mailbox) -> None:
    server = MailboxServer(mailbox)
    port = server.start()
    assert server.start() == port
    idle = socket.create_connection(("127.0.0.1", port), timeout=5)
    idle.settimeout(5)
    assert idle.recv(1000).startswith(b"220 mailbox.localhost")
    with pytest.raises(MailboxListenError, match=f"127.0.0.1:{port}"):
        MailboxServer(mailbox, port=port).start()
    server.stop()
    server.stop()
    assert idle.recv(1000) == b"", "an open connection does not hold the process"
    idle.close()
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection(("127.0.0.1", port), timeout=5)
    again = MailboxServer(mailbox, port=port)
    assert again.start() == port
    again.stop()


def test_a_folder_that_cannot_be_written_is_a_temporary_failure(tmp_path: Path) -> None:
    blocked = tmp_path / "file"
    blocked.write_text("in the way")
    server = MailboxServer(Mailbox(blocked / "mailbox"))
    with server, smtplib.SMTP("127.0.0.1", server.port) as smtp:
        smtp.ehlo()
        smtp.mail("a@x.org")
        smtp.rcpt("b@x.org")
        code, words = smtp.data(b"Subject: x\r\n\r\n")
    assert code == 452
    assert b"4.3.1" in words


def _standing() -> Callable[[], datetime]:
    return lambda: AT


def _going_back() -> Callable[[], datetime]:
    moments = iter(AT - timedelta(hours=n) for n in range(100))
    return lambda: next(moments)


@pytest.mark.parametrize("clock", [_standing(), _going_back()])
def test_newest_first_whatever_the_clock_does(
    mailbox: Mailbox, clock: Callable[[], datetime]
) -> None:
    for number in range(30):
        mailbox.add(
            b"Subject: %d\r\n\r\n" % number, sender="", recipients=["a@x.org"], received_at=clock()
        )
    assert [head.subject for head in mailbox.heads()] == [str(n) for n in range(29, -1, -1)]
    assert [head.subject for head in mailbox.heads(limit=2, offset=3)] == ["26", "25"]
    assert mailbox.count() == 30


def test_half_written_and_foreign_files_are_left_out(mailbox: Mailbox) -> None:
    kept = _add(mailbox)
    (mailbox.folder / ".20261120T080000000000-abcdef.eml.part").write_bytes(b"half")
    (mailbox.folder / "20261120T080000000000-aaaaaa.json").write_text("{}")
    (mailbox.folder / "20261120T080000000000-bbbbbb.eml").write_bytes(b"no envelope")
    (mailbox.folder / "notes.txt").write_text("mine")
    assert [head.id for head in mailbox.heads()] == [kept]
    assert mailbox.read("20261120T080000000000-aaaaaa") is None
    assert mailbox.read("20261120T080000000000-bbbbbb") is None


@pytest.mark.parametrize("mail_id", ["", ".", "..", "../secret", "a/b", "notes.txt", "x" * 300])
def test_an_id_is_no_path(mailbox: Mailbox, tmp_path: Path, mail_id: str) -> None:
    _add(mailbox)
    (tmp_path / "secret.eml").write_bytes(b"secret")
    (tmp_path / "secret.json").write_text("{}")
    assert mailbox.read(mail_id) is None


def test_search_by_recipient_in_any_case(mailbox: Mailbox) -> None:
    _add(mailbox, "one", "Ada@Uni.example")
    _add(mailbox, "two", "ben@uni.example")
    _add(mailbox, "three", "ada@uni.example")
    assert [head.subject for head in mailbox.search(" ADA@uni ")] == ["three", "one"]
    assert [head.subject for head in mailbox.search("ada", limit=1)] == ["three"]
    assert mailbox.search("eve") == []


def test_the_empty_mailbox_says_what_to_do(client: TestClient) -> None:
    page = client.get("/mailbox")
    assert page.status_code == 200
    assert "Nothing leaves this machine." in page.text
    words = re.sub(r"<[^>]+>", "", page.text)
    assert "No mail yet. Sign up at / and the confirmation lands here." in words


def test_list_search_and_pages(client: TestClient, mailbox: Mailbox) -> None:
    for number in range(51):
        _add(mailbox, f"Mail <{number}>", f"reader{number}@uni.example")
    page = client.get("/mailbox").text
    assert "51 mails are kept here." in page
    assert page.index("Mail &lt;50&gt;") < page.index("Mail &lt;1&gt;")
    assert "Mail &lt;0&gt;" not in page
    assert 'href="/mailbox?page=2"' in page
    assert "Mail &lt;0&gt;" in client.get("/mailbox?page=2").text
    found = client.get("/mailbox", params={"to": "READER7@"}).text
    assert "Mail &lt;7&gt;" in found
    assert "Mail &lt;8&gt;" not in found
    none = client.get("/mailbox", params={"to": "<script>"}).text
    assert "No mail to &lt;script&gt;." in none


def test_a_mail_its_frame_text_and_source(client: TestClient, mailbox: Mailbox) -> None:
    mail_id = _add(mailbox, "Your first papers")
    page = client.get(f"/mailbox/{mail_id}").text
    frame = re.search(r"<iframe[^>]*>", page)
    assert frame is not None
    assert f'src="/mailbox/{mail_id}/html"' in frame.group()
    assert 'sandbox="allow-popups allow-popups-to-escape-sandbox"' in frame.group()
    assert "&lt;b&gt;bold&lt;/b&gt;" in page
    assert 'href="http://127.0.0.1:8000/confirm/abc"' in page
    html = client.get(f"/mailbox/{mail_id}/html")
    policy = html.headers["content-security-policy"]
    assert policy.startswith(
        "sandbox allow-popups allow-popups-to-escape-sandbox; default-src 'none'"
    )
    assert "frame-ancestors 'self'" in policy
    assert "script" not in policy.replace("allow-scripts", "script")
    assert html.text.startswith('<!doctype html><html><head><base target="_blank"><title>')
    assert "Größe" in html.text
    text = client.get(f"/mailbox/{mail_id}/text")
    assert text.headers["content-type"] == "text/plain; charset=utf-8"
    assert text.text == TEXT
    source = client.get(f"/mailbox/{mail_id}/source")
    assert source.content == (mailbox.folder / f"{mail_id}.eml").read_bytes()
    assert source.headers["content-type"].startswith("text/plain")
    assert source.headers["x-content-type-options"] == "nosniff"


def test_a_mail_without_html_shows_its_text_alone(client: TestClient, mailbox: Mailbox) -> None:
    mail_id = _add(mailbox, html=False)
    page = client.get(f"/mailbox/{mail_id}").text
    assert "<iframe" not in page
    assert "To begin, open this page" in page
    assert client.get(f"/mailbox/{mail_id}/html").status_code == 404


@pytest.mark.parametrize(
    ("host", "is_shown"),
    [
        ("papers.example.org", True),  # the public address
        ("papers.example.org:8443", True),
        ("127.0.0.1:8000", True),
        ("[::1]:8000", True),
        ("localhost", True),
        ("192.168.1.7:8000", True),  # no name, so nobody can turn it
        ("evil.example", False),
        ("127.0.0.1.evil.example:8000", False),
        ("localhost.evil.example", False),
        ("papers.example.org.evil.example", False),
        ("[evil", False),
        ("", False),
    ],
)
def test_a_strange_name_that_leads_here_is_shown_no_mail(
    mailbox: Mailbox, host: str, is_shown: bool
) -> None:
    """DNS rebinding: a site's own name is turned to this machine, and its script reads on."""
    mail_id = _add(mailbox)
    client = TestClient(make_app(make_pages("https://papers.example.org"), mailbox.folder))
    for part in ("", f"/{mail_id}", f"/{mail_id}/html", f"/{mail_id}/text", f"/{mail_id}/source"):
        answer = client.get(f"/mailbox{part}", headers={"Host": host})
        assert (answer.status_code == 200) is is_shown, part
        if not is_shown:
            assert "confirm/abc" not in answer.text
            assert "https://papers.example.org/mailbox" in answer.text


def test_everything_is_get_only_and_never_indexed(client: TestClient, mailbox: Mailbox) -> None:
    mail_id = _add(mailbox)
    rows = [row for row in flat_routes(client.app) if row.path.startswith("/mailbox")]  # type: ignore[arg-type]
    assert {row.method for row in rows} == {"GET"}
    assert len(rows) == 5
    before = sorted(path.name for path in mailbox.folder.iterdir())
    for row in rows:
        address = row.path.replace("{mail_id}", mail_id)
        for method in ("GET", "HEAD"):
            answer = client.request(method, address)
            assert answer.status_code == 200, address
            assert answer.headers["x-robots-tag"] == "noindex, nofollow"
        assert client.post(address).status_code == 405
        assert client.delete(address).status_code == 405
    assert sorted(path.name for path in mailbox.folder.iterdir()) == before


def test_an_unknown_mail_is_a_plain_404(client: TestClient) -> None:
    answer = client.get("/mailbox/20261120T080000000000-abcdef")
    assert answer.status_code == 404
    assert "There is no page at this address." in answer.text
