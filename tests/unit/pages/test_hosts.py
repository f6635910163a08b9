"""Which Host headers are ours, and how much of a body is heard."""

import asyncio

import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route
from starlette.testclient import TestClient
from starlette.types import Message

from service.errors import SettingError
from service.pages.hosts import BoundedBodies, HostNames, OwnHosts, WholeAddresses


def refused(_request: Request, status: int) -> Response:
    return PlainTextResponse("no", status)


@pytest.mark.parametrize(
    ("host", "ours"),
    [
        ("papers.example.org", True),
        ("PAPERS.example.org:443", True),
        ("papers.example.org.", True),
        ("localhost:8000", True),
        ("127.0.0.1:8000", True),
        ("[::1]:8000", True),
        ("198.51.100.7", True),
        ("paperpost:8000", True),
        ("old.example.net", True),
        ("a.b.example.com", True),
        ("", True),
        ("evil.example", False),
        ("example.com", False),
        ("papers.example.org.evil.example", False),
        ("evilpapers.example.org", False),
        ("evil.example:80", False),
        ("papers.example.org@evil.example", False),
        ("evil.example/papers.example.org", False),
        ("papers.example.org:x", False),
        ("127.0.0.1.evil.example", False),
        ("[::1", False),
        ("papers.example.org, evil.example", False),
    ],
)
def test_names(host: str, ours: bool) -> None:
    names = HostNames("https://papers.example.org/x", ["old.example.net", " *.example.com ", ""])
    assert names.holds(host) is ours


def test_a_name_that_is_none_is_told() -> None:
    with pytest.raises(SettingError, match="ALLOWED_HOSTS"):
        HostNames("https://papers.example.org", ["https://old.example.net"])


def test_a_foreign_host_is_misdirected() -> None:
    app = Starlette(routes=[Route("/", lambda _: PlainTextResponse("here"))])
    made = OwnHosts(app, names=HostNames("http://papers.example.org"), refusal=refused)
    client = TestClient(made)
    assert client.get("/", headers={"Host": "papers.example.org"}).text == "here"
    assert client.get("/", headers={"Host": "evil.example"}).status_code == 421
    # health checks know the machine by a name of their own
    assert client.get("/healthz", headers={"Host": "web.papers.svc"}).status_code == 404


@pytest.mark.parametrize("address", ["/a%00b", "/?q=%00", "/?q=a&%00=b"])
def test_an_address_with_a_null_byte_leads_nowhere(address: str) -> None:
    app = WholeAddresses(Starlette(routes=[Route("/{x:path}", _echo)]), refusal=refused)
    client = TestClient(app)
    assert client.get(address).status_code == 404
    assert client.get("/a%20b?q=%2500").status_code == 200


async def _echo(request: Request) -> Response:
    return PlainTextResponse(str(len(await request.body())))


APP = Starlette(
    routes=[Route(path, _echo, methods=["POST"]) for path in ("/", "/files/x", "/files/list")]
)


def test_long_bodies_are_refused_told_or_not() -> None:
    made = BoundedBodies(
        APP, refusal=refused, small=(10, 1.0), large=(100, 1.0), files=("/files/",),
        most_list=200, lists=("/files/list",),
    )  # fmt: skip
    client = TestClient(made)
    assert client.post("/", content=b"x" * 10).text == "10"
    assert client.post("/", content=b"x" * 11).status_code == 413
    assert client.post("/", content=iter([b"x" * 6] * 2)).status_code == 413
    assert client.post("/files/x", content=b"x" * 100).text == "100"
    assert client.post("/files/x", content=b"x" * 101).status_code == 413
    assert client.post("/files/list", content=b"x" * 200).text == "200"
    assert client.post("/files/list", content=b"x" * 201).status_code == 413


def test_a_body_that_drips_is_not_waited_for() -> None:
    made = BoundedBodies(APP, refusal=refused, small=(10, 0.05))
    sent: list[Message] = []

    async def drip() -> Message:
        await asyncio.sleep(0.02)
        return {"type": "http.request", "body": b"x", "more_body": True}

    async def note(message: Message) -> None:
        sent.append(message)

    scope = {"type": "http", "method": "POST", "path": "/", "headers": [], "query_string": b""}
    asyncio.run(made(scope, drip, note))
    assert sent[0]["status"] == 408
