"""Addresses of the own page's forms, opened as pages: a reload after a fault, a bookmark, a link
from the browser's history. They lead back to the section; nothing is done twice."""

from fastapi import APIRouter
from fastapi.responses import RedirectResponse

from service.pages.forms import RowNumber
from service.web.door import Door

_SECTIONS = {
    "schedule": "#when",
    "alerts": "#alerts",
    "bounces": "",
    "mail": "#mail",
    "pause": "#pause",
    "feed": "#feed",
    "interests": "#interests",
    "look": "#interests",
    "leave": "#leave",
    "address": "#address",
    "link": "#address",
    "erase": "/data",
}
"""The end of a form's address -> what follows the page's own."""


def add_routes(routes: APIRouter, door: Door) -> None:
    """Add GET of the addresses that only take forms."""
    here = door.pages.links.here

    def lead(path: str, onward: str) -> None:
        @routes.get(f"/manage/{{token}}/{path}")
        def to_section(token: str) -> RedirectResponse:
            return RedirectResponse(here.manage(token) + onward, 303)

    for path, onward in _SECTIONS.items():
        lead(path, onward)

    @routes.get("/manage/{token}/interests/{profile_id}")
    @routes.get("/manage/{token}/interests/{profile_id}/look")
    def to_interest(token: str, profile_id: RowNumber) -> RedirectResponse:
        return RedirectResponse(f"{here.manage(token)}#interest-{profile_id}", 303)
