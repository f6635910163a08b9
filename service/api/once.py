"""Acts of programs happen once for a key: the route class of ``/api``."""

import hashlib
import json
from asyncio import to_thread
from collections.abc import Callable, Coroutine
from typing import Any

from fastapi import Request
from fastapi.responses import Response
from fastapi.routing import APIRoute
from starlette.types import ExceptionHandler

from service.api.callers import unknown
from service.flows import once
from service.flows.runtime import Runtime
from service.flows.tokens import find_caller

ACTS = frozenset({"POST", "PUT", "PATCH", "DELETE"})
SHOWN_ONCE = "x-shown-once"
"""In ``openapi_extra`` of an operation: fields of its answer that are told once and never kept."""

LONG = ("/v1/imports", "/v1/sends")
"""Addresses whose bodies may be long: nobody's is read."""

REPLAYED = {"Idempotency-Replayed": "true"}
Handler = Callable[[Request], Coroutine[Any, Any, Response]]


class Heard(Request):
    """A request whose texts have no null bytes: no text has them, and PostgreSQL stores none."""

    async def json(self) -> Any:
        read = await super().json()
        return _without_nulls(read) if b"\\u0000" in await self.body() else read


def _without_nulls(value: Any) -> Any:
    if isinstance(value, str):
        return value.replace("\0", "")
    if isinstance(value, list):
        return [_without_nulls(one) for one in value]
    if isinstance(value, dict):
        return {_without_nulls(name): _without_nulls(one) for name, one in value.items()}
    return value


def once_route(rt: Runtime) -> type[APIRoute]:
    """The class of routes of this house."""

    class OnceRoute(APIRoute):
        """A route whose acts take the header Idempotency-Key."""

        def get_route_handler(self) -> Handler:
            answer = super().get_route_handler()
            if not ACTS & (self.methods or set()):
                return answer
            hidden = tuple((self.openapi_extra or {}).get(SHOWN_ONCE, ()))
            is_long = self.path.endswith(LONG)

            async def once_only(asked_by: Request) -> Response:
                request = Heard(asked_by.scope, asked_by.receive)
                text = request.headers.get("idempotency-key")
                asks = text is not None or is_long
                caller = await to_thread(_caller, rt, request) if asks else ""
                if is_long and not caller:  # before the body is read
                    raise unknown(request.headers.get("authorization"))
                if text is None or not caller:  # who is nobody is refused, or changes nothing
                    return await answer(request)
                key, asked = once.read_key(text), await _asked(request)
                begun = await to_thread(once.begin, rt, caller, key, asked)
                if isinstance(begun, once.Kept):
                    return _again(begun)
                return await _work(rt, begun, answer, request, hidden)

            return once_only

    return OnceRoute


def _caller(rt: Runtime, request: Request) -> str:
    scheme, _, token = request.headers.get("authorization", "").partition(" ")
    found = find_caller(rt, token.strip()) if scheme.lower() == "bearer" else None
    return f"token {found.id}" if found is not None else ""


async def _asked(request: Request) -> str:
    """What makes two requests the same: method, address, type and every byte of the body."""
    digest = hashlib.sha256()
    parts = request.method, request.url.path, request.url.query
    for part in (*parts, request.headers.get("content-type", "")):
        digest.update(f"{len(part)}:{part}".encode("utf-8", "surrogatepass"))
    digest.update(await request.body())
    return digest.hexdigest()


def _again(kept: once.Kept) -> Response:
    if not kept.body:
        return Response(status_code=kept.status, headers=REPLAYED)
    return Response(kept.body, kept.status, REPLAYED, "application/json")


async def _work(
    rt: Runtime, number: int, answer: Handler, request: Request, hidden: tuple[str, ...]
) -> Response:
    kept: once.Kept | None = None
    try:
        with once.marking(number):
            try:
                response = await answer(request)
            except Exception as error:
                found = _handler_of(request, error)
                if found is None or not await to_thread(once.is_written, rt, number):
                    raise
                response = await _said(found, request, error)
        body = getattr(response, "body", None)
        if body is None:  # a stream: it is made anew
            await to_thread(once.forget, rt, number)
        else:
            kept = once.Kept(response.status_code, _without(bytes(body), hidden))
        return response
    finally:
        if kept is not None:
            await to_thread(once.keep, rt, number, kept)
        else:
            await to_thread(once.release, rt, number)


def _without(body: bytes, hidden: tuple[str, ...]) -> str:
    if not hidden or not body:
        return body.decode()
    read = json.loads(body)
    return json.dumps({k: None if k in hidden else v for k, v in read.items()})


def _handler_of(request: Request, error: Exception) -> ExceptionHandler | None:
    """Who turns a known error into an answer; None for what nobody foresaw."""
    handlers = request.app.exception_handlers
    known = (cls for cls in type(error).__mro__ if cls is not Exception)
    return next((handlers[cls] for cls in known if cls in handlers), None)


async def _said(handler: ExceptionHandler, request: Request, error: Exception) -> Response:
    made = handler(request, error)  # type: ignore[arg-type]
    return made if isinstance(made, Response) else await made  # type: ignore[return-value]
