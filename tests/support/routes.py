"""Every address an application answers, flattened out of FastAPI's tree of routers."""

from collections.abc import Callable, Iterator, Sequence
from typing import Any, NamedTuple

from fastapi import FastAPI
from fastapi.routing import iter_route_contexts
from starlette.routing import BaseRoute, Mount


class RouteRow(NamedTuple):
    """One method of one path; a mounted application that cannot be opened has method "*"."""

    method: str
    path: str
    endpoint: Callable[..., Any]


def flat_routes(app: FastAPI) -> list[RouteRow]:
    """Return (method, path, endpoint), sorted by path and method, none twice."""
    return sorted(set(_rows(app.routes, "")), key=lambda row: (row.path, row.method))


def _rows(routes: Sequence[BaseRoute], prefix: str) -> Iterator[RouteRow]:
    for context in iter_route_contexts(routes):
        path = prefix + (context.path or "")
        inner = getattr(context, "routes", None)
        if isinstance(context.original_route, Mount):
            if inner:
                yield from _rows(inner, path)
            else:
                yield RouteRow("*", path, context.original_route.app)
            continue
        endpoint = context.endpoint
        if endpoint is None:
            raise AssertionError(f"a route that cannot be listed: {context.original_route!r}")
        for method in sorted(context.methods or {"WEBSOCKET"}):
            yield RouteRow(method, path, endpoint)
