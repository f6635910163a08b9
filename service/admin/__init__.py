"""Pages for the staff. GET and HEAD change nothing; every act asks for a role and leaves a row."""

from collections.abc import Mapping, Sequence

from fastapi import APIRouter

from service.admin import (
    alarms,
    audit,
    bounces,
    compose,
    day,
    deliveries,
    edition_list,
    editions,
    entry,
    held,
    hooks,
    imports,
    instance,
    interests,
    new_source,
    overview,
    pace,
    papers_by_hand,
    reader_interests,
    reader_list,
    readers,
    send,
    settings,
    sources,
    staff,
    submissions,
    suppressions,
    tokens,
    topics,
)
from service.admin.desk import Desk, OldPageError
from service.errors import PaperpostError
from service.flows.accounts import NoSuchAccountError, RoleError
from service.flows.alarms import AlarmError
from service.flows.bounce_lists import BounceFilterError
from service.flows.bounces import NoSuchMailError
from service.flows.drafts import DraftError
from service.flows.editions import EditionError, NoEditionError
from service.flows.hidden import NoPaperError
from service.flows.hook_lists import NoHookError
from service.flows.imports import NoSuchImportError
from service.flows.ledger import ChosenError
from service.flows.preview import PreviewError
from service.flows.resend import ResendError
from service.flows.rest_try import RestError
from service.flows.runtime import Runtime
from service.flows.settings_by_hand import NoSettingError
from service.flows.source_days import NoSourceError
from service.flows.staff import LinkError
from service.flows.tries import LoginError
from service.pages.network import read_proxies
from service.pages.templates import Pages

STATUSES: dict[type[PaperpostError], int] = {
    AlarmError: 404,
    BounceFilterError: 422,
    NoSuchAccountError: 404,
    NoSuchMailError: 404,
    DraftError: 404,
    ChosenError: 422,
    EditionError: 409,
    NoEditionError: 404,
    ResendError: 409,
    RestError: 409,
    NoHookError: 404,
    NoPaperError: 404,
    NoSuchImportError: 404,
    NoSettingError: 404,
    NoSourceError: 404,
    PreviewError: 404,
    LinkError: 410,
    LoginError: 403,
    OldPageError: 403,
    RoleError: 403,
}
"""HTTP statuses of errors that reach the error page (most are answered where they arise)."""


def router(
    rt: Runtime,
    pages: Pages,
    *,
    trusted_proxies: str = "",
    deployed: Sequence[Mapping[str, str]] = (),
) -> APIRouter:
    """Return the routes under /admin, for an application that ``pages.front`` furnished.

    trusted_proxies: addresses whose X-Forwarded-For is believed. deployed: the machine's settings,
    secrets masked. Raises SettingError.
    """
    routes = APIRouter(include_in_schema=False, prefix="/admin")
    desk = Desk(rt, pages, read_proxies(trusted_proxies))
    for room in (
        entry,
        overview,
        alarms,
        bounces,
        day,
        submissions,
        papers_by_hand,
        interests,  # has an address that begins like that of one source
        new_source,  # its addresses begin like those of one source
        sources,
        reader_interests,  # the same, of one reader
        reader_list,
        readers,
        imports,
        suppressions,
        instance,
        edition_list,
        editions,
        pace,  # its address looks like that of one delivery
        held,  # the same
        deliveries,
        compose,  # its addresses begin like those of one draft
        send,
        staff,
        audit,
        tokens,
        hooks,
        topics,
    ):
        room.add_routes(routes, desk)
    settings.add_routes(routes, desk, deployed)
    return routes
