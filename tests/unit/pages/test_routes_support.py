"""The flattened route list is what FastAPI really answers."""

from fastapi import APIRouter, FastAPI
from fastapi.testclient import TestClient
from starlette.responses import PlainTextResponse
from starlette.routing import Mount, Route
from support.routes import RouteRow, flat_routes


def _inner() -> str:
    return "inner"


def _leaf() -> str:
    return "leaf"


def _plain(_request: object) -> PlainTextResponse:
    return PlainTextResponse("plain")


def _app() -> FastAPI:
    leaf = APIRouter()
    leaf.add_api_route("/leaf/{name:path}", _leaf, methods=["GET", "POST"])
    inner = APIRouter(prefix="/inner")
    inner.add_api_route("", _inner, methods=["DELETE"])
    inner.include_router(leaf, prefix="/deep")
    app = FastAPI(docs_url=None, redoc_url=None, openapi_url=None)
    app.include_router(inner, prefix="/top")
    app.include_router(leaf)
    app.routes.append(Mount("/mounted", routes=[Route("/plain", _plain)]))
    app.routes.append(Mount("/closed", app=PlainTextResponse("closed")))
    return app


def test_the_tree_becomes_a_list() -> None:
    rows = flat_routes(_app())
    assert [(row.method, row.path) for row in rows] == [
        ("*", "/closed"),
        ("GET", "/leaf/{name:path}"),
        ("POST", "/leaf/{name:path}"),
        ("GET", "/mounted/plain"),
        ("HEAD", "/mounted/plain"),
        ("DELETE", "/top/inner"),
        ("GET", "/top/inner/deep/leaf/{name:path}"),
        ("POST", "/top/inner/deep/leaf/{name:path}"),
    ]
    assert RouteRow("DELETE", "/top/inner", _inner) in rows
    assert {row.endpoint for row in rows if "leaf" in row.path} == {_leaf}


def test_every_listed_address_answers_and_no_other_method() -> None:
    app = _app()
    client = TestClient(app)
    listed = {(row.method, row.path.replace("{name:path}", "a/b")) for row in flat_routes(app)}
    for path in {path for _, path in listed}:
        for method in ("GET", "POST", "DELETE", "PUT"):
            known = bool({(method, path), ("*", path)} & listed)
            assert (client.request(method, path).status_code == 200) is known, (method, path)


def test_the_openapi_routes_are_seen_too() -> None:
    assert ("GET", "/openapi.json") in {(row.method, row.path) for row in flat_routes(FastAPI())}
