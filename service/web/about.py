"""Pages about the service itself: help, about, privacy, and whether it is well."""

from fastapi import APIRouter, Request
from fastapi.responses import JSONResponse, PlainTextResponse, Response

from service.defaults import FIXED
from service.flows import browse, source_health
from service.web.door import Door
from service.web.examples import EXAMPLES, takes


def add_routes(routes: APIRouter, door: Door) -> None:
    """Add ``/help/queries``, ``/about``, ``/privacy``, ``/healthz``, ``/readyz``."""

    @routes.get("/help/queries")
    def help_queries(request: Request) -> Response:
        texts = door.texts(request)
        shown = [(one, texts.said(one.means), takes(one, one.found)) for one in EXAMPLES]
        return door.answer(request, "site/queries.html", {"examples": shown})

    @routes.get("/about")
    def about(request: Request) -> Response:
        context = {"sources": browse.read_names(door.rt), "sender": door.rt.site.sender}
        return door.answer(request, "site/about.html", context)

    @routes.get("/privacy")
    def privacy(request: Request) -> Response:
        context = {"limits": door.rt.defaults(), "log_days": FIXED.keep_log_days}
        return door.answer(request, "site/privacy.html", context)

    @routes.get("/healthz")
    def healthz() -> Response:
        return PlainTextResponse("ok\n", headers={"Cache-Control": "no-store"})

    @routes.get("/readyz")
    def readyz() -> Response:
        headers = {"Cache-Control": "no-store"}
        ready = source_health.is_ready(door.rt)
        return JSONResponse({"ready": ready}, 200 if ready else 503, headers)
