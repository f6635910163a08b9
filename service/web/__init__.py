"""Everything readers and the public open in a browser. GET and HEAD change nothing, anywhere."""

from fastapi import APIRouter, Depends

from service.errors import PaperpostError
from service.flows.browse import NotHereError
from service.flows.interests import InterestError
from service.flows.leave import LinkError
from service.flows.manage import ManageError
from service.flows.runtime import Runtime
from service.flows.topics import TopicGoneError
from service.pages.network import read_proxies
from service.pages.templates import Pages
from service.subscribers.tokens import TokenError
from service.web import (
    about,
    asked,
    confirming,
    crawlers,
    feeds,
    leaving,
    liked,
    link_page,
    mails,
    marks,
    metrics,
    own_data,
    own_feed,
    papers,
    rewording,
    searching,
    settings_again,
    settings_page,
    signup,
    sources_page,
    taking_part,
    topics,
    tuning,
)
from service.web.door import Door

STATUSES: dict[type[PaperpostError], int] = {
    LinkError: 404,
    NotHereError: 404,
    TopicGoneError: 410,
    TokenError: 410,
    ManageError: 422,
    InterestError: 422,
}
"""HTTP statuses of errors that reach the error page (most are answered where they arise)."""


def router(
    rt: Runtime, pages: Pages, *, trusted_proxies: str = "", metrics_token: str = ""
) -> APIRouter:
    """Return the readers' routes, for an application that ``pages.front`` furnished.

    trusted_proxies: addresses whose X-Forwarded-For is believed · metrics_token: opens
    ``/metrics``, "" = to this machine alone. Raises SettingError.
    """
    door = Door(rt, pages, read_proxies(trusted_proxies))
    routes = APIRouter(include_in_schema=False, dependencies=[Depends(door.speak)])
    for room in (
        signup,
        asked,
        confirming,
        leaving,
        own_data,
        taking_part,
        link_page,
        settings_page,
        settings_again,
        rewording,
        liked,
        mails,
        marks,
        tuning,
        papers,
        searching,
        topics,
        sources_page,
        about,
        feeds,
        own_feed,
        crawlers,
    ):
        room.add_routes(routes, door)
    metrics.add_routes(routes, door, metrics_token)
    return routes
