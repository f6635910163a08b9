"""What programs ask and do under /api: papers for everybody, all else with a token.

Errors are JSON in three parts: what, where, next_step (``pages/errors``).
"""

from typing import Any

from fastapi import APIRouter, Depends

from service.api import (
    alarms,
    asked,
    audit,
    bounces,
    deliveries,
    editor,
    hooks,
    imports,
    interests,
    overview,
    papers_by_hand,
    previews,
    reader_parts,
    readers,
    sends,
    settings,
    sources,
)
from service.api import topics as topics_api
from service.api.asked import AskedError
from service.api.callers import ScopeError, TooManyError, UnknownCallerError, place_of
from service.api.document import describe
from service.api.exports import ExportKeyError
from service.api.once import once_route
from service.errors import PaperpostError, SettingError
from service.flows import topics
from service.flows.acts import ActsError
from service.flows.alarms import AlarmError
from service.flows.audience import CountError, ManualError
from service.flows.bounce_lists import BounceFilterError
from service.flows.bounces import BounceError, NoSuchMailError
from service.flows.browse import NotHereError
from service.flows.daily import DateError
from service.flows.editions import EditionError, NoEditionError
from service.flows.hidden import NoPaperError, PaperError
from service.flows.hook_lists import HookError, NoHookError
from service.flows.imports import ListError, NoSuchImportError
from service.flows.interests import InterestError
from service.flows.ledger import ChosenError
from service.flows.note import NoteError
from service.flows.once import AnswerLostError, KeyBusyError, KeyFormError, KeyReusedError
from service.flows.picks import PickError
from service.flows.preview import PreviewError
from service.flows.reader_acts import ActError
from service.flows.reconcile import ResolveError
from service.flows.related import (
    LikedError,
)
from service.flows.release import ReleaseError
from service.flows.resend import ResendError
from service.flows.rest_try import RestError
from service.flows.runtime import Runtime
from service.flows.segment import SegmentError
from service.flows.settings_by_hand import ChangedMeanwhileError, NoSettingError
from service.flows.source_acts import SourceError
from service.flows.source_days import NoSourceError
from service.flows.spreadsheet import ReaderError
from service.flows.submissions import NoSubmissionError, SubmissionError
from service.flows.tags import TagError
from service.flows.timing import TimingError
from service.flows.trial import TooManyTestsError
from service.flows.trying import TrialError
from service.matching.query import QueryError
from service.pages.network import read_proxies
from service.resources import product_version
from service.sources.adapter import CaptureError, ParameterError
from service.subscribers.address import AddressError
from service.subscribers.cadence import CadenceError

STATUSES: dict[type[PaperpostError], int] = {
    ActError: 409,
    ActsError: 422,
    AddressError: 422,
    AlarmError: 404,
    AnswerLostError: 409,
    AskedError: 422,
    BounceError: 409,
    BounceFilterError: 422,
    ChangedMeanwhileError: 409,
    CountError: 409,
    DateError: 422,
    ChosenError: 422,
    EditionError: 409,
    ExportKeyError: 409,
    HookError: 422,
    KeyBusyError: 409,
    KeyFormError: 400,
    CadenceError: 422,
    InterestError: 422,
    ListError: 409,
    NoSuchImportError: 404,
    ReaderError: 409,
    TagError: 422,
    KeyReusedError: 422,
    NoSettingError: 404,
    NoSourceError: 404,
    ManualError: 422,
    NoEditionError: 404,
    NoSuchMailError: 404,
    ParameterError: 422,
    PreviewError: 404,
    SourceError: 409,
    LikedError: 422,
    NoPaperError: 404,
    NoSubmissionError: 404,
    NoteError: 422,
    PickError: 422,
    ReleaseError: 422,
    SubmissionError: 409,
    NoHookError: 404,
    NotHereError: 404,
    PaperError: 409,
    QueryError: 422,
    ResendError: 409,
    RestError: 409,
    ResolveError: 409,
    ScopeError: 403,
    SettingError: 422,
    SegmentError: 422,
    TimingError: 422,
    TooManyError: 429,
    TrialError: 409,
    CaptureError: 409,
    TooManyTestsError: 429,
    topics.TopicError: 422,
    topics.TopicGoneError: 410,
    UnknownCallerError: 401,
}
"""HTTP statuses of errors under ``/api``."""


def router(rt: Runtime, *, trusted_proxies: str = "") -> APIRouter:
    """Return the routes under ``/api``. trusted_proxies: addresses whose X-Forwarded-For is
    believed. Raises SettingError."""
    proxies = read_proxies(trusted_proxies)
    routes = APIRouter(
        prefix="/api", route_class=once_route(rt), dependencies=[Depends(place_of(proxies))]
    )

    asked.add_routes(routes, rt)
    alarms.add_routes(routes, rt, proxies)
    overview.add_routes(routes, rt)
    editor.add_routes(routes, rt, proxies)
    deliveries.add_routes(routes, rt, proxies)
    sends.add_routes(routes, rt, proxies)
    bounces.add_routes(routes, rt, proxies)
    audit.add_routes(routes, rt)
    settings.add_routes(routes, rt, proxies)
    readers.add_routes(routes, rt, proxies)
    reader_parts.add_routes(routes, rt, proxies)
    previews.add_routes(routes, rt)
    imports.add_routes(routes, rt, proxies)
    topics_api.add_routes(routes, rt, proxies)
    hooks.add_routes(routes, rt, proxies)
    papers_by_hand.add_routes(routes, rt, proxies)
    sources.add_routes(routes, rt, proxies)
    interests.add_routes(routes, rt, proxies)

    @routes.get("/openapi.json", include_in_schema=False)
    def schema() -> dict[str, Any]:
        """The description of these addresses (OpenAPI)."""
        return _described(rt, routes)

    return routes


def read_document(rt: Runtime) -> dict[str, Any]:
    """The description of all addresses under ``/api`` (OpenAPI)."""
    return _described(rt, router(rt))


def _described(rt: Runtime, routes: APIRouter) -> dict[str, Any]:
    return describe(routes, title=f"{rt.site.name}: API", version=product_version())
