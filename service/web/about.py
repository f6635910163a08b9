"""Pages about the service itself: help, about, privacy, and whether it is well."""

from fastapi import APIRouter, Request
from fastapi.responses import JSONResponse, PlainTextResponse, Response

from service.flows import browse, readiness
from service.matching.query import MOST_BYTES, MOST_DEPTH, MOST_TERMS
from service.web.door import Door
from service.web.examples import ELSEWHERE, PARTS, Example, facts_of, takes
from service.web.kept import kept_of_readers, said_rows


def add_routes(routes: APIRouter, door: Door) -> None:
    """Add ``/help/queries``, ``/about``, ``/privacy``, ``/healthz``, ``/readyz``."""

    @routes.get("/help/queries")
    def help_queries(request: Request) -> Response:
        context = {
            "said": door.texts(request).said,
            "parts": [(part, [_shown(one) for one in part.examples]) for part in PARTS],
            "limits": {"bytes": MOST_BYTES, "terms": MOST_TERMS, "depth": MOST_DEPTH},
            "elsewhere": ELSEWHERE,
        }
        return door.answer(request, "site/queries.html", context)

    @routes.get("/about")
    def about(request: Request) -> Response:
        context = {"sources": browse.read_names(door.rt), "sender": door.rt.site.sender}
        return door.answer(request, "site/about.html", context)

    @routes.get("/privacy")
    def privacy(request: Request) -> Response:
        limits = door.rt.defaults()
        context = {
            "rows": said_rows(kept_of_readers(limits), door.texts(request)),
            "session_days": limits.session_days,
            "thumbnails": door.rt.site.thumbnails,
            "postal": door.rt.site.postal,
            "relay": door.rt.relay_host,
        }
        return door.answer(request, "site/privacy.html", context)

    @routes.get("/healthz")
    def healthz() -> Response:
        return PlainTextResponse("ok\n", headers={"Cache-Control": "no-store"})

    @routes.get("/readyz")
    def readyz() -> Response:
        headers = {"Cache-Control": "no-store"}
        found = readiness.look(door.rt)
        told = {"ready": found.can_serve, "status": found.status, "says": list(found.says)}
        return JSONResponse(told, 200 if found.can_serve else 503, headers)


def _shown(example: Example) -> tuple[object, ...]:
    """An example, its title with marks, and what decides of both samples."""
    found, passed_by = example.found, example.passed_by
    return example, takes(example, found), facts_of(example, found), facts_of(example, passed_by)
