"""The shared pages in a real browser: nothing hostile runs, nothing overflows."""

import smtplib
import threading
import time
from collections.abc import Iterator
from email.message import EmailMessage
from pathlib import Path

import pytest
import uvicorn
from fastapi import Request
from fastapi.responses import HTMLResponse, PlainTextResponse, Response
from jinja2 import ChoiceLoader, FileSystemLoader
from playwright.sync_api import Browser, Page
from support.furnished import make_app, make_pages, sample_entries

from service.mailbox import Mailbox, MailboxServer
from service.pages.paging import Paging

pytestmark = pytest.mark.browser
HOSTILE = """<!doctype html><html><head><meta http-equiv="refresh" content="0;url=/nowhere"></head>
<body style="color: #123456" onload="document.title='ran'"><p id="styled">446 papers.</p>
<script>parent.document.title = 'ran'; document.body.id = 'ran'</script>
<img src="x" onerror="document.body.id = 'ran'"><svg onload="document.body.id = 'ran'"></svg>
<form action="/form" method="post"><button id="send">send</button></form>
<a id="script" href="javascript:top.document.title='ran'">script</a>
<a id="link" href="/mailbox">papers</a></body></html>"""


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Serve the mailbox, the gallery and one form; yield the address."""
    folder = tmp_path_factory.mktemp("mailbox")
    pages = make_pages()
    environment = pages.environment(pages.catalogs.texts("en"))
    assert environment.loader is not None
    gallery = Path(__file__).parents[1] / "unit" / "pages"
    environment.loader = ChoiceLoader([environment.loader, FileSystemLoader(gallery)])
    app = make_app(pages, folder)
    sent: list[str] = []

    @app.get("/gallery")
    def show(request: Request) -> Response:
        context = {
            "errors": {},
            "entries": sample_entries(),
            "paging": Paging(1, 1, 1),
            "address_of_page": str,
        }
        return pages.answer(request, "gallery.html", context)

    @app.get("/form")
    def form() -> HTMLResponse:
        return HTMLResponse("<form method=post action=/form><button id=go>Go</button></form>")

    @app.post("/form")
    def receive() -> PlainTextResponse:
        sent.append("form")
        return PlainTextResponse("received")

    @app.get("/count")
    def count() -> int:
        return len(sent)

    mail = EmailMessage()
    mail["Subject"] = "</title><script>document.title='ran'</script>"
    mail.set_content("<script>document.title='ran'</script> http://127.0.0.1/confirm/x")
    mail.add_alternative(HOSTILE, subtype="html")
    listener = MailboxServer(Mailbox(folder))
    with listener, smtplib.SMTP("127.0.0.1", listener.start()) as smtp:
        smtp.send_message(mail, "papers@example.org", ["ada@uni.example"])
    config = uvicorn.Config(app, host="127.0.0.1", port=0, log_level="error", ws="none")
    server = uvicorn.Server(config)
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    deadline = time.monotonic() + 10
    while not server.started:
        assert time.monotonic() < deadline, "the server did not start"
        time.sleep(0.02)
    port = server.servers[0].sockets[0].getsockname()[1]
    yield f"http://127.0.0.1:{port}"
    server.should_exit = True
    thread.join(10)


def _mail_page(browser: Browser, site: str) -> Page:
    page = browser.new_context().new_page()
    page.goto(f"{site}/mailbox")
    page.click(".row-link")
    page.frame_locator("iframe").locator("#link").wait_for()
    return page


def test_a_hostile_mail_shows_and_does_nothing(browser: Browser, site: str) -> None:
    page = _mail_page(browser, site)
    before = page.request.get(f"{site}/count").json()
    frame = page.frames[1]
    frame.click("#send")
    frame.click("#script")
    page.wait_for_timeout(300)
    assert "ran" not in page.title().replace("='ran'", "")
    assert page.frames[1].locator("body#ran").count() == 0
    colour = page.frames[1].locator("#styled").evaluate("e => getComputedStyle(e).color")
    assert colour == "rgb(18, 52, 86)", "the mail's own inline style holds"
    assert page.frames[1].url.endswith("/html"), "neither form nor refresh leads away"
    assert page.request.get(f"{site}/count").json() == before, "no form of the mail was sent"
    page.context.close()


def test_its_html_part_alone_is_as_harmless(browser: Browser, site: str) -> None:
    page = _mail_page(browser, site)
    page.goto(page.url + "/html")
    page.click("#send")
    page.wait_for_timeout(300)
    assert page.locator("body#ran").count() == 0
    assert "ran" not in page.title()
    assert page.url.endswith("/html")
    assert page.evaluate("origin") == "null", "it can read nothing of this site"
    page.context.close()


def test_a_link_in_a_mail_opens_beside_it_without_a_way_back(browser: Browser, site: str) -> None:
    page = _mail_page(browser, site)
    with page.context.expect_page() as opened:
        page.frames[1].click("#link")
    beside = opened.value
    beside.wait_for_load_state()
    assert beside.url == f"{site}/mailbox"
    assert beside.evaluate("[window.opener, document.referrer]") == [None, ""]
    cookie = beside.evaluate("(document.cookie = 'a=b', document.cookie)")
    assert cookie == "a=b", "the sandbox ends at the frame"
    page.context.close()


def test_a_form_of_our_own_passes_the_guard(browser: Browser, site: str) -> None:
    page = browser.new_page()
    page.goto(f"{site}/form")
    page.click("#go")
    assert page.locator("body").inner_text() == "received"
    page.close()


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [320, 360, 1200])
@pytest.mark.parametrize("address", ["/gallery", "/mailbox", "/nowhere"])
def test_nothing_overflows_and_everything_can_be_hit(
    browser: Browser, site: str, address: str, width: int, scheme: str
) -> None:
    context = browser.new_context(viewport={"width": width, "height": 740}, color_scheme=scheme)
    page = context.new_page()
    said: list[str] = []
    page.on("console", lambda message: said.append(message.text))
    page.on("pageerror", lambda error: said.append(str(error)))
    page.goto(site + address)
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    small = page.evaluate(
        """[...document.querySelectorAll('a, button, input, select, textarea, summary')]
        .filter(e => !e.closest('p:not(.paper-links), dd, h1, h2, h3, .skip, .tick, .trap')
            && e.type !== 'hidden' && e.getBoundingClientRect().height < 43.9)
        .map(e => e.outerHTML)"""
    )
    assert small == []
    sizes = page.evaluate(
        """[...document.querySelectorAll('body *')]
        .filter(e => [...e.childNodes].some(n => n.nodeType === 3 && n.data.trim()))
        .map(e => parseFloat(getComputedStyle(e).fontSize))"""
    )
    assert min(sizes) >= 14
    fields = page.evaluate(
        """[...document.querySelectorAll('input, textarea, select')]
        .filter(e => !['checkbox', 'radio', 'hidden'].includes(e.type))
        .map(e => parseFloat(getComputedStyle(e).fontSize))"""
    )
    assert all(size >= 16 for size in fields), "smaller ones make phones zoom in"
    assert [line for line in said if "404" not in line] == []
    context.close()


def test_the_skip_link_is_the_first_stop(browser: Browser, site: str) -> None:
    page = browser.new_page()
    page.goto(f"{site}/gallery")
    page.keyboard.press("Tab")
    box = page.locator(".skip:focus").bounding_box()
    assert box is not None
    assert box["y"] >= 0
    page.keyboard.press("Enter")
    assert page.evaluate("document.activeElement.id") == "main"
    page.close()
