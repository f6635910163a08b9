"""Faults as answers: a plain page in the house's words, JSON under /api."""

import logging
import re
import secrets
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse, Response
from starlette.exceptions import HTTPException

from service.delivery.i18n import SOURCE, Texts
from service.delivery.links import holds
from service.errors import PaperpostError
from service.matching.query import QueryError
from service.pages.forms import FormTooLargeError
from service.pages.headers import HeaderPolicy
from service.pages.hosts import name_of
from service.pages.templates import Pages

_NAME = re.compile(r"[a-z0-9._-]{1,120}")
_log = logging.getLogger("paperpost.pages")


@dataclass(frozen=True, slots=True)
class Fault:
    """What the page says, in three parts. more: what a program is told besides."""

    what: str
    where: str = ""
    next_step: str = ""
    more: Mapping[str, str | int] = field(default_factory=dict)


DESK_LISTS: Mapping[str, str] = {
    "bounces": "Bounces", "deliveries": "Deliveries", "editions": "Editions",
    "imports": "Imports", "interests": "Interests", "papers": "Papers", "readers": "Readers",
    "send": "Send", "settings": "Settings", "sources": "Sources", "staff": "Staff",
    "topics": "Topics", "webhooks": "Webhooks",
}  # fmt: skip
"""Lists of the desk by the first word of their address; what is missing there leads to them."""

FOR_PROGRAMS = "/api/openapi.json says what there is, and how it is asked for."
"""What a program does next, where nothing better is known."""

GONE = "What stood here is gone, or never was. Its list has what there is."
"""Of an address of the desk."""


def fault_of(status: int, texts: Texts) -> Fault:
    """Return the words for an HTTP status."""
    _ = texts.gettext
    words = {
        400: Fault(_("This request cannot be read."), "", _("Go back and send it again.")),
        401: Fault(_("This page is for the staff."), "", _("Log in first.")),
        403: Fault(_("This is not allowed here."), "", _("Nothing was changed.")),
        404: Fault(
            _("There is no page at this address."),
            "",
            _("A link in a mail may have been cut: copy the whole of it."),
        ),
        405: Fault(_("This address does not do that."), "", _("Nothing was changed.")),
        408: Fault(
            _("This took too long to arrive."), "", _("Nothing was changed. Send it again.")
        ),
        413: Fault(_("This is too large."), "", _("Nothing was changed. Send less at once.")),
        421: Fault(
            _("This service has another name."),
            "",
            _(
                "Open the address that stands in its mails. If you run it and this is a name of "
                "its own, set it in its environment as above, and start it again."
            ),
        ),
        429: Fault(
            _("Many requests from your network."), "", _("Nothing was lost. Try again later.")
        ),
        500: Fault(_("This page failed, and that is our fault."), "", ""),
        503: Fault(_("The service is starting or stopping."), "", _("Try again in a minute.")),
    }
    if status in words:
        return words[status]
    return words[400 if status < 500 else 500]


def cross_origin_fault(texts: Texts) -> Fault:
    """Return the words of the guard."""
    _ = texts.gettext
    return Fault(
        _("This request came from another site, so nothing was changed."),
        "",
        _("Open the page here and press its button."),
    )


def _more(error: PaperpostError) -> dict[str, str | int]:
    """Of words that cannot be read: the character, what was expected there, words that can be."""
    if not isinstance(error, QueryError):
        return {}
    return {
        "position": error.position,
        "expected": str(error.expected or ""),
        "suggestion": error.suggestion,
    }


class ErrorPages:
    """Turns errors into answers.

    statuses: which HTTP status an error class has (its subclasses too); 400 for the rest.
    report: gets (reference, request, error) for what nobody expected; the page names the
    reference. The default logs path-free, since a path can hold a reader's token.
    """

    def __init__(
        self,
        pages: Pages,
        policy: HeaderPolicy,
        statuses: Mapping[type[PaperpostError], int] | None = None,
        report: Callable[[str, Request, Exception], None] | None = None,
    ) -> None:
        self._pages = pages
        self._policy = policy
        self._statuses: dict[type, int] = {FormTooLargeError: 413}
        self._statuses.update(statuses or {})
        self._report = report or _log_failure

    def status_of(self, error: PaperpostError) -> int:
        """Return the status of the nearest class that has one."""
        for cls in type(error).__mro__:
            if cls in self._statuses:
                return self._statuses[cls]
        return 400

    def _is_api(self, request: Request) -> bool:
        return holds("/api", request.url.path.removeprefix(self._pages.links.here.base))

    def _desk_list(self, request: Request) -> tuple[str, str] | None:
        """(address, name) of the desk's list that an address belongs to."""
        below = request.url.path.removeprefix(self._pages.links.here.admin() + "/")
        name = below.partition("/")[0]
        at = self._pages.links.here.admin(name)
        return (at, DESK_LISTS[name]) if name in DESK_LISTS and below != name else None

    def _fault(self, request: Request, status: int) -> Fault:
        fault = fault_of(status, self._texts(request))
        if self._is_api(request) and status in (404, 405):
            return replace(fault, where=request.url.path, next_step=FOR_PROGRAMS)
        is_desk = status == 404 and self._desk_list(request) is not None
        return replace(fault, next_step=GONE) if is_desk else fault

    def _texts(self, request: Request) -> Texts:
        """The reader's language; English for a program."""
        if self._is_api(request):
            return self._pages.catalogs.texts(SOURCE)
        return self._pages.texts(request)

    def answer(
        self,
        request: Request,
        status: int,
        fault: Fault,
        *,
        reference: str = "",
        headers: Mapping[str, str] | None = None,
    ) -> Response:
        """Return the page, or JSON for a program."""
        if self._is_api(request):
            next_step = fault.next_step or (FOR_PROGRAMS if status < 500 else "")
            said = {"what": fault.what, "where": fault.where, "next_step": next_step}
            body: dict[str, str | int] = {**said, **fault.more}
            if reference:
                body["reference"] = reference
            return JSONResponse({"error": body}, status_code=status, headers=dict(headers or {}))
        return self._pages.answer(
            request,
            "error.html",
            {
                "status": status,
                "fault": fault,
                "reference": reference,
                "kept": getattr(request.state, "typed", ()) if status >= 500 else (),
                "path": request.url.path,
                "list": self._desk_list(request) if status == 404 else None,
            },
            status=status,
            headers=headers,
        )

    def cross_origin(self, request: Request) -> Response:
        """Answer a request that the guard refused."""
        return self.answer(request, 403, cross_origin_fault(self._texts(request)))

    def refused(self, request: Request, status: int) -> Response:
        """Answer a request that nobody may read."""
        return self.answer(request, status, self._fault(request, status))

    def misdirected(self, request: Request, status: int) -> Response:
        """The same for a name that is none of ours, which is told as it may be written down."""
        name = name_of(request.headers.get("host", ""))
        said = f"PAPERPOST_ALLOWED_HOSTS={name}" if _NAME.fullmatch(name) else ""
        fault = replace(fault_of(status, self._texts(request)), where=said)
        return self.answer(request, status, fault)

    def paperpost_error(self, request: Request, error: Exception) -> Response:
        assert isinstance(error, PaperpostError)
        texts = self._texts(request)
        said = texts.said(error.what), error.where, texts.said(error.next_step)
        headers: Mapping[str, str] | None = getattr(error, "headers", None)
        fault = Fault(*said, _more(error))
        return self.answer(request, self.status_of(error), fault, headers=headers)

    def http_error(self, request: Request, error: Exception) -> Response:
        assert isinstance(error, HTTPException)
        if error.status_code in (204, 304) or error.status_code < 400:
            return Response(status_code=error.status_code, headers=error.headers)
        fault = self._fault(request, error.status_code)
        return self.answer(request, error.status_code, fault, headers=error.headers)

    def invalid_request(self, request: Request, error: Exception) -> Response:
        assert isinstance(error, RequestValidationError)
        first = error.errors()[0]
        if first["loc"][0] == "path":  # no number, or larger than any row's: nothing is there
            return self.refused(request, 404)
        fault = fault_of(400, self._texts(request))
        where = ".".join(str(part) for part in first["loc"])
        api = self._is_api(request)
        if api:  # the library's words are English alone
            fault = replace(fault, next_step="/api/openapi.json says what may stand there.")
            where = f"{where}: {first['msg']}"
        return self.answer(request, 422 if api else 400, replace(fault, where=where))

    def unexpected(self, request: Request, error: Exception) -> Response:
        """Answer what nobody foresaw. This one runs outside all middleware: headers by hand."""
        reference = secrets.token_hex(4)
        self._report(reference, request, error)
        fault = fault_of(500, self._texts(request))
        answer = self.answer(request, 500, fault, reference=reference)
        self._policy.apply(answer.headers, request.url.path)
        return answer

    def install(self, app: FastAPI) -> None:
        """Register the handlers."""
        app.add_exception_handler(PaperpostError, self.paperpost_error)
        app.add_exception_handler(HTTPException, self.http_error)
        app.add_exception_handler(RequestValidationError, self.invalid_request)
        app.add_exception_handler(Exception, self.unexpected)


def _log_failure(reference: str, request: Request, error: Exception) -> None:
    route = request.scope.get("route")
    pattern = getattr(route, "path", "") or "an unknown address"
    _log.error("page %s %s failed, reference %s", request.method, pattern, reference)
