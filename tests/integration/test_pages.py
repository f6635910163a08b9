"""A furnished application: headers, guard, error pages, static files."""

import re
from collections.abc import Iterator

import pytest
from fastapi import FastAPI, Request
from fastapi.responses import PlainTextResponse, Response, StreamingResponse
from fastapi.testclient import TestClient
from starlette.exceptions import HTTPException
from support.furnished import make_pages

from service.errors import PaperpostError
from service.pages.forms import read_form
from service.pages.front import furnish
from service.pages.headers import HeaderPolicy
from service.pages.templates import Pages


class LinkEndedError(PaperpostError):
    """A child of no class the statuses know, but for its parent."""


class OldLinkError(LinkEndedError):
    """Found by its parent's status."""


def _application(pages: Pages, failures: list[str]) -> FastAPI:
    app = FastAPI(docs_url=None, redoc_url=None, openapi_url=None)

    @app.get("/page")
    def page() -> PlainTextResponse:
        return PlainTextResponse("a page")

    @app.get("/stream")
    def stream() -> StreamingResponse:
        return StreamingResponse(iter([b"one", b"two"]))

    @app.get("/confirm/{token}")
    def confirm(token: str) -> PlainTextResponse:
        return PlainTextResponse("confirm")

    @app.post("/form")
    async def form(request: Request) -> PlainTextResponse:
        return PlainTextResponse((await read_form(request, most_bytes=100)).text("words"))

    @app.post("/u/{token}")
    def leave(token: str) -> PlainTextResponse:
        return PlainTextResponse("left")

    @app.get("/number/{number}")
    def number(number: int, least: int = 0) -> int:
        return max(number, least)

    @app.get("/api/v1/number/{number}")
    def api_number(number: int, least: int = 0) -> int:
        return max(number, least)

    @app.get("/raise/{what}")
    @app.get("/api/v1/raise/{what}")
    def fail(what: str) -> Response:
        if what == "boom":
            raise RuntimeError("secret detail")
        if what == "old":
            raise OldLinkError("This <link> ended", "27 November", "Mail me a new one.")
        if what == "query":
            raise PaperpostError("The bracket is never closed", "character 12", "Add ) at the end.")
        raise HTTPException(int(what), headers={"Retry-After": "60"})

    furnish(
        app,
        pages,
        statuses={LinkEndedError: 410},
        report=lambda reference, _request, error: failures.append(f"{reference} {error}"),
    )
    return app


@pytest.fixture
def failures() -> list[str]:
    return []


@pytest.fixture
def client(failures: list[str]) -> Iterator[TestClient]:
    app = _application(make_pages(), failures)
    with TestClient(app, raise_server_exceptions=False) as client:
        yield client


def _words(html: str) -> str:
    return " ".join(re.sub(r"<[^>]+>", " ", html).split())


ADDRESSES = ["/page", "/stream", "/nowhere", "/raise/boom", "/raise/404", "/number/x", "/u/T"]


@pytest.mark.parametrize("address", ADDRESSES)
def test_every_answer_has_its_security_headers(client: TestClient, address: str) -> None:
    answer = client.get(address)
    policy = answer.headers["content-security-policy"]
    assert "default-src 'none'" in policy
    assert "unsafe" not in policy
    assert "frame-ancestors 'none'" in policy
    assert answer.headers["referrer-policy"] == "no-referrer"
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert "strict-transport-security" not in answer.headers


def test_a_refusal_of_the_guard_has_them_too(client: TestClient) -> None:
    answer = client.post("/form", data={"words": "x"}, headers={"Sec-Fetch-Site": "cross-site"})
    assert answer.status_code == 403
    assert "This request came from another site" in answer.text
    assert "default-src 'none'" in answer.headers["content-security-policy"]


@pytest.mark.parametrize(
    ("base_url", "hsts", "referrer"),
    [
        ("https://papers.example.org", True, "no-referrer"),
        ("http://localhost:8000", False, "no-referrer"),
        ("http://[::1]:8000", False, "no-referrer"),
        ("http://papers.lab:8000", False, "same-origin"),
    ],
)
def test_hsts_and_referrer_follow_the_base_url(base_url: str, hsts: bool, referrer: str) -> None:
    headers = HeaderPolicy(base_url).headers("/")
    assert ("Strict-Transport-Security" in headers) is hsts
    assert headers["Referrer-Policy"] == referrer


def test_token_pages_are_neither_indexed_nor_cached() -> None:
    policy = HeaderPolicy("https://example.org/sub")
    for path in ("/sub/confirm/T", "/sub/manage", "/sub/manage/T", "/u/T", "/sub/admin/x"):
        headers = policy.headers(path)
        assert headers["X-Robots-Tag"] == "noindex, nofollow", path
        assert headers["Cache-Control"] == "no-store", path
    for path in ("/sub/papers", "/sub/", "/sub/managers", "/sub/docs", "/subconfirm/T"):
        assert "X-Robots-Tag" not in policy.headers(path), path


def test_one_click_unsubscribe_works_from_anywhere(client: TestClient) -> None:
    answer = client.post(
        "/u/T",
        data={"List-Unsubscribe": "One-Click"},
        headers={"Sec-Fetch-Site": "cross-site", "Origin": "https://mail.example"},
    )
    assert (answer.status_code, answer.text) == (200, "left")


def test_head_is_get_without_a_body(client: TestClient) -> None:
    for address in ("/page", "/stream", "/confirm/T", "/nowhere"):
        get, head = client.get(address), client.head(address)
        assert head.status_code == get.status_code, address
        assert head.content == b""
        assert head.headers.get("content-length") == get.headers.get("content-length")


@pytest.mark.parametrize(
    ("address", "status", "words"),
    [
        ("/nowhere", 404, "There is no page at this address."),
        ("/form", 405, "This address does not do that. Nothing was changed."),
        ("/raise/403", 403, "This is not allowed here."),
        ("/raise/429", 429, "Many requests from your network."),
        ("/raise/418", 418, "This request cannot be read."),
        ("/raise/502", 502, "This page failed, and that is our fault."),
        ("/number/x", 404, "There is no page at this address."),
        ("/admin/readers/9", 404, "Its list has what there is. Readers Overview"),
        ("/number/1?least=x", 400, "This request cannot be read. query.least"),
        ("/raise/query", 400, "The bracket is never closed character 12 Add ) at the end."),
        ("/raise/old", 410, "This &lt;link&gt; ended 27 November Mail me a new one."),
    ],
)
def test_errors_are_pages_in_our_words(
    client: TestClient, address: str, status: int, words: str
) -> None:
    answer = client.get(address)
    assert answer.status_code == status
    assert answer.headers["content-type"] == "text/html; charset=utf-8"
    assert words in _words(answer.text)
    assert "oops" not in answer.text.lower()


def test_headers_of_an_error_stay(client: TestClient) -> None:
    assert client.get("/raise/429").headers["retry-after"] == "60"
    assert client.get("/form").headers["allow"] == "POST"


def test_a_failure_gives_a_number_and_no_detail(client: TestClient, failures: list[str]) -> None:
    answer = client.get("/raise/boom")
    assert answer.status_code == 500
    assert "secret detail" not in answer.text
    (logged,) = failures
    assert logged.split()[0] in answer.text
    assert logged.endswith("secret detail")


def test_the_api_gets_json(client: TestClient, failures: list[str]) -> None:
    for path, status, what in (
        ("/api/v1/nowhere", 404, "There is no page at this address."),
        ("/api/v1/raise/query", 400, "The bracket is never closed"),
        ("/api/v1/number/x", 404, "There is no page at this address."),
        ("/api/v1/number/1?least=x", 422, "This request cannot be read."),
        ("/api/v1/raise/boom", 500, "This page failed, and that is our fault."),
    ):
        answer = client.get(path)
        assert answer.status_code == status
        error = answer.json()["error"]
        assert error["what"] == what
        if status == 404:
            assert error["where"] == path
            assert "/api/openapi.json" in error["next_step"]
    assert client.get("/api/v1/raise/query").json()["error"] == {
        "what": "The bracket is never closed",
        "where": "character 12",
        "next_step": "Add ) at the end.",
    }
    assert len(failures) == 1
    assert client.get("/apish").headers["content-type"].startswith("text/html")


def test_forms_through_the_whole_stack(client: TestClient) -> None:
    assert client.post("/form", data={"words": "LoRA"}).text == "LoRA"
    assert client.post("/form", files={"words": (None, "LoRA")}).status_code == 413
    assert client.post("/form", data={"words": "x" * 100}).status_code == 413
    assert client.post("/form", json={"words": "x"}).status_code == 400


def test_static_files_are_named_by_content_and_cached(client: TestClient) -> None:
    page = client.get("/nowhere").text
    addresses = re.findall(r'(?:href|src)="(/static/[^"]+)"', page)
    assert sorted(address.partition("?")[0] for address in addresses) == [
        "/static/htmx.min.js",
        "/static/mark.svg",
        "/static/paperpost.css",
    ]
    for address in addresses:
        answer = client.get(address)
        assert answer.status_code == 200
        assert "immutable" in answer.headers["cache-control"]
        again = client.get(address, headers={"If-None-Match": answer.headers["etag"]})
        assert again.status_code == 304
    assert client.get("/static/paperpost.css?v=old").headers["cache-control"] == "no-cache"
    assert client.get("/static/paperpost.css").headers["content-type"].startswith("text/css")
    assert client.get("/static/VENDORED.md").status_code == 404
    assert client.get("/static/..%2fpages%2flayout.html").status_code == 404


def test_htmx_is_the_file_that_is_noted_and_may_not_evaluate(client: TestClient) -> None:
    import hashlib

    from service.resources import resource_dir

    folder = resource_dir("templates") / "static"
    noted = re.search(r"[0-9a-f]{64}", (folder / "VENDORED.md").read_text())
    assert noted is not None
    assert hashlib.sha256((folder / "htmx.min.js").read_bytes()).hexdigest() == noted.group()
    page = client.get("/nowhere").text
    assert '"allowEval":false' in page
    assert re.search(r'<script src="[^"]+htmx[^"]+" defer></script>', page)


def test_a_site_below_a_path_keeps_its_path() -> None:
    pages = make_pages("https://example.org/papers-app")
    html = pages.render("error.html", _error(), pages.catalogs.texts("en"))
    assert set(re.findall(r'href="(/[^"]*)"', html)) >= {
        "/papers-app/",
        "/papers-app/papers",
        "/papers-app/about",
    }
    assert all(
        found.startswith("/papers-app/") for found in re.findall(r'(?:href|src)="(/[^"]*)"', html)
    )


def _error() -> dict[str, object]:
    from service.pages.errors import Fault

    return {"status": 404, "fault": Fault("x"), "reference": ""}


@pytest.mark.parametrize(("banner", "shown"), [("Demo <data>.", 1), ("", 0)])
def test_a_banner_stands_on_every_page(banner: str, shown: int) -> None:
    app = _application(make_pages(banner=lambda: banner), [])
    page = TestClient(app).get("/raise/404", headers={"accept": "text/html"}).text
    assert page.count('<p class="notice">Demo &lt;data&gt;.</p>') == shown
    assert page.count('class="notice"') == shown
